//! What a record means: categories, FHIR R4, Japanese dates and names, and the pure half of ingest.
//!
//! The protocol carries category names and content bytes untouched; this crate is where they acquire
//! meaning. The way of a file through it:
//!
//! 1. [`ingest::read`] takes bytes from a `BufRead` and yields one [`ingest::Item`] or one
//!    [`ingest::Rejected`] per resource, whatever happens to its neighbours.
//! 2. [`fhir`] reads, strictly, only the few elements we rely on; the bytes themselves are kept verbatim.
//! 3. [`category`] names the kind, [`date`] fixes the Japanese calendar day once, [`person`] extracts
//!    the facts by which an institution recognises its own patient.
//! 4. [`words`] turns stored content into one line for a person to read.
//! 5. [`immunization`] reads a vaccination as recorded, [`schedule`] lays it over the routine programme.
//!
//! And out of it again, for the guardian: [`rubella`] answers the founding question, [`calendar`] writes iCalendar,
//! [`ips`] the International Patient Summary.
//!
//! Nothing here performs I/O beyond the reader it is handed, and nothing asks what time it is.
//! No error, and no `Debug` of personal data, ever carries a name, a number or any content.
#![forbid(unsafe_code)]

pub mod allergen;
pub mod allergy;
pub mod calendar;
pub mod category;
pub mod checkup;
pub mod date;
pub mod fhir;
pub mod gate;
pub mod growth;
pub mod immunization;
pub mod ingest;
pub mod ips;
pub mod lunch;
pub mod medicine;
pub mod person;
mod redacted;
pub mod rubella;
pub mod schedule;
pub mod school;
pub mod school_days;
pub mod words;
