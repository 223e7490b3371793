//! Who is dialled, and dialling again and again: one loop for each member, for as long as it is one.
//!
//! Must not know: what links are used for once they are up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::{Member, Role};
use hibiki_transport::{Closed, ConnectError, Link};
use tokio::sync::watch;
use tokio::time::Instant;

use super::ask::GONE;
use super::back_off::BackOff;
use super::hello::HelloFailure;
use super::{Links, Services, serve};
use crate::membership::Roster;
use crate::observe::board::{Direction, LinkState};
use crate::observe::metrics;
use crate::shutdown::Shutdown;

/// A link that stayed up this long was no failure: the next dial comes soon.
const STEADY: Duration = Duration::from_secs(10);
/// The longest wait while the host itself says that the member is not there: asking costs one datagram, and
/// a restarted member is found at once.
const CLOSED: Duration = Duration::from_secs(1);
/// How long the other of two links made at once may still finish what travels on it.
const YIELD: Duration = Duration::from_secs(5);

impl Links {
    /// Whether this node dials `member`.
    fn dials(&self, member: &Member) -> bool {
        let settings = &self.0.settings;
        let serves =
            [Role::Responder, Role::Registry, Role::Witness].into_iter().any(|role| member.has_role(role));
        member.id != settings.own
            && !member.addresses.is_empty()
            && (settings.dial_members && serves || settings.dial.contains(&member.id))
    }

    /// Whether this node waits for `member` to dial it.
    fn awaits(&self, member: &Member) -> bool {
        member.id != self.0.settings.own
            && member.addresses.is_empty()
            && self.0.settings.dial_members
            && (member.has_role(Role::Responder) || member.has_role(Role::Witness))
    }
}

/// Keeps one dial loop for every member that is to be dialled, by the trust list in force.
pub(super) async fn supervise(links: Links, services: Services, mut shutdown: Shutdown) {
    let mut told = links.0.membership.subscribe();
    // Dropping the sender ends the loop.
    let mut loops: BTreeMap<MemberId, watch::Sender<()>> = BTreeMap::new();
    links.0.announce_own_membership();
    loop {
        let roster = told.borrow_and_update().clone();
        let accepted = roster.accepted();
        let members = &accepted.list().members;
        let wanted = |id: &MemberId| roster.member(id).is_some_and(|member| links.dials(member));
        loops.retain(|id, _| wanted(id));
        for member in members.iter().filter(|member| links.dials(member)) {
            if !loops.contains_key(&member.id) {
                let (sender, stopped) = watch::channel(());
                loops.insert(member.id.clone(), sender);
                let one = Loop {
                    links: links.clone(),
                    services: services.clone(),
                    member: member.id.clone(),
                    stopped,
                    shutdown: shutdown.clone(),
                };
                links.0.env.spawn(one.run());
            }
        }
        let awaited = members.iter().filter(|member| links.awaits(member));
        let mut count = loops.len();
        for member in awaited {
            let waits = "it has no address in the trust list and must dial this node".to_owned();
            links.0.table.note(&member.id, LinkState::Down, Some(waits));
            count += 1;
        }
        metrics::set_count(metrics::LINKS_WANTED, count);
        tokio::select! {
            biased;
            () = shutdown.draining() => return,
            changed = told.changed() => if changed.is_err() { return },
        }
    }
}

/// Why an attempt did not bring a link up.
enum Attempt {
    /// The host says that nobody receives there: not started yet, or stopped.
    Closed,
    /// The network, or the other side, did not answer well.
    Failed(String),
    /// The other side, or our own list, says no.
    Refused(String),
}

struct Loop {
    links: Links,
    services: Services,
    member: MemberId,
    stopped: watch::Receiver<()>,
    shutdown: Shutdown,
}

impl Loop {
    async fn run(mut self) {
        let (mut stopped, mut shutdown) = (self.stopped.clone(), self.shutdown.clone());
        tokio::select! {
            biased;
            () = shutdown.draining() => {}
            // Nothing is ever sent: this completes when the supervisor lets go.
            _ = stopped.changed() => {}
            () = self.keep() => {}
        }
    }

    async fn keep(&mut self) {
        let links = self.links.clone();
        let settings = &links.0.settings;
        let mut back_off = BackOff::new(settings.back_off_min, settings.back_off_max);
        loop {
            self.while_connected().await;
            links.0.table.note(&self.member, LinkState::Dialling, None);
            let mut patience = Duration::MAX;
            let reason = match self.attempt().await {
                Ok(link) => {
                    metrics::count_result(metrics::LINK_DIALS, "up");
                    let since = Instant::now();
                    let closed = self.while_open(&link).await;
                    if since.elapsed() >= STEADY {
                        back_off.succeeded();
                    }
                    closed
                }
                Err(Attempt::Closed) => {
                    metrics::count_result(metrics::LINK_DIALS, "failed");
                    patience = CLOSED;
                    GONE.to_owned()
                }
                Err(Attempt::Failed(reason)) => {
                    metrics::count_result(metrics::LINK_DIALS, "failed");
                    reason
                }
                Err(Attempt::Refused(reason)) => {
                    metrics::count_result(metrics::LINK_DIALS, "refused");
                    reason
                }
            };
            links.0.table.note(&self.member, LinkState::Down, Some(reason));
            let wait = back_off.failed(u32::from_be_bytes(links.0.env.random()));
            tokio::time::sleep(wait.min(patience)).await;
        }
    }

