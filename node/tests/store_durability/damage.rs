//! Damaged and foreign folders: said, never misread, never a panic of the node.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    path::Path,
};

use hibiki_node::store::{Batch, Keyspace, Retry, SledOptions, SledStore, Store, StoreError};

use crate::{Numbers, say};

fn options(dir: &Path) -> SledOptions {
    SledOptions { cache_bytes: 16 << 20, reserve_bytes: 0, ..SledOptions::new(dir.join("store")) }
}

fn fill(dir: &Path, rows: u32) {
    let store = SledStore::open(options(dir)).unwrap();
    for i in 0..rows {
        let mut batch = Batch::new();
        batch.put(Keyspace::Records, i.to_be_bytes(), value(i));
        store.commit(&batch).unwrap();
    }
}

fn value(i: u32) -> Vec<u8> {
    i.to_be_bytes().repeat(if i.is_multiple_of(50) { 20_000 } else { 300 })
}

fn open_error(dir: &Path) -> StoreError {
    let error = SledStore::open(options(dir)).err().expect("must be refused");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn a_store_is_used_by_one_process_at_a_time_and_by_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(options(dir.path())).unwrap();
    let error = open_error(dir.path());
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Later);
    drop(store);
    SledStore::open(options(dir.path())).unwrap();
    let mode = fs::metadata(dir.path().join("store")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn another_segment_size_or_layout_is_refused_and_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("store/sled");
    fs::create_dir_all(&database).unwrap();
    drop(sled::Config::new().path(&database).open().unwrap());
    let conf = fs::read(database.join("conf")).unwrap();
    let error = open_error(dir.path());
    assert!(matches!(error, StoreError::Incompatible { .. }), "{error}");
    assert_eq!(fs::read(database.join("conf")).unwrap(), conf);

    fs::remove_dir_all(&database).unwrap();
    let db = sled::Config::new().path(&database).segment_size(8 << 20).open().unwrap();
    db.insert([0], b"hibiki store 99").unwrap();
    drop(db);
    assert!(matches!(open_error(dir.path()), StoreError::Incompatible { .. }));
}

#[test]
fn missing_files_are_damage_and_not_a_new_store() {
    for missing in ["conf", "db"] {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), 5);
        fs::remove_file(dir.path().join("store/sled").join(missing)).unwrap();
        let error = open_error(dir.path());
        assert!(matches!(error, StoreError::Damaged { .. }), "{missing}: {error}");
        assert!(error.to_string().contains("restore the last backup"), "says the way out: {error}");
        assert!(!dir.path().join("store/sled").join(missing).exists(), "nothing was changed");
    }
}

#[test]
fn leftovers_of_interruptions_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 5);
    let store = dir.path().join("store");
    fs::create_dir_all(store.join("sled.new/blobs")).unwrap();
    fs::write(store.join("sled.new/conf"), b"half").unwrap();
    fs::write(store.join("sled/snap.FFFFFFFFFFFFFFF0.generating"), b"half").unwrap();
    let store = SledStore::open(options(dir.path())).unwrap();
    assert_eq!(store.verify().unwrap().rows[&Keyspace::Records], 5);
    assert!(!dir.path().join("store/sled.new").exists());
}

#[test]
fn files_that_are_never_made_durable_raise_an_alarm() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 5);
    let store = SledStore::open(options(dir.path())).unwrap();
    assert_eq!(store.stats().blob_files, 0);
    fs::write(dir.path().join("store/sled/blobs/123"), b"x").unwrap();
    assert_eq!(store.stats().blob_files, 1);
    let report = store.verify().unwrap();
    assert!(!report.is_sound() && report.problems[0].contains("blobs/"), "{:?}", report.problems);
}

