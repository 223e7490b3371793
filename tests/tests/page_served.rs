//! The page as a process: its link, its one browser, its kiosk, its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use hibiki_tests::browser::{Browser, By, Key, Settings as Wishes};
use hibiki_tests::clock::Stopwatch;
use hibiki_tests::population::Population;
use hibiki_tests::town::cards::PIN;
use hibiki_tests::town::{Card, Settings, Town};
use hibiki_tests::{clock, evidence, family};

/// Longer than the page waits for a sign of life.
const QUIET: Duration = Duration::from_secs(9);
const PATIENCE: Duration = Duration::from_secs(20);

struct Scene {
    town: Town,
    people: Population,
    card: Card,
    /// The baby's name.
    baby: String,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(21, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    let baby = people.resident(&family.baby).unwrap().name.clone();
    Scene { town, people, card, baby, _folder: folder }
}

fn log_in(browser: &Browser, expected: &str) {
    browser.wait_for(By::Role("textbox")).unwrap();
    browser.type_text(PIN).unwrap();
    browser.press(Key::Enter).unwrap();
    browser.wait_for(By::Text(expected)).unwrap();
}

#[test]
fn a_link_opens_once_and_the_page_stays_until_its_terminal_ends() {
    let Some(browser) = Browser::start_or_skip("the page in a browser", &Wishes::default()) else { return };
    let Scene { town, people, card, baby, _folder } = scene();
    let mut page = town.serve(&card, &[]).unwrap();
    browser.goto(page.link()).unwrap();
    assert!(browser.url().unwrap().starts_with(page.origin()) && !browser.url().unwrap().contains("/open/"));
    log_in(&browser, &baby);
    let quiet = Stopwatch::start();

    // Another browser: the used link is closed to it, a new one opens.
    let other = Browser::start(&Wishes::default()).unwrap();
    other.goto(page.link()).unwrap();
    assert!(!other.text().unwrap().contains(&baby));
    other.goto(&page.another_link().unwrap()).unwrap();
    other.wait_for(By::Text(&baby)).unwrap();
    assert_eq!(other.foreign_requests().unwrap(), Vec::<String>::new());
    assert_eq!(other.stored().unwrap(), Vec::<String>::new());

    // Nothing happens for longer than a lost desk would be believed in: the page is still there.
    clock::pause(QUIET.saturating_sub(quiet.elapsed()));
    assert!(other.text().unwrap().contains(&baby), "{}", other.text().unwrap());
    let said = page.said();
    let data = evidence::personal_data(&people);
    assert_eq!(evidence::found_in(&said, &data), Vec::<&str>::new(), "{said}");
    assert!(page.stop().unwrap().success(), "SIGTERM is a clean exit, whoever has not typed a line");
    other.wait_gone(By::Text(&baby)).unwrap();
}

#[test]
fn a_kiosk_begins_anew_for_every_guardian() {
    let test = "a kiosk";
    // Only to know whether there is a browser.
    if Browser::start_or_skip(test, &Wishes::default()).is_none() {
        return;
    }
    let Scene { town, card, baby, _folder, .. } = scene();
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let debugged = format!("--browser-argument=--remote-debugging-port={}", free.port());
    let more = ["--browser-argument=--headless=new", "--browser-argument=--no-sandbox", &debugged];
    let page = town.serve_kiosk(&card, &more).unwrap();
    let mut before = BTreeSet::new();
    for _ in 0..2 {
        let kiosk = Browser::attach(&free.to_string()).unwrap();
        if !before.is_empty() {
            kiosk.click(By::Named("button", "このカードでもう一度はじめる")).unwrap();
        }
        log_in(&kiosk, &baby);
        let profile = profiles_of(page.id());
        assert_eq!(profile.len(), 1, "{profile:?}");
        assert!(profile.is_disjoint(&before), "a profile of its own");
        kiosk.click(By::Named("button", "終了する")).unwrap();
        drop(kiosk);
        let gone = || profiles_of(page.id()).is_disjoint(&profile) && !exists(&profile);
        assert!(clock::wait_until(PATIENCE, gone), "{profile:?}");
        before = profile;
    }
    let last = clock::wait_until(PATIENCE, || !profiles_of(page.id()).is_empty());
    assert!(last, "the next guardian's browser is there already");
    let last = profiles_of(page.id());
    assert!(page.stop().unwrap().success());
    assert!(!exists(&last), "{last:?}");
}

fn exists(folders: &BTreeSet<String>) -> bool {
    folders.iter().any(|folder| Path::new(folder).exists())
}

/// Profile folders of the browsers a terminal has started.
fn profiles_of(terminal: u32) -> BTreeSet<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let children = processes.filter(|path| {
        let status = std::fs::read_to_string(path.join("status")).unwrap_or_default();
        status.lines().any(|line| line == format!("PPid:\t{terminal}"))
    });
    let arguments = children.filter_map(|path| std::fs::read(path.join("cmdline")).ok());
    let profile = |arguments: Vec<u8>| {
        let text = String::from_utf8_lossy(&arguments).into_owned();
        text.split('\0').find_map(|argument| argument.strip_prefix("--user-data-dir=").map(str::to_owned))
    };
    arguments.filter_map(profile).collect()
}
