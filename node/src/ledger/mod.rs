//! The institution's append-only ledger: every release, refusal and administrative act, durable before its
//! effect leaves the house, and provable by anybody afterwards.
//!
//! Owns the folder `ledger/` beside the store:
//!
//! ```text
//! checkpoint                  the newest signed head (c2sp.org/tlog-checkpoint)
//! checkpoints                 every head that was ever signed
//! cosigned                    the newest head that enough witnesses cosigned (c2sp.org/tlog-cosignature)
//! tile/<L>/<N>[.p/<W>]        hashes             \ c2sp.org/tlog-tiles: copy these three and
//! tile/entries/<N>[.p/<W>]    leaves             / any verifier can check the ledger
//! journal/<number>            leaves with the full entries, sealed: durable first, and never leaves the house
//! lock                        held by the running node
//! ```
//!
//! Must not know what an entry means, who may read it, or how the keyring encrypts: see [`EntrySealer`].
//! Functions that read are ordinary blocking calls; on a busy runtime call them from a blocking task.

pub mod details;
mod disk;
mod engine;
mod entry;
mod error;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod faulty;
mod head;
mod index;
mod journal;
mod memory;
mod open;
mod opened;
mod promised;
mod published;
mod read;
mod record;
mod replay;
mod seal;
mod stand;
mod storage;
#[cfg(test)]
mod tell_tests;
pub mod telling;
#[cfg(test)]
mod tests;
mod tiles;
mod verify;
mod writer;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

pub use disk::DiskStorage;
pub use entry::{Content, Details, Entry, Logged, Receipt, Told};
pub use error::{CheckpointFailure, NotLogged, OpenError, ReadError};
pub use hibiki_protocol::tlog::{DigestKind, EntryKind, LogProof};
pub use journal::Sizes;
pub use memory::MemoryStorage;
pub use opened::{OpenedEntry, open_entries, subjects};
pub use promised::{Promised, Standing};
pub use read::{Grown, Proofs, TELLING_SCAN_MAX, Telling};
pub use seal::{EntrySealer, SealError, SubjectKey};
pub use storage::Storage;
pub use verify::{Check, Outcome, Report, verify_folder};

use engine::Engine;
use hibiki_protocol::tlog::{NoteSigner, VerifierKey};
use index::Index;
use journal::Urgency;
use stand::Stand;

use crate::env::Entropy;

/// What a ledger needs beside its folder.
#[derive(Clone)]
pub struct Setup {
    /// The log key under the name of the ledger (its origin), such as `maebashi/chuo-hospital/ledger`.
    pub signer: Arc<NoteSigner>,
    /// Who encrypts full entries.
    pub sealer: Arc<dyn EntrySealer>,
    /// Where salts come from.
    pub entropy: Arc<dyn Entropy>,
    /// How space is taken.
    pub sizes: Sizes,
}

/// A handle on the open ledger. Cheap to clone; clones share the one writer.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    setup: Setup,
    storage: Arc<dyn Storage>,
    index: Arc<RwLock<Index>>,
    stand: Arc<Stand>,
    engine: Engine,
}

