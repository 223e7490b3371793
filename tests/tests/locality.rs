//! After everything a demo does: nobody's content anywhere but at home, on disk or in the gateway's memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use hibiki_audit::scan::{Findings, Needle, Scanner};
use hibiki_tests::clock;
use hibiki_tests::evidence;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::skip::skipped;
use hibiki_tests::town::{Settings, Town};

/// What was found, by whose it is: how many different needles.
fn owners(findings: &Findings) -> BTreeMap<String, usize> {
    assert!(findings.unread.is_empty() && findings.bombs == 0, "{:?}", findings.unread);
    let mut owners: BTreeMap<String, std::collections::BTreeSet<usize>> = BTreeMap::new();
    for finding in &findings.found {
        owners.entry(finding.owner.clone()).or_default().insert(finding.needle);
    }
    owners.into_iter().map(|(owner, needles)| (owner, needles.len())).collect()
}

#[test]
fn nothing_of_one_institution_is_at_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(16, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    let canaries = evidence::canaries(&people);
    let needles: Vec<Needle> = canaries
        .iter()
        .flat_map(|(house, texts)| {
            texts.iter().map(|text| Needle { owner: house.id().into(), text: text.clone() })
        })
        .collect();
    let count = |house: House| canaries[&house].len();
    let scanner = Scanner::new(needles).unwrap();

    // The scanner finds what it looks for: planted in every form, and in the files that were imported.
    let (planted, found) = scanner.control();
    assert!(planted > 0 && planted == found, "{found} of {planted}");
    for house in House::ALL {
        let source = town.folder().join("inbox").join(format!("{house}.ndjson"));
        assert_eq!(owners(&scanner.scan_path(&source)), BTreeMap::from([(house.id().into(), count(house))]));
    }

    // Complete views, a partial one, a restart: what the demo does.
    for subject in 1..=town.login(&card).unwrap().len() {
        assert!(town.view(&card, subject, &[]).unwrap().into_view().unwrap().coverage.complete);
    }
    town.node_mut(House::Hospital).stop().unwrap();
    town.await_links_down(&[House::Hospital]).unwrap();
    assert!(!town.view(&card, 1, &[]).unwrap().into_view().unwrap().coverage.complete);
    town.start(House::Hospital).unwrap();
    for subject in 1..=town.login(&card).unwrap().len() {
        assert!(town.view(&card, subject, &[]).unwrap().into_view().unwrap().coverage.complete);
    }

    memory(&town, &scanner, folder.path());

    for house in House::ALL {
        let at = town.node(house).folder();
        let findings = scanner.scan_path(at);
        assert!(findings.files > 5 && findings.bytes > 10_000, "{house}: {} files", findings.files);
        let mut strangers = owners(&findings);
        strangers.remove(house.id());
        assert_eq!(strangers, BTreeMap::new(), "in the folder of {house}");
    }
    // The terminal keeps nothing at all.
    assert_eq!(owners(&scanner.scan_path(&town.folder().join("cards"))), BTreeMap::new());
    assert_eq!(evidence::in_logs(&town, &people).unwrap(), Vec::<String>::new());
}

/// The gateway's memory holds city hall's own records at most; the hospital's, read the same way, holds some
/// of its own, so that the reading is known to see something.
fn memory(town: &Town, scanner: &Scanner, scratch: &std::path::Path) {
    let dump = |house: House| {
        let node = town.node(house);
        let out = scratch.join(format!("{house}.memory"));
        node.freeze();
        let read = evidence::dump_memory(node.pid().unwrap().as_raw_nonzero().get(), &out);
        node.thaw();
        read.map(|bytes| (bytes, out))
    };
    let (bytes, gateway) = match dump(House::CityHall) {
        Ok(dumped) => dumped,
        Err(error) => {
            skipped("the gateway's memory", &format!("it cannot be read here ({error}); run as root"));
            return;
        }
    };
    assert!(bytes > 4 << 20, "{bytes} bytes are no whole process");
    let mut found = owners(&scanner.scan_path(&gateway));
    found.remove(House::CityHall.id());
    assert_eq!(found, BTreeMap::new(), "in the gateway's memory");
    std::fs::remove_file(gateway).unwrap();

    let (_, hospital) = dump(House::Hospital).unwrap();
    let found = owners(&scanner.scan_path(&hospital));
    assert!(found.get(House::Hospital.id()).is_some_and(|count| *count > 0), "a control that sees nothing");
    assert_eq!(found.len(), 1, "nobody else's in the hospital's memory: {found:?}");
    std::fs::remove_file(hospital).unwrap();
}
