//! The institution's own storage: one interface, several engines.
//!
//! Owns: what a commit promises (atomic over all keyspaces, acknowledged only when it survives a power
//! cut), consistent snapshots, paged scans, size limits. Must not know: what the bytes mean, who asks,
//! any cryptography (values arrive sealed), time.
//!
//! The interface is shaped so that a networked engine fits behind it: no callbacks run inside the engine,
//! scans come in pages, batches are bounded, optimistic concurrency is a [`Batch::require`] and every
//! error says whether trying again makes sense ([`StoreError::retry`]).
//!
//! Engines: [`SledStore`] (embedded, default) and [`MemoryStore`] (simulation). Both pass the suite in
//! `node/tests/store_conformance.rs`. Daemon code writes through a [`Committer`], which turns many small
//! commits into one.

mod batch;
mod committer;
mod error;
#[cfg(test)]
mod intercepted;
mod keyspace;
mod memory;
mod report;
mod sled;

#[cfg(test)]
pub(crate) use self::intercepted::Intercepted;
pub use batch::{BATCH_BYTES_MAX, BATCH_OPS_MAX, Batch, KEY_BYTES_MAX, SCAN_ROWS_MAX, VALUE_BYTES_MAX};
pub use committer::{Committer, GROUP_BATCHES_MAX};
pub use error::{Retry, StoreError};
pub use keyspace::Keyspace;
pub use memory::MemoryStore;
pub use report::{Capabilities, StoreStats, VerifyReport};
pub use sled::{SledOptions, SledStore};

/// Result of a storage operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// One key and its value, as a scan returns them.
pub type Row = (Vec<u8>, Vec<u8>);

/// A storage engine. Blocking: call it from the committer's thread, from a blocking pool, or directly where
/// a few microseconds do not matter.
pub trait Store: Send + Sync {
    /// Applies the whole batch or nothing, and returns only when it would survive a power cut.
    ///
    /// An empty batch is a barrier: it returns when everything visible so far is durable.
    ///
    /// # Errors
    /// After [`StoreError::TooLarge`], [`StoreError::Conflict`], [`StoreError::Closed`] and a
    /// [`StoreError::NoSpace`] met before writing, nothing was changed. After any other error the batch is
    /// either wholly there or wholly absent, and only a later read tells: make batches safe to repeat.
    fn commit(&self, batch: &Batch) -> Result<()>;

    /// A consistent view of everything committed before this call. Commits go on meanwhile; a view that is
    /// kept through very many of them ends with [`StoreError::SnapshotTooOld`]. It may show a commit whose
    /// acknowledgement is still on its way.
    ///
    /// # Errors
    /// The engine's state, when it cannot read at all.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;

    /// Reads everything and reports what is wrong. Slow; for the operator and the nightly check.
    ///
    /// # Errors
    /// Only when reading itself is impossible; found damage is in the report.
    fn verify(&self) -> Result<VerifyReport>;

    /// Figures for metrics and `status`. Cheap; never fails.
    fn stats(&self) -> StoreStats;

    /// Whether only urgent batches are taken. Cheap enough to ask before every release.
    fn low_space(&self) -> bool {
        self.stats().low_space
    }

    /// What this engine can do.
    fn capabilities(&self) -> Capabilities;
}

/// A consistent view. Keep it for one request, not longer.
pub trait Snapshot {
    /// The value of `key`, if any.
    ///
    /// # Errors
    /// [`StoreError::SnapshotTooOld`] or the engine's state.
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Up to `limit` rows (at most [`SCAN_ROWS_MAX`]) whose key starts with `prefix` and is greater than
    /// `after`, in byte order of the key. Fewer rows than `min(limit, SCAN_ROWS_MAX)` means: that was the end.
    ///
    /// # Errors
    /// [`StoreError::SnapshotTooOld`] or the engine's state.
    fn scan(&self, keyspace: Keyspace, prefix: &[u8], after: Option<&[u8]>, limit: usize)
    -> Result<Vec<Row>>;
}
