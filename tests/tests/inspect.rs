//! Stopped nodes laid open: every entry fits its leaf, every row is explained, and what was parked is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_node::store::{Batch, Keyspace, SledOptions, SledStore, Store as _};
use hibiki_protocol::tlog::Leaf;
use hibiki_tests::clock;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::tiles;
use hibiki_tests::town::inspected::{Inspected, inspect};
use hibiki_tests::town::{Settings, Town, staff};

/// A town in which everything happens that leaves rows: records, links, views, a hold, consents by staff and by
/// a guardian, an erasure.
fn lived_in(folder: &Path) -> Town {
    let mut town = Town::found(&folder.join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(19, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    assert!(town.view(&card, 1, &[]).unwrap().into_view().unwrap().coverage.complete);
    let local = &people.archives[&House::Clinic].numbers[&family.baby];
    staff::command(
        &town,
        House::Clinic,
        &["consent", "deny", "--local", local, "--category", "prescription"],
    )
    .unwrap();
    let (chosen, done) =
        town.ask("consent", &card, 2, &["--deny", "growth", "--at", House::Hospital.id()]).unwrap();
    assert!(done, "{chosen}");
    let hold = [
        "hold",
        "place",
        "--child",
        &family.baby,
        "--guardian",
        &family.father,
        "--reason-reference",
        "R8-1",
        "--review-by",
        "2099-01-01",
    ];
    staff::command(&town, House::CityHall, &hold).unwrap();
    let erased = people.archives[&House::Pharmacy].numbers.values().next().unwrap();
    staff::command(
        &town,
        House::Pharmacy,
        &["records", "erase", "--local", erased, "--reason", "本人の申出"],
    )
    .unwrap();
    town
}

fn assert_explained(inspected: &Inspected, house: House) {
    let unknown: Vec<_> = inspected.rows.iter().filter(|row| row["class"] == "unknown").collect();
    assert!(inspected.explained && unknown.is_empty(), "{house}: {} {unknown:?}", inspected.said);
}

#[test]
fn every_entry_fits_its_leaf_and_every_row_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = lived_in(folder.path());

    // A running node is left alone.
    let refused = inspect(&town, House::Hospital, &folder.path().join("running")).unwrap();
    assert!(!refused.explained && refused.said.contains("stop the node first"), "{}", refused.said);
    assert!(refused.rows.is_empty());

    for house in House::ALL {
        town.node_mut(house).stop().unwrap();
        let out = folder.path().join(format!("out-{house}"));
        let inspected = inspect(&town, house, &out).unwrap();
        assert_explained(&inspected, house);
        let classes = inspected.classes();
        assert!(classes["record"] > 0 && classes["subject"] > 0 && classes["trust list"] > 0, "{classes:?}");
        let mode = fs::metadata(out.join("store.ndjson")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
        assert!(!out.join("store.copy").exists(), "the copy of the store is gone");

        // Every opening makes its leaf's commitment, by the public leaf alone.
        assert!(inspected.openings.len() > 5);
        for (number, opening) in inspected.openings.iter().enumerate() {
            assert_eq!(opening["index"], number as u64);
            let Some(plain) = opening["plain"].as_str() else {
                assert_eq!(opening["erased"], true, "{opening}");
                continue;
            };
            let plain = STANDARD.decode(plain).unwrap();
            let leaf = tiles::leaf(&inspected.ledger, number as u64).unwrap();
            let (salt, rest) = plain.split_first_chunk::<32>().unwrap();
            // The form with something told is opened by the auditor, whose test it is.
            if rest[0] == b'{' {
                assert_eq!(Leaf::commit(salt, rest), Leaf::decode(&leaf).unwrap().commitment);
            }
        }
        assert!(!inspected.ledger.join("journal").exists(), "full entries stay in the house");
    }
    let classes = |house: House| {
        let text =
            fs::read_to_string(folder.path().join(format!("out-{house}")).join("store.ndjson")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["class"].clone())
            .collect::<Vec<_>>()
    };
    for (house, class) in [
        (House::CityHall, "hold order"),
        (House::CityHall, "hold notice owed"),
        (House::CityHall, "guardianship"),
        (House::CityHall, "card"),
        (House::Clinic, "consent"),
        (House::Clinic, "hold"),
        (House::Hospital, "consent"),
        (House::Hospital, "command carried out"),
        (House::School, "link"),
    ] {
        assert!(classes(house).contains(&class.into()), "{house} has no {class}");
    }
    // It starts again as if nothing had been: nothing was changed.
    town.start_all().unwrap();
}

#[test]
fn what_was_parked_or_damaged_is_not_explained() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, _) = family::found(20, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let (house, data) = (House::Pharmacy, town.node(House::Pharmacy).data().to_owned());
    town.node_mut(house).stop().unwrap();

    // Somebody else's record under a name the node knows, in an empty row's value, and in a key.
    let foreign = people.archives[&House::Hospital].ndjson.lines().nth(1).unwrap().as_bytes();
    let store =
        SledStore::open(SledOptions { reserve_bytes: 0, ..SledOptions::new(data.join("store")) }).unwrap();
    let mut batch = Batch::new();
    batch.put(Keyspace::Meta, b"view-cache".to_vec(), foreign);
    batch.put(Keyspace::Links, [b"s".as_slice(), &[3; 32]].concat(), foreign);
    batch.put(Keyspace::Links, [b"s".as_slice(), &foreign[..100]].concat(), b"");
    batch.put(Keyspace::Links, [b"s".as_slice(), &foreign[..32]].concat(), b"");
    store.commit(&batch).unwrap();
    drop(store);
    let inspected = inspect(&town, house, &folder.path().join("parked")).unwrap();
    assert!(!inspected.explained && inspected.said.contains("4 UNEXPLAINED"), "{}", inspected.said);
    assert_eq!(inspected.classes()["unknown"], 4);
    let shown = inspected
        .rows
        .iter()
        .filter(|row| row["text"].as_str().is_some_and(|it| it.contains("resourceType")));
    assert!(shown.count() >= 2, "what is unknown is shown");

    // An existing output is never overwritten.
    let again = inspect(&town, house, &folder.path().join("parked"));
    assert!(again.is_err() || !again.unwrap().explained);

    // One byte of a sealed entry: that entry is damaged, and the store is opened all the same.
    let journal = data.join("ledger/journal");
    let segment = fs::read_dir(&journal).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[64 + 32 + 150] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let damaged = inspect(&town, house, &folder.path().join("damaged")).unwrap();
    assert!(!damaged.explained && !damaged.said.is_empty());
    let lost: Vec<_> = damaged.openings.iter().filter(|opening| !opening["damaged"].is_null()).collect();
    assert_eq!((lost.len(), damaged.openings.len()), (1, inspected.openings.len()), "{lost:?}");
    assert!(damaged.rows.len() > 10, "the store is shown whatever the ledger is: {}", damaged.said);
}
