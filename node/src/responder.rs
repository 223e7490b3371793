//! The institution's answer to a part: cheapest check first, logged before released.
//!
//! The order is the design's (section 5): size, freshness, room, open, strict decoding, grant, proof,
//! replay, then the institution's own decision — link, holds, consent, age —, the records, the
//! ledger, the seal. Whether the session has ended meanwhile is looked at three times: when the query is
//! verified, before the ledger, and before the answer leaves. What withholds records is known to the ledger alone; to whoever asks it is
//! always `nothing to show`, in the same frame and not sooner than any other answer. Acts — the history of
//! accesses, a guardian's choices — go the same way, and are withheld where a look would show nothing.
//!
//! Must not know: where records, links and consents are kept ([`Local`]), nor who brings parts.

mod acts;
mod grants;
mod head;
mod local;
mod missed;
mod pipeline;
mod reply;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hibiki_protocol::answer::KeptSince;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Answered, Ask, Declined, Freshness};
use hibiki_protocol::freshness::FreshnessKey;
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::policy::AgeGate;
use hibiki_protocol::query::{Refusal, VerifiedQuery};
use hibiki_protocol::replay::ReplayCache;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Accepted;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::env::Env;
use crate::keys::NodeKeys;
use crate::ledger::Ledger;
use crate::observe::metrics;
use crate::services::{Pending, Responder};
use pipeline::Worked;
use reply::Reply;

pub use local::{
    ChoiceKeeper, Chosen, GuardiansChoice, GuardiansRegistration, HoldKeeper, Local, LocalFault,
    LocalSubject, NotChosen, RegistrationKeeper, SessionEndKeeper,
};

/// How many times the floor of a look an act takes at least: long enough to log, store and sign, so that the
/// time of an answer does not tell at which institution there was something to do.
const ACT_FLOORS: u32 = 5;

/// Milliseconds after which a busy institution may be asked again.
const RETRY_AFTER_MILLIS: u64 = 1000;

/// What the institution decides by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// No answer leaves sooner than this after its query, so that its time says nothing.
    pub answer_floor: Duration,
    /// Age rules.
    pub ages: AgeGate,
    /// Number of this policy, named in every answer.
    pub version: u64,
    /// Since when the institution keeps which category, stated in every answer.
    pub kept_since: Vec<KeptSince>,
    /// The ledger's head is signed for a proof once in this time, at most.
    pub head_period: Duration,
    /// Queries worked on at once.
    pub queries_at_once: usize,
}

/// Everything a responder stands on.
pub struct Foundation {
    /// The institution.
    pub own: MemberId,
    /// The world.
    pub env: Env,
    /// Its keys.
    pub keys: NodeKeys,
    /// Gives the trust list in force.
    pub trust: Arc<dyn Fn() -> Arc<Accepted> + Send + Sync>,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its records, links, consents.
    pub local: Arc<dyn Local>,
    /// What guardians choose here.
    pub choices: Arc<dyn ChoiceKeeper>,
    /// What guardians register here; an institution that is no school takes no registrations.
    pub registrations: Option<Arc<dyn RegistrationKeeper>>,
    /// Its holds.
    pub holds: Arc<dyn HoldKeeper>,
    /// Its ended sessions.
    pub ended: Arc<dyn SessionEndKeeper>,
    /// Whether its disk is nearly full: then the ledger may not find room, and nothing is released.
    pub low_space: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Its rules.
    pub policy: Policy,
}

/// The responder of one institution.
pub struct InstitutionResponder {
    base: Foundation,
    started: Instant,
    freshness: FreshnessKey,
    replay: Mutex<ReplayCache>,
    grants: Mutex<grants::KnownGrants>,
    room: Semaphore,
    head: head::Head,
    missed: missed::Missed,
}

