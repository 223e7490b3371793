//! The journal: where entries become durable. Writes groups of records into preallocated segments, one
//! `fdatasync` per group.
//!
//! Space is reserved ahead of need. An ordinary entry is refused once less than the reserve is left in the
//! last segment and no further one can be had; a hold or a revocation may use the reserve, whose blocks are
//! already ours. Because nothing is written outside reserved blocks, a full disk is noticed before a write,
//! not in the middle of it; where the file system breaks that promise, the torn end is overwritten with
//! zeroes before anything else is written.

use std::io;
use std::sync::Arc;

use super::entry::Prepared;
use super::error::{NotLogged, is_full};
use super::record::{OriginTag, SEGMENT_HEADER, record_len, segment_header, write_record};
use super::storage::Storage;

/// The folder of the segments.
pub(super) const FOLDER: &str = "journal";

/// How the journal takes space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Length of a segment file, in bytes.
    pub segment_bytes: u64,
    /// What is kept back for holds and revocations on a full disk, in bytes. Must be less than a segment.
    pub reserve_bytes: u64,
}

impl Default for Sizes {
    /// 8 MiB segments (some 20,000 entries), and a reserve of 1 MiB (some 2,500 holds).
    fn default() -> Self {
        Self { segment_bytes: 8 << 20, reserve_bytes: 1 << 20 }
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
}

/// Whose entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Leaves the reserve alone.
    Ordinary,
    /// May use the reserve.
    Reserved,
}

/// The writing end of the journal.
pub(super) struct Journal {
    storage: Arc<dyn Storage>,
    tag: OriginTag,
    sizes: Sizes,
    /// Entries that are durable.
    size: u64,
    /// The segment that is written; 0 = none yet.
    segment: u32,
    /// Length of that segment.
    segment_len: u64,
    /// Where the next record goes.
    position: u64,
    /// Whether the segment after this one is allocated.
    spare: Option<u64>,
    /// How many bytes after the position may hold what a failed write left.
    dirty: u64,
    /// Set by a failure that says nothing about what is on the disk.
    broken: Option<io::ErrorKind>,
}

/// Where the writing goes on, as the replay found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) size: u64,
    pub(super) segment: u32,
    pub(super) segment_len: u64,
    pub(super) position: u64,
    pub(super) spare: Option<u64>,
}

/// The path of a segment.
pub(super) fn segment_path(number: u32) -> String {
    format!("{FOLDER}/{number:08}")
}

impl Journal {
    pub(super) fn new(storage: Arc<dyn Storage>, tag: OriginTag, sizes: Sizes, end: End) -> Self {
        let End { size, segment, segment_len, position, spare } = end;
        Self { storage, tag, sizes, size, segment, segment_len, position, spare, dirty: 0, broken: None }
    }

    /// Entries that are durable.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The most bytes of records that one call of [`Journal::write`] takes.
    pub(super) fn capacity(&self) -> u64 {
        self.sizes.segment_bytes.saturating_sub(SEGMENT_HEADER as u64)
    }

    /// Writes a group of entries and makes it durable. All of them are in the journal, or none.
    pub(super) fn write(&mut self, group: &[Prepared], urgency: Urgency) -> Result<Vec<Place>, NotLogged> {
        if let Some(kind) = self.broken {
            return Err(NotLogged::Storage(kind));
        }
        let mut total = 0;
        for entry in group {
            let len = record_len(entry).ok_or(NotLogged::TooLarge(entry.sealed.len()))?;
            total += len as u64;
        }
        self.make_room(total, urgency)?;
        let (buffer, places) = self.encode(group)?;
        let path = segment_path(self.segment);
        let written = match self.storage.write_at(&path, self.position, &buffer) {
            Ok(()) => self.storage.sync(&path),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.dirty = self.dirty.max(buffer.len() as u64);
            return Err(self.failed(&error));
        }
        self.dirty = 0;
        self.position += total + if self.position == 0 { SEGMENT_HEADER as u64 } else { 0 };
        self.size += group.len() as u64;
        Ok(places)
    }

    /// The bytes of a group, padded with zeroes over whatever a failed write left.
    fn encode(&self, group: &[Prepared]) -> Result<(Vec<u8>, Vec<Place>), NotLogged> {
        let mut buffer = if self.position == 0 { segment_header(self.tag, self.size) } else { Vec::new() };
        let mut places = Vec::with_capacity(group.len());
        for (entry, index) in group.iter().zip(self.size..) {
            let offset = u32::try_from(self.position + buffer.len() as u64)
                .map_err(|_| NotLogged::TooLarge(buffer.len()))?;
            places.push(Place { segment: self.segment, offset });
            if !write_record(&mut buffer, self.tag, index, self.size, entry) {
                return Err(NotLogged::TooLarge(entry.sealed.len()));
            }
        }
        let dirty = usize::try_from(self.dirty).unwrap_or(usize::MAX);
        if buffer.len() < dirty {
            buffer.resize(dirty, 0);
        }
        Ok((buffer, places))
    }

    /// Sees to it that `total` bytes fit at the position, moving on to the next segment if need be.
    fn make_room(&mut self, total: u64, urgency: Urgency) -> Result<(), NotLogged> {
        let header = if self.position == 0 { SEGMENT_HEADER as u64 } else { 0 };
        let left = self.segment_len.saturating_sub(self.position + header);
        let fits_here = self.segment != 0 && total <= left;
        let kept_back = if urgency == Urgency::Ordinary { self.sizes.reserve_bytes } else { 0 };
        if fits_here && (total + kept_back <= left || self.spare.is_some()) {
            return Ok(());
        }
        if self.spare.is_none() {
            let len = self.sizes.segment_bytes;
            match self.storage.allocate(&segment_path(self.segment + 1), len) {
                Ok(()) => self.spare = Some(len),
                Err(error) => return Err(self.failed(&error)),
            }
        }
        if fits_here {
            return Ok(());
        }
        if total > self.spare.unwrap_or_default().saturating_sub(SEGMENT_HEADER as u64) {
            return Err(NotLogged::TooLarge(usize::try_from(total).unwrap_or(usize::MAX)));
        }
        self.move_on()
    }

    /// Leaves the segment for the spare one.
    fn move_on(&mut self) -> Result<(), NotLogged> {
        if self.segment != 0 {
            let cut = self.storage.truncate(&segment_path(self.segment), self.position);
            match cut {
                // What a failed write left must be gone before a later segment says that it never was.
                Err(error) if self.dirty > 0 => return Err(self.failed(&error)),
                _ => self.dirty = 0,
            }
        }
        self.segment += 1;
        self.segment_len = self.spare.take().unwrap_or_default();
        self.position = 0;
        Ok(())
    }

    /// Sorts a failure: a full disk passes by itself, everything else needs a person.
    fn failed(&mut self, error: &io::Error) -> NotLogged {
        if is_full(error) {
            return NotLogged::NoSpace;
        }
        self.broken = Some(error.kind());
        NotLogged::Storage(error.kind())
    }
}
