//! What a witness decides about a checkpoint it is offered (c2sp.org/tlog-witness): nothing but whether this
//! log has only ever grown since the checkpoint it cosigned last.
//!
//! Knows neither who asks nor where the last checkpoint is kept. One rule goes beyond the specification: an
//! offer states the root its log had at the old size, too. A proof that leads from *another* root than the
//! witness keeps to the root the log has signed now shows that the log was rewritten, to anybody: a [`Fork`].

use super::checkpoint::{Checkpoint, CheckpointError};
use super::hash::Hash;
use super::note::{NoteError, NoteSignature, SignedNote};
use super::proof::{ProofFailure, verify_consistency};
use super::vkey::{NoteSigner, VerifierKey};

/// A log's claim to have grown.
#[derive(Clone, Copy, Debug)]
pub struct Growth<'a> {
    /// The new checkpoint, a note signed by the log.
    pub note: &'a [u8],
    /// The size it has grown from: that of the checkpoint the witness keeps; 0 if it keeps none.
    pub old: u64,
    /// The root the log says it had at that size; without meaning for 0.
    pub old_root: Hash,
    /// The consistency proof between the two (RFC 6962 section 2.1.2).
    pub proof: &'a [Hash],
}

/// What a witness does about an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep it durably, then cosign it.
    Cosign(Cosignable),
    /// The log has grown from another size than is kept: it must be told which one that is.
    Conflict,
    /// The log is shorter than it was.
    Stale,
    /// The proof does not lead to the new root from anywhere.
    Unproved(ProofFailure),
    /// The log has signed two histories.
    Fork(Fork),
    /// It is not this log's checkpoint.
    NotItsCheckpoint(CheckpointError),
}

/// A checkpoint that follows from what the witness keeps. Only [`judge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignable {
    checkpoint: Checkpoint,
    note: SignedNote,
    grown: bool,
}

impl Cosignable {
    /// The checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether it is another one than is kept: then it must be durable before the cosignature leaves.
    #[must_use]
    pub const fn has_grown(&self) -> bool {
        self.grown
    }

    /// Cosigns at `time` (seconds since the Unix epoch): the signature, and the note that carries the log's own
    /// signature and this one, to be kept.
    #[must_use]
    pub fn cosign(&self, witness: &NoteSigner, time: u64) -> (NoteSignature, SignedNote) {
        let signature = witness.sign(self.note.text(), time);
        let mut note = self.note.clone();
        note.add(signature.clone());
        (signature, note)
    }
}

/// Two checkpoints of one log that cannot both be true, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The earlier one, or one of two of the same size.
    pub first: Checkpoint,
    /// The later one.
    pub second: Checkpoint,
    /// The root that the second one's first leaves have, as many as the first has: not the first's.
    pub prefix_root: Hash,
    /// Proof of that.
    pub proof: Vec<Hash>,
}

/// Judges an offer of the log with this key, given the checkpoint kept of it.
#[must_use]
pub fn judge(kept: Option<&Checkpoint>, growth: &Growth<'_>, log: &VerifierKey) -> Verdict {
    let (checkpoint, note) = match by_the_log_alone(growth.note, log) {
        Ok(opened) => opened,
        Err(error) => return Verdict::NotItsCheckpoint(error),
    };
    // Nothing can be wrong about a log without leaves.
    let Some(kept) = kept.filter(|kept| kept.size > 0) else {
        let fresh = growth.old == 0 && growth.proof.is_empty();
        let grown = Cosignable { checkpoint, note, grown: true };
        return if fresh { Verdict::Cosign(grown) } else { Verdict::Conflict };
    };
    if checkpoint.size == kept.size && checkpoint.root == kept.root {
        return Verdict::Cosign(Cosignable { checkpoint, note, grown: false });
    }
    if checkpoint.size == kept.size {
        let (prefix_root, proof) = (checkpoint.root, Vec::new());
        return Verdict::Fork(Fork { first: kept.clone(), second: checkpoint, prefix_root, proof });
    }
    if checkpoint.size < kept.size {
        return Verdict::Stale;
    }
    if growth.old != kept.size {
        return Verdict::Conflict;
    }
    let Growth { old, old_root, proof, .. } = *growth;
    match verify_consistency(old, checkpoint.size, proof, &old_root, &checkpoint.root) {
        Err(failure) => Verdict::Unproved(failure),
        Ok(()) if old_root == kept.root => Verdict::Cosign(Cosignable { checkpoint, note, grown: true }),
        Ok(()) => Verdict::Fork(Fork {
            first: kept.clone(),
            second: checkpoint,
            prefix_root: old_root,
            proof: proof.to_vec(),
        }),
    }
}

