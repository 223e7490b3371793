//! How the council's files are written: whole or not at all, on the disk before success is said,
//! keys for their owner only and never over another.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file stands where a new one was to be made.
    #[error("{} exists already and is not overwritten: move it away or choose another name", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// A private key that others can read.
    #[error("{} is open to other users (mode {mode:03o}): run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Larger than anything of its kind.
    #[error("{} is larger than {limit} bytes: it is not what it should be", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Bytes it may have.
        limit: u64,
    },
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Everybody (0644): certificates, lists.
    Public,
    /// The owner (0600): keys and registers.
    Private,
}

impl Secrecy {
    fn mode(self) -> u32 {
        match self {
            Self::Public => 0o644,
            Self::Private => 0o600,
        }
    }
}

/// Bytes of the largest file the council reads; a trust list of 512 members is about 0.3 MiB.
const LEN_MAX: u64 = 4 * 1024 * 1024;

/// Makes a folder for its owner only; it may exist.
pub(crate) fn make_folder(path: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| io_error(path, e))
}

/// Writes a new file; one that exists is left alone and is an error.
pub(crate) fn create(path: &Path, bytes: &[u8], secrecy: Secrecy) -> Result<(), FileError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(secrecy.mode()).open(path);
    let mut file = match opened {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(FileError::Exists { path: path.to_owned() });
        }
        other => other.map_err(|e| io_error(path, e))?,
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| sync_parent(path));
    written.map_err(|e| io_error(path, e))
}

/// Replaces a file (or makes it): readers see the old one or the new one, never a half.
pub(crate) fn replace(path: &Path, bytes: &[u8], secrecy: Secrecy) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(secrecy.mode()).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        sync_parent(path)
    };
    write().map_err(|e| io_error(path, e))
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.and_then(|()| sync_parent(path)).map_err(|e| io_error(path, e)),
    }
}

/// Reads a file of reasonable size.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(|e| io_error(path, e))?;
    let mut bytes = Vec::new();
    file.take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(|e| io_error(path, e))?;
    if bytes.len() as u64 > LEN_MAX {
        return Err(FileError::TooLarge { path: path.to_owned(), limit: LEN_MAX });
    }
    Ok(bytes)
}

/// Reads a file that may not be there.
pub(crate) fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match read(path) {
        Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Reads a private key, unless others can read it, too.
pub(crate) fn read_secret(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, FileError> {
    let mode = fs::metadata(path).map_err(|e| io_error(path, e))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FileError::Exposed { path: path.to_owned(), mode });
    }
    read(path).map(zeroize::Zeroizing::new)
}

/// Holds a folder for this process alone until dropped; waits for its turn.
pub(crate) fn lock_folder(path: &Path) -> Result<File, FileError> {
    let folder = File::open(path).map_err(|e| io_error(path, e))?;
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|e| io_error(path, e.into()))?;
    Ok(folder)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> FileError {
    FileError::Io { path: path.to_owned(), source }
}
