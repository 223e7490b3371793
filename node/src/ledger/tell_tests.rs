//! What persons are told of the ledger: read back, proven, and nothing of the house in it.

use hibiki_protocol::history::{Disclosed, Event, HistoryEntry};
use hibiki_protocol::tlog::Hash;
use proptest::prelude::*;

use super::details::{Link, Refusal};
use super::tests::{release, setup};
use super::*;

/// A link of a subject, of which she may be told.
fn link(subject: Option<u8>) -> Entry {
    told(subject, Event::Linked)
}

fn told(subject: Option<u8>, event: Event) -> Entry {
    let details = Link { event: "made".into(), by: "Ito".into(), mismatch: Vec::new() };
    let entry = Entry::new(5, subject.map(|subject| [subject; 16]), &details).unwrap();
    entry.telling(&telling::staff(event))
}

fn as_sent(entry: &Logged) -> HistoryEntry {
    let told = entry.told.clone().expect("something told");
    let (salt, disclosed, house) = (told.salt, told.disclosed, told.house);
    HistoryEntry { index: entry.index, leaf: entry.leaf_bytes.clone(), salt, disclosed, house, path: None }
}

#[tokio::test]
async fn an_entry_is_told_without_its_house_half_and_both_forms_are_read_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, sealer) = setup();
    let ledger = Ledger::open(folder.path(), setup.clone(), 1).unwrap();
    let told = ledger.append(link(Some(4))).await.unwrap().index;
    let plain = ledger.append(release(2, 4)).await.unwrap().index;
    ledger.close(2, "test").await.unwrap();
    drop(ledger);
    let ledger = Ledger::open(folder.path(), setup, 3).unwrap();
    let entries = ledger.read(told..plain + 1).unwrap();
    let full = entries[0].details::<Link>().unwrap();
    assert_eq!((full.by.as_str(), entries[1].told.as_ref()), ("Ito", None), "the house reads all of it");
    let sent = as_sent(&entries[0]);
    let (leaf, disclosed) = sent.open().unwrap();
    assert_eq!((disclosed.event, leaf.time_ms), (Event::Linked, 5));
    let bytes = hibiki_protocol::cbor::encode(&sent);
    assert!(!bytes.windows(3).any(|window| window == b"Ito"));
    let guessed = HistoryEntry::house_digest(&sent.salt, br#"{"event":"made","by":"Ito","mismatch":[]}"#);
    assert_ne!(sent.house, guessed, "the house half has a salt of its own: no name can be tried");
    let report = ledger.verify(true).unwrap();
    assert!(report.passed(), "{report:?}");
    sealer.erased.lock().unwrap().insert([4; 16]);
    let erased = ledger.read(told..told + 1).unwrap();
    assert!(erased[0].is_erased() && erased[0].told.is_none());
    assert!(ledger.tell(&[4; 16], None, 9, |_| true).unwrap().entries.is_empty());
    assert!(ledger.verify(true).unwrap().passed());
}

#[tokio::test]
async fn what_is_about_nobody_is_told_to_nobody() {
    let ledger = Ledger::memory(setup().0, 1).unwrap();
    let index = ledger.append(link(None)).await.unwrap().index;
    assert_eq!(ledger.read(index..index + 1).unwrap()[0].told, None);
}

#[tokio::test]
async fn one_checkpoint_proves_them_all() {
    let ledger = Ledger::memory(setup().0, 1).unwrap();
    for _ in 0..600 {
        ledger.append(link(Some(1))).await.unwrap();
    }
    let none = ledger.prove_all(&[3, 4]).unwrap();
    assert_eq!((none.checkpoint, none.paths), (None, vec![None, None]));
    ledger.checkpoint().await.unwrap();
    let late = ledger.append(link(Some(1))).await.unwrap().index;
    assert_eq!((ledger.size(), ledger.signed_size()), (late + 1, late));
    let indices = [late, 599, 256, 255, 1];
    let Proofs { checkpoint, paths } = ledger.prove_all(&indices).unwrap();
    assert_eq!(paths[0], None, "not under it yet");
    for (index, path) in indices.into_iter().zip(paths).skip(1) {
        let proof = ledger.prove(index).unwrap();
        assert_eq!((Some(proof.path), Some(proof.checkpoint)), (path, checkpoint.clone()));
        let entry = &ledger.read(index..index + 1).unwrap()[0];
        let leaf = Hash(as_sent(entry).leaf_hash().0);
        ledger.prove(index).unwrap().verify(&leaf, ledger.verifier_key(), &[]).unwrap();
    }
    assert!(matches!(ledger.prove_all(&[9_999]), Err(ReadError::OutOfRange { index: 9_999, .. })));
}

/// One entry of the property below.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Told,
    Unwanted,
    Silent,
    OtherSubject,
}

fn logged(kind: Kind) -> Entry {
    match kind {
        Kind::Told => link(Some(1)),
        Kind::Unwanted => told(Some(1), Event::Unlinked),
        Kind::Silent => Entry::new(1, Some([1; 16]), &Refusal::default()).unwrap(),
        Kind::OtherSubject => link(Some(2)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever else stands between them, pages give every entry once, newest first, and end where there are
    /// no more.
    #[test]
    fn pages_are_the_told_entries_in_order(
        kinds in proptest::collection::vec(
            prop_oneof![Just(Kind::Told), Just(Kind::Unwanted), Just(Kind::Silent), Just(Kind::OtherSubject)],
            0..60,
        ),
        most in 1_usize..9,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ledger = Ledger::memory(setup().0, 1).unwrap();
        let mut expected = Vec::new();
        for kind in kinds {
            let index = runtime.block_on(ledger.append(logged(kind))).unwrap().index;
            if let Kind::Told = kind {
                expected.push(index);
            }
        }
        expected.reverse();
        let wanted = |disclosed: &Disclosed| disclosed.event == Event::Linked;
        let (mut seen, mut before, mut pages) = (Vec::new(), None, 0);
        loop {
            let told = ledger.tell(&[1; 16], before, most, wanted).unwrap();
            prop_assert!(told.entries.len() <= most);
            seen.extend(told.entries.iter().map(|entry| entry.index));
            before = told.older;
            pages += 1;
            if before.is_none() {
                break;
            }
        }
        prop_assert_eq!(&seen, &expected);
        prop_assert_eq!(pages, expected.len().div_ceil(most).max(1), "no empty page at the end");
    }
}
