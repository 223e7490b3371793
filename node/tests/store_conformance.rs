//! What every storage engine must do, run on every engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, thread};

use hibiki_node::store::{
    BATCH_OPS_MAX, Batch, Committer, KEY_BYTES_MAX, Keyspace, MemoryStore, Retry, Row, SCAN_ROWS_MAX,
    SledOptions, SledStore, Snapshot, Store, StoreError, VALUE_BYTES_MAX,
};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseResult};

/// An engine under test: how to open it again over the same data.
enum Engine {
    Memory(MemoryStore),
    Sled(tempfile::TempDir),
}

impl Engine {
    fn all() -> [Self; 2] {
        [Self::Memory(MemoryStore::new()), Self::Sled(tempfile::tempdir().unwrap())]
    }

    fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sled(dir) => Arc::new(SledStore::open(options(dir.path().join("store"))).unwrap()),
        }
    }
}

fn options(dir: PathBuf) -> SledOptions {
    SledOptions { cache_bytes: 16 << 20, reserve_bytes: 0, ..SledOptions::new(dir) }
}

fn put(keyspace: Keyspace, key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.put(keyspace, key, value);
    batch
}

fn get(store: &dyn Store, keyspace: Keyspace, key: &[u8]) -> Option<Vec<u8>> {
    store.snapshot().unwrap().get(keyspace, key).unwrap()
}

type Model = BTreeMap<(Keyspace, Vec<u8>), Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Keyspace, Vec<u8>, Option<Value>)>),
    Require { present: bool, key: (Keyspace, Vec<u8>) },
    Snapshot,
    DropSnapshot,
    Scan { keyspace: Keyspace, prefix: Vec<u8>, after: Option<Vec<u8>>, limit: usize },
    Reopen,
}

#[derive(Clone, Debug)]
struct Value {
    len: usize,
    seed: u8,
}

impl Value {
    fn bytes(&self) -> Vec<u8> {
        (0..self.len).map(|i| self.seed ^ (i >> 8) as u8 ^ i as u8).collect()
    }
}

fn keyspace() -> impl Strategy<Value = Keyspace> {
    prop_oneof![Just(Keyspace::Meta), Just(Keyspace::Records), Just(Keyspace::Imports)]
}

/// Few distinct keys, so that they meet; bytes at both ends of the range, so that prefixes are awkward.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0x00), Just(0x01), Just(0xfe), Just(0xff)], 0..4)
}

fn value() -> impl Strategy<Value = Value> {
    let len = prop_oneof![
        8 => 0..40_usize,
        1 => (32 << 10) - 1..(32 << 10) + 2_usize,
        1 => (96 << 10) - 1..(96 << 10) + 2_usize
    ];
    (len, any::<u8>()).prop_map(|(len, seed)| Value { len, seed })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec((keyspace(), key(), proptest::option::weighted(0.7, value())), 0..6).prop_map(Step::Commit),
        2 => (any::<bool>(), keyspace(), key())
            .prop_map(|(present, keyspace, key)| Step::Require { present, key: (keyspace, key) }),
        2 => Just(Step::Snapshot),
        2 => Just(Step::DropSnapshot),
        4 => (keyspace(), key(), proptest::option::of(key()), 0..5_usize)
            .prop_map(|(keyspace, prefix, after, limit)| Step::Scan { keyspace, prefix, after, limit }),
        1 => Just(Step::Reopen),
    ]
}

fn expected(model: &Model, keyspace: Keyspace, prefix: &[u8], after: Option<&[u8]>) -> Vec<Row> {
    let rows = model.iter().filter(|((space, key), _)| {
        *space == keyspace && key.starts_with(prefix) && after.is_none_or(|after| key.as_slice() > after)
    });
    rows.map(|((_, key), value)| (key.clone(), value.clone())).collect()
}

