//! What can go wrong with the record book.

use thiserror::Error;

use crate::{keyring::KeyError, store::StoreError};

/// Why the book could not do what was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BookError {
    /// More than one call takes.
    #[error(
        "{entries} entries with {bytes} bytes of content are too much for one call (2000 entries, 16 MiB); \
         split them"
    )]
    TooMuch {
        /// Entries asked for, members of groups included.
        entries: usize,
        /// Content bytes asked for.
        bytes: usize,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring refused or failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store was filled under another keyring.
    #[error(
        "the key file is not the one this store was filled under (a new one is made where none is found); \
         stop the node and put the right key file back"
    )]
    OtherKeyRing,
    /// A row does not have the form this version writes.
    #[error("a row of {what} cannot be understood; run a check of the store, then restore its last backup")]
    Row {
        /// The kind of row.
        what: &'static str,
    },
    /// The subject does not exist, or was erased.
    #[error("there is no such subject (erased, or never entered)")]
    NoSuchSubject,
}
