//! What a guardian believes of a history, and what she does not.

use hibiki_protocol::act::{Act, AskHistory, ShowConsent};
use hibiki_protocol::answer::Answer;
use hibiki_protocol::cbor;
use hibiki_protocol::history::{Disclosed, EntryFault, Event, HistoryEntry, HistoryPage};
use hibiki_protocol::ids::Digest;
use hibiki_protocol::limits::HISTORY_ENTRIES_MAX;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::query::{Query, Refusal};
use hibiki_protocol::registration::{RegistrationRefusal, RegistrationState, ShowRegistration};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::tlog::{Checkpoint, EntryKind, Leaf};
use proptest::prelude::*;

use crate::any::{Any, Gen};
use crate::fixture::*;
use crate::samples::*;
use crate::small_ledger::small_ledger;

fn checkpoint() -> Checkpoint {
    let key = hospital().ledger_verifier().unwrap();
    Checkpoint::open(small_ledger().checkpoint.as_bytes(), &key, &[]).unwrap().0
}

#[test]
fn every_entry_of_an_honest_page_is_proven() {
    let expected = [(6, Event::ConsentWithdrawn), (4, Event::RecordsShown), (1, Event::Linked)];
    let page = history_page();
    assert_eq!(page.entries.len(), expected.len());
    for (entry, (index, event)) in page.entries.iter().zip(expected) {
        let (leaf, told) = entry.open().unwrap();
        assert_eq!(
            (entry.index, told.event, leaf.kind, leaf.time_ms),
            (index, event, event.kind(), NOW.0 + index)
        );
        assert_eq!(entry.prove(&checkpoint()), Ok(()));
    }
}

#[test]
fn a_checkpoint_counts_under_the_ledger_key_of_the_list_alone() {
    let note = small_ledger().checkpoint;
    for other in [city(), school()] {
        assert!(Checkpoint::open(note.as_bytes(), &other.ledger_verifier().unwrap(), &[]).is_err());
    }
    let renamed = hibiki_protocol::trust::Member { id: id("other"), ..hospital() };
    assert!(Checkpoint::open(note.as_bytes(), &renamed.ledger_verifier().unwrap(), &[]).is_err());
}

#[test]
fn nothing_of_an_entry_can_be_changed_and_still_be_believed() {
    let right = history_page().entries.remove(1);
    let told: Disclosed = cbor::decode(&right.disclosed).unwrap();
    let softened = cbor::encode(&Disclosed { count: Some(1), ..told.clone() });
    let hidden = cbor::encode(&Disclosed { alias: None, ..told });
    let other = history_page().entries.remove(0);
    for wrong in [
        HistoryEntry { disclosed: softened, ..right.clone() },
        HistoryEntry { disclosed: hidden, ..right.clone() },
        HistoryEntry { disclosed: other.disclosed.clone(), ..right.clone() },
        HistoryEntry { salt: [0; 32], ..right.clone() },
        HistoryEntry { house: Digest([0; 32]), ..right.clone() },
        HistoryEntry { leaf: other.leaf.clone(), ..right.clone() },
    ] {
        assert_eq!(wrong.open(), Err(EntryFault::Commitment), "{wrong:?}");
    }
    for wrong in [
        HistoryEntry { index: 5, ..right.clone() },
        HistoryEntry { index: 7, ..right.clone() },
        HistoryEntry { path: other.path, ..right.clone() },
        HistoryEntry { path: Some(Vec::new()), ..right.clone() },
        HistoryEntry { leaf: other.leaf, ..right.clone() },
    ] {
        assert_eq!(wrong.prove(&checkpoint()), Err(EntryFault::NotIncluded), "{wrong:?}");
    }
    let later = HistoryEntry { path: None, ..right };
    assert_eq!(later.prove(&checkpoint()), Err(EntryFault::NotYet));
}

