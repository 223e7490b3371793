//! The card is taken away, or the terminal is killed: the session ends at every institution, and an
//! institution that was down hears of it when it is back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use hibiki_tests::clock::{self, Stopwatch};
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::town::{Card, Settings, Town, staff};

/// A gateway that hears nothing of a killed terminal gives its link up after ten seconds of silence; the
/// rest is for a busy machine.
const NOTICED: Duration = Duration::from_secs(30);
/// Sessions closed to measure.
const ROUNDS: usize = 5;

/// A figure of a node's status about ended sessions.
fn figure(town: &Town, house: House, name: &str) -> u64 {
    let status = town.node(house).status().unwrap();
    status["session_ends"][name].as_u64().unwrap_or_else(|| panic!("{house} does not say {name}: {status}"))
}

fn in_force(town: &Town, houses: &[House]) -> BTreeMap<House, u64> {
    houses.iter().map(|house| (*house, figure(town, *house, "in_force"))).collect()
}

/// Waits until every one of these has ended exactly one session more than before, and how long that took.
fn await_one_more(town: &Town, before: &BTreeMap<House, u64>, houses: &[House]) -> Duration {
    let watch = Stopwatch::start();
    let ended = clock::wait_until(NOTICED, || {
        houses.iter().all(|house| figure(town, *house, "in_force") == before[house] + 1)
    });
    assert!(ended, "before {before:?}, after {:?}", in_force(town, houses));
    watch.elapsed()
}

fn say(text: std::fmt::Arguments<'_>) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
}

#[test]
fn a_session_that_ends_ends_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(17, clock::today());
    staff::register(&town, &people).unwrap();
    let card = town.issue_card(&family.mother).unwrap();

    taking_the_card_away(&town, &card);
    killing_the_terminal(&town, &card);
    an_institution_that_was_down(&mut town, &card);
    stopping_the_gateway(&mut town, &card);
}

/// From the moment the view is printed, right before the terminal closes the session, to the last
/// institution's durable note of it.
fn taking_the_card_away(town: &Town, card: &Card) {
    let mut slowest = Vec::new();
    for _ in 0..ROUNDS {
        let before = in_force(town, &House::ALL);
        let mut begun = town.begin_view(card, 1, &["--deadline-ms", "10000"]).unwrap();
        begun.lines(1).unwrap();
        let shown = clock::now();
        assert!(begun.wait().unwrap().success);
        await_one_more(town, &before, &House::ALL);
        let latest = House::ALL.into_iter().map(|house| figure(town, house, "latest")).max().unwrap();
        slowest.push(latest.saturating_sub(shown.0));
        assert_eq!(figure(town, House::CityHall, "kept"), 0);
    }
    slowest.sort_unstable();
    say(format_args!("from the end to the last of six institutions, in ms: {slowest:?}"));
    assert!(slowest[ROUNDS / 2] < 500, "half a second is the promise: {slowest:?}");
}

/// In the middle of a view that hangs because one institution is frozen.
fn killing_the_terminal(town: &Town, card: &Card) {
    let before = in_force(town, &House::ALL);
    let awake = [House::CityHall, House::HealthCentre, House::Hospital, House::Pharmacy, House::School];
    town.node(House::Clinic).freeze();
    let begun = town.begin_view(card, 1, &["--deadline-ms", "30000"]).unwrap();
    let open = clock::wait_until(NOTICED, || figure(town, House::CityHall, "kept") == 6);
    assert!(open, "the terminal left no ends");
    begun.kill().unwrap();
    let took = await_one_more(town, &before, &awake);
    say(format_args!("the terminal was killed: ended at five institutions after {} ms", took.as_millis()));
    // The frozen one is told as soon as it goes on.
    town.node(House::Clinic).thaw();
    await_one_more(town, &before, &[House::Clinic]);
    let told = clock::wait_until(NOTICED, || figure(town, House::CityHall, "outstanding") == 0);
    assert!(told, "the gateway does not know that everybody was told");
}

/// Stopped before the session ends and started after it: it hears of the end, and a kill -9 afterwards makes
/// it forget nothing.
fn an_institution_that_was_down(town: &mut Town, card: &Card) {
    let before = in_force(town, &House::ALL);
    town.node_mut(House::Hospital).stop().unwrap();
    town.await_links_down(&[House::Hospital]).unwrap();
    assert!(town.view(card, 1, &["--deadline-ms", "10000"]).unwrap().success);
    let others: Vec<House> = House::ALL.into_iter().filter(|house| *house != House::Hospital).collect();
    await_one_more(town, &before, &others);
    assert_eq!(figure(town, House::CityHall, "outstanding"), 1, "the hospital is still to be told");
    town.start(House::Hospital).unwrap();
    let took = await_one_more(town, &before, &[House::Hospital]);
    say(format_args!("the hospital is back: told {} ms after its link was up", took.as_millis()));
    let told = clock::wait_until(NOTICED, || figure(town, House::CityHall, "outstanding") == 0);
    assert!(told, "the gateway does not know that the hospital was told");
    let held = figure(town, House::Hospital, "in_force");
    town.node_mut(House::Hospital).kill();
    town.start(House::Hospital).unwrap();
    assert_eq!(figure(town, House::Hospital, "in_force"), held, "confirmed, and lost to a kill");
}

/// With the gateway its sessions end, and it says so before it goes.
fn stopping_the_gateway(town: &mut Town, card: &Card) {
    let before = in_force(town, &House::ALL);
    let others: Vec<House> = House::OTHERS.into_iter().filter(|house| *house != House::School).collect();
    town.node(House::School).freeze();
    let begun = town.begin_view(card, 1, &["--deadline-ms", "30000"]).unwrap();
    let open = clock::wait_until(NOTICED, || figure(town, House::CityHall, "kept") == 6);
    assert!(open, "the terminal left no ends");
    town.node_mut(House::CityHall).stop().unwrap();
    assert_eq!(in_force(town, &others), others.iter().map(|house| (*house, before[house] + 1)).collect());
    town.node(House::School).thaw();
    begun.kill().unwrap();
}
