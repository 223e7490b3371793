//! The whole proof of locality, in short: eight institutions, faults, a hold, leaking gateways, and the auditor's
//! verdict on what was carried away. `make locality` is the long form, with the measurement of volume.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use hibiki_tests::locality::traffic::VIEWS;
use hibiki_tests::locality::{Order, run};
use hibiki_tests::skip::skipped;
use serde_json::Value;

#[test]
fn an_honest_federation_passes_and_every_leaking_gateway_is_caught() {
    if !rustix::process::geteuid().is_root() {
        skipped("the proof of locality", "a running node's memory can be read by root alone; run as root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("proof");
    let order = Order {
        out: out.clone(),
        views: 40,
        canaries: 40,
        families: 4,
        seed: 7,
        volume: None,
        mutants: true,
    };
    let verdict = run(&order, &mut |what| eprintln!("{what}")).unwrap();
    assert!(verdict.happened.tally.views >= 40, "{:?}", verdict.happened);
    let report: Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();

    // Everything passes but what was left out, which is said and is no pass.
    let strands = report["strands"].as_array().unwrap();
    let names: Vec<&str> = strands.iter().map(|strand| strand["name"].as_str().unwrap()).collect();
    let decrypted = out.join("artefacts/traffic/traffic.json").exists();
    if !decrypted {
        skipped("the decryption of what travels", "tcpdump and tshark are needed, and the right to capture");
    }
    for name in [
        "run",
        "log",
        "reconcile",
        "identifiers",
        "holds",
        "commitment",
        "canaries",
        "traffic",
        "rows",
        "files",
        "mutants",
    ] {
        let strand =
            strands.iter().find(|strand| strand["name"] == name).unwrap_or_else(|| panic!("{names:?}"));
        let expected = decrypted || name != "traffic";
        assert_eq!(strand["passed"], expected, "{name}: {} {}", strand["problems"], strand["missing"]);
    }
    let volume = strands.iter().find(|strand| strand["name"] == "volume").unwrap();
    assert_eq!(volume["passed"], false);
    assert!(volume["missing"][0].as_str().unwrap().contains("volume.json"), "{volume}");
    assert_eq!((&report["passed"], verdict.passed), (&Value::Bool(false), false));

    // The controls are of this very run.
    let figure = |name: &str, what: &str| {
        strands.iter().find(|strand| strand["name"] == name).unwrap()["figures"][what].as_u64().unwrap()
    };
    assert_eq!(
        (figure("canaries", "canaries planted"), figure("canaries", "canaries found at home")),
        (320, 320)
    );
    assert_eq!(figure("canaries", "canaries abroad"), 0);
    let leaking = 13 + u64::from(decrypted);
    assert_eq!((figure("mutants", "leaking nodes"), figure("mutants", "caught")), (leaking, leaking));
    if decrypted {
        for what in ["parts", "answers"] {
            let relayed = figure("traffic", &format!("{what} relayed"));
            assert!(relayed >= 8 * VIEWS, "{relayed}");
            assert_eq!(figure("traffic", &format!("{what} relayed and seen")), relayed);
        }
        assert_eq!(
            (figure("traffic", "packets not decrypted"), figure("traffic", "canaries abroad")),
            (0, 0)
        );
    }
    assert!(figure("holds", "holds set") == 1 && figure("holds", "holds received") == 8);
    assert!(figure("holds", "grants under holds") > 0, "the held guardian had been granted before");
    assert!(figure("reconcile", "answers relayed") >= 8 * 40);
    assert!(figure("reconcile", "receipts") >= 8, "two guardians kept what they were promised");
    assert!(verdict.said.contains("verified: every figure is as reported"), "{}", verdict.said);
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        page.contains("不合格") && page.contains("示していないこと") && !page.contains("http"),
        "one page by itself"
    );
}
