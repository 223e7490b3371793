//! Cards and readers that fail, at the real pcscd: each is named to the person, none hangs the terminal, and
//! none costs a try it should not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use hibiki_simcard::applet::{Applet, Atr, GoodCard};
use hibiki_simcard::vpcd::{Answer, Plastic};
use hibiki_simcard::{CardFile, PIN_TRIES};
use hibiki_tests::card_reader::{
    Fault, Faulty, InProcessCard, InsertedCard, PrivateReader, SOCKET_VARIABLE, SampleCard, When,
};
use hibiki_tests::clock;
use hibiki_tests::family;
use hibiki_tests::town::{Card, Programs, Settings, Town, TownError, staff};

/// The terminal must have said what is wrong within this: 5 s at the card, and what starting it takes here.
const ANSWER: Duration = Duration::from_secs(7);
/// VERIFY and SIGN.
const VERIFY: u8 = 0x20;
const SIGN: u8 = 0x2A;

/// `hibiki-terminal card` at a smart-card service.
fn look(service: &Path, more: &[&str]) -> Output {
    let mut terminal = Command::new(Programs::find().unwrap().path("hibiki-terminal"));
    terminal.arg("card").args(more).env(SOCKET_VARIABLE, service).stdin(Stdio::null()).output().unwrap()
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn missing_service_reader_and_card_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let none = look(&folder.path().join("nobody.sock"), &[]);
    assert!(!none.status.success());
    assert!(words(&none).contains("pcscd") && words(&none).contains("does not run"), "{}", words(&none));

    let Some(reader) =
        PrivateReader::start_or_skip("missing_service_reader_and_card", &folder.path().join("r"))
    else {
        return;
    };
    let unplugged = PrivateReader::start_unplugged(&folder.path().join("u")).unwrap();
    let without = look(unplugged.socket(), &[]);
    assert!(!without.status.success());
    assert_told(&words(&without), "カードリーダーが見つかりません", "No card reader was found");
    let empty = words(&look(reader.socket(), &[]));
    assert_eq!(empty.matches("no card").count(), 2, "{empty}");
    let json: serde_json::Value =
        serde_json::from_slice(&look(reader.socket(), &["--format", "json"]).stdout).unwrap();
    assert_eq!(json["readers"][0]["fault"], "no_card");
    assert!(json["readers"][0]["reader"].as_str().unwrap().starts_with("Hibiki Virtual Reader"));
}

/// A town whose guardian's card lies in a reader.
struct Scene {
    folder: tempfile::TempDir,
    town: Town,
    reader: PrivateReader,
    mother: Card,
    father: String,
}

impl Scene {
    fn found(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let reader = PrivateReader::start_or_skip(test, &folder.path().join("r"))?;
        let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
        let (people, family) = family::found(12, clock::today());
        staff::register(&town, &people).unwrap();
        let mother = town.issue_card(&family.mother).unwrap();
        Some(Self { folder, town, reader, mother, father: family.father })
    }

    /// The card as the terminal finds it in this slot.
    fn touched(&self, card: &Card, slot: usize, wait: u64) -> Card {
        card.in_reader(&self.reader.reader_name(slot), self.reader.socket(), wait)
    }

    fn plastic(&self) -> GoodCard {
        GoodCard::new(Applet::new(CardFile::open(&self.mother.file).unwrap()), Atr::contact())
    }

    fn tries(&self) -> u8 {
        CardFile::open(&self.mother.file).unwrap().tries_left().unwrap()
    }

    /// Logs in with a card that breaks; what the person was told, if it did break.
    fn login_with(&self, when: When, fault: Fault) -> Option<String> {
        let broken = Faulty::new(self.plastic(), when, fault);
        let _inserted = InProcessCard::insert(&self.reader, 0, broken).unwrap();
        let (login, took) = timed(|| self.town.login(&self.touched(&self.mother, 0, 1)));
        assert!(took < ANSWER, "{when:?}: {took:?}");
        login.err().map(|error| said(&error))
    }
}

