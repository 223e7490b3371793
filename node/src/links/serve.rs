//! The door: every link somebody has, every exchange somebody opens.
//!
//! Reads the first frame within its time and size, judges it by who sends it, hands it to the role it is
//! for, sends the reply. Anything else is reset with a code and counted; nothing here can panic on what
//! arrives. Must not know: what the roles do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{
    Ask, Attest, Declined, FetchTrustLists, Hello, Reply, Request, SessionEnded, SessionRefused, TrustLists,
};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session::Binding;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::witnessing::ForkNoted;
use hibiki_transport::{Admission, Code, Exchange, ExchangeError, Link};

use super::door::{Offers, Sender, needs_no_hello, permits};
use super::{FIRST_FRAME, Links, Services, VIEW_FRAME, code};
use crate::observe::board::Direction;
use crate::observe::metrics;

/// After how many milliseconds a busy institution asks to be asked again.
pub(super) const RETRY_AFTER_MILLIS: u64 = 500;

/// A reply must be taken by the peer within this; its own deadline is shorter.
const REPLY: Duration = Duration::from_secs(30);

/// A newcomer must open its first exchange within this.
const GREETING: Duration = Duration::from_secs(10);

/// Takes every link that is made to this node, until the endpoint closes.
pub(super) async fn accept_links(links: Links, services: Services) {
    while let Some(link) = links.0.endpoint.accept().await {
        let serving = serve_link(links.clone(), services.clone(), link, Direction::In);
        links.0.env.spawn(serving);
    }
}

/// One link and what is needed to serve it.
struct Serving {
    links: Links,
    services: Services,
    link: Link,
    /// `None` for a guest.
    member: Option<MemberId>,
    /// Whether the hello was answered. On links this node dialled, it says hello itself.
    greeted: AtomicBool,
}

/// Serves what the other side asks over `link`, until it is closed.
pub(super) async fn serve_link(links: Links, services: Services, link: Link, direction: Direction) {
    let member = match &link.peer().admission {
        Admission::Member(id) => match MemberId::new(id) {
            Some(member) => Some(member),
            None => return link.close(code::NOT_PERMITTED, "unknown member"),
        },
        Admission::Guest => None,
        Admission::Refused => return link.close(code::NOT_PERMITTED, "unknown"),
    };
    let greeted = AtomicBool::new(direction == Direction::Out);
    let serving = Arc::new(Serving { links, services, link, member, greeted });
    if direction == Direction::In {
        match tokio::time::timeout(GREETING, serving.link.accept()).await {
            Ok(Some(first)) => serving.clone().spawn(first),
            Ok(None) => {}
            Err(_) => serving.link.close(code::NOT_GREETED, "no hello"),
        }
    }
    while let Some(exchange) = serving.link.accept().await {
        serving.clone().spawn(exchange);
    }
    let reason = serving.link.closed().await.to_string();
    match &serving.member {
        Some(member) => serving.links.0.table.leave(member, &serving.link, &reason),
        None => {
            if let Some(guests) = &serving.services.guests {
                guests.left(&serving.link);
            }
        }
    }
}

impl Links {
    /// The link counts as up: from now on `member`, which spoke of list `epoch`, can be asked over it.
    pub(super) fn came_up(&self, member: &MemberId, link: &Link, direction: Direction, epoch: u64) {
        self.0.env.spawn(self.clone().keep_informed(member.clone(), link.clone(), epoch));
        let up = self.0.table.enter(member, link, direction);
        let roster = self.0.membership.roster();
        let gateway = roster.has_role(&self.0.settings.own, hibiki_protocol::trust::Role::Gateway);
        if gateway && roster.has_role(member, hibiki_protocol::trust::Role::Responder) {
            self.0.env.spawn(self.clone().keep_fresh(up));
        }
    }
}

/// Why an exchange is given up before any work.
struct TurnedAway {
    code: Code,
    /// The label of the metric.
    result: &'static str,
}

const fn turned_away(code: Code, result: &'static str) -> TurnedAway {
    TurnedAway { code, result }
}

impl Serving {
    fn spawn(self: Arc<Self>, exchange: Exchange) {
        self.links.0.env.clone().spawn(self.serve(exchange));
    }

