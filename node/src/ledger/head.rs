//! The signed heads of the ledger: the file `checkpoint` with the newest one, as c2sp.org/tlog-tiles wants it,
//! the file `checkpoints` with every one that was ever signed, each followed by an empty line, and the file
//! `cosigned` with the newest one that enough witnesses have cosigned.

use hibiki_protocol::tlog::{Checkpoint, CheckpointError, VerifierKey, split_notes};

use super::error::OpenError;
use super::storage::Storage;

/// The newest checkpoint.
pub(super) const CURRENT: &str = "checkpoint";
/// All checkpoints.
pub(super) const HISTORY: &str = "checkpoints";

/// The newest checkpoint that enough witnesses have cosigned, with their cosignatures; or one that shows that
/// this is not the ledger they know.
pub(super) const COSIGNED: &str = "cosigned";

/// A checkpoint and the note it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) checkpoint: Checkpoint,
    pub(super) note: String,
}

/// What the disk knows of heads.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The newest, by any file.
    pub(super) newest: Option<Signed>,
    /// What witnesses have cosigned.
    pub(super) cosigned: Option<Signed>,
    /// Length of the complete notes in the history.
    pub(super) history_len: u64,
}

/// Reads the files and verifies the newest head of each.
pub(super) fn read_heads(storage: &dyn Storage, key: &VerifierKey) -> Result<Heads, OpenError> {
    let current = storage.read(CURRENT).map_err(OpenError::io(CURRENT))?;
    let history = storage.read(HISTORY).map_err(OpenError::io(HISTORY))?.unwrap_or_default();
    let cosigned = storage.read(COSIGNED).map_err(OpenError::io(COSIGNED))?;
    let (notes, history_len) = split_notes(&history);
    let mut newest: Option<Signed> = None;
    let all = current.as_deref().into_iter().chain(notes.last().copied()).chain(cosigned.as_deref());
    for note in all {
        let signed = open(note, key)?;
        newest = match newest {
            Some(other) if other.checkpoint.size == signed.checkpoint.size => {
                if other.checkpoint.root != signed.checkpoint.root {
                    return Err(OpenError::Differs { size: other.checkpoint.size });
                }
                Some(other)
            }
            Some(other) if other.checkpoint.size > signed.checkpoint.size => Some(other),
            _ => Some(signed),
        };
    }
    let cosigned = cosigned.as_deref().map(|note| open(note, key)).transpose()?;
    Ok(Heads { newest, cosigned, history_len: history_len as u64 })
}

/// Opens one note.
pub(super) fn open(note: &[u8], key: &VerifierKey) -> Result<Signed, CheckpointError> {
    let (checkpoint, _) = Checkpoint::open(note, key, &[])?;
    Ok(Signed { checkpoint, note: String::from_utf8_lossy(note).into_owned() })
}