/// What the person read.
fn said(error: &TownError) -> String {
    let said = error.to_string();
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
    said
}

#[expect(clippy::disallowed_methods, reason = "a test's own stop watch")]
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let began = std::time::Instant::now();
    let done = act();
    (done, began.elapsed())
}

#[track_caller]
fn assert_told(said: &str, ja: &str, en: &str) {
    assert!(said.contains(ja) && said.contains(en), "{said}");
}

#[test]
fn a_card_pulled_at_any_step_ends_the_login_and_costs_no_try() {
    let Some(scene) = Scene::found("a_card_pulled_at_any_step") else { return };
    let mut steps = 0;
    loop {
        steps += 1;
        let Some(said) = scene.login_with(When::Command(steps), Fault::Pulled) else { break };
        let waiting = said.contains("カードがありません") && said.contains("There is no card");
        let removed = said.contains("カードが離れた") && said.contains("The card was removed");
        assert!(waiting || removed, "step {steps}: {said}");
        assert_eq!(scene.tries(), PIN_TRIES, "step {steps}");
        assert!(steps < 60, "the login has an end");
    }
    assert!(steps > 15, "a login is more than {steps} commands");
    println!("pulled at each of {} steps", steps - 1);
    for instruction in [VERIFY, SIGN] {
        let said = scene.login_with(When::Instruction(instruction), Fault::Pulled).unwrap();
        assert!(said.contains("離れた") || said.contains("カードがありません"), "{instruction:X}: {said}");
    }
}

#[test]
fn a_card_that_freezes_or_talks_nonsense_is_named_within_seconds() {
    let Some(scene) = Scene::found("a_card_that_freezes") else { return };
    for when in [When::Command(1), When::Command(8), When::Instruction(SIGN)] {
        let said = scene.login_with(when, Fault::Frozen).expect("a frozen card opens nothing");
        assert_told(&said, "応答しません", "does not answer");
        // The frozen card was taken away: the service is there again.
        assert!(scene.town.login(&scene.mother).is_ok(), "{when:?}");
    }
    // Frozen while it lies there: the whole service hangs, and the terminal does not.
    let frozen = InsertedCard::run(&scene.reader, 0, &scene.mother.file, &[]).unwrap();
    let seen =
        clock::wait_until(ANSWER, || words(&look(scene.reader.socket(), &[])).contains("マイナンバーカード"));
    assert!(seen, "the card is seen before it freezes");
    frozen.freeze();
    // The service notices at its next look at the card, and hangs with it.
    let named = clock::wait_until(2 * ANSWER, || {
        let (seen, took) = timed(|| look(scene.reader.socket(), &[]));
        assert!(took < ANSWER, "{took:?}");
        let said = words(&seen);
        said.contains("応答しません") && said.contains("does not answer")
    });
    assert!(named, "a frozen card is named");
    frozen.thaw();
    drop(frozen);
    // No JPKI application: answers, but is another card.
    let said = scene.login_with(When::Command(1), Fault::Garbage(vec![0x6A, 0x82])).unwrap();
    assert_told(&said, "マイナンバーカードではありません", "no Individual Number card");
    for (n, bytes) in
        [vec![], vec![0x90], vec![0x90, 0x00], vec![0xFF; 300], vec![0x61, 0x10], vec![0x6C, 0x04]]
            .into_iter()
            .enumerate()
    {
        for when in [When::Command(2), When::Instruction(SIGN)] {
            let said = scene.login_with(when, Fault::Garbage(bytes.clone()));
            assert!(said.is_some_and(|said| said.contains("カード")), "{n} {when:?}");
        }
    }
    assert_eq!(scene.tries(), PIN_TRIES, "the PIN was right whenever it was shown");
}

/// A card that is another one after the terminal has looked at it: exchanged while the PIN was typed.
struct Exchanged {
    first: GoodCard,
    second: GoodCard,
    commands: usize,
    exchanged: bool,
}

/// Commands of a look at a card: enough to know that the certificate was being read.
const LOOK: usize = 8;

