//! One witness and one checkpoint: asks what it keeps where that is not known yet, offers, and believes nothing
//! but signatures: the witness's own under the checkpoint, or this ledger's own under what the witness keeps.

use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::tlog::{Checkpoint, NoteSignature, SignedNote, VerifierKey};
use hibiki_protocol::witnessing::{CheckpointOffer, NotCosigned, WitnessRefusal, Witnessed, digests};

use super::Road;
use crate::institution::Means;
use crate::ledger::ReadError;

/// Exchanges with one witness in one round: what it keeps, the offer, and both again if it was mistaken for.
const EXCHANGES_MAX: usize = 4;

/// The checkpoint that is offered.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) checkpoint: Checkpoint,
    /// With the ledger's own signature alone.
    pub(super) note: SignedNote,
}

impl Head {
    /// A checkpoint of this ledger, without what others signed under it.
    pub(super) fn of(note: &str, log: &VerifierKey) -> Option<Self> {
        let (checkpoint, _) = Checkpoint::open(note.as_bytes(), log, &[]).ok()?;
        let parsed = SignedNote::parse(note.as_bytes()).ok()?;
        let own = parsed.signatures().iter().find(|signature| log.made(signature))?.clone();
        Some(Self { checkpoint, note: SignedNote::new(parsed.text().to_owned(), vec![own]).ok()? })
    }
}

/// A verified cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cosignature {
    pub(super) line: NoteSignature,
    /// When, in seconds since the Unix epoch by the witness's clock.
    pub(super) time: u64,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// In words for the operator.
    For(String),
    /// The witness keeps a checkpoint this ledger has signed, and it is not this ledger: the note, and how that
    /// shows.
    Astray { note: String, how: String },
}

impl From<String> for Failed {
    fn from(what: String) -> Self {
        Self::For(what)
    }
}

/// One witness.
pub(super) struct Asked<'a> {
    pub(super) means: &'a Means,
    pub(super) road: &'a dyn Road,
    pub(super) witness: &'a MemberId,
    pub(super) key: &'a VerifierKey,
}

impl Asked<'_> {
    /// Has `head` cosigned. `known` is the size the witness keeps, as far as we know; it is kept up to date.
    pub(super) async fn cosign(&self, head: &Head, known: &mut Option<u64>) -> Result<Cosignature, Failed> {
        for _ in 0..EXCHANGES_MAX {
            let offer = match *known {
                // Before a checkpoint of a ledger that may be an older copy is shown to anybody.
                None => self.question(),
                Some(old) => self.growth(head, old).await?,
            };
            let asks = offer.checkpoint.is_none();
            let witnessed = self.road.offer(offer).await.map_err(|failure| failure.to_string())?;
            match witnessed {
                Witnessed::Cosigned(cosigned) => {
                    let cosignature = self.verified(head, &cosigned.signature).ok_or_else(|| {
                        "its cosignature does not verify: it lies, or its key was changed".to_owned()
                    })?;
                    *known = Some(head.checkpoint.size);
                    return Ok(cosignature);
                }
                Witnessed::NotCosigned(NotCosigned { refusal, kept }) => {
                    let size = self.kept(refusal, kept).await?;
                    if !asks && *known == Some(size) {
                        return Err(Failed::For(format!(
                            "it keeps what we have and does not cosign ({refusal})"
                        )));
                    }
                    *known = Some(size);
                }
            }
        }
        Err(Failed::For("it says something else each time it is asked".to_owned()))
    }

    fn question(&self) -> CheckpointOffer {
        CheckpointOffer {
            audience: self.witness.clone(),
            origin: self.means.ledger.origin().to_owned(),
            checkpoint: None,
            old_size: 0,
            old_root: Digest::ZERO,
            proof: Vec::new(),
        }
    }

    async fn growth(&self, head: &Head, old: u64) -> Result<CheckpointOffer, Failed> {
        let mut offer =
            CheckpointOffer { checkpoint: Some(head.note.to_string()), old_size: old, ..self.question() };
        if old > 0 {
            let (ledger, size) = (self.means.ledger.clone(), head.checkpoint.size);
            let grown = self.means.env.blocking(move || ledger.grown(old, size)).await;
            let grown = grown.ok_or_else(|| "the node is stopping".to_owned())?;
            let grown =
                grown.map_err(|error| format!("our own ledger does not prove its growth: {error}"))?;
            offer.old_root = Digest(grown.old_root.0);
            offer.proof = digests(&grown.proof);
        }
        Ok(offer)
    }

    /// The size the witness keeps, by the checkpoint it shows.
    async fn kept(&self, refusal: WitnessRefusal, kept: Option<String>) -> Result<u64, Failed> {
        let Some(note) = kept else {
            return match refusal {
                WitnessRefusal::Conflict => Ok(0),
                other => Err(Failed::For(in_words(other).to_owned())),
            };
        };
        let log = self.means.ledger.verifier_key();
        let Ok((checkpoint, _)) = Checkpoint::open(note.as_bytes(), log, &[]) else {
            return Err(Failed::For("what it says it keeps is no checkpoint of this ledger".to_owned()));
        };
        let (ledger, size) = (self.means.ledger.clone(), checkpoint.size);
        let ours = self.means.env.blocking(move || ledger.root_at(size)).await;
        match ours.ok_or_else(|| "the node is stopping".to_owned())? {
            Ok(root) if root == checkpoint.root => Ok(size),
            Ok(_) => Err(Failed::Astray {
                note,
                how: format!("the first {size} entries it cosigned are not the first {size} of this ledger"),
            }),
            Err(ReadError::NotYet(_)) => {
                let have = self.means.ledger.signed_size();
                Err(Failed::Astray {
                    note,
                    how: format!("it has cosigned {size} entries, and this ledger has {have}"),
                })
            }
            Err(error) => Err(Failed::For(format!("our own ledger does not read: {error}"))),
        }
    }

    /// The cosignature, if this very witness made it under this very checkpoint.
    fn verified(&self, head: &Head, line: &str) -> Option<Cosignature> {
        let line = line.strip_suffix('\n').filter(|line| !line.contains('\n'))?;
        let bytes = format!("{}{line}\n", head.note);
        let log = self.means.ledger.verifier_key();
        let keys = [self.key.clone()];
        let (checkpoint, cosigned) = Checkpoint::open(bytes.as_bytes(), log, &keys).ok()?;
        let time = cosigned.first()?.time?;
        let note = SignedNote::parse(bytes.as_bytes()).ok()?;
        let line = note.signatures().iter().find(|signature| self.key.made(signature))?.clone();
        (checkpoint == head.checkpoint).then_some(Cosignature { line, time })
    }
}

/// A refusal for the operator.
const fn in_words(refusal: WitnessRefusal) -> &'static str {
    match refusal {
        WitnessRefusal::Conflict | WitnessRefusal::Stale => "it keeps another size and does not show it",
        WitnessRefusal::Unproved => "it says that our proof proves nothing, and does not show what it keeps",
        WitnessRefusal::Fork => "it says that this ledger has two histories, and does not show the other",
        WitnessRefusal::NotItsCheckpoint => "it knows another key of this ledger: is its trust list older?",
        WitnessRefusal::UnknownLedger => "it does not know this ledger: is its trust list older?",
        WitnessRefusal::NoWitness => "there is no way to it at the moment, or it is no witness",
        WitnessRefusal::Unavailable => "it cannot keep a checkpoint at the moment",
    }
}