impl InstitutionResponder {
    /// A responder whose freshness tokens are of this run alone.
    pub fn new(base: Foundation) -> Self {
        let freshness = FreshnessKey::new(base.env.random());
        let period = base.policy.head_period;
        let room = base.policy.queries_at_once.clamp(1, limits::QUERIES_AT_ONCE_MAX);
        Self {
            base,
            started: Instant::now(),
            freshness,
            replay: Mutex::default(),
            grants: Mutex::default(),
            room: Semaphore::new(room),
            head: head::Head::new(period),
            missed: missed::Missed::default(),
        }
    }

    fn uptime_millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.base.env.now())
    }

    /// The part of the pipeline that may decline without having opened anything.
    async fn answer(&self, gateway: &MemberId, ask: Ask) -> Result<Answered, Declined> {
        let arrived = Instant::now();
        let decline = |refusal| Declined { refusal, retry_after_millis: None };
        if ask.hops != 1 || ask.part.audience != self.base.own {
            return Err(decline(Refusal::Malformed));
        }
        self.freshness
            .check(&ask.freshness, gateway, self.uptime_millis())
            .map_err(|_| decline(Refusal::Stale))?;
        let Ok(_room) = self.room.try_acquire() else {
            return Err(Declined { refusal: Refusal::Busy, retry_after_millis: Some(RETRY_AFTER_MILLIS) });
        };
        let secret = self.base.keys.sealing(ask.part.key_id).ok_or_else(|| decline(Refusal::Malformed))?;
        let opened = ask.part.open(&self.base.own, secret).map_err(decline)?;
        let within = Duration::from_millis(ask.remaining_millis.min(limits::VIEW_DEADLINE_MILLIS_MAX));
        let reply = Reply { responder: self, to: opened.reply_to(), gateway, part: ask.part.digest() };
        let work = self.work(&reply, opened);
        let worked = tokio::time::timeout(within, work).await.map_err(|_| decline(Refusal::Busy))?;
        let Worked { answer, query } = worked?;
        let act = query.as_ref().is_some_and(|query| query.query().act.is_some());
        let floor = self.base.policy.answer_floor * if act { ACT_FLOORS } else { 1 };
        tokio::time::sleep_until(arrived + floor).await;
        if let Some(query) = query.filter(|query| self.has_ended(query)) {
            // Sealed and logged, but the card is gone: it does not leave, and the ledger says so.
            return Ok(Answered { answer: reply.refuse_ended(&query).await? });
        }
        Ok(Answered { answer })
    }

    /// Whether the session this query was asked in has ended.
    fn has_ended(&self, query: &VerifiedQuery) -> bool {
        self.base.ended.has_ended(&query.grant().grant().session_key)
    }

    fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        // A panic while the lock was held is impossible here; if it happened, the data is still whole.
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Responder for InstitutionResponder {
    fn freshness(&self, gateway: &MemberId) -> Freshness {
        let token = self.freshness.issue(gateway, self.uptime_millis(), self.base.env.random());
        Freshness { token, valid_millis: limits::FRESHNESS_MILLIS }
    }

    fn ask<'a>(&'a self, gateway: &'a MemberId, ask: Ask) -> Pending<'a, Result<Answered, Declined>> {
        Box::pin(async move {
            let began = Instant::now();
            let outcome = self.answer(gateway, ask).await;
            let counted = if outcome.is_ok() { metrics::PARTS_ANSWERED } else { metrics::PARTS_DROPPED };
            ::metrics::counter!(counted).increment(1);
            metrics::record_seconds(metrics::PART_SECONDS, began.elapsed());
            if let Err(declined) = &outcome {
                tracing::debug!(refusal = declined.refusal.as_str(), gateway = %gateway, "query declined");
            }
            outcome
        })
    }

    fn hold<'a>(
        &'a self,
        from: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, Declined>> {
        self.base.holds.store(from, notice)
    }

    fn end_session<'a>(
        &'a self,
        gateway: &'a MemberId,
        end: SealedSessionEnd,
    ) -> Pending<'a, Result<(), Declined>> {
        self.base.ended.end(gateway, end)
    }
}

/// A digest over the encoded value.
fn digest_of<T: cbor::Wire>(value: &T) -> [u8; 32] {
    hibiki_protocol::ids::Digest::of(&[&cbor::encode(value)]).0
}
