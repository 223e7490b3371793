//! Brings hold notices to every institution, again and again until each has given its signed receipt.
//!
//! Nothing is forgotten over a restart: what is owed lies in the store's outbox. An institution that joins
//! later is told of every hold in force; one that changes its sealing key gets the notice sealed anew. Must
//! not know: how a notice travels ([`HoldDelivery`]).

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::sealing::SealingKeyId;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Accepted, Role};

use super::Registry;
use super::error::RegistryError;
use super::holds::{Acknowledged, OUTBOX, OUTBOX_PREFIX, Owed, owed_key};
use crate::institution::all;
use crate::ledger::details;
use crate::observe::board::StatusBoard;
use crate::services::Pending;
use crate::shutdown::Shutdown;
use crate::vault::Row;

/// An attempt is given up after this.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The first retry follows after this many milliseconds, each further one after twice as long …
const BACK_OFF_MIN_MILLIS: u64 = 1000;
/// … up to this.
const BACK_OFF_MAX_MILLIS: u64 = 60_000;
/// New members and the like are looked for at least this often.
const ROUND: Duration = Duration::from_secs(30);
/// Key of the line on the status board.
const PROBLEM: &str = "holds-not-acknowledged";

/// Why a notice did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryFailure {
    /// No connection to the institution.
    #[error("no connection")]
    Unreachable,
    /// It did not answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// It does not take the notice.
    #[error("refused: {0}")]
    Refused(String),
}

/// Carries notices. At the registry's own node it hands them to the node's own responder.
pub trait HoldDelivery: Send + Sync {
    /// Brings one notice to `member` and returns its receipt, not yet verified.
    fn deliver<'a>(
        &'a self,
        member: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, DeliveryFailure>>;
}

