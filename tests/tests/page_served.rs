//! The page as a process: its link, its one browser, its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_tests::browser::{Browser, By, Key, Settings as Wishes};
use hibiki_tests::town::cards::PIN;
use hibiki_tests::town::{Settings, Town};
use hibiki_tests::{clock, evidence, family};

#[test]
fn a_link_opens_once_and_the_page_ends_with_its_terminal() {
    let Some(browser) = Browser::start_or_skip("the page in a browser", &Wishes::default()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(21, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    let mut page = town.serve(&card, &[]).unwrap();
    browser.goto(page.link()).unwrap();
    assert!(browser.url().unwrap().starts_with(page.origin()) && !browser.url().unwrap().contains("/open/"));
    browser.wait_for(By::Role("textbox")).unwrap();
    browser.type_text(PIN).unwrap();
    browser.press(Key::Enter).unwrap();
    let baby = people.resident(&family.baby).unwrap();
    browser.wait_for(By::Text(&baby.name)).unwrap();

    // Another browser: the used link is closed to it, a new one opens.
    let other = Browser::start(&Wishes::default()).unwrap();
    other.goto(page.link()).unwrap();
    assert!(!other.text().unwrap().contains(&baby.name));
    other.goto(&page.another_link().unwrap()).unwrap();
    other.wait_for(By::Text(&baby.name)).unwrap();

    assert_eq!(other.foreign_requests().unwrap(), Vec::<String>::new());
    assert_eq!(other.stored().unwrap(), Vec::<String>::new());
    let said = page.said();
    let data = evidence::personal_data(&people);
    assert_eq!(evidence::found_in(&said, &data), Vec::<&str>::new(), "{said}");
    assert!(page.stop().unwrap().success(), "SIGTERM is a clean exit, whoever has not typed a line");
}
