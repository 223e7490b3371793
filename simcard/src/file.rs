//! The card's file: JSON, mode 0600, replaced as a whole and on the disk before anybody is answered.
//!
//! Knows nothing of PINs or keys; it keeps bytes and one counter. Two processes holding the same
//! card take turns by `flock`, so that they share three tries instead of having three each.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::engine::general_purpose::STANDARD as BASE64;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::CardError;
use crate::key::SALT_LEN;
use crate::{PIN_TRIES, certificate};

const FORMAT: &str = "hibiki-simcard-1";
/// A card is about 6 KiB; nothing larger is read.
const MAX_FILE_LEN: u64 = 64 * 1024;

/// What lies on the card.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardData {
    format: String,
    simulated: bool,
    pub(crate) holder_id: String,
    pub(crate) tries_left: u8,
    #[serde(with = "bytes")]
    pub(crate) pin_salt: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) pin_verifier: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) private_key: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) public_key: Vec<u8>,
    pub(crate) certificates: Option<Certificates>,
}

/// The holder's certificate and the authority's, DER.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificates {
    #[serde(with = "bytes")]
    pub(crate) holder: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) ca: Vec<u8>,
}

/// The file: the card and a digest of it. The digest shows damage and edits by hand; it is no secret
/// and stops nobody who computes it anew.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    card: CardData,
    sha256: String,
}

impl CardData {
    pub(crate) fn new(holder_id: String, public_key: Vec<u8>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            simulated: true,
            holder_id,
            tries_left: PIN_TRIES,
            pin_salt: Vec::new(),
            pin_verifier: Vec::new(),
            private_key: Vec::new(),
            public_key,
            certificates: None,
        }
    }

    pub(crate) fn salt(&self, path: &Path) -> Result<[u8; SALT_LEN], CardError> {
        self.pin_salt.as_slice().try_into().map_err(|_| damaged(path, "salt"))
    }

    fn digest(&self) -> io::Result<String> {
        let encoded = serde_json::to_vec(self)?;
        Ok(Sha256::digest(encoded).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn check(&self, path: &Path) -> Result<(), CardError> {
        if self.format != FORMAT || !self.simulated {
            return Err(damaged(path, "format"));
        }
        if self.tries_left > PIN_TRIES {
            return Err(damaged(path, "tries left"));
        }
        if let Some(held) = &self.certificates {
            certificate::check(&held.holder, &held.ca, &self.public_key)
                .map_err(|_| damaged(path, "certificate"))?;
        }
        Ok(())
    }
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
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| damaged(path, "not a card"))?;
    if envelope.card.digest().map_err(|e| io_error(path, e))? != envelope.sha256 {
        return Err(damaged(path, "digest"));
    }
    envelope.card.check(path)?;
    Ok(envelope.card)
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

/// Bytes as base64 in JSON.
mod bytes {
    use super::{BASE64, Deserialize};
    use base64::Engine as _;
    use serde::{Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text).map_err(|_| D::Error::custom("not base64"))
    }
}
