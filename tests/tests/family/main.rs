//! One family, six real processes: the complete view, and what it says when something is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod acts;

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hibiki_tests::clock::{self, Stopwatch};
use hibiki_tests::evidence;
use hibiki_tests::family::{self, Family};
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::schema::Schema;
use hibiki_tests::town::{Card, Settings, Town};
use hibiki_tests::view::View;

/// The one town of this file; the tests take turns.
struct Scene {
    town: Town,
    people: Population,
    family: Family,
    mother: Card,
    _folder: tempfile::TempDir,
}

fn scene() -> MutexGuard<'static, Scene> {
    static SCENE: OnceLock<Mutex<Scene>> = OnceLock::new();
    let scene = SCENE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let kept = "[records]\nkept-since = { immunization = \"2012-04-01\" }";
        let settings = Settings { more: vec![(House::Hospital, kept.to_owned())], ..Settings::default() };
        let mut town = Town::found(&folder.path().join("t"), &settings, &mut |_| {}).unwrap();
        let (people, family) = family::found(11, clock::today());
        town.load(&people, &mut |_| {}).unwrap();
        let mother = town.issue_card(&family.mother).unwrap();
        town.issue_card(&family.father).unwrap();
        Mutex::new(Scene { town, people, family, mother, _folder: folder })
    });
    let mut scene = scene.lock().unwrap_or_else(PoisonError::into_inner);
    // A test that failed may have left something frozen or dead.
    House::ALL.into_iter().for_each(|house| scene.town.node(house).thaw());
    scene.town.start_all().unwrap();
    scene
}

impl Scene {
    /// Under which number a card's terminal knows a resident.
    fn number(&self, card: &Card, resident: &str) -> usize {
        let wanted = self.people.resident(resident).unwrap();
        let subjects = self.town.login(card).unwrap();
        1 + subjects.iter().position(|subject| subject.name == wanted.name).unwrap()
    }

    fn view(&self, card: &Card, resident: &str, more: &[&str]) -> View {
        let asked = self.town.view(card, self.number(card, resident), more).unwrap();
        assert!(asked.success, "{}", asked.said);
        asked.into_view().unwrap()
    }

    fn elder(&self) -> View {
        self.view(&self.mother, &self.family.third_grader, &[])
    }

    /// The view shows exactly what was loaded for this person at these houses.
    fn assert_shows(&self, view: &View, resident: &str, houses: &[House]) {
        let mut expected = self.people.expected(resident);
        expected.retain(|house, _| houses.contains(house));
        assert_eq!(view.keys().unwrap(), expected);
    }

    /// Nobody's data stands in any log.
    fn assert_logs_clean(&self) {
        assert_eq!(evidence::in_logs(&self.town, &self.people).unwrap(), Vec::<String>::new());
    }

    /// A message to a person is in both languages and names nobody.
    fn assert_plain(&self, said: &str, ja: &str, en: &str) {
        assert!(said.contains(ja) && said.contains(en), "{said}");
        let data = evidence::personal_data(&self.people);
        assert_eq!(evidence::found_in(said, &data), Vec::<&str>::new(), "{said}");
    }
}

