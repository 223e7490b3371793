//! The bytes of the journal: segments of records, each record a leaf and its sealed entry.
//!
//! ```text
//! segment header, 64 bytes          record, a multiple of 8 bytes
//!   magic        [16]                 magic        [4]
//!   first index  u64 BE               body length  u32 BE
//!   origin tag   [32]                 index        u64 BE
//!   check        [8]                  synced       u64 BE
//!                                     check        [8]
//!                                     body: subject present u8, subject [16], leaf length u16 BE, leaf, sealed
//!                                     zeroes up to the multiple of 8
//! ```
//!
//! A check is the first 8 bytes of SHA-256 over a label, the origin tag and everything else in the header or
//! record: it finds torn writes and decay, not malice, which the Merkle root and the seal find. `synced` is how
//! many entries were durable when the record was written. It tells apart, after a crash, an entry that nobody
//! was told of from one that was acknowledged and then damaged.

use sha2::{Digest as _, Sha256};

use super::entry::Prepared;
use super::seal::SubjectKey;

/// Bytes of a segment header.
pub(super) const SEGMENT_HEADER: usize = 64;
/// Bytes of a record header.
pub(super) const RECORD_HEADER: usize = 32;
/// Every record begins at a multiple of this.
pub(super) const ALIGN: usize = 8;
/// The longest record, in bytes.
pub(super) const MAX_RECORD: usize = 128 * 1024;

const SEGMENT_MAGIC: &[u8; 16] = b"hibiki ledger 1\n";
const RECORD_MAGIC: &[u8; 4] = b"hbk1";

/// Names the ledger in every record, so that pieces of another ledger are never taken for its own.
#[derive(Clone, Copy)]
pub(super) struct OriginTag([u8; 32]);

impl OriginTag {
    pub(super) fn of(origin: &str) -> Self {
        Self(Sha256::new().chain_update(b"hibiki/1/ledger-origin\0").chain_update(origin).finalize().into())
    }

    fn check(&self, label: &[u8], parts: [&[u8]; 2]) -> [u8; 8] {
        let mut hash = Sha256::new().chain_update(label).chain_update(self.0);
        parts.iter().for_each(|part| hash.update(part));
        let digest: [u8; 32] = hash.finalize().into();
        digest.first_chunk::<8>().copied().unwrap_or_default()
    }
}

/// The header of a segment that begins with entry `first`.
pub(super) fn segment_header(tag: OriginTag, first: u64) -> Vec<u8> {
    let mut bytes = SEGMENT_MAGIC.to_vec();
    bytes.extend_from_slice(&first.to_be_bytes());
    bytes.extend_from_slice(&tag.0);
    let check = tag.check(b"segment", [&bytes, &[]]);
    bytes.extend_from_slice(&check);
    bytes
}

/// What stands at the head of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// A segment that begins with this entry.
    First(u64),
    /// A segment of another ledger.
    Foreign,
    /// Nothing valid: never used, or torn.
    None,
}

/// Reads the header of a segment.
pub(super) fn read_header(tag: OriginTag, segment: &[u8]) -> Header {
    let Some(header) = segment.first_chunk::<SEGMENT_HEADER>() else { return Header::None };
    let (Some(first), Some(origin)) = (be64(header, 16), header.get(24..56)) else { return Header::None };
    let Ok(origin) = <[u8; 32]>::try_from(origin) else { return Header::None };
    let expected = segment_header(OriginTag(origin), first);
    if expected != header {
        Header::None
    } else if origin == tag.0 {
        Header::First(first)
    } else {
        Header::Foreign
    }
}

/// One record, borrowed from its segment.
pub(super) struct Record<'a> {
    pub(super) index: u64,
    pub(super) synced: u64,
    pub(super) subject: Option<SubjectKey>,
    pub(super) leaf: &'a [u8],
    pub(super) sealed: &'a [u8],
    /// Bytes up to the next record.
    pub(super) len: usize,
}

/// Appends a record to a buffer; `false` if it is longer than a record may be.
pub(super) fn write_record(
    buffer: &mut Vec<u8>,
    tag: OriginTag,
    index: u64,
    synced: u64,
    entry: &Prepared,
) -> bool {
    let Some(len) = record_len(entry) else { return false };
    let start = buffer.len();
    let Ok(leaf_len) = u16::try_from(entry.leaf.len()) else { return false };
    let mut body = Vec::with_capacity(len);
    body.push(u8::from(entry.subject.is_some()));
    body.extend_from_slice(&entry.subject.unwrap_or_default());
    body.extend_from_slice(&leaf_len.to_be_bytes());
    body.extend_from_slice(&entry.leaf);
    body.extend_from_slice(&entry.sealed);
    let Ok(body_len) = u32::try_from(body.len()) else { return false };
    let mut header = RECORD_MAGIC.to_vec();
    header.extend_from_slice(&body_len.to_be_bytes());
    header.extend_from_slice(&index.to_be_bytes());
    header.extend_from_slice(&synced.to_be_bytes());
    let check = tag.check(b"record", [&header, &body]);
    buffer.extend_from_slice(&header);
    buffer.extend_from_slice(&check);
    buffer.extend_from_slice(&body);
    buffer.resize(start + len, 0);
    true
}

/// The length of the record of an entry; `None` if it is longer than a record may be.
pub(super) fn record_len(entry: &Prepared) -> Option<usize> {
    let len = RECORD_HEADER + 1 + 16 + 2 + entry.leaf.len() + entry.sealed.len();
    (len <= MAX_RECORD).then_some(len.next_multiple_of(ALIGN))
}

/// Reads the record at the head of `bytes`; `None` if there is no valid one.
pub(super) fn read_record(tag: OriginTag, bytes: &[u8]) -> Option<Record<'_>> {
    let (header, rest) = bytes.split_first_chunk::<RECORD_HEADER>()?;
    if !header.starts_with(RECORD_MAGIC) {
        return None;
    }
    let body_len = usize::try_from(u32::from_be_bytes(header.get(4..8)?.try_into().ok()?)).ok()?;
    if body_len > MAX_RECORD {
        return None;
    }
    let len = (RECORD_HEADER + body_len).next_multiple_of(ALIGN);
    let padding = bytes.get(RECORD_HEADER + body_len..len)?;
    if padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let body = rest.get(..body_len)?;
    let (covered, check) = header.split_at_checked(24)?;
    if tag.check(b"record", [covered, body]) != check {
        return None;
    }
    let (present, body) = body.split_first()?;
    let (subject, body) = body.split_first_chunk::<16>()?;
    let (leaf_len, body) = body.split_first_chunk::<2>()?;
    let (leaf, sealed) = body.split_at_checked(usize::from(u16::from_be_bytes(*leaf_len)))?;
    Some(Record {
        index: be64(header, 8)?,
        synced: be64(header, 16)?,
        subject: (*present == 1).then_some(*subject),
        leaf,
        sealed,
        len,
    })
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
