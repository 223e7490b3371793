//! Members of a federation on loopback, with fake roles: for tests of links and gateway.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hibiki_protocol::answer::SealedAnswer;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Answered, Ask, Declined, Freshness, Reply, Request};
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::query::{Part, Refusal};
use hibiki_protocol::sealing::{Sealed, SealingKeyId, Suite};
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, Role, SignedTrustList};
use hibiki_transport::{
    Admission, Code, Endpoint, ExchangeError, Identity, Limits, Link, PeerKey, StdSystemTime,
};

use super::{Links, Services, Settings};
use crate::env::Env;
use crate::membership::fixtures::{Council, id, member, signing_key};
use crate::membership::{EvidenceFolder, Membership, MemoryArchive, Opening, Strangers};
use crate::observe::board::StatusBoard;
use crate::services::{Pending, Responder};
use crate::shutdown::{self, ShutdownTrigger};

/// No step of these tests may take longer, even on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("took too long")
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < patience, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A member before it is started: its key and its address.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) roles: &'static [Role],
    pub(crate) identity: Identity,
    pub(crate) address: SocketAddr,
    pub(crate) behind_firewall: bool,
}

impl Plan {
    pub(crate) fn new(name: &'static str, roles: &'static [Role]) -> Self {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        Self { name, roles, identity: Identity::generate().unwrap(), address, behind_firewall: false }
    }

    pub(crate) fn behind_firewall(mut self) -> Self {
        self.behind_firewall = true;
        self
    }

    pub(crate) fn member(&self) -> Member {
        let addresses = [self.address.to_string()];
        let addresses: &[String] = if self.behind_firewall { &[] } else { &addresses };
        member(self.name, self.identity.key(), self.roles, addresses)
    }
}

pub(crate) fn publish(council: &mut Council, age: u64, plans: &[&Plan]) -> SignedTrustList {
    let members = plans.iter().map(|plan| plan.member()).collect();
    council.publish(Env::system().now() - age, members)
}

/// A running member.
pub(crate) struct Node {
    pub(crate) links: Links,
    pub(crate) membership: Membership,
    pub(crate) board: StatusBoard,
    pub(crate) endpoint: Endpoint,
    pub(crate) shutdown: ShutdownTrigger,
    pub(crate) watch: shutdown::Shutdown,
    pub(crate) evidence: tempfile::TempDir,
}

impl Node {
    /// Builds a member; [`Links::start`] is still to be called.
    pub(crate) async fn build(plan: &Plan, council: &Council, lists: &[SignedTrustList]) -> Self {
        Self::build_with(plan, council, lists, super::road_limits(), &[]).await
    }

    pub(crate) async fn build_with(
        plan: &Plan,
        council: &Council,
        lists: &[SignedTrustList],
        road: Limits,
        dial: &[MemberId],
    ) -> Self {
        let (env, board) = (Env::system(), StatusBoard::new());
        let evidence = tempfile::tempdir().unwrap();
        let gateway = plan.roles.contains(&Role::Gateway);
        let opening = Opening {
            anchor: &council.anchor(),
            given: lists,
            archive: Arc::new(MemoryArchive::new()),
            evidence: Arc::new(EvidenceFolder::new(evidence.path().join("evidence"))),
            strangers: if gateway { Strangers::Guests } else { Strangers::Refused },
        };
        let membership = Membership::open(env.clone(), board.clone(), opening).await.unwrap();
        // A former owner of the address may still be on its way out.
        let mut socket = env.bind_udp(plan.address);
        until("address free", || {
            if socket.is_err() {
                socket = env.bind_udp(plan.address);
            }
            socket.is_ok()
        })
        .await;
        let socket = socket.unwrap();
        let endpoint = Endpoint::new(
            env.runtime(),
            socket,
            &plan.identity,
            membership.directory(),
            road,
            Arc::new(StdSystemTime),
        );
        let settings = Settings {
            own: id(plan.name),
            dial_members: gateway,
            dial: dial.to_vec(),
            back_off_min: Duration::from_millis(20),
            back_off_max: Duration::from_millis(200),
            grace_millis: 0,
        };
        let endpoint = endpoint.unwrap();
        let links = Links::new(env, endpoint.clone(), membership.clone(), board.clone(), settings);
        let (shutdown, watch) = shutdown::channel();
        Self { links, membership, board, endpoint, shutdown, watch, evidence }
    }

