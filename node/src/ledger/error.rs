//! What can go wrong with a ledger, and what to do about it.

use std::io;

use super::seal::SealError;

/// Why an entry is not in the ledger. Whatever the entry was to permit must not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLogged {
    /// The disk is full. Tried anew at the next entry: nothing to do but to make space.
    #[error("not logged: no space left for the ledger. It recovers by itself when space returns")]
    NoSpace,
    /// The disk failed. The ledger stays closed until the node is restarted.
    #[error("not logged: the disk of the ledger failed ({0}). Check the disk, then restart the node")]
    Storage(io::ErrorKind),
    /// The entry could not be encrypted.
    #[error("not logged: {0}")]
    Seal(#[from] SealError),
    /// The entry is larger than the ledger takes.
    #[error("not logged: an entry of {0} bytes is larger than the ledger takes")]
    TooLarge(usize),
    /// The details of the entry cannot be written as JSON.
    #[error("not logged: the details of the entry cannot be written")]
    Details,
    /// Too few witnesses have cosigned for too long.
    #[error(
        "not logged: too few witnesses have cosigned this ledger for too long, and nothing is released until \
         they do (`hibiki-node ledger witnesses`)"
    )]
    Unwitnessed,
    /// The ledger is not the one its witnesses know.
    #[error("not logged: the ledger is halted; `hibiki-node status` says why and what to do")]
    Halted,
    /// The ledger was closed, or its writer ended.
    #[error("not logged: the ledger is closed")]
    Closed,
}

/// Why a checkpoint could not be written. The entries themselves are safe; the next attempt covers them.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFailure {
    /// A file could not be written.
    #[error("the checkpoint could not be written: {0}. It is tried again with the next one")]
    Io(#[from] io::Error),
    /// The ledger is not the one its witnesses know: to sign it would be to sign a second history.
    #[error("no checkpoint: the ledger is halted; `hibiki-node status` says why and what to do")]
    Halted,
    /// The ledger was closed, or its writer ended.
    #[error("no checkpoint: the ledger is closed")]
    Closed,
}

/// Why a ledger does not open. The node must not serve without it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file could not be read or written.
    #[error("the ledger file {path} could not be read or written: {source}")]
    Io {
        /// The file, below the ledger's folder.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the ledger open.
    #[error("another process has this ledger open: stop it first")]
    Locked,
    /// Entries that were durable are no longer readable.
    #[error(
        "the ledger is damaged: entry {index} in {path} at byte {offset} was durable and does not read \
         ({reason}). Restore the folder of the ledger from a backup or another copy; do not delete it: \
         the damage itself is evidence"
    )]
    Damaged {
        /// The file, below the ledger's folder.
        path: String,
        /// Where in the file.
        offset: u64,
        /// Number of the entry.
        index: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// Entries are missing at the end: a rollback.
    #[error(
        "rollback detected: the ledger has {have} entries, but its last signed checkpoint states {signed}. \
         An older copy was put in place, or entries were removed. Restore the newest copy of the ledger's \
         folder. If it is lost for good, keep this folder as evidence, tell the council and the regulator, \
         move it aside whole, run `hibiki-node init --new-ledger-key` and bring a new request to the council \
         (docs/operator.md, \"Witnesses\")"
    )]
    Shorter {
        /// Entries that are there.
        have: u64,
        /// Entries by the checkpoint.
        signed: u64,
    },
    /// The entries are not those that were signed.
    #[error(
        "the first {size} entries of the ledger are not those that its checkpoint states: the ledger was \
         rewritten. Restore the folder from a backup or another copy and keep this one as evidence; if \
         there is no other, see docs/operator.md, \"Witnesses\""
    )]
    Differs {
        /// The size at which it shows.
        size: u64,
    },
    /// The last checkpoint is not by this ledger's key, or not readable.
    #[error(
        "the checkpoint of the ledger is not acceptable: {0}. If the log key or the name of the member was \
         changed, move the old ledger aside whole and let the node begin a new one"
    )]
    Checkpoint(#[from] hibiki_protocol::tlog::CheckpointError),
    /// The files are a ledger of another name.
    #[error("{path} belongs to another ledger than {origin}")]
    Foreign {
        /// The file, below the ledger's folder.
        path: String,
        /// The name by the configuration.
        origin: String,
    },
    /// The entry that says that the node started could not be written.
    #[error(transparent)]
    Start(#[from] NotLogged),
}

/// Why entries could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file could not be read.
    #[error("the ledger could not be read: {0}")]
    Io(#[from] io::Error),
    /// An entry on disk is not what was written.
    #[error("entry {0} of the ledger is damaged: run the verification of the ledger")]
    Damaged(u64),
    /// There is no such entry.
    #[error("there is no entry {index}: the ledger has {size}")]
    OutOfRange {
        /// The number that was asked for.
        index: u64,
        /// Entries in the ledger.
        size: u64,
    },
    /// The keyring failed, without the entry being erased.
    #[error("entry {index} does not open: {source}")]
    Seal {
        /// Number of the entry.
        index: u64,
        /// What the keyring said.
        source: SealError,
    },
    /// No checkpoint covers the entry yet.
    #[error("no checkpoint covers entry {0} yet: ask again after the next one")]
    NotYet(u64),
}

impl OpenError {
    /// An I/O failure at a path.
    pub(super) fn io(path: &str) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Whether an error means that the disk is full, by whichever rule (space, quota).
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
