//! Scenarios with the real processes, and the demo town.
//!
//! - [`browser`] — a real Chromium, driven as a person would use it.
//! - [`card_reader`] — a pcscd of one's own, with cards that can be put into it, pulled out and broken.
//! - [`disk`] — a file system in a file.
//! - [`evidence`] — what is looked for where it must not be.
//! - [`family`] — a family and its neighbours, made from a seed, each record at the institution that
//!   would hold it.
//! - [`locality`] — the proof of data locality on eight institutions.
//! - [`schema`] — a view held against its document.
//! - [`skip`] — what could not be checked, said aloud.
//! - [`spread`] — the same from FHIR files of somebody else.
//! - [`rehearsal`] — the federation in one process, in virtual time, from a seed.
//! - [`population`] — what both make: residents, guardianships, and each institution's own files.
//! - [`tiles`] — a ledger read from outside.
//! - [`town`] — six real processes with their own folders, keys and ports, and the way to hurt them.
//! - [`view`] — a view's JSON, read the way a stranger would read it.
#![forbid(unsafe_code)]

pub mod browser;
pub mod card_reader;
pub mod chance;
pub mod child;
pub mod clock;
pub mod disk;
pub mod evidence;
pub mod family;
pub mod house;
pub mod locality;
pub mod population;
pub mod post_office;
pub mod rehearsal;
pub mod schema;
pub mod skip;
pub mod spread;
pub mod tiles;
pub mod town;
pub mod view;
