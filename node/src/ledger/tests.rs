//! The ledger as its users see it: in memory and on a real disk.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hibiki_protocol::tlog::{Checkpoint, KeyAlgorithm, NoteSigner, split_notes, verify_consistency};
use sha2::{Digest as _, Sha256};

use super::details::{Hold, Refusal, Release, Start, Stop};
use super::*;
use crate::env::SystemEntropy;

pub(super) const ORIGIN: &str = "maebashi/chuo-hospital/ledger";

/// A keyring for tests: a real cipher, keys by hashing, and erasure by forgetting.
#[derive(Default)]
pub(super) struct TestSealer {
    pub(super) erased: Mutex<BTreeSet<SubjectKey>>,
}

impl TestSealer {
    fn cipher(&self, subject: Option<SubjectKey>) -> Result<ChaCha20Poly1305, SealError> {
        if subject.is_some_and(|subject| self.erased.lock().unwrap().contains(&subject)) {
            return Err(SealError::Erased);
        }
        let key: [u8; 32] = Sha256::digest(subject.unwrap_or_default()).into();
        Ok(ChaCha20Poly1305::new(&Key::from(key)))
    }
}

impl EntrySealer for TestSealer {
    fn seal(&self, subject: Option<SubjectKey>, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; 12] = Sha256::digest(msg)[..12].try_into().unwrap();
        let sealed = self.cipher(subject)?.encrypt(&Nonce::from(nonce), Payload { msg, aad });
        Ok([nonce.to_vec(), sealed.map_err(|_| SealError::Altered)?].concat())
    }

    fn open(&self, subject: Option<SubjectKey>, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, msg) = sealed.split_first_chunk::<12>().ok_or(SealError::Altered)?;
        let opened = self.cipher(subject)?.decrypt(&Nonce::from(*nonce), Payload { msg, aad });
        opened.map_err(|_| SealError::Altered)
    }
}

pub(super) fn signer(origin: &str, seed: u8) -> Arc<NoteSigner> {
    Arc::new(NoteSigner::from_seed(origin, KeyAlgorithm::Ed25519, &[seed; 32]).unwrap())
}

pub(super) fn setup() -> (Setup, Arc<TestSealer>) {
    let sealer = Arc::new(TestSealer::default());
    let setup = Setup {
        signer: signer(ORIGIN, 7),
        sealer: Arc::clone(&sealer) as Arc<dyn EntrySealer>,
        entropy: Arc::new(SystemEntropy),
        sizes: Sizes { segment_bytes: 8 * 1024, reserve_bytes: 2 * 1024 },
    };
    (setup, sealer)
}

pub(super) fn release(n: u64, subject: u8) -> Entry {
    let details = Release { records: n, purpose: "view".into(), ..Release::default() };
    Entry::new(1_000 + n, Some([subject; 16]), &details)
        .unwrap()
        .with_digest(DigestKind::Query, [n as u8; 32])
}

#[tokio::test]
async fn what_is_logged_is_read_back_and_proven() {
    let (setup, _) = setup();
    let ledger = Ledger::memory(setup.clone(), 1_000).unwrap();
    let mut receipts = Vec::new();
    for n in 1..=700 {
        let receipt = ledger.append(release(n, (n % 3) as u8)).await.unwrap();
        assert_eq!((receipt.index, receipt.tree_size, receipt.origin.as_str()), (n, n + 1, ORIGIN));
        receipts.push(receipt);
    }
    assert!(matches!(ledger.prove(5), Err(ReadError::NotYet(5))));
    let first = ledger.checkpoint().await.unwrap();
    for n in 701..=900 {
        ledger.append(release(n, (n % 3) as u8)).await.unwrap();
    }
    let second = ledger.checkpoint().await.unwrap();
    assert_eq!(ledger.checkpoint().await.unwrap(), second, "the same state is not signed twice");
    assert_eq!(ledger.newest_checkpoint(), Some(second.clone()));

    let (old, _) = Checkpoint::open(first.as_bytes(), ledger.verifier_key(), &[]).unwrap();
    let (new, _) = Checkpoint::open(second.as_bytes(), ledger.verifier_key(), &[]).unwrap();
    assert_eq!((old.size, new.size, ledger.size()), (701, 901, 901));
    let (note, proof) = ledger.prove_consistency(701).unwrap();
    assert_eq!(note, second);
    verify_consistency(701, 901, &proof, &old.root, &new.root).unwrap();
    for receipt in receipts.iter().step_by(51) {
        let proof = ledger.prove(receipt.index).unwrap();
        proof.verify(&receipt.leaf_hash, ledger.verifier_key(), &[]).unwrap();
        assert!(proof.verify(&receipts[13].leaf_hash, ledger.verifier_key(), &[]).is_err());
    }
    assert!(matches!(ledger.prove(901), Err(ReadError::OutOfRange { index: 901, size: 901 })));

    let entries = ledger.read(0..901).unwrap();
    assert_eq!(entries[0].details::<Start>().unwrap().torn_bytes, 0);
    for (entry, n) in entries.iter().zip(0_u64..).skip(1) {
        assert_eq!(entry.details::<Release>().unwrap().records, n);
        assert_eq!((entry.index, entry.leaf.time_ms), (n, 1_000 + n));
        assert_eq!(entry.leaf.digests, [(DigestKind::Query, [n as u8; 32])]);
        assert!(entry.details::<Stop>().is_none());
    }
    let history = ledger.history(&[2; 16], 10).unwrap();
    assert_eq!(
        history.iter().map(|entry| entry.index).collect::<Vec<_>>(),
        (0..10).map(|n| 872 + 3 * n).collect::<Vec<_>>()
    );
    assert!(ledger.history(&[9; 16], 10).unwrap().is_empty());
    let report = ledger.verify(true).unwrap();
    assert!(report.passed(), "{report:?}");
    assert_eq!((report.entries, report.signed, report.opened, report.erased), (901, 901, 901, 0));
}

