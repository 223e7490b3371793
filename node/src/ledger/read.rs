//! Reading back: entries by number or by subject, and proofs that they are in the ledger.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;

use hibiki_protocol::history::Disclosed;
use hibiki_protocol::tlog::{
    FULL_TILE, Hash, Leaf, LogProof, ProofError, Tile, TileReader, consistency_proof, inclusion_proof,
    root_of,
};

use super::entry::{Logged, Told, Unopened, open_sealed};
use super::error::ReadError;
use super::index::STRIDE;
use super::journal::{Place, segment_path};
use super::record::{MAX_RECORD, OriginTag, RECORD_HEADER, Record, read_record};
use super::seal::SubjectKey;
use super::{Ledger, read_lock};

/// Entries about one subject that are opened for one look at what may be told: two parents' of some years. All of
/// them took 0.7 s on two cores without optimisation; the usual page is found among the first. What lies further
/// back is found by going on from there.
pub const TELLING_SCAN_MAX: usize = 4096;

/// Proofs of several entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// The checkpoint that the paths lead to, a signed note; `None` before the first.
    pub checkpoint: Option<String>,
    /// An audit path for each entry, in their order; `None` where the checkpoint does not cover it.
    pub paths: Vec<Option<Vec<Hash>>>,
}

/// That the ledger has grown from some size to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// Its root at that size.
    pub old_root: Hash,
    /// The consistency proof (RFC 6962 section 2.1.2).
    pub proof: Vec<Hash>,
}

/// Some of the entries a person may be told of, newest first.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The entries; each has something told.
    pub entries: Vec<Logged>,
    /// Where to go on; `None`: nothing older is left.
    pub older: Option<u64>,
}