    pub(crate) fn start(&self, services: Services) {
        self.links.start(services, self.watch.clone());
    }

    /// Builds and starts a responder.
    pub(crate) async fn responder(plan: &Plan, council: &Council, fake: &Arc<FakeResponder>) -> Self {
        let node = Self::build(plan, council, &council.lists).await;
        node.start(Services { responder: Some(fake.clone()), ..Services::default() });
        node
    }

    /// Leaves as a process that is told to end.
    pub(crate) async fn end(self) {
        self.shutdown.advance(shutdown::Stage::Now);
        self.endpoint.shutdown(Duration::ZERO).await;
    }

    pub(crate) fn problem(&self, key: &str) -> Option<String> {
        self.board.snapshot(0).problems.get(key).cloned()
    }

    pub(crate) async fn until_up(&self, name: &str) {
        until("link up", || self.links.up(&id(name))).await;
    }
}

/// What a fake responder does with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Answer,
    Slow(Duration),
    Hang,
    Decline(Refusal),
    WrongSize,
}

/// A responder that knows nothing but how to behave.
pub(crate) struct FakeResponder {
    pub(crate) mode: Mutex<Mode>,
    /// Tokens issued; only the newest one is fresh.
    pub(crate) issued: AtomicUsize,
    pub(crate) asked: AtomicUsize,
    pub(crate) cancelled: AtomicUsize,
    pub(crate) last: Mutex<Option<Ask>>,
    /// Ends of sessions as they were brought.
    pub(crate) ends: Mutex<Vec<SealedSessionEnd>>,
    /// What it says to every end; nothing: it confirms.
    pub(crate) end_refusal: Mutex<Option<Refusal>>,
}

impl FakeResponder {
    pub(crate) fn new(mode: Mode) -> Arc<Self> {
        Arc::new(Self {
            mode: Mutex::new(mode),
            issued: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            last: Mutex::new(None),
            ends: Mutex::default(),
            end_refusal: Mutex::default(),
        })
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    fn token(&self) -> Vec<u8> {
        self.issued.load(Ordering::SeqCst).to_be_bytes().to_vec()
    }
}

struct Cancelled<'a>(&'a AtomicUsize, bool);

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Responder for FakeResponder {
    fn freshness(&self, _gateway: &MemberId) -> Freshness {
        self.issued.fetch_add(1, Ordering::SeqCst);
        Freshness { token: self.token(), valid_millis: limits::FRESHNESS_MILLIS }
    }

    fn ask<'a>(&'a self, _gateway: &'a MemberId, ask: Ask) -> Pending<'a, Result<Answered, Declined>> {
        Box::pin(async move {
            let fresh = ask.freshness == self.token();
            if !fresh {
                return Err(Declined { refusal: Refusal::Stale, retry_after_millis: None });
            }
            self.asked.fetch_add(1, Ordering::SeqCst);
            *self.last.lock().unwrap() = Some(ask);
            let mode = *self.mode.lock().unwrap();
            let mut cancelled = Cancelled(&self.cancelled, false);
            let outcome = match mode {
                Mode::Answer => Ok(sealed_answer(16 * 1024 + 16)),
                Mode::WrongSize => Ok(sealed_answer(1000)),
                Mode::Slow(pause) => {
                    tokio::time::sleep(pause).await;
                    Ok(sealed_answer(16 * 1024 + 16))
                }
                Mode::Hang => std::future::pending().await,
                Mode::Decline(refusal) => Err(Declined { refusal, retry_after_millis: Some(77) }),
            };
            cancelled.1 = true;
            outcome.map(|answer| Answered { answer })
        })
    }

    fn hold<'a>(
        &'a self,
        _from: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, Declined>> {
        Box::pin(async move {
            let receipt = HoldReceipt {
                institution: notice.audience.clone(),
                notice: Digest::of(&[&notice.sealed.ciphertext]),
                at: Timestamp(1),
            };
            Ok(Signed::sign(&receipt, &signing_key("clinic")))
        })
    }

    fn end_session<'a>(
        &'a self,
        _gateway: &'a MemberId,
        end: SealedSessionEnd,
    ) -> Pending<'a, Result<(), Declined>> {
        Box::pin(async move {
            self.ends.lock().unwrap().push(end);
            match *self.end_refusal.lock().unwrap() {
                Some(refusal) => Err(Declined { refusal, retry_after_millis: None }),
                None => Ok(()),
            }
        })
    }
}

