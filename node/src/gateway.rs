//! The city's door for guardians' terminals: it admits a session, fans a view out to every institution,
//! and forwards each sealed answer the moment it arrives.
//!
//! Owns: challenges, sessions (each lives and dies with the link it was opened on), the fan-out with its
//! deadline, the gateway's own word for whoever stayed silent, and the telling of every institution when a
//! session ends. Must not know: what is inside a part, an answer, an attestation or an end. It holds no key
//! for them; they pass through memory and are never stored, logged or looked at.
//!
//! What is decided is in pure files (`challenges`, `sessions`, `deposit`, `fanout`); the drivers are `view` and
//! `courier`.

mod account;
mod admission;
mod challenges;
mod courier;
mod deposit;
mod ending;
mod fanout;
mod sessions;
mod view;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Challenge, Reply, Request, SessionRefused};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::session::SessionRefusal;
use hibiki_protocol::signing::SigningKey;
use hibiki_transport::{Code, Exchange, Link};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use account::{LedgerAccount, RelayLog, Relayed};
pub use fanout::{Action, FanOut, Observed};

use crate::env::Env;
use crate::links::{Guests, Links, NOT_PERMITTED};
use crate::observe::board::StatusBoard;
use crate::observe::metrics;
use crate::services::{Pending, Registry, Responder};
use challenges::Challenges;
use courier::Courier;
use sessions::Sessions;

/// A small reply must be taken by the terminal within this.
const REPLY: Duration = Duration::from_secs(10);

/// Sessions being attested at once; a card's verification costs the registry far more than it costs a
/// stranger to ask for one.
const ATTESTING_MAX: usize = 64;

/// Who attests for this gateway's guardians.
#[derive(Clone)]
pub enum Attester {
    /// This very node.
    Own(Arc<dyn Registry>),
    /// Another member, over its link.
    Member(MemberId),
}

/// What a gateway stands on.
pub struct Foundation {
    /// The world.
    pub env: Env,
    /// Where it reports how the telling of ended sessions fares.
    pub board: StatusBoard,
    /// The connections to the members; they know the trust list and this node's name.
    pub links: Links,
    /// Signs what the gateway itself observed.
    pub signing: Arc<SigningKey>,
    /// Who attests.
    pub attester: Attester,
    /// This node's own responder, where it has one: it is asked without a network.
    pub responder: Option<Arc<dyn Responder>>,
    /// Where relays are logged before anything is forwarded.
    pub log: Arc<dyn RelayLog>,
    /// Deadline of a view where the terminal names none.
    pub deadline: Duration,
    /// Milliseconds an expired trust list still admits sessions.
    pub grace_millis: u64,
}

/// A gateway. Cheap to clone; hand it to the links as their [`Guests`].
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    base: Foundation,
    challenges: Mutex<Challenges>,
    sessions: Mutex<Sessions>,
    courier: Courier,
    attesting: Semaphore,
    views: Semaphore,
}

impl Gateway {
    /// A gateway without any session.
    pub fn new(base: Foundation) -> Self {
        let (env, links, own) = (base.env.clone(), base.links.clone(), base.responder.clone());
        let courier = Courier::new(env, links, own, base.board.clone());
        Self(Arc::new(Inner {
            base,
            courier,
            challenges: Mutex::default(),
            sessions: Mutex::default(),
            attesting: Semaphore::new(ATTESTING_MAX),
            views: Semaphore::new(limits::VIEWS_AT_ONCE_MAX),
        }))
    }

    /// Sessions open now.
    pub fn sessions(&self) -> usize {
        self.0.sessions().len()
    }
}

impl Inner {
    fn challenges(&self) -> MutexGuard<'_, Challenges> {
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_sessions(&self) {
        metrics::set_count(metrics::SESSIONS, self.sessions().len());
    }

    async fn challenge(&self, exchange: Exchange) {
        let challenge = self.base.env.random();
        let issued = self.challenges().issue(exchange.link().id(), challenge, Instant::now());
        if !issued {
            return exchange.reset(Code::BUSY);
        }
        let reply = Challenge { challenge, valid_millis: limits::CHALLENGE_MILLIS_MAX };
        send(exchange, &Reply::Challenge(reply)).await;
    }
}

impl Guests for Gateway {
    fn serve(&self, request: Request, exchange: Exchange) -> Pending<'_, ()> {
        Box::pin(async move {
            match request {
                Request::FetchChallenge(_) => self.0.challenge(exchange).await,
                Request::OpenSession(open) => self.0.open_session(open, exchange).await,
                Request::View(view) => self.0.view(view, exchange).await,
                Request::LeaveSessionEnds(leave) => self.0.keep_ends(leave, exchange).await,
                Request::CloseSession(_) => self.0.close_session(exchange).await,
                _ => exchange.reset(NOT_PERMITTED),
            }
        })
    }

    fn has_session(&self, link: &Link) -> bool {
        self.0.sessions().is_open(link.id())
    }

    fn left(&self, link: &Link) {
        self.0.left(link);
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gateway").field("sessions", &self.sessions()).finish_non_exhaustive()
    }
}

/// Sends the one reply of an exchange.
async fn send(mut exchange: Exchange, reply: &Reply) {
    let sent = exchange.send_within(&cbor::encode(reply), REPLY).await;
    if let Err(error) = sent.and_then(|()| exchange.finish()) {
        tracing::debug!(%error, reply = reply.name(), "a terminal did not take a reply");
    }
}

fn refused(refusal: SessionRefusal) -> Reply {
    Reply::SessionRefused(SessionRefused { refusal })
}
