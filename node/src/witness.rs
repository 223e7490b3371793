//! Witnesses: this node vouches for other members' ledgers, and has its own vouched for.
//!
//! As a **witness** ([`Service`]) it keeps the newest checkpoint of every ledger, durably before it cosigns
//! one, and cosigns only what has grown from it. As a **witnessed ledger** ([`Asking`]) it offers its own
//! checkpoints, joins the cosignatures, and says how it stands: without witnesses for long it raises an alarm,
//! for longer it releases nothing; and where its witnesses know a ledger that is not this one, it halts.
//! Two histories of one ledger ([`Forks`]) are kept as evidence and told to everybody.
//!
//! What is decided is decided by [`hibiki_protocol::tlog::judge`] and, about time, by [`standing`]. Must not
//! know: what an entry of a ledger says, how an offer travels ([`Road`]).

mod asked;
mod asking;
pub mod command;
mod forks;
mod kept;
mod pace;
mod service;
mod shelf;
mod spread;
pub mod standing;
#[cfg(test)]
mod tests;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::VerifierKey;
use hibiki_protocol::witnessing::{CheckpointOffer, ForkEvidence, Witnessed};
use tokio::sync::watch;

pub use asking::{Asking, Settings};
pub use forks::Forks;
pub use service::Service;
pub use shelf::Shelf;
pub use spread::spread;

use crate::links::Failure;
use crate::services::Pending;

/// How offers and evidence travel.
pub trait Road: Send + Sync {
    /// Brings an offer to its audience: over the link to it, or through a gateway.
    fn offer<'a>(&'a self, offer: CheckpointOffer) -> Pending<'a, Result<Witnessed, Failure>>;

    /// Brings an offer to its audience over the link to it, and no other way.
    fn offer_directly<'a>(&'a self, offer: CheckpointOffer) -> Pending<'a, Result<Witnessed, Failure>>;

    /// Tells a member of a fork; whether it is convinced.
    fn tell<'a>(&'a self, member: &'a MemberId, evidence: ForkEvidence)
    -> Pending<'a, Result<bool, Failure>>;

    /// Members that can be told now.
    fn members_up(&self) -> Vec<MemberId>;

    /// Tells whenever a link comes up or goes down.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// How files about a ledger are named: by the member and the key, for with another key it is another ledger.
fn stem(member: &MemberId, log: &VerifierKey) -> String {
    format!("{}.{:08x}", member.as_str().replace('/', "+"), log.id())
}