impl Exchanged {
    fn card(&mut self) -> &mut GoodCard {
        if self.exchanged { &mut self.second } else { &mut self.first }
    }
}

impl Plastic for Exchanged {
    fn atr(&mut self) -> Vec<u8> {
        self.card().atr()
    }
    fn power_on(&mut self) {
        self.card().power_on();
    }
    fn power_off(&mut self) {
        self.card().power_off();
        self.exchanged |= self.commands >= LOOK;
    }
    fn reset(&mut self) {
        self.card().reset();
    }
    fn transmit(&mut self, command: &[u8]) -> Answer {
        self.commands += 1;
        self.card().transmit(command)
    }
}

#[test]
fn a_card_that_was_exchanged_is_not_shown_the_pin() {
    let Some(scene) = Scene::found("a_card_that_was_exchanged") else { return };
    let other = SampleCard::make(scene.folder.path(), "other").unwrap();
    let second = GoodCard::new(Applet::new(CardFile::open(&other.file).unwrap()), Atr::contact());
    let exchanged = Exchanged { first: scene.plastic(), second, commands: 0, exchanged: false };
    let _inserted = InProcessCard::insert(&scene.reader, 0, exchanged).unwrap();
    let error = scene.town.login(&scene.touched(&scene.mother, 0, 1)).unwrap_err();
    assert_told(&said(&error), "カードが離れた", "The card was removed");
    for card in [&other.file, &scene.mother.file] {
        assert_eq!(CardFile::open(card).unwrap().tries_left().unwrap(), PIN_TRIES, "no PIN was shown");
    }
}

