#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hibiki_protocol::frames::{
    CloseSession, FetchChallenge, FetchFreshness, FetchTrustLists, Hello, Reply, Request, View,
};
use hibiki_protocol::hold::SealedHoldNotice;
use hibiki_protocol::ids::FederationId;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::sealing::{Sealed, SealingKeyId, Suite};
use hibiki_protocol::trust::Role;
use hibiki_transport::{Code, Exchange, Limits, Link};

use super::fixtures::{FakeResponder, Mode, Node, Plan, Terminal, part, publish, reset_code, until, within};
use super::{Failure, Guests, Services, code};
use crate::membership::fixtures::{Council, id};
use crate::observe::board::{Direction, LinkState};
use crate::services::Pending;

const CITY: &[Role] = &[Role::Gateway, Role::Registry, Role::Responder];
const RESPONDER: &[Role] = &[Role::Responder];
const LONG: Duration = Duration::from_secs(10);

/// A gateway's front that does nothing: here only the door is tested.
struct NoGuests;

impl Guests for NoGuests {
    fn serve(&self, _request: Request, exchange: Exchange) -> Pending<'_, ()> {
        exchange.reset(Code::BUSY);
        Box::pin(async {})
    }
    fn has_session(&self, _link: &Link) -> bool {
        false
    }
    fn left(&self, _link: &Link) {}
}

fn city_services() -> Services {
    Services {
        guests: Some(Arc::new(NoGuests)),
        responder: Some(FakeResponder::new(Mode::Answer)),
        ..Services::default()
    }
}

/// A city hall that dials one clinic.
struct Pair {
    council: Council,
    city_plan: Plan,
    clinic_plan: Plan,
    city: Node,
    clinic: Node,
    fake: Arc<FakeResponder>,
}

async fn pair() -> Pair {
    let mut council = Council::new();
    let (city_plan, clinic_plan) = (Plan::new("city", CITY), Plan::new("clinic", RESPONDER));
    publish(&mut council, 1000, &[&city_plan, &clinic_plan]);
    let fake = FakeResponder::new(Mode::Answer);
    let clinic = Node::responder(&clinic_plan, &council, &fake).await;
    let city = Node::build(&city_plan, &council, &council.lists).await;
    city.start(city_services());
    city.until_up("clinic").await;
    Pair { council, city_plan, clinic_plan, city, clinic, fake }
}

#[tokio::test]
async fn a_part_is_asked_over_the_warm_link() {
    let pair = pair().await;
    let answer = within(pair.city.links.ask(&id("clinic"), &part("clinic"), LONG)).await.unwrap();
    assert_eq!(answer.0.ciphertext.len(), 16 * 1024 + 16);
    let asked = pair.fake.last.lock().unwrap().clone().unwrap();
    assert_eq!((asked.hops, asked.part), (1, part("clinic")));
    assert!((1..=10_000).contains(&asked.remaining_millis), "{}", asked.remaining_millis);
    let line = pair.city.board.snapshot(0).links["maebashi/clinic"].clone();
    assert_eq!(line.state, LinkState::Up);
    // The clinic sees the same link as up, and a member that nobody knows is unreachable.
    pair.clinic.until_up("city").await;
    let nobody = pair.city.links.ask(&id("nobody"), &part("nobody"), LONG).await;
    assert_eq!(nobody, Err(Failure::Unreachable));
}

#[tokio::test]
async fn a_link_beside_one_of_a_process_that_died_counts_from_its_own_beginning() {
    let pair = pair().await;
    let since = || pair.city.board.snapshot(0).links["maebashi/clinic"].since;
    let table = &pair.city.links.0.table;
    let (before, known) = (since(), table.up(&id("clinic")).unwrap());
    until("the next millisecond", || pair.city.links.0.env.now() > before).await;
    table.enter(&id("clinic"), &known.link, Direction::In);
    assert!(since() > before, "it was said to be up all the time");
}

