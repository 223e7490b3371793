//! Connections to the other members, and everything that is asked over them.
//!
//! Owns: one warm link per member whoever dialled it, the hello before a link counts as up, dialling
//! again with back-off, the door where every incoming request is judged by who sends it, the spread of
//! newer trust lists, and this node's own questions ([`Links::ask`], [`Links::end_session`],
//! [`Links::deliver_hold`], [`Links::attest`], [`Links::offer_checkpoint`], [`Links::tell_fork`]). Must not know: what is inside a part, an answer or a session; those pass through.
//!
//! The loops wait and act; what they decide is in the pure files `back_off` and `door`.

mod ask;
mod back_off;
mod code;
mod dial;
mod door;
mod freshness;
mod hello;
mod news;
mod serve;
mod table;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_transport::{Endpoint, Exchange, Link};
use tokio::sync::Semaphore;

pub use ask::{AttestFailure, Failure};
pub use code::{MALFORMED, NOT_GREETED, NOT_PERMITTED, TOO_LATE, VERSION};

use crate::env::Env;
use crate::membership::Membership;
use crate::observe::board::StatusBoard;
use crate::services::{Pending, Registry, Responder, Witness};
use crate::shutdown::Shutdown;
use table::Table;

/// Within this the first frame of an exchange must be complete: it was sent with the opening.
pub const FIRST_FRAME: Duration = Duration::from_secs(2);
/// The same for a guardian's whole view, which may be two megabytes over a slow line at home.
pub const VIEW_FRAME: Duration = Duration::from_secs(15);
/// A small question to another member (hello, freshness, trust lists) must be answered within this.
pub const SMALL_TALK: Duration = Duration::from_secs(5);
/// From this difference in milliseconds on, another member's clock is said to be astray.
pub const CLOCK_ASTRAY_MILLIS: u64 = 60_000;

/// What a node is and whom it dials; from its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This node's own name.
    pub own: MemberId,
    /// Whether it dials every member that can be reached (a gateway, and a registry that must push
    /// holds).
    pub dial_members: bool,
    /// Members it dials in any case: the gateways of a node behind a firewall.
    pub dial: Vec<MemberId>,
    /// First retry after this long.
    pub back_off_min: Duration,
    /// Slowest retry.
    pub back_off_max: Duration,
    /// Milliseconds an expired trust list is still used, with warnings.
    pub grace_millis: u64,
}

/// What this node does for those who ask; an absent role is declined.
#[derive(Clone, Default)]
pub struct Services {
    /// Answers about its own records.
    pub responder: Option<Arc<dyn Responder>>,
    /// Attests for whom a card may act.
    pub registry: Option<Arc<dyn Registry>>,
    /// Vouches for ledgers, and hears of forks.
    pub witness: Option<Arc<dyn Witness>>,
    /// Serves guardians' terminals.
    pub guests: Option<Arc<dyn Guests>>,
}

/// What a gateway does for terminals. Links have checked that the request is one a guest may send.
pub trait Guests: Send + Sync {
    /// Serves one request of a terminal; dropped when the link closes.
    fn serve(&self, request: hibiki_protocol::frames::Request, exchange: Exchange) -> Pending<'_, ()>;

    /// Whether the terminal on this link has opened a session: only then a large frame is read from it.
    fn has_session(&self, link: &Link) -> bool;

    /// The link is closed: whatever belongs to it ends.
    fn left(&self, link: &Link);
}

/// The connections of this node. Cheap to clone.
#[derive(Clone)]
pub struct Links(Arc<Inner>);

struct Inner {
    env: Env,
    endpoint: Endpoint,
    membership: Membership,
    board: StatusBoard,
    settings: Settings,
    table: Table,
    /// Parts worked on at once, all gateways together.
    queries: Semaphore,
}

impl Links {
    /// Links over `endpoint`; nothing happens until [`Self::start`].
    pub fn new(
        env: Env,
        endpoint: Endpoint,
        membership: Membership,
        board: StatusBoard,
        settings: Settings,
    ) -> Self {
        let table = Table::new(env.clone(), board.clone());
        let queries = Semaphore::new(limits::QUERIES_AT_ONCE_MAX);
        Self(Arc::new(Inner { env, endpoint, membership, board, settings, table, queries }))
    }

    /// Begins to take links, to dial, and to follow the trust list, until the endpoint closes or the
    /// process drains (links that are up then stay until the endpoint takes its leave).
    pub fn start(&self, services: Services, shutdown: Shutdown) {
        let env = &self.0.env;
        env.spawn(serve::accept_links(self.clone(), services.clone()));
        env.spawn(dial::supervise(self.clone(), services, shutdown.clone()));
        env.spawn(hello::follow_trust_list(self.clone(), shutdown));
    }

    /// Whether there is a link to `member` over which it can be asked now.
    pub fn up(&self, member: &MemberId) -> bool {
        self.0.table.up(member).is_some()
    }

    /// Members that can be asked now.
    pub fn members_up(&self) -> Vec<MemberId> {
        self.0.table.members_up()
    }

    /// Tells whenever a link comes up, goes down or is being made.
    pub(crate) fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.table.changes()
    }

    /// The membership these links follow.
    pub fn membership(&self) -> &Membership {
        &self.0.membership
    }

    /// This node's own name.
    pub fn own(&self) -> &MemberId {
        &self.0.settings.own
    }
}

impl std::fmt::Debug for Links {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Links").field("up", &self.members_up()).finish_non_exhaustive()
    }
}

/// The road's bounds for a node: as the transport's own, but a member that falls silent (its machine
/// lost power; a killed process is noticed sooner) is given up after 10 s instead of 15, so that coverage
/// says `unreachable` soon; a ping every 3 s costs nothing.
pub fn road_limits() -> hibiki_transport::Limits {
    hibiki_transport::Limits {
        idle: Duration::from_secs(10),
        keep_alive: Duration::from_secs(3),
        ..hibiki_transport::Limits::default()
    }
}
