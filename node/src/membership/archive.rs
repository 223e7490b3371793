//! Where accepted trust lists are kept: durable when [`Archive::keep`] returns.
//!
//! Must not know: whether a list deserves to be kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hibiki_protocol::trust::SignedTrustList;

use crate::services::Pending;

/// Accepted lists could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored trust lists cannot be {doing}: {cause}")]
pub struct ArchiveError {
    /// `read` or `written`.
    pub doing: &'static str,
    /// What stood in the way.
    pub cause: String,
}

/// Keeps accepted lists by epoch.
pub trait Archive: Send + Sync {
    /// Every kept list in order of epoch.
    fn load(&self) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>>;

    /// Up to `limit` lists after `epoch`, in order.
    fn after(&self, epoch: u64, limit: usize) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>>;

    /// Keeps a list; returns when it survives a power cut.
    fn keep<'a>(&'a self, epoch: u64, list: &'a SignedTrustList) -> Pending<'a, Result<(), ArchiveError>>;
}

/// Keeps lists in memory: for simulations. Clones share the same lists, so that a simulated node can be
/// "restarted" over them.
#[derive(Clone, Default)]
pub struct MemoryArchive(Arc<Mutex<BTreeMap<u64, SignedTrustList>>>);

impl MemoryArchive {
    /// Nothing kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn lists(&self) -> MutexGuard<'_, BTreeMap<u64, SignedTrustList>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Archive for MemoryArchive {
    fn load(&self) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>> {
        let lists = self.lists().values().cloned().collect();
        Box::pin(async { Ok(lists) })
    }

    fn after(&self, epoch: u64, limit: usize) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>> {
        let from = epoch.saturating_add(1);
        let lists = self.lists().range(from..).take(limit).map(|(_, list)| list.clone()).collect();
        Box::pin(async { Ok(lists) })
    }

    fn keep<'a>(&'a self, epoch: u64, list: &'a SignedTrustList) -> Pending<'a, Result<(), ArchiveError>> {
        self.lists().insert(epoch, list.clone());
        Box::pin(async { Ok(()) })
    }
}