impl Ledger {
    /// Opens the ledger in a folder, or begins one, and logs the start at `now` (milliseconds since the Unix
    /// epoch). Reads the whole journal. The writer gets a thread of its own.
    ///
    /// # Errors
    /// [`OpenError`]; the node must not serve then. A full disk is no error: the ledger opens, and entries
    /// are refused until there is space.
    pub fn open(folder: &Path, setup: Setup, now: u64) -> Result<Self, OpenError> {
        let storage = DiskStorage::open(folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => OpenError::Io { path: String::new(), source: error },
        })?;
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let (writer, index) = open::open(&storage, &setup, now)?;
        let stand = Arc::clone(&writer.stand);
        let engine = Engine::thread(writer).map_err(OpenError::io("thread"))?;
        Ok(Self { inner: Arc::new(Inner { setup, storage, index, stand, engine }) })
    }

    /// Opens a ledger on any storage, without a thread: every call is done when it returns. For simulations,
    /// with a [`MemoryStorage`] that outlives the simulated node.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn inline(storage: Arc<dyn Storage>, setup: Setup, now: u64) -> Result<Self, OpenError> {
        let (writer, index) = open::open(&storage, &setup, now)?;
        let stand = Arc::clone(&writer.stand);
        let engine = Engine::inline(writer);
        Ok(Self { inner: Arc::new(Inner { setup, storage, index, stand, engine }) })
    }

    /// A new ledger in memory.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn memory(setup: Setup, now: u64) -> Result<Self, OpenError> {
        Self::inline(Arc::new(MemoryStorage::new()), setup, now)
    }

    /// The name of the ledger.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.inner.setup.signer.verifier_key().name()
    }

    /// The key that its checkpoints verify with.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        self.inner.setup.signer.verifier_key()
    }

    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        read_lock(&self.inner.index).size()
    }

    /// How many entries the newest checkpoint covers.
    #[must_use]
    pub fn signed_size(&self) -> u64 {
        read_lock(&self.inner.index).head.as_ref().map_or(0, |head| head.checkpoint.size)
    }

    /// Whether a former run has answered this sealed part, by the entries it left: what a run remembers itself of
    /// queries dies with it, and a gateway may have kept the part. Only for as long as a query can be accepted.
    #[must_use]
    pub fn answered_in_a_former_run(&self, part: &[u8; 32]) -> bool {
        read_lock(&self.inner.index).has_answered(part)
    }

    /// Logs an entry. It is durable when this returns; if this fails, whatever the entry was to permit must
    /// not happen.
    ///
    /// # Errors
    /// [`NotLogged`].
    pub async fn append(&self, entry: Entry) -> Result<Receipt, NotLogged> {
        self.log(&entry, Urgency::Ordinary).await
    }

    /// Logs a hold, a revocation, or another entry that protects somebody: on a full disk it may use the
    /// reserve.
    ///
    /// # Errors
    /// [`NotLogged`].
    pub async fn append_reserved(&self, entry: Entry) -> Result<Receipt, NotLogged> {
        self.log(&entry, Urgency::Reserved).await
    }

    async fn log(&self, entry: &Entry, urgency: Urgency) -> Result<Receipt, NotLogged> {
        self.inner.stand.admits(entry.kind(), urgency)?;
        let Setup { sealer, entropy, .. } = &self.inner.setup;
        let prepared = entry::Prepared::new(entry, self.origin(), entropy.as_ref(), sealer.as_ref())?;
        self.inner.engine.append((prepared, urgency)).await
    }

    /// Signs the present state and returns the note. Writes nothing if there is nothing new.
    ///
    /// # Errors
    /// [`CheckpointFailure`]; the entries themselves are safe.
    pub async fn checkpoint(&self) -> Result<String, CheckpointFailure> {
        self.inner.engine.checkpoint(false).await
    }

    /// Signs a checkpoint every `period` for ever. To be spawned beside the node; drop it to end it.
    pub async fn keep_signing(&self, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.checkpoint().await {
                Ok(_) => {}
                Err(CheckpointFailure::Closed) => return,
                // Said once, by whoever halted it.
                Err(CheckpointFailure::Halted) => {}
                Err(error) => tracing::warn!(%error, "a checkpoint of the ledger failed"),
            }
        }
    }

    /// The newest checkpoint, as a signed note; `None` before the first.
    #[must_use]
    pub fn newest_checkpoint(&self) -> Option<String> {
        read_lock(&self.inner.index).head.as_ref().map(|head| head.note.clone())
    }

    /// The newest checkpoint that enough witnesses have cosigned, a note with their cosignatures.
    #[must_use]
    pub fn cosigned(&self) -> Option<String> {
        read_lock(&self.inner.index).cosigned.as_ref().map(|head| head.note.clone())
    }

    /// Keeps a checkpoint of this ledger with its witnesses' cosignatures, durably. At the next start the ledger
    /// must have at least these entries, or it does not open.
    ///
    /// # Errors
    /// [`CheckpointFailure`]; the one kept before stays.
    pub async fn keep_cosigned(&self, note: String) -> Result<(), CheckpointFailure> {
        self.inner.engine.keep_cosigned(note).await
    }

    /// Whether witnesses have been missing for so long that nothing may be released: entries that go before a
    /// release are refused then.
    pub fn set_unwitnessed(&self, unwitnessed: bool) {
        self.inner.stand.set_unwitnessed(unwitnessed);
    }

    /// Signs nothing more, and takes only what protects somebody, until the node is started again: this is not
    /// the ledger its witnesses know.
    pub fn halt(&self, reason: &str) {
        self.inner.stand.halt(reason.to_owned());
    }

    /// Why the ledger is halted, if it is.
    #[must_use]
    pub fn halted(&self) -> Option<String> {
        self.inner.stand.halted()
    }

    /// Logs the stop at `now`, signs the last checkpoint and ends the writer. Later calls fail as closed.
    ///
    /// # Errors
    /// [`CheckpointFailure`]. A stop that could not be logged is no error: the next start tells.
    pub async fn close(&self, now: u64, reason: &str) -> Result<String, CheckpointFailure> {
        let stop = details::Stop { reason: reason.to_owned() };
        let logged = match Entry::new(now, None, &stop) {
            Ok(stop) => self.append_reserved(stop).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = logged {
            tracing::warn!(%error, "the stop of the node is not in the ledger");
        }
        self.inner.engine.checkpoint(true).await
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({}, {} entries)", self.origin(), self.size())
    }
}

/// A reader of the index. A thread that panicked while holding the lock has not left it half written: every
/// change is a push.
fn read_lock(index: &RwLock<Index>) -> RwLockReadGuard<'_, Index> {
    index.read().unwrap_or_else(PoisonError::into_inner)
}

/// The writer of the index.
fn write_lock(index: &RwLock<Index>) -> RwLockWriteGuard<'_, Index> {
    index.write().unwrap_or_else(PoisonError::into_inner)
}
