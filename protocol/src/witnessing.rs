//! Witnessing on the wire: a ledger's checkpoint is offered to another member, which cosigns it if the ledger
//! has only grown; and two histories of one ledger are told to everybody.
//!
//! The decision itself is [`crate::tlog::judge`]. Offers and replies prove themselves — a checkpoint by the
//! ledger's key, a cosignature by the witness's, a refusal by the kept checkpoint it carries — so that a
//! gateway which passes them on between members that have no link can withhold them, and no more.

use crate::cbor::{wire_code, wire_struct, wire_union};
use crate::ids::{Digest, MemberId};
use crate::limits;
use crate::tlog::verify_consistency;
use crate::tlog::{Checkpoint, CheckpointError, Fork, Hash, ProofFailure, SignedNote, VerifierKey};
use crate::trust::{Member, Role, TrustList};

wire_struct! {
    /// Offers a checkpoint to a witness, or asks which one it keeps.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CheckpointOffer {
        /// The witness. A gateway passes on what is for another member it has a link to.
        1 => pub audience: MemberId,
        /// The ledger (its C2SP origin).
        3 => pub origin: String,
        /// The checkpoint, a signed note; absent: only asks what the witness keeps.
        4 => pub checkpoint: Option<String>,
        /// Size of the checkpoint the witness is thought to keep; 0 if none.
        5 => pub old_size: u64,
        /// Root of the ledger at that size; zeroes for 0.
        7 => pub old_root: Digest,
        /// Consistency proof from that size to the checkpoint's (RFC 6962 section 2.1.2); empty for 0.
        9 => pub proof: Vec<Digest>,
    }
}

wire_code! {
    /// Why a checkpoint is not cosigned.
    pub enum WitnessRefusal {
        /// The witness keeps a checkpoint of another size than the offer grows from, or none.
        1 => Conflict = "conflict",
        /// The witness keeps a longer ledger than is offered.
        2 => Stale = "stale",
        /// The proof does not lead to the checkpoint.
        3 => Unproved = "unproved",
        /// The ledger has two histories: the evidence goes to every member.
        4 => Fork = "fork",
        /// Not a checkpoint of this ledger by the trust list in force: wrong key, name or form.
        5 => NotItsCheckpoint = "not_its_checkpoint",
        /// No member of the trust list in force has this ledger.
        6 => UnknownLedger = "unknown_ledger",
        /// The member asked is no witness, or there is no way to it from here.
        7 => NoWitness = "no_witness",
        /// The witness cannot keep the checkpoint durably at the moment, or has too much to do.
        8 => Unavailable = "unavailable",
    }
}

wire_struct! {
    /// The witness keeps the checkpoint durably and has cosigned it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Cosigned {
        /// The cosignature, one line of a signed note (c2sp.org/tlog-cosignature, Ed25519).
        1 => pub signature: String,
    }
}

wire_struct! {
    /// The witness has not cosigned.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct NotCosigned {
        /// Why.
        1 => pub refusal: WitnessRefusal,
        /// The checkpoint the witness keeps of this ledger, a note with the ledger's own signature and the
        /// witness's; absent if it keeps none.
        2 => pub kept: Option<String>,
    }
}

wire_union! {
    /// The answer to an offer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Witnessed {
        /// Kept and cosigned.
        1 => Cosigned(Cosigned),
        /// Not cosigned.
        2 => NotCosigned(NotCosigned),
    }
}

wire_struct! {
    /// Two checkpoints of one ledger that cannot both be true. Proves itself by the ledger's own signatures.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ForkEvidence {
        /// The earlier checkpoint, a signed note, or one of two of the same size.
        1 => pub first: String,
        /// The later one.
        3 => pub second: String,
        /// Root of as many of the second's first leaves as the first has.
        5 => pub prefix_root: Digest,
        /// Consistency proof from that root to the second's; empty where the sizes are the same.
        7 => pub proof: Vec<Digest>,
    }
}

wire_struct! {
    /// The evidence was looked at; if it proves a fork it is kept, and told on.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ForkNoted {
        /// Version of this structure.
        1 => pub version: u64,
        /// Whether it proves a fork by the trust list in force there.
        3 => pub proven: bool,
    }
}

/// Why evidence shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFork {
    /// It is larger than any evidence.
    #[error("larger than any evidence")]
    TooLarge,
    /// One of the notes is not a checkpoint of the ledger.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not hold.
    #[error("the proof does not hold: {0}")]
    Proof(#[from] ProofFailure),
    /// The two agree.
    #[error("the two checkpoints agree")]
    Agree,
}

impl WitnessRefusal {
    /// The refusal, with the checkpoint that is kept.
    pub fn with(self, kept: Option<String>) -> Witnessed {
        NotCosigned { refusal: self, kept }.into()
    }
}

