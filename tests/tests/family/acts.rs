//! Who looked, and what a guardian lets be shown: at six real institutions, over a kill -9.

use std::collections::BTreeMap;

use hibiki_protocol::tlog::{Hash, LogProof, VerifierKey};
use hibiki_tests::house::House;
use hibiki_tests::schema::Schema;
use hibiki_tests::town::{Card, staff};
use hibiki_tests::view::View;
use serde_json::Value;

use super::{Scene, scene};

/// The schema of one half of the document, with the outcomes a view has.
fn schema(half: &str) -> Schema {
    let document = include_str!("../../../docs/acts-json.md");
    let half = document.split(&format!("\n## {half}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let outcomes = include_str!("../../../docs/view-json.md").split("\n## Outcomes\n").nth(1).unwrap();
    Schema::read(&format!("{half}\n{outcomes}"))
}

fn part(json: &Value, house: House) -> &Value {
    let mut parts = json["parts"].as_array().unwrap().iter();
    parts.find(|part| part["institution"] == house.id()).unwrap()
}

/// Categories and how many records of each a house shows.
fn shown(view: &View, house: House) -> BTreeMap<String, usize> {
    let mut shown = BTreeMap::new();
    for record in &view.part(house).unwrap().records {
        *shown.entry(record.category.clone()).or_default() += 1;
    }
    shown
}

impl Scene {
    fn choose(&self, card: &Card, child: usize, more: &[&str]) -> Value {
        let (json, done) = self.town.ask("consent", card, child, more).unwrap();
        assert!(done, "{json}");
        assert_eq!(schema("Choices").faults(&json), Vec::<String>::new());
        json
    }
}

#[test]
fn the_history_has_the_view_just_made_and_nothing_of_the_father() {
    let scene = scene();
    let child = scene.family.third_grader.clone();
    let father = scene.town.card(&scene.family.father).unwrap().clone();
    let view = scene.view(&scene.mother, &child, &[]);
    let fathers = scene.view(&father, &child, &[]);
    let number = scene.number(&scene.mother, &child);
    let (json, done) = scene.town.ask("history", &scene.mother, number, &[]).unwrap();
    assert!(done);
    assert_eq!(schema("History").faults(&json), Vec::<String>::new());
    for house in House::ALL {
        let (part, seen) = (part(&json, house), view.part(house).unwrap());
        assert_eq!(part["outcome"].as_str(), Some(seen.outcome.as_str()), "{house}: as a look at records");
        if seen.outcome != "data" {
            continue;
        }
        let entries = part["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["proof"] == "proven"), "{house}: {entries:?}");
        let find = |index: u64| entries.iter().find(|entry| entry["index"] == index);
        let receipt = seen.receipt.as_ref().unwrap();
        let own = find(receipt.index).expect("the view just made");
        assert_eq!((&own["event"], &own["who"]), (&"records_shown".into(), &"you".into()));
        assert_eq!(own["leaf_hash"].as_str(), Some(receipt.leaf_hash.as_str()));
        assert_eq!(own["count"], seen.records.len());
        let fathers = fathers.part(house).unwrap().receipt.as_ref().unwrap();
        assert!(find(fathers.index).is_none(), "{house} tells the mother what the father did");
        assert!(entries.iter().all(|entry| entry["who"] == "you" || entry["who"] == "staff"));
    }
    let read = scene.town.read("history", &scene.mother, number).unwrap();
    for words in ["あなたが記録を見ました", "you looked at records", "証明を確認しました", "職員が市の登録と"]
    {
        assert!(read.contains(words), "{read}");
    }
    // The other institutions were asked for nothing: an older page is one institution's alone.
    let older = format!(
        "{}:{}",
        House::Clinic.id(),
        view.part(House::Clinic).unwrap().receipt.as_ref().unwrap().index
    );
    let (part, done) = scene.town.ask("history", &scene.mother, number, &["--older", &older]).unwrap();
    assert!(done && part["institution"] == House::Clinic.id());
    let linked = part["entries"].as_array().unwrap().iter().any(|entry| entry["event"] == "linked");
    assert!(linked || part["older"].is_u64(), "staff linked her before anybody could look: {part}");
    scene.assert_logs_clean();
}

#[test]
fn what_is_withdrawn_is_shown_to_no_guardian_and_stays_so_over_a_kill() {
    let mut scene = scene();
    let child = scene.family.third_grader.clone();
    let (mother, father) = (scene.mother.clone(), scene.town.card(&scene.family.father).unwrap().clone());
    let (to_her, to_him) = (scene.number(&mother, &child), scene.number(&father, &child));
    let look = |scene: &Scene, card: &Card| {
        let number = if card.file == mother.file { to_her } else { to_him };
        scene.town.view(card, number, &[]).unwrap().into_view().unwrap()
    };
    let before = look(&scene, &mother);
    let house = House::Clinic;
    let full = shown(&before, house);
    assert!(full.contains_key("growth") && full.len() > 1, "{full:?}");
    let rest: BTreeMap<String, usize> =
        full.clone().into_iter().filter(|(name, _)| name != "growth").collect();

    let chosen = scene.choose(&mother, to_her, &["--at", house.id(), "--deny", "growth"]);
    assert_eq!(chosen["withdrawn"][0]["category"], "growth");
    let entry = &chosen["receipt"]["entry"];
    assert_eq!((&entry["event"], &entry["proof"]), (&"consent_withdrawn".into(), &"proven".into()));
    // The file that came with it convinces anybody who has the ledger's key.
    let proof = LogProof::parse(chosen["receipt"]["tlog_proof"].as_str().unwrap()).unwrap();
    let key = scene.town.node(house).ledger_key().unwrap().parse::<VerifierKey>().unwrap();
    let leaf = hex::decode(chosen["receipt"]["leaf_hash"].as_str().unwrap()).unwrap();
    proof.verify(&Hash::from_slice(&leaf).unwrap(), &key, &[]).unwrap();

    let after = look(&scene, &mother);
    for other in House::ALL {
        let expected = if other == house { rest.clone() } else { shown(&before, other) };
        assert_eq!(shown(&after, other), expected, "{other}");
    }
    assert_eq!(shown(&look(&scene, &father), house), rest, "deny wins, for every guardian");
    let local = scene.people.archives[&house].numbers[&child].clone();
    let listed = staff::consents(&scene.town, house, &local).unwrap();
    assert_eq!(listed["denials"][0]["by"], "", "staff see that it was no member of staff: {listed}");
    assert!(listed["denials"][0]["made_by"].is_string());

    let read = scene.town.read("consent", &mother, to_her).unwrap();
    assert!(read.contains("身体計測：表示しない（すべての保護者に対して）"), "{read}");

    scene.town.node_mut(house).kill();
    scene.town.start(house).unwrap();
    assert_eq!(shown(&look(&scene, &mother), house), rest, "in force, and lost to a kill");

    // The father has nothing there that he could undo; the mother has.
    scene.choose(&father, to_him, &["--at", house.id(), "--permit", "growth"]);
    assert_eq!(shown(&look(&scene, &mother), house), rest);
    let given = scene.choose(&mother, to_her, &["--at", house.id(), "--permit", "growth"]);
    assert_eq!(given["withdrawn"].as_array().map(Vec::len), Some(0));
    assert_eq!(shown(&look(&scene, &mother), house), full);
    scene.assert_logs_clean();
}

#[test]
fn the_hospital_says_since_when_it_keeps_vaccinations_to_everybody() {
    let scene = scene();
    for person in [&scene.family.third_grader, &scene.family.mother] {
        let view = scene.view(&scene.mother, person, &[]);
        for house in House::ALL {
            let kept = &view.part(house).unwrap().kept_since;
            let said: Vec<(&str, &str)> =
                kept.iter().map(|kept| (kept.category.as_str(), kept.since.as_str())).collect();
            let expected: &[(&str, &str)] =
                if house == House::Hospital { &[("immunization", "2012-04-01")] } else { &[] };
            assert_eq!(said, expected, "{house}");
        }
    }
    let status = scene.town.node(House::Hospital).status().unwrap();
    assert_eq!(status["kept_since"]["immunization"], "2012-04-01");
}