/// Bit rot and torn blocks anywhere in the log or the page table: the store says so, when it opens or when
/// it is verified, and every value it gives is one that was put. It never panics and never alters a value.
#[test]
fn damage_anywhere_is_reported_or_harmless() {
    let sound = tempfile::tempdir().unwrap();
    fill(sound.path(), 400);
    let files: Vec<_> =
        fs::read_dir(sound.path().join("store/sled")).unwrap().flatten().map(|e| e.path()).collect();
    let mut numbers = Numbers(42);
    let (mut refused, mut opened, mut rows_gone) = (0, 0, 0);
    for trial in 0..60 {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("store/sled");
        fs::create_dir_all(database.join("blobs")).unwrap();
        fs::copy(sound.path().join("store/commits"), dir.path().join("store/commits")).unwrap();
        for file in files.iter().filter(|file| file.is_file()) {
            fs::copy(file, database.join(file.file_name().unwrap())).unwrap();
        }
        let candidates: Vec<_> = fs::read_dir(&database)
            .unwrap()
            .flatten()
            .map(|e| e.path())
            .filter(|path| path.is_file())
            .collect();
        // Mostly the log, for that is where everything is.
        let victim = match trial % 4 {
            0 => &candidates[numbers.below(candidates.len() as u64) as usize],
            _ => &database.join("db"),
        };
        let file = fs::OpenOptions::new().read(true).write(true).open(victim).unwrap();
        let len = file.metadata().unwrap().len();
        let used = len.min(3 << 20);
        let at = numbers.below(used);
        match trial % 3 {
            0 => {
                let mut byte = [0];
                file.read_exact_at(&mut byte, at).unwrap();
                file.write_all_at(&[byte[0] ^ (1 << numbers.below(8))], at).unwrap();
            }
            1 => file.write_all_at(&vec![0; numbers.below(60_000).min(len - at) as usize], at).unwrap(),
            _ => file.set_len(at).unwrap(),
        }
        drop(file);
        match SledStore::open(options(dir.path())) {
            Err(error) => {
                refused += 1;
                assert!(
                    matches!(
                        error,
                        StoreError::Damaged { .. } | StoreError::Incompatible { .. } | StoreError::Io { .. }
                    ),
                    "trial {trial}: {error}"
                );
            }
            Ok(store) => {
                opened += 1;
                let gone = read_all(&store, trial);
                let noticed = store.verify().map_or(true, |report| !report.is_sound());
                assert!(gone == 0 || noticed, "trial {trial}: {gone} rows are gone and nothing says so");
                rows_gone += gone;
            }
        }
    }
    say(&format!("damage: {refused} refused, {opened} opened, {rows_gone} rows gone, none altered"));
    assert!(refused > 0);
}

#[test]
fn an_older_copy_of_the_database_is_noticed_and_can_be_accepted() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 5);
    let (database, copy) = (dir.path().join("store/sled"), dir.path().join("copy"));
    fs::create_dir_all(copy.join("blobs")).unwrap();
    let copy_all = |from: &Path, to: &Path| {
        for file in
            fs::read_dir(from).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file())
        {
            fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    };
    copy_all(&database, &copy);
    fill(dir.path(), 10);
    fs::remove_dir_all(&database).unwrap();
    fs::rename(&copy, &database).unwrap();
    let error = open_error(dir.path());
    assert!(error.to_string().contains("last 10 acknowledged commits are missing"), "{error}");
    fs::remove_file(dir.path().join("store/commits")).unwrap();
    let store = SledStore::open(options(dir.path())).unwrap();
    assert_eq!(store.verify().unwrap().rows[&Keyspace::Records], 5);
}

/// Reads what is there; returns how many rows are not.
fn read_all(store: &SledStore, trial: u32) -> u32 {
    let mut gone = 0;
    for i in 0..400_u32 {
        let read = store.snapshot().and_then(|view| view.get(Keyspace::Records, &i.to_be_bytes()));
        match read {
            Ok(Some(found)) => assert!(found == value(i), "trial {trial}: row {i} was altered"),
            Ok(None) => gone += 1,
            Err(error) => {
                assert!(
                    matches!(error, StoreError::Damaged { .. } | StoreError::DiskFailed { .. }),
                    "{error}"
                );
                gone += 1;
            }
        }
    }
    gone
}
