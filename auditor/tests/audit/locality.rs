//! Leaks: canaries abroad in every form, rows and files that nobody can explain, a gateway that hoards.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use hibiki_audit::report::ask;
use hibiki_audit::scan::{Needle, Scanner};
use hibiki_audit::strand::Strand;
use hibiki_protocol::tlog::{DigestKind, EntryKind};
use serde_json::{Value, json};

use crate::federation::*;

/// Where a leak is laid: the disk of the gateway.
const LEAK: &str = "members/city-hall/disk/node.log";

fn canaries(town: &Town) -> Strand {
    strand(&town.audit(), "canaries").clone()
}

/// Every form the issue names, of a secret.
fn disguises(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let utf16 = |encode: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(encode).collect::<Vec<u8>>();
    let escaped: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(bytes).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(bytes).unwrap();
    let mut all = vec![
        ("utf-8", bytes.to_vec()),
        ("utf-16le", utf16(u16::to_le_bytes)),
        ("utf-16be", utf16(u16::to_be_bytes)),
        ("hex", hex::encode(bytes).into_bytes()),
        ("hex", hex::encode_upper(bytes).into_bytes()),
        ("json all escaped", escaped.into_bytes()),
        ("reversed bytes", bytes.iter().rev().copied().collect()),
        ("reversed", secret.chars().rev().collect::<String>().into_bytes()),
        ("utf-8 in gzip", gzip.finish().unwrap()),
        ("utf-8 in zlib", zlib.finish().unwrap()),
        ("utf-8 in deflate", deflate.finish().unwrap()),
        ("cp932", encoding_rs::SHIFT_JIS.encode(secret).0.into_owned()),
        ("base64url", URL_SAFE.encode(format!("ab{secret}")).into_bytes()),
    ];
    // The alignment of base64 depends on what stands before.
    for before in ["", "a", "ab"] {
        all.push(("base64", STANDARD.encode(format!("{before}{secret}")).into_bytes()));
    }
    for constant in [1, 0x20, 0x80, 0xff] {
        all.push(("xor with a constant", bytes.iter().map(|byte| byte ^ constant).collect()));
    }
    all
}

#[test]
fn a_leak_in_every_form() {
    let town = Town::honest();
    let kinds = ["latin", "kana", "number", "date", "attachment"];
    let secrets = kinds.map(|kind| town.canary_of(HOSPITAL, kind));
    let needles = town.canaries.iter().map(|it| Needle { owner: it.member.clone(), text: it.text.clone() });
    let scanner = Scanner::new(needles.collect()).unwrap();
    for (kind, secret) in kinds.into_iter().zip(secrets) {
        let number = town.canaries.iter().position(|it| it.text == secret).unwrap();
        let mut bytes = Vec::new();
        for (form, disguised) in disguises(secret) {
            bytes.extend_from_slice(b"\n-- ");
            bytes.extend_from_slice(&disguised);
            let found = scanner.scan_bytes("leak", &disguised).found;
            assert!(found.iter().any(|it| it.needle == number), "{kind} as {form}");
            // A text of ASCII alone is the same in several forms, and has the name of one.
            let named = kind != "kana" || form.starts_with("json") || found.iter().any(|it| it.form == form);
            assert!(named, "{kind} as {form}: {found:?}");
        }
        // The whole audit, with all of them in one file.
        town.put_file(LEAK, &bytes);
        let strand = canaries(&town);
        wrong(&strand, "of maebashi/chuo-hospital lies in members/city-hall/disk/node.log");
        assert_eq!(strand.figures["canaries abroad"], 1);
        assert!(!format!("{strand:?}").contains(secret), "the canary itself is never repeated");
    }
}

