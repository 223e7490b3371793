//! The council (運用主体): federation root, members, trust lists, and a card authority marked as simulated.
//!
//! Works on files and needs no network, so that root keys can stay on machines that have none.
#![forbid(unsafe_code)]

pub mod card_authority;
mod files;

pub use files::FileError;
