//! The regulator: verifies ledgers and data locality from artefacts alone.
//!
//! One question, one file; [`report`] asks them all. Nothing here asks a running node, holds a member's key, or
//! believes a party's own word.
//!
//! - [`artefacts`] — the folder that is read, and the trust lists in it
//! - [`log`] — is a ledger whole, unaltered and signed?
//! - [`ledgers`] — all of them, opened
//! - [`evidence`] — all of that together: what a question is asked of
//! - [`witnessed`] — what other members keep of them
//! - [`reconcile`] — do they agree with each other?
//! - [`identifiers`] — could two institutions find the same person?
//! - [`holds`] — was anything released to a held guardian?
//! - [`canary`] — what was planted, and that it was committed to
//! - [`locality`] — is anything where it must not be?
//! - [`traffic`] — does anything travel that a gateway could read?
//! - [`search`] — searching places for secrets, with [`scan`], which knows many forms
//! - [`page`] — the report for a commissioner
//!
//! Small enough to be read in an afternoon: that is the point of it.
#![forbid(unsafe_code)]

pub mod artefacts;
pub mod canary;
pub mod evidence;
pub mod holds;
pub mod identifiers;
pub mod ledgers;
pub mod locality;
pub mod log;
pub mod page;
pub mod reconcile;
pub mod report;
pub mod scan;
pub mod search;
pub mod signing;
pub mod strand;
pub mod traffic;
pub mod witnessed;
