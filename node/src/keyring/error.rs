//! What can go wrong with keys.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a key could not be made, used or destroyed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// There is no such key: it was never made here, or it was destroyed.
    #[error("the key does not exist here (never made, or destroyed by an erasure)")]
    NoSuchKey,
    /// Sealed bytes were changed, belong elsewhere or were sealed under another key.
    #[error("sealed data is not authentic: it was changed, or belongs to another place or key")]
    NotAuthentic,
    /// The key file was made under another node key.
    #[error("the key file was made under another node key; use the node key it was made with")]
    WrongNodeKey,
    /// The file at the key file's place is something else.
    #[error("{path} is not a key file of this version; restore it from its backup")]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the key file open.
    #[error("{path} is in use by another process; stop that one first")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The node key file may be read by others than its owner.
    #[error("{path} may be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The node key file does not hold exactly 32 bytes.
    #[error("{path} holds {bytes} bytes instead of 32; restore the node key from its backup")]
    NotANodeKey {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        bytes: u64,
    },
    /// A key is already there; it is never overwritten.
    #[error("{path} exists already and is never overwritten, because data sealed under it would be lost")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The node's own key cannot be destroyed.
    #[error("the node's own key cannot be destroyed; to erase everything remove the node key file")]
    NodeKeyStays,
    /// More keys than allowed in one call.
    #[error("{count} keys in one call exceed the limit of {limit}")]
    TooMany {
        /// Keys asked for.
        count: usize,
        /// Most allowed.
        limit: usize,
    },
    /// The operating system refused something.
    #[error("could not {doing} {path}: {message}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The kind of error.
        kind: io::ErrorKind,
        /// The operating system's words.
        message: String,
    },
}

impl KeyError {
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::Io { doing, path: path.into(), kind: error.kind(), message: error.to_string() }
    }
}