impl Ledger {
    /// Reads entries by number, opening those that still open.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, range: Range<u64>) -> Result<Vec<Logged>, ReadError> {
        range.map(|index| self.entry(index)).collect()
    }

    /// Reads the entries about a subject, oldest first, `most` at most, the latest ones.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn history(&self, subject: &SubjectKey, most: usize) -> Result<Vec<Logged>, ReadError> {
        let entries = read_lock(&self.inner.index).of(subject);
        let latest = entries.len().saturating_sub(most);
        entries.into_iter().skip(latest).map(|index| self.entry(index)).collect()
    }

    /// Reads what may be told about a subject, newest first: the latest `most` entries before `before` that
    /// `wanted` lets through. At most [`TELLING_SCAN_MAX`] entries are opened.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn tell(
        &self,
        subject: &SubjectKey,
        before: Option<u64>,
        most: usize,
        wanted: impl Fn(&Disclosed) -> bool,
    ) -> Result<Telling, ReadError> {
        let indices =
            read_lock(&self.inner.index).newest_of(subject, before.unwrap_or(u64::MAX), TELLING_SCAN_MAX + 1);
        let mut telling = Telling { entries: Vec::new(), older: None };
        for (scanned, index) in indices.into_iter().enumerate() {
            let last = telling.entries.last().map(|entry: &Logged| entry.index);
            if scanned == TELLING_SCAN_MAX {
                telling.older = Some(index + 1);
                break;
            }
            let entry = self.entry(index)?;
            if !entry.told.as_ref().and_then(Told::disclosed).is_some_and(|disclosed| wanted(&disclosed)) {
                continue;
            }
            if telling.entries.len() == most {
                telling.older = last;
                break;
            }
            telling.entries.push(entry);
        }
        Ok(telling)
    }

    /// Proves that an entry is under the newest checkpoint, to anybody who holds the ledger's verifier key and
    /// the hash of the leaf, which stands in the receipt.
    ///
    /// # Errors
    /// [`ReadError::NotYet`] until a checkpoint covers the entry, [`ReadError`] otherwise.
    pub fn prove(&self, index: u64) -> Result<LogProof, ReadError> {
        let Proofs { checkpoint, mut paths } = self.prove_all(&[index])?;
        match (checkpoint, paths.pop().flatten()) {
            (Some(checkpoint), Some(path)) => Ok(LogProof { index, path, checkpoint }),
            _ => Err(ReadError::NotYet(index)),
        }
    }

    /// Proves several entries under one checkpoint, the newest. Those it does not cover have no path.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] if there is no such entry, [`ReadError`] otherwise.
    pub fn prove_all(&self, indices: &[u64]) -> Result<Proofs, ReadError> {
        let size = self.size();
        if let Some(index) = indices.iter().copied().find(|index| *index >= size) {
            return Err(ReadError::OutOfRange { index, size });
        }
        let Some(head) = read_lock(&self.inner.index).head.clone() else {
            return Ok(Proofs { checkpoint: None, paths: indices.iter().map(|_| None).collect() });
        };
        let size = head.checkpoint.size;
        // Neighbours share tiles: each is read once.
        let mut read: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut tiles = TileReader::new(size, |tile: Tile| {
            if let Some(bytes) = read.get(&tile.path()) {
                return Ok(bytes.clone());
            }
            let bytes = self.tile(tile)?;
            read.insert(tile.path(), bytes.clone());
            Ok(bytes)
        });
        let mut path = |index: u64| {
            let covered = index < size;
            covered.then(|| inclusion_proof(&mut tiles, index, size).map_err(unproven)).transpose()
        };
        let paths = indices.iter().map(|index| path(*index)).collect::<Result<_, _>>()?;
        Ok(Proofs { checkpoint: Some(head.note), paths })
    }

    /// Proves to a witness that the ledger of `old` entries is a prefix of the newest checkpoint. Returns the
    /// checkpoint and the proof (RFC 6962 section 2.1.2).
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn prove_consistency(&self, old: u64) -> Result<(String, Vec<Hash>), ReadError> {
        let head = read_lock(&self.inner.index).head.clone();
        let head = head.ok_or(ReadError::NotYet(old))?;
        let size = head.checkpoint.size;
        let mut tiles = TileReader::new(size, |tile| self.tile(tile));
        let proof = consistency_proof(&mut tiles, old, size).map_err(unproven)?;
        Ok((head.note, proof))
    }

    /// Proves to a witness that the ledger of `old` entries, at least one, is a prefix of the checkpoint at
    /// `size`, one this ledger has signed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn grown(&self, old: u64, size: u64) -> Result<Grown, ReadError> {
        let mut tiles = TileReader::new(size, |tile| self.tile(tile));
        let proof = consistency_proof(&mut tiles, old, size).map_err(unproven)?;
        Ok(Grown { old_root: root_of(&mut tiles, old).map_err(unproven)?, proof })
    }

    /// The root at a size that the newest checkpoint covers.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn root_at(&self, size: u64) -> Result<Hash, ReadError> {
        let signed = self.signed_size();
        if size > signed {
            return Err(ReadError::NotYet(size));
        }
        let mut tiles = TileReader::new(signed, |tile| self.tile(tile));
        root_of(&mut tiles, size).map_err(unproven)
    }

    /// One entry.
    fn entry(&self, index: u64) -> Result<Logged, ReadError> {
        let (subject, leaf_bytes, sealed) =
            self.at(index, |record| (record.subject, record.leaf.to_vec(), record.sealed.to_vec()))?;
        let leaf = Leaf::decode(&leaf_bytes).map_err(|_| ReadError::Damaged(index))?;
        let sealer = self.inner.setup.sealer.as_ref();
        let content = open_sealed(self.origin(), &leaf, &leaf_bytes, subject, &sealed, sealer);
        let (content, told) = content.map_err(|unopened| match unopened {
            Unopened::Seal(source) => ReadError::Seal { index, source },
            Unopened::Commitment => ReadError::Damaged(index),
        })?;
        Ok(Logged { index, leaf, leaf_bytes, subject, content, told })
    }

    /// Finds a record and takes something from it.
    pub(super) fn at<T>(&self, index: u64, take: impl FnOnce(&Record<'_>) -> T) -> Result<T, ReadError> {
        let (size, near) = {
            let entries = read_lock(&self.inner.index);
            (entries.size(), entries.before(index))
        };
        let (mut number, mut place) = near.ok_or(ReadError::OutOfRange { index, size })?;
        let tag = OriginTag::of(self.origin());
        loop {
            let mut bytes = self.bytes_at(place, 16 * 1024)?;
            let cut = RECORD_HEADER + MAX_RECORD;
            if read_record(tag, &bytes).is_none() {
                bytes = self.bytes_at(place, cut)?;
            }
            match read_record(tag, &bytes) {
                Some(record) if record.index == number && number == index => return Ok(take(&record)),
                Some(record) if record.index == number && number < index => {
                    let len = u32::try_from(record.len).map_err(|_| ReadError::Damaged(index))?;
                    place.offset = place.offset.checked_add(len).ok_or(ReadError::Damaged(index))?;
                    number += 1;
                }
                // The segment ended; at most one boundary lies within a stride of large records, but small
                // segments may have several.
                None if number % STRIDE != 0 => {
                    place =
                        Place { segment: place.segment + 1, offset: super::record::SEGMENT_HEADER as u32 };
                }
                _ => return Err(ReadError::Damaged(index)),
            }
        }
    }

    fn bytes_at(&self, place: Place, len: usize) -> Result<Vec<u8>, ReadError> {
        let path = segment_path(place.segment);
        Ok(self.inner.storage.read_at(&path, u64::from(place.offset), len)?)
    }

    /// The bytes of a tile on disk. A partial one may meanwhile have given way to the full one.
    pub(super) fn tile(&self, tile: Tile) -> Result<Vec<u8>, std::io::Error> {
        if let Some(bytes) = self.inner.storage.read(&tile.path())? {
            return Ok(bytes);
        }
        let full = Tile::full(tile.level(), tile.index());
        let mut bytes = self.inner.storage.read(&full.path())?.ok_or(ErrorKind::NotFound)?;
        if bytes.len() == FULL_TILE * Hash::LEN {
            bytes.truncate(tile.width() * Hash::LEN);
        }
        Ok(bytes)
    }
}

/// What a failed proof means to a reader.
pub(super) fn unproven(error: ProofError<std::io::Error>) -> ReadError {
    match error {
        ProofError::OutOfRange { index, size } => ReadError::OutOfRange { index, size },
        ProofError::Missing { index, level } => ReadError::Damaged(index << level),
        ProofError::Read(error) => ReadError::Io(error),
    }
}
