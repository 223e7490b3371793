//! Proofs in one file (c2sp.org/tlog-proof): an index, an audit path and the checkpoint it leads to. What a
//! guardian keeps as a receipt, and what anybody can verify years later without asking the institution.

use std::fmt;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::hash::Hash;
use super::note::{MAX_NOTE_BYTES, Verified};
use super::proof::{ProofFailure, verify_inclusion};
use super::vkey::VerifierKey;

/// The first line of the format.
const HEAD: &str = "c2sp.org/tlog-proof@v1";
/// The longest audit path: a tree of 2^64 leaves.
const MAX_PATH: usize = 64;

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogProofError {
    /// The text is not of the format.
    #[error("not a proof of c2sp.org/tlog-proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint is not acceptable.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The path does not lead from the leaf to the checkpoint.
    #[error("the entry is not in the log where the proof says: {0}")]
    NotIncluded(#[from] ProofFailure),
}

/// That an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// The number of the entry.
    pub index: u64,
    /// The audit path, the leaf's sibling first (RFC 6962 section 2.1.1).
    pub path: Vec<Hash>,
    /// The checkpoint, as a signed note.
    pub checkpoint: String,
}

impl LogProof {
    /// Reads a proof. Nothing in it may be believed before [`LogProof::verify`]; extra data is dropped.
    ///
    /// # Errors
    /// [`LogProofError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, LogProofError> {
        if text.len() > MAX_NOTE_BYTES {
            return Err(LogProofError::Malformed("too long"));
        }
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(LogProofError::Malformed("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEAD) {
            return Err(LogProofError::Malformed("the first line is another one"));
        }
        let _extra = lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|text| text.parse::<u64>().ok().filter(|index| index.to_string() == text));
        let index = index.ok_or(LogProofError::Malformed("no index"))?;
        let path = lines.map(Hash::from_base64).collect::<Option<Vec<_>>>();
        let path = path.ok_or(LogProofError::Malformed("a line of the path is no hash"))?;
        if path.len() > MAX_PATH {
            return Err(LogProofError::Malformed("the path is longer than any tree is high"));
        }
        Ok(Self { index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the leaf is in the log of this key, by its hash. Returns the checkpoint and which witnesses
    /// cosigned it.
    ///
    /// # Errors
    /// [`LogProofError`].
    pub fn verify(
        &self,
        leaf: &Hash,
        log: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<(Checkpoint, Vec<Verified>), LogProofError> {
        let (checkpoint, cosigned) = Checkpoint::open(self.checkpoint.as_bytes(), log, witnesses)?;
        verify_inclusion(self.index, checkpoint.size, leaf, &self.path, &checkpoint.root)?;
        Ok((checkpoint, cosigned))
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
