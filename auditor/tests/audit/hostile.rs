//! Artefacts that are incomplete, or made to harm the auditor: never a pass, and always an end.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use crate::federation::{CITY, HOSPITAL, SCHOOL};
use crate::{audited_after, failed};

#[test]
fn whatever_is_missing_it_is_no_pass() {
    for missing in [
        "run.json",
        "trust/root.pub",
        "trust/1.list",
        "canaries/commitment.json",
        "canaries/canaries.ndjson",
        &format!("members/{HOSPITAL}"),
        &format!("members/{HOSPITAL}/disk"),
        &format!("members/{HOSPITAL}/ledger"),
        &format!("members/{HOSPITAL}/ledger/checkpoint"),
        &format!("members/{HOSPITAL}/ledger/checkpoints"),
        &format!("members/{HOSPITAL}/ledger/tile"),
        &format!("members/{HOSPITAL}/openings.ndjson"),
        &format!("members/{HOSPITAL}/store.ndjson"),
        &format!("members/{CITY}/memory.img"),
        &format!("members/{CITY}/volume.json"),
        "mutants",
    ] {
        let report = audited_after(
            |_| {},
            |it| {
                let path = it.folder.join(missing);
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
            },
        );
        assert!(!report.passed && !failed(&report).is_empty(), "{missing}");
    }
}

#[test]
fn whatever_is_emptied_or_garbled_it_is_no_pass() {
    for file in [
        "run.json",
        "trust/root.pub",
        "trust/1.list",
        "canaries/commitment.json",
        "canaries/canaries.ndjson",
        "receipts/0.json",
        &format!("members/{SCHOOL}/store.ndjson"),
        &format!("members/{SCHOOL}/openings.ndjson"),
        &format!("members/{SCHOOL}/ledger/checkpoint"),
        &format!("members/{CITY}/volume.json"),
    ] {
        for bytes in [&b""[..], b"\xff\xfe\x00", b"[[[[[[", b"{}"] {
            let report = audited_after(|_| {}, |it| it.put(file, bytes));
            assert!(!report.passed, "{file} as {bytes:?}");
        }
    }
}

#[test]
fn deep_huge_and_endless_things_come_to_an_end() {
    // JSON nested a million deep, and one line of forty megabytes.
    for bytes in [b"[".repeat(1_000_000), b"1".repeat(40 << 20)] {
        let report = audited_after(|_| {}, |it| it.put(&format!("members/{SCHOOL}/store.ndjson"), &bytes));
        assert!(failed(&report).contains(&"rows"));
    }
    // A stream that inflates beyond all measure, with something at its end: said, and no pass.
    let report = audited_after(
        |_| {},
        |it| {
            use std::io::Write as _;
            let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            for _ in 0..70 {
                bomb.write_all(b"abcdefghijklmnop".repeat(1 << 16).as_slice()).unwrap();
            }
            it.put(&format!("members/{SCHOOL}/disk/node.log"), &bomb.finish().unwrap());
        },
    );
    assert_eq!(failed(&report), ["canaries"]);
}

#[test]
fn links_pipes_and_names_that_are_no_text() {
    // A file that is a link is not read: it could lead anywhere.
    let report = audited_after(
        |_| {},
        |it| {
            let path = it.folder.join(format!("members/{SCHOOL}/store.ndjson"));
            let elsewhere = it.folder.join("elsewhere");
            fs::rename(&path, &elsewhere).unwrap();
            symlink(&elsewhere, &path).unwrap();
        },
    );
    assert!(failed(&report).contains(&"rows"));
    // A loop of links, a pipe nobody writes to, a name that is no UTF-8: an end, and files nobody knows.
    let report = audited_after(
        |_| {},
        |it| {
            let disk = it.folder.join(format!("members/{SCHOOL}/disk"));
            symlink(&disk, disk.join("loop")).unwrap();
            fs::write(disk.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), b"x").unwrap();
            let pipe = std::process::Command::new("mkfifo").arg(disk.join("pipe")).status().unwrap();
            assert!(pipe.success());
        },
    );
    assert_eq!(failed(&report), ["files"]);
}
