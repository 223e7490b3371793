//! Releases after a protective hold.

use hibiki_audit::report::ask;
use hibiki_audit::strand::Strand;
use hibiki_protocol::tlog::{DigestKind, EntryKind};
use serde_json::json;

use crate::federation::*;

/// When the hold was set.
const HELD: u64 = NOON + 2 * MINUTE;

/// Adds entries, each at the end of its ledger; the ledgers themselves are in order.
fn after(entries: Vec<(&str, Note)>) -> Strand {
    let mut town = Town::described();
    for (slug, entry) in entries {
        town.put(slug, entry);
    }
    town.write();
    let (log, evidence) = town.evidence();
    right(&log);
    ask(&evidence, "holds")
}

fn holder(family: u64) -> String {
    hex::encode(&digest(&format!("holder {family}"))[..16])
}

fn grant(at: u64, child: &str, outcome: &str) -> (&'static str, Note) {
    let granted = json!({ "audience": "maebashi/chuo-hospital", "holder": holder(3), "outcome": outcome });
    (CITY, note(EntryKind::Grant, at, granted).of(child).with(DigestKind::Grant, "a late grant"))
}

fn release(slug: &'static str, at: u64, alias: &str, child: &str, grant: &str) -> (&'static str, Note) {
    let alias = hex::encode(&digest(alias)[..16]);
    let released = note(EntryKind::Release, at, json!({ "guardian": alias })).of(child);
    (slug, released.with(DigestKind::Query, "a late query").with(DigestKind::Grant, grant))
}

const LATE: u64 = HELD + 20 * MINUTE;

#[test]
fn nothing_after_a_hold() {
    right(&after(Vec::new()));
    // Other children of this guardian, other guardians of this child, and a refusal.
    right(&after(vec![
        grant(LATE, "city-child-2", "granted"),
        grant(LATE, "city-child-3", "held"),
        release(HOSPITAL, LATE, "alias 2", "hospital-child-3", "grant 400 x"),
        release(HOSPITAL, LATE, "alias 3", "hospital-child-2", "grant 401 x"),
    ]));
}

#[test]
fn a_grant_to_a_held_guardian() {
    wrong(&after(vec![grant(LATE, "city-child-3", "granted")]), "maebashi/city-hall, entry");
}

#[test]
fn a_release_to_a_held_guardian() {
    let strand = after(vec![release(HOSPITAL, LATE, "alias 3", "hospital-child-3", "grant 3 x")]);
    wrong(&strand, "a release to a held guardian");
}

#[test]
fn a_release_under_an_earlier_grant_after_ten_minutes() {
    // The school never received the hold; its own ledger shows nothing wrong, laid beside the registry's it does.
    let strand =
        after(vec![release(SCHOOL, LATE, "school alias 3", "school-child-3", "grant 3 dai-ichi-school")]);
    wrong(&strand, "maebashi/dai-ichi-school, entry");
    wrong(&strand, "a release more than ten minutes after a hold");
    let soon = HELD + 10 * MINUTE - 1;
    right(&after(vec![release(SCHOOL, soon, "school alias 3", "school-child-3", "grant 3 dai-ichi-school")]));
}

#[test]
fn a_hold_against_everybody_and_one_that_was_lifted() {
    let everybody = json!({ "event": "set", "against": "every guardian" });
    let strand = after(vec![
        (CITY, note(EntryKind::Hold, LATE, everybody).of("city-child-2")),
        grant(LATE + 1, "city-child-2", "granted"),
    ]);
    wrong(&strand, "a grant to a held guardian");
    let lifted = json!({ "event": "lifted", "against": holder(3) });
    right(&after(vec![
        (CITY, note(EntryKind::Hold, LATE, lifted).of("city-child-3")),
        grant(LATE + 1, "city-child-3", "granted"),
    ]));
    // Lifting another hold changes nothing.
    let other = json!({ "event": "lifted", "against": holder(2) });
    let strand = after(vec![
        (CITY, note(EntryKind::Hold, LATE, other).of("city-child-3")),
        grant(LATE + 1, "city-child-3", "granted"),
    ]);
    wrong(&strand, "a grant to a held guardian");
}
