//! The allergy alert: the evening before a lunch that holds something a child must not eat, her guardians get a mail.
//!
//! Each half minute, and whenever a menu, a registration, the calendar or the roster has changed, a `round` asks what
//! is open now ([`hours`]), judges it for every child, and tells ([`saying`]) whoever was not told so already. There is
//! no "evening job" that could be missed: a node that was off at six catches up at nine, or before lunch the next day.
//! What a kitchen has not accepted in time, what could not be cleared, and what could not be delivered is told to staff
//! (`concerns`). Must not know: how a mail is sent ([`crate::mail`]), which words mean an allergen
//! ([`hibiki_records::lunch`]).
//!
//! ```text
//! School  t ‖ day ‖ child ‖ guardian     what she was told of that lunch, sealed under the child's key
//!         u ‖ day ‖ kitchen's index      what staff were told of it
//! ```

pub mod commands;
mod concerns;
pub mod hours;
mod job;
mod letter;
mod round;
pub mod saying;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hours::Hours;
pub use round::Round;

use super::days::Days;
use super::menus::Menus;
use super::registrations::Registrations;
use super::roster::{Roster, RosterError};
use crate::holds::Holds;
use crate::institution::Means;
use crate::mail::Outbox;
use crate::observe::board::StatusBoard;
use crate::recordbook::{BookError, RecordBook};
use crate::store::Keyspace;
use crate::vault::VaultError;
use crate::vault::form::{Form, Part, sealed};

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<saying::Told>("alert told", Keyspace::School, b"t", &[Part::Day, Part::Subject, Part::Guardian]),
    sealed::<concerns::ToldStaff>("concern told", Keyspace::School, b"u", &[Part::Day]),
    sealed::<concerns::ToldStaff>("concern told", Keyspace::School, b"u", &[Part::Day, Part::Digest]),
];

/// Everything the alert works with.
pub struct Alerts {
    pub(crate) means: Means,
    pub(crate) book: Arc<RecordBook>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) days: Arc<Days>,
    pub(crate) menus: Arc<Menus>,
    pub(crate) registrations: Arc<Registrations>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) board: StatusBoard,
    /// When whom to tell.
    pub(crate) hours: Hours,
    /// The school's name in letters.
    pub(crate) school: String,
    /// Addresses of staff.
    pub(crate) staff_mail: Vec<String>,
    /// One round at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

/// Why a round could not be finished. Says nothing about anybody.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The record book.
    #[error("{0}")]
    Book(#[from] BookError),
    /// The roster.
    #[error("{0}")]
    Roster(#[from] RosterError),
}