#[test]
fn leaks_in_memory_in_names_in_stores_and_at_others() {
    let town = Town::honest();
    let (kana, latin) = (town.canary_of(HOSPITAL, "kana"), town.canary_of(HOSPITAL, "latin"));
    town.put_file("members/city-hall/memory.img", &[&[1; 70_000][..], kana.as_bytes()].concat());
    wrong(&canaries(&town), "lies in members/city-hall/memory.img");
    town.write();
    let name = format!("members/city-hall/disk/data/keys/{latin}");
    town.put_file(&name, b"");
    wrong(&canaries(&town), "utf-8 in the name");
    town.remove(&name);
    town.put_file("members/dai-ichi-school/disk/data/store/sled/db", kana.as_bytes());
    wrong(&canaries(&town), "lies in members/dai-ichi-school/disk/data/store/sled/db");
    town.write();
    town.reword("members/dai-ichi-school/store.ndjson", |text| {
        format!("{}\n{text}", row("record", &[], kana))
    });
    wrong(&canaries(&town), "lies in members/dai-ichi-school/store.ndjson");
}

#[test]
fn a_search_that_does_not_find_what_is_there_proves_nothing() {
    let mut town = Town::described();
    town.house(SCHOOL).rows.remove(0);
    town.write();
    wrong(&canaries(&town), "1 canaries were not found at home: the search is void");
}

#[test]
fn a_commitment_that_does_not_fit_or_is_too_late() {
    let town = Town::honest();
    let check = |town: &Town| ask(&town.evidence().1, "commitment");
    right(&check(&town));
    let revealed = "canaries/canaries.ndjson";
    let whole = std::fs::read_to_string(town.path(revealed)).unwrap();
    let alter = |line: usize, field: &str, value: Value| {
        town.reword(revealed, |text| {
            let mut lines: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            lines[line][field] = value;
            lines.iter().map(|line| format!("{line}\n")).collect()
        });
        wrong(&check(&town), "the revealed canaries are not those that were committed to");
        town.put_file(revealed, whole.as_bytes());
    };
    alter(0, "text", json!("another text"));
    alter(1, "member", json!("maebashi/dai-ichi-school"));
    alter(2, "salt", json!("00"));
    town.reword(revealed, |text| text.lines().skip(1).map(|line| format!("{line}\n")).collect());
    wrong(&check(&town), "the revealed canaries are not those that were committed to");
    town.put_file(revealed, b"{\"member\":1}\n");
    missing(&check(&town), "1 lines are no canaries");
    town.put_file(revealed, whole.as_bytes());

    let mut late = Town::described();
    late.house(CITY).entries[0].at = NOON + 3;
    late.write();
    wrong(&check(&late), "after the first import");
    late.house(CITY).entries[0].digests = vec![(DigestKind::Document, digest("another document"))];
    late.write();
    wrong(&check(&late), "the commitment is in no ledger");
}

#[test]
fn canaries_are_drawn_once() {
    let town = Town::honest();
    let again = hibiki_audit::canary::plant(&ALL.map(id), 5, &town.path("canaries"));
    assert!(again.unwrap_err().contains("File exists"));
    assert!(hibiki_audit::canary::plant(&[], 5, &town.path("none")).is_err());
    assert!(hibiki_audit::canary::plant(&[id(CITY)], 0, &town.path("none")).is_err());
    let texts: std::collections::BTreeSet<&str> = town.canaries.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts.len(), 15);
    assert!(town.canaries.iter().all(|it| it.text.len() >= 20), "nothing that is found by accident");
}

#[test]
fn rows_that_belong_to_no_table() {
    let rows = |change: &dyn Fn(&mut Town)| {
        let mut town = Town::described();
        change(&mut town);
        town.write();
        ask(&town.evidence().1, "rows")
    };
    right(&rows(&|_| {}));
    wrong(
        &rows(&|town| town.house(CITY).rows.push(row("unknown", &[], "parked"))),
        "1 rows belong to no table",
    );
    wrong(
        &rows(&|town| town.house(CITY).rows.push(json!({ "value_bytes": 3 }))),
        "1 rows belong to no table",
    );
    // More under destroyed keys than erasures explain.
    let hoard = json!({ "class": "erased", "value_bytes": 300 << 10 });
    wrong(&rows(&|town| town.house(SCHOOL).rows.push(hoard.clone())), "sealed under keys that are not there");
    wrong(
        &rows(&|town| town.house(HOSPITAL).rows.push(json!({ "class": "erased", "value_bytes": 1 }))),
        "1 bytes",
    );
    wrong(&rows(&|town| town.house(HOSPITAL).rows.push(json!({ "class": "erased" }))), "sealed under keys");
    missing(
        &rows(&|town| town.house(CITY).rows.retain(|row| row["class"] != "trust list")),
        "the rows every store",
    );
    let erase = note(EntryKind::Erase, NOON + 20 * MINUTE, json!({}));
    right(&rows(&|town| {
        town.put(SCHOOL, erase.clone());
        town.house(SCHOOL).rows.push(hoard.clone());
    }));
}

