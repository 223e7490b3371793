//! Where a witness keeps what it must not lose: one folder, one writer at a time, durable before it returns.

use std::io;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::env::Env;
use crate::ledger::Storage;

/// The folder.
pub struct Shelf {
    storage: Arc<dyn Storage>,
    env: Env,
    writing: Mutex<()>,
}

impl Shelf {
    /// The folder `witnessed/`, wherever it lies.
    pub fn new(storage: Arc<dyn Storage>, env: Env) -> Self {
        Self { storage, env, writing: Mutex::new(()) }
    }

    /// A file; `None` if there is none.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.storage.read(path)
    }

    /// The names in a folder in it.
    pub(super) fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.storage.list(folder)
    }

    /// Writes a whole file: on disk, or as before.
    pub(super) async fn put(&self, path: String, bytes: Vec<u8>) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let storage = Arc::clone(&self.storage);
        let written = self.env.blocking(move || storage.publish(&[(path, bytes)])).await;
        written.unwrap_or_else(|| Err(io::Error::other("the node is stopping")))
    }
}
