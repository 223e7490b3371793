//! Our own small school records in CBOR (RFC 8949): bounded reading, no surprises in writing.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fhir::Reason;

/// Longest content of a school record, in bytes.
pub(crate) const CONTENT_BYTES_MAX: usize = 64 * 1024;

/// Writes a record; `None` if it would be longer than anybody reads.
pub(crate) fn write<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    let bytes = cbor4ii::serde::to_vec(Vec::new(), value).ok()?;
    (bytes.len() <= CONTENT_BYTES_MAX).then_some(bytes)
}

/// Reads a record. Entries that are not known are passed over.
pub(crate) fn read<T: DeserializeOwned>(content: &[u8], what: &'static str) -> Result<T, Reason> {
    if content.len() > CONTENT_BYTES_MAX {
        return Err(Reason::Malformed(what));
    }
    cbor4ii::serde::from_slice(content).map_err(|_| Reason::Malformed(what))
}
