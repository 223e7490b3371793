//! The command line: what it prints, and with what status it ends.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::federation::*;

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hibiki-audit")).args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "log",
        "scan",
        "canary plant",
        "canary check",
        "reconcile",
        "identifiers",
        "holds",
        "locality",
        "report",
        "keygen",
        "verify",
    ] {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let output = run(&words);
        assert_eq!(status(&output), 0, "{command}");
        assert!(said(&output).contains(&format!("  hibiki-audit {command}")), "{command}: {}", said(&output));
    }
}

#[test]
fn right_wrong_and_wrong_use() {
    let town = Town::honest();
    let folder = town.path("").display().to_string();
    let questions = ["log", "reconcile", "identifiers", "holds", "locality", "canary check"];
    let all = |expected: i32| {
        for question in questions {
            let words: Vec<&str> = question.split(' ').chain([folder.as_str()]).collect();
            let output = run(&words);
            assert_eq!(status(&output), expected, "{question}: {}", said(&output));
            let json = run(&[&words[..], &["--format", "json"]].concat());
            let strands: Value = serde_json::from_slice(&json.stdout).unwrap();
            let passed = strands.as_array().unwrap().iter().all(|strand| strand["passed"] == true);
            assert_eq!((status(&json), passed), (expected, expected == 0), "{question}");
        }
    };
    all(0);
    // Every question rests on the ledgers.
    town.alter("members/city-hall/ledger/checkpoint", |bytes| bytes[40] ^= 1);
    all(1);
    town.write();
    // What cannot be checked is not wrong use.
    town.remove("trust/1.list");
    for question in questions {
        let words: Vec<&str> = question.split(' ').chain([folder.as_str()]).collect();
        let output = run(&words);
        assert_eq!(status(&output), 1, "{question}");
        assert!(said(&output).contains("trust/1.list is missing"), "{}", said(&output));
    }
    assert_eq!(status(&run(&["reconcile", "/nowhere"])), 2);
    assert_eq!(status(&run(&["reconcile"])), 2);
    assert_eq!(status(&run(&["log", &folder, "--witness", "nonsense"])), 2);
    assert_eq!(status(&run(&["canary", "plant", "--member", "x", "--count", "1", "--out", "/nowhere"])), 2);
}

