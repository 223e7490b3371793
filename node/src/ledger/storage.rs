//! The seam to the disk: the few things a ledger asks of a file system. Knows bytes and paths below one
//! folder, and nothing of entries.

use std::io;

/// A folder of files. Paths are relative, with `/`. Every method may be called from any thread.
pub trait Storage: Send + Sync {
    /// The whole file; `None` if there is none.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Up to `len` bytes from `offset`; fewer at the end of the file.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// The names in a folder, sorted; none if there is no such folder.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a file of `len` zero bytes whose blocks are reserved on the disk, durably, all or nothing.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if there is no space; the file is then not there.
    fn allocate(&self, path: &str, len: u64) -> io::Result<()>;

    /// Writes at an offset, making or extending the file. Durable only after [`Storage::sync`]; a failure may
    /// leave any part of it written.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written to the file durable.
    ///
    /// # Errors
    /// Whatever the system reports; what was written since the last success is then in doubt.
    fn sync(&self, path: &str) -> io::Result<()>;

    /// Cuts the file to `len` bytes, durably.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn truncate(&self, path: &str, len: u64) -> io::Result<()>;

    /// Makes or replaces whole files: each atomically, all durable on return.
    ///
    /// # Errors
    /// Whatever the system reports; some of the files may then be replaced.
    fn publish(&self, files: &[(String, Vec<u8>)]) -> io::Result<()>;

    /// Removes a folder of files that are no longer needed, if it is there.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn remove_folder(&self, folder: &str) -> io::Result<()>;
}
