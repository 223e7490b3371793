//! The folder a sled database lies in: created so that a power cut leaves a whole database or none, and
//! looked through before sled sees it.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use crate::store::{Result, StoreError};

/// Where the database lies inside the store's folder.
pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join("sled")
}

/// Where a new database is made before it gets its name.
pub(super) fn unfinished(dir: &Path) -> PathBuf {
    dir.join("sled.new")
}

/// Makes the store's folder, readable by its owner only, and removes a database that was never finished.
pub(super) fn prepare(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| StoreError::io("create the store's folder", &error))?;
    match fs::remove_dir_all(unfinished(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove an unfinished database", &error))
        }
        _ => Ok(()),
    }
}

/// Gives a finished database its name, everything in it being durable first.
pub(super) fn publish(dir: &Path) -> io::Result<()> {
    let new = unfinished(dir);
    for entry in fs::read_dir(&new)? {
        File::open(entry?.path())?.sync_all()?;
    }
    sync_dir(&new)?;
    fs::rename(&new, database(dir))?;
    sync_dir(dir)?;
    // The store's folder itself may be new.
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Refuses a folder sled would misread and removes what makes it fail for no reason.
pub(super) fn inspect(database: &Path) -> Result<()> {
    let damaged = |what: &str| StoreError::Damaged { path: database.to_owned(), what: what.to_owned() };
    // Without its settings file sled would write a new one with the present settings and then misread the
    // log.
    match fs::metadata(database.join("conf")) {
        Ok(meta) if meta.len() > 8 => {}
        Ok(_) => return Err(damaged("its settings file is empty")),
        Err(_) => return Err(damaged("its settings file is missing")),
    }
    if !database.join("db").is_file() {
        return Err(damaged("its log is missing"));
    }
    let entries =
        fs::read_dir(database).map_err(|error| StoreError::io("read the store's folder", &error))?;
    for entry in entries.flatten() {
        // A page table whose saving was interrupted; sled takes it for a finished one and gives up.
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            fs::remove_file(entry.path())
                .map_err(|error| StoreError::io("remove an interrupted page table", &error))?;
        }
    }
    Ok(())
}

/// Number of files in `blobs/`, which sled never makes durable.
pub(super) fn blob_files(database: &Path) -> u64 {
    fs::read_dir(database.join("blobs")).map_or(0, |entries| entries.flatten().count() as u64)
}

/// Bytes the files of the database occupy.
pub(super) fn disk_bytes(database: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = fs::read_dir(database) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.blocks() * 512).sum()
}

/// Makes names in a folder durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