#[test]
fn what_is_told_fits_the_kind_of_the_leaf() {
    let entry = history_page().entries.remove(1);
    for kind in EntryKind::ALL {
        let leaf = Leaf { kind, ..entry.leaf().unwrap() };
        let opened = HistoryEntry { leaf: leaf.encode(), ..entry.clone() }.open();
        let expected = if kind == EntryKind::Release { Ok(()) } else { Err(EntryFault::Disclosed) };
        assert_eq!(opened.map(|_| ()), expected, "{kind}");
    }
    for event in Event::ALL {
        assert!(!matches!(event.kind(), EntryKind::Hold | EntryKind::Refusal), "{event} gives a hold away");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever an institution sends, judging it neither panics nor believes it.
    #[test]
    fn any_entry_is_judged_and_none_believed(seed: u64) {
        let entry = HistoryEntry::any(&mut Gen::new(seed));
        prop_assert!(entry.open().is_err());
        prop_assert!(entry.prove(&checkpoint()).is_err());
    }
}

#[test]
fn an_act_is_asked_for_with_its_purpose() {
    let asked = |purpose, act: Option<Act>| verify(&Query { purpose, act, ..query() }).map(|_| ());
    for (name, act) in acts() {
        let history = matches!(name, "History" | "ProveReceipts");
        let expected = |right: bool| if right { Ok(()) } else { Err(Refusal::Unauthorized) };
        assert_eq!(asked(Purpose::AccessHistory, Some(act.clone())), expected(history), "{name}");
        assert_eq!(asked(Purpose::FamilyRequest, Some(act)), expected(!history), "{name}");
    }
    assert_eq!(asked(Purpose::AccessHistory, None), Ok(()), "as before: withheld, not refused");
}

/// An institution of before does not know the entry. It must not take the query for one about records.
#[test]
fn a_party_that_does_not_know_acts_refuses_them() {
    let with = cbor::encode(&Query { act: Some(change_consent().into()), ..query() });
    let without = cbor::encode(&query());
    assert_eq!(with[0] - without[0], 1, "one entry more");
    let key = with.windows(3).position(|bytes| bytes == [0x18, 25, 0x82]).unwrap();
    let mut unknown = with;
    unknown[key + 1] = 27;
    let refused = cbor::decode::<Query>(&unknown).unwrap_err();
    assert_eq!(refused, cbor::DecodeError::UnknownKey { structure: "Query", key: 27 });
}

#[test]
fn an_answer_must_be_of_the_kind_that_was_asked_for() {
    let history = Act::History(AskHistory { before: None });
    let shown = Act::ShowConsent(ShowConsent { version: 1 });
    let changed = Act::ChangeConsent(change_consent());
    let registered = Act::ShowRegistration(ShowRegistration { version: 1 });
    let registers = acts().remove(4).1;
    let asked = [None, Some(&history), Some(&shown), Some(&changed), Some(&registered), Some(&registers)];
    let unchanged = hibiki_protocol::act::ConsentState { changed: None, ..consent_state() };
    let only_shown = Answer { consent: Some(unchanged), ..told_consent() };
    let only_registered =
        Answer { records: Vec::new(), registration: Some(nothing_registered()), ..answer() };
    let answers =
        [answer(), told_history(), only_shown, told_consent(), only_registered, told_registration()];
    for (at, answer) in answers.iter().enumerate() {
        for (number, act) in asked.iter().enumerate() {
            assert_eq!(answer.answers(*act), at == number, "answer {at}, question {number}");
        }
    }
    let refusal = RegistrationRefusal::NoCode;
    let state = RegistrationState { refused: Some(refusal), ..nothing_registered() };
    let declined = Answer { registration: Some(state), ..told_registration() };
    assert!(declined.answers(Some(&registers)) && !declined.answers(Some(&registered)));
    for act in asked {
        assert!(nothing_to_show().answers(act) && refused(Refusal::Busy).answers(act));
    }
}

/// In a ledger of a million entries, a full page of unlike entries looks like every other answer.
#[test]
fn a_full_page_fits_the_common_frame() {
    let mut g = Gen::new(7);
    let mut entry = |number: usize| {
        let disclosed = Disclosed { count: Some(g.next() % 500), ..records_shown() };
        HistoryEntry {
            index: 1_000_000 - 40_000 * number as u64,
            leaf: g.bytes(43 + 2 * 33),
            salt: Any::any(&mut g),
            disclosed: cbor::encode(&disclosed),
            house: Any::any(&mut g),
            // The upper four levels are common to all, and told once by the compression.
            path: Some(
                (0..20)
                    .map(|level| if level < 16 { Any::any(&mut g) } else { Digest([level; 32]) })
                    .collect(),
            ),
        }
    };
    let entries: Vec<HistoryEntry> = (0..HISTORY_ENTRIES_MAX).map(&mut entry).collect();
    let page = HistoryPage { entries, older: Some(1), checkpoint: Some(small_ledger().checkpoint) };
    let answer = promised(Answer { outcome: Outcome::Data, history: Some(page), ..told_history() });
    assert!(Answer::fits_the_common_frame(&Signed::sign(&answer, &signing(HOSPITAL))));
}
