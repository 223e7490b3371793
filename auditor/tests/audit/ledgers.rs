//! Ledgers that were altered, and openings that were made up.

use std::fs;

use hibiki_protocol::tlog::EntryKind;
use serde_json::{Value, json};

use crate::federation::{CITY, HOSPITAL, SCHOOL, write_lines};
use crate::{audited, audited_after, failed, said};

#[test]
fn every_flipped_bit_of_a_ledger_is_found() {
    for file in ["checkpoint", "checkpoints", "tile/0/000.p/4", "tile/entries/000.p/4"] {
        for place in [0, 40, usize::MAX] {
            let report = audited_after(
                |_| {},
                |it| {
                    let path = it.folder.join(format!("members/{HOSPITAL}/ledger/{file}"));
                    let mut bytes = fs::read(&path).unwrap();
                    let last = bytes.len() - 3;
                    bytes[place.min(last)] ^= 1;
                    fs::write(&path, bytes).unwrap();
                },
            );
            assert!(failed(&report).contains(&"log"), "{file} at {place}");
        }
    }
}

#[test]
fn missing_exchanged_and_truncated_entries() {
    // Left out, and everything hashed and signed anew: the other parties know better.
    let report =
        audited(|it| it.ledgers.get_mut(HOSPITAL).unwrap().retain(|entry| entry.kind != EntryKind::Release));
    assert!(failed(&report).contains(&"reconcile"), "an entry that was cut out before signing");
    // Exchanged after signing.
    let report = audited_after(
        |_| {},
        |it| {
            let path = it.folder.join(format!("members/{HOSPITAL}/ledger/tile/entries/000.p/4"));
            let bytes = fs::read(&path).unwrap();
            let first = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            let second = first + 2 + usize::from(u16::from_be_bytes([bytes[first], bytes[first + 1]]));
            let swapped = [&bytes[first..second], &bytes[..first], &bytes[second..]].concat();
            fs::write(&path, swapped).unwrap();
        },
    );
    assert!(failed(&report).contains(&"log"));
    let report = audited_after(
        |_| {},
        |it| {
            let path = it.folder.join(format!("members/{SCHOOL}/ledger/tile/0/000.p/4"));
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 32]).unwrap();
        },
    );
    assert!(failed(&report).contains(&"log"), "a truncated tile: {report:#?}");
}

#[test]
fn a_fork_signed_anew_and_a_stolen_key() {
    // Two heads of one size, both rightly signed, in the history.
    let report = audited_after(
        |_| {},
        |it| {
            let (other, place) =
                (tempfile::tempdir().unwrap(), format!("members/{HOSPITAL}/ledger/checkpoints"));
            let mut fork = crate::federation::Federation::honest(other.path());
            fork.entry(HOSPITAL, EntryKind::Import).details = json!({ "accepted": 6 });
            fork.write();
            let ours = fs::read_to_string(it.folder.join(&place)).unwrap();
            let theirs = fs::read_to_string(other.path().join(&place)).unwrap();
            fs::write(it.folder.join(&place), ours + &theirs).unwrap();
        },
    );
    assert!(said(&report, "log").contains("forked"), "{}", said(&report, "log"));
    // Signed by a key that the list does not name.
    let report = audited(|it| *it.log_seeds.get_mut(HOSPITAL).unwrap() = [7; 32]);
    assert!(failed(&report).contains(&"log"));
}

/// One opening is not there.
const LEFT_OUT: fn(&mut Vec<Value>) = |lines| {
    lines.remove(1);
};

#[test]
fn openings_that_are_not_what_the_leaves_commit_to() {
    let with = |change: fn(&mut Vec<Value>)| {
        audited_after(
            |_| {},
            move |it| {
                let path = it.folder.join(format!("members/{HOSPITAL}/openings.ndjson"));
                let text = fs::read_to_string(&path).unwrap();
                let mut lines: Vec<Value> =
                    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                lines.pop();
                change(&mut lines);
                write_lines(&path, &lines);
            },
        )
    };
    for (change, expected) in [
        (LEFT_OUT, "were not laid open"),
        (|lines| lines[1]["plain"] = lines[2]["plain"].clone(), "not what the leaf commits to"),
        (|lines| lines[1]["plain"] = json!("AAAA"), "too short"),
        (|lines| lines[1]["plain"] = json!("???"), "no bytes"),
        (|lines| lines[1] = json!({ "index": 1, "damaged": "does not open" }), "does not open"),
    ] {
        let report = with(change);
        assert!(said(&report, "log").contains(expected), "{expected}: {}", said(&report, "log"));
    }
    // Without the last line nobody knows what is missing.
    let report = audited_after(
        |_| {},
        |it| {
            let path = it.folder.join(format!("members/{CITY}/openings.ndjson"));
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.lines().next().unwrap().to_owned() + "\n").unwrap();
        },
    );
    assert!(said(&report, "log").contains("not complete"), "{}", said(&report, "log"));
}