    async fn serve(self: Arc<Self>, mut exchange: Exchange) {
        let taken = match self.first_frame(&mut exchange).await {
            Ok(frame) => self.judge(&frame),
            Err(turned_away) => Err(turned_away),
        };
        match taken {
            Ok((request, sender)) => self.act(request, sender, exchange).await,
            Err(TurnedAway { code, result }) => {
                metrics::count_result(metrics::REQUESTS_REFUSED, result);
                tracing::debug!(link = self.link.id(), result, "an exchange was turned away");
                exchange.reset(code);
            }
        }
    }

    /// Reads the first frame: small and soon, except for a view of a terminal that has a session.
    async fn first_frame(&self, exchange: &mut Exchange) -> Result<Vec<u8>, TurnedAway> {
        let guests = self.services.guests.as_ref().filter(|_| self.member.is_none());
        let (max, within) = match guests {
            Some(guests) if guests.has_session(&self.link) => (limits::FRAME_BYTES_MAX, VIEW_FRAME),
            _ => (limits::CONTROL_FRAME_BYTES_MAX, FIRST_FRAME),
        };
        match exchange.recv_within(max, within).await {
            Ok(Some(frame)) => Ok(frame),
            Err(ExchangeError::TimedOut { .. }) => Err(turned_away(code::TOO_LATE, "late")),
            Err(ExchangeError::TooLong { .. }) => Err(turned_away(Code::TOO_LONG, "too_long")),
            Ok(None) | Err(_) => Err(turned_away(code::MALFORMED, "malformed")),
        }
    }

    fn judge(&self, frame: &[u8]) -> Result<(Request, Sender), TurnedAway> {
        let request: Request = cbor::decode(frame).map_err(|_| turned_away(code::MALFORMED, "malformed"))?;
        let not_permitted = turned_away(code::NOT_PERMITTED, "not_permitted");
        let roster = self.links.0.membership.roster();
        let sender = match &self.member {
            None => Sender::Guest,
            Some(id) => match roster.member(id) {
                Some(member) => Sender::of(member),
                None => return Err(not_permitted),
            },
        };
        let offers = Offers {
            guests: self.services.guests.is_some(),
            responder: self.services.responder.is_some(),
            registry: self.services.registry.is_some(),
            witness: self.services.witness.is_some(),
        };
        if !permits(&request, &sender, offers) {
            return Err(not_permitted);
        }
        if !self.greeted.load(Ordering::Acquire) && !needs_no_hello(&request) {
            return Err(turned_away(code::NOT_GREETED, "not_greeted"));
        }
        Ok((request, sender))
    }

    async fn act(&self, request: Request, sender: Sender, exchange: Exchange) {
        match (request, sender) {
            (Request::Hello(hello), _) => self.hello(&hello, exchange).await,
            (Request::FetchTrustLists(FetchTrustLists { after }), _) => {
                match self.links.0.membership.lists_after(after).await {
                    Ok(lists) => send(exchange, &Reply::TrustLists(TrustLists { lists })).await,
                    Err(error) => {
                        tracing::warn!(%error, "trust lists cannot be passed on");
                        exchange.reset(Code::BUSY);
                    }
                }
            }
            (request, Sender::Guest) => {
                if let Some(guests) = &self.services.guests {
                    tokio::select! {
                        biased;
                        _ = self.link.closed() => {}
                        () = guests.serve(request, exchange) => {}
                    }
                }
            }
            (Request::Attest(attest), Sender::Member { id, .. }) => self.attest(&id, attest, exchange).await,
            (Request::OfferCheckpoint(offer), Sender::Member { id, .. }) => {
                let Some(witness) = &self.services.witness else {
                    return exchange.reset(code::NOT_PERMITTED);
                };
                send(exchange, &Reply::Witnessed(witness.offer(&id, offer).await)).await;
            }
            (Request::TellFork(evidence), Sender::Member { id, .. }) => {
                let Some(witness) = &self.services.witness else {
                    return exchange.reset(code::NOT_PERMITTED);
                };
                let proven = witness.fork(&id, evidence).await;
                let noted = ForkNoted { version: limits::VERSION_MAX, proven };
                send(exchange, &Reply::ForkNoted(noted)).await;
            }
            (request, Sender::Member { id, .. }) => self.respond(&id, request, exchange).await,
        }
    }

