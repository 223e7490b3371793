//! Hold notices on their way: to this node's own books, or over a link.

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::signing::Signed;

use crate::links::{Failure, Links};
use crate::registry::delivery::{DeliveryFailure, HoldDelivery};
use crate::responder::HoldKeeper;
use crate::services::Pending;

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
