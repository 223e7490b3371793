//! The council (運用主体): federation root, members, trust lists, and a card authority marked as simulated.
//!
//! Works on files and needs no network, so that root keys can stay on machines that have none.
//! Private keys never travel: a node asks with keys it made itself ([`council::Council::enrol`]),
//! root keys sign a draft that is carried to them, and only signatures come back.
//!
//! [`council`] makes trust lists; [`card_authority`] issues certificates for simulated cards.
#![forbid(unsafe_code)]

pub mod card_authority;
pub mod council;
mod files;

pub use files::FileError;
