//! This node's own questions to other members.
//!
//! Dropping one of these futures cancels the question at the other side (its exchange is reset). Must not
//! know: what is inside a part, an answer, a session, its end or a hold.

use std::time::Duration;

use hibiki_protocol::answer::SealedAnswer;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Ask, Attest, FetchFreshness, Reply, Request, SessionOpened};
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::query::{Part, Refusal};
use hibiki_protocol::session::SessionRefusal;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::witnessing::{CheckpointOffer, ForkEvidence, Witnessed};
use hibiki_transport::{Code, ExchangeError, Link};
use tokio::time::{Instant, timeout};

use super::table::UpLink;
use super::{Links, SMALL_TALK, code};

/// After this much silence a member is doubted. Ordinary answers come within tens of milliseconds.
const DOUBT: Duration = Duration::from_millis(250);
/// After this much more silence it is doubted again.
const DOUBT_AGAIN: Duration = Duration::from_secs(1);

/// What is said of a member whose process is gone.
pub(super) const GONE: &str = "nobody receives at the member's address";

/// Why a member gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection to it.
    #[error("no connection to the member")]
    Unreachable,
    /// It did not answer in time.
    #[error("the member did not answer in time")]
    TimedOut,
    /// It said that it does not work on it.
    #[error("the member declined: {refusal}")]
    Declined {
        /// Why.
        refusal: Refusal,
        /// Milliseconds after which asking again makes sense.
        retry_after_millis: Option<u64>,
    },
    /// What came back is not an answer.
    #[error("the member's answer makes no sense")]
    Invalid,
}

/// Why a registry did not attest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttestFailure {
    /// It cannot be reached, or not in time.
    #[error("the registry cannot be reached")]
    Unreachable,
    /// It said no.
    #[error("the registry refused: {0}")]
    Refused(SessionRefusal),
    /// What came back is not an attestation.
    #[error("the registry's answer makes no sense")]
    Invalid,
}

/// Why one exchange brought no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// The link is gone, or its other side is leaving.
    #[error("{0}")]
    Lost(String),
    /// The other side gave this exchange up.
    #[error("the member gave the exchange up: {0}")]
    Refused(Code),
    /// Nothing came in time.
    #[error("the member did not answer the hello in time")]
    Silent,
    /// What came is no reply to this.
    #[error("the member's reply makes no sense")]
    Nonsense,
}

impl From<ExchangeError> for Trouble {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Link(closed) => Self::Lost(closed.to_string()),
            ExchangeError::Reset { code } if code == Code::SHUTTING_DOWN => {
                Self::Lost("the member is shutting down".to_owned())
            }
            ExchangeError::Reset { code } => Self::Refused(code),
            ExchangeError::TimedOut { .. } => Self::Silent,
            ExchangeError::TooLong { .. } | ExchangeError::Truncated | ExchangeError::Ended => Self::Nonsense,
        }
    }
}

impl Trouble {
    fn into_failure(self) -> Failure {
        let declined = |refusal, retry_after_millis| Failure::Declined { refusal, retry_after_millis };
        match self {
            Self::Lost(_) => Failure::Unreachable,
            Self::Silent => Failure::TimedOut,
            Self::Refused(Code::BUSY) => declined(Refusal::Busy, Some(super::serve::RETRY_AFTER_MILLIS)),
            Self::Refused(code) if code == code::VERSION => declined(Refusal::Version, None),
            Self::Refused(_) | Self::Nonsense => Failure::Invalid,
        }
    }
}