#[test]
fn one_ledger_by_its_key_and_its_witnesses() {
    let town = Town::honest();
    let folder = town.path("members/chuo-hospital/ledger").display().to_string();
    let key = ledger_signer(HOSPITAL, "first").verifier_key().to_string();
    let witness = witness_signer(CITY).verifier_key().to_string();
    let output = run(&["log", &folder, "--vkey", &key, "--witness", &witness]);
    assert_eq!(status(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("witness  maebashi/city-hall/witness at "));
    let other = ledger_signer(SCHOOL, "first").verifier_key().to_string();
    assert_eq!(status(&run(&["log", &folder, "--vkey", &other])), 1);
}

#[test]
fn a_report_is_written_signed_verified_and_altered() {
    let town = Town::honest();
    let folder = town.path("").display().to_string();
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join(name).display().to_string();
    let (report, page, key) = (at("report.json"), at("report.html"), at("regulator.key"));
    let made = run(&["keygen", "--name", "ppc.example/hibiki", "--out", &key]);
    let vkey = said(&made).trim().to_owned();
    let written = run(&["report", &folder, "--out", &report, "--html", &page, "--key", &key]);
    assert_eq!(status(&written), 0, "{}", said(&written));
    assert!(said(&written).ends_with("合格 / PASSED\n"));
    assert!(said(&written).contains("not shown: ") && said(&written).contains("mutant   xor"));
    assert!(fs::read_to_string(&page).unwrap().contains("合格"));
    let verified = run(&["verify", &report, &folder, "--vkey", &vkey]);
    assert_eq!(status(&verified), 0, "{}", said(&verified));

    // A figure is made nicer: without the signature it is found by computing again, with it at once.
    let honest = fs::read_to_string(&report).unwrap();
    fs::write(&report, honest.replacen("\"faults\":3", "\"faults\":30", 1)).unwrap();
    let altered = run(&["verify", &report, &folder]);
    assert_eq!(status(&altered), 1);
    assert!(said(&altered).contains("DIFFERS  /run/faults: the report says 30, the artefacts say 3"));
    let signed = run(&["verify", &report, &folder, "--vkey", &vkey]);
    assert!(status(&signed) != 0 && String::from_utf8_lossy(&signed.stderr).contains("about another report"));
    let stranger = run(&["keygen", "--name", "ppc.example/hibiki", "--out", &at("stranger.key")]);
    fs::write(&report, &honest).unwrap();
    let signed = run(&["verify", &report, &folder, "--vkey", said(&stranger).trim()]);
    assert!(status(&signed) != 0 && String::from_utf8_lossy(&signed.stderr).contains("is not signed by"));
    fs::write(&report, "no report").unwrap();
    assert_ne!(status(&run(&["verify", &report, &folder])), 0);

    // The artefacts are not those any more; and a true report of a failure is verified, and no pass.
    fs::write(&report, &honest).unwrap();
    town.remove("members/city-hall/memory.img");
    let poorer = run(&["verify", &report, &folder]);
    assert!(status(&poorer) == 1 && said(&poorer).contains("DIFFERS  /passed"), "{}", said(&poorer));
    let failed = run(&["report", &folder, "--out", &report, "--html", &page]);
    assert_eq!(status(&failed), 1);
    assert!(said(&failed).ends_with("不合格 / NOT PASSED\n"));
    let verified = run(&["verify", &report, &folder]);
    assert_eq!(status(&verified), 1);
    assert!(said(&verified).contains("verified: every figure is as reported"));
}

#[test]
fn secrets_are_judged_by_whose_place_they_lie_in() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for place in ["hospital", "clinic", "gateway.core"] {
        fs::write(at(place), "前橋花子の診断書").unwrap();
    }
    fs::write(at("empty"), "").unwrap();
    let secrets = "maebashi/hospital\t前橋花子の診断書\nmaebashi/clinic\tcanary-5f1d09a2c8\n";
    fs::write(at("secrets.tsv"), secrets).unwrap();
    let scan = |places: &[String]| {
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let output =
            run(&[&["scan", "--format", "json", "--needles", &at("secrets.tsv")], &places[..]].concat());
        let strands: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert!(!said(&output).contains("花子") && !said(&output).contains("canary-"), "never repeated");
        (status(&output), strands[0].clone())
    };
    let of = |owner: &str, place: &str| format!("maebashi/{owner}={}", at(place));
    let (status, strand) = scan(&[of("hospital", "hospital")]);
    assert_eq!((status, &strand["figures"]["secrets found at home"]), (0, &Value::from(1)), "{strand}");
    assert_eq!(scan(&[of("hospital", "empty")]).0, 0, "at home it may be hidden");
    for (place, named) in [(of("clinic", "clinic"), "clinic"), (at("gateway.core"), "gateway.core")] {
        let (status, strand) = scan(&[of("hospital", "hospital"), place]);
        assert_eq!((status, strand["problems"].as_array().unwrap().len()), (1, 1), "{strand}");
        let said = strand["problems"][0].as_str().unwrap();
        assert!(said.contains("of maebashi/hospital lies in") && said.contains(named), "{said}");
        assert!(said.contains("first at byte 0"), "{said}");
    }
    let (status, strand) = scan(&[at("nowhere")]);
    assert!(status == 1 && strand["missing"][0].as_str().unwrap().contains("nowhere"), "{strand}");
    assert_eq!(scan(&["=x".to_owned()]).0, 2);
    assert_eq!(scan(&["owner=".to_owned()]).0, 2);
    fs::write(at("secrets.tsv"), "no tab").unwrap();
    assert_eq!(scan(&[at("clinic")]).0, 2);
}
