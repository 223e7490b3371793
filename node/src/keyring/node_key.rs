//! The node key: 32 random bytes in a file only its owner can read.
//!
//! Everything at rest hangs on it. Whoever has this file and the data reads the data; whoever loses it has
//! lost the data.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use zeroize::Zeroizing;

use super::{KeyError, Result, random_secret};
use crate::env::Entropy;

/// Makes the node key file: mode 0600, durable, never over an existing one.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`].
pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<()> {
    let key = random_secret(entropy);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::io("create", path, &error),
    })?;
    let written = file.write_all(&*key).and_then(|()| file.sync_all()).and_then(|()| sync_parent(path));
    written.map_err(|error| {
        // A partial key would be refused for ever; without the file the set-up can be repeated.
        _ = fs::remove_file(path);
        KeyError::io("write", path, &error)
    })
}

/// Reads the node key file.
///
/// # Errors
/// [`KeyError::Exposed`] when others than the owner may read it, [`KeyError::NotANodeKey`],
/// [`KeyError::Io`].
pub fn load(path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    let io = |error| KeyError::io("read", path, &error);
    let mut file = File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    if meta.len() != 32 {
        return Err(KeyError::NotANodeKey { path: path.to_owned(), bytes: meta.len() });
    }
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(&mut *key).map_err(io)?;
    Ok(key)
}

pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(parent)?.sync_all()
}