    async fn hello(&self, hello: &Hello, exchange: Exchange) {
        let Some(welcome) = self.links.welcome(hello) else {
            metrics::count_result(metrics::REQUESTS_REFUSED, "version");
            return exchange.reset(code::VERSION);
        };
        let own_epoch = welcome.epoch;
        // Before the welcome leaves: its reader may ask at once.
        let first = !self.greeted.swap(true, Ordering::AcqRel);
        send(exchange, &Reply::Welcome(welcome)).await;
        let Some(member) = &self.member else { return };
        if first {
            self.links.came_up(member, &self.link, Direction::In, hello.epoch);
        }
        if hello.epoch > own_epoch {
            self.links.catch_up(&self.link).await;
        }
    }

    /// Freshness, parts, holds and ends of sessions, for the responder of this node.
    async fn respond(&self, from: &MemberId, request: Request, exchange: Exchange) {
        let Some(responder) = &self.services.responder else { return exchange.reset(code::NOT_PERMITTED) };
        match request {
            Request::FetchFreshness(_) => send(exchange, &Reply::Freshness(responder.freshness(from))).await,
            Request::Hold(notice) => {
                let reply = match responder.hold(from, notice).await {
                    Ok(receipt) => Reply::HoldStored(receipt),
                    Err(declined) => Reply::Declined(declined),
                };
                send(exchange, &reply).await;
            }
            Request::EndSession(end) => {
                let reply = match responder.end_session(from, end).await {
                    Ok(()) => Reply::SessionEnded(SessionEnded { version: limits::VERSION_MAX }),
                    Err(declined) => Reply::Declined(declined),
                };
                send(exchange, &reply).await;
            }
            Request::Ask(ask) => self.answer(from, ask, exchange).await,
            _ => exchange.reset(code::NOT_PERMITTED),
        }
    }

    async fn answer(&self, from: &MemberId, ask: Ask, exchange: Exchange) {
        let Some(responder) = &self.services.responder else { return exchange.reset(code::NOT_PERMITTED) };
        let Ok(_working) = self.links.0.queries.try_acquire() else {
            let retry_after_millis = Some(RETRY_AFTER_MILLIS);
            let declined = Declined { refusal: Refusal::Busy, retry_after_millis };
            return send(exchange, &Reply::Declined(declined)).await;
        };
        let reply = tokio::select! {
            biased;
            // The gateway no longer waits: the work ends here, what was logged stays logged.
            () = exchange.abandoned() => return,
            answered = responder.ask(from, ask) => match answered {
                Ok(answered) => Reply::Answered(answered),
                Err(declined) => Reply::Declined(declined),
            },
        };
        send(exchange, &reply).await;
    }

    /// A gateway brings a session request. It is bound again here, from what the gateway saw: a gateway
    /// may be careless, and the registry answers for its grants.
    async fn attest(&self, from: &MemberId, attest: Attest, exchange: Exchange) {
        let Some(registry) = &self.services.registry else { return exchange.reset(code::NOT_PERMITTED) };
        let current = self.links.0.membership.current();
        let binding = Binding {
            federation: &current.list().federation,
            gateway: from,
            epoch: current.list().epoch,
            list_digest: current.digest(),
            challenge: attest.challenge,
            exporter: attest.exporter,
        };
        let reply = match attest.open.bind(&binding, Timestamp(self.links.0.env.now())) {
            Err(refusal) => Reply::SessionRefused(SessionRefused { refusal }),
            Ok(bound) => tokio::select! {
                biased;
                () = exchange.abandoned() => return,
                attested = registry.attest(from, &attest.open, &bound) => match attested {
                    Ok(opened) => Reply::SessionOpened(opened),
                    Err(refusal) => Reply::SessionRefused(SessionRefused { refusal }),
                },
            },
        };
        send(exchange, &reply).await;
    }
}

/// Sends the one reply of an exchange. A peer that does not take it has given up.
async fn send(mut exchange: Exchange, reply: &Reply) {
    let sent = exchange.send_within(&cbor::encode(reply), REPLY).await;
    if let Err(error) = sent.and_then(|()| exchange.finish()) {
        tracing::debug!(%error, reply = reply.name(), "a reply was not taken");
    }
}
