//! What travels between members: hold notices, to this node's own books or over a link; checkpoints, over a link
//! or through a gateway.

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::trust::Role;
use hibiki_protocol::witnessing::{CheckpointOffer, ForkEvidence, WitnessRefusal, Witnessed};
use tokio::sync::watch;

use crate::links::{Failure, Links};
use crate::registry::delivery::{DeliveryFailure, HoldDelivery};
use crate::responder::HoldKeeper;
use crate::services::Pending;
use crate::witness::Road;

/// One delivery must be acknowledged within this; the next round tries again.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(5);

/// Brings notices to institutions.
pub(super) struct HoldCarrier {
    pub(super) own: MemberId,
    pub(super) here: Arc<dyn HoldKeeper>,
    pub(super) links: Links,
}

impl HoldDelivery for HoldCarrier {
    fn deliver<'a>(
        &'a self,
        member: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, DeliveryFailure>> {
        Box::pin(async move {
            if member == &self.own {
                let stored = self.here.store(&self.own, notice).await;
                return stored.map_err(|declined| DeliveryFailure::Refused(declined.refusal.to_string()));
            }
            let delivered = self.links.deliver_hold(member, notice, ACKNOWLEDGED_WITHIN).await;
            delivered.map_err(|failure| match failure {
                Failure::Unreachable => DeliveryFailure::Unreachable,
                Failure::TimedOut => DeliveryFailure::TimedOut,
                Failure::Declined { refusal, .. } => DeliveryFailure::Refused(refusal.to_string()),
                Failure::Invalid => DeliveryFailure::Refused("an answer outside the protocol".to_owned()),
            })
        })
    }
}

/// A witness must answer within this; through a gateway the two of them.
const WITNESSED_WITHIN: Duration = Duration::from_secs(3);

/// Brings checkpoints to witnesses, and news of forks to everybody.
pub(super) struct WitnessRoad(pub(super) Links);

impl WitnessRoad {
    /// Gateways this node has a link to, other than the audience.
    fn gateways(&self, audience: &MemberId) -> Vec<MemberId> {
        let roster = self.0.membership().roster();
        let mut up = self.0.members_up();
        up.retain(|member| member != audience && roster.has_role(member, Role::Gateway));
        up
    }

    async fn by_whatever_way(&self, offer: CheckpointOffer) -> Result<Witnessed, Failure> {
        let audience = offer.audience.clone();
        if self.0.up(&audience) {
            return self.0.offer_checkpoint(&audience, offer, WITNESSED_WITHIN).await;
        }
        let mut last = Err(Failure::Unreachable);
        for gateway in self.gateways(&audience) {
            last = self.0.offer_checkpoint(&gateway, offer.clone(), WITNESSED_WITHIN * 2).await;
            match &last {
                // This one has no way to it, or does not answer: perhaps the next.
                Ok(Witnessed::NotCosigned(not)) if not.refusal == WitnessRefusal::NoWitness => {}
                Ok(_) => return last,
                Err(_) => {}
            }
        }
        last
    }
}

impl Road for WitnessRoad {
    fn offer<'a>(&'a self, offer: CheckpointOffer) -> Pending<'a, Result<Witnessed, Failure>> {
        Box::pin(self.by_whatever_way(offer))
    }

    fn offer_directly<'a>(&'a self, offer: CheckpointOffer) -> Pending<'a, Result<Witnessed, Failure>> {
        Box::pin(async move {
            let audience = offer.audience.clone();
            self.0.offer_checkpoint(&audience, offer, WITNESSED_WITHIN).await
        })
    }

    fn tell<'a>(
        &'a self,
        member: &'a MemberId,
        evidence: ForkEvidence,
    ) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(self.0.tell_fork(member, evidence, WITNESSED_WITHIN))
    }

    fn members_up(&self) -> Vec<MemberId> {
        self.0.members_up()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes()
    }
}
