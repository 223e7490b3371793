//! Small tables of this institution's own, in the store and sealed: residents, links, holds, consents.
//!
//! Owns how such a row lies on disk: found by a keyed digest of what names it, sealed under a key of the
//! keyring, bound to its place. Must not know what any row means.
//!
//! ```text
//! key    what its table makes of it, never a name or number in the clear
//! value  key id (16 bytes; zeros: the node's own) ‖ sealed JSON        or nothing, where the key says it all
//! ```
//!
//! A row whose key was destroyed (its subject was erased) is as good as absent.

pub(crate) mod form;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::keyring::{KeyError, KeyId, KeyRing};
use crate::store::{
    Batch, Committer, Keyspace, Row as StoredRow, SCAN_ROWS_MAX, Snapshot, Store, StoreError,
};

/// A keyed digest that stands for a number, a key or a pseudonym: meaningless outside this node.
pub type Index = [u8; 16];

/// Why a table could not be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A row is not what it should be.
    #[error(
        "a row of the table {table} cannot be read; restore the store from its backup, or run `hibiki-node store verify`"
    )]
    Row {
        /// Which table.
        table: Keyspace,
    },
}

/// A row as it was read: changing it demands that nobody changed it meanwhile.
#[derive(Clone, Debug)]
pub struct Row<T> {
    /// What it says.
    pub value: T,
    /// Whose key seals it.
    pub sealed_by: KeyId,
    key: Vec<u8>,
    raw: Vec<u8>,
}

impl<T> Row<T> {
    /// Its key in the table.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

/// The tables. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
    committer: Committer,
    keys: Arc<KeyRing>,
}

impl Vault {
    /// Tables in `store`, written through its one committer.
    pub fn new(store: Arc<dyn Store>, committer: Committer, keys: Arc<KeyRing>) -> Self {
        Self { store, committer, keys }
    }

    /// The keys rows are sealed under.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The digest by which `data` is found in the tables of one `purpose`.
    pub fn index(&self, purpose: &str, data: &[u8]) -> Index {
        let mut index = [0; 16];
        index.iter_mut().zip(self.keys.index(purpose, data)).for_each(|(to, from)| *to = from);
        index
    }

    /// One row.
    ///
    /// # Errors
    /// Store or keyring cannot give it, or it is damaged.
    pub fn get<T: DeserializeOwned>(
        &self,
        table: Keyspace,
        key: &[u8],
    ) -> Result<Option<Row<T>>, VaultError> {
        let snapshot = self.store.snapshot()?;
        let raw = snapshot.get(table, key)?;
        raw.and_then(|raw| self.open(table, key.to_vec(), raw).transpose()).transpose()
    }

