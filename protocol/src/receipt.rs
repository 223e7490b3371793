//! The promise that something stands in a ledger, and the proof that it does.
//!
//! A receipt names a leaf. With it comes the institution's [`Promise`], signed apart from the answer, so that it
//! can be shown to anybody without what was answered. Later the holder asks for the [`LeafProof`] of each leaf: an
//! audit path to a checkpoint that the ledger's own key signed. Whoever has a promise and is refused the proof
//! holds the institution's word against it.

use crate::cbor::{wire_code, wire_struct};
use crate::ids::Digest;
use crate::limits;
use crate::signing::Signable;
use crate::time::Timestamp;
use crate::tlog::{Hash, LogProof};

wire_struct! {
    /// The institution's promise that this release stands in its ledger: a leaf that anybody can
    /// later ask to be proved (RFC 9162 in spirit).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Receipt {
        /// Name of the log (C2SP tlog-checkpoint origin).
        1 => pub origin: String,
        /// Index of the leaf.
        3 => pub index: u64,
        /// Hash of the leaf (RFC 6962 section 2.1).
        5 => pub leaf_hash: Digest,
    }
}

wire_struct! {
    /// A receipt as a statement of its own: the institution's word to anybody that this leaf stands in its
    /// ledger (a signed certificate timestamp of RFC 9162, in spirit). Says nothing about what was answered.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Promise {
        /// Version of this structure.
        1 => pub version: u64,
        /// The leaf.
        3 => pub receipt: Receipt,
        /// When it was promised, by the institution's clock.
        5 => pub at: Timestamp,
    }
}

impl Signable for Promise {
    const LABEL: &'static str = "hibiki/1/promise";
}

wire_struct! {
    /// Asks for the proofs of leaves that were promised.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProveReceipts {
        /// The leaves, in the order in which their proofs are wanted.
        1 => pub leaves: Vec<PromisedLeaf>,
    }
}

wire_struct! {
    /// A leaf, as its receipt names it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PromisedLeaf {
        /// Index of the leaf.
        1 => pub index: u64,
        /// Its hash: who does not know it learns nothing.
        3 => pub leaf_hash: Digest,
    }
}

wire_code! {
    /// How a leaf stands.
    pub enum LeafStanding {
        /// It is in the ledger; here is the proof.
        1 => Proved = "proved",
        /// It is in the ledger, and no checkpoint covers it yet.
        2 => NotYet = "not_yet",
        /// The ledger has no such leaf there.
        3 => Unknown = "unknown",
    }
}

wire_struct! {
    /// The proof of one leaf, or why there is none.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LeafProof {
        /// Index of the leaf.
        1 => pub index: u64,
        /// How it stands.
        3 => pub standing: LeafStanding,
        /// Which checkpoint of the page the path leads to, counted from 0; with `proved`.
        5 => pub checkpoint: Option<u64>,
        /// The audit path (RFC 6962 section 2.1.1); with `proved`.
        7 => pub path: Option<Vec<Digest>>,
    }
}

wire_struct! {
    /// Proofs of leaves, in the order in which they were asked for. Those left out did not fit, and can be asked
    /// for again.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProofPage {
        /// Checkpoints, signed notes: cosigned ones first, the newest last; empty before the first.
        1 => pub checkpoints: Vec<String>,
        /// The proofs.
        3 => pub proofs: Vec<LeafProof>,
    }
}

impl ProofPage {
    /// Whether it keeps within its limits, and each proof has what belongs to its standing.
    pub fn consistent(&self) -> bool {
        (1..=limits::PROOFS_MAX).contains(&self.proofs.len())
            && self.checkpoints.len() <= limits::PROOF_CHECKPOINTS_MAX
            && self.proofs.iter().all(|proof| {
                let proved = proof.standing == LeafStanding::Proved;
                proof.path.is_some() == proved
                    && proof.checkpoint.is_some() == proved
                    && (!proved || self.note(proof).is_some())
            })
    }

    /// The newest checkpoint it brings.
    pub fn newest(&self) -> Option<&String> {
        self.checkpoints.last()
    }

    /// The proof in one file (c2sp.org/tlog-proof), not verified; `None` where there is none.
    pub fn bundle(&self, proof: &LeafProof) -> Option<LogProof> {
        let path = proof.path.as_ref()?.iter().map(|hash| Hash(hash.0)).collect();
        Some(LogProof { index: proof.index, path, checkpoint: self.note(proof)?.clone() })
    }

    fn note(&self, proof: &LeafProof) -> Option<&String> {
        self.checkpoints.get(usize::try_from(proof.checkpoint?).ok()?)
    }
}