/// Puts one request on a fresh exchange of `link` and takes its one reply of at most `max` bytes.
pub(super) async fn put(link: &Link, request: &Request, max: usize) -> Result<Reply, Trouble> {
    let mut exchange = link.open().await.map_err(|closed| Trouble::Lost(closed.to_string()))?;
    match exchange.send(&cbor::encode(request)).await {
        // The peer may have reset its half already; what it says comes with the reading.
        Ok(()) => exchange.finish()?,
        Err(ExchangeError::Reset { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let frame = exchange.recv(max).await?.ok_or(Trouble::Nonsense)?;
    cbor::decode(&frame).map_err(|_| Trouble::Nonsense)
}

impl Links {
    /// Puts a guardian's part to `member` and waits at most `remaining` for the sealed answer.
    ///
    /// When the link is lost meanwhile, the part is put once more if a fresh link is up, never oftener.
    ///
    /// # Errors
    /// Why there is no answer, as exactly as this side can know.
    pub async fn ask(
        &self,
        member: &MemberId,
        part: &Part,
        remaining: Duration,
    ) -> Result<SealedAnswer, Failure> {
        let deadline = Instant::now() + remaining;
        let asked = tokio::time::timeout_at(deadline, self.ask_until(member, part, deadline)).await;
        asked.unwrap_or_else(|_| {
            // A link that was lost in this very instant is not a late answer.
            Err(if self.up(member) { Failure::TimedOut } else { Failure::Unreachable })
        })
    }

    async fn ask_until(
        &self,
        member: &MemberId,
        part: &Part,
        deadline: Instant,
    ) -> Result<SealedAnswer, Failure> {
        let (mut refetched, mut lost) = (false, None);
        loop {
            let up = self.link_to(member)?;
            if lost == Some(up.link.id()) {
                return Err(Failure::Unreachable);
            }
            let reply = async {
                let freshness = self.freshness(&up).await?;
                let left = deadline.saturating_duration_since(Instant::now()).as_millis();
                let remaining_millis = u64::try_from(left).unwrap_or(u64::MAX);
                let ask = Ask { freshness: freshness.clone(), remaining_millis, hops: 1, part: part.clone() };
                Ok((self.put_doubting(member, &up, &Request::Ask(ask)).await?, freshness))
            };
            match reply.await {
                Ok((Reply::Answered(answered), _)) => return Ok(answered.answer),
                Ok((Reply::Declined(declined), token)) => {
                    if declined.refusal == Refusal::Stale && !refetched {
                        refetched = true;
                        up.freshness.drop_stale(&token);
                        continue;
                    }
                    let retry_after_millis = declined.retry_after_millis;
                    return Err(Failure::Declined { refusal: declined.refusal, retry_after_millis });
                }
                Ok(_) => return Err(Failure::Invalid),
                Err(Trouble::Lost(_)) if lost.is_none() => lost = Some(up.link.id()),
                Err(trouble) => return Err(trouble.into_failure()),
            }
        }
    }

    /// As [`put`]; but a member that stays silent is doubted: where its host says that nobody receives
    /// there any more (its process was killed, and could not say so itself), the link is given up at once
    /// instead of waiting for its idle time-out.
    async fn put_doubting(
        &self,
        member: &MemberId,
        up: &UpLink,
        request: &Request,
    ) -> Result<Reply, Trouble> {
        let asked = put(&up.link, request, limits::FRAME_BYTES_MAX);
        tokio::pin!(asked);
        let mut patience = DOUBT;
        loop {
            tokio::select! {
                biased;
                reply = &mut asked => return reply,
                () = tokio::time::sleep(patience) => {}
            }
            patience = DOUBT_AGAIN;
            // One doubt at a time is enough for all who wait for this member.
            let Ok(_doubting) = up.doubt.try_lock() else { continue };
            tokio::select! {
                biased;
                reply = &mut asked => return reply,
                closed = self.0.env.is_closed(up.link.remote_address()) => if closed {
                    self.0.table.leave(member, &up.link, GONE);
                    up.link.close(Code::DONE, GONE);
                    return Err(Trouble::Lost(GONE.to_owned()));
                }
            }
        }
    }

    /// Delivers a hold; the receipt is still to be verified.
    ///
    /// # Errors
    /// Why there is no receipt: deliver it again later.
    pub async fn deliver_hold(
        &self,
        member: &MemberId,
        notice: SealedHoldNotice,
        remaining: Duration,
    ) -> Result<Signed<HoldReceipt>, Failure> {
        let up = self.link_to(member)?;
        let request = Request::Hold(notice);
        let asked = put(&up.link, &request, limits::CONTROL_FRAME_BYTES_MAX);
        match timeout(remaining, asked).await.unwrap_or(Err(Trouble::Silent)) {
            Ok(Reply::HoldStored(receipt)) => Ok(receipt),
            Ok(Reply::Declined(declined)) => Err(Failure::Declined {
                refusal: declined.refusal,
                retry_after_millis: declined.retry_after_millis,
            }),
            Ok(_) => Err(Failure::Invalid),
            Err(trouble) => Err(trouble.into_failure()),
        }
    }

    /// Tells a member that a session has ended; returns once it has confirmed.
    ///
    /// # Errors
    /// Why it has not.
    pub async fn end_session(
        &self,
        member: &MemberId,
        end: SealedSessionEnd,
        remaining: Duration,
    ) -> Result<(), Failure> {
        let up = self.link_to(member)?;
        let request = Request::EndSession(end);
        let asked = self.put_doubting(member, &up, &request);
        match timeout(remaining, asked).await.unwrap_or(Err(Trouble::Silent)) {
            Ok(Reply::SessionEnded(_)) => Ok(()),
            Ok(Reply::Declined(declined)) => Err(Failure::Declined {
                refusal: declined.refusal,
                retry_after_millis: declined.retry_after_millis,
            }),
            Ok(_) => Err(Failure::Invalid),
            Err(trouble) => Err(trouble.into_failure()),
        }
    }

    /// Offers a checkpoint over the link to `member`, which is the witness or passes it on.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn offer_checkpoint(
        &self,
        member: &MemberId,
        offer: CheckpointOffer,
        remaining: Duration,
    ) -> Result<Witnessed, Failure> {
        let up = self.link_to(member)?;
        let request = Request::OfferCheckpoint(offer);
        let asked = put(&up.link, &request, limits::CONTROL_FRAME_BYTES_MAX);
        match timeout(remaining, asked).await.unwrap_or(Err(Trouble::Silent)) {
            Ok(Reply::Witnessed(witnessed)) => Ok(witnessed),
            Ok(_) => Err(Failure::Invalid),
            Err(trouble) => Err(trouble.into_failure()),
        }
    }

    /// Tells a member that a ledger has two histories; whether it is convinced.
    ///
    /// # Errors
    /// Why it does not say.
    pub async fn tell_fork(
        &self,
        member: &MemberId,
        evidence: ForkEvidence,
        remaining: Duration,
    ) -> Result<bool, Failure> {
        let up = self.link_to(member)?;
        let request = Request::TellFork(evidence);
        let asked = put(&up.link, &request, limits::CONTROL_FRAME_BYTES_MAX);
        match timeout(remaining, asked).await.unwrap_or(Err(Trouble::Silent)) {
            Ok(Reply::ForkNoted(noted)) => Ok(noted.proven),
            Ok(_) => Err(Failure::Invalid),
            Err(trouble) => Err(trouble.into_failure()),
        }
    }

    /// Passes a session request to a registry.
    ///
    /// # Errors
    /// Why there is no attestation.
    pub async fn attest(
        &self,
        registry: &MemberId,
        attest: Attest,
        remaining: Duration,
    ) -> Result<SessionOpened, AttestFailure> {
        let up = self.link_to(registry).map_err(|_| AttestFailure::Unreachable)?;
        let request = Request::Attest(attest);
        let asked = put(&up.link, &request, limits::FRAME_BYTES_MAX);
        match timeout(remaining, asked).await.unwrap_or(Err(Trouble::Silent)) {
            Ok(Reply::SessionOpened(opened)) => Ok(opened),
            Ok(Reply::SessionRefused(refused)) => Err(AttestFailure::Refused(refused.refusal)),
            Ok(_) => Err(AttestFailure::Invalid),
            Err(Trouble::Lost(_) | Trouble::Silent) => Err(AttestFailure::Unreachable),
            Err(Trouble::Refused(Code::BUSY)) => Err(AttestFailure::Refused(SessionRefusal::Busy)),
            Err(Trouble::Refused(_) | Trouble::Nonsense) => Err(AttestFailure::Invalid),
        }
    }

    fn link_to(&self, member: &MemberId) -> Result<UpLink, Failure> {
        self.0.table.up(member).ok_or_else(|| {
            if self.0.table.is_foreign(member) {
                Failure::Declined { refusal: Refusal::Version, retry_after_millis: None }
            } else {
                Failure::Unreachable
            }
        })
    }

    /// The freshness token of this link, fetched if there is none.
    async fn freshness(&self, up: &UpLink) -> Result<Vec<u8>, Trouble> {
        if let Some(token) = up.freshness.usable(Instant::now()) {
            return Ok(token);
        }
        let _fetching = up.freshness.fetching.lock().await;
        match up.freshness.usable(Instant::now()) {
            Some(token) => Ok(token),
            None => self.fetch_freshness(up).await,
        }
    }

    async fn fetch_freshness(&self, up: &UpLink) -> Result<Vec<u8>, Trouble> {
        let asked = Instant::now();
        let request = Request::FetchFreshness(FetchFreshness { version: limits::VERSION_MAX });
        match put(&up.link, &request, limits::CONTROL_FRAME_BYTES_MAX).await? {
            Reply::Freshness(fresh) => {
                let valid = Duration::from_millis(fresh.valid_millis.min(limits::FRESHNESS_MILLIS));
                up.freshness.keep(fresh.token.clone(), asked, valid);
                Ok(fresh.token)
            }
            _ => Err(Trouble::Nonsense),
        }
    }

    /// Keeps a fresh token of `up` at hand, so that no guardian waits for one; ends with the link.
    pub(super) async fn keep_fresh(self, up: UpLink) {
        let half = Duration::from_millis(limits::FRESHNESS_MILLIS / 2);
        while up.link.close_reason().is_none() {
            let fetched = {
                let _fetching = up.freshness.fetching.lock().await;
                timeout(SMALL_TALK, self.fetch_freshness(&up)).await.unwrap_or(Err(Trouble::Silent))
            };
            let pause = if fetched.is_ok() { half } else { SMALL_TALK };
            tokio::select! {
                biased;
                _ = up.link.closed() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
