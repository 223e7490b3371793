//! The card's file: JSON, mode 0600, replaced as a whole and on the disk before anybody is answered.
//!
//! Knows nothing of PINs or keys; it keeps bytes and one counter. Two processes holding the same
//! card take turns by `flock`, so that they share three tries instead of having three each.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::data::{CardData, OLD_FORMATS};
use crate::error::CardError;

/// A card is about 12 KiB; nothing larger is read.
const MAX_FILE_LEN: u64 = 64 * 1024;

/// The file: the card and a digest of it. The digest shows damage and edits by hand; it is no secret
/// and stops nobody who computes it anew.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    card: CardData,
    sha256: String,
}

/// The only process that may read and change the card, until dropped.
pub(crate) struct Locked {
    path: PathBuf,
    held: File,
}

impl Locked {
    /// Waits for its turn. A writer replaces the file, so the lock counts only if the file locked
    /// is still the one that bears the name.
    pub(crate) fn acquire(path: &Path) -> Result<Self, CardError> {
        loop {
            let held = open(path)?;
            flock(&held, FlockOperation::LockExclusive).map_err(|e| io_error(path, e.into()))?;
            let ours = held.metadata().map_err(|e| io_error(path, e))?;
            let named = std::fs::metadata(path).map_err(|e| io_error(path, e))?;
            if (ours.dev(), ours.ino()) == (named.dev(), named.ino()) {
                return Ok(Self { path: path.to_owned(), held });
            }
        }
    }

    pub(crate) fn read(&mut self) -> Result<CardData, CardError> {
        read_from(&mut self.held, &self.path)
    }

    /// Replaces the card; returns when the new one is on the disk. The lock ends here, because the
    /// file it was held on no longer bears the name.
    pub(crate) fn replace(self, card: &CardData) -> Result<(), CardError> {
        self.write_over(card).map(drop)
    }

    /// Replaces the card and keeps the turn.
    pub(crate) fn replace_and_keep(self, card: &CardData) -> Result<Self, CardError> {
        let held = self.write_over(card)?;
        Ok(Self { path: self.path, held })
    }

    fn write_over(&self, card: &CardData) -> Result<File, CardError> {
        let failed = |e| io_error(&self.path, e);
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let fresh = self.path.with_file_name(name);
        let write = || {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            // Locked before it takes the name: nobody slips in between.
            flock(&file, FlockOperation::LockExclusive)?;
            file.write_all(&encode(card)?)?;
            file.sync_all()?;
            std::fs::rename(&fresh, &self.path)?;
            sync_folder(&self.path)?;
            Ok(file)
        };
        write().map_err(failed)
    }
}

/// Writes a card where no file is.
pub(crate) fn create(path: &Path, card: &CardData) -> Result<(), CardError> {
    let failed = |e| io_error(path, e);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(CardError::Exists { path: path.to_owned() });
        }
        other => other.map_err(failed)?,
    };
    let written = encode(card).and_then(|bytes| file.write_all(&bytes)).and_then(|()| file.sync_all());
    written.and_then(|()| sync_folder(path)).map_err(failed)
}

/// Reads the card without waiting for a turn: a replaced file is always whole.
pub(crate) fn read(path: &Path) -> Result<CardData, CardError> {
    read_from(&mut open(path)?, path)
}

fn open(path: &Path) -> Result<File, CardError> {
    let file = File::open(path).map_err(|e| io_error(path, e))?;
    let mode = file.metadata().map_err(|e| io_error(path, e))?.mode() & 0o777;
    if mode & 0o077 == 0 { Ok(file) } else { Err(CardError::Exposed { path: path.to_owned(), mode }) }
}

fn read_from(file: &mut File, path: &Path) -> Result<CardData, CardError> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes).map_err(|e| io_error(path, e))?;
    if bytes.len() as u64 > MAX_FILE_LEN {
        return Err(damaged(path, "length"));
    }
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| not_a_card(&bytes, path))?;
    if envelope.card.digest().map_err(|e| io_error(path, e))? != envelope.sha256 {
        return Err(damaged(path, "digest"));
    }
    envelope.card.check(path)?;
    Ok(envelope.card)
}

/// Says of an older card that it is one, of anything else that it is damaged.
fn not_a_card(bytes: &[u8], path: &Path) -> CardError {
    let value: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let format = value.as_ref().and_then(|file| file.pointer("/card/format")?.as_str());
    if format.is_some_and(|format| OLD_FORMATS.contains(&format)) {
        CardError::OldFormat { path: path.to_owned() }
    } else {
        damaged(path, "not a card")
    }
}

fn encode(card: &CardData) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(&Envelope { card: card.clone(), sha256: card.digest()? })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

pub(crate) fn damaged(path: &Path, what: &'static str) -> CardError {
    CardError::Damaged { path: path.to_owned(), what }
}

fn io_error(path: &Path, source: io::Error) -> CardError {
    CardError::Io { path: path.to_owned(), source }
}
