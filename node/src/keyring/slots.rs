//! The file of wrapped keys: a header and slots of one size, changed in place.
//!
//! ```text
//! header, 4096 bytes: "HIBIKI KEYRING 1" | sealed root (72 bytes) | SHA-256 of both | zeros
//! slot,    128 bytes: key id (16) | sealed key (72: nonce 24, key 32, tag 16) | zeros
//! ```
//! A slot of zeros is empty. Slots do not cross a sector of 512 bytes, so that a power cut leaves a slot as
//! it was or as it shall be.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{KeyError, KeyId, Result, node_key::sync_parent};
use crate::exclusive;

const MAGIC: &[u8; 16] = b"HIBIKI KEYRING 1";
const HEADER_BYTES: u64 = 4096;
const SLOT_BYTES: usize = 128;
const SEALED_BYTES: usize = 72;

/// A wrapped key.
pub(super) struct Slot {
    id: KeyId,
    sealed: [u8; SEALED_BYTES],
}

impl Slot {
    pub(super) fn new(id: KeyId, sealed: &[u8]) -> Option<Self> {
        Some(Self { id, sealed: sealed.try_into().ok()? })
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.iter().all(|byte| *byte == 0) {
            return None;
        }
        let (id, rest) = bytes.split_first_chunk()?;
        Some(Self { id: KeyId(*id), sealed: *rest.first_chunk()? })
    }

    fn bytes(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        let content = self.id.0.iter().chain(&self.sealed);
        bytes.iter_mut().zip(content).for_each(|(to, from)| *to = *from);
        bytes
    }
}

/// The open file, locked for this process.
pub(super) struct SlotFile {
    path: PathBuf,
    file: File,
}

impl SlotFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(|error| KeyError::io("open", path, &error))?;
        match exclusive::lock(&file) {
            Ok(()) => Ok(Self { path: path.to_owned(), file }),
            Err(TryLockError::WouldBlock) => Err(KeyError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(KeyError::io("lock", path, &error)),
        }
    }

    /// The sealed root, or `None` for a file that was never finished.
    pub(super) fn root(&self) -> Result<Option<Vec<u8>>> {
        let not_ours = || KeyError::NotAKeyFile { path: self.path.clone() };
        let len = self.file.metadata().map_err(|error| self.io("read", &error))?.len();
        if len == 0 {
            return Ok(None);
        }
        let mut header = vec![0; HEADER_BYTES as usize];
        self.file.read_exact_at(&mut header, 0).map_err(|_| not_ours())?;
        // A power cut while the file was being made leaves no slot behind it and nothing was sealed yet.
        if len == HEADER_BYTES && header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let (content, rest) = header.split_at_checked(MAGIC.len() + SEALED_BYTES).ok_or_else(not_ours)?;
        if rest.first_chunk::<32>() != Some(&Sha256::digest(content).into()) {
            return Err(not_ours());
        }
        content.strip_prefix(MAGIC).map(|root| Some(root.to_vec())).ok_or_else(not_ours)
    }

    /// Writes the header of a new file and makes file and name durable.
    pub(super) fn begin(&mut self, sealed_root: &[u8]) -> Result<()> {
        let mut header = [MAGIC.as_slice(), sealed_root].concat();
        let digest = Sha256::digest(&header);
        header.extend_from_slice(&digest);
        header.resize(HEADER_BYTES as usize, 0);
        let written = self.file.write_all_at(&header, 0);
        let synced = written.and_then(|()| self.file.sync_all()).and_then(|()| sync_parent(&self.path));
        synced.map_err(|error| self.io("write", &error))
    }

    /// Every slot of the file; `None` is an empty one.
    pub(super) fn slots(&self) -> Result<Vec<Option<Slot>>> {
        let len = self.file.metadata().map_err(|error| self.io("read", &error))?.len();
        let mut bytes = vec![0; usize::try_from(len.saturating_sub(HEADER_BYTES)).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, HEADER_BYTES).map_err(|error| self.io("read", &error))?;
        Ok(bytes.chunks(SLOT_BYTES).map(Slot::parse).collect())
    }

    /// Writes slots, `None` as zeros, and returns when they are durable.
    pub(super) fn write<'a>(&mut self, slots: impl Iterator<Item = (u32, Option<&'a Slot>)>) -> Result<()> {
        for (index, slot) in slots {
            let bytes = slot.map_or([0; SLOT_BYTES], Slot::bytes);
            let at = HEADER_BYTES + u64::from(index) * SLOT_BYTES as u64;
            self.file.write_all_at(&bytes, at).map_err(|error| self.io("write", &error))?;
        }
        self.file.sync_data().map_err(|error| self.io("make durable", &error))
    }

    fn io(&self, doing: &'static str, error: &io::Error) -> KeyError {
        KeyError::io(doing, &self.path, error)
    }
}
