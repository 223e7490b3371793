//! The witness as others ask it: judges offers, cosigns what has grown, keeps what cannot be true.
//!
//! Must not know: how offers travel, beyond passing on those that are for a member this gateway has a link to.

use std::sync::Arc;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::{Growth, Hash, KeyAlgorithm, NoteSigner, Verdict, VerifierKey, VkeyError};
use hibiki_protocol::trust::{Accepted, Member, Role};
use hibiki_protocol::witnessing::{
    CheckpointOffer, Cosigned, ForkEvidence, WitnessRefusal, Witnessed, hashes,
};
use tokio::sync::Semaphore;

use super::kept::{Held, Judged, Kept};
use super::{Forks, Road, Shelf};
use crate::institution::Means;
use crate::observe::metrics;
use crate::services::{Pending, Witness};

/// Offers judged or passed on at once; further ones are told to come again. A signature is checked and perhaps
/// a file written for each.
const AT_ONCE: usize = 64;

/// The witness of this node.
pub struct Service {
    means: Means,
    /// None: this node has no key to cosign with.
    signer: Option<NoteSigner>,
    kept: Kept,
    forks: Forks,
    road: Arc<dyn Road>,
    room: Semaphore,
}

impl Service {
    /// A witness that keeps what it cosigned on `shelf`. With `cosigns` off it only passes on and hears of forks.
    ///
    /// # Errors
    /// The node's name cannot stand in a signature.
    pub fn new(
        means: Means,
        shelf: Arc<Shelf>,
        forks: Forks,
        road: Arc<dyn Road>,
        cosigns: bool,
    ) -> Result<Self, VkeyError> {
        let name = Member::witness_name(&means.own);
        let key = means.keys.witness().filter(|_| cosigns);
        let signer = key.map(|key| NoteSigner::from_seed(&name, KeyAlgorithm::CosignatureV1, &key.seed()));
        let (signer, kept) = (signer.transpose()?, Kept::new(shelf));
        Ok(Self { means, signer, kept, forks, road, room: Semaphore::new(AT_ONCE) })
    }

    async fn answer(&self, from: &MemberId, offer: CheckpointOffer) -> Witnessed {
        let Ok(_room) = self.room.try_acquire() else { return WitnessRefusal::Unavailable.with(None) };
        if !offer.is_sound() {
            return WitnessRefusal::NotItsCheckpoint.with(None);
        }
        let trust = (self.means.trust)();
        if offer.audience != self.means.own {
            return self.pass_on(&trust, from, offer).await;
        }
        let Some(signer) = self.signer_in(&trust) else { return WitnessRefusal::NoWitness.with(None) };
        let Some(owner) = trust.list().member_of_ledger(&offer.origin) else {
            return WitnessRefusal::UnknownLedger.with(None);
        };
        let Some(log) = owner.ledger_verifier() else { return WitnessRefusal::UnknownLedger.with(None) };
        let judged = match &offer.checkpoint {
            None => self
                .kept
                .newest(&owner.id, &log)
                .await
                .map(|kept| WitnessRefusal::Conflict.with(kept.map(|held| held.note))),
            Some(note) => self.judge(from, (&owner.id, &log), signer, note, &offer).await,
        };
        judged.unwrap_or_else(|error| {
            tracing::error!(%error, member = %owner.id, "a checkpoint cannot be kept, and so is not cosigned");
            WitnessRefusal::Unavailable.with(None)
        })
    }

    /// Our own signer, if the list in force names its key as a witness's.
    fn signer_in(&self, trust: &Accepted) -> Option<&NoteSigner> {
        let listed = trust.list().member(&self.means.own)?.witness_verifier()?;
        self.signer.as_ref().filter(|signer| *signer.verifier_key() == listed)
    }

    async fn judge(
        &self,
        from: &MemberId,
        (owner, log): (&MemberId, &VerifierKey),
        signer: &NoteSigner,
        note: &str,
        offer: &CheckpointOffer,
    ) -> std::io::Result<Witnessed> {
        let proof = hashes(&offer.proof);
        let (old, old_root) = (offer.old_size, Hash(offer.old_root.0));
        let growth = Growth { note: note.as_bytes(), old, old_root, proof: &proof };
        let time = self.means.env.now() / 1000;
        let Judged { before, verdict, cosignature } =
            self.kept.judge((owner, log), &growth, signer, time).await?;
        if let Some(signature) = cosignature {
            return Ok(Cosigned { signature: signature.to_string() }.into());
        }
        let refusal = refusal(&verdict);
        let kept = before.map(|Held { note, .. }| note);
        match (&verdict, &kept) {
            (Verdict::Fork(fork), Some(first)) => {
                let evidence = ForkEvidence::of(fork, first.clone(), note.to_owned());
                match evidence.bare(log) {
                    Ok(bare) => self.forks.keep(owner, log, bare, (from, false)).await,
                    Err(error) => tracing::error!(%error, "evidence of a fork does not read"),
                }
            }
            // Anybody can bring an old checkpoint again; that its owner does is another matter.
            (Verdict::Stale | Verdict::Unproved(_), Some(first)) if from == owner => {
                self.forks.suspect(owner, log, refusal, (first.clone(), note.to_owned())).await;
            }
            _ => {}
        }
        let kept = kept.filter(|_| refusal != WitnessRefusal::NotItsCheckpoint);
        Ok(refusal.with(kept))
    }

    /// A gateway brings a member's own offer to a witness it has a link to.
    async fn pass_on(&self, trust: &Accepted, from: &MemberId, offer: CheckpointOffer) -> Witnessed {
        let list = trust.list();
        let gateway = list.member(&self.means.own).is_some_and(|own| own.has_role(Role::Gateway));
        let own_offer = offer.origin == Member::ledger_origin(from);
        let witness = list.member(&offer.audience).and_then(Member::witness_verifier);
        if !gateway || !own_offer || witness.is_none() {
            return WitnessRefusal::NoWitness.with(None);
        }
        match self.road.offer_directly(offer).await {
            Ok(witnessed) => witnessed,
            Err(_) => WitnessRefusal::NoWitness.with(None),
        }
    }
}

/// What an offer that is not cosigned is told.
const fn refusal(verdict: &Verdict) -> WitnessRefusal {
    match verdict {
        // A cosignature that was not made after all.
        Verdict::Cosign(_) => WitnessRefusal::Unavailable,
        Verdict::Conflict => WitnessRefusal::Conflict,
        Verdict::Stale => WitnessRefusal::Stale,
        Verdict::Unproved(_) => WitnessRefusal::Unproved,
        Verdict::Fork(_) => WitnessRefusal::Fork,
        Verdict::NotItsCheckpoint(_) => WitnessRefusal::NotItsCheckpoint,
    }
}

impl Witness for Service {
    fn offer<'a>(&'a self, from: &'a MemberId, offer: CheckpointOffer) -> Pending<'a, Witnessed> {
        Box::pin(async move {
            let witnessed = self.answer(from, offer).await;
            let result = match &witnessed {
                Witnessed::Cosigned(_) => "cosigned",
                Witnessed::NotCosigned(not) => not.refusal.as_str(),
            };
            metrics::count_result(metrics::WITNESS_OFFERS, result);
            witnessed
        })
    }

    fn fork<'a>(&'a self, from: &'a MemberId, evidence: ForkEvidence) -> Pending<'a, bool> {
        Box::pin(async move { self.forks.hear(from, &evidence).await })
    }
}
