//! What can go wrong in a store, and what the caller should do about it.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Whether trying the same thing again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Read again and try again at once: somebody else was faster.
    Now,
    /// Try again after a while: the state outside must change first (space, a lock, a slow disk).
    Later,
    /// Trying again cannot help: the request or the store must be mended by a person.
    Never,
}

/// Why a store refused or failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The disk is full, or so nearly full that only urgent batches are accepted.
    #[error(
        "no space: {free} bytes are free where the store lies and {need} are needed; free some space, \
         writing goes on by itself"
    )]
    NoSpace {
        /// Bytes free on the file system.
        free: u64,
        /// Bytes that must be free before this is accepted.
        need: u64,
    },
    /// A key, value, batch or page is larger than the interface allows.
    #[error("{what} of {size} exceeds the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its size, in bytes or items.
        size: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// A [`super::Batch::require`] did not hold. Nothing was written.
    #[error("somebody else changed a value this batch depends on; read again and repeat")]
    Conflict,
    /// The snapshot was kept through too many commits, or over a reopening of the engine.
    #[error("the snapshot is too old; take a new one and repeat")]
    SnapshotTooOld,
    /// Another process has the store open.
    #[error("{path} is in use by another process; stop that one first")]
    InUse {
        /// The store's directory.
        path: PathBuf,
    },
    /// The directory was written by another version or with other fixed settings.
    #[error("{path} cannot be used by this version: {reason}; run the version that created it")]
    Incompatible {
        /// The store's directory.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// What is on disk cannot be understood.
    #[error(
        "the store in {path} is damaged ({what}); nothing was changed; keep a copy of the directory, then \
         move it aside and restore the last backup or import again from the source system"
    )]
    Damaged {
        /// The store's directory.
        path: PathBuf,
        /// What was found. Never contains stored bytes.
        what: String,
    },
    /// The disk refused to make written data durable. What it kept is unknown, so the store stays shut.
    #[error(
        "the disk under {path} failed to make data durable ({what}); check the disk, then restart the node"
    )]
    DiskFailed {
        /// The store's directory.
        path: PathBuf,
        /// The operating system's words.
        what: String,
    },
    /// The operating system refused something else.
    #[error("could not {doing}: {message}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The kind of error.
        kind: io::ErrorKind,
        /// The operating system's words.
        message: String,
    },
    /// The store or committer was closed.
    #[error("the store is closed: the node is stopping")]
    Closed,
}

impl StoreError {
    /// Whether trying again makes sense.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Conflict | Self::SnapshotTooOld => Retry::Now,
            Self::NoSpace { .. } | Self::InUse { .. } | Self::Io { .. } => Retry::Later,
            Self::TooLarge { .. }
            | Self::Incompatible { .. }
            | Self::Damaged { .. }
            | Self::DiskFailed { .. }
            | Self::Closed => Retry::Never,
        }
    }

    pub(super) fn io(doing: &'static str, error: &io::Error) -> Self {
        Self::Io { doing, kind: error.kind(), message: error.to_string() }
    }

    pub(super) fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), Self> {
        if size > limit { Err(Self::TooLarge { what, size, limit }) } else { Ok(()) }
    }
}

/// Whether an operating-system error means "no room": disk, quota or file-size limit.
pub(super) fn means_no_space(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}
