//! All children of the shared Synthea extract: what was loaded is shown, no more and no fewer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hibiki_tests::clock;
use hibiki_tests::evidence;
use hibiki_tests::skip::skipped;
use hibiki_tests::spread::{Wanted, spread};
use hibiki_tests::town::{Settings, Town};

/// The extract, where it is there: beside the repository, or where `HIBIKI_SHARED_DATA` says.
fn extract() -> Option<PathBuf> {
    let named = std::env::var_os("HIBIKI_SHARED_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2);
    let places = named.into_iter().chain(beside.map(|folder| folder.join("shared/data")));
    places.map(|folder| folder.join("synthea-r4-smart/children-ndjson")).find(|folder| folder.is_dir())
}

/// Keys of everything about each person, read here without the house's own reader.
fn loaded(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut loaded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in ["Immunization", "Observation-growth", "AllergyIntolerance"] {
        let text = fs::read_to_string(folder.join(format!("{file}.ndjson"))).unwrap();
        for line in text.lines() {
            let resource: serde_json::Value = serde_json::from_str(line).unwrap();
            let subject = resource.get("patient").or_else(|| resource.get("subject")).unwrap();
            let person = subject["reference"].as_str().unwrap().trim_start_matches("urn:uuid:").to_owned();
            let kind = resource["resourceType"].as_str().unwrap();
            let key = format!("{kind}/{}", resource["id"].as_str().unwrap());
            assert!(loaded.entry(person).or_default().insert(key));
        }
    }
    loaded
}

#[test]
fn every_vaccination_measurement_and_allergy_of_every_child_is_shown() {
    let Some(extract) = extract() else {
        skipped("every child", "no shared/data/synthea-r4-smart beside the repository (HIBIKI_SHARED_DATA)");
        return;
    };
    let loaded = loaded(&extract);
    let born_from = "1900-01-01".parse().unwrap();
    let spread = spread(&extract, Wanted { today: clock::today(), born_from, most: usize::MAX }).unwrap();
    assert_eq!((spread.people.len(), loaded.len(), spread.left_out), (101, 101, 0));

    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    town.load(&spread.population, &mut |_| {}).unwrap();
    let mut unseen: BTreeMap<String, String> =
        spread.people.iter().map(|(id, number)| (number.clone(), id.clone())).collect();
    let (mut seen, mut houses) = (0, BTreeSet::new());
    for holder in spread.population.card_holders.clone() {
        let card = town.issue_card(&holder).unwrap();
        for (place, subject) in town.login(&card).unwrap().iter().enumerate() {
            let resident = spread.population.residents.iter().find(|resident| {
                resident.name == subject.name && resident.birth.to_string() == subject.birth_date
            });
            let number = &resident.unwrap().number;
            // The invented guardian herself has no record anywhere.
            let Some(id) = unseen.remove(number) else { continue };
            let view = town.view(&card, place + 1, &[]).unwrap().into_view().unwrap();
            assert!(view.coverage.complete, "{:?}", view.coverage);
            let keys = view.keys().unwrap();
            assert_eq!(keys, spread.population.expected(number));
            let shown: BTreeSet<String> =
                keys.values().flatten().filter(|key| !key.starts_with("Patient/")).cloned().collect();
            assert_eq!(shown, loaded[&id]);
            seen += shown.len();
            houses.extend(keys.into_keys());
        }
    }
    assert_eq!(unseen, BTreeMap::new(), "everybody was looked at");
    assert_eq!(seen, 2265 + 2362 + 166);
    assert_eq!(houses.len(), 5, "all but the pharmacy hold something: {houses:?}");
    assert_eq!(evidence::in_logs(&town, &spread.population).unwrap(), Vec::<String>::new());
}
