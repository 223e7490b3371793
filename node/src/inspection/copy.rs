//! A private copy of a folder, gone when it is dropped.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The copy.
#[derive(Debug)]
pub struct PrivateCopy {
    folder: PathBuf,
}

impl PrivateCopy {
    /// Copies the files of `from` and of the folders in it to `to`, which must not be there yet. Only its owner
    /// may enter.
    ///
    /// # Errors
    /// A file cannot be read or written; what was copied is removed.
    pub fn make(from: &Path, to: &Path) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(to)?;
        let copy = Self { folder: to.to_owned() };
        files(from, to)?;
        Ok(copy)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::error!(%error, "the private copy of the store could not be removed; remove it by hand");
        }
    }
}

/// Ordinary files and folders; links are not followed, for a store has none. The reserve is left out: it is
/// space and no content.
fn files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            DirBuilder::new().mode(0o700).create(&target)?;
            files(&entry.path(), &target)?;
        } else if kind.is_file() && entry.file_name() != "reserve" {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