    /// Whether there is a row, whatever it says.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn contains(&self, table: Keyspace, key: &[u8]) -> Result<bool, VaultError> {
        Ok(self.store.snapshot()?.get(table, key)?.is_some())
    }

    /// All rows whose key starts with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn rows<T: DeserializeOwned>(
        &self,
        table: Keyspace,
        prefix: &[u8],
    ) -> Result<Vec<Row<T>>, VaultError> {
        let stored = self.stored(table, prefix)?;
        stored.into_iter().filter_map(|(key, raw)| self.open(table, key, raw).transpose()).collect()
    }

    /// What follows `prefix` in every key that starts with it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn marks(&self, table: Keyspace, prefix: &[u8]) -> Result<Vec<Vec<u8>>, VaultError> {
        let rest = |(key, _): StoredRow| key.get(prefix.len()..).unwrap_or_default().to_vec();
        Ok(self.stored(table, prefix)?.into_iter().map(rest).collect())
    }

    /// What follows `prefix` in the first `limit` keys that start with it, as long as that is below `bound`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn marks_before(
        &self,
        table: Keyspace,
        prefix: &[u8],
        bound: &[u8],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, VaultError> {
        let snapshot: Box<dyn Snapshot + '_> = self.store.snapshot()?;
        let page = snapshot.scan(table, prefix, None, limit.min(SCAN_ROWS_MAX))?;
        let rests = page.into_iter().map(|(key, _)| key.get(prefix.len()..).unwrap_or_default().to_vec());
        Ok(rests.take_while(|rest| rest.as_slice() < bound).collect())
    }

    /// What follows `prefix` in at most `limit` keys that start with it and come after `prefix ‖ bound`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn marks_after(
        &self,
        table: Keyspace,
        prefix: &[u8],
        bound: &[u8],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, VaultError> {
        let snapshot: Box<dyn Snapshot + '_> = self.store.snapshot()?;
        let after = [prefix, bound].concat();
        let page = snapshot.scan(table, prefix, Some(&after), limit.min(SCAN_ROWS_MAX))?;
        Ok(page.into_iter().map(|(key, _)| key.get(prefix.len()..).unwrap_or_default().to_vec()).collect())
    }

    /// Begins a change.
    pub fn change(&self) -> Change<'_> {
        Change { vault: self, batch: Batch::new() }
    }

    fn stored(&self, table: Keyspace, prefix: &[u8]) -> Result<Vec<StoredRow>, VaultError> {
        let snapshot: Box<dyn Snapshot + '_> = self.store.snapshot()?;
        let mut all: Vec<StoredRow> = Vec::new();
        loop {
            let after = all.last().map(|(key, _)| key.clone());
            let page = snapshot.scan(table, prefix, after.as_deref(), SCAN_ROWS_MAX)?;
            let end = page.len() < SCAN_ROWS_MAX;
            all.extend(page);
            if end {
                return Ok(all);
            }
        }
    }

    fn open<T: DeserializeOwned>(
        &self,
        table: Keyspace,
        key: Vec<u8>,
        raw: Vec<u8>,
    ) -> Result<Option<Row<T>>, VaultError> {
        let (id, sealed) = raw.split_first_chunk::<16>().ok_or(VaultError::Row { table })?;
        let sealed_by = KeyId::from_bytes(*id);
        let opened = match self.keys.open_sealed(sealed_by, &place(table, &key), sealed) {
            Ok(opened) => opened,
            Err(KeyError::NoSuchKey) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let value = serde_json::from_slice(&opened).map_err(|_| VaultError::Row { table })?;
        Ok(Some(Row { value, sealed_by, key, raw }))
    }
}

/// Binds sealed bytes to their place, so that rows cannot be exchanged for one another.
pub(crate) fn place(table: Keyspace, key: &[u8]) -> Vec<u8> {
    [b"hibiki/1/row\0".as_slice(), &[table.byte()], key].concat()
}

/// Changes that happen together or not at all.
pub struct Change<'v> {
    vault: &'v Vault,
    batch: Batch,
}

