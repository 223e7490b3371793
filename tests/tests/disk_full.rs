//! A full disk, a real one of a few megabytes: nothing leaves without an entry in the ledger, and the node
//! recovers by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use hibiki_tests::clock;
use hibiki_tests::disk::Disk;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::skip::skipped;
use hibiki_tests::tiles;
use hibiki_tests::town::{Settings, Town, staff};
use hibiki_tests::view::View;

#[test]
fn a_full_disk_releases_nothing_unlogged_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::make(folder.path(), 160) else {
        skipped("disk full", "a loop device cannot be mounted here (needs root)");
        return;
    };
    let data = disk.folder().join("data");
    let settings = Settings { data_dir: Some((House::Hospital, data)), ..Settings::default() };
    let mut town = Town::found(&folder.path().join("t"), &settings, &mut |_| {}).unwrap();
    let (mut people, family) = family::found(15, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    let wanted = people.resident(&family.third_grader).unwrap().name.clone();
    let number = 1 + town.login(&card).unwrap().iter().position(|subject| subject.name == wanted).unwrap();
    let view = |town: &Town| -> View { town.view(&card, number, &[]).unwrap().into_view().unwrap() };
    assert!(view(&town).coverage.complete);
    let ledger = town.node(House::Hospital).data().join("ledger");
    let low =
        |town: &Town| town.node(House::Hospital).status().is_ok_and(|s| s["store"]["low_space"] == true);

    disk.fill().unwrap();
    assert!(clock::wait_until(Duration::from_secs(20), || low(&town)), "the node notices");
    let full = view(&town);
    let part = full.part(House::Hospital).unwrap();
    assert_eq!((part.outcome.as_str(), part.records.len()), ("not_logged", 0));
    assert!(part.receipt.is_none());
    assert_eq!(full.coverage.outcomes["data"], 5, "the others are not affected");
    let local = &people.archives[&House::Hospital].numbers[&family.third_grader];
    let fresh = format!(
        r#"{{"resourceType":"Immunization","id":"fresh-1","status":"completed","vaccineCode":{{"text":"BCG"}},"patient":{{"reference":"Patient/{local}"}},"occurrenceDateTime":"2019-10-23"}}"#
    );
    let refused = staff::import(&town, House::Hospital, &fresh).unwrap();
    let reason = refused.error.clone().unwrap_or_default();
    assert!(!refused.whole && reason.contains("space") && refused.acknowledged() == 0, "{refused:?}");

    // It starts while the disk is full, and still releases nothing.
    town.node_mut(House::Hospital).kill();
    town.start(House::Hospital).unwrap();
    assert_eq!(view(&town).outcome(House::Hospital), "not_logged");

    // Room again: it goes on by itself, and what it releases is in the ledger.
    disk.make_room().unwrap();
    assert!(clock::wait_until(Duration::from_secs(30), || !low(&town)), "the node notices");
    assert!(staff::import(&town, House::Hospital, &fresh).unwrap().whole);
    people.add(House::Hospital, &fresh, "Immunization/fresh-1", &[&family.third_grader]);
    let again = view(&town);
    assert!(again.coverage.complete, "{:?}", again.coverage);
    assert_eq!(again.keys().unwrap(), people.expected(&family.third_grader));
    // What was answered without an entry has got one since.
    let owed = |town: &Town| {
        let shown = staff::command(town, House::Hospital, &["ledger", "show", "--last", "40"]).unwrap();
        let entries = shown["entries"].as_array().cloned().unwrap_or_default();
        entries.iter().any(|entry| {
            entry["details"]["reason"] == "not_logged" && entry["details"]["answered"].as_u64() > Some(0)
        })
    };
    assert!(clock::wait_until(Duration::from_secs(20), || owed(&town)), "the answer is entered");
    let report = staff::verify_ledger(&town, House::Hospital).unwrap();
    assert_eq!(report["passed"], true, "{report}");
    let receipt = again.part(House::Hospital).unwrap().receipt.clone().unwrap();
    assert_eq!(tiles::leaf_hash(&ledger, receipt.index).map(hex::encode), Some(receipt.leaf_hash));
    town.node_mut(House::Hospital).stop().unwrap();
}
