//! The embedded engine: sled 0.34.7, with what it leaves out.
//!
//! What sled does not do by itself on Linux and this engine does: make a commit survive a power cut
//! (`fdatasync` of the log after every flush), keep large pages out of the never-synced `blobs/` (segments
//! of 8 MiB, long values in pieces), open on a full disk (a reserve of real blocks), go on after a full disk
//! without a restart (it reopens itself), give consistent snapshots, and report damage instead of panicking.
//! Limits: a local ext4 or xfs; sled keeps old copies of overwritten values, so erasing means destroying
//! keys. A panic inside sled can be caught only where panics unwind (`panic = "unwind"`).
//!
//! Owns: the state machine open → waiting for room → open, and → broken. Must not know: what values mean.

mod directory;
mod layout;
mod live;
mod snapshot;
mod space;
mod tally;
mod undo;
mod verify;

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use self::{
    layout::Writes,
    live::{Failure, Live, fenced},
    snapshot::{ReadFailure, SledSnapshot},
    space::Space,
    undo::{Before, Undo},
};
use super::{Batch, Capabilities, Result, Snapshot, Store, StoreError, StoreStats, VerifyReport};

/// Sled's segment size, fixed when a database is made. A page over a quarter of it becomes a file in
/// `blobs/` that sled never makes durable.
const SEGMENT_BYTES: usize = 8 << 20;

/// How to open a sled store.
#[derive(Clone, Debug)]
pub struct SledOptions {
    /// The store's folder, made if missing, readable by its owner only.
    pub dir: PathBuf,
    /// Bytes of pages sled keeps in memory. It exceeds this at times.
    pub cache_bytes: u64,
    /// Bytes of disk set aside for urgent writes and for opening on a full disk; 0 sets none aside and gives
    /// up both.
    pub reserve_bytes: u64,
    /// Free bytes below which only urgent batches are taken; 0 for no more than the store itself needs.
    pub low_bytes: u64,
}

impl SledOptions {
    /// 256 MiB of cache and 64 MiB of reserve.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), cache_bytes: 256 << 20, reserve_bytes: 64 << 20, low_bytes: 0 }
    }
}

/// A store in a folder of this machine.
pub struct SledStore {
    options: SledOptions,
    durable: bool,
    /// Held by the one commit at work, and while reopening.
    writer: Mutex<()>,
    /// Read for the length of one operation, written only to change the state.
    state: RwLock<State>,
    undo: Undo,
    space: Space,
    figures: Figures,
}

enum State {
    Open(Live),
    /// A write found no room and the database has not been opened again yet.
    Waiting,
    /// Only a person can help.
    Broken(StoreError),
}

#[derive(Default)]
struct Figures {
    commits: AtomicU64,
    failures: AtomicU64,
    bytes: AtomicU64,
    reopened: AtomicU64,
}

impl SledStore {
    /// Opens the store, making it if the folder has none. On a full disk the reserve is spent for it.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Incompatible`], [`StoreError::Damaged`] (also where sled itself
    /// would panic), [`StoreError::NoSpace`] when even the reserve is not enough, [`StoreError::Io`].
    pub fn open(options: SledOptions) -> Result<Self> {
        Self::open_inner(options, true)
    }

    /// Opens the store with plain sled durability: acknowledged commits are lost in a power cut. The
    /// negative control of the power-cut test needs it to show that the test can fail; nothing else may
    /// call it, and no configuration leads here.
    ///
    /// # Errors
    /// As [`Self::open`].
    #[doc(hidden)]
    pub fn open_without_fdatasync_as_negative_control(options: SledOptions) -> Result<Self> {
        Self::open_inner(options, false)
    }