#[tokio::test]
async fn a_member_behind_a_firewall_is_asked_over_the_link_it_made() {
    let mut council = Council::new();
    let (city_plan, school_plan) =
        (Plan::new("city", CITY), Plan::new("school", RESPONDER).behind_firewall());
    publish(&mut council, 1000, &[&city_plan, &school_plan]);
    let city = Node::build(&city_plan, &council, &council.lists).await;
    city.start(city_services());
    until("awaited", || city.board.snapshot(0).links.contains_key("maebashi/school")).await;
    let fake = FakeResponder::new(Mode::Answer);
    let road = super::road_limits();
    let school = Node::build_with(&school_plan, &council, &council.lists, road, &[id("city")]).await;
    school.start(Services { responder: Some(fake), ..Services::default() });
    city.until_up("school").await;
    within(city.links.ask(&id("school"), &part("school"), LONG)).await.unwrap();
}

#[tokio::test]
async fn a_stale_token_is_fetched_again_once() {
    let pair = pair().await;
    within(pair.city.links.ask(&id("clinic"), &part("clinic"), LONG)).await.unwrap();
    // As after a restart that nobody noticed: the token in hand no longer opens.
    let issued = pair.fake.issued.fetch_add(5, Ordering::SeqCst) + 5;
    within(pair.city.links.ask(&id("clinic"), &part("clinic"), LONG)).await.unwrap();
    assert_eq!(pair.fake.issued.load(Ordering::SeqCst), issued + 1);
    pair.fake.set(Mode::Decline(Refusal::Stale));
    let refused = within(pair.city.links.ask(&id("clinic"), &part("clinic"), LONG)).await;
    let stale = Failure::Declined { refusal: Refusal::Stale, retry_after_millis: Some(77) };
    assert_eq!(refused, Err(stale));
    assert_eq!(pair.fake.issued.load(Ordering::SeqCst), issued + 2, "once, not for ever");
}

#[tokio::test]
async fn hung_slow_and_declining_members_are_told_apart() {
    let pair = pair().await;
    let ask = |millis| {
        let links = pair.city.links.clone();
        async move { within(links.ask(&id("clinic"), &part("clinic"), Duration::from_millis(millis))).await }
    };
    pair.fake.set(Mode::Hang);
    assert_eq!(ask(100).await, Err(Failure::TimedOut));
    until("the work is cancelled", || pair.fake.cancelled.load(Ordering::SeqCst) == 1).await;
    pair.fake.set(Mode::Slow(Duration::from_millis(50)));
    assert!(ask(5000).await.is_ok());
    // What an answer must look like is not for links to judge.
    pair.fake.set(Mode::WrongSize);
    assert_eq!(ask(5000).await.unwrap().0.ciphertext.len(), 1000);
    pair.fake.set(Mode::Decline(Refusal::Busy));
    let busy = Failure::Declined { refusal: Refusal::Busy, retry_after_millis: Some(77) };
    assert_eq!(ask(5000).await, Err(busy));
}

