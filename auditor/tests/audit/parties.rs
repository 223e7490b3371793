//! What one party's ledger says and another's does not.

use hibiki_protocol::tlog::{DigestKind, EntryKind};
use serde_json::json;

use crate::federation::{CITY, HOSPITAL, Made, SCHOOL, id, row};
use crate::{audited, failed, said};

#[test]
fn an_answer_nobody_relayed() {
    let report = audited(|it| {
        let forged = Made::new(EntryKind::Release, 140, json!({ "guardian": "00aa" })).about(3);
        it.add(
            HOSPITAL,
            forged.with(DigestKind::Query, "another query").with(DigestKind::Grant, "grant chuo-hospital"),
        );
    });
    assert_eq!(failed(&report), ["reconcile"]);
    assert!(said(&report, "reconcile").contains("nobody relayed it"));
}

#[test]
fn an_answer_under_a_grant_no_registry_logged() {
    let report = audited(|it| it.entry(HOSPITAL, EntryKind::Release).digests.last_mut().unwrap().1 = [9; 32]);
    assert!(said(&report, "reconcile").contains("which no registry logged"), "{report:#?}");
}

#[test]
fn a_relayed_answer_in_nobodys_ledger() {
    let report =
        audited(|it| it.ledgers.get_mut(SCHOOL).unwrap().retain(|entry| entry.kind != EntryKind::Refusal));
    assert_eq!(failed(&report), ["reconcile"]);
    assert!(said(&report, "reconcile").contains("that is in nobody's ledger"));
}

#[test]
fn an_answer_of_somebody_else() {
    let report = audited(|it| {
        let relay = it.ledgers.get_mut(CITY).unwrap().iter_mut().find(|entry| {
            entry.details["institution"] == id(SCHOOL).as_str() && entry.details["outcome"] == "answered"
        });
        relay.unwrap().details["institution"] = json!(id(HOSPITAL).as_str());
    });
    assert!(said(&report, "reconcile").contains("stands in the ledger of"), "{report:#?}");
}

#[test]
fn a_query_answered_twice() {
    let report = audited(|it| {
        let again = it.entry(HOSPITAL, EntryKind::Release).clone();
        // Before the hold, so that it is no more than that.
        it.ledgers.get_mut(HOSPITAL).unwrap().insert(3, again);
    });
    assert_eq!(failed(&report), ["reconcile"]);
    assert!(said(&report, "reconcile").contains("answered more than once"));
}

#[test]
fn a_receipt_that_was_not_kept() {
    let report = audited(|it| it.receipts[0]["leaf_hash"] = json!("00".repeat(32)));
    assert_eq!(failed(&report), ["reconcile"]);
    let report = audited(|it| it.receipts[0]["index"] = json!(999));
    assert_eq!(failed(&report), ["reconcile"]);
    let report = audited(|it| it.receipts[0]["origin"] = json!("maebashi/nobody/ledger"));
    assert_eq!(failed(&report), ["reconcile"]);
}

#[test]
fn an_identifier_of_two_institutions() {
    // In two stores; in a store and a ledger; a delivered notice at a second institution.
    let shared = "0123456789abcdef0123";
    let report = audited(|it| {
        for name in [HOSPITAL, SCHOOL] {
            it.rows.get_mut(name).unwrap().push(row("links", "link", &[shared], ""));
        }
    });
    assert_eq!(failed(&report), ["identifiers"]);
    let report = audited(|it| {
        it.rows.get_mut(HOSPITAL).unwrap().push(row("links", "link", &[shared], ""));
        it.entry(SCHOOL, EntryKind::Refusal).details["guardian"] = json!(shared);
    });
    assert_eq!(failed(&report), ["identifiers"]);
    let owed = row("outbox", "hold notice owed", &[shared], "");
    let delivered = |at: &'static [&str]| {
        let owed = owed.clone();
        audited(move |it| {
            it.rows.get_mut(CITY).unwrap().push(owed);
            for name in [HOSPITAL, SCHOOL].into_iter().filter(|name| at.contains(name)) {
                it.rows.get_mut(name).unwrap().push(row("holds", "hold", &[shared], ""));
            }
        })
    };
    assert!(delivered(&[HOSPITAL]).passed, "the registry may prove what it delivered to one");
    assert_eq!(failed(&delivered(&[HOSPITAL, SCHOOL])), ["identifiers"]);
    // A short number that two institutions happen to give is nobody's identifier.
    let report = audited(|it| {
        for name in [HOSPITAL, SCHOOL] {
            it.rows.get_mut(name).unwrap().push(row("subjects", "subject", &["4711"], ""));
        }
    });
    assert!(report.passed, "{:?}", failed(&report));
}

#[test]
fn a_release_to_a_held_guardian() {
    // At the institution, after it had received the hold.
    let report = audited(|it| {
        let mut late = it.entry(HOSPITAL, EntryKind::Release).clone();
        late.at += 5_000;
        late.digests.remove(0);
        it.add(HOSPITAL, late);
    });
    assert_eq!(failed(&report), ["holds"]);
    // A grant after the hold was set.
    let report = audited(|it| {
        let mut grant = it.entry(CITY, EntryKind::Grant).clone();
        grant.at += 5_000;
        it.add(CITY, grant);
    });
    assert_eq!(failed(&report), ["holds"]);
    // Under an old grant, by an institution that never heard of the hold: ten minutes, and no longer.
    for (after, held) in [(9 * 60_000, false), (11 * 60_000, true)] {
        let report = audited(|it| {
            it.ledgers.get_mut(HOSPITAL).unwrap().retain(|entry| entry.kind != EntryKind::Hold);
            it.entry(HOSPITAL, EntryKind::Release).at += after;
        });
        assert_eq!(failed(&report).contains(&"holds"), held, "{after}");
    }
    // Another guardian's is none of it, and a lifted hold is none.
    let report = audited(|it| {
        let mut other = it.entry(HOSPITAL, EntryKind::Release).clone();
        (other.at, other.details) = (other.at + 5_000, json!({ "guardian": "ffeeddccbbaa9988" }));
        other.digests.remove(0);
        it.add(HOSPITAL, other);
    });
    assert!(report.passed, "{:?}", failed(&report));
    let report = audited(|it| {
        let mut lifted = it.entry(HOSPITAL, EntryKind::Hold).clone();
        (lifted.at, lifted.details["event"]) = (lifted.at + 1_000, json!("lifted"));
        let mut late = it.entry(HOSPITAL, EntryKind::Release).clone();
        late.at += 5_000;
        late.digests.clear();
        it.add(HOSPITAL, lifted);
        it.add(HOSPITAL, late);
    });
    assert!(!failed(&report).contains(&"holds"), "{:?}", failed(&report));
}
