//! [`Storage`] on a real folder: preallocation, `fdatasync`, and renames that survive a power cut.
//!
//! A new name is durable only when its folder was synced too, and so is a new folder in its parent: both are
//! done here, so that nobody above has to remember it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::FallocateFlags;

use super::storage::Storage;
use crate::exclusive;

/// Files kept open: the segment that is written, and a few that are read.
const OPEN_FILES: usize = 8;
/// How much is written at once where the file system cannot reserve blocks.
const ZEROES: usize = 64 * 1024;

/// A folder on disk.
pub struct DiskStorage {
    root: PathBuf,
    open: Mutex<BTreeMap<String, Arc<File>>>,
    /// Held for as long as the ledger is open for writing.
    _lock: Option<File>,
}

impl DiskStorage {
    /// Opens a folder for writing, making it if need be, and keeps every other process from doing the same.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] if another process has it open; whatever the system reports otherwise.
    pub fn open(root: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        let lock = new_file(OpenOptions::new().read(true).write(true).create(true), &root.join("lock"))?;
        exclusive::lock(&lock).map_err(|error| match error {
            std::fs::TryLockError::Error(error) => error,
            std::fs::TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
        })?;
        Ok(Self { root: root.to_owned(), open: Mutex::default(), _lock: Some(lock) })
    }

    /// Opens a folder only to look at it. Nothing keeps a running node from writing meanwhile.
    #[must_use]
    pub fn read_only(root: &Path) -> Self {
        Self { root: root.to_owned(), open: Mutex::default(), _lock: None }
    }

    /// The open file at a path, from the few that are kept.
    fn file(&self, path: &str, options: &mut OpenOptions) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(new_file(options, &self.root.join(path))?);
        if open.len() >= OPEN_FILES {
            open.pop_first();
        }
        open.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    /// A file for reading and writing. Making it makes its name durable.
    fn writable(&self, path: &str) -> io::Result<Arc<File>> {
        if self.root.join(path).try_exists()? {
            return self.file(path, OpenOptions::new().read(true).write(true));
        }
        let folder = self.folder_of(path)?;
        let file = self.file(path, OpenOptions::new().read(true).write(true).create(true))?;
        File::open(folder)?.sync_all()?;
        Ok(file)
    }

    fn forget(&self, path: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// The folder that a path is in, made durably if it is not there.
    fn folder_of(&self, path: &str) -> io::Result<PathBuf> {
        let mut folder = self.root.clone();
        let Some((folders, _)) = path.rsplit_once('/') else { return Ok(folder) };
        for name in folders.split('/') {
            let parent = folder.clone();
            folder.push(name);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => File::open(parent)?.sync_all()?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(folder)
    }

    /// Reserves blocks, or fills with zeroes where the file system cannot reserve.
    fn reserve(&self, file: &File, len: u64) -> io::Result<()> {
        // Asked first, because a reservation that fails half way has taken all space from everybody else.
        let space = rustix::fs::statvfs(&self.root)?;
        if space.f_bavail.saturating_mul(space.f_frsize) < len {
            return Err(ErrorKind::StorageFull.into());
        }
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, len) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
        let zeroes = vec![0; ZEROES];
        let mut at = 0;
        while at < len {
            let part = usize::try_from(len - at).unwrap_or(ZEROES).min(ZEROES);
            file.write_all_at(zeroes.get(..part).unwrap_or_default(), at)?;
            at += part as u64;
        }
        Ok(())
    }
}

impl Storage for DiskStorage {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.root.join(path))?;
        let mut bytes = vec![0; len];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            // A name that is not UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn allocate(&self, path: &str, len: u64) -> io::Result<()> {
        let folder = self.folder_of(path)?;
        self.forget(path);
        let file = self.file(path, OpenOptions::new().read(true).write(true).create(true).truncate(true))?;
        let made = self
            .reserve(&file, len)
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all());
        if made.is_err() {
            self.forget(path);
            // What could not be finished must not keep space from others; a leftover would be harmless.
            let _ = std::fs::remove_file(self.root.join(path));
        }
        made
    }

    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable(path)?.write_all_at(bytes, offset)
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        self.writable(path)?.sync_data()
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        let file = self.writable(path)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn publish(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        let mut folders = BTreeSet::new();
        let mut fresh = Vec::with_capacity(files.len());
        for (number, (path, bytes)) in files.iter().enumerate() {
            folders.insert(self.folder_of(path)?);
            let temporary = format!("tmp/{number}");
            let place = self.folder_of(&temporary)?.join(number.to_string());
            let file = new_file(OpenOptions::new().write(true).create(true).truncate(true), &place)?;
            file.write_all_at(bytes, 0)?;
            fresh.push((file, place, self.root.join(path)));
        }
        fresh.iter().try_for_each(|(file, ..)| file.sync_data())?;
        fresh.iter().try_for_each(|(_, from, to)| std::fs::rename(from, to))?;
        folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())
    }

    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        match std::fs::remove_dir_all(self.root.join(folder)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Opens a file that, if new, only its owner may read.
fn new_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600).open(path)
}
