//! The pure half of ingest: bytes in, records and refusals out.
//!
//! [`read`] takes any `BufRead` and yields an [`Item`] or a [`Rejected`] for every resource, in order. One
//! damaged line or entry never costs another one; damage to a bundle as a whole (it is one JSON document)
//! is one refusal with its place. Nothing is ever logged or quoted from the input.
//!
//! **Whose record it is.** One rule, the same for bundles and for NDJSON files that hold one type each:
//! the local number of a Patient is its `id`, and a reference `Patient/ID`, `…/Patient/ID` or `urn:uuid:ID`
//! means the local number ID, whether or not that Patient is in the file. Two additions serve files that
//! give no ids: a Patient without `id` has the number of its patient-number identifier (type `MR`, or a JP
//! Core patient number system), failing that the tail of its `fullUrl`; and within a bundle a reference to a
//! Patient's `fullUrl` means that Patient, whatever its number. `Patient?identifier=SYSTEM|VALUE` and logical
//! references are followed to a Patient of the same bundle, or of an earlier line of the same NDJSON file,
//! if exactly one bears the identifier; otherwise the record is refused. So an institution exports with
//! `Patient.id` equal to the number its staff use.
//!
//! **Which record it is.** The key of a record is resource type and `id`; without `id`, type and first
//! identifier; failing that, type and the tail of the `fullUrl`. A record with the same key replaces the
//! earlier one, which makes a second import of the same file change nothing.
//!
//! Must not know stores, categories' rules ([`crate::fhir::classify`]) or clocks.

mod bundle;
mod interpret;
pub mod limits;
mod lines;
mod reader;

pub use reader::{Reader, read};

use std::fmt;

use serde::Serialize;

use crate::category::Category;
use crate::date::CalendarDate;
pub use crate::fhir::classify::Skip;
pub use crate::fhir::reference::Subject;
use crate::fhir::resource::ResourceType;
use crate::fhir::{Reason, codes};
use crate::person::PatientFacts;

/// How the input is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// One JSON document: a Bundle (transaction, batch, collection, searchset), or a single resource.
    FhirBundle,
    /// One resource per line.
    FhirNdjson,
    /// Decided by the first lines: a complete resource on a line of its own that is not a Bundle means
    /// NDJSON.
    #[default]
    Auto,
}

/// A record ready to be stored. `Debug` shows category and size only.
#[derive(Clone, PartialEq, Eq)]
pub struct IngestRecord {
    /// What it is.
    pub category: Category,
    /// Whom it is about.
    pub subject: Subject,
    /// Stable key within the institution, such as `Immunization/66042b0b`.
    pub id: String,
    /// Effective day in Japan.
    pub date: CalendarDate,
    /// `meta.lastUpdated` in milliseconds since 1970, where the source tells.
    pub updated_at: Option<u64>,
    /// Media type of the content.
    pub media_type: &'static str,
    /// The resource, byte for byte as it came.
    pub content: Vec<u8>,
}

impl fmt::Debug for IngestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestRecord")
            .field("category", &self.category)
            .field("content_bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

/// What a resource turned out to be. `Debug` shows no number of a person or class.
#[derive(Clone, PartialEq, Eq)]
pub enum Item {
    /// A record about somebody.
    Record(IngestRecord),
    /// A person, and the record of category `patient` that says so.
    Patient {
        /// Facts for linking and for staff.
        facts: PatientFacts,
        /// The same Patient as a record.
        record: IngestRecord,
    },
    /// A class: school records may be addressed to it.
    Group {
        /// Id as references name it.
        id: String,
        /// Local numbers of its active members, in the order of the file.
        members: Vec<String>,
    },
    /// Something that is no record here. Counted, never an error.
    Skipped {
        /// What it was.
        kind: Skip,
    },
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => f.debug_tuple("Record").field(record).finish(),
            Self::Patient { record, .. } => f.debug_tuple("Patient").field(record).finish(),
            Self::Group { members, .. } => write!(f, "Group({} members)", members.len()),
            Self::Skipped { kind } => f.debug_tuple("Skipped").field(kind).finish(),
        }
    }
}

impl Item {
    /// The record to store, if it is one.
    pub fn record(&self) -> Option<&IngestRecord> {
        match self {
            Self::Record(record) | Self::Patient { record, .. } => Some(record),
            Self::Group { .. } | Self::Skipped { .. } => None,
        }
    }
}

/// Where in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Line of an NDJSON file, from 1.
    Line(u64),
    /// Entry of a bundle, from 1.
    Entry(usize),
    /// The document as a whole, damaged near this place.
    Document {
        /// Byte, from 0.
        byte: usize,
        /// Line, from 1.
        line: usize,
        /// Byte of that line, from 1.
        column: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Entry(entry) => write!(f, "entry {entry}"),
            Self::Document { byte, line, column } => {
                write!(f, "document, byte {byte} (line {line}, column {column})")
            }
        }
    }
}

/// A resource that was not taken, and why. Carries nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}: {reason}", TypeNote(*.resource_type))]
pub struct Rejected {
    /// Where it stands.
    pub place: Place,
    /// Its type, where it could be read.
    pub resource_type: Option<ResourceType>,
    /// Why.
    pub reason: Reason,
}

impl Serialize for Rejected {
    /// `{"place":{"line":3},"resource_type":"Patient","reason":"missing","message":"line 3 (Patient): …"}`
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Rejected", 4)?;
        out.serialize_field("place", &self.place)?;
        out.serialize_field("resource_type", &self.resource_type)?;
        out.serialize_field("reason", self.reason.code())?;
        out.serialize_field("message", &self.to_string())?;
        out.end()
    }
}

struct TypeNote(Option<ResourceType>);

impl fmt::Display for TypeNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |kind| write!(f, " ({})", kind.name()))
    }
}

/// Whether an identifier's type or system marks a patient number.
fn is_patient_number(identifier: &crate::fhir::element::Identifier<'_>) -> bool {
    let typed = identifier
        .kind
        .as_ref()
        .is_some_and(|kind| kind.codings().any(|coding| coding.is(codes::IDENTIFIER_TYPE, "MR")));
    typed || identifier.system.as_deref().is_some_and(|system| system.starts_with(codes::JP_PATIENT_NUMBER))
}

#[cfg(test)]
mod tests;