    /// Waits while the member is connected because it dialled us.
    async fn while_connected(&self) {
        let mut changes = self.links.0.table.changes();
        while self.links.0.table.has(&self.member, Direction::In) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the link is closed. When both sides have dialled at once, the one with the greater name
    /// lets its own link go.
    async fn while_open(&self, link: &Link) -> String {
        let table = &self.links.0.table;
        let mut changes = table.changes();
        loop {
            let yields = self.links.0.settings.own > self.member && table.has(&self.member, Direction::In);
            if yields {
                table.leave(&self.member, link, "the member has dialled this node as well");
                let _ = tokio::time::timeout(YIELD, link.closed()).await;
                link.close(hibiki_transport::Code::DONE, "one link is enough");
                return "the member has dialled this node as well".to_owned();
            }
            tokio::select! {
                biased;
                closed = link.closed() => {
                    let reason = closed.to_string();
                    table.leave(&self.member, link, &reason);
                    return reason;
                }
                _ = changes.changed() => {}
            }
        }
    }

    /// One attempt: every address in turn, until one brings a link up.
    async fn attempt(&self) -> Result<Link, Attempt> {
        let roster = self.links.0.membership.roster();
        let Some(member) = roster.member(&self.member) else {
            return Err(Attempt::Refused("no longer a member".to_owned()));
        };
        let mut last = Attempt::Failed("it has no address in the trust list".to_owned());
        for address in &member.addresses {
            match self.try_address(address, &roster, member).await {
                Ok(link) => return Ok(link),
                Err(attempt) => last = attempt,
            }
        }
        Err(last)
    }

    async fn try_address(&self, address: &str, roster: &Roster, member: &Member) -> Result<Link, Attempt> {
        let keys = roster.keys(&member.id);
        let mut last = Attempt::Failed(format!("the address {address} cannot be resolved"));
        for socket in resolve(address).await {
            let dialled = tokio::select! {
                biased;
                dialled = self.links.0.endpoint.connect(socket, &keys) => dialled.map_err(|error| judge(&error)),
                () = closed(&self.links, socket) => Err(Attempt::Closed),
            };
            let link = match dialled {
                Ok(link) => link,
                Err(attempt) => {
                    last = attempt;
                    continue;
                }
            };
            // The other side may ask over this link before our hello is answered.
            let serving =
                serve::serve_link(self.links.clone(), self.services.clone(), link.clone(), Direction::Out);
            self.links.0.env.spawn(serving);
            match self.links.greet(&member.id, &link).await {
                Ok(epoch) => {
                    self.links.came_up(&member.id, &link, Direction::Out, epoch);
                    return Ok(link);
                }
                Err(failure) => {
                    if failure == HelloFailure::Foreign {
                        self.links.0.table.note_foreign(&member.id);
                    }
                    // Where the link itself was closed, its own reason says more.
                    let reason =
                        link.close_reason().map_or_else(|| failure.to_string(), |closed| closed.to_string());
                    link.close(hibiki_transport::Code::DONE, "no hello");
                    last = Attempt::Refused(reason);
                }
            }
        }
        Err(last)
    }
}

/// Completes when the host at `socket` says that nobody receives there, and only then.
async fn closed(links: &Links, socket: SocketAddr) {
    if !links.0.env.is_closed(socket).await {
        std::future::pending::<()>().await;
    }
}

fn judge(error: &ConnectError) -> Attempt {
    let refused = matches!(
        error,
        ConnectError::WrongKey { .. }
            | ConnectError::NotAdmitted { .. }
            | ConnectError::Closed { closed: Closed::ByPeer { .. } | Closed::RefusedByPeer { .. }, .. }
    );
    if refused { Attempt::Refused(error.to_string()) } else { Attempt::Failed(error.to_string()) }
}

/// The addresses a `host:port` stands for. Numbers need no resolver (and a simulated world has none).
async fn resolve(address: &str) -> Vec<SocketAddr> {
    match address.parse() {
        Ok(socket) => vec![socket],
        Err(_) => tokio::net::lookup_host(address).await.map(Iterator::collect).unwrap_or_default(),
    }
}
