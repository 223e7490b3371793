//! The engine of the simulation: everything in memory, nothing on disk.
//!
//! Owns: ordered maps, one per keyspace, shared copy-on-write with the snapshots taken of them. It can play
//! a full disk, so that a simulated federation meets one. Must not know: files, threads, time.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::{
    Batch, Capabilities, Keyspace, Result, Row, SCAN_ROWS_MAX, Snapshot, Store, StoreError, StoreStats,
    VerifyReport,
};

type Table = BTreeMap<Vec<u8>, Arc<[u8]>>;

/// A store in memory. Clones share the same data, so that a simulated node can be "restarted" over it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    tables: BTreeMap<Keyspace, Arc<Table>>,
    stats: StoreStats,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plays a nearly full disk: only urgent batches are accepted until it is called with `false`.
    pub fn set_low_space(&self, low: bool) {
        self.write().stats.low_space = low;
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn admit(&self, batch: &Batch) -> Result<()> {
        batch.check()?;
        if self.stats.low_space && !batch.is_urgent() && !batch.is_empty() {
            return Err(StoreError::NoSpace { free: 0, need: batch.bytes() as u64 });
        }
        let holds = |(keyspace, key, wanted): (Keyspace, &[u8], Option<&[u8]>)| {
            let present = self.tables.get(&keyspace).and_then(|table| table.get(key));
            present.map(AsRef::as_ref) == wanted
        };
        if batch.requirements().all(holds) { Ok(()) } else { Err(StoreError::Conflict) }
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: &Batch) -> Result<()> {
        let mut inner = self.write();
        if let Err(error) = inner.admit(batch) {
            inner.stats.failures += 1;
            return Err(error);
        }
        for (keyspace, key, value) in batch.changes() {
            let table = Arc::make_mut(inner.tables.entry(keyspace).or_default());
            match value {
                Some(value) => table.insert(key.to_vec(), value.into()),
                None => table.remove(key),
            };
        }
        inner.stats.commits += 1;
        inner.stats.bytes_committed += batch.bytes() as u64;
        Ok(())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(MemorySnapshot { tables: self.read().tables.clone() }))
    }

    fn verify(&self) -> Result<VerifyReport> {
        let inner = self.read();
        let mut report = VerifyReport::default();
        for (keyspace, table) in &inner.tables {
            report.rows.insert(*keyspace, table.len() as u64);
            report.bytes += table.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
        }
        report.rows.retain(|_, rows| *rows > 0);
        Ok(report)
    }

    fn stats(&self) -> StoreStats {
        StoreStats { engine: "memory", ..self.read().stats.clone() }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { power_durable: false, persistent: false, shared: false, keeps_old_copies: false }
    }
}

struct MemorySnapshot {
    tables: BTreeMap<Keyspace, Arc<Table>>,
}

impl Snapshot for MemorySnapshot {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.tables.get(&keyspace).and_then(|table| table.get(key)).map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let Some(table) = self.tables.get(&keyspace) else { return Ok(Vec::new()) };
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let rows = table.range::<[u8], _>((start, Bound::Unbounded));
        let rows = rows.take_while(|(key, _)| key.starts_with(prefix)).take(limit.min(SCAN_ROWS_MAX));
        Ok(rows.map(|(key, value)| (key.clone(), value.to_vec())).collect())
    }
}
