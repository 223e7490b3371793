//! What outlives the process and grows with its work: the record store, the ledger, a witness's memory.
//!
//! Keys, lists and configuration are ordinary files and not meant here. Must not know: what is kept.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::config::{self, Engine};
use crate::ledger::{DiskStorage, Ledger, OpenError, Setup, Storage};
use crate::store::{Committer, MemoryStore, SledOptions, SledStore, Store, StoreError};

/// Opens what lasts. Opened again after the process ended, each is as it was last acknowledged.
pub trait Disks: Send + Sync + fmt::Debug + 'static {
    /// The record store.
    ///
    /// # Errors
    /// It cannot be used; the node must not serve then.
    fn store(&self, config: &config::Store) -> Result<Arc<dyn Store>, StoreError>;

    /// The store's one writer.
    ///
    /// # Errors
    /// The system gives no thread.
    fn committer(&self, store: Arc<dyn Store>) -> io::Result<Committer>;

    /// The ledger in `folder`; see [`Ledger::open`].
    ///
    /// # Errors
    /// As [`Ledger::open`].
    fn ledger(&self, folder: &Path, setup: Setup, now: u64) -> Result<Ledger, OpenError>;

    /// A folder of small files, each replaced whole.
    ///
    /// # Errors
    /// It cannot be made, or another process has it.
    fn folder(&self, folder: &Path) -> io::Result<Arc<dyn Storage>>;
}

/// The disks of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisks;

impl Disks for SystemDisks {
    fn store(&self, config: &config::Store) -> Result<Arc<dyn Store>, StoreError> {
        match config.engine {
            Engine::Memory => Ok(Arc::new(MemoryStore::new())),
            Engine::Sled => {
                let options = SledOptions {
                    cache_bytes: config.cache_mib << 20,
                    reserve_bytes: config.ballast_mib << 20,
                    low_bytes: config.low_space_mib << 20,
                    ..SledOptions::new(&config.path)
                };
                Ok(Arc::new(SledStore::open(options)?))
            }
        }
    }

    fn committer(&self, store: Arc<dyn Store>) -> io::Result<Committer> {
        Committer::start(store)
    }

    fn ledger(&self, folder: &Path, setup: Setup, now: u64) -> Result<Ledger, OpenError> {
        Ledger::open(folder, setup, now)
    }

    fn folder(&self, folder: &Path) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(DiskStorage::open(folder)?))
    }
}