#[test]
fn the_view_is_complete_and_as_documented() {
    let scene = scene();
    let Family { mother, third_grader, baby, .. } = &scene.family;
    let schema = Schema::read(include_str!("../../../docs/view-json.md"));
    for (person, relation) in [(third_grader, "child"), (baby, "child"), (mother, "self")] {
        let number = scene.number(&scene.mother, person);
        let asked = scene.town.view(&scene.mother, number, &[]).unwrap();
        let json: serde_json::Value = serde_json::from_str(&asked.json).unwrap();
        assert_eq!(schema.faults(&json), Vec::<String>::new());
        let view = asked.into_view().unwrap();
        scene.assert_shows(&view, person, &House::ALL);
        let resident = scene.people.resident(person).unwrap();
        assert_eq!((&view.subject.name, &view.subject.kana), (&resident.name, &resident.kana));
        assert_eq!(
            (view.subject.relation.as_str(), view.simulated, view.gateway_lost),
            (relation, true, false)
        );
        let with_data = scene.people.expected(person).len();
        assert_eq!(view.coverage.asked, 6);
        assert!(view.coverage.complete);
        assert_eq!(view.coverage.outcomes["data"], with_data);
        assert_eq!(view.coverage.outcomes["nothing_to_show"], 6 - with_data);
        for part in &view.parts {
            let house = House::of(&part.institution).unwrap();
            assert_eq!((part.name.ja.as_str(), part.name.en.as_str()), house.names());
            assert!(part.receipt.is_some(), "{house} promises that it logged the access");
        }
    }
    scene.assert_logs_clean();
}

