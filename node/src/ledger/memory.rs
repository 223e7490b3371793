//! [`Storage`] in memory, for rehearsals in virtual time: it survives the node of a simulation, not the process.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::storage::Storage;

/// Files in memory. Hand the same one to the next ledger to restart a simulated node with its ledger.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryStorage {
    /// An empty folder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files().get(path).cloned())
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let files = self.files();
        let bytes = files.get(path).ok_or(ErrorKind::NotFound)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(len).min(bytes.len());
        Ok(bytes.get(start..end).unwrap_or_default().to_vec())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        let files = self.files();
        let names = files.keys().filter_map(|path| path.strip_prefix(&prefix)?.split('/').next());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.dedup();
        Ok(names)
    }

    fn allocate(&self, path: &str, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| ErrorKind::StorageFull)?;
        self.files().insert(path.to_owned(), vec![0; len]);
        Ok(())
    }

    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| ErrorKind::StorageFull)?;
        let mut files = self.files();
        let file = files.entry(path.to_owned()).or_default();
        let end = start.checked_add(bytes.len()).ok_or(ErrorKind::StorageFull)?;
        if file.len() < end {
            file.resize(end, 0);
        }
        if let Some(place) = file.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn sync(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        let mut files = self.files();
        let file = files.get_mut(path).ok_or(ErrorKind::NotFound)?;
        file.resize(usize::try_from(len).map_err(|_| ErrorKind::StorageFull)?, 0);
        Ok(())
    }

    fn publish(&self, published: &[(String, Vec<u8>)]) -> io::Result<()> {
        self.files().extend(published.iter().cloned());
        Ok(())
    }

    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        let prefix = format!("{folder}/");
        self.files().retain(|path, _| !path.starts_with(&prefix));
        Ok(())
    }
}