/// The end of a session with `name` that nobody can open; `mark` tells it from others.
pub(crate) fn session_end(name: &str, mark: u8) -> SealedSessionEnd {
    SealedSessionEnd {
        audience: id(name),
        key_id: SealingKeyId([mark; 8]),
        sealed: Sealed {
            suite: Suite::X25519ChaCha20,
            encapsulated: [7; 32],
            ciphertext: vec![mark; SealedSessionEnd::CIPHERTEXT_BYTES],
        },
    }
}

/// An answer of this many ciphertext bytes that nobody can open.
pub(crate) fn sealed_answer(bytes: usize) -> SealedAnswer {
    SealedAnswer(Sealed {
        suite: Suite::X25519ChaCha20,
        encapsulated: [5; 32],
        ciphertext: vec![0xa5; bytes],
    })
}

/// A part for `name` that nobody can open, of the common size.
pub(crate) fn part(name: &str) -> Part {
    Part {
        audience: id(name),
        key_id: SealingKeyId([1; 8]),
        sealed: Sealed {
            suite: Suite::X25519ChaCha20,
            encapsulated: [6; 32],
            ciphertext: vec![0x5a; limits::PART_PLAINTEXT_BYTES + 16],
        },
    }
}

/// A party that only dials: a terminal, or a member's key in the wrong hands.
pub(crate) struct Terminal {
    pub(crate) link: Link,
    _endpoint: Endpoint,
}

impl Terminal {
    pub(crate) async fn dial(address: SocketAddr, gateway: PeerKey) -> Self {
        Self::dial_as(&Identity::generate().unwrap(), address, gateway).await
    }

    pub(crate) async fn dial_as(identity: &Identity, address: SocketAddr, peer: PeerKey) -> Self {
        let directory =
            Arc::new(
                move |key: &PeerKey| {
                    if *key == peer { Admission::member("maebashi/city") } else { Admission::Refused }
                },
            );
        let endpoint = Endpoint::bind(
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            identity,
            directory,
            Limits::dial_only(),
            Arc::new(StdSystemTime),
        )
        .unwrap();
        let link = within(endpoint.connect(address, &[peer])).await.unwrap();
        Self { link, _endpoint: endpoint }
    }

    /// Sends bytes on a fresh exchange and reads all replies.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Result<Vec<Reply>, ExchangeError> {
        within(async {
            let mut exchange = self.link.open().await?;
            exchange.send(bytes).await?;
            exchange.finish()?;
            let mut replies = Vec::new();
            while let Some(frame) = exchange.recv(limits::FRAME_BYTES_MAX).await? {
                replies.push(cbor::decode(&frame).unwrap());
            }
            Ok(replies)
        })
        .await
    }

    pub(crate) async fn put(&self, request: &Request) -> Result<Reply, ExchangeError> {
        let mut replies = self.raw(&cbor::encode(request)).await?;
        assert_eq!(replies.len(), 1, "{replies:?}");
        Ok(replies.remove(0))
    }

    /// Says hello, as everybody must.
    pub(crate) async fn greet(&self) -> hibiki_protocol::frames::Welcome {
        let hello = hibiki_protocol::frames::Hello {
            version_min: limits::VERSION_MIN,
            version_max: limits::VERSION_MAX,
            federation: crate::membership::fixtures::federation(),
            epoch: 0,
        };
        match self.put(&Request::Hello(hello)).await.unwrap() {
            Reply::Welcome(welcome) => welcome,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn reset_code<T: std::fmt::Debug>(result: Result<T, ExchangeError>) -> Code {
    match result {
        Err(ExchangeError::Reset { code }) => code,
        other => panic!("no reset: {other:?}"),
    }
}
