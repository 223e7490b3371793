//! The socket file: who may connect, and what becomes of the one a crash left behind.
//!
//! Must not know: what is said on it.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::exclusive;

/// Longest path of a Unix socket in bytes: `sun_path` of unix(7) without its closing NUL.
pub const SOCKET_PATH_MAX_BYTES: usize = 107;

/// Added to the socket's name for the file whose lock says that a node is alive.
const LOCK_SUFFIX: &str = ".lock";

/// Added to the socket's name while its permissions are being set.
const NEW_SUFFIX: &str = ".new";

/// Why the socket cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process holds it.
    #[error(
        "{0}: another hibiki-node listens here already; stop it first, or give this one its own data-dir"
    )]
    InUse(PathBuf),
    /// Something that is no socket is in its place.
    #[error("{0}: there is a file here that is no socket; move it away or set [admin] socket")]
    NotASocket(PathBuf),
    /// The path does not fit into a socket address.
    #[error("{0}: longer than the {SOCKET_PATH_MAX_BYTES} bytes a socket path may have; set [admin] socket")]
    TooLong(PathBuf),
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file in question.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A bound admin socket. Dropping it removes the file.
#[derive(Debug)]
pub struct AdminSocket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    _lock: File,
}

impl AdminSocket {
    /// Binds `path` with mode 0600. What a crashed node left there is replaced; a living one is left alone.
    ///
    /// A lock beside the socket tells the two apart without a race, and the socket appears under its name
    /// only once its permissions are set.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let fail = |source| BindError::Io { path: path.to_owned(), source };
        let new = beside(path, NEW_SUFFIX);
        if new.as_os_str().len() > SOCKET_PATH_MAX_BYTES {
            return Err(BindError::TooLong(path.to_owned()));
        }
        let lock = lock(path)?;
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(BindError::NotASocket(path.to_owned()));
            }
            // The lock is ours, so no node of ours listens; a foreign listener is still left alone.
            Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
                return Err(BindError::InUse(path.to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(fail(error)),
        }
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&new).map_err(fail)?;
        fs::set_permissions(&new, Permissions::from_mode(0o600)).map_err(fail)?;
        fs::rename(&new, path).map_err(fail)?;
        Ok(Self { listener, path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // Still under the lock, so this cannot be a successor's socket. A leftover does no harm either.
        let _ = fs::remove_file(&self.path);
    }
}

fn lock(path: &Path) -> Result<File, BindError> {
    let name = beside(path, LOCK_SUFFIX);
    let fail = |source| BindError::Io { path: name.clone(), source };
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&name).map_err(fail)?;
    match exclusive::lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BindError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        (folder, path)
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_its_owner() {
        let (_folder, path) = place();
        let socket = AdminSocket::bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(socket.path(), path);
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_living_node_keeps_its_socket() {
        let (_folder, path) = place();
        let socket = AdminSocket::bind(&path).unwrap();
        assert!(matches!(AdminSocket::bind(&path), Err(BindError::InUse(_))));
        drop(socket);
        AdminSocket::bind(&path).unwrap();
    }

    #[tokio::test]
    async fn a_foreign_listener_is_left_alone() {
        let (_folder, path) = place();
        let _foreign = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(matches!(AdminSocket::bind(&path), Err(BindError::InUse(_))));
    }

    #[tokio::test]
    async fn a_crashed_node_leaves_nothing_in_the_way() {
        let (_folder, path) = place();
        // A listener that is dropped without removing its file, as kill -9 leaves it, twice over.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        drop(std::os::unix::net::UnixListener::bind(beside(&path, NEW_SUFFIX)).unwrap());
        assert!(path.exists());
        AdminSocket::bind(&path).unwrap();
    }

    #[tokio::test]
    async fn other_files_are_never_replaced() {
        let (_folder, path) = place();
        fs::write(&path, "precious").unwrap();
        assert!(matches!(AdminSocket::bind(&path), Err(BindError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_path_too_long_is_said_plainly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x".repeat(SOCKET_PATH_MAX_BYTES));
        assert!(matches!(AdminSocket::bind(&path), Err(BindError::TooLong(_))));
    }
}
