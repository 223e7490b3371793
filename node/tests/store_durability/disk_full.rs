//! A full disk, for real: refused with a reason, readable throughout, well again without a restart.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use hibiki_node::store::{Batch, Keyspace, Retry, SledOptions, SledStore, Store, StoreError};
use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::image::Image;

const RESERVE: u64 = 32 << 20;

fn options(image: &Image) -> SledOptions {
    SledOptions {
        cache_bytes: 16 << 20,
        reserve_bytes: RESERVE,
        ..SledOptions::new(image.path().join("store"))
    }
}

fn free(path: &Path) -> u64 {
    let fs = statvfs(path).unwrap();
    fs.f_bavail * fs.f_frsize
}

/// Takes all space but `left` bytes.
fn fill(path: &Path, left: u64) {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    let mut len = free(path).saturating_sub(left);
    // The file system needs some blocks for the file's own map: approach the end in smaller steps.
    let mut have = 0;
    while len >= 4096 {
        if fallocate(&file, FallocateFlags::empty(), have, len).is_ok() {
            have += len;
            len = free(path).saturating_sub(left).min(len);
        } else {
            len /= 2;
        }
    }
}

fn put(key: &[u8], len: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put(Keyspace::Records, key, content(key, len));
    batch
}

fn content(key: &[u8], len: usize) -> Vec<u8> {
    key.iter().copied().cycle().take(len).collect()
}

fn has(store: &dyn Store, key: &[u8], len: usize) -> bool {
    store.snapshot().unwrap().get(Keyspace::Records, key).unwrap() == Some(content(key, len))
}

fn refused(outcome: Result<(), StoreError>) {
    let error = outcome.expect_err("must be refused");
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Later);
}

#[test]
fn ordinary_writes_stop_urgent_ones_go_on_and_all_resume() {
    let Some(image) = Image::new("the full-disk test", 256) else { return };
    let filler = image.path().join("filler");
    let store = SledStore::open(options(&image)).unwrap();
    store.commit(&put(b"before", 5_000)).unwrap();
    assert!(!store.stats().low_space);

    fill(&filler, 10 << 20);
    refused(store.commit(&put(b"refused", 5_000)));
    assert!(store.stats().low_space);
    assert!(has(&store, b"before", 5_000) && !has(&store, b"refused", 5_000));
    let mut hold = put(b"hold", 1_000);
    store.commit(hold.urgent()).expect("the reserve is there for this");
    assert!(has(&store, b"hold", 1_000));

    // The reserve was spent for it; now others take that space, too.
    let rest = image.path().join("rest");
    fill(&rest, 0);
    refused(store.commit(put(b"hold 2", 1_000).urgent()));
    assert!(has(&store, b"hold", 1_000), "reading goes on when there is no room at all");

    fs::remove_file(&rest).unwrap();
    fs::remove_file(&filler).unwrap();
    store.commit(&put(b"after", 5_000)).expect("resumes without a restart");
    assert!(!store.stats().low_space, "the reserve is set aside again");
    let report = store.verify().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.rows[&Keyspace::Records], 3);
}

#[test]
fn a_write_that_finds_no_room_midway_is_survived() {
    let Some(image) = Image::new("the sudden full-disk test", 1_024) else { return };
    let filler = image.path().join("filler");
    let store = Arc::new(SledStore::open(options(&image)).unwrap());
    store.commit(&put(b"before", 50_000)).unwrap();
    let large = 15 << 20;
    let mut met = 0;
    for round in 0..20_u8 {
        let key = [b'r', round];
        // The disk is emptied of space between the store's look and its writing.
        let batch = put(&key, large);
        let outcome = thread::scope(|scope| {
            let writer = Arc::clone(&store);
            let commit = scope.spawn(move || writer.commit(&batch));
            thread::sleep(Duration::from_millis(1 + u64::from(round % 10) * 3));
            fill(&filler, 0);
            commit.join().unwrap()
        });
        let survived = outcome.is_ok();
        if !survived {
            refused(outcome);
        }
        assert!(
            has(&*store, b"before", 50_000),
            "round {round}: reading must go on, from the reserve if needed"
        );
        met = store.stats().reopened;
        fs::remove_file(&filler).unwrap();
        store.commit(&put(b"after", 50_000)).unwrap_or_else(|error| panic!("round {round}: {error}"));
        if survived {
            assert!(has(&*store, &key, large));
        }
        if met > 0 {
            break;
        }
    }
    assert!(met > 0, "no write met the full disk midway: the test proves nothing");
    assert!(store.verify().unwrap().is_sound());
    drop(store);
    let store = SledStore::open(options(&image)).unwrap();
    assert!(has(&store, b"before", 50_000) && has(&store, b"after", 50_000));
}

#[test]
fn a_store_opens_on_a_full_disk() {
    let Some(image) = Image::new("the start on a full disk", 256) else { return };
    let filler = image.path().join("filler");
    let store = SledStore::open(options(&image)).unwrap();
    store.commit(&put(b"before", 5_000)).unwrap();
    drop(store);
    fill(&filler, 0);
    assert!(free(&image.path()) < 1 << 20);

    let without = SledOptions { reserve_bytes: 0, ..options(&image) };
    let error = SledStore::open(without).err().expect("without a reserve there is no room to open");
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");

    let store = SledStore::open(options(&image)).expect("the reserve is there for this");
    assert!(store.stats().low_space && store.stats().fault.is_none());
    assert!(has(&store, b"before", 5_000));
    refused(store.commit(&put(b"refused", 10)));
    store.commit(put(b"hold", 10).urgent()).unwrap();
    fs::remove_file(&filler).unwrap();
    store.commit(&put(b"after", 10)).unwrap();
    assert!(!store.stats().low_space);
}
