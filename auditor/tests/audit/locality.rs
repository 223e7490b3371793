//! Leaks, parked rows, strange files, hoards; and searches that prove nothing.

use std::fs;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::tlog::EntryKind;
use serde_json::json;

use crate::federation::{CITY, Federation, HOSPITAL, SCHOOL, row};
use crate::{audited, audited_after, failed, said};

/// The hospital's third canary (digits) in the gateway's log, in some disguise.
fn leaked(disguise: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<String> {
    let report = audited_after(
        |_| {},
        |it| {
            let canary = it.canaries(HOSPITAL)[2].clone();
            let bytes = [b"before ", disguise(canary.as_bytes()).as_slice(), b" after"].concat();
            it.put(&format!("members/{CITY}/disk/node.log"), &bytes);
        },
    );
    failed(&report).into_iter().map(str::to_owned).collect()
}

type Disguise<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

#[test]
fn a_leak_in_every_disguise() {
    let gzip = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let disguises: [(&str, Disguise<'_>); 7] = [
        ("plain", &|bytes| bytes.to_vec()),
        ("base64", &|bytes| STANDARD.encode([b"x", bytes].concat()).into_bytes()),
        ("hex", &|bytes| hex::encode(bytes).into_bytes()),
        ("utf-16", &|bytes| bytes.iter().flat_map(|byte| [*byte, 0]).collect()),
        ("reversed", &|bytes| bytes.iter().rev().copied().collect()),
        ("xor", &|bytes| bytes.iter().map(|byte| byte ^ 0x77).collect()),
        ("gzip", &gzip),
    ];
    for (name, disguise) in disguises {
        assert_eq!(leaked(disguise), ["canaries"], "{name}");
    }
    assert_eq!(
        leaked(|bytes| bytes[..bytes.len() / 2].to_vec()),
        Vec::<String>::new(),
        "half of one is no proof"
    );
}

#[test]
fn a_leak_wherever_it_lies() {
    for place in [
        format!("members/{CITY}/memory.img"),
        format!("members/{SCHOOL}/disk/data/store/sled/db"),
        format!("members/{SCHOOL}/memory.img"),
        format!("members/{SCHOOL}/disk.img"),
    ] {
        let report = audited_after(|_| {}, |it| it.put(&place, it.canaries(HOSPITAL).concat().as_bytes()));
        assert!(failed(&report).contains(&"canaries"), "{place}");
    }
    let report = audited_after(
        |_| {},
        |it| {
            let name = it.canaries(HOSPITAL)[0].clone();
            it.put(&format!("members/{CITY}/disk/data/keys/{name}"), b"");
        },
    );
    assert_eq!(failed(&report), ["canaries"], "in the name of a file");
    let report = audited(|it| {
        let text = it.canaries(HOSPITAL)[1].clone();
        it.rows.get_mut(SCHOOL).unwrap().push(row("records", "record", &[], &text));
    });
    assert_eq!(failed(&report), ["canaries"], "in a row of the store that looks like any other");
    let report = audited(|it| {
        let text = it.canaries(HOSPITAL)[0].clone();
        it.entry(CITY, EntryKind::Relay).details["note"] = json!(text);
    });
    assert_eq!(failed(&report), ["canaries"], "in the ledger");
}

#[test]
fn a_search_that_proves_nothing_is_no_pass() {
    let report = audited(|it| drop(it.rows.get_mut(HOSPITAL).unwrap().remove(0)));
    assert!(said(&report, "canaries").contains("not found at home"), "{}", said(&report, "canaries"));
    // Other canaries than those committed to; a commitment in no ledger; one that came too late.
    let report = audited_after(
        |_| {},
        |it| {
            let path = it.folder.join("canaries/canaries.ndjson");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>())
                .unwrap();
        },
    );
    assert!(failed(&report).contains(&"commitment"));
    let report = audited(|it| it.entry(CITY, EntryKind::Administration).digests.clear());
    assert!(said(&report, "commitment").contains("in no ledger"));
    let report = audited(|it| it.entry(CITY, EntryKind::Administration).at += 1_000);
    assert!(said(&report, "commitment").contains("after the first import"));
}

#[test]
fn parked_rows_and_strange_files() {
    let report = audited(|it| it.rows.get_mut(CITY).unwrap().push(row("meta", "unknown", &[], "something")));
    assert_eq!(failed(&report), ["rows"]);
    // Under destroyed keys there is no more than erasures explain.
    let report = audited(|it| it.rows.get_mut(SCHOOL).unwrap().push(row("consents", "erased", &[], "")));
    assert!(report.passed, "{:?}", failed(&report));
    let many =
        json!({ "keyspace": "consents", "class": "erased", "value_bytes": 300_000, "identifiers": [] });
    let report = audited(|it| it.rows.get_mut(SCHOOL).unwrap().push(many.clone()));
    assert_eq!(failed(&report), ["rows"]);
    for strange in ["data/cache.bin", "data/ledger/journal/notes.txt", "tmp/x", "data/ledger/tile/0/abc"] {
        let report = audited_after(
            |_| {},
            |it: &Federation| it.put(&format!("members/{SCHOOL}/disk/{strange}"), b"x"),
        );
        assert_eq!(failed(&report), ["files"], "{strange}");
    }
    let report = audited_after(
        |_| {},
        |it| it.put(&format!("members/{SCHOOL}/disk/data/store/reserve"), &[0, 0, 7, 0]),
    );
    assert_eq!(failed(&report), ["files"], "reserved space is no hiding place");
}

#[test]
fn a_gateway_that_hoards() {
    let with = |which: &str, what: &str, value: u64| {
        let (which, what) = (which.to_owned(), what.to_owned());
        audited(move |it| it.volume[which][what] = json!(value))
    };
    assert!(with("large", "written", 960_000).passed);
    assert_eq!(failed(&with("large", "written", 1_400_000)), ["volume"]);
    assert_eq!(failed(&with("large", "memory", 90_000_000)), ["volume"]);
    assert!(said(&with("large", "payload", 50_000), "volume").contains("too few to show anything"));
}

#[test]
fn a_leaking_node_that_is_not_caught() {
    let report =
        audited_after(|_| {}, |it| it.put(&format!("mutants/m3/members/{CITY}/disk/cache"), b"nothing"));
    assert_eq!(failed(&report), ["mutants"]);
    let report = audited_after(|_| {}, |it| fs::remove_dir_all(it.folder.join("mutants/m0")).unwrap());
    assert!(said(&report, "mutants").contains("at least 10"));
    let report = audited_after(|_| {}, |it| it.put("mutants/m0/mutant.json", b"{\"strand\":\"luck\"}"));
    assert_eq!(failed(&report), ["mutants"], "a strand nobody knows catches nothing");
}