/// The checkpoint of a note and the note without anybody else's signatures.
fn by_the_log_alone(note: &[u8], log: &VerifierKey) -> Result<(Checkpoint, SignedNote), CheckpointError> {
    let (checkpoint, _) = Checkpoint::open(note, log, &[])?;
    let parsed = SignedNote::parse(note)?;
    // What a note says beyond a checkpoint, a witness would vouch for without knowing what it means.
    if parsed.text() != checkpoint.to_string() {
        return Err(CheckpointError::Malformed("extension lines, which no ledger of this federation has"));
    }
    let own = parsed.signatures().iter().find(|signature| log.made(signature));
    let own = own.ok_or(NoteError::Unsigned)?.clone();
    Ok((checkpoint, SignedNote::new(parsed.text().to_owned(), vec![own])?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::super::{
        Frontier, HashReader, KeyAlgorithm, consistency_proof, leaf_hash, node_hash, root_of,
    };
    use super::*;

    const ORIGIN: &str = "maebashi/clinic/ledger";

    /// A log in memory that says what a test lets it say.
    struct Log(Vec<Hash>);

    impl HashReader for Log {
        type Error = std::convert::Infallible;
        fn node(&mut self, level: u8, index: u64) -> Result<Option<Hash>, Self::Error> {
            let Some(below) = level.checked_sub(1) else {
                return Ok(self.0.get(usize::try_from(index).unwrap()).copied());
            };
            let (left, right) = (self.node(below, 2 * index)?, self.node(below, 2 * index + 1)?);
            Ok(left.zip(right).map(|(left, right)| node_hash(&left, &right)))
        }
    }

    fn log(leaves: u64, fork_at: u64) -> Log {
        Log((0..leaves).map(|n| leaf_hash(format!("{n} {}", n >= fork_at).as_bytes())).collect())
    }

    fn signer(seed: u8) -> NoteSigner {
        NoteSigner::from_seed(ORIGIN, KeyAlgorithm::Ed25519, &[seed; 32]).unwrap()
    }

    fn key() -> VerifierKey {
        signer(1).verifier_key().clone()
    }

    fn head(log: &mut Log, size: u64) -> Checkpoint {
        Checkpoint { origin: ORIGIN.to_owned(), size, root: root_of(log, size).unwrap() }
    }

    /// What `log` at `size` offers to a witness that keeps `old`.
    fn offer(log: &mut Log, old: u64, size: u64) -> (String, Hash, Vec<Hash>) {
        let note = head(log, size).sign(&signer(1)).unwrap().to_string();
        let proof = if old == 0 { Vec::new() } else { consistency_proof(log, old, size).unwrap_or_default() };
        (note, root_of(log, old.min(size)).unwrap(), proof)
    }

    fn judged(kept: Option<&Checkpoint>, log: &mut Log, old: u64, size: u64) -> Verdict {
        let (note, old_root, proof) = offer(log, old, size);
        judge(kept, &Growth { note: note.as_bytes(), old, old_root, proof: &proof }, &key())
    }

    #[test]
    fn whatever_grows_is_cosigned_and_nothing_else() {
        for kept_size in 1..40 {
            for size in 1..40 {
                let mut honest = log(40, u64::MAX);
                let kept = head(&mut honest, kept_size);
                match judged(Some(&kept), &mut honest, kept_size, size) {
                    Verdict::Cosign(cosignable) => {
                        assert!(size >= kept_size);
                        assert_eq!(cosignable.has_grown(), size > kept_size);
                        assert_eq!(cosignable.checkpoint().size, size);
                    }
                    Verdict::Stale => assert!(size < kept_size),
                    other => panic!("{kept_size} to {size}: {other:?}"),
                }
                for fork_at in [0, kept_size - 1] {
                    let verdict = judged(Some(&kept), &mut log(40, fork_at), kept_size, size);
                    match verdict {
                        Verdict::Stale => assert!(size < kept_size),
                        Verdict::Fork(fork) => {
                            assert_ne!(fork.prefix_root, kept.root);
                            let (second, first) = (&fork.second, fork.first.size);
                            verify_consistency(
                                first,
                                second.size,
                                &fork.proof,
                                &fork.prefix_root,
                                &second.root,
                            )
                            .unwrap();
                        }
                        other => panic!("forked at {fork_at}, {kept_size} to {size}: {other:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_checkpoint_is_taken_as_it_is() {
        let mut log = log(9, u64::MAX);
        assert!(matches!(judged(None, &mut log, 0, 9), Verdict::Cosign(first) if first.has_grown()));
        assert_eq!(judged(None, &mut log, 5, 9), Verdict::Conflict);
    }

    #[test]
    fn another_old_size_is_a_conflict_and_a_proof_of_nothing_is_none() {
        let mut log = log(20, u64::MAX);
        let kept = head(&mut log, 7);
        assert_eq!(judged(Some(&kept), &mut log, 6, 20), Verdict::Conflict);
        assert_eq!(judged(Some(&kept), &mut log, 0, 20), Verdict::Conflict);
        let (note, old_root, mut proof) = offer(&mut log, 7, 20);
        let claim = |proof: &[Hash], old_root| {
            let growth = Growth { note: note.as_bytes(), old: 7, old_root, proof };
            judge(Some(&kept), &growth, &key())
        };
        assert!(matches!(claim(&proof[1..], old_root), Verdict::Unproved(_)));
        assert!(matches!(claim(&[], old_root), Verdict::Unproved(_)));
        // A root made up shows nothing about the log: the proof does not lead from it.
        assert!(matches!(claim(&proof, leaf_hash(b"made up")), Verdict::Unproved(_)));
        proof[0] = leaf_hash(b"made up");
        assert!(matches!(claim(&proof, old_root), Verdict::Unproved(_)));
    }

    #[test]
    fn only_the_key_of_the_list_counts() {
        let mut log = log(5, u64::MAX);
        let checkpoint = head(&mut log, 5);
        let judge_note = |note: &str| {
            let growth = Growth { note: note.as_bytes(), old: 0, old_root: Hash([0; 32]), proof: &[] };
            judge(None, &growth, &key())
        };
        // The key was changed in the list, and somebody still has the old one.
        let stolen = checkpoint.sign(&signer(2)).unwrap().to_string();
        let verdict = judge_note(&stolen);
        assert_eq!(verdict, Verdict::NotItsCheckpoint(CheckpointError::Note(NoteError::Unsigned)));
        let good = checkpoint.sign(&signer(1)).unwrap().to_string();
        for cut in 0..good.len() {
            if let Some(part) = good.get(..cut) {
                assert!(matches!(judge_note(part), Verdict::NotItsCheckpoint(_)), "cut at {cut}");
            }
        }
        let other = Checkpoint { origin: "maebashi/school/ledger".to_owned(), ..checkpoint.clone() };
        let mut signed = SignedNote::parse(other.sign(&signer(1)).unwrap().to_string().as_bytes()).unwrap();
        signed.add(signer(1).sign(signed.text(), 0));
        assert!(matches!(judge_note(&signed.to_string()), Verdict::NotItsCheckpoint(_)));
        let text = format!("{checkpoint}and more\n");
        let more = SignedNote::new(text.clone(), vec![signer(1).sign(&text, 0)]).unwrap();
        assert!(matches!(judge_note(&more.to_string()), Verdict::NotItsCheckpoint(_)));
    }

    #[test]
    fn a_cosigned_note_carries_the_two_signatures_and_nobody_elses() {
        let mut frontier = Frontier::new();
        frontier.append(b"start");
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 1, root: frontier.root() };
        let witness =
            NoteSigner::from_seed("maebashi/school/witness", KeyAlgorithm::CosignatureV1, &[7; 32]).unwrap();
        let stranger =
            NoteSigner::from_seed("maebashi/nobody/witness", KeyAlgorithm::CosignatureV1, &[8; 32]).unwrap();
        let mut note = checkpoint.sign(&signer(1)).unwrap();
        note.add(stranger.sign(note.text(), 3));
        let note = note.to_string();
        let growth = Growth { note: note.as_bytes(), old: 0, old_root: Hash([0; 32]), proof: &[] };
        let Verdict::Cosign(cosignable) = judge(None, &growth, &key()) else { panic!("not cosigned") };
        let (signature, kept) = cosignable.cosign(&witness, 1_795_000_000);
        assert_eq!(kept.signatures().len(), 2);
        assert!(kept.signatures().contains(&signature));
        let witnesses = [witness.verifier_key().clone(), stranger.verifier_key().clone()];
        let (opened, cosigned) = Checkpoint::open(kept.to_string().as_bytes(), &key(), &witnesses).unwrap();
        assert_eq!(opened, checkpoint);
        assert_eq!(cosigned.len(), 1);
        assert_eq!((cosigned[0].key, cosigned[0].time), (0, Some(1_795_000_000)));
    }
}