impl CheckpointOffer {
    /// Whether its parts are of a size that can be right.
    pub fn is_sound(&self) -> bool {
        self.origin.len() <= limits::NAME_BYTES_MAX
            && self.checkpoint.as_ref().is_none_or(|note| note.len() <= limits::CHECKPOINT_BYTES_MAX)
            && self.proof.len() <= limits::CONSISTENCY_PROOF_MAX
    }
}

impl ForkEvidence {
    /// The evidence of a fork, with the two notes it shows in.
    pub fn of(fork: &Fork, first: String, second: String) -> Self {
        Self { first, second, prefix_root: digest(&fork.prefix_root), proof: digests(&fork.proof) }
    }

    /// The ledger it claims to be about: only for finding out which key to verify with.
    pub fn claimed_origin(&self) -> &str {
        self.first.lines().next().unwrap_or_default()
    }

    /// The fork, if both notes are signed by the ledger's key and cannot both be true.
    ///
    /// # Errors
    /// [`NoFork`].
    pub fn verify(&self, log: &VerifierKey) -> Result<Fork, NoFork> {
        let long = |note: &String| note.len() > limits::CHECKPOINT_BYTES_MAX;
        if long(&self.first) || long(&self.second) || self.proof.len() > limits::CONSISTENCY_PROOF_MAX {
            return Err(NoFork::TooLarge);
        }
        let (first, _) = Checkpoint::open(self.first.as_bytes(), log, &[])?;
        let (second, _) = Checkpoint::open(self.second.as_bytes(), log, &[])?;
        let (prefix_root, proof) = (Hash(self.prefix_root.0), hashes(&self.proof));
        verify_consistency(first.size, second.size, &proof, &prefix_root, &second.root)?;
        if prefix_root == first.root {
            return Err(NoFork::Agree);
        }
        Ok(Fork { first, second, prefix_root, proof })
    }

    /// The same without anybody's signatures but the ledger's: what is kept and told on has one form, and
    /// nobody can make it look new by adding to it.
    ///
    /// # Errors
    /// [`NoFork::Checkpoint`] if a note is none.
    pub fn bare(&self, log: &VerifierKey) -> Result<Self, NoFork> {
        let strip = |note: &str| -> Result<String, CheckpointError> {
            let note = SignedNote::parse(note.as_bytes())?;
            let own = note.signatures().iter().find(|line| log.made(line)).cloned();
            Ok(SignedNote::new(note.text().to_owned(), own.into_iter().collect())?.to_string())
        };
        Ok(Self { first: strip(&self.first)?, second: strip(&self.second)?, ..self.clone() })
    }
}

impl TrustList {
    /// The member whose ledger this is, by its origin.
    pub fn member_of_ledger(&self, origin: &str) -> Option<&Member> {
        self.members.iter().find(|member| Member::ledger_origin(&member.id) == origin)
    }

    /// The members other than `own` that may cosign its checkpoints, with the keys they cosign with; of more than
    /// [`limits::WITNESSES_MAX`] those that its name falls to. Nobody chooses his own.
    pub fn witnesses_for(&self, own: &MemberId) -> Vec<(&MemberId, VerifierKey)> {
        let others = self.members.iter().filter(|member| &member.id != own && member.has_role(Role::Witness));
        let mut others: Vec<&Member> = others.collect();
        if others.len() > limits::WITNESSES_MAX {
            let parts = |id: &MemberId| {
                let [owner, witness] = [own, id].map(|id| id.as_str().as_bytes().to_vec());
                Digest::of(&[b"hibiki/1/witness-of", &[0], &owner, &[0], &witness])
            };
            others.sort_by_cached_key(|member| parts(&member.id).0);
        }
        // Only the keys of those it falls to are looked at: that costs more than the choice.
        let usable = others.into_iter().filter_map(|member| Some((&member.id, member.witness_verifier()?)));
        usable.take(limits::WITNESSES_MAX).collect()
    }
}

/// How many cosignatures make a checkpoint count, where nothing else is configured: three, but never more than
/// half of those who could sign, rounded up, so that one witness that sleeps stops nobody.
pub const fn quorum_default(possible: usize) -> usize {
    let half = possible.div_ceil(2);
    if half < 3 { half } else { 3 }
}

/// Hashes of the tree as they travel.
pub fn digests(hashes: &[Hash]) -> Vec<Digest> {
    hashes.iter().map(digest).collect()
}

/// Digests as the tree knows them.
pub fn hashes(digests: &[Digest]) -> Vec<Hash> {
    digests.iter().map(|digest| Hash(digest.0)).collect()
}

fn digest(hash: &Hash) -> Digest {
    Digest(hash.0)
}
