//! The school's own small schema: CBOR maps with text keys, read within bounds.
//!
//! What FHIR and iCalendar have no words for is content of media type [`crate::category::SCHOOL_CBOR`]. Unknown keys
//! are passed over, so that a terminal may be older than a node; everything else is refused. Must not know what is
//! written.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fhir::Reason;
use crate::ingest::limits::{SCHOOL_LIST_MAX, SCHOOL_MAX_BYTES};
use crate::words::tidy;

/// Reads one record.
pub(crate) fn read<T: DeserializeOwned>(content: &[u8]) -> Result<T, Reason> {
    if content.len() > SCHOOL_MAX_BYTES {
        return Err(Reason::SchoolTooLong);
    }
    // The reader refuses more than 256 levels, and takes no list's word for its length.
    cbor4ii::serde::from_slice(content).map_err(|_| Reason::NotSchoolCbor)
}

/// Writes one record.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, Reason> {
    let content = cbor4ii::serde::to_vec(Vec::new(), value).map_err(|_| Reason::NotSchoolCbor)?;
    if content.len() > SCHOOL_MAX_BYTES { Err(Reason::SchoolTooLong) } else { Ok(content) }
}

/// Refuses a list beyond the limit.
pub(crate) fn bounded<T>(list: &[T], name: &'static str) -> Result<(), Reason> {
    if list.len() > SCHOOL_LIST_MAX { Err(Reason::ListTooLong(name)) } else { Ok(()) }
}

/// Makes a text one line fit to be shown; refuses it when nothing is left.
pub(crate) fn tidied(text: &mut String, name: &'static str) -> Result<(), Reason> {
    *text = tidy(text);
    if text.is_empty() { Err(Reason::Impossible(name)) } else { Ok(()) }
}