#[test]
fn content_is_verbatim() {
    let scene = scene();
    let number = scene.number(&scene.mother, &scene.family.baby);
    let asked = scene.town.view(&scene.mother, number, &[]).unwrap();
    let mut checked = 0;
    for (house, keys) in scene.people.expected(&scene.family.baby) {
        for line in scene.people.archives[&house].ndjson.lines() {
            let resource: serde_json::Value = serde_json::from_str(line).unwrap();
            let key = format!(
                "{}/{}",
                resource["resourceType"].as_str().unwrap(),
                resource["id"].as_str().unwrap()
            );
            if keys.contains(&key) {
                assert!(asked.json.contains(line), "{house} {key} is there byte for byte");
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn both_guardians_see_the_children_and_nobody_else_does() {
    let mut scene = scene();
    let father = scene.town.card(&scene.family.father).unwrap().clone();
    let view = scene.view(&father, &scene.family.third_grader, &[]);
    scene.assert_shows(&view, &scene.family.third_grader, &House::ALL);
    let stranger = scene
        .people
        .guardianships
        .iter()
        .find(|care| ![&scene.family.mother, &scene.family.father].contains(&&care.guardian))
        .unwrap()
        .clone();
    let card = scene.town.issue_card(&stranger.guardian).unwrap();
    let names: Vec<String> = scene.town.login(&card).unwrap().into_iter().map(|s| s.name).collect();
    let of = |number: &str| scene.people.resident(number).unwrap().name.clone();
    let mut expected = vec![of(&stranger.guardian), of(&stranger.child)];
    expected.sort();
    let mut shown = names.clone();
    shown.sort();
    assert_eq!(shown, expected);
    let view = scene.view(&card, &stranger.child, &[]);
    scene.assert_shows(&view, &stranger.child, &House::ALL);
}

#[test]
fn wishes_narrow_the_view() {
    let scene = scene();
    let view = scene.view(&scene.mother, &scene.family.third_grader, &["--category", "immunization"]);
    let categories: Vec<&str> =
        view.parts.iter().flat_map(|part| &part.records).map(|record| record.category.as_str()).collect();
    assert!(!categories.is_empty() && categories.iter().all(|category| *category == "immunization"));
    let since = scene.view(&scene.mother, &scene.family.third_grader, &["--since", "2025-01-01"]);
    let dates: Vec<&str> =
        since.parts.iter().flat_map(|part| &part.records).map(|record| record.date.as_str()).collect();
    assert!(!dates.is_empty() && dates.iter().all(|date| *date >= "2025-01-01"));
}

#[test]
fn every_subset_of_dead_institutions_is_stated_exactly() {
    let mut scene = scene();
    let child = scene.family.third_grader.clone();
    let number = scene.number(&scene.mother, &child);
    let has = scene.people.expected(&child);
    let mut dead = [false; House::OTHERS.len()];
    for step in 0_usize..32 {
        // Gray code: one institution changes between one subset and the next.
        let subset = step ^ (step >> 1);
        for (place, house) in House::OTHERS.into_iter().enumerate() {
            let wanted = subset >> place & 1 == 1;
            match (dead[place], wanted) {
                (false, true) => {
                    scene.town.node_mut(house).stop().unwrap();
                    scene.town.await_links_down(&[house]).unwrap();
                }
                (true, false) => scene.town.start(house).unwrap(),
                _ => {}
            }
            dead[place] = wanted;
        }
        let asked = scene.town.view(&scene.mother, number, &[]).unwrap();
        assert!(asked.success, "{}", asked.said);
        let view = asked.into_view().unwrap();
        let is_dead =
            |house: House| House::OTHERS.iter().position(|other| *other == house).is_some_and(|at| dead[at]);
        let alive: Vec<House> = House::ALL.into_iter().filter(|house| !is_dead(*house)).collect();
        let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
        for house in House::ALL {
            let outcome = match (is_dead(house), has.contains_key(&house)) {
                (true, _) => "unreachable",
                (false, true) => "data",
                (false, false) => "nothing_to_show",
            };
            assert_eq!(view.outcome(house), outcome, "{house} in subset {subset:05b}");
            *expected.entry(outcome).or_default() += 1;
        }
        scene.assert_shows(&view, &child, &alive);
        for (outcome, count) in &view.coverage.outcomes {
            assert_eq!(
                *count,
                expected.get(outcome.as_str()).copied().unwrap_or(0),
                "{outcome} in {subset:05b}"
            );
        }
        assert_eq!((view.coverage.asked, view.coverage.complete), (6, subset == 0));
    }
    scene.town.start_all().unwrap();
    assert!(scene.elder().coverage.complete);
    scene.assert_logs_clean();
}

#[test]
fn a_dead_gateway_is_said_plainly() {
    let mut scene = scene();
    scene.town.node_mut(House::CityHall).stop().unwrap();
    let watch = Stopwatch::start();
    let asked = scene.town.view(&scene.mother, 1, &[]).unwrap();
    assert!(!asked.success && asked.view.is_none());
    assert!(watch.elapsed() < Duration::from_secs(20), "{:?}", watch.elapsed());
    scene.assert_plain(&asked.said, "市の窓口サーバー", "cannot be reached");
    assert!(asked.said.contains("接続できません"), "{}", asked.said);
    scene.town.start(House::CityHall).unwrap();
    assert!(scene.elder().coverage.complete);
}

#[test]
fn a_gateway_killed_mid_query_leaves_what_had_landed() {
    let mut scene = scene();
    let number = scene.number(&scene.mother, &scene.family.third_grader);
    scene.town.node(House::Hospital).freeze();
    let mut begun =
        scene.town.begin_view(&scene.mother, number, &["--stream", "--deadline-ms", "20000"]).unwrap();
    let landed = begun.lines(5).unwrap();
    assert_eq!(landed.len(), 5);
    scene.town.node_mut(House::CityHall).kill();
    let asked = begun.wait().unwrap();
    scene.town.node(House::Hospital).thaw();
    assert!(asked.success, "{}", asked.said);
    let view = asked.into_view().unwrap();
    assert!(view.gateway_lost && !view.coverage.complete);
    let hospital = view.part(House::Hospital).unwrap();
    assert_eq!(
        (hospital.outcome.as_str(), hospital.detail.as_deref()),
        ("unreachable", Some("gateway_lost"))
    );
    let others: Vec<House> = House::ALL.into_iter().filter(|house| *house != House::Hospital).collect();
    scene.assert_shows(&view, &scene.family.third_grader, &others);
    scene.town.start(House::CityHall).unwrap();
    assert!(scene.elder().coverage.complete);
}

#[test]
fn a_hung_institution_costs_the_others_nothing() {
    let scene = scene();
    let number = scene.number(&scene.mother, &scene.family.third_grader);
    let deadline = Duration::from_millis(2500);
    for (hung, count) in [(vec![House::Clinic], 1), (vec![House::Hospital, House::School], 2)] {
        hung.iter().for_each(|house| scene.town.node(*house).freeze());
        let watch = Stopwatch::start();
        let asked = scene.town.view(&scene.mother, number, &["--deadline-ms", "2500"]).unwrap();
        let took = watch.elapsed();
        hung.iter().for_each(|house| scene.town.node(*house).thaw());
        let view = asked.into_view().unwrap();
        hung.iter().for_each(|house| assert_eq!(view.outcome(*house), "timed_out", "{house}"));
        let others: Vec<House> = House::ALL.into_iter().filter(|house| !hung.contains(house)).collect();
        scene.assert_shows(&view, &scene.family.third_grader, &others);
        assert_eq!(view.coverage.outcomes["timed_out"], count);
        assert!(took >= deadline && took < deadline + Duration::from_millis(2500), "{took:?}");
        scene.town.await_links(&House::OTHERS).unwrap();
    }
    assert!(scene.elder().coverage.complete);
}

#[test]
fn a_slow_institution_is_waited_for_until_the_deadline() {
    let mut scene = scene();
    let number = scene.number(&scene.mother, &scene.family.third_grader);
    let config = scene.town.node(House::Clinic).config().to_owned();
    let before = fs::read_to_string(&config).unwrap();
    scene.town.node_mut(House::Clinic).stop().unwrap();
    fs::write(&config, format!("{before}\n[policy]\nanswer-floor-ms = 2000\n")).unwrap();
    scene.town.start(House::Clinic).unwrap();
    let ask = |deadline: &str| {
        scene.town.view(&scene.mother, number, &["--deadline-ms", deadline]).unwrap().into_view().unwrap()
    };
    let hurried = ask("1000");
    assert_eq!(hurried.outcome(House::Clinic), "timed_out");
    assert_eq!(hurried.coverage.outcomes["data"], 5);
    assert!(ask("8000").coverage.complete);
    scene.town.node_mut(House::Clinic).stop().unwrap();
    fs::write(&config, before).unwrap();
    scene.town.start(House::Clinic).unwrap();
}

#[test]
fn garbage_is_refused_with_its_place_and_the_rest_imported() {
    let mut scene = scene();
    let child = scene.family.third_grader.clone();
    let local = scene.people.archives[&House::Pharmacy].numbers[&child].clone();
    let dispensed = |id: &str| {
        format!(
            r#"{{"resourceType":"MedicationDispense","id":"{id}","status":"completed","medicationCodeableConcept":{{"text":"整腸剤"}},"subject":{{"reference":"Patient/{local}"}},"whenHandedOver":"2026-01-02"}}"#
        )
    };
    let lines = [
        dispensed("good-1"),
        "{\"resourceType\":\"MedicationDispense\",".to_owned(),
        "not json at all".to_owned(),
        dispensed("bad-date").replace("2026-01-02", "2026-02-30"),
        dispensed("bad-subject").replace("Patient/", "Practitioner/"),
        format!("{{\"resourceType\":\"MedicationDispense\",\"x\":{}1{}}}", "[".repeat(500), "]".repeat(500)),
        dispensed("good-2"),
    ];
    let report = hibiki_tests::town::staff::import(&scene.town, House::Pharmacy, &lines.join("\n")).unwrap();
    let lines: Vec<u64> =
        report.refused.iter().map(|refused| refused["place"]["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6], "{report:?}");
    assert!(!report.whole && report.error.is_none());
    assert_eq!((report.tally["added"].as_u64(), report.tally["rejected"].as_u64()), (Some(2), Some(5)));
    assert!(!report.said.contains(&local), "{}", report.said);
    let archive = scene.people.archive(House::Pharmacy);
    let shown = archive.shown.get_mut(&child).unwrap();
    shown.extend(["MedicationDispense/good-1".to_owned(), "MedicationDispense/good-2".to_owned()]);
    scene.assert_shows(&scene.elder(), &child, &House::ALL);
    scene.assert_logs_clean();
}