fn compare(view: &dyn Snapshot, model: &Model, step: &Step) -> TestCaseResult {
    match step {
        Step::Scan { keyspace, prefix, after, limit } => {
            let mut rows = expected(model, *keyspace, prefix, after.as_deref());
            rows.truncate(*limit);
            let found = view.scan(*keyspace, prefix, after.as_deref(), *limit).unwrap();
            prop_assert!(rows == found, "{:?} instead of {:?}", brief(&found), brief(&rows));
        }
        _ => {
            for keyspace in [Keyspace::Meta, Keyspace::Records, Keyspace::Imports] {
                let rows = expected(model, keyspace, b"", None);
                let found = view.scan(keyspace, b"", None, SCAN_ROWS_MAX).unwrap();
                prop_assert!(rows == found, "{:?} instead of {:?}", brief(&found), brief(&rows));
                for (key, value) in rows {
                    prop_assert!(view.get(keyspace, &key).unwrap() == Some(value), "get {key:?}");
                }
                prop_assert!(view.get(keyspace, b"absent").unwrap().is_none());
            }
        }
    }
    Ok(())
}

fn brief(rows: &[Row]) -> Vec<(&[u8], usize)> {
    rows.iter().map(|(key, value)| (key.as_slice(), value.len())).collect()
}

