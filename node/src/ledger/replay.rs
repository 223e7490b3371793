//! Reading the journal from its first record to its last, and telling a torn end from damage.
//!
//! A record that does not read is the torn end of an unacknowledged group, unless something later shows that
//! it was durable: a record of a later group, a later segment, or a signed checkpoint. Then it is damage, and
//! nothing is repaired.

use super::error::OpenError;
use super::journal::{End, FOLDER, Place, segment_path};
use super::record::{ALIGN, Header, OriginTag, Record, SEGMENT_HEADER, read_header, read_record};
use super::storage::Storage;

/// Bytes that a crash left behind the last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// What the replay found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Where writing goes on.
    pub(super) end: End,
    /// The torn end, if there is one.
    pub(super) torn: Option<Torn>,
}

/// How far to read, and what must be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// The size of the last checkpoint: fewer entries than that are damage, wherever they end.
    pub(super) signed: u64,
    /// Stop after that many entries: a running ledger goes on growing meanwhile.
    pub(super) until: u64,
}

/// Reads every record in order and hands it to `each`.
pub(super) fn replay(
    storage: &dyn Storage,
    origin: &str,
    extent: Extent,
    mut each: impl FnMut(Place, &Record<'_>),
) -> Result<Found, OpenError> {
    let tag = OriginTag::of(origin);
    let mut found = Found::default();
    for number in segment_numbers(storage)? {
        if found.end.size >= extent.until {
            return Ok(found);
        }
        let path = segment_path(number);
        let bytes = storage.read(&path).map_err(OpenError::io(&path))?.unwrap_or_default();
        let segment = Segment { number, path, bytes, tag };
        let begun = segment.begins(origin, &found, extent)?;
        if begun {
            found = segment.records(found.end, extent, &mut each)?;
        } else {
            let len = dirty(&segment.bytes);
            found.torn = (len > 0).then_some(Torn { segment: number, offset: 0, len });
            found.end.spare = Some(segment.bytes.len() as u64);
        }
    }
    if found.end.size < extent.signed.min(extent.until) {
        return Err(OpenError::Shorter { have: found.end.size, signed: extent.signed });
    }
    Ok(found)
}

/// One segment file in memory.
struct Segment {
    number: u32,
    path: String,
    bytes: Vec<u8>,
    tag: OriginTag,
}

impl Segment {
    /// Whether anything was written to the segment; checks that it continues what was `found` before it.
    fn begins(&self, origin: &str, found: &Found, extent: Extent) -> Result<bool, OpenError> {
        let size = found.end.size;
        if found.end.spare.is_some() {
            return Err(self.damaged(0, size, "a segment that was never begun stands before this one"));
        }
        match read_header(self.tag, &self.bytes) {
            Header::Foreign => Err(OpenError::Foreign { path: self.path.clone(), origin: origin.to_owned() }),
            _ if self.number != found.end.segment + 1 => {
                Err(self.damaged(0, size, "the segment before this one is missing"))
            }
            Header::First(first) if first != size => {
                Err(self.damaged(0, size, "the segment does not continue the one before it"))
            }
            Header::First(_) if found.torn.is_some() => {
                Err(self.damaged(0, size, "the segment before this one ends in bytes that do not read"))
            }
            Header::First(_) => Ok(true),
            Header::None if self.proves(0, size) || (dirty(&self.bytes) > 0 && size < extent.signed) => {
                Err(self.damaged(0, size, "the head of the segment does not read"))
            }
            Header::None => Ok(false),
        }
    }

    /// Reads the records up to the first that is not one.
    fn records(
        &self,
        before: End,
        extent: Extent,
        each: &mut impl FnMut(Place, &Record<'_>),
    ) -> Result<Found, OpenError> {
        let mut size = before.size;
        let mut at = SEGMENT_HEADER;
        while let Some(record) = self.bytes.get(at..).and_then(|rest| read_record(self.tag, rest)) {
            if record.index != size || size >= extent.until {
                break;
            }
            let offset = u32::try_from(at).map_err(|_| self.damaged(at, size, "the segment is too long"))?;
            each(Place { segment: self.number, offset }, &record);
            at += record.len;
            size += 1;
        }
        let end = End {
            size,
            segment: self.number,
            segment_len: self.bytes.len() as u64,
            position: at as u64,
            spare: None,
        };
        if size >= extent.until {
            return Ok(Found { end, torn: None });
        }
        let len = dirty(self.bytes.get(at..).unwrap_or_default());
        if self.proves(at + ALIGN, size) {
            return Err(self.damaged(at, size, "a record does not read, and later ones do"));
        }
        if len > 0 && size < extent.signed {
            return Err(self.damaged(at, size, "a record does not read, and a signed checkpoint covers it"));
        }
        let torn = Torn { segment: self.number, offset: at as u64, len };
        Ok(Found { end, torn: (len > 0).then_some(torn) })
    }

    /// Whether a record at or after `from` says that entry number `size` was durable.
    fn proves(&self, from: usize, size: u64) -> bool {
        (from..self.bytes.len()).step_by(ALIGN).any(|at| {
            let record = self.bytes.get(at..).and_then(|rest| read_record(self.tag, rest));
            record.is_some_and(|record| record.synced > size)
        })
    }

    fn damaged(&self, offset: usize, index: u64, reason: &'static str) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), offset: offset as u64, index, reason }
    }
}

/// The length of what is not zero.
fn dirty(bytes: &[u8]) -> u64 {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

/// The numbers of the segments, in order. Anything else in the folder is not ours.
pub(super) fn segment_numbers(storage: &dyn Storage) -> Result<Vec<u32>, OpenError> {
    let names = storage.list(FOLDER).map_err(OpenError::io(FOLDER))?;
    let numbers = names.iter().filter(|name| name.len() == 8).filter_map(|name| name.parse().ok());
    Ok(numbers.collect())
}