#[tokio::test]
async fn erasure_leaves_the_ledger_verifiable() {
    let (setup, sealer) = setup();
    let ledger = Ledger::memory(setup, 1_000).unwrap();
    for n in 1..=20 {
        ledger.append(release(n, (n % 2) as u8)).await.unwrap();
    }
    ledger.checkpoint().await.unwrap();
    sealer.erased.lock().unwrap().insert([1; 16]);
    let entries = ledger.history(&[1; 16], 100).unwrap();
    assert_eq!((entries.len(), entries.iter().filter(|entry| entry.is_erased()).count()), (10, 10));
    assert!(entries.iter().all(|entry| entry.details::<Release>().is_none()));
    let report = ledger.verify(true).unwrap();
    assert!(report.passed(), "{report:?}");
    assert_eq!((report.opened, report.erased), (11, 10));
    // Nothing can be logged under a destroyed key.
    assert_eq!(ledger.append(release(1, 1)).await, Err(NotLogged::Seal(SealError::Erased)));
}

#[tokio::test]
async fn a_real_folder_survives_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, _) = setup();
    let path = folder.path().join("ledger");
    for round in 0..3_u64 {
        let ledger = Ledger::open(&path, setup.clone(), 5_000 * round).unwrap();
        assert!(matches!(Ledger::open(&path, setup.clone(), 0), Err(OpenError::Locked)));
        let before = ledger.size();
        let appended = futures_of(&ledger, 300).await;
        let mut indices: Vec<u64> = appended.iter().map(|receipt| receipt.index).collect();
        indices.sort_unstable();
        assert_eq!(indices, (before..before + 300).collect::<Vec<_>>());
        let report = ledger.verify(true).unwrap();
        assert!(report.passed(), "{report:?}");
        ledger.close(9_000, "test").await.unwrap();
        assert_eq!(ledger.append(release(1, 1)).await, Err(NotLogged::Closed));
        assert!(matches!(ledger.checkpoint().await, Err(CheckpointFailure::Closed)));
    }
    let (sealer, key) = (setup.sealer, setup.signer.verifier_key());
    let report = verify_folder(&path, key, Some(sealer.as_ref())).unwrap();
    assert!(report.passed(), "{report:?}");
    assert_eq!((report.entries, report.signed, report.opened), (3 * 302, 3 * 302, 3 * 302));
    let report = verify_folder(&path, key, None).unwrap();
    assert!(
        report.passed() && report.opened == 0 && report.checks.iter().any(|c| c.outcome == Outcome::Skipped)
    );
}