fn run(engine: &Engine, steps: &[Step]) -> TestCaseResult {
    let mut model = Model::new();
    let mut steps = steps.iter();
    let mut reopen = true;
    while reopen {
        reopen = false;
        let store = engine.open();
        let mut snapshots: Vec<(Box<dyn Snapshot + '_>, Model)> = Vec::new();
        for step in steps.by_ref() {
            match step {
                Step::Commit(changes) => {
                    let mut batch = Batch::new();
                    for (keyspace, key, value) in changes {
                        let place = (*keyspace, key.clone());
                        match value {
                            Some(value) => {
                                batch.put(*keyspace, key.clone(), value.bytes());
                                model.insert(place, value.bytes());
                            }
                            None => {
                                batch.delete(*keyspace, key.clone());
                                model.remove(&place);
                            }
                        }
                    }
                    store.commit(&batch).unwrap();
                }
                Step::Require { present, key } => {
                    let actual = model.get(key).cloned();
                    let wanted = if *present { Some(actual.clone().unwrap_or_default()) } else { None };
                    let mut batch = put(key.0, &key.1, b"required");
                    batch.require(key.0, key.1.clone(), wanted.clone());
                    if wanted == actual {
                        store.commit(&batch).unwrap();
                        model.insert(key.clone(), b"required".to_vec());
                    } else {
                        prop_assert_eq!(store.commit(&batch), Err(StoreError::Conflict));
                    }
                }
                Step::Snapshot => snapshots.push((store.snapshot().unwrap(), model.clone())),
                Step::DropSnapshot if !snapshots.is_empty() => _ = snapshots.remove(snapshots.len() / 2),
                Step::DropSnapshot | Step::Scan { .. } => {}
                Step::Reopen => reopen = true,
            }
            compare(&*store.snapshot().unwrap(), &model, step)?;
            for (view, model) in &snapshots {
                compare(&**view, model, step)?;
            }
            if reopen {
                break;
            }
        }
        let report = store.verify().unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.problems);
        prop_assert_eq!(report.rows.values().sum::<u64>(), model.len() as u64);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn memory_agrees_with_the_model(steps in vec(step(), 1..60)) {
        run(&Engine::Memory(MemoryStore::new()), &steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn sled_agrees_with_the_model(steps in vec(step(), 1..60)) {
        run(&Engine::Sled(tempfile::tempdir().unwrap()), &steps)?;
    }
}

#[test]
fn a_refused_batch_leaves_nothing_behind() {
    for engine in Engine::all() {
        let store = engine.open();
        store.commit(&put(Keyspace::Holds, b"h", b"1")).unwrap();
        let mut batch = put(Keyspace::Records, b"r", b"1");
        batch.delete(Keyspace::Holds, *b"h").require(Keyspace::Holds, *b"h", Some(b"2".to_vec()));
        let error = store.commit(&batch).unwrap_err();
        assert_eq!((&error, error.retry()), (&StoreError::Conflict, Retry::Now));
        assert_eq!(get(&*store, Keyspace::Records, b"r"), None);
        assert_eq!(get(&*store, Keyspace::Holds, b"h").unwrap(), b"1");
        let stats = store.stats();
        assert_eq!((stats.commits, stats.failures), (1, 1));
    }
}

#[test]
fn limits_are_enforced_and_reached() {
    for engine in Engine::all() {
        let store = engine.open();
        let longest = vec![0x61; KEY_BYTES_MAX];
        let largest: Vec<u8> = (0..VALUE_BYTES_MAX).map(|i| (i >> 10) as u8).collect();
        store.commit(&put(Keyspace::Records, &longest, &largest)).unwrap();
        assert!(get(&*store, Keyspace::Records, &longest).unwrap() == largest);
        for batch in [
            put(Keyspace::Records, &[longest.as_slice(), b"x"].concat(), b""),
            put(Keyspace::Records, b"x", &[largest.as_slice(), b"x"].concat()),
            (0..=BATCH_OPS_MAX as u32).fold(Batch::new(), |mut batch, i| {
                batch.delete(Keyspace::Meta, i.to_be_bytes());
                batch
            }),
        ] {
            let error = store.commit(&batch).unwrap_err();
            assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
            assert_eq!(error.retry(), Retry::Never);
        }
        assert_eq!(store.stats().blob_files, 0);
        assert!(store.verify().unwrap().is_sound());
    }
}

#[test]
fn scans_page_through_everything_once() {
    for engine in Engine::all() {
        let store = engine.open();
        let rows = SCAN_ROWS_MAX as u32 * 2 + 7;
        let mut batch = Batch::new();
        for i in 0..rows {
            batch.put(Keyspace::Records, [b"p".as_slice(), &i.to_be_bytes()].concat(), i.to_le_bytes());
        }
        batch.put(Keyspace::Records, *b"q", *b"").put(Keyspace::Links, *b"p\0\0\0\0", *b"");
        store.commit(&batch).unwrap();
        let view = store.snapshot().unwrap();
        // Rows that come and go meanwhile are not seen.
        let mut meanwhile = Batch::new();
        for i in (0..rows).step_by(3) {
            meanwhile.delete(Keyspace::Records, [b"p".as_slice(), &i.to_be_bytes()].concat());
            meanwhile.put(Keyspace::Records, [b"p".as_slice(), &i.to_be_bytes(), b"+"].concat(), *b"new");
        }
        store.commit(&meanwhile).unwrap();
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = view.scan(Keyspace::Records, b"p", after.as_deref(), usize::MAX).unwrap();
            assert!(page.len() <= SCAN_ROWS_MAX);
            let done = page.len() < SCAN_ROWS_MAX;
            after = page.last().map(|(key, _)| key.clone());
            seen.extend(page);
            if done {
                break;
            }
        }
        assert_eq!(seen.len(), rows as usize);
        for (i, (key, value)) in (0_u32..).zip(&seen) {
            assert_eq!((&key[1..], value.as_slice()), (&i.to_be_bytes()[..], &i.to_le_bytes()[..]));
        }
    }
}

#[test]
fn snapshots_stay_whole_while_others_write() {
    for engine in Engine::all() {
        let store = engine.open();
        let keys: Vec<[u8; 1]> = (0..20).map(|i| [i]).collect();
        let all = |value: u32| {
            keys.iter().fold(Batch::new(), |mut batch, key| {
                // Long enough to lie in pieces, so that a torn value would show as well.
                batch.put(Keyspace::Records, *key, value.to_be_bytes().repeat(10_000));
                batch
            })
        };
        store.commit(&all(0)).unwrap();
        let writer = Arc::clone(&store);
        thread::scope(|scope| {
            let batches: Vec<Batch> = (1..40).map(all).collect();
            let writing = scope.spawn(move || batches.iter().for_each(|batch| writer.commit(batch).unwrap()));
            let mut last = 0;
            while !writing.is_finished() || last == 0 {
                let view = store.snapshot().unwrap();
                let first = view.get(Keyspace::Records, &keys[0]).unwrap().unwrap();
                let rows = view.scan(Keyspace::Records, b"", None, 100).unwrap();
                assert_eq!(rows.len(), keys.len());
                assert!(rows.iter().all(|(_, value)| *value == first), "a view mixes two commits");
                let now = u32::from_be_bytes(first[..4].try_into().unwrap());
                assert!(now >= last, "time runs backwards");
                last = now;
            }
        });
    }
}

#[tokio::test]
async fn the_committer_acknowledges_each_batch_on_its_own() {
    for engine in Engine::all() {
        for inline in [false, true] {
            let store = engine.open();
            let committer = if inline {
                Committer::inline(Arc::clone(&store))
            } else {
                Committer::start(Arc::clone(&store)).unwrap()
            };
            let tasks: Vec<_> = (0..600_u32)
                .map(|i| {
                    let committer = committer.clone();
                    let mut batch = put(Keyspace::Records, &i.to_be_bytes(), b"value");
                    if i % 100 == 0 {
                        batch.require(Keyspace::Records, *b"missing", Some(b"x".to_vec()));
                    }
                    tokio::spawn(async move { committer.commit(batch).await })
                })
                .collect();
            for (i, task) in (0_u32..).zip(tasks) {
                let stored = get(&*store, Keyspace::Records, &i.to_be_bytes());
                let outcome = task.await.unwrap();
                if i % 100 == 0 {
                    assert_eq!(outcome, Err(StoreError::Conflict));
                    assert_eq!(stored, None);
                } else {
                    outcome.unwrap();
                    assert!(get(&*store, Keyspace::Records, &i.to_be_bytes()).is_some());
                }
            }
            committer.close().await;
            if !inline {
                let late = committer.commit(put(Keyspace::Meta, b"late", b"")).await;
                assert_eq!(late, Err(StoreError::Closed));
                assert!(store.stats().commits < 200, "batches were not grouped");
            }
            let mut clean = Batch::new();
            (0..600_u32).for_each(|i| _ = clean.delete(Keyspace::Records, i.to_be_bytes()));
            store.commit(&clean).unwrap();
        }
    }
}

#[tokio::test]
async fn closing_the_committer_drains_it() {
    let engine = Engine::Sled(tempfile::tempdir().unwrap());
    let store = engine.open();
    let committer = Committer::start(Arc::clone(&store)).unwrap();
    let waiting: Vec<_> = (0..300_u32)
        .map(|i| {
            let committer = committer.clone();
            tokio::spawn(async move { committer.commit(put(Keyspace::Meta, &i.to_be_bytes(), b"")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    committer.close().await;
    let mut acknowledged = 0;
    for task in waiting {
        match task.await.unwrap() {
            Ok(()) => acknowledged += 1,
            Err(error) => assert_eq!(error, StoreError::Closed),
        }
    }
    let rows = store.snapshot().unwrap().scan(Keyspace::Meta, b"", None, 1_000).unwrap().len();
    assert_eq!(rows, acknowledged, "neither more nor less than acknowledged");
    assert!(acknowledged > 0);
}

#[tokio::test]
async fn urgent_batches_pass_where_ordinary_ones_are_refused() {
    let store = MemoryStore::new();
    store.set_low_space(true);
    let committer = Committer::start(Arc::new(store.clone())).unwrap();
    let refused = committer.commit(put(Keyspace::Records, b"r", b"1")).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoSpace { .. }));
    assert_eq!(refused.retry(), Retry::Later);
    let mut hold = put(Keyspace::Holds, b"h", b"1");
    hold.urgent();
    committer.commit(hold).await.unwrap();
    store.set_low_space(false);
    committer.commit(put(Keyspace::Records, b"r", b"1")).await.unwrap();
}
