//! The report: the same bytes from the same artefacts, signed, and computed again by whoever doubts it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::federation::{CITY, Federation, HOSPITAL};

fn hibiki_audit(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hibiki-audit")).args(words).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_report_is_written_signed_verified_and_no_lie_in_it_survives() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let artefacts = at("artefacts");
    std::fs::create_dir(&artefacts).unwrap();
    let federation = Federation::honest(artefacts.as_ref());
    federation.write();
    let made = hibiki_audit(&["keygen", "--name", "ppc.example/hibiki", "--out", &at("key")]);
    let vkey = out(&made).trim().to_owned();
    assert!(made.status.success() && vkey.starts_with("ppc.example/hibiki+"), "{vkey}");
    assert_eq!(
        hibiki_audit(&["keygen", "--name", "x/y", "--out", &at("key")]).status.code(),
        Some(2),
        "never overwritten"
    );

    let (report, page) = (at("report.json"), at("report.html"));
    let words = ["report", &artefacts, "--out", &report, "--html", &page, "--key", &at("key")];
    let reported = hibiki_audit(&words);
    assert!(reported.status.success() && out(&reported).contains("PASSED"), "{}", out(&reported));
    let first = std::fs::read(&report).unwrap();
    assert!(hibiki_audit(&words).status.success());
    assert_eq!(std::fs::read(&report).unwrap(), first, "two audits are the same bytes");
    let html = std::fs::read_to_string(&page).unwrap();
    for part in ["合格", "PASSED", "示していないこと", "a synthetic federation", "わざと漏らすノード"]
    {
        assert!(html.contains(part), "{part}");
    }

    let verify = |vkey: &str| hibiki_audit(&["verify", &report, &artefacts, "--vkey", vkey]);
    assert!(verify(&vkey).status.success(), "{}", out(&verify(&vkey)));
    let other = out(&hibiki_audit(&["keygen", "--name", "ppc.example/hibiki", "--out", &at("other")]));
    assert!(out(&verify(other.trim())).contains("not signed by"));

    // Every figure and every verdict, raised by one or turned.
    let claimed: Value = serde_json::from_slice(&first).unwrap();
    for strand in 0..claimed["strands"].as_array().unwrap().len() {
        let mut lie = claimed.clone();
        let figures = lie["strands"][strand]["figures"].as_object_mut().unwrap();
        let figure = figures.values_mut().next().unwrap();
        *figure = (figure.as_u64().unwrap() + 1).into();
        std::fs::write(&report, lie.to_string()).unwrap();
        let verified = hibiki_audit(&["verify", &report, &artefacts]);
        assert!(!verified.status.success() && out(&verified).contains("DIFFERS"), "{}", out(&verified));
        assert!(out(&verify(&vkey)).contains("is about another report"));
    }
    // The artefacts changed after the report.
    std::fs::write(&report, &first).unwrap();
    federation.put(&format!("members/{CITY}/disk/node.log"), federation.canaries(HOSPITAL)[0].as_bytes());
    let verified = hibiki_audit(&["verify", &report, &artefacts]);
    assert!(!verified.status.success() && out(&verified).contains("DIFFERS  /strands"), "{}", out(&verified));
    // A true report of what did not pass is verified, and is no pass.
    assert_eq!(hibiki_audit(&["report", &artefacts, "--out", &report]).status.code(), Some(1));
    let verified = hibiki_audit(&["verify", &report, &artefacts]);
    assert!(
        verified.status.code() == Some(1) && out(&verified).contains("verified: every figure"),
        "{}",
        out(&verified)
    );
}

#[test]
fn each_question_can_be_asked_alone() {
    let folder = tempfile::tempdir().unwrap();
    let artefacts = folder.path().display().to_string();
    let mut federation = Federation::honest(folder.path());
    federation.receipts[0]["index"] = 999.into();
    federation.write();
    for (question, status) in [("reconcile", 1), ("identifiers", 0), ("holds", 0), ("locality", 0)] {
        let asked = hibiki_audit(&[question, &artefacts, "--format", "json"]);
        assert_eq!(asked.status.code(), Some(status), "{question}: {}", out(&asked));
        let strands: Value = serde_json::from_slice(&asked.stdout).unwrap();
        assert_eq!(strands[0]["name"], "log", "the ledgers are verified before anything is read from them");
    }
    assert_eq!(hibiki_audit(&["holds", "/nowhere"]).status.code(), Some(2));
    for command in
        ["log", "scan", "reconcile", "identifiers", "holds", "locality", "report", "keygen", "verify"]
    {
        assert!(out(&hibiki_audit(&[command, "--help"])).contains("Example"), "{command}");
    }
}
