//! Touch, PIN, home; and what the page does when the card goes.

use std::time::Duration;

use hibiki_simcard::vpcd::{Answer, Plastic};
use hibiki_tests::browser::{By, Key};
use hibiki_tests::card_reader::{InProcessCard, InsertedCard, PrivateReader};
use hibiki_tests::clock::Stopwatch;
use hibiki_tests::town::cards::PIN;

use super::pictures;
use super::scene::scene;
use super::visit::Visit;

/// The promise: half a second from the card's leaving to an empty page.
const PROMISED: Duration = Duration::from_millis(500);
/// What a single removal may take on a machine that does much else.
const WORST: Duration = Duration::from_secs(3);
/// Removals that are measured.
const REMOVALS: usize = 3;

/// A transport card: it answers everything with "file or application not found".
struct TransportCard;

impl Plastic for TransportCard {
    fn atr(&mut self) -> Vec<u8> {
        // FeliCa behind a contactless reader (PC/SC part 3, RID A000000306, standard 11, card name F004).
        vec![
            0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x11, 0xF0, 0x04, 0x00,
            0x00, 0x00, 0x00, 0x9F,
        ]
    }

    fn power_on(&mut self) {}

    fn power_off(&mut self) {}

    fn reset(&mut self) {}

    fn transmit(&mut self, _: &[u8]) -> Answer {
        Answer::Bytes(vec![0x6A, 0x82])
    }
}

#[test]
fn the_page_follows_the_card_in_the_reader() {
    let scene = scene();
    let test = "the page follows the card in the reader";
    let Some(mut reader) = PrivateReader::start_or_skip(test, &scene.folder().join("r")) else { return };
    let card = scene.mother.in_reader(&reader.reader_name(0), reader.socket(), 10);
    let Some(visit) = scene.visit(test, &card, &[]) else { return };
    let Visit { browser, .. } = &visit;

    // The empty reader, and a card that is none of ours.
    browser.wait_for(By::Text("カードをかざしてください")).unwrap();
    assert_eq!(visit.unfair(test), Vec::<String>::new(), "waiting");
    pictures::draw(browser, "waiting");
    let foreign = InProcessCard::insert(&reader, 0, TransportCard).unwrap();
    browser.wait_for(By::Text("マイナンバーカードではありません")).unwrap();
    drop(foreign);
    let inserted = InsertedCard::run(&reader, 0, &card.file, &["--removed"]).unwrap();
    browser.wait_gone(By::Text("マイナンバーカードではありません")).unwrap();

    // The touch: the page asks for the PIN by itself.
    inserted.insert().unwrap();
    browser.wait_for(By::Css("#pin")).unwrap();
    assert!(visit.main().contains("あと 3 回"), "{}", visit.main());
    assert_eq!(visit.unfair(test), Vec::<String>::new(), "PIN");
    pictures::draw(browser, "pin");
    pictures::draw_phone(browser, "pin");
    assert_eq!(visit.too_wide(hibiki_tests::browser::Screen::PHONE), Vec::<String>::new());

    // A wrong PIN by the pad, with the finger, corrected once.
    for digit in ["7", "clear", "9", "9", "9", "9"] {
        let button =
            if digit == "clear" { "[data-clear]".to_owned() } else { format!("[data-digit='{digit}']") };
        browser.tap(By::Css(&button)).unwrap();
    }
    browser.tap(By::Named("button", "決定")).unwrap();
    browser.wait_for(By::Text("暗証番号が違います")).unwrap();
    assert!(visit.main().contains("あと 2 回"), "{}", visit.main());
    browser.resize(super::visit::WINDOW).unwrap();

    // The right one by keyboard, which needs no click.
    browser.type_text(PIN).unwrap();
    browser.press(Key::Enter).unwrap();
    browser.wait_for(By::Text(scene.child())).unwrap();

    let mut took = Vec::new();
    for round in 0..REMOVALS {
        if round > 0 {
            inserted.insert().unwrap();
            visit.log_in();
            assert!(!visit.main().contains("あと"), "no trace of the last one");
        }
        let person = visit.person(scene.child());
        visit.open(&format!("{person}/medicines"));
        assert!(browser.source().unwrap().contains(scene.child()));
        took.push(removal(&visit, &inserted, scene.child()));
        browser.wait_for(By::Text("カードをかざしてください")).unwrap();
        assert!(visit.main().contains("カードが離れたため終了しました"), "why: {}", visit.main());
    }
    took.sort_unstable();
    println!("from the removal of the card to the empty page: {took:?}");
    assert!(took[REMOVALS / 2] <= PROMISED && took[REMOVALS - 1] <= WORST, "{took:?}");

    // The reader is unplugged: the service goes with it.
    drop(inserted);
    reader.kill();
    browser.wait_for(By::Text("pcscd")).unwrap();
    visit.assert_clean();
}

/// Takes the card away and looks until nothing of the child is in the document.
fn removal(visit: &Visit, inserted: &InsertedCard, name: &str) -> Duration {
    let watch = Stopwatch::start();
    inserted.remove().unwrap();
    let gone = "return !document.documentElement?.textContent.includes(arguments[0])";
    let wait = visit.browser.wait_until("the page is empty", WORST * 2, |browser| {
        Ok(browser.script(gone, &[serde_json::json!(name)])? == true)
    });
    wait.unwrap();
    watch.elapsed()
}

#[test]
fn a_terminal_without_a_reader_says_so() {
    let scene = scene();
    let test = "a terminal without a reader";
    let unplugged = match PrivateReader::start_unplugged(&scene.folder().join("u")) {
        Ok(unplugged) => unplugged,
        Err(missing) => return hibiki_tests::skip::skipped(test, &missing.to_string()),
    };
    let card = scene.mother.in_reader("", unplugged.socket(), 10);
    let Some(visit) = scene.visit(test, &card, &[]) else { return };
    visit.browser.wait_for(By::Text("カードリーダーを接続してください")).unwrap();
    assert!(visit.main().contains("カードをかざしてください"), "{}", visit.main());
    visit.assert_clean();
}
