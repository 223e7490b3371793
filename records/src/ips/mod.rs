//! The International Patient Summary: one FHIR R4 document of everything a view has brought together.
//!
//! A `Bundle` of type `document` in the form of HL7's IPS 2.0 (`Composition` 60591-5; allergies, medications and
//! problems always present, the other sections where there are records). What it promises:
//!
//! - The Patient is the registry's: attested name, kana, birth date and sex, and no number of anybody.
//! - Every institution's resource is carried over as it is written, decimals digit for digit, with three changes: its
//!   `id` is made unique in the document, the reference to its patient leads to the document's Patient, and a
//!   reference that would lead nowhere, or worse, somewhere else in the reader's own system, becomes a logical one
//!   (`carry.rs`). A `Provenance` for each institution says which resources are its own.
//! - An empty section says who gave no information; it never says that there is nothing (`emptyReason`
//!   `unavailable`, not `nilknown`).
//! - A last section lists every institution asked with what became of it, and what was left out and why.
//!
//! School notices and events, and records entered in error, are not part of a patient summary. Ids and times are
//! parameters. Whether an institution's resource satisfies the IPS profiles is its own affair: a summary that left
//! out what is imperfect would be worse. Must not know how the view was made.

mod carry;
mod document;
mod names;
mod narrative;
mod resources;
mod section;

use std::fmt;

use crate::category::Category;
use crate::date::CalendarDate;
use crate::person::Sex;

pub use document::write;

/// Media type of the document.
pub use crate::category::FHIR_JSON as MEDIA_TYPE;

/// Whose summary it is, as the registry attests. Personal data: `Debug` prints `***`.
#[derive(Clone)]
pub struct Subject {
    /// Official name, family name first.
    pub name: String,
    /// Name in kana.
    pub kana: Option<String>,
    /// Birth date.
    pub birth: CalendarDate,
    /// Sex.
    pub sex: Sex,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(***)")
    }
}

/// One institution and its part of the view.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Its id in the federation, such as `maebashi/chuo-hospital`.
    pub id: &'a str,
    /// Its name, Japanese and English.
    pub name: (&'a str, &'a str),
    /// What it answered.
    pub answer: Answer<'a>,
    /// How current its records are, in milliseconds since the Unix epoch.
    pub as_of: Option<u64>,
}

/// What an institution answered.
#[derive(Clone, Debug)]
pub enum Answer<'a> {
    /// These records; none stands for "nothing to show".
    Records(Vec<Record<'a>>),
    /// It did not answer, or was not asked: why, in Japanese and English words for a reader.
    Silent(&'a str, &'a str),
}

/// One record of an answer. Personal data: `Debug` prints the category only.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Its category.
    pub category: Category,
    /// Media type of its content.
    pub media_type: &'a str,
    /// Its content, verbatim.
    pub content: &'a [u8],
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("category", &self.category).finish_non_exhaustive()
    }
}

/// A written document. Personal data: `Debug` prints numbers only.
pub struct Document {
    /// The Bundle, as JSON.
    pub json: String,
    /// Records carried over.
    pub carried: usize,
    /// Records left out that belong into a summary but could not be read.
    pub unreadable: usize,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { carried, unreadable, .. } = self;
        f.debug_struct("Document")
            .field("carried", carried)
            .field("unreadable", unreadable)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