#[test]
fn files_that_nobody_knows() {
    let town = Town::honest();
    let files = || ask(&town.evidence().1, "files");
    right(&files());
    for name in [
        "answers.cache",
        "core",
        "data/tmp/7",
        "data/ledger/journal/0000.old",
        "data/ledger/tile/0/000.cache",
        "data/keys/deep/er",
        "data/store/sled/blobs/x",
        "data/store/extra",
        "data/revocation/hoard",
        "data/witnessed/hoard.bin",
        "data/witnessed/forks/hoard.bin",
        "data/witnessed/deep/a.checkpoint",
        "data/witnessed/tmp/x",
        "node.log.1.gz",
    ] {
        let name = format!("members/city-hall/disk/{name}");
        town.put_file(&name, b"x");
        wrong(&files(), "nobody knows the file");
        town.remove(&name);
    }
    // A name that is known, on something that is no file.
    for (make, name) in [("mkfifo", "node.log"), ("ln", "node.toml"), ("mkfifo", "data/admin.sock")] {
        let path = town.path("members/city-hall/disk").join(name);
        let _ = std::fs::remove_file(&path);
        let mut command = std::process::Command::new(make);
        if make == "ln" {
            command.args(["-s", "/etc/hostname"]);
        }
        assert!(command.arg(&path).status().unwrap().success());
        wrong(&files(), &format!("nobody knows the file {name}"));
        std::fs::remove_file(&path).unwrap();
    }
    let _socket =
        std::os::unix::net::UnixListener::bind(town.path("members/city-hall/disk/data/admin.sock")).unwrap();
    right(&files());
    town.alter("members/city-hall/disk/data/store/reserve", |bytes| bytes[4_000] = 1);
    wrong(&files(), "is not empty");
    town.remove("members/city-hall/disk");
    std::fs::create_dir_all(town.path("members/city-hall/disk")).unwrap();
    missing(&files(), "the files every node has");
}

#[test]
fn a_gateway_that_writes_or_holds_more() {
    let town = Town::honest();
    let volume = |large: Value| {
        let small = json!({ "payload": 40 << 10, "written": 80_000, "memory": 30 << 20 });
        let both = json!({ "small": small, "large": large });
        town.put_file("members/city-hall/volume.json", both.to_string().as_bytes());
        ask(&town.evidence().1, "volume")
    };
    let large =
        |written: u64, memory: u64| json!({ "payload": 40 << 20, "written": written, "memory": memory });
    let allowed = 80_000 + (64 << 10) + ((40 << 20) - (40 << 10)) / 100;
    right(&volume(large(allowed, 30 << 20)));
    wrong(&volume(large(allowed + 1, 30 << 20)), "bytes more were written");
    right(&volume(large(0, 0)));
    right(&volume(large(0, 78 << 20)));
    wrong(&volume(large(0, (78 << 20) + 1)), "bytes more are held in memory");
    missing(
        &volume(json!({ "payload": 1 << 20, "written": 0, "memory": 0 })),
        "are too few to show anything",
    );
    missing(
        &volume(json!({ "payload": 40 << 20, "written": "0", "memory": 0 })),
        "payload, written and memory",
    );
    wrong(&volume(large(u64::MAX, u64::MAX)), "bytes more were written");
}
