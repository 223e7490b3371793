//! What an engine says about itself.

use std::collections::BTreeMap;

use super::Keyspace;

/// What a full reading found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Rows per keyspace.
    pub rows: BTreeMap<Keyspace, u64>,
    /// Key and value bytes read.
    pub bytes: u64,
    /// What is wrong, one sentence each; never contains stored bytes. Empty when all is well.
    pub problems: Vec<String>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Figures for metrics and `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// `sled` or `memory`.
    pub engine: &'static str,
    /// Durable commits since the start (a group counts once).
    pub commits: u64,
    /// Commits that failed since the start.
    pub failures: u64,
    /// Key and value bytes committed since the start.
    pub bytes_committed: u64,
    /// Times the engine reopened itself after a write error.
    pub reopened: u64,
    /// Only urgent batches are accepted, because the disk is nearly full.
    pub low_space: bool,
    /// Bytes free on the file system; `None` where there is none.
    pub free_bytes: Option<u64>,
    /// Bytes the store occupies on disk; `None` where there is none.
    pub disk_bytes: Option<u64>,
    /// Files in sled's `blobs/`. They are never made durable by sled, so anything but 0 is an alarm.
    pub blob_files: u64,
    /// Why nothing can be read or written, if so.
    pub fault: Option<String>,
}

/// What an engine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// An acknowledged commit survives the loss of power.
    pub power_durable: bool,
    /// Data survives the end of the process.
    pub persistent: bool,
    /// Several node processes may use the same data at once.
    pub shared: bool,
    /// Old values may stay readable in the engine's files after they were overwritten or deleted, so that
    /// erasing must be done by destroying keys.
    pub keeps_old_copies: bool,
}
