//! `kill -9` in the middle of imports and of queries: what was acknowledged is there afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use hibiki_tests::chance::Chance;
use hibiki_tests::clock;
use hibiki_tests::family::{self, Family};
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::tiles;
use hibiki_tests::town::{Card, Settings, Town, staff};
use hibiki_tests::view::{Receipt, View};

/// Kills in all, unless `HIBIKI_KILLS` says otherwise.
const KILLS: usize = 50;
/// Records of one import: enough that several batches are under way. Every round sends the same ones with new
/// content, so that any number of rounds fits into one answer.
const RECORDS: usize = 1500;

struct Scene {
    town: Town,
    people: Population,
    family: Family,
    card: Card,
    number: usize,
    chance: Chance,
    /// The round whose content of each record the hospital is known to hold; 0 before the first.
    held: Vec<usize>,
    /// Promises the hospital made.
    receipts: Vec<Receipt>,
}

fn kills() -> usize {
    std::env::var("HIBIKI_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

#[test]
fn nothing_acknowledged_is_lost_to_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(14, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    let wanted = people.resident(&family.third_grader).unwrap().name.clone();
    let number = 1 + town.login(&card).unwrap().iter().position(|subject| subject.name == wanted).unwrap();
    let mut scene = Scene {
        town,
        people,
        family,
        card,
        number,
        chance: Chance::new(50),
        held: vec![0; RECORDS],
        receipts: Vec::new(),
    };
    let (mut cut_imports, mut half_acknowledged, mut cut_queries) = (0, 0, 0);
    for kill in 1..=kills() {
        if kill % 2 == 1 {
            let acknowledged = scene.kill_during_import(kill);
            cut_imports += usize::from(acknowledged < RECORDS);
            half_acknowledged += usize::from((1..RECORDS).contains(&acknowledged));
        } else {
            cut_queries += usize::from(scene.kill_during_query());
        }
        scene.town.start(House::Hospital).unwrap();
        scene.assert_everything_is_there();
    }
    eprintln!(
        "{} kills: {cut_imports} cut an import short, {half_acknowledged} of them with a part acknowledged; \
         {cut_queries} cut a query short",
        kills()
    );
    assert!(half_acknowledged > 0, "no import was cut with something acknowledged: the kills prove nothing");
    scene.assert_ledger_keeps_its_promises();
}

impl Scene {
    /// Kills the hospital while it imports; how many records it had acknowledged.
    fn kill_during_import(&mut self, round: usize) -> usize {
        let local = self.people.archives[&House::Hospital].numbers[&self.family.third_grader].clone();
        let line = |n: usize| {
            format!(
                r#"{{"resourceType":"Immunization","id":"kill-{n}","status":"completed","vaccineCode":{{"text":"BCG"}},"patient":{{"reference":"Patient/{local}"}},"occurrenceDateTime":"2019-10-23","lotNumber":"{round}"}}"#
            )
        };
        let lines: Vec<String> = (0..RECORDS).map(line).collect();
        let wait = Duration::from_millis(30 + self.chance.below(250));
        let pid = self.town.node(House::Hospital).pid().unwrap();
        let killer = std::thread::spawn(move || {
            clock::pause(wait);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        });
        let imported = staff::import(&self.town, House::Hospital, &lines.join("\n"));
        killer.join().unwrap();
        self.town.node_mut(House::Hospital).kill();
        // A command that could not even say what happened acknowledged nothing.
        let count = imported.as_ref().map_or(0, staff::Imported::acknowledged) as usize;
        self.held.iter_mut().take(count).for_each(|held| *held = round);
        count
    }

    /// Kills the hospital while a view is under way; whether that cost the view the hospital's part.
    fn kill_during_query(&mut self) -> bool {
        let wait = Duration::from_millis(100 + self.chance.below(400));
        let begun = self.town.begin_view(&self.card, self.number, &["--deadline-ms", "3000"]).unwrap();
        clock::pause(wait);
        self.town.node_mut(House::Hospital).kill();
        let view = begun.wait().unwrap().into_view().unwrap();
        let others: Vec<House> = House::ALL.into_iter().filter(|house| *house != House::Hospital).collect();
        others.into_iter().for_each(|house| assert_eq!(view.outcome(house), "data", "{house}"));
        let part = view.part(House::Hospital).unwrap();
        self.receipts.extend(part.receipt.clone());
        assert!(["data", "unreachable", "timed_out"].contains(&part.outcome.as_str()), "{}", part.outcome);
        part.outcome != "data"
    }

    fn view(&self) -> View {
        self.town.view(&self.card, self.number, &["--deadline-ms", "10000"]).unwrap().into_view().unwrap()
    }

    fn assert_everything_is_there(&mut self) {
        let view = self.view();
        assert!(view.coverage.complete, "{:?}", view.coverage);
        let shown = view.keys().unwrap().remove(&House::Hospital).unwrap();
        let loaded = &self.people.expected(&self.family.third_grader)[&House::Hospital];
        let lost: Vec<&String> = loaded.difference(&shown).collect();
        assert_eq!(lost, Vec::<&String>::new(), "acknowledged and lost");
        let mut rounds = vec![0; RECORDS];
        for record in &view.part(House::Hospital).unwrap().records {
            let number = |key: &str| {
                record.content[key].as_str().and_then(|text| text.rsplit('-').next()?.parse().ok())
            };
            if record.key().starts_with("Immunization/kill-") {
                rounds[number("id").unwrap_or(RECORDS)] = number("lotNumber").unwrap();
            }
        }
        for (n, (held, shown)) in self.held.iter_mut().zip(rounds).enumerate() {
            assert!(shown >= *held, "record {n}: round {held} was acknowledged, round {shown} is there");
            // What was not acknowledged may have become durable all the same; it counts from now on.
            *held = shown;
        }
        self.receipts.extend(view.part(House::Hospital).unwrap().receipt.clone());
    }

    /// The ledger verifies, and every receipt's entry is where the receipt says.
    fn assert_ledger_keeps_its_promises(&mut self) {
        let report = staff::verify_ledger(&self.town, House::Hospital).unwrap();
        assert_eq!(report["passed"], true, "{report}");
        let ledger = self.town.node(House::Hospital).data().join("ledger");
        assert!(self.receipts.len() >= kills(), "{}", self.receipts.len());
        for receipt in &self.receipts {
            let hash = tiles::leaf_hash(&ledger, receipt.index).map(hex::encode);
            assert_eq!(hash.as_ref(), Some(&receipt.leaf_hash), "entry {}", receipt.index);
        }
    }
}
