//! A store in memory whose commits a test may refuse, before or after they are done.

use super::{Batch, Capabilities, MemoryStore, Result, Snapshot, Store, StoreStats, VerifyReport};

/// The store, and what is to become of each commit.
pub(crate) struct Intercepted<F> {
    inner: MemoryStore,
    commit: F,
}

impl<F: Fn(&MemoryStore, &Batch) -> Result<()> + Send + Sync> Intercepted<F> {
    /// Every commit to `inner` goes through `commit`.
    pub(crate) fn new(inner: MemoryStore, commit: F) -> Self {
        Self { inner, commit }
    }
}

impl<F: Fn(&MemoryStore, &Batch) -> Result<()> + Send + Sync> Store for Intercepted<F> {
    fn commit(&self, batch: &Batch) -> Result<()> {
        (self.commit)(&self.inner, batch)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.inner.snapshot()
    }

    fn verify(&self) -> Result<VerifyReport> {
        self.inner.verify()
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}
