//! Accepted trust lists in the institution's store.
//!
//! Key: the epoch as eight big-endian bytes, so that scans come in order of epoch. Value: the signed list
//! as published; it is public and not encrypted.

use std::sync::Arc;

use hibiki_protocol::cbor;
use hibiki_protocol::trust::SignedTrustList;

use super::archive::{Archive, ArchiveError};
use crate::services::Pending;
use crate::store::{Batch, Committer, Keyspace, Store, StoreError};

/// Rows of one page of a scan.
const PAGE_ROWS: usize = 64;

/// Keeps accepted lists in the keyspace `TrustLists`.
#[derive(Clone)]
pub struct StoreArchive {
    store: Arc<dyn Store>,
    committer: Committer,
}

impl StoreArchive {
    /// Lists in `store`, written through its one writer.
    pub fn new(store: Arc<dyn Store>, committer: Committer) -> Self {
        Self { store, committer }
    }

    /// Up to `limit` lists after the key `after`, and nothing but lists: other rows of this keyspace have
    /// longer keys.
    fn read(&self, after: Option<u64>, limit: usize) -> Result<Vec<SignedTrustList>, ArchiveError> {
        let failed = |error: StoreError| ArchiveError { doing: "read", cause: error.to_string() };
        let snapshot = self.store.snapshot().map_err(failed)?;
        let mut last = after.map(|epoch| epoch.to_be_bytes().to_vec());
        let mut lists = Vec::new();
        loop {
            let page =
                snapshot.scan(Keyspace::TrustLists, &[], last.as_deref(), PAGE_ROWS).map_err(failed)?;
            let complete = page.len() < PAGE_ROWS;
            last = page.last().map(|(key, _)| key.clone());
            for (_, value) in page.into_iter().filter(|(key, _)| key.len() == 8) {
                if lists.len() == limit {
                    return Ok(lists);
                }
                let list = cbor::decode(&value).map_err(|error| ArchiveError {
                    doing: "read",
                    cause: format!("a list is damaged: {error}"),
                })?;
                lists.push(list);
            }
            if complete {
                return Ok(lists);
            }
        }
    }
}

impl Archive for StoreArchive {
    fn load(&self) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>> {
        Box::pin(async { self.read(None, usize::MAX) })
    }

    fn after(&self, epoch: u64, limit: usize) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>> {
        Box::pin(async move { self.read(Some(epoch), limit) })
    }

    fn keep<'a>(&'a self, epoch: u64, list: &'a SignedTrustList) -> Pending<'a, Result<(), ArchiveError>> {
        let mut batch = Batch::new();
        // A new list may remove a stolen node: it is taken from the reserve when the disk is full.
        batch.put(Keyspace::TrustLists, epoch.to_be_bytes(), cbor::encode(list)).urgent();
        Box::pin(async move {
            let written = self.committer.commit(batch).await;
            written.map_err(|error| ArchiveError { doing: "written", cause: error.to_string() })
        })
    }
}
