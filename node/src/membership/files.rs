//! Anchor and trust lists as files: deterministic CBOR, as the council publishes them.
//!
//! Must not know: whether what they say is to be believed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use hibiki_protocol::cbor::{self, DecodeError};
use hibiki_protocol::frames::TrustLists;
use hibiki_protocol::trust::{RootAnchor, SignedTrustList};

/// Bytes of the largest file that is read: sixteen lists of a large federation.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A file of the federation could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{} is not {expected}: {error}; fetch it from the council again", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// Where it differs.
        error: DecodeError,
    },
}

/// Reads the federation's anchor (`RootAnchor`, CBOR).
///
/// # Errors
/// The file cannot be read or is none.
pub fn read_anchor(path: &Path) -> Result<RootAnchor, FileError> {
    let bytes = read(path)?;
    let content = |error| FileError::Content { path: path.to_owned(), expected: "a federation root", error };
    cbor::decode(&bytes).map_err(content)
}

/// Reads one trust list (`SignedTrustList`, CBOR) or several in order (`TrustLists`, CBOR).
///
/// # Errors
/// The file cannot be read or is neither.
pub fn read_lists(path: &Path) -> Result<Vec<SignedTrustList>, FileError> {
    let bytes = read(path)?;
    parse_lists(&bytes).map_err(|error| FileError::Content {
        path: path.to_owned(),
        expected: "a trust list",
        error,
    })
}

/// The lists in these bytes.
pub(super) fn parse_lists(bytes: &[u8]) -> Result<Vec<SignedTrustList>, DecodeError> {
    match cbor::decode::<SignedTrustList>(bytes) {
        Ok(list) => Ok(vec![list]),
        Err(error) => cbor::decode::<TrustLists>(bytes).map(|several| several.lists).map_err(|_| error),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let io = |source| FileError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}
