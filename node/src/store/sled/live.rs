//! An open sled database, fenced in: every call may panic inside sled, and none of its errors may be
//! mistaken for an acknowledgement.
//!
//! Owns: sled's settings and the real `fdatasync` that sled's `flush` leaves out on Linux (it calls
//! `sync_file_range`, which writes no metadata and no disk cache; see sled issue 1452).

use std::{
    fs::File,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use super::{
    SEGMENT_BYTES, directory,
    layout::{FORMAT, FORMAT_KEY, TALLY_KEY, Writes},
    tally::{Tally, Witness},
};
use crate::store::{Result, StoreError, error::means_no_space};

/// How often an opening is tried again while a former opening of ours still lets go of its lock.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Why a call into sled did not do what was asked.
pub(super) enum Failure {
    /// Sled says so.
    Engine(sled::Error),
    /// Sled panicked: its state is unknown.
    Panic(String),
    /// The data was written but could not be made durable.
    Sync(io::Error),
    /// A requirement of the batch does not hold.
    Conflict,
    /// A row contradicts itself.
    Row(&'static str),
}

impl From<sled::Error> for Failure {
    fn from(error: sled::Error) -> Self {
        Self::Engine(error)
    }
}

/// Runs `work`, which calls into sled, and turns a panic into a failure.
pub(super) fn fenced<T>(
    work: impl FnOnce() -> std::result::Result<T, Failure>,
) -> std::result::Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Failure::Panic(words_of(&*panic))))
}

/// An open database.
pub(super) struct Live {
    pub(super) db: sled::Db,
    /// Sled's log, opened a second time. `None` only in the negative control of the power-cut test.
    log: Option<File>,
    /// What the database holds, uncommitted changes never included.
    tally: Mutex<Tally>,
    witness: Witness,
}

impl Live {
    /// Opens the database in the store's folder `dir`, making it if there is none.
    pub(super) fn open(dir: &Path, cache_bytes: u64, durable: bool) -> Result<Self> {
        let database = directory::database(dir);
        if !database.exists() {
            create(dir, cache_bytes)?;
        }
        directory::inspect(&database)?;
        let db = open_patiently(&database, cache_bytes)?;
        let tally = fenced(|| head(&db)).map_err(|failure| failure.open_error(&database))?;
        let witness = Witness::open(dir, tally)?;
        let log = File::open(database.join("db")).map_err(|error| StoreError::io("open the log", &error))?;
        let synced = log.sync_all().and_then(|()| directory::sync_dir(&database));
        synced.map_err(|error| Failure::Sync(error).open_error(&database))?;
        Ok(Self { db, log: durable.then_some(log), tally: Mutex::new(tally), witness })
    }

    /// What the database holds.
    pub(super) fn tally(&self) -> Tally {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies changes in memory and in sled's buffers, atomically.
    pub(super) fn apply(&self, writes: &Writes) -> std::result::Result<(), Failure> {
        let mut batch = sled::Batch::default();
        for (key, entry) in writes {
            match entry {
                Some(entry) => batch.insert(key.as_slice(), entry.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        Ok(self.db.apply_batch(batch)?)
    }

    /// Returns when everything applied so far would survive a power cut; `tally` is what it holds then.
    pub(super) fn sync(&self, tally: Tally) -> std::result::Result<(), Failure> {
        self.db.flush()?;
        self.log.as_ref().map_or(Ok(()), File::sync_data).map_err(Failure::Sync)?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally;
        self.witness.note(tally);
        Ok(())
    }
}

/// Reads the rows about the database itself.
fn head(db: &sled::Db) -> std::result::Result<Tally, Failure> {
    match db.get(FORMAT_KEY)? {
        Some(format) if format == FORMAT => {}
        Some(_) => {
            return Err(Failure::Engine(sled::Error::Unsupported("its rows are of another version".into())));
        }
        None => return Err(Failure::Row("its first row is missing")),
    }
    let tally = db.get(TALLY_KEY)?.and_then(|entry| Tally::parse(&entry));
    tally.ok_or(Failure::Row("its row of counts is missing"))
}

impl Failure {
    /// Whether the disk is full: the one failure that mends itself.
    pub(super) fn is_no_space(&self) -> bool {
        matches!(self, Self::Engine(sled::Error::Io(error)) if means_no_space(error.kind()))
    }

    /// The error for a database that could not be opened.
    fn open_error(self, database: &Path) -> StoreError {
        let path = database.to_owned();
        match self {
            Self::Engine(sled::Error::Io(error)) if error.to_string().contains("acquire lock") => {
                StoreError::InUse { path }
            }
            Self::Engine(sled::Error::Io(error)) => StoreError::io("open the store", &error),
            Self::Engine(sled::Error::Unsupported(reason)) => StoreError::Incompatible { path, reason },
            other => other.error(database),
        }
    }

    /// The error for a database that was open.
    pub(super) fn error(self, database: &Path) -> StoreError {
        let path = database.to_owned();
        match self {
            Self::Conflict => StoreError::Conflict,
            Self::Sync(error) | Self::Engine(sled::Error::Io(error)) => {
                StoreError::DiskFailed { path, what: error.to_string() }
            }
            Self::Engine(error) => StoreError::Damaged { path, what: format!("the engine says: {error}") },
            Self::Panic(words) => StoreError::Damaged { path, what: format!("the engine gave up: {words}") },
            Self::Row(what) => StoreError::Damaged { path, what: what.to_owned() },
        }
    }
}

fn create(dir: &Path, cache_bytes: u64) -> Result<()> {
    let new = directory::unfinished(dir);
    let db = open_patiently(&new, cache_bytes)?;
    let made = fenced(|| {
        db.insert(FORMAT_KEY, FORMAT)?;
        db.insert(TALLY_KEY, Tally::default().entry())?;
        db.flush()?;
        Ok(())
    });
    made.map_err(|failure| failure.open_error(&new))?;
    drop(db);
    directory::publish(dir).map_err(|error| StoreError::io("make the new store durable", &error))
}

fn open_patiently(database: &Path, cache_bytes: u64) -> Result<sled::Db> {
    let mut tries = 1;
    loop {
        match open_guarded(database, cache_bytes) {
            Err(StoreError::InUse { .. }) if tries < LOCK_TRIES => {
                tries += 1;
                #[expect(
                    clippy::disallowed_methods,
                    reason = "sled's lock is let go by its own threads; this is the committer's thread or start-up"
                )]
                thread::sleep(LOCK_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Opens in a thread of its own: sled answers some damage with a panic while it recovers.
fn open_guarded(database: &Path, cache_bytes: u64) -> Result<sled::Db> {
    let config = sled::Config::new()
        .path(database)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(cache_bytes)
        .flush_every_ms(None)
        .use_compression(false);
    let opened = thread::scope(|scope| {
        let opener =
            thread::Builder::new().name("store-open".to_owned()).spawn_scoped(scope, || config.open());
        opener.map(thread::ScopedJoinHandle::join)
    });
    match opened {
        Err(error) => Err(StoreError::io("start a thread", &error)),
        Ok(Err(panic)) => Err(Failure::Panic(words_of(&*panic)).open_error(database)),
        Ok(Ok(opened)) => opened.map_err(|error| Failure::Engine(error).open_error(database)),
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied();
    let words =
        words.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given");
    // Sled's messages may carry page contents after the first sentence.
    words.lines().next().unwrap_or_default().chars().take(120).collect()
}