    fn open_inner(options: SledOptions, durable: bool) -> Result<Self> {
        directory::prepare(&options.dir)?;
        let space = Space::new(&options.dir, options.reserve_bytes, options.low_bytes);
        space.before_open();
        let live = Live::open(&options.dir, options.cache_bytes, durable).map_err(|error| match error {
            StoreError::Io { kind, .. } if super::error::means_no_space(kind) => space.exhausted(),
            other => other,
        })?;
        if space.is_low() {
            tracing::warn!("low space: the store is open, only urgent writes are taken until there is room");
        }
        Ok(Self {
            options,
            durable,
            writer: Mutex::default(),
            state: RwLock::new(State::Open(live)),
            undo: Undo::default(),
            space,
            figures: Figures::default(),
        })
    }

    fn commit_alone(&self, batch: &Batch) -> Result<()> {
        batch.check()?;
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.reopen_if_waiting()?;
        if !batch.is_empty() {
            self.space.admit(batch.bytes(), batch.is_urgent())?;
        }
        let outcome = {
            let state = self.state();
            let live = state.live()?;
            fenced(|| self.apply(live, batch))
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(Failure::Conflict) => Err(StoreError::Conflict),
            Err(failure) => Err(self.fail(failure)),
        }
    }

    fn apply(&self, live: &Live, batch: &Batch) -> std::result::Result<(), Failure> {
        let mut writes = Writes::new();
        for (keyspace, key, wanted) in batch.requirements() {
            let row = layout::row_key(keyspace, key);
            let value = match live.db.get(row)? {
                None => None,
                Some(entry) => layout::assemble(keyspace, key, &entry, |piece| {
                    Ok::<_, sled::Error>(live.db.get(piece)?.map(|entry| entry.to_vec()))
                })?,
            };
            if value.as_deref() != wanted {
                return Err(Failure::Conflict);
            }
        }
        let mut tally = live.tally();
        for (keyspace, key, value) in batch.changes() {
            let present = live.db.get(layout::row_key(keyspace, key))?;
            tally.rows += u64::from(value.is_some());
            tally.rows = tally.rows.saturating_sub(u64::from(present.is_some()));
            layout::plan(&mut writes, keyspace, key, value, present.as_deref());
        }
        if !writes.is_empty() {
            tally.commits += 1;
            writes.insert(layout::TALLY_KEY.to_vec(), Some(tally.entry()));
            let _gate = self.undo.gate();
            self.undo.publish(|| {
                let entry = |key: &Vec<u8>| Ok((key.clone(), live.db.get(key)?.map(|entry| entry.to_vec())));
                writes.keys().map(entry).collect::<std::result::Result<Before, sled::Error>>()
            })?;
            live.apply(&writes)?;
        }
        live.sync(tally)
    }

    /// Takes the engine out of service after a failure. A full disk is left by reopening: sled keeps its
    /// first write error until then. Called with `writer` held.
    fn fail(&self, failure: Failure) -> StoreError {
        let error = if failure.is_no_space() { None } else { Some(failure.error(&self.options.dir)) };
        let panicked = matches!(error, Some(StoreError::Damaged { .. }));
        let next = error.clone().map_or(State::Waiting, State::Broken);
        let old = std::mem::replace(&mut *self.state_mut(), next);
        self.undo.clear();
        if panicked {
            // Sled's own clean-up could hang or panic again on a state it has given up.
            std::mem::forget(old);
        } else {
            drop(old);
        }
        match error {
            Some(error) => {
                tracing::error!(%error, "the store is out of service");
                error
            }
            None => {
                let full = self.space.exhausted();
                if let Err(error) = self.reopen_if_waiting() {
                    tracing::error!(%error, "the disk is full: the store opens again when there is room");
                }
                full
            }
        }
    }

