//! Artefacts made to harm: huge, deep, without end, of another kind than they seem. Each is refused with words, in
//! bounded memory and time; and what only looks dangerous is not refused.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use hibiki_audit::scan::{Needle, Scanner};
use hibiki_audit::strand::Strand;
use hibiki_protocol::tlog::{Checkpoint, DigestKind, EntryKind, Hash};
use serde_json::json;

use crate::federation::*;

const DISK: &str = "members/city-hall/disk";
const LEDGER: &str = "members/chuo-hospital/ledger";

fn asked(town: &Town, name: &str) -> Strand {
    strand(&town.audit(), name).clone()
}

fn huge(town: &Town, name: &str) {
    File::create(town.path(name)).unwrap().set_len(65 << 20).unwrap();
}

#[test]
fn files_that_are_too_large() {
    let town = Town::honest();
    for (name, question) in [
        ("run.json", "run"),
        ("trust/1.list", "trust"),
        ("members/city-hall/volume.json", "volume"),
        ("canaries/commitment.json", "commitment"),
        ("receipts/first.json", "reconcile"),
        ("members/city-hall/witnessed/a.checkpoint", "log"),
    ] {
        let whole = fs::read(town.path(name)).ok();
        huge(&town, name);
        missing(&asked(&town, question), "too large to be what it should be");
        town.remove(name);
        whole.into_iter().for_each(|whole| town.put_file(name, &whole));
    }
    huge(&town, &format!("{LEDGER}/checkpoint"));
    wrong(&asked(&town, "log"), "too large to be what it should be");
    town.write();
    huge(&town, "members/city-hall/openings.ndjson");
    missing(&asked(&town, "log"), "too long to be what it should be");
}

#[test]
fn json_without_end() {
    let town = Town::honest();
    for (name, question) in [
        ("run.json", "run"),
        ("members/city-hall/store.ndjson", "rows"),
        ("members/city-hall/openings.ndjson", "log"),
        ("canaries/canaries.ndjson", "canaries"),
    ] {
        for deep in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            let whole = fs::read(town.path(name)).unwrap();
            town.put_file(name, deep.as_bytes());
            let strand = asked(&town, question);
            assert!(!strand.passed && !strand.missing.is_empty(), "{strand:#?}");
            town.put_file(name, &whole);
        }
    }
}

#[test]
fn a_checkpoint_over_more_entries_than_there_can_be() {
    let town = Town::honest();
    for size in [u64::MAX, 1 << 40] {
        let head = Checkpoint { origin: "maebashi/chuo-hospital/ledger".into(), size, root: Hash([1; 32]) };
        let note = head.sign(&ledger_signer(HOSPITAL, "first")).unwrap();
        town.put_file(&format!("{LEDGER}/checkpoint"), note.to_string().as_bytes());
        wrong(&asked(&town, "log"), "tile/entries/");
    }
}

#[test]
fn numbers_at_the_end_of_their_range() {
    let mut town = Town::described();
    for slug in ALL {
        for kind in [EntryKind::Hold, EntryKind::Grant, EntryKind::Release] {
            let said = json!({ "event": "set", "against": "every guardian", "outcome": "granted" });
            town.put(slug, note(kind, u64::MAX, said).of("child").with(DigestKind::Grant, "grant"));
            town.put(slug, note(kind, 0, json!({})).of("child").with(DigestKind::Query, slug));
        }
        let rows = [json!(u64::MAX), json!(u64::MAX), json!(-1), json!("x")];
        let rows = rows.into_iter().map(|bytes| json!({ "class": "erased", "value_bytes": bytes }));
        town.house(slug).rows.extend(rows);
    }
    town.write();
    let figures = json!({ "payload": u64::MAX, "written": u64::MAX, "memory": u64::MAX });
    let volume = json!({ "small": figures, "large": figures });
    town.put_file("members/city-hall/volume.json", volume.to_string().as_bytes());
    town.put_file("run.json", json!({ "views": u64::MAX, "faults": -1 }).to_string().as_bytes());
    let report = town.audit();
    wrong(strand(&report, "log"), "the clock was set back");
    wrong(strand(&report, "holds"), "a grant to a held guardian");
    wrong(strand(&report, "rows"), "sealed under keys that are not there");
    missing(strand(&report, "volume"), "are too few to show anything");
}