#[test]
fn readers_and_cards_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut reader) =
        PrivateReader::start_or_skip("readers_and_cards_are_watched", &folder.path().join("r"))
    else {
        return;
    };
    let card = SampleCard::make(folder.path(), "card").unwrap();
    let program = Programs::find().unwrap().path("hibiki-terminal");
    let mut watching = reader
        .client(&program.display().to_string())
        .args(["card", "--watch", "--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(watching.stdout.take().unwrap()));
    let mut next = |what: &str| -> serde_json::Value {
        let line = lines.next().unwrap_or_else(|| panic!("{what}: the terminal ended")).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    let slots = [next("slot"), next("slot")].map(|seen| (seen["reader"].clone(), seen["fault"].clone()));
    assert_eq!(slots.map(|(_, fault)| fault), ["no_card", "no_card"].map(serde_json::Value::from));
    let inserted = InsertedCard::run(&reader, 1, &card.file, &[]).unwrap();
    let seen = next("insert");
    assert_eq!((&seen["reader"], &seen["tries_left"]), (&reader.reader_name(1).into(), &3.into()), "{seen}");
    assert_eq!((&seen["simulated"], &seen["valid_now"]), (&true.into(), &true.into()), "{seen}");
    inserted.remove().unwrap();
    assert_eq!(next("remove")["fault"], "no_card");
    inserted.insert().unwrap();
    assert_eq!(next("insert again")["card"], "individual_number_card");
    reader.kill();
    let gone: Vec<String> = (0..3).map(|_| next("service gone")["fault"].to_string()).collect();
    assert!(gone.contains(&"\"no_service\"".to_owned()), "{gone:?}");
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn cards_that_must_not_open_are_refused_with_their_reason() {
    let Some(mut scene) = Scene::found("cards_that_must_not_open") else { return };
    let cards = scene.folder.path().join("more");
    let told = |scene: &Scene, card: &Card, ja: &str, en: &str| {
        let inserted = InsertedCard::run(&scene.reader, 0, &card.file, &[]).unwrap();
        let error = scene.town.login(&scene.touched(card, 0, 5)).unwrap_err();
        assert_told(&said(&error), ja, en);
        assert!(inserted.end(), "the card ends well");
    };
    let foreign = scene.town.council().foreign_card(&cards).unwrap();
    told(&scene, &foreign, "発行者が登録されていません", "its issuer is not accepted");

    let day = 24 * 3_600_000;
    let at =
        |days: i64| hibiki_protocol::time::Timestamp(clock::now().0.checked_add_signed(days * day).unwrap());
    let expired = scene.town.council().issue_card_for(&cards, "expired", 39, at(-40)).unwrap();
    told(&scene, &expired, "有効期限が切れています", "has expired");
    let future = scene.town.council().issue_card_for(&cards, "future", 30, at(2)).unwrap();
    told(&scene, &future, "まだ有効ではありません", "is not valid yet");
    let signature = scene.town.council().card_with_signature_certificate(&cards).unwrap();
    told(&scene, &signature, "このカードは、この連携では使えません", "This card cannot be used here");

    let father = scene.father.clone();
    let suspended = scene.town.issue_card(&father).unwrap();
    scene.town.council().suspend(&suspended).unwrap();
    scene.town.renew_revocations(24).unwrap();
    told(&scene, &suspended, "失効または一時停止", "revoked or suspended");
    scene.town.council().resume(&suspended).unwrap();
    scene.town.council().revoke(&scene.mother.clone()).unwrap();
    scene.town.renew_revocations(24).unwrap();
    told(&scene, &scene.mother, "失効または一時停止", "revoked or suspended");
    let inserted = InsertedCard::run(&scene.reader, 0, &suspended.file, &[]).unwrap();
    assert!(scene.town.login(&scene.touched(&suspended, 0, 5)).is_ok(), "resumed");
    drop(inserted);
}

#[test]
fn wrong_pins_and_two_cards_are_told() {
    let Some(scene) = Scene::found("wrong_pins_and_two_cards") else { return };
    let first = InsertedCard::run(&scene.reader, 0, &scene.mother.file, &[]).unwrap();
    let card = scene.touched(&scene.mother, 0, 5);

    // Two cards in two readers: nobody guesses which is meant.
    let copy = scene.folder.path().join("second.json");
    std::fs::copy(&scene.mother.file, &copy).unwrap();
    let second = InsertedCard::run(&scene.reader, 1, &copy, &[]).unwrap();
    let any = scene.mother.in_reader("Hibiki Virtual Reader", scene.reader.socket(), 5);
    assert_told(&said(&scene.town.login(&any).unwrap_err()), "複数のリーダー", "Several readers have a card");
    assert!(scene.town.login(&card).is_ok(), "the reader is named");
    drop(second);
    let elsewhere = scene.mother.in_reader("No Such Reader", scene.reader.socket(), 1);
    let error = said(&scene.town.login(&elsewhere).unwrap_err());
    assert_told(&error, "No Such Reader", "Hibiki Virtual Reader 00 00");

    let malformed = card.with_pin("12345").unwrap();
    assert_told(&said(&scene.town.login(&malformed).unwrap_err()), "4 桁", "four digits");
    assert_eq!(scene.tries(), PIN_TRIES);
    let wrong = card.with_pin("9999").unwrap();
    for left in [2, 1] {
        let error = said(&scene.town.login(&wrong).unwrap_err());
        assert_told(&error, &format!("あと {left} 回"), &format!("{left} tr"));
        assert_eq!(scene.tries(), left, "shown to the card once, never twice by itself");
    }
    let seen = words(&look(scene.reader.socket(), &[]));
    assert_told(&seen, "あと 1 回入力できます", "1 try left");
    assert_told(&said(&scene.town.login(&card).unwrap_err()), "残りはあと 1 回", "Only one try is left");
    assert_eq!(scene.tries(), 1, "the last try is not taken unasked");
    let last = scene.town.login_with(&wrong, &["--last-try"]).unwrap_err();
    assert_told(&said(&last), "あと 0 回", "0 tries left");
    for card in [&wrong, &card] {
        assert_told(&said(&scene.town.login(card).unwrap_err()), "ロックされています", "locked");
    }
    assert!(!first.log().contains("9999") && !scene.reader.log().contains("9999"), "no PIN in a log");
}
