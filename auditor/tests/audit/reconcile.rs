//! Ledgers that are whole, and do not agree.

use hibiki_audit::report::ask;
use hibiki_audit::strand::Strand;
use hibiki_protocol::tlog::{DigestKind, EntryKind};
use serde_json::json;

use crate::federation::*;

/// What reconciliation says after `change`; the ledgers themselves are in order.
fn reconciled(change: impl FnOnce(&mut Town)) -> Strand {
    let mut town = Town::described();
    change(&mut town);
    town.write();
    let (log, evidence) = town.evidence();
    right(&log);
    ask(&evidence, "reconcile")
}

fn drop_first(town: &mut Town, slug: &str, kind: EntryKind) -> Note {
    let house = town.house(slug);
    let at = house.entries.iter().position(|entry| entry.kind == kind).unwrap();
    house.cosigned -= 1;
    house.entries.remove(at)
}

#[test]
fn ledgers_that_agree() {
    right(&reconciled(|_| {}));
}

#[test]
fn an_answer_that_its_institution_did_not_log() {
    let strand = reconciled(|town| drop(drop_first(town, HOSPITAL, EntryKind::Release)));
    wrong(&strand, "relayed an answer of maebashi/chuo-hospital that is in nobody's ledger");
}

#[test]
fn an_answer_that_nobody_relayed() {
    let strand = reconciled(|town| drop(drop_first(town, CITY, EntryKind::Relay)));
    wrong(&strand, "and nobody relayed it");
}

#[test]
fn an_answer_under_a_grant_that_no_registry_logged() {
    let strand = reconciled(|town| drop(drop_first(town, CITY, EntryKind::Grant)));
    wrong(&strand, "which no registry logged");
}

#[test]
fn one_query_answered_twice_or_by_another() {
    let strand = reconciled(|town| {
        let release = town.houses[HOSPITAL].entries.iter().find(|entry| entry.kind == EntryKind::Release);
        let release = release.unwrap().clone();
        let last = town.house(HOSPITAL).entries.len() - 1;
        town.house(HOSPITAL).entries.insert(3, release);
        town.house(HOSPITAL).cosigned = last;
    });
    wrong(&strand, "was answered more than once");
    let strand = reconciled(|town| {
        let mut release = drop_first(town, HOSPITAL, EntryKind::Release);
        release.subject = Some("school-child-0".to_owned());
        town.house(SCHOOL).entries.insert(2, release);
        town.house(SCHOOL).cosigned += 1;
    });
    wrong(&strand, "relayed an answer of maebashi/chuo-hospital that stands in the ledger of");
}

#[test]
fn a_refusal_without_a_grant_is_an_answer_all_the_same() {
    let with = |relayed: bool| {
        reconciled(|town| {
            let refused = note(EntryKind::Refusal, NOON + 2, json!({ "reason": "too old" }));
            let refused = refused.with(DigestKind::Query, "late");
            town.house(SCHOOL).entries.insert(2, refused);
            town.house(SCHOOL).cosigned += 1;
            if relayed {
                let relay = note(EntryKind::Relay, NOON + 3, json!({ "institution": id(SCHOOL).as_str() }));
                let relay = relay.with(DigestKind::Query, "late").with(DigestKind::Answer, "late answer");
                town.house(CITY).entries.insert(3, relay);
                town.house(CITY).cosigned += 1;
            }
        })
    };
    right(&with(true));
    wrong(&with(false), "and nobody relayed it");
}

#[test]
fn a_receipt_that_was_not_kept() {
    let town = Town::honest();
    let (_, evidence) = town.evidence();
    let honest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(town.path("receipts/first.json")).unwrap()).unwrap();
    let told = |file: &[u8]| {
        town.put_file("receipts/first.json", file);
        ask(&evidence, "reconcile")
    };
    right(&told(honest.to_string().as_bytes()));
    for (index, leaf) in [(0, digest("another")), (99_999, digest("another")), (u64::MAX, [0; 32])] {
        wrong(&told(&receipt(HOSPITAL, HOSPITAL, index, &leaf)), "the entry it promises is not in maebashi/");
    }
    // Nobody is accused by what he did not sign.
    let mut flipped = honest.clone();
    flipped["promise"] = honest["promise"].as_str().unwrap().replacen('A', "B", 1).into();
    for file in [
        receipt(HOSPITAL, SCHOOL, 0, &digest("another")),
        receipt(HOSPITAL, "nobody", 0, &digest("another")),
        flipped.to_string().into_bytes(),
        json!({ "origin": "maebashi/chuo-hospital/ledger", "index": 1 }).to_string().into_bytes(),
    ] {
        wrong(&told(&file), "no promise that a member of any trust list signed");
    }
    town.put_file("receipts/first.json", b"no receipt");
    missing(&ask(&evidence, "reconcile"), "receipts/first.json");
}

#[test]
fn a_clock_that_is_an_hour_behind_all_the_time() {
    let strand = reconciled(|town| {
        town.house(SCHOOL).entries.iter_mut().for_each(|entry| entry.at -= 60 * MINUTE);
    });
    wrong(&strand, "apart from the relay by maebashi/city-hall: a clock is wrong");
}

/// What the question about identifiers says after `change`.
fn identified(change: impl FnOnce(&mut Town)) -> Strand {
    let mut town = Town::described();
    change(&mut town);
    town.write();
    let (log, evidence) = town.evidence();
    right(&log);
    ask(&evidence, "identifiers")
}

#[test]
fn an_identifier_at_two_institutions() {
    right(&identified(|_| {}));
    let shared = "12 digits: 0123-4567-8901";
    let strand = identified(|town| {
        [HOSPITAL, SCHOOL].into_iter().for_each(|slug| {
            town.house(slug).rows.push(row("subject", &[shared], ""));
        });
    });
    wrong(&strand, "{\"maebashi/chuo-hospital\", \"maebashi/dai-ichi-school\"}");
    assert!(!strand.problems[0].contains(shared), "the identifier itself is never repeated");
    // In a ledger only.
    let strand = identified(|town| {
        for slug in [CITY, HOSPITAL] {
            let alias = json!({ "guardian": hex::encode(&digest("one alias")[..16]) });
            town.house(slug).entries.insert(2, note(EntryKind::Start, NOON + 2, alias));
            town.house(slug).cosigned += 1;
        }
    });
    wrong(&strand, "{\"maebashi/chuo-hospital\", \"maebashi/city-hall\"}");
    // A delivered notice may be at the one it went to, not at a second one.
    let strand = identified(|town| {
        let notice = hex::encode(digest("a notice to the hospital"));
        town.house(SCHOOL).rows.push(row("hold", &[&notice], ""));
    });
    wrong(&strand, "a value of a delivered notice is at more than one institution");
    // Short numbers coincide.
    right(&identified(|town| {
        [HOSPITAL, SCHOOL].into_iter().for_each(|slug| {
            town.house(slug).rows.push(row("subject", &["12345"], ""));
        });
    }));
}