    /// Opens the database again if it waits for room and there is some. Called with `writer` held.
    fn reopen_if_waiting(&self) -> Result<()> {
        if !matches!(*self.state(), State::Waiting) {
            return Ok(());
        }
        self.space.before_open();
        if !self.space.can_open() {
            return Err(self.space.exhausted());
        }
        match Live::open(&self.options.dir, self.options.cache_bytes, self.durable) {
            Ok(live) => {
                *self.state_mut() = State::Open(live);
                self.undo.clear();
                self.figures.reopened.fetch_add(1, Relaxed);
                tracing::warn!("the store opened itself again after a full disk");
                Ok(())
            }
            Err(StoreError::Io { kind, .. }) if super::error::means_no_space(kind) => {
                Err(self.space.exhausted())
            }
            Err(error) if error.retry() == super::Retry::Later => Err(error),
            Err(error) => {
                *self.state_mut() = State::Broken(error.clone());
                Err(error)
            }
        }
    }

    /// Runs one read.
    fn read<T>(&self, work: impl FnOnce(&Live) -> std::result::Result<T, ReadFailure>) -> Result<T> {
        self.try_read(work).map_err(|failure| self.fail_read(failure))
    }

    /// Runs one read, leaving a failure to [`Self::fail_read`], which must not be called with the gate held.
    fn try_read<T>(
        &self,
        work: impl FnOnce(&Live) -> std::result::Result<T, ReadFailure>,
    ) -> std::result::Result<T, ReadFailure> {
        let state = self.state();
        let live = state.live().map_err(ReadFailure::Refused)?;
        fenced(|| Ok(work(live))).unwrap_or_else(|panic| Err(ReadFailure::Engine(panic)))
    }

    fn fail_read(&self, failure: ReadFailure) -> StoreError {
        match failure {
            ReadFailure::Refused(error) => error,
            // A latched write error shows in reads, too: the commit that met it is reopening the engine.
            ReadFailure::Engine(failure) if failure.is_no_space() => self.space.exhausted(),
            ReadFailure::Engine(failure) => {
                let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
                self.fail(failure)
            }
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reopens if it waits for room, unless a commit is at work on the same.
    fn try_reopen(&self) -> Result<()> {
        match self.writer.try_lock() {
            Ok(_writer) => self.reopen_if_waiting(),
            Err(_) => Ok(()),
        }
    }
}

impl State {
    fn live(&self) -> Result<&Live> {
        match self {
            Self::Open(live) => Ok(live),
            Self::Waiting => Err(StoreError::NoSpace { free: 0, need: space::HEADROOM_BYTES }),
            Self::Broken(error) => Err(error.clone()),
        }
    }
}

impl Store for SledStore {
    fn commit(&self, batch: &Batch) -> Result<()> {
        let outcome = self.commit_alone(batch);
        match outcome {
            Ok(()) => {
                self.figures.commits.fetch_add(1, Relaxed);
                self.figures.bytes.fetch_add(batch.bytes() as u64, Relaxed);
            }
            Err(_) => _ = self.figures.failures.fetch_add(1, Relaxed),
        }
        outcome
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.try_reopen()?;
        self.state().live()?;
        Ok(Box::new(SledSnapshot::new(self)))
    }

    fn verify(&self) -> Result<VerifyReport> {
        self.try_reopen()?;
        verify::verify(self)
    }

    fn stats(&self) -> StoreStats {
        let fault = self.try_reopen().and_then(|()| self.state().live().map(|_| ())).err();
        let database = directory::database(&self.options.dir);
        StoreStats {
            engine: "sled",
            commits: self.figures.commits.load(Relaxed),
            failures: self.figures.failures.load(Relaxed),
            bytes_committed: self.figures.bytes.load(Relaxed),
            reopened: self.figures.reopened.load(Relaxed),
            low_space: self.space.is_low(),
            free_bytes: Some(self.space.free()),
            disk_bytes: Some(directory::disk_bytes(&database)),
            blob_files: directory::blob_files(&database),
            fault: fault.map(|error| error.to_string()),
        }
    }

    fn low_space(&self) -> bool {
        self.space.is_low()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { power_durable: self.durable, persistent: true, shared: false, keeps_old_copies: true }
    }
}
