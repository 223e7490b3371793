#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod ending;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hibiki_protocol::frames::{CloseSession, FetchChallenge, SessionOpened, View, ViewEnd};
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::{Part, Refusal};
use hibiki_protocol::sealing::SealingSecret;
use hibiki_protocol::session::{
    BoundStatement, EXPORTER_LABEL, OpenSession, Purpose, SealedAttestation, SessionStatement,
    session_keys_root,
};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Role;

use super::*;
use crate::ledger::NotLogged;
use crate::links::Services;
use crate::links::fixtures::{
    FakeResponder, Mode, Node, Plan, Terminal, part, publish, sealed_answer, until, within,
};
use crate::membership::fixtures::{Council, DAY, federation, id, signing_key};

const GATEWAY: &[Role] = &[Role::Gateway, Role::Responder];
const REGISTRY: &[Role] = &[Role::Registry];
const RESPONDER: &[Role] = &[Role::Responder];

/// A registry that grants everybody something nobody can open.
#[derive(Default)]
struct FakeRegistry {
    attested: AtomicUsize,
    refusal: Mutex<Option<SessionRefusal>>,
    lifetime: Mutex<Option<u64>>,
}

impl Registry for FakeRegistry {
    fn attest<'a>(
        &'a self,
        gateway: &'a MemberId,
        _open: &'a OpenSession,
        bound: &'a BoundStatement,
    ) -> Pending<'a, Result<SessionOpened, SessionRefusal>> {
        Box::pin(async move {
            assert_eq!(*gateway, id("city"));
            self.attested.fetch_add(1, Ordering::SeqCst);
            if let Some(refusal) = *self.refusal.lock().unwrap() {
                return Err(refusal);
            }
            let not_after = match *self.lifetime.lock().unwrap() {
                Some(millis) => Timestamp(Env::system().now()).plus(millis),
                None => bound.statement().not_after,
            };
            Ok(SessionOpened { attestation: SealedAttestation(sealed_answer(10).0), not_after })
        })
    }
}

/// A ledger in memory that can fail, and remembers how often something had been asked by then.
#[derive(Default)]
struct MemoryLog {
    lines: Mutex<Vec<Relayed>>,
    full: AtomicBool,
}

impl MemoryLog {
    fn outcomes(&self) -> BTreeMap<String, Vec<&'static str>> {
        let mut outcomes: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for line in self.lines.lock().unwrap().iter() {
            outcomes.entry(line.institution.to_string()).or_default().push(line.outcome);
        }
        outcomes
    }
}

impl RelayLog for MemoryLog {
    fn log(&self, lines: Vec<Relayed>) -> Pending<'_, Result<(), NotLogged>> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) {
                return Err(NotLogged::NoSpace);
            }
            self.lines.lock().unwrap().extend(lines);
            Ok(())
        })
    }
}

/// A city hall with a gateway, a responder of its own, and two institutions.
struct City {
    council: Council,
    plan: Plan,
    plans: Vec<Plan>,
    node: Node,
    gateway: Gateway,
    registry: Arc<FakeRegistry>,
    log: Arc<MemoryLog>,
    own: Arc<FakeResponder>,
    members: BTreeMap<&'static str, (Node, Arc<FakeResponder>)>,
}

async fn city() -> City {
    city_with(&["clinic", "school"], 1000).await
}

