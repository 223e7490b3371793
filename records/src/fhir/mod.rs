//! The small, borrowed subset of FHIR R4 on which decisions rest.
//!
//! A resource is kept as the bytes that came; only the elements listed in [`resource`] are looked at, each
//! as a `RawValue` first, so that no decimal is ever re-printed and nothing is allocated for what nobody
//! reads. What we rely on is read strictly: wrong shapes and doubled keys are refused with a
//! [`Reason`] that names the element and never its value. What we do not rely on may be anything that is
//! JSON.
//!
//! Must not know of files, lines or bundles ([`crate::ingest`]).

pub mod classify;
pub mod codes;
pub(crate) mod element;
pub(crate) mod lexical;
pub(crate) mod node;
mod reason;
pub mod reference;
pub mod resource;
pub mod standing;
pub(crate) mod stored;
pub(crate) mod when;

pub use reason::Reason;
pub use standing::{Standing, standing};
