//! A consistent view of the sled tree: the tree as it is, corrected by what commits since then replaced.

use std::{collections::BTreeMap, ops::Bound};

use super::{
    SledStore,
    layout::{assemble, row_key},
    live::{Failure, Live},
    undo::TooOld,
};
use crate::store::{Keyspace, Result, Row, SCAN_ROWS_MAX, Snapshot, StoreError};

pub(super) struct SledSnapshot<'a> {
    store: &'a SledStore,
    at: u64,
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

impl<'a> SledSnapshot<'a> {
    pub(super) fn new(store: &'a SledStore) -> Self {
        Self { store, at: store.undo.begin() }
    }

    /// The entry `key` had when the snapshot began.
    fn entry(&self, live: &Live, key: &[u8]) -> std::result::Result<Option<Vec<u8>>, ReadFailure> {
        let present = live.db.get(key)?.map(|entry| entry.to_vec());
        let since = self.store.undo.since(self.at)?;
        Ok(since.iter().find_map(|before| before.get(key)).map_or(present, Clone::clone))
    }

    /// Entries after `start` whose key begins with `prefix`, at most `limit` from the tree, as they were
    /// when the snapshot began; and where to go on, unless that was the end.
    fn page(
        &self,
        live: &Live,
        prefix: &[u8],
        start: &Bound<Vec<u8>>,
        limit: usize,
    ) -> std::result::Result<(Entries, Option<Vec<u8>>), ReadFailure> {
        let mut entries = Entries::new();
        let mut last = None;
        for item in live.db.range::<Vec<u8>, _>((start.clone(), Bound::Unbounded)).take(limit) {
            let (key, entry) = item?;
            if !key.starts_with(prefix) {
                last = None;
                break;
            }
            last = Some(key.to_vec());
            entries.insert(key.to_vec(), entry.to_vec());
        }
        let next = last.filter(|_| entries.len() == limit);
        let end = next.as_ref().map_or(Bound::Unbounded, |next| Bound::Included(next.clone()));
        // The oldest value published after the snapshot began is the one it must see, so it comes last.
        for before in self.store.undo.since(self.at)?.iter().rev() {
            let affected = before.range::<Vec<u8>, _>((start.clone(), end.clone()));
            for (key, entry) in affected.filter(|(key, _)| key.starts_with(prefix)) {
                match entry {
                    Some(entry) => entries.insert(key.clone(), entry.clone()),
                    None => entries.remove(key),
                };
            }
        }
        Ok((entries, next))
    }
}

impl Snapshot for SledSnapshot<'_> {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.store.read(|live| {
            let Some(entry) = self.entry(live, &row_key(keyspace, key))? else { return Ok(None) };
            let value = assemble(keyspace, key, &entry, |piece| self.entry(live, piece))?;
            value.map(Some).ok_or(ReadFailure::DAMAGED_ROW)
        })
    }

    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let limit = limit.min(SCAN_ROWS_MAX);
        let prefix = row_key(keyspace, prefix);
        let mut start = match after.map(|after| row_key(keyspace, after)) {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix.clone()),
        };
        let mut rows = Vec::new();
        while rows.len() < limit {
            let (page, next) = self.store.read(|live| {
                let (entries, next) = self.page(live, &prefix, &start, limit - rows.len())?;
                let mut page = Vec::with_capacity(entries.len());
                for (physical, entry) in entries {
                    let key = physical.get(1..).unwrap_or_default();
                    let value = assemble(keyspace, key, &entry, |piece| self.entry(live, piece))?;
                    page.push((key.to_vec(), value.ok_or(ReadFailure::DAMAGED_ROW)?));
                }
                Ok((page, next))
            })?;
            rows.extend(page);
            match next {
                Some(next) => start = Bound::Excluded(next),
                None => break,
            }
        }
        rows.truncate(limit);
        Ok(rows)
    }
}

impl Drop for SledSnapshot<'_> {
    fn drop(&mut self) {
        self.store.undo.end(self.at);
    }
}

/// Why a read failed.
pub(super) enum ReadFailure {
    /// The engine failed: it must be taken out of service.
    Engine(Failure),
    /// The read cannot be done, and nothing is wrong with the engine.
    Refused(StoreError),
}

impl ReadFailure {
    pub(super) const DAMAGED_ROW: Self = Self::Engine(Failure::Row("a long value is incomplete"));
}

impl From<sled::Error> for ReadFailure {
    fn from(error: sled::Error) -> Self {
        Self::Engine(Failure::Engine(error))
    }
}

impl From<TooOld> for ReadFailure {
    fn from(_: TooOld) -> Self {
        Self::Refused(StoreError::SnapshotTooOld)
    }
}