async fn city_with(names: &[&'static str], age: u64) -> City {
    let mut council = Council::new();
    let plan = Plan::new("city", GATEWAY);
    let plans: Vec<Plan> = names.iter().map(|name| Plan::new(name, RESPONDER)).collect();
    let all: Vec<&Plan> = std::iter::once(&plan).chain(&plans).collect();
    publish(&mut council, age, &all);
    let mut members = BTreeMap::new();
    for plan in &plans {
        let fake = FakeResponder::new(Mode::Answer);
        members.insert(plan.name, (Node::responder(plan, &council, &fake).await, fake));
    }
    let node = Node::build(&plan, &council, &council.lists).await;
    let (registry, log) = (Arc::<FakeRegistry>::default(), Arc::<MemoryLog>::default());
    let own = FakeResponder::new(Mode::Answer);
    let gateway = gateway(&node, Attester::Own(registry.clone()), &log, &own);
    node.start(services(&gateway, &own));
    for name in names {
        node.until_up(name).await;
    }
    City { council, plan, plans, node, gateway, registry, log, own, members }
}

fn gateway(node: &Node, attester: Attester, log: &Arc<MemoryLog>, own: &Arc<FakeResponder>) -> Gateway {
    Gateway::new(Foundation {
        env: Env::system(),
        board: node.board.clone(),
        links: node.links.clone(),
        signing: Arc::new(signing_key("city")),
        attester,
        responder: Some(own.clone()),
        log: log.clone(),
        deadline: Duration::from_secs(3),
        grace_millis: 0,
    })
}

fn services(gateway: &Gateway, own: &Arc<FakeResponder>) -> Services {
    Services { guests: Some(Arc::new(gateway.clone())), responder: Some(own.clone()), ..Services::default() }
}

impl City {
    async fn terminal(&self) -> Terminal {
        let terminal = Terminal::dial(self.plan.address, self.plan.identity.key()).await;
        terminal.greet().await;
        terminal
    }

    /// A terminal with a session.
    async fn guardian(&self) -> Terminal {
        let terminal = self.terminal().await;
        let open = self.statement(&terminal, challenge(&terminal).await);
        opened(&terminal, open).await.unwrap();
        terminal
    }

    /// What a card would sign for this link and challenge. (Its signature is for the registry to judge.)
    fn statement(&self, terminal: &Terminal, challenge: [u8; 32]) -> OpenSession {
        let exporter = terminal.link.export_key(EXPORTER_LABEL, &challenge).unwrap();
        self.statement_with(challenge, exporter)
    }

    fn statement_with(&self, challenge: [u8; 32], exporter: [u8; 32]) -> OpenSession {
        let current = self.node.membership.current();
        let now = Timestamp(Env::system().now());
        let statement = SessionStatement {
            version: 1,
            federation: federation(),
            gateway: id("city"),
            epoch: current.list().epoch,
            list_digest: current.digest(),
            challenge,
            exporter,
            session_keys_root: session_keys_root(&[]),
            purpose: Purpose::FamilyRequest,
            reply_key: SealingSecret::generate().public(),
            issued: now,
            not_after: now.plus(limits::SESSION_MILLIS_MAX),
        };
        OpenSession {
            statement: cbor::encode(&statement),
            card_signature: vec![1],
            certificate: vec![2],
            keys: vec![],
        }
    }

    fn fake(&self, name: &str) -> &FakeResponder {
        &self.members[name].1
    }
}

async fn challenge(terminal: &Terminal) -> [u8; 32] {
    match terminal.put(&Request::FetchChallenge(FetchChallenge { epoch: 1 })).await.unwrap() {
        Reply::Challenge(challenge) => challenge.challenge,
        other => panic!("{other:?}"),
    }
}

async fn opened(terminal: &Terminal, open: OpenSession) -> Result<SessionOpened, SessionRefusal> {
    match terminal.put(&Request::OpenSession(open)).await.unwrap() {
        Reply::SessionOpened(opened) => Ok(opened),
        Reply::SessionRefused(refused) => Err(refused.refusal),
        other => panic!("{other:?}"),
    }
}

fn view(deadline_millis: u64, names: &[&str]) -> Request {
    Request::View(View { deadline_millis, parts: names.iter().map(|name| part(name)).collect() })
}

/// A whole view: outcome by institution (`Data` stands for a forwarded answer), in order of arrival.
async fn shown(terminal: &Terminal, request: &Request) -> Vec<(String, Outcome)> {
    let mut replies = terminal.raw(&cbor::encode(request)).await.unwrap();
    let end = replies.pop().unwrap();
    assert_eq!(end, Reply::ViewEnd(ViewEnd { parts: replies.len() as u64 }));
    replies.into_iter().map(outcome).collect()
}

fn outcome(reply: Reply) -> (String, Outcome) {
    match reply {
        Reply::PartAnswered(answered) => {
            assert_eq!(answered.answer, sealed_answer(16 * 1024 + 16), "forwarded as it came");
            (answered.audience.to_string(), Outcome::Data)
        }
        Reply::PartObserved(observed) => {
            let observation: Observation =
                observed.observation.verify(&signing_key("city").verifying_key()).unwrap();
            assert_eq!(observation.gateway, id("city"));
            let name = observation.audience.to_string();
            let asked = part(name.strip_prefix("maebashi/").unwrap());
            assert_eq!(observation.part, asked.digest());
            (name, observation.outcome)
        }
        other => panic!("{other:?}"),
    }
}

fn by_name(shown: Vec<(String, Outcome)>) -> BTreeMap<String, Outcome> {
    shown.into_iter().collect()
}

fn refusal(reply: Reply) -> Refusal {
    match reply {
        Reply::ViewRefused(refused) => refused.refusal,
        other => panic!("{other:?}"),
    }
}

fn named(pairs: &[(&str, Outcome)]) -> BTreeMap<String, Outcome> {
    pairs.iter().map(|(name, outcome)| (format!("maebashi/{name}"), *outcome)).collect()
}

#[tokio::test]
async fn every_institution_answers_and_the_relay_is_logged() {
    let city = city().await;
    let guardian = city.guardian().await;
    let shown = by_name(shown(&guardian, &view(0, &["city", "clinic", "school"])).await);
    let data = Outcome::Data;
    assert_eq!(shown, named(&[("city", data), ("clinic", data), ("school", data)]));
    assert_eq!(city.own.asked.load(Ordering::SeqCst), 1, "its own responder, without a network");
    for outcomes in city.log.outcomes().values() {
        assert_eq!(outcomes, &["asked", "answered"]);
    }
    for line in city.log.lines.lock().unwrap().iter() {
        let name = line.institution.as_str().strip_prefix("maebashi/").unwrap();
        assert_eq!(line.part, part(name).digest());
        let bytes = line.answer.map(|(_, bytes)| bytes);
        assert_eq!(bytes, (line.outcome == "answered").then_some(16 * 1024 + 16));
    }
}

#[tokio::test]
async fn dead_hung_slow_and_declining_institutions_do_not_disturb_the_others() {
    let names = ["clinic", "school", "hung", "slow", "late", "dead", "busy", "odd"];
    let mut city = city_with(&names, 1000).await;
    let guardian = city.guardian().await;
    city.fake("hung").set(Mode::Hang);
    city.fake("slow").set(Mode::Slow(Duration::from_millis(300)));
    city.fake("late").set(Mode::Slow(Duration::from_secs(60)));
    city.fake("busy").set(Mode::Decline(Refusal::Busy));
    city.fake("odd").set(Mode::WrongSize);
    let (dead, _) = city.members.remove("dead").unwrap();
    dead.end().await;
    until("dead is noticed", || !city.node.links.up(&id("dead"))).await;
    let all: Vec<&str> = names.iter().copied().chain(["stranger"]).collect();
    let start = Instant::now();
    let shown = shown(&guardian, &view(1500, &all)).await;
    let took = start.elapsed();
    assert!((Duration::from_millis(1500)..Duration::from_millis(4000)).contains(&took), "{took:?}");
    // Those who are silent to the end come last; everything else came before.
    let last: Vec<&str> = shown.iter().rev().take(2).map(|(name, _)| name.as_str()).collect();
    assert!(last.contains(&"maebashi/hung") && last.contains(&"maebashi/late"), "{shown:?}");
    let expected = named(&[
        ("clinic", Outcome::Data),
        ("school", Outcome::Data),
        ("slow", Outcome::Data),
        ("hung", Outcome::TimedOut),
        ("late", Outcome::TimedOut),
        ("dead", Outcome::Unreachable),
        ("busy", Outcome::Busy),
        ("odd", Outcome::InvalidAnswer),
        ("stranger", Outcome::NotAsked),
    ]);
    assert_eq!(by_name(shown), expected);
    until("cancelled", || city.fake("hung").cancelled.load(Ordering::SeqCst) == 1).await;
    assert_eq!(city.log.outcomes()["maebashi/dead"], ["asked", "unreachable"]);
    assert_eq!(city.log.outcomes()["maebashi/hung"], ["asked", "timed_out"]);
}

#[tokio::test]
async fn parts_are_forwarded_the_moment_they_arrive() {
    let city = city().await;
    let guardian = city.guardian().await;
    city.fake("school").set(Mode::Hang);
    let mut exchange = guardian.link.open().await.unwrap();
    exchange.send(&cbor::encode(&view(20_000, &["clinic", "school"]))).await.unwrap();
    let start = Instant::now();
    let first = within(exchange.recv(limits::FRAME_BYTES_MAX)).await.unwrap().unwrap();
    assert_eq!(outcome(cbor::decode(&first).unwrap()), ("maebashi/clinic".to_owned(), Outcome::Data));
    assert!(start.elapsed() < Duration::from_secs(10));
    // The terminal goes away: the question that is still open is cancelled, and accounted for.
    drop(exchange);
    until("cancelled", || city.fake("school").cancelled.load(Ordering::SeqCst) == 1).await;
    until("settled", || city.log.outcomes()["maebashi/school"] == ["asked", "cancelled"]).await;
}

#[tokio::test]
async fn a_terminal_that_is_cut_off_cancels_everything() {
    let city = city().await;
    let guardian = city.guardian().await;
    city.fake("school").set(Mode::Hang);
    let mut exchange = guardian.link.open().await.unwrap();
    exchange.send(&cbor::encode(&view(20_000, &["school"]))).await.unwrap();
    until("asked", || city.fake("school").asked.load(Ordering::SeqCst) == 1).await;
    assert_eq!(city.gateway.sessions(), 1);
    guardian.link.close(Code::DONE, "");
    until("cancelled", || city.fake("school").cancelled.load(Ordering::SeqCst) == 1).await;
    until("the session is gone", || city.gateway.sessions() == 0).await;
    until("settled", || city.log.outcomes()["maebashi/school"] == ["asked", "cancelled"]).await;
}

#[tokio::test]
async fn taking_the_card_away_ends_the_session_and_its_views() {
    let city = city().await;
    let guardian = city.guardian().await;
    city.fake("school").set(Mode::Hang);
    let mut exchange = guardian.link.open().await.unwrap();
    exchange.send(&cbor::encode(&view(20_000, &["school"]))).await.unwrap();
    until("asked", || city.fake("school").asked.load(Ordering::SeqCst) == 1).await;
    let closed = guardian.put(&Request::CloseSession(CloseSession { version: 1 })).await.unwrap();
    assert!(matches!(closed, Reply::SessionClosed(_)));
    assert!(within(exchange.recv(limits::FRAME_BYTES_MAX)).await.is_err());
    until("cancelled", || city.fake("school").cancelled.load(Ordering::SeqCst) == 1).await;
    let refused = guardian.put(&view(0, &["clinic"])).await.unwrap();
    assert_eq!(refusal(refused), Refusal::Unauthorized);
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_relayed() {
    let city = city().await;
    let guardian = city.guardian().await;
    city.log.full.store(true, Ordering::SeqCst);
    let refused = guardian.put(&view(0, &["clinic", "school"])).await.unwrap();
    assert_eq!(refusal(refused), Refusal::NotLogged);
    assert_eq!(city.fake("clinic").asked.load(Ordering::SeqCst), 0);
    city.log.full.store(false, Ordering::SeqCst);
    assert_eq!(shown(&guardian, &view(0, &["clinic"])).await.len(), 1, "it recovers by itself");
}

#[tokio::test]
async fn views_without_a_session_or_without_sense_are_refused() {
    let city = city().await;
    let terminal = city.terminal().await;
    assert_eq!(refusal(terminal.put(&view(0, &["clinic"])).await.unwrap()), Refusal::Unauthorized);
    let guardian = city.guardian().await;
    assert_eq!(refusal(guardian.put(&view(0, &["clinic", "clinic"])).await.unwrap()), Refusal::Malformed);
    let mut short: Part = part("clinic");
    short.sealed.ciphertext.pop();
    let short = Request::View(View { deadline_millis: 0, parts: vec![short] });
    assert_eq!(refusal(guardian.put(&short).await.unwrap()), Refusal::Malformed);
    assert_eq!(shown(&guardian, &view(0, &[])).await, vec![]);
    assert_eq!(city.fake("clinic").asked.load(Ordering::SeqCst), 0);
    let all = u32::try_from(limits::VIEWS_AT_ONCE_MAX).unwrap();
    let _full = city.gateway.0.views.try_acquire_many(all).unwrap();
    assert_eq!(refusal(guardian.put(&view(0, &["clinic"])).await.unwrap()), Refusal::Busy);
}

#[tokio::test]
async fn a_session_ends_in_time_and_is_renewed() {
    let city = city().await;
    *city.registry.lifetime.lock().unwrap() = Some(400);
    let guardian = city.guardian().await;
    // The hung institution is waited for only as long as the session lasts.
    city.fake("school").set(Mode::Hang);
    let start = Instant::now();
    let cut = shown(&guardian, &view(20_000, &["school"])).await;
    assert_eq!(by_name(cut), named(&[("school", Outcome::TimedOut)]));
    assert!(start.elapsed() < Duration::from_secs(5));
    until("over", || Env::system().now() > 0 && start.elapsed() > Duration::from_millis(450)).await;
    assert_eq!(refusal(guardian.put(&view(0, &["clinic"])).await.unwrap()), Refusal::Expired);
    *city.registry.lifetime.lock().unwrap() = None;
    let open = city.statement(&guardian, challenge(&guardian).await);
    opened(&guardian, open).await.unwrap();
    assert_eq!(shown(&guardian, &view(0, &["clinic"])).await.len(), 1);
    assert_eq!(city.gateway.sessions(), 1);
}

#[tokio::test]
async fn a_session_is_bound_to_its_link_and_its_challenge() {
    let city = city().await;
    let (terminal, other) = (city.terminal().await, city.terminal().await);
    let challenged = challenge(&terminal).await;
    let open = city.statement(&terminal, challenged);
    // Carried to another link it is worth nothing.
    assert_eq!(opened(&other, open.clone()).await, Err(SessionRefusal::Challenge));
    let at_other = city.statement_with(challenge(&other).await, [7; 32]);
    assert_eq!(opened(&other, at_other).await, Err(SessionRefusal::WrongBinding));
    opened(&terminal, open.clone()).await.unwrap();
    // Used once, on its own link too.
    assert_eq!(opened(&terminal, open).await, Err(SessionRefusal::Challenge));
    let never = city.statement(&terminal, [9; 32]);
    assert_eq!(opened(&terminal, never).await, Err(SessionRefusal::Challenge));
    // A challenge is used up by a refusal.
    let challenged = challenge(&terminal).await;
    let open = city.statement(&terminal, challenged);
    *city.registry.refusal.lock().unwrap() = Some(SessionRefusal::CardSignature);
    assert_eq!(opened(&terminal, open.clone()).await, Err(SessionRefusal::CardSignature));
    *city.registry.refusal.lock().unwrap() = None;
    assert_eq!(opened(&terminal, open).await, Err(SessionRefusal::Challenge));
    let garbage =
        OpenSession { statement: vec![0], card_signature: vec![], certificate: vec![], keys: vec![] };
    assert_eq!(opened(&terminal, garbage).await, Err(SessionRefusal::Malformed));
    assert_eq!(city.registry.attested.load(Ordering::SeqCst), 2);
    // The session of one link opens no view on another.
    assert_eq!(refusal(other.put(&view(0, &["clinic"])).await.unwrap()), Refusal::Unauthorized);
}

#[tokio::test]
async fn an_expired_trust_list_opens_no_session() {
    let city = city_with(&[], 31 * DAY).await;
    let terminal = city.terminal().await;
    let open = city.statement(&terminal, challenge(&terminal).await);
    assert_eq!(opened(&terminal, open).await, Err(SessionRefusal::MembershipExpired));
}

#[tokio::test]
async fn a_removed_institution_is_no_longer_asked() {
    let mut city = city().await;
    let guardian = city.guardian().await;
    let stays: Vec<&Plan> = [&city.plan, &city.plans[0]].into();
    let next = publish(&mut city.council, 10, &stays);
    city.node.membership.offer(&[next]).await.unwrap();
    let shown = by_name(shown(&guardian, &view(0, &["clinic", "school"])).await);
    assert_eq!(shown, named(&[("clinic", Outcome::Data), ("school", Outcome::NotAsked)]));
    assert_eq!(city.fake("school").asked.load(Ordering::SeqCst), 0);
}

/// The registry is another member: it binds the statement again, and only a gateway may bring one.
#[tokio::test]
async fn the_registry_of_another_member_attests_over_its_link() {
    let mut council = Council::new();
    let (plan, registry_plan) = (Plan::new("city", GATEWAY), Plan::new("office", REGISTRY));
    publish(&mut council, 1000, &[&plan, &registry_plan]);
    let registry = Arc::<FakeRegistry>::default();
    let office = Node::build(&registry_plan, &council, &council.lists).await;
    office.start(Services { registry: Some(registry.clone()), ..Services::default() });
    let node = Node::build(&plan, &council, &council.lists).await;
    let (log, own) = (Arc::<MemoryLog>::default(), FakeResponder::new(Mode::Answer));
    let gateway = gateway(&node, Attester::Member(id("office")), &log, &own);
    node.start(services(&gateway, &own));
    node.until_up("office").await;
    let members = BTreeMap::new();
    let city = City { council, plan, plans: vec![], node, gateway, registry, log, own, members };
    let guardian = city.guardian().await;
    assert_eq!(city.registry.attested.load(Ordering::SeqCst), 1);
    assert_eq!(shown(&guardian, &view(0, &["city"])).await.len(), 1);
    // A careless gateway would be found out: the registry compares for itself.
    let open = city.statement_with([3; 32], [4; 32]);
    let attest =
        hibiki_protocol::frames::Attest { gateway: id("city"), open, challenge: [3; 32], exporter: [5; 32] };
    let refused = within(city.node.links.attest(&id("office"), attest, Duration::from_secs(10))).await;
    assert_eq!(refused.err(), Some(crate::links::AttestFailure::Refused(SessionRefusal::WrongBinding)));
    // Without the registry there is no session, and it is said why.
    office.end().await;
    until("noticed", || !city.node.links.up(&id("office"))).await;
    let open = city.statement(&guardian, challenge(&guardian).await);
    assert_eq!(opened(&guardian, open).await, Err(SessionRefusal::RegistryUnreachable));
}
