//! Why a resource, line or document is refused.
//!
//! Owns the closed list and its wording. Carries names of FHIR elements and limits, never a value.

use std::io;

use crate::date::DateError;
use crate::ingest::limits;

/// Why something was refused. The text says what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Malformed JSON.
    #[error("not well-formed JSON; export it again, it may have been cut off")]
    NotJson,
    /// Bytes that are not UTF-8.
    #[error("not UTF-8 text; FHIR JSON must be UTF-8")]
    NotUtf8,
    /// Nested beyond the limit.
    #[error("nested deeper than {} levels", limits::DEPTH_MAX)]
    TooDeep,
    /// One resource beyond the size limit.
    #[error("longer than {} bytes; move attachments out of the resource", limits::RESOURCE_MAX_BYTES)]
    ResourceTooLong,
    /// A bundle beyond the size limit.
    #[error("a bundle longer than {} bytes; split it, or send NDJSON", limits::BUNDLE_MAX_BYTES)]
    BundleTooLong,
    /// A bundle with more entries than the limit.
    #[error("a bundle of more than {} entries; split it, or send NDJSON", limits::ENTRIES_MAX)]
    TooManyEntries,
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// An element occurs twice in one object; which one counts is anybody's guess.
    #[error("a key occurs twice in or at `{0}`")]
    DuplicateKey(&'static str),
    /// A required element is absent.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// An element has a shape or code that FHIR R4 does not allow.
    #[error("`{0}` is not what FHIR R4 allows there")]
    Malformed(&'static str),
    /// A date that cannot be read.
    #[error("`{0}` is not a FHIR date or time")]
    BadDate(&'static str),
    /// None of the elements that could date the record is present.
    #[error("no date: the record cannot be placed on a calendar day")]
    NoDate,
    /// A birth date without month or day.
    #[error("`birthDate` must be exact to the day")]
    PartialBirthDate,
    /// Neither an id nor an identifier: the same record could not be recognised again.
    #[error("neither `id` nor `identifier`: a second import could not recognise it")]
    NoKey,
    /// Nobody is named as the subject.
    #[error("no subject: name the Patient{} it is about", if *.group { " or Group" } else { "" })]
    NoSubject {
        /// Whether a class may be the subject.
        group: bool,
    },
    /// The subject is something other than a Patient (or, for school records, a Group).
    #[error("the subject is not a Patient (for school records: Patient or Group)")]
    WrongSubject,
    /// More than one subject.
    #[error("several subjects: send one resource for each, or address a Group")]
    SeveralSubjects,
    /// The reference cannot be followed within the file.
    #[error("the subject's reference leads to nobody in this file; use `Patient/ID`")]
    UnresolvedSubject,
    /// A class as subject of a health record.
    #[error("a health record cannot be about a Group")]
    GroupNotAllowed,
    /// A member of a class cannot be followed.
    #[error("member {0} of the Group leads to nobody")]
    BadMember(usize),
    /// More members than the limit.
    #[error("a Group of more than {} members", limits::MEMBERS_MAX)]
    TooManyMembers,
    /// A coding of one of the Hibiki code systems that this version does not know.
    #[error("its record-category or child-checkup coding is none this version knows")]
    UnknownCategory,
    /// Two different categories, or one that does not fit the resource.
    #[error("its record-category codings contradict each other or the resource type")]
    ConflictingCategory,
    /// A bundle of another type.
    #[error("a Bundle of this type is not read; use transaction, batch, collection or searchset")]
    BundleType,
    /// A bundle where one resource is expected.
    #[error("a Bundle within {0}; send the Bundle as a file of its own")]
    NestedBundle(&'static str),
    /// An entry without a resource.
    #[error("the entry has no resource")]
    NoResource,
    /// An entry that asks to delete.
    #[error("a DELETE entry: records are withdrawn by sending them as `entered-in-error`")]
    Deletion,
    /// Not the school's own schema.
    #[error("not well-formed CBOR of Hibiki's school schema")]
    NotSchoolCbor,
    /// A record of the school's own schema beyond the size limit.
    #[error("longer than {} bytes", limits::SCHOOL_MAX_BYTES)]
    SchoolTooLong,
    /// A list of the school's own schema beyond the limit.
    #[error("`{0}` lists more than {max} things", max = limits::SCHOOL_LIST_MAX)]
    ListTooLong(&'static str),
    /// A value of the school's own schema that cannot be.
    #[error("`{0}` is empty or impossible")]
    Impossible(&'static str),
    /// The input could not be read on.
    #[error("reading failed ({0}); everything after this place is unread")]
    Read(io::ErrorKind),
}

impl Reason {
    /// A stable name for counting and for machine-readable reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotUtf8 => "not_utf8",
            Self::TooDeep => "too_deep",
            Self::ResourceTooLong => "resource_too_long",
            Self::BundleTooLong => "bundle_too_long",
            Self::TooManyEntries => "too_many_entries",
            Self::NotAnObject => "not_an_object",
            Self::DuplicateKey(_) => "duplicate_key",
            Self::Missing(_) => "missing",
            Self::Malformed(_) => "malformed",
            Self::BadDate(_) => "bad_date",
            Self::NoDate => "no_date",
            Self::PartialBirthDate => "partial_birth_date",
            Self::NoKey => "no_key",
            Self::NoSubject { .. } => "no_subject",
            Self::WrongSubject => "wrong_subject",
            Self::SeveralSubjects => "several_subjects",
            Self::UnresolvedSubject => "unresolved_subject",
            Self::GroupNotAllowed => "group_not_allowed",
            Self::BadMember(_) => "bad_member",
            Self::TooManyMembers => "too_many_members",
            Self::UnknownCategory => "unknown_category",
            Self::ConflictingCategory => "conflicting_category",
            Self::BundleType => "bundle_type",
            Self::NestedBundle(_) => "nested_bundle",
            Self::NoResource => "no_resource",
            Self::Deletion => "deletion",
            Self::NotSchoolCbor => "not_school_cbor",
            Self::SchoolTooLong => "school_too_long",
            Self::ListTooLong(_) => "list_too_long",
            Self::Impossible(_) => "impossible",
            Self::Read(_) => "read",
        }
    }

    pub(crate) fn date(field: &'static str) -> impl FnOnce(DateError) -> Self {
        move |_| Self::BadDate(field)
    }
}