/// A gzip stream of so many MiB of one byte, and a text behind them.
fn bomb(mebibytes: usize, byte: u8, text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    (0..mebibytes).for_each(|_| gzip.write_all(&vec![byte; 1 << 20]).unwrap());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_stream_that_inflates_without_measure_is_said() {
    let town = Town::honest();
    let latin = town.canary_of(HOSPITAL, "latin");
    for byte in [0, b'x'] {
        town.put_file(&format!("{DISK}/node.log"), &bomb(80, byte, latin));
        missing(&asked(&town, "canaries"), "streams inflate beyond all measure");
    }
    // One that can be followed to its end is.
    town.put_file(&format!("{DISK}/node.log"), &bomb(20, 0, latin));
    wrong(&asked(&town, "canaries"), "utf-8 in gzip");
    town.put_file(&format!("{DISK}/node.log"), &bomb(20, 0, "nothing"));
    right(&asked(&town, "canaries"));
}

#[test]
fn marks_of_streams_by_chance_are_no_streams() {
    let needle = Needle { owner: "maebashi/clinic".into(), text: "HK0123456789ABCDEF".into() };
    let scanner = Scanner::new(vec![needle]).unwrap();
    let mut state = 7_u64;
    let mut noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    })
    .take(1 << 20)
    .collect();
    for (at, mark) in
        [b"\x78\x9c", b"\x78\x01", b"\x78\xda", b"\x1f\x8b"].into_iter().cycle().enumerate().take(8_000)
    {
        noise[at * 128..at * 128 + 2].copy_from_slice(mark);
        if mark == b"\x1f\x8b" {
            noise[at * 128 + 2..at * 128 + 4].copy_from_slice(&[8, 0]);
        }
    }
    let findings = scanner.scan_bytes("noise", &noise);
    assert_eq!((findings.found.len(), findings.bombs, findings.unread.len()), (0, 0, 0));
    // The secret behind the last of them is found all the same.
    noise.extend_from_slice(b"HK0123456789ABCDEF");
    assert_eq!(scanner.scan_bytes("noise", &noise).found.len(), 1);
}

#[test]
fn links_are_not_followed() {
    let town = Town::honest();
    let disk = town.path(DISK);
    symlink(&disk, disk.join("data/loop")).unwrap();
    symlink("/", disk.join("data/keys/all")).unwrap();
    symlink("itself", disk.join("itself")).unwrap();
    let report = town.audit();
    wrong(strand(&report, "files"), "nobody knows the file data/loop");
    wrong(strand(&report, "files"), "nobody knows the file data/keys/all");
    wrong(strand(&report, "files"), "nobody knows the file itself");
    right(strand(&report, "canaries"));
    for link in ["data/loop", "data/keys/all", "itself"] {
        fs::remove_file(disk.join(link)).unwrap();
    }
    // An artefact that is itself a link is none: it may lead to another member's.
    for (name, question) in [
        ("trust/1.list", "trust"),
        ("run.json", "run"),
        (DISK, "files"),
        (DISK, "canaries"),
        ("members/city-hall/memory.img", "canaries"),
        (LEDGER, "log"),
    ] {
        let (place, aside) = (town.path(name), town.path("aside"));
        fs::rename(&place, &aside).unwrap();
        symlink(&aside, &place).unwrap();
        let strand = asked(&town, question);
        assert!(!strand.passed && !strand.missing.is_empty(), "{name}: {strand:#?}");
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
}

#[test]
fn pipes_are_not_waited_for() {
    let town = Town::honest();
    for (name, question) in [
        ("run.json", "run"),
        ("trust/root.pub", "trust"),
        ("members/city-hall/volume.json", "volume"),
        ("members/city-hall/openings.ndjson", "log"),
        ("members/city-hall/store.ndjson", "identifiers"),
        ("members/city-hall/ledger/checkpoint", "log"),
        ("members/city-hall/ledger/checkpoints", "log"),
        ("members/city-hall/ledger/cosigned", "log"),
        ("members/city-hall/ledger/tile/entries/000", "log"),
        ("members/city-hall/disk/node.log", "files"),
    ] {
        let whole = fs::read(town.path(name)).unwrap();
        town.remove(name);
        assert!(Command::new("mkfifo").arg(town.path(name)).status().unwrap().success());
        let strand = asked(&town, question);
        assert!(!strand.passed, "{name}: {strand:#?}");
        town.remove(name);
        town.put_file(name, &whole);
    }
}

#[test]
fn names_that_are_no_text() {
    let town = Town::honest();
    let strange = |folder: &str, name: &[u8]| town.path(folder).join(OsStr::from_bytes(name));
    fs::write(strange(DISK, b"\xff\xfe"), b"x").unwrap();
    wrong(&asked(&town, "files"), "nobody knows the file");
    fs::remove_file(strange(DISK, b"\xff\xfe")).unwrap();
    // Not passed over in silence: a receipt, a checkpoint, a mutant of which nothing can be said.
    fs::write(strange("receipts", b"\xff.json"), b"{}").unwrap();
    missing(&asked(&town, "reconcile"), "receipts/");
    fs::remove_file(strange("receipts", b"\xff.json")).unwrap();
    fs::write(strange("members/city-hall/witnessed", b"\xff.checkpoint"), b"{}").unwrap();
    missing(&asked(&town, "log"), ".checkpoint");
    fs::remove_file(strange("members/city-hall/witnessed", b"\xff.checkpoint")).unwrap();
    fs::create_dir(strange("mutants", b"\xff")).unwrap();
    wrong(&asked(&town, "mutants"), "was not caught");
    // Leaks in what has such a name are found.
    fs::remove_dir(strange("mutants", b"\xff")).unwrap();
    fs::write(strange(DISK, b"\xff\xfe"), town.canary_of(SCHOOL, "date")).unwrap();
    wrong(&asked(&town, "canaries"), "of maebashi/dai-ichi-school lies in");
}

#[test]
fn folders_in_folders() {
    let town = Town::honest();
    let mut deep = town.path(DISK);
    (0..900).for_each(|_| deep.push("d"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("x"), town.canary_of(HOSPITAL, "kana")).unwrap();
    let report = town.audit();
    wrong(strand(&report, "canaries"), "of maebashi/chuo-hospital lies in");
    wrong(strand(&report, "files"), "nobody knows the file d/d/");
}