impl Change<'_> {
    /// Sets a row, whatever was there, sealed under the node's own key.
    ///
    /// # Errors
    /// The row cannot be sealed.
    pub fn put<T: Serialize>(&mut self, table: Keyspace, key: &[u8], value: &T) -> Result<(), VaultError> {
        self.put_under(KeyId::NODE, table, key, value)
    }

    /// Sets a row sealed under a subject's key.
    ///
    /// # Errors
    /// There is no such key.
    pub fn put_under<T: Serialize>(
        &mut self,
        id: KeyId,
        table: Keyspace,
        key: &[u8],
        value: &T,
    ) -> Result<(), VaultError> {
        let json = serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| VaultError::Row { table })?;
        let sealed = self.vault.keys.seal(id, &place(table, key), &json)?;
        self.batch.put(table, key, [id.as_bytes().as_slice(), &sealed].concat());
        Ok(())
    }

    /// Sets a row that must not be there yet.
    ///
    /// # Errors
    /// The row cannot be sealed.
    pub fn insert<T: Serialize>(&mut self, table: Keyspace, key: &[u8], value: &T) -> Result<(), VaultError> {
        self.batch.require(table, key, None);
        self.put(table, key, value)
    }

    /// Replaces a row that nobody must have changed since it was read.
    ///
    /// # Errors
    /// The row cannot be sealed.
    pub fn replace<T, N: Serialize>(
        &mut self,
        table: Keyspace,
        row: &Row<T>,
        value: &N,
    ) -> Result<(), VaultError> {
        self.batch.require(table, row.key.clone(), Some(row.raw.clone()));
        self.put_under(row.sealed_by, table, &row.key, value)
    }

    /// Sets an empty row: its key says it all.
    pub fn mark(&mut self, table: Keyspace, key: &[u8]) {
        self.batch.put(table, key, Vec::new());
    }

    /// Removes a row.
    pub fn delete(&mut self, table: Keyspace, key: &[u8]) {
        self.batch.delete(table, key);
    }

    /// Marks the change as one that protects somebody: it may use the disk's reserve.
    pub fn urgent(&mut self) {
        self.batch.urgent();
    }

    /// Number of rows in it.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Makes the change and returns when it is durable.
    ///
    /// # Errors
    /// As [`Committer::commit`]; [`StoreError::Conflict`] if somebody was faster.
    pub async fn commit(self) -> Result<(), VaultError> {
        Ok(self.vault.committer.commit(self.batch).await?)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::env::SystemEntropy;
    use crate::store::MemoryStore;

    /// Tables in memory.
    pub(crate) fn vault() -> (Vault, MemoryStore) {
        let store = MemoryStore::new();
        let shared: Arc<dyn Store> = Arc::new(store.clone());
        let keys = Arc::new(KeyRing::in_memory(Arc::new(SystemEntropy)));
        (Vault::new(Arc::clone(&shared), Committer::inline(shared), keys), store)
    }

    #[tokio::test]
    async fn rows_are_sealed_and_bound_to_their_place() {
        let (vault, store) = vault();
        let mut change = vault.change();
        change.put(Keyspace::Links, b"a", &"Maebashi Hanako").unwrap();
        change.mark(Keyspace::Links, b"b/1");
        change.commit().await.unwrap();
        assert_eq!(vault.get::<String>(Keyspace::Links, b"a").unwrap().unwrap().value, "Maebashi Hanako");
        assert_eq!(vault.marks(Keyspace::Links, b"b/").unwrap(), [b"1".to_vec()]);
        let raw = store.snapshot().unwrap().get(Keyspace::Links, b"a").unwrap().unwrap();
        assert!(!raw.windows(6).any(|window| window == b"Hanako"));
        let mut moved = Batch::new();
        moved.put(Keyspace::Links, *b"c", raw);
        store.commit(&moved).unwrap();
        assert_eq!(
            vault.get::<String>(Keyspace::Links, b"c").unwrap_err(),
            VaultError::Key(KeyError::NotAuthentic)
        );
    }

    #[tokio::test]
    async fn a_row_changed_meanwhile_is_not_overwritten() {
        let (vault, _) = vault();
        let mut change = vault.change();
        change.insert(Keyspace::Holds, b"k", &1).unwrap();
        change.commit().await.unwrap();
        let read = vault.get::<u64>(Keyspace::Holds, b"k").unwrap().unwrap();
        for expected in [Ok(()), Err(VaultError::Store(StoreError::Conflict))] {
            let mut change = vault.change();
            change.replace(Keyspace::Holds, &read, &2).unwrap();
            assert_eq!(change.commit().await, expected);
        }
        let mut change = vault.change();
        change.insert(Keyspace::Holds, b"k", &3).unwrap();
        assert_eq!(change.commit().await, Err(VaultError::Store(StoreError::Conflict)));
    }

    #[tokio::test]
    async fn an_erased_subject_has_no_rows() {
        let (vault, _) = vault();
        let key = vault.keys().create().unwrap();
        let mut change = vault.change();
        change.put_under(key, Keyspace::Links, b"a", &1).unwrap();
        change.put(Keyspace::Links, b"b", &2).unwrap();
        change.commit().await.unwrap();
        vault.keys().destroy(key).unwrap();
        assert!(vault.get::<u8>(Keyspace::Links, b"a").unwrap().is_none());
        assert_eq!(vault.rows::<u8>(Keyspace::Links, b"").unwrap().len(), 1);
    }

    #[tokio::test]
    async fn scans_go_on_over_pages() {
        let (vault, _) = vault();
        let mut change = vault.change();
        for number in 0..2500_u32 {
            change.put(Keyspace::Residents, &number.to_be_bytes(), &number).unwrap();
        }
        change.commit().await.unwrap();
        let rows = vault.rows::<u32>(Keyspace::Residents, b"").unwrap();
        assert!(rows.iter().map(|row| row.value).eq(0..2500));
    }
}
