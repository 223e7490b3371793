//! What the parties inside one node do for each other, and for whoever asks over a link.
//!
//! Links read a request and hand it to the service of the role it is for; a role the node does not
//! have is absent, and the request is declined. Gateway and registry of one city hall meet here, too,
//! without a network between them.

use std::future::Future;
use std::pin::Pin;

use hibiki_protocol::frames::{Answered, Ask, Declined, Freshness, SessionOpened};
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::session::{BoundStatement, OpenSession, SessionRefusal};
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::witnessing::{CheckpointOffer, ForkEvidence, Witnessed};

/// A future that a service returns: boxed, so that services can be held as trait objects.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Answers about this institution's own records.
pub trait Responder: Send + Sync {
    /// A freshness token for `gateway`.
    fn freshness(&self, gateway: &MemberId) -> Freshness;

    /// Works on a part that `gateway` relays. The answer is logged before it is returned.
    ///
    /// Dropping the future cancels the work; what was logged stays logged.
    fn ask<'a>(&'a self, gateway: &'a MemberId, ask: Ask) -> Pending<'a, Result<Answered, Declined>>;

    /// Stores a hold that a registry orders; returns once it is durable and in force.
    fn hold<'a>(
        &'a self,
        from: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, Declined>>;

    /// Ends a session that `gateway` says has ended; returns once that is durable and in force.
    fn end_session<'a>(
        &'a self,
        gateway: &'a MemberId,
        end: SealedSessionEnd,
    ) -> Pending<'a, Result<(), Declined>>;
}

/// Vouches for other members' ledgers, and hears of those that have two histories.
pub trait Witness: Send + Sync {
    /// Judges a checkpoint that `from` offers or passes on. What is cosigned is durable before it is returned.
    fn offer<'a>(&'a self, from: &'a MemberId, offer: CheckpointOffer) -> Pending<'a, Witnessed>;

    /// Looks at evidence of a fork; whether it proves one, and is kept.
    fn fork<'a>(&'a self, from: &'a MemberId, evidence: ForkEvidence) -> Pending<'a, bool>;
}

/// Attests for whom a card may act.
pub trait Registry: Send + Sync {
    /// Verifies the card and grants. `bound` was checked against the connection by `gateway`.
    fn attest<'a>(
        &'a self,
        gateway: &'a MemberId,
        open: &'a OpenSession,
        bound: &'a BoundStatement,
    ) -> Pending<'a, Result<SessionOpened, SessionRefusal>>;
}