/// Appends from many tasks at once.
async fn futures_of(ledger: &Ledger, count: u64) -> Vec<Receipt> {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..count {
        let ledger = ledger.clone();
        tasks.spawn(async move { ledger.append(release(n, n as u8)).await.unwrap() });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn the_folder_is_what_tlog_tiles_says() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, _) = setup();
    let ledger = Ledger::open(folder.path(), setup, 1).unwrap();
    for n in 1..=60 {
        ledger.append(release(n, 1)).await.unwrap();
    }
    ledger.checkpoint().await.unwrap();
    assert_eq!(std::fs::metadata(folder.path().join("tile/0/000.p/61")).unwrap().len(), 61 * 32);
    assert!(folder.path().join("tile/entries/000.p/61").is_file());
    futures_of(&ledger, 460).await;
    let note = ledger.checkpoint().await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("checkpoint")).unwrap(), note);
    for (path, len) in
        [("tile/0/000", 8192), ("tile/0/001", 8192), ("tile/0/002.p/9", 9 * 32), ("tile/1/000.p/2", 64)]
    {
        assert_eq!(std::fs::metadata(folder.path().join(path)).unwrap().len(), len, "{path}");
    }
    assert!(!folder.path().join("tile/0/000.p").exists(), "the full tile has replaced the partial ones");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(folder.path().join("journal/00000001")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A ledger in memory with some entries and two checkpoints, closed.
#[tokio::test]
async fn parts_that_a_former_run_answered_are_known_for_as_long_as_a_query_lives() {
    let (setup, _) = setup();
    let storage: Arc<MemoryStorage> = Arc::default();
    let before = Ledger::inline(Arc::clone(&storage) as Arc<dyn Storage>, setup.clone(), 1_000).unwrap();
    before.append(release(1, 1)).await.unwrap();
    let relay = Entry::new(1_000, None, &details::Relay::default()).unwrap();
    before.append(relay.with_digest(DigestKind::Query, [2; 32])).await.unwrap();
    assert!(!before.answered_in_a_former_run(&[1; 32]), "this run remembers its queries itself");
    drop(before);
    let known = |now: u64| {
        let ledger = Ledger::inline(Arc::clone(&storage) as Arc<dyn Storage>, setup.clone(), now).unwrap();
        [1_u8, 2].map(|part| ledger.answered_in_a_former_run(&[part; 32]))
    };
    assert_eq!(known(1_002), [true, false], "what was passed on was not answered here");
    let over = 1_001 + hibiki_protocol::limits::REPLAY_MILLIS;
    assert_eq!((known(over), known(over + 1)), ([true, false], [false, false]));
}

async fn closed() -> (Arc<MemoryStorage>, Setup) {
    let (setup, _) = setup();
    let storage = Arc::new(MemoryStorage::new());
    let ledger = Ledger::inline(Arc::clone(&storage) as Arc<dyn Storage>, setup.clone(), 1).unwrap();
    for n in 0..40 {
        ledger.append(release(n, 1)).await.unwrap();
        if n == 20 {
            ledger.checkpoint().await.unwrap();
        }
    }
    ledger.close(2, "test").await.unwrap();
    (storage, setup)
}

fn reopen(storage: &Arc<MemoryStorage>, setup: &Setup) -> Result<Ledger, OpenError> {
    Ledger::inline(Arc::clone(storage) as Arc<dyn Storage>, setup.clone(), 3)
}

/// The same heads, and the journal only up to the `kept`th segment.
fn shortened(storage: &MemoryStorage, kept: usize) -> Arc<MemoryStorage> {
    let copy = Arc::new(MemoryStorage::new());
    let segments = storage.list("journal").unwrap();
    let paths = segments.iter().take(kept).map(|name| format!("journal/{name}"));
    for path in paths.chain(["checkpoint".to_owned(), "checkpoints".to_owned()]) {
        copy.publish(&[(path.clone(), storage.read(&path).unwrap().unwrap())]).unwrap();
    }
    copy
}

#[tokio::test]
async fn a_shortened_or_older_ledger_does_not_open() {
    let (storage, setup) = closed().await;
    for kept in 0..2 {
        let error = reopen(&shortened(&storage, kept), &setup).unwrap_err();
        assert!(matches!(error, OpenError::Shorter { signed: 42, .. }), "{error}");
        assert!(error.to_string().contains("rollback detected"));
    }
    // An older checkpoint put in place does not help: the history knows. Nor does an older history.
    let old = shortened(&storage, 1);
    let history = storage.read("checkpoints").unwrap().unwrap();
    let (notes, _) = split_notes(&history);
    assert_eq!(notes.len(), 2);
    old.publish(&[("checkpoint".into(), notes[0].to_vec())]).unwrap();
    assert!(matches!(reopen(&old, &setup), Err(OpenError::Shorter { .. })));
    let old = shortened(&storage, 1);
    old.publish(&[("checkpoints".into(), [notes[0], b"\n"].concat())]).unwrap();
    assert!(matches!(reopen(&old, &setup), Err(OpenError::Shorter { .. })));
    // A segment that is missing or emptied in the middle is damage even without any checkpoint.
    let emptied = shortened(&storage, 3);
    emptied.publish(&[("checkpoint".into(), notes[0].to_vec()), ("checkpoints".into(), Vec::new())]).unwrap();
    emptied.publish(&[("journal/00000002".into(), vec![0; 8192])]).unwrap();
    assert!(matches!(reopen(&emptied, &setup), Err(OpenError::Damaged { .. })));
    // Untouched, it opens.
    let ledger = reopen(&storage, &setup).unwrap();
    assert_eq!(ledger.size(), 43);
    assert!(ledger.verify(true).unwrap().passed());
}

#[tokio::test]
async fn every_damaged_byte_is_noticed() {
    let (storage, setup) = closed().await;
    for name in storage.list("journal").unwrap() {
        let path = format!("journal/{name}");
        let whole = storage.read(&path).unwrap().unwrap();
        let used = whole.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for at in (0..used).step_by(37) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            storage.publish(&[(path.clone(), damaged)]).unwrap();
            let Err(error) = reopen(&storage, &setup) else {
                panic!("{path} at {at}: opened although damaged")
            };
            assert!(matches!(error, OpenError::Damaged { .. }), "{path} at {at}: {error}");
        }
        storage.publish(&[(path, whole)]).unwrap();
    }
    assert!(reopen(&storage, &setup).is_ok());
}

