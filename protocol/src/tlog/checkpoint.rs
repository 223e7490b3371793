//! Checkpoints (c2sp.org/tlog-checkpoint): what a log states about itself, as the text of a signed note.

use std::fmt;

use super::hash::Hash;
use super::note::{NoteError, SignedNote, Verified};
use super::vkey::{NoteSigner, VerifierKey};

/// Why a note is not an acceptable checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note itself is not acceptable.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text of the note is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    /// It is the checkpoint of another log.
    #[error("this is a checkpoint of {found}, not of {expected}")]
    Origin {
        /// The log that was asked for.
        expected: String,
        /// The log that the checkpoint is about.
        found: String,
    },
    /// The log itself did not sign, only others did.
    #[error("the log's own signature is missing")]
    NotByLog,
}

/// The head of a log: its name, how many leaves it has, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The Merkle tree hash of that many leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a note. Extension lines are allowed by the specification and carry no meaning here:
    /// they are checked for form and dropped.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Malformed("no final newline"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty());
        let origin = origin.ok_or(CheckpointError::Malformed("the origin is empty"))?;
        let size_line = lines.next().ok_or(CheckpointError::Malformed("no size"))?;
        let size: u64 = size_line.parse().map_err(|_| CheckpointError::Malformed("the size is no number"))?;
        if size.to_string() != size_line {
            return Err(CheckpointError::Malformed("the size is not written in its shortest form"));
        }
        let root = lines.next().and_then(Hash::from_base64);
        let root = root.ok_or(CheckpointError::Malformed("the root is not the base64 of 32 bytes"))?;
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Malformed("an empty extension line"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads and verifies a checkpoint of the log whose own key is `log`. The origin must be the key's name.
    /// What `witnesses` signed beside it is returned; their positions count from 0 in `witnesses`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the log did not sign exactly this, or a witness's line does not verify.
    pub fn open(
        note: &[u8],
        log: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<(Self, Vec<Verified>), CheckpointError> {
        let note = SignedNote::parse(note)?;
        let mut keys = vec![log.clone()];
        keys.extend_from_slice(witnesses);
        let verified = note.verify(&keys)?;
        if !verified.iter().any(|v| v.key == 0) {
            return Err(CheckpointError::NotByLog);
        }
        let checkpoint = Self::parse_text(note.text())?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::Origin {
                expected: log.name().to_owned(),
                found: checkpoint.origin,
            });
        }
        let cosigned = verified
            .into_iter()
            .filter_map(|v| Some(Verified { key: v.key.checked_sub(1)?, time: v.time }))
            .collect();
        Ok((checkpoint, cosigned))
    }

    /// Signs the checkpoint as the log.
    ///
    /// # Errors
    /// [`CheckpointError`] if the origin cannot stand in a note.
    pub fn sign(&self, signer: &NoteSigner) -> Result<SignedNote, CheckpointError> {
        if self.origin.is_empty() || self.origin.contains('\n') {
            return Err(CheckpointError::Malformed("the origin is empty or has a line break in it"));
        }
        let text = self.to_string();
        let signature = signer.sign(&text, 0);
        Ok(SignedNote::new(text, vec![signature])?)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}