/// Delivers until the node ends. Spawn it once beside the registry.
pub async fn run(
    registry: Arc<Registry>,
    delivery: Arc<dyn HoldDelivery>,
    board: StatusBoard,
    mut shutdown: Shutdown,
) {
    loop {
        let wait = match registry.deliver_round(delivery.as_ref()).await {
            Ok(round) => {
                round.show(&board);
                round.wait
            }
            Err(error) => {
                tracing::error!(%error, "hold notices could not be delivered in this round");
                ROUND
            }
        };
        tokio::select! {
            biased;
            () = shutdown.draining() => return,
            () = registry.bell.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Notices still without a receipt.
    pub outstanding: usize,
    /// When the next round is due.
    pub wait: Duration,
}

impl Owed {
    /// How long until it is attempted again. Nobody waits longer than the slowest retry: a time further away was
    /// noted while the clock was ahead.
    fn waits_millis(&self, now: u64) -> u64 {
        let waits = self.next_at.saturating_sub(now);
        if waits > BACK_OFF_MAX_MILLIS { 0 } else { waits }
    }
}

impl Round {
    fn show(&self, board: &StatusBoard) {
        metrics::gauge!("hibiki_holds_outstanding").set(self.outstanding as f64);
        match self.outstanding {
            0 => board.clear(PROBLEM),
            count => board.raise(
                PROBLEM,
                format!("{count} hold notices are not acknowledged; see `hibiki-node hold list` and telephone these institutions"),
            ),
        }
    }
}

impl Registry {
    /// One round: sees to it that everybody is owed what they must be told, and attempts what is due.
    ///
    /// # Errors
    /// The tables cannot be read or written.
    pub async fn deliver_round(&self, delivery: &dyn HoldDelivery) -> Result<Round, RegistryError> {
        let trust = (self.means.trust)();
        self.complete_outbox(&trust).await?;
        let now = self.means.now();
        let due = self.outstanding()?.into_iter().filter(|row| row.value.waits_millis(now.0) == 0);
        all(due.map(|row| self.attempt(delivery, &trust, row)))
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
        let left = self.outstanding()?;
        let now = self.means.now().0;
        let soonest = left.iter().map(|row| row.value.waits_millis(now)).min();
        let wait = soonest.map_or(ROUND, Duration::from_millis).clamp(Duration::from_millis(100), ROUND);
        Ok(Round { outstanding: left.len(), wait })
    }

    /// Notices without a receipt, of members that still are.
    fn outstanding(&self) -> Result<Vec<Row<Owed>>, RegistryError> {
        let trust = (self.means.trust)();
        let open = |row: &Row<Owed>| {
            let member = MemberId::new(&row.value.member);
            row.value.acknowledged.is_none()
                && member.is_some_and(|member| trust.list().member(&member).is_some())
        };
        Ok(self.means.vault.rows::<Owed>(OUTBOX, OUTBOX_PREFIX)?.into_iter().filter(open).collect())
    }

    /// New members are told of holds in force, and those that are back that one was lifted meanwhile; notices to
    /// keys that are gone are sealed anew.
    async fn complete_outbox(&self, trust: &Accepted) -> Result<(), RegistryError> {
        let _turn = self.turn.lock().await;
        let mut change = self.means.vault.change();
        for order in self.orders()? {
            let order = order.value;
            // A resident who is gone has no facts to make a token of; what is owed already stays owed.
            let Some(child) = self.resident(&order.child)? else { continue };
            let responders = trust.list().members.iter().filter(|member| member.has_role(Role::Responder));
            for member in responders {
                let key = owed_key(&order.id, &member.id);
                let before = self.means.vault.get::<Owed>(OUTBOX, &key)?;
                let needed = match &before {
                    None => order.in_force(),
                    Some(row) => {
                        let current = member.sealing_key(SealingKeyId(row.value.sealed_to)).is_some();
                        !row.value.says(&order) || row.value.acknowledged.is_none() && !current
                    }
                };
                if needed && member.sealing_key_at(self.means.now()).is_some() {
                    let owed =
                        self.owe(&order, &child.value, member, before.as_ref().map(|row| &row.value))?;
                    change.put(OUTBOX, &key, &owed)?;
                }
            }
        }
        if !change.is_empty() {
            change.urgent();
            change.commit().await?;
        }
        Ok(())
    }

    async fn attempt(
        &self,
        delivery: &dyn HoldDelivery,
        trust: &Accepted,
        row: Row<Owed>,
    ) -> Result<(), RegistryError> {
        let owed = &row.value;
        let outcome = match (MemberId::new(&owed.member), decode(&owed.notice)) {
            (Some(member), Some(notice)) => {
                let sent = tokio::time::timeout(ATTEMPT, delivery.deliver(&member, notice)).await;
                let receipt = sent.unwrap_or(Err(DeliveryFailure::TimedOut));
                receipt.and_then(|receipt| self.acknowledge(trust, &member, owed, &receipt))
            }
            _ => Err(DeliveryFailure::Refused("the stored notice cannot be read".to_owned())),
        };
        let mut next = row.value.clone();
        next.attempts = next.attempts.saturating_add(1);
        match outcome {
            Ok(acknowledged) => {
                let entry = details::Hold {
                    event: "acknowledged".to_owned(),
                    by: owed.member.clone(),
                    ..details::Hold::default()
                };
                self.means.log_protection(None, &entry).await?;
                next.acknowledged = Some(acknowledged);
            }
            Err(failure) => {
                tracing::warn!(member = owed.member, %failure, attempts = next.attempts, "a hold notice is not acknowledged");
                next.next_at = self.means.now().0.saturating_add(back_off(next.attempts));
            }
        }
        let mut change = self.means.vault.change();
        change.replace(OUTBOX, &row, &next)?;
        change.urgent();
        match change.commit().await.map_err(RegistryError::from) {
            // The hold was lifted meanwhile: the newer notice is owed now.
            Err(error) if error.is_conflict() => Ok(()),
            outcome => outcome,
        }
    }

    /// Checks that the receipt is the institution's, and for this very notice.
    fn acknowledge(
        &self,
        trust: &Accepted,
        member: &MemberId,
        owed: &Owed,
        receipt: &Signed<HoldReceipt>,
    ) -> Result<Acknowledged, DeliveryFailure> {
        let refused = |why: &str| DeliveryFailure::Refused(why.to_owned());
        let entry = trust.list().member(member).ok_or_else(|| refused("no longer a member"))?;
        let content = receipt
            .verify(&entry.signing_key)
            .map_err(|_| refused("its receipt does not carry its signature"))?;
        if &content.institution != member || content.notice != Digest(owed.digest) {
            return Err(refused("its receipt is for another notice"));
        }
        let Timestamp(at) = self.means.now();
        Ok(Acknowledged { at, receipt: hex::encode(cbor::encode(receipt)) })
    }
}

fn back_off(attempts: u32) -> u64 {
    let doublings = attempts.saturating_sub(1).min(16);
    (BACK_OFF_MIN_MILLIS << doublings).min(BACK_OFF_MAX_MILLIS)
}

fn decode(notice: &str) -> Option<SealedHoldNotice> {
    cbor::decode(&hex::decode(notice).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::back_off;

    #[test]
    fn retries_slow_down_and_never_stop() {
        assert_eq!([1, 2, 3, 7, 8, u32::MAX].map(back_off), [1000, 2000, 4000, 60_000, 60_000, 60_000]);
    }
}
