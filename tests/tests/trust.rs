//! The trust list while the town runs: removal, rollback, a fork, and clocks that are wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use hibiki_tests::clock;
use hibiki_tests::family::{self, Family};
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::skip::skipped;
use hibiki_tests::town::{Card, Settings, Town, TownError, staff};
use hibiki_tests::view::View;

struct Scene {
    town: Town,
    people: Population,
    family: Family,
    card: Card,
    folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(13, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    Scene { town, people, family, card, folder }
}

impl Scene {
    fn view(&self) -> View {
        let wanted = self.people.resident(&self.family.third_grader).unwrap();
        let subjects = self.town.login(&self.card).unwrap();
        let number = 1 + subjects.iter().position(|subject| subject.name == wanted.name).unwrap();
        self.town.view(&self.card, number, &[]).unwrap().into_view().unwrap()
    }

    fn list(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn epoch(&self, house: House) -> u64 {
        self.town.node(house).status().unwrap()["trust_list"]["epoch"].as_u64().unwrap()
    }

    fn problem(&self, house: House, key: &str) -> bool {
        self.town.node(house).status().unwrap()["problems"].get(key).is_some()
    }

    fn refusal(&self, house: House, list: &Path) -> String {
        match staff::install_list(&self.town, house, list) {
            Err(TownError::Command { output, .. }) => output,
            other => panic!("{house} took the list: {other:?}"),
        }
    }
}

#[test]
fn lists_move_forward_only_and_a_removed_member_is_cut_off() {
    let mut scene = scene();
    let first = scene.town.folder().join("trust-list.cbor");
    assert!(scene.view().coverage.complete);

    // A fork: two lists of epoch 2, both signed by the very root.
    let (rival, second) = (scene.list("rival.cbor"), scene.list("second.cbor"));
    scene.town.council().forge_rival(House::School, &rival).unwrap();
    scene.town.council().rename(&House::School.member(), "Momiji School").unwrap();
    scene.town.council().publish(&second).unwrap();
    staff::install_list(&scene.town, House::CityHall, &second).unwrap();
    // The others learn it over their links, without anybody's help.
    let learnt = clock::wait_until(Duration::from_secs(20), || {
        House::OTHERS.into_iter().all(|house| scene.epoch(house) == 2)
    });
    assert!(learnt, "{:?}", House::OTHERS.map(|house| scene.epoch(house)));
    let view = scene.view();
    assert!(view.coverage.complete);
    assert_eq!(view.part(House::School).unwrap().name.en, "Momiji School");

    // An older list and a rival of the same epoch change nothing; the rival raises an alarm that stays.
    let older = staff::install_list(&scene.town, House::Hospital, &first).unwrap();
    assert_eq!(
        (&older["installed"], &older["in_force"]["epoch"]),
        (&serde_json::json!([]), &serde_json::json!(2))
    );
    assert!(!scene.problem(House::Hospital, "trust-list-fork"));
    let told = scene.refusal(House::Hospital, &rival);
    assert!(told.contains("epoch 2 stays in force"), "{told}");
    assert!(scene.problem(House::Hospital, "trust-list-fork"));
    scene.town.node_mut(House::Hospital).stop().unwrap();
    scene.town.start(House::Hospital).unwrap();
    assert!(scene.problem(House::Hospital, "trust-list-fork"), "evidence survives a restart");
    assert_eq!((scene.epoch(House::Hospital), scene.epoch(House::Clinic)), (2, 2));
    assert!(scene.view().coverage.complete);

    // Removed while connected: the gateway closes the connection, the member is no longer part of any view.
    let third = scene.list("third.cbor");
    scene.town.council().remove(&House::Clinic.member()).unwrap();
    scene.town.council().publish(&third).unwrap();
    let watch = clock::Stopwatch::start();
    staff::install_list(&scene.town, House::CityHall, &third).unwrap();
    scene.town.await_links_down(&[House::Clinic]).unwrap();
    assert!(watch.elapsed() < Duration::from_secs(5), "{:?}", watch.elapsed());
    let view = scene.view();
    assert_eq!((view.coverage.asked, view.coverage.complete), (5, true));
    assert!(view.part(House::Clinic).is_none());
    // It keeps trying with its old list, and stays out.
    clock::pause(Duration::from_secs(2));
    assert!(!scene.town.node(House::CityHall).links_up().contains_key(House::Clinic.id()));

    // Restarted from the first list's file, every node remembers the third.
    scene.town.node_mut(House::CityHall).kill();
    scene.town.node_mut(House::CityHall).launch().unwrap();
    scene.town.node_mut(House::CityHall).await_running(Duration::from_secs(60)).unwrap();
    assert_eq!(scene.epoch(House::CityHall), 3);
}

/// The library that shifts a process's clock, where it is installed.
fn faketime() -> Option<String> {
    let places = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    let library = places.iter().map(|place| format!("{place}/faketime/libfaketime.so.1"));
    library.into_iter().find(|path| Path::new(path).is_file())
}

#[test]
fn wrong_clocks_are_noticed_and_named() {
    let Some(library) = faketime() else {
        skipped("wrong clocks", "libfaketime is not installed (apt-get install faketime)");
        return;
    };
    let mut scene = scene();
    let preload = format!("LD_PRELOAD={library}");
    let shifted = ["env", &preload, "FAKETIME=+20m", "FAKETIME_DONT_FAKE_MONOTONIC=1"];

    // An institution whose clock is 20 minutes ahead refuses, says why, and spoils nobody else's answer.
    scene.town.node_mut(House::Clinic).stop().unwrap();
    scene.town.node_mut(House::Clinic).wrap(&shifted);
    scene.town.start(House::Clinic).unwrap();
    let view = scene.view();
    assert_eq!(view.outcome(House::Clinic), "expired");
    assert_eq!((view.coverage.outcomes["data"], view.coverage.complete), (5, false));
    scene.town.node_mut(House::Clinic).stop().unwrap();
    scene.town.node_mut(House::Clinic).wrap(&[]);
    scene.town.start(House::Clinic).unwrap();
    assert!(scene.view().coverage.complete);

    // A terminal whose clock is ahead tells its owner so.
    let config = scene.town.folder().join("terminal.toml");
    let out = std::process::Command::new("env")
        .args(&shifted[1..])
        .arg(scene.town.programs().path("hibiki-terminal"))
        .args(["login", "--config"])
        .arg(config)
        .arg("--card-file")
        .arg(&scene.card.file)
        .arg("--pin-file")
        .arg(&scene.card.pin_file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success());
    assert!(said.contains("時計") && said.contains("clock"), "{said}");
}