#[tokio::test]
async fn tampering_with_valid_bytes_is_noticed() {
    let (storage, setup) = closed().await;
    // A journal of the same length made of other entries, by somebody who has the keyring but not the log key.
    let other = Arc::new(MemoryStorage::new());
    let ledger = Ledger::inline(Arc::clone(&other) as Arc<dyn Storage>, setup.clone(), 1).unwrap();
    for n in 0..40 {
        ledger.append(release(n + 100, 1)).await.unwrap();
    }
    ledger.close(2, "test").await.unwrap();
    for file in ["checkpoint", "checkpoints"] {
        other.publish(&[(file.into(), storage.read(file).unwrap().unwrap())]).unwrap();
    }
    assert!(matches!(reopen(&other, &setup), Err(OpenError::Differs { size: 42 })));
    // A checkpoint by another key, and another ledger's journal.
    let stranger = Setup { signer: signer(ORIGIN, 8), ..setup.clone() };
    assert!(matches!(reopen(&storage, &stranger), Err(OpenError::Checkpoint(_))));
    let renamed = Setup { signer: signer("maebashi/other/ledger", 7), ..setup.clone() };
    let journal_only = Arc::new(MemoryStorage::new());
    for name in storage.list("journal").unwrap() {
        let path = format!("journal/{name}");
        journal_only.publish(&[(path.clone(), storage.read(&path).unwrap().unwrap())]).unwrap();
    }
    assert!(matches!(reopen(&journal_only, &renamed), Err(OpenError::Foreign { .. })));
    // A tile and an old checkpoint: the node serves on, the verification tells.
    let tile = storage.read("tile/0/000.p/42").unwrap().unwrap();
    storage.publish(&[("tile/0/000.p/42".into(), tile[1..].to_vec())]).unwrap();
    let mut history = storage.read("checkpoints").unwrap().unwrap();
    history[40] ^= 1;
    storage.publish(&[("checkpoints".into(), history)]).unwrap();
    let report = reopen(&storage, &setup).unwrap().verify(true).unwrap();
    let failed: Vec<_> = report.checks.iter().filter(|check| check.outcome == Outcome::Failed).collect();
    assert!(!report.passed() && failed.len() == 2, "{report:?}");
}

#[tokio::test]
async fn oversized_entries_are_refused_and_nothing_else() {
    let (setup, _) = setup();
    let ledger = Ledger::memory(setup, 1).unwrap();
    let details = Refusal { reason: "x".repeat(200_000), ..Refusal::default() };
    let entry = Entry::new(2, None, &details).unwrap();
    assert!(matches!(ledger.append(entry).await, Err(NotLogged::TooLarge(_))));
    let hold = Entry::new(3, Some([1; 16]), &Hold { event: "set".into(), ..Hold::default() }).unwrap();
    assert_eq!(ledger.append_reserved(hold).await.unwrap().index, 1);
}

#[test]
fn nothing_personal_is_printed() {
    let details = Release { guardian: "前橋花子".into(), ..Release::default() };
    let entry = Entry::new(1, Some([1; 16]), &details).unwrap();
    assert_eq!(format!("{entry:?} {details:?}"), "Entry(release, ***) Release(***)");
}
