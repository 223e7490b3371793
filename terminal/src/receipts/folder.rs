//! The folder of receipts: a file for each, and the trust lists by which they were believed, so that whoever has
//! the folder and the federation's root needs nothing else.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use hibiki_protocol::cbor;
use hibiki_protocol::limits;
use hibiki_protocol::trust::{Accepted, SignedTrustList};

use super::kept::{FILE_BYTES_MAX, KeptReceipt, Unreadable};
use crate::change::ChangeReceipt;
use crate::federation::Federation;
use crate::trouble::Trouble;

/// A folder of receipts.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// A file of the folder, and what it holds.
pub type Found = (String, Result<KeptReceipt, Unreadable>);
/// A file of the folder, and the trust list it holds, not verified; or what is wrong with it.
pub type FoundList = (String, Result<SignedTrustList, String>);

impl Folder {
    /// The folder to keep receipts in; made, for this user alone, if it is not there.
    ///
    /// # Errors
    /// It cannot be made, or is no folder.
    pub fn create(path: &Path) -> Result<Self, Trouble> {
        if !path.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(cannot(path))?;
        }
        Self::open(path)
    }

    /// A folder that is there.
    ///
    /// # Errors
    /// It is not, or is no folder.
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        if fs::metadata(path).map_err(cannot(path))?.is_dir() {
            return Ok(Self { path: path.to_owned() });
        }
        Err(Trouble::File {
            path: path.to_owned(),
            reason: "it is no folder; name a folder of receipts".into(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps what institutions have promised in a session, and the trust list it was believed by; the proof of a
    /// change comes with it. How many there were.
    ///
    /// # Errors
    /// One cannot be written; those before it are kept.
    pub fn keep(
        &self,
        receipts: Vec<KeptReceipt>,
        federation: &Federation,
        change: Option<&ChangeReceipt>,
    ) -> Result<usize, Trouble> {
        let count = receipts.len();
        self.save_list(federation.accepted())?;
        for mut receipt in receipts {
            if let Some(change) = change.filter(|change| change.receipt == receipt.promise.receipt) {
                receipt.proof.clone_from(&change.file);
            }
            self.save(&receipt)?;
        }
        Ok(count)
    }

    /// Keeps a receipt, in place of what was known of it before. Whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, receipt: &KeptReceipt) -> Result<(), Trouble> {
        let text = receipt.to_json().map_err(|error| Trouble::Machine(error.to_string()))?;
        self.write(&receipt.file_name(), text.as_bytes())
    }

    /// Keeps the trust list that receipts were believed by.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save_list(&self, list: &Accepted) -> Result<(), Trouble> {
        let digest = list.digest().hex();
        let name = format!("{}.{}.list", list.list().epoch, digest.get(..16).unwrap_or(&digest));
        if self.path.join(&name).exists() {
            return Ok(());
        }
        self.write(&name, &cbor::encode(list.signed()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.path.join(name);
        let mut file = tempfile::NamedTempFile::new_in(&self.path).map_err(cannot(&path))?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(cannot(&path))?;
        file.persist(&path).map_err(|error| cannot(&path)(error.error))?;
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(cannot(&self.path))
    }

    /// Every receipt in it, by the names of the files (`*.json`).
    ///
    /// # Errors
    /// The folder itself cannot be read. A file that cannot is told of in its place.
    pub fn receipts(&self) -> Result<Vec<Found>, Trouble> {
        let read = |path: &Path| {
            let bytes = bounded(path, FILE_BYTES_MAX).map_err(|error| Unreadable::File(error.to_string()))?;
            KeptReceipt::from_json(&bytes.ok_or(Unreadable::TooLarge)?)
        };
        Ok(self.files("json")?.iter().map(|path| (name(path), read(path))).collect())
    }

    /// Every trust list in it (`*.list`).
    ///
    /// # Errors
    /// The folder itself cannot be read.
    pub fn lists(&self) -> Result<Vec<FoundList>, Trouble> {
        Ok(self.files("list")?.iter().map(|path| (name(path), read_list(path))).collect())
    }

    fn files(&self, extension: &str) -> Result<Vec<PathBuf>, Trouble> {
        let entries = fs::read_dir(&self.path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let paths = entries.map_err(cannot(&self.path))?.into_iter().map(|entry| entry.path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension() == Some(OsStr::new(extension))).collect();
        paths.sort();
        Ok(paths)
    }
}

/// Reads a trust list as the council publishes it, not verified.
///
/// # Errors
/// What is wrong with the file.
pub fn read_list(path: &Path) -> Result<SignedTrustList, String> {
    let bytes = bounded(path, limits::FRAME_BYTES_MAX).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or("larger than any trust list")?;
    cbor::decode(&bytes).map_err(|error| format!("not a trust list: {error}"))
}

/// The bytes of an ordinary file; `None` if there are more than `most`.
fn bounded(path: &Path, most: usize) -> std::io::Result<Option<Vec<u8>>> {
    // A pipe would be waited for, for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("not an ordinary file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn cannot(path: &Path) -> impl FnOnce(std::io::Error) -> Trouble + '_ {
    move |error| Trouble::File { path: path.to_owned(), reason: error.to_string() }
}