#[tokio::test]
async fn a_dropped_question_is_cancelled_at_the_other_side() {
    let pair = pair().await;
    pair.fake.set(Mode::Hang);
    let links = pair.city.links.clone();
    let asking = tokio::spawn(async move { links.ask(&id("clinic"), &part("clinic"), LONG).await });
    until("asked", || pair.fake.asked.load(Ordering::SeqCst) == 1).await;
    asking.abort();
    until("cancelled", || pair.fake.cancelled.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_dead_member_is_unreachable_at_once_and_is_dialled_until_it_is_back() {
    let pair = pair().await;
    pair.fake.set(Mode::Hang);
    let links = pair.city.links.clone();
    let asking = tokio::spawn(async move { links.ask(&id("clinic"), &part("clinic"), LONG).await });
    until("asked", || pair.fake.asked.load(Ordering::SeqCst) == 1).await;
    let start = tokio::time::Instant::now();
    pair.clinic.end().await;
    assert_eq!(within(asking).await.unwrap(), Err(Failure::Unreachable));
    assert!(start.elapsed() < Duration::from_secs(5), "it did not wait for the deadline");
    until("down", || !pair.city.links.up(&id("clinic"))).await;
    let ask = pair.city.links.ask(&id("clinic"), &part("clinic"), LONG).await;
    assert_eq!(ask, Err(Failure::Unreachable));
    let fake = FakeResponder::new(Mode::Answer);
    let _clinic = Node::responder(&pair.clinic_plan, &pair.council, &fake).await;
    pair.city.until_up("clinic").await;
    within(pair.city.links.ask(&id("clinic"), &part("clinic"), LONG)).await.unwrap();
}

/// A clinic on a runtime of its own, which can be killed: nothing is sent then, as with kill -9.
struct Doomed {
    runtime: tokio::runtime::Runtime,
    clinic: Node,
    fake: Arc<FakeResponder>,
}

impl Doomed {
    fn kill(self) {
        self.runtime.shutdown_timeout(LONG);
        // With its runtime gone, nobody is left who could send a farewell.
        drop(self.clinic);
    }
}

fn doomed(idle: Duration) -> (tokio::runtime::Runtime, Council, Plan, Node, Doomed) {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (world, runtime) = (runtime(), runtime());
    let mut council = Council::new();
    let (city_plan, clinic_plan) = (Plan::new("city", CITY), Plan::new("clinic", RESPONDER));
    publish(&mut council, 1000, &[&city_plan, &clinic_plan]);
    let fake = FakeResponder::new(Mode::Answer);
    let clinic = runtime.block_on(Node::responder(&clinic_plan, &council, &fake));
    let road = Limits { idle, keep_alive: idle / 3, ..super::road_limits() };
    let city = world.block_on(async {
        let city = Node::build_with(&city_plan, &council, &council.lists, road, &[]).await;
        city.start(city_services());
        city.until_up("clinic").await;
        city
    });
    (world, council, clinic_plan, city, Doomed { runtime, clinic, fake })
}

#[test]
fn a_killed_member_is_unreachable_within_the_deadline_and_back_soon() {
    let (world, council, clinic_plan, city, doomed) = doomed(Duration::from_secs(30));
    doomed.fake.set(Mode::Hang);
    let links = city.links.clone();
    let asking = world.spawn(async move { links.ask(&id("clinic"), &part("clinic"), LONG).await });
    world.block_on(until("asked", || doomed.fake.asked.load(Ordering::SeqCst) == 1));
    doomed.kill();
    world.block_on(async {
        // Asked before the kill, and doubted again: the guardian does not wait for the deadline.
        let start = tokio::time::Instant::now();
        assert_eq!(within(asking).await.unwrap(), Err(Failure::Unreachable));
        let dead = within(city.links.ask(&id("clinic"), &part("clinic"), LONG)).await;
        assert_eq!(dead, Err(Failure::Unreachable));
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        let reason = || city.board.snapshot(0).links["maebashi/clinic"].reason.clone();
        until("said why", || reason().is_some_and(|reason| reason.contains("nobody receives"))).await;
        let fake = FakeResponder::new(Mode::Answer);
        let _clinic = Node::responder(&clinic_plan, &council, &fake).await;
        city.until_up("clinic").await;
        within(city.links.ask(&id("clinic"), &part("clinic"), LONG)).await.unwrap();
    });
}

/// Hung, but there: its port is open, so that silence is told from absence.
#[tokio::test]
async fn a_member_that_is_there_and_silent_is_timed_out() {
    let pair = pair().await;
    pair.fake.set(Mode::Hang);
    let soon = Duration::from_millis(700);
    let silent = within(pair.city.links.ask(&id("clinic"), &part("clinic"), soon)).await;
    assert_eq!(silent, Err(Failure::TimedOut));
    assert!(pair.city.links.up(&id("clinic")));
}

/// Its machine lost power: nobody says anything, until the link itself gives up.
#[test]
fn a_member_whose_machine_is_gone_is_noticed_by_its_silence() {
    let (world, _council, clinic_plan, city, doomed) = doomed(Duration::from_millis(1500));
    doomed.kill();
    // Something that never answers holds the port: no host says that it is closed.
    let _black_hole = std::net::UdpSocket::bind(clinic_plan.address).unwrap();
    world.block_on(async {
        let soon = Duration::from_millis(400);
        let cut = within(city.links.ask(&id("clinic"), &part("clinic"), soon)).await;
        assert_eq!(cut, Err(Failure::TimedOut));
        until("down", || !city.links.up(&id("clinic"))).await;
        let gone = within(city.links.ask(&id("clinic"), &part("clinic"), LONG)).await;
        assert_eq!(gone, Err(Failure::Unreachable));
    });
}

#[tokio::test]
async fn a_member_that_is_removed_is_disconnected_and_refused() {
    let mut pair = pair().await;
    pair.clinic.until_up("city").await;
    let next = publish(&mut pair.council, 10, &[&pair.city_plan]);
    let start = tokio::time::Instant::now();
    pair.city.membership.offer(&[next]).await.unwrap();
    until("disconnected", || pair.city.endpoint.peers().is_empty()).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(!pair.city.links.up(&id("clinic")));
    assert!(!pair.city.board.snapshot(0).links.contains_key("maebashi/clinic"));
    // Its key is nobody's now: at a gateway it is a guest, and a guest may not ask what members may.
    let thief =
        Terminal::dial_as(&pair.clinic_plan.identity, pair.city_plan.address, pair.city_plan.identity.key())
            .await;
    thief.greet().await;
    let freshness = Request::FetchFreshness(FetchFreshness { version: 1 });
    assert_eq!(reset_code(thief.put(&freshness).await), code::NOT_PERMITTED);
}

#[tokio::test]
async fn newer_lists_travel_to_whoever_is_behind() {
    let mut council = Council::new();
    let (city_plan, clinic_plan, school_plan) =
        (Plan::new("city", CITY), Plan::new("clinic", RESPONDER), Plan::new("school", RESPONDER));
    let all = [&city_plan, &clinic_plan, &school_plan];
    for age in (1..=20).rev() {
        publish(&mut council, age * 1000, &all);
    }
    // The city has everything; the clinic starts nineteen lists behind.
    let fake = FakeResponder::new(Mode::Answer);
    let clinic = Node::build(&clinic_plan, &council, &council.lists[..1]).await;
    clinic.start(Services { responder: Some(fake.clone()), ..Services::default() });
    let city = Node::build(&city_plan, &council, &council.lists).await;
    city.start(city_services());
    until("caught up", || clinic.membership.current().list().epoch == 20).await;
    city.until_up("clinic").await;
    // A list installed at the clinic travels to the city over the link that is up.
    let next = publish(&mut council, 10, &all);
    clinic.until_up("city").await;
    clinic.membership.offer(&[next]).await.unwrap();
    until("heard of it", || city.membership.current().list().epoch == 21).await;
    // An older list changes nothing.
    let old = city.membership.offer(&council.lists[3..4]).await.unwrap();
    assert!(old.installed.is_empty());
}

#[tokio::test]
async fn two_lists_of_one_epoch_at_two_members_are_found_out() {
    let mut council = Council::new();
    let (city_plan, clinic_plan) = (Plan::new("city", CITY), Plan::new("clinic", RESPONDER));
    let (draft, _) = council.draft(1000, vec![city_plan.member(), clinic_plan.member()]);
    publish(&mut council, 1000, &[&city_plan, &clinic_plan]);
    let fake = FakeResponder::new(Mode::Answer);
    let clinic = Node::build(&clinic_plan, &council, &[draft]).await;
    clinic.start(Services { responder: Some(fake), ..Services::default() });
    let city = Node::build(&city_plan, &council, &council.lists).await;
    city.start(city_services());
    until("alarm", || city.problem("trust-list-fork").is_some()).await;
    let kept = std::fs::read_dir(city.evidence.path().join("evidence")).unwrap().count();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn whoever_asks_what_is_not_theirs_is_reset() {
    let pair = pair().await;
    let guest = Terminal::dial(pair.city_plan.address, pair.city_plan.identity.key()).await;
    let challenge = Request::FetchChallenge(FetchChallenge { epoch: 1 });
    assert_eq!(reset_code(guest.put(&challenge).await), code::NOT_GREETED);
    assert_eq!(guest.greet().await.member, id("city"));
    let fetch = Request::FetchTrustLists(FetchTrustLists { after: 0 });
    assert!(matches!(guest.put(&fetch).await, Ok(Reply::TrustLists(lists)) if lists.lists.len() == 1));
    let freshness = Request::FetchFreshness(FetchFreshness { version: 1 });
    assert_eq!(reset_code(guest.put(&freshness).await), code::NOT_PERMITTED);
    assert_eq!(reset_code(guest.raw(b"nonsense").await), code::MALFORMED);
    assert_eq!(reset_code(guest.raw(&vec![0; 1024 * 1024 + 1]).await), Code::TOO_LONG);
    // A clinic is no gateway: it may not ask the city's responder, nor open views.
    pair.clinic.until_up("city").await;
    let asked = within(pair.clinic.links.ask(&id("city"), &part("city"), LONG)).await;
    assert_eq!(asked, Err(Failure::Invalid));
    let as_clinic =
        Terminal::dial_as(&pair.clinic_plan.identity, pair.city_plan.address, pair.city_plan.identity.key())
            .await;
    as_clinic.greet().await;
    for request in [
        Request::View(View { deadline_millis: 1, parts: vec![] }),
        Request::CloseSession(CloseSession { version: 1 }),
        challenge,
    ] {
        assert_eq!(reset_code(as_clinic.put(&request).await), code::NOT_PERMITTED);
    }
    // A clinic has no door for terminals at all.
    let refused = Terminal::dial(pair.clinic_plan.address, pair.clinic_plan.identity.key()).await;
    within(refused.link.closed()).await;
}

#[tokio::test]
async fn a_first_frame_that_does_not_come_is_not_waited_for() {
    let pair = pair().await;
    let guest = Terminal::dial(pair.city_plan.address, pair.city_plan.identity.key()).await;
    let mut exchange = guest.link.open().await.unwrap();
    // The head of a frame of 10 bytes, and then nothing.
    exchange.send(b"").await.unwrap();
    assert_eq!(reset_code(within(exchange.recv(10)).await), code::MALFORMED);
    let mut exchange = guest.link.open().await.unwrap();
    let partly = tokio::time::timeout(Duration::from_secs(1), exchange.send(&vec![0; 3 << 20])).await;
    drop(partly);
    assert_eq!(reset_code(within(exchange.recv(10)).await), Code::TOO_LONG);
}

#[tokio::test]
async fn another_version_and_another_federation_do_not_come_up() {
    let pair = pair().await;
    let guest = Terminal::dial(pair.city_plan.address, pair.city_plan.identity.key()).await;
    let hello = |min, max, federation: &str| {
        Request::Hello(Hello {
            version_min: min,
            version_max: max,
            federation: FederationId::new(federation).unwrap(),
            epoch: 0,
        })
    };
    for hello in [hello(2, 9, "maebashi"), hello(0, 0, "maebashi"), hello(1, 1, "takasaki")] {
        assert_eq!(reset_code(guest.put(&hello).await), code::VERSION);
    }
    assert!(
        matches!(guest.put(&hello(1, 9, "maebashi")).await, Ok(Reply::Welcome(welcome)) if welcome.version == 1)
    );
}

#[tokio::test]
async fn holds_are_delivered_and_receipts_come_back() {
    let pair = pair().await;
    let notice = SealedHoldNotice {
        audience: id("clinic"),
        key_id: SealingKeyId([1; 8]),
        sealed: Sealed { suite: Suite::X25519ChaCha20, encapsulated: [0; 32], ciphertext: vec![1; 4112] },
    };
    let receipt = within(pair.city.links.deliver_hold(&id("clinic"), notice.clone(), LONG)).await.unwrap();
    assert_eq!(receipt.claimed().unwrap().institution, id("clinic"));
    // A clinic is no registry.
    pair.clinic.until_up("city").await;
    let refused = within(pair.clinic.links.deliver_hold(&id("city"), notice, LONG)).await;
    assert_eq!(refused, Err(Failure::Invalid));
}

#[tokio::test]
async fn a_lost_question_is_put_once_more_on_a_fresh_link() {
    let pair = pair().await;
    pair.fake.set(Mode::Hang);
    let links = pair.city.links.clone();
    let asking = tokio::spawn(async move { links.ask(&id("clinic"), &part("clinic"), LONG).await });
    until("asked", || pair.fake.asked.load(Ordering::SeqCst) == 1).await;
    // A second link of the clinic comes up (it dialled, too); then the first one breaks.
    pair.fake.set(Mode::Answer);
    let second =
        Terminal::dial_as(&pair.clinic_plan.identity, pair.city_plan.address, pair.city_plan.identity.key())
            .await;
    second.greet().await;
    let serving = super::serve::serve_link(
        pair.clinic.links.clone(),
        Services { responder: Some(pair.fake.clone()), ..Services::default() },
        second.link.clone(),
        Direction::Out,
    );
    tokio::spawn(serving);
    until("two links", || pair.city.links.0.table.has(&id("clinic"), Direction::In)).await;
    let first = pair.clinic.links.0.table.up(&id("city")).unwrap();
    first.link.close(Code::DONE, "test");
    within(asking).await.unwrap().unwrap();
    assert_eq!(pair.fake.asked.load(Ordering::SeqCst), 2);
}
