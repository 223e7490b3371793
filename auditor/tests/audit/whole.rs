//! The whole audit: it passes on an honest federation, and on nothing that is incomplete.

use hibiki_audit::report::canonical;

use crate::federation::*;

#[test]
fn an_honest_federation_passes() {
    let town = Town::honest();
    let report = town.audit();
    report.strands.iter().for_each(right);
    assert!(report.passed);
    let figure = |name: &str, what: &str| strand(&report, name).figures[what];
    assert_eq!((figure("log", "ledgers"), figure("log", "entries erased")), (3, 1));
    assert_eq!(figure("log", "cosignatures"), 6);
    assert_eq!(figure("log", "checkpoints kept by witnesses"), 6);
    assert_eq!(figure("log", "entries after the newest cosignatures"), 3);
    assert_eq!(figure("reconcile", "answers"), figure("reconcile", "answers relayed"));
    assert_eq!((figure("reconcile", "answers"), figure("reconcile", "receipts")), (198, 1));
    assert_eq!(
        (figure("canaries", "canaries planted"), figure("canaries", "canaries found at home")),
        (15, 15)
    );
    assert_eq!((figure("holds", "holds set"), figure("holds", "holds received")), (1, 1));
    assert_eq!((figure("mutants", "leaking nodes"), figure("mutants", "caught")), (10, 10));
    assert!(report.limits.iter().any(|limit| limit == "A limit of this run."));
    assert_eq!(
        canonical(&report).unwrap(),
        canonical(&town.audit()).unwrap(),
        "two audits are the same bytes"
    );
}

#[test]
fn what_is_missing_is_said_and_never_passes() {
    let town = Town::honest();
    let aside = town.path("aside");
    for (name, question) in [
        ("run.json", "run"),
        ("trust", "trust"),
        ("trust/root.pub", "trust"),
        ("trust/1.list", "trust"),
        ("canaries/commitment.json", "commitment"),
        ("canaries/canaries.ndjson", "canaries"),
        ("members/chuo-hospital", "log"),
        ("members/city-hall/disk", "files"),
        ("members/city-hall/disk", "canaries"),
        ("members/city-hall/memory.img", "canaries"),
        ("members/city-hall/volume.json", "volume"),
        ("members/chuo-hospital/ledger", "log"),
        ("members/chuo-hospital/ledger/cosigned", "log"),
        ("members/chuo-hospital/openings.ndjson", "log"),
        ("members/chuo-hospital/store.ndjson", "rows"),
        ("members/chuo-hospital/store.ndjson", "identifiers"),
        ("members/chuo-hospital/witnessed", "log"),
        ("mutants", "mutants"),
        ("mutants/xor", "mutants"),
    ] {
        std::fs::rename(town.path(name), &aside).unwrap();
        let report = town.audit();
        let strand = strand(&report, question);
        assert!(!report.passed && !strand.passed && !strand.missing.is_empty(), "{name}: {strand:#?}");
        std::fs::rename(&aside, town.path(name)).unwrap();
    }
    // Guardians keep their receipts themselves: without any, the report says that this was not asked.
    town.remove("receipts");
    let report = town.audit();
    assert!(report.passed && report.limits.iter().any(|limit| limit.contains("No receipts")));
}
