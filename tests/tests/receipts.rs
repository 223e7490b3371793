//! A guardian keeps the receipts of what she asks, fetches their proofs, and judges them alone; and an institution
//! that is killed between promise and checkpoint keeps its promise when it is back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use hibiki_protocol::tlog::{Checkpoint, SignedNote};
use hibiki_tests::clock;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::schema::Schema;
use hibiki_tests::town::{Card, Settings, Town};
use serde_json::Value;

const HOSPITAL: &str = "maebashi/chuo-hospital";
/// What `receipts verify` ends with.
const PROVED: Option<i32> = Some(0);
const NOTHING: Option<i32> = Some(1);
const NOT_YET: Option<i32> = Some(3);
const ALARMING: Option<i32> = Some(4);

#[test]
fn receipts_are_kept_proved_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(23, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();
    let receipts = folder.path().join("receipts");

    from_promise_to_proof(&town, &card, &receipts);
    a_change_is_proved_at_once(&town, &card, &receipts);
    killed_before_the_checkpoint(&mut town, &card, &receipts);
    what_was_tampered_with(&town, &receipts, &folder.path().join("tampered"));
}

/// Holds JSON against a table of the document.
fn fits(json: &Value, table: &str) {
    let document = include_str!("../../docs/receipts.md");
    let table = document.split(&format!("\n## {table}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    assert_eq!(Schema::read(table).faults(json), Vec::<String>::new(), "{json}");
}

fn look(town: &Town, card: &Card, receipts: &Path) {
    let asked = town.view(card, 1, &["--receipts", receipts.to_str().unwrap()]).unwrap();
    assert!(asked.success, "{}", asked.said);
}

/// The counts of `receipts verify`: proved, promised, and everything else.
fn verified(town: &Town, receipts: &Path, status: Option<i32>) -> (u64, u64, u64) {
    let said = town.verify_receipts(receipts).unwrap();
    assert_eq!(said.status, status, "{} {}", said.json, said.told);
    fits(&said.json, "What `receipts verify --format json` prints");
    let count = |name: &str| said.json["summary"][name].as_u64().unwrap();
    let others = ["keys_unknown", "broken", "wrong", "unreadable", "copies"].into_iter().map(count).sum();
    (count("proved"), count("promised"), others)
}

fn files(receipts: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(receipts).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().unwrap() == "json").collect();
    files.sort();
    files
}

fn from_promise_to_proof(town: &Town, card: &Card, receipts: &Path) {
    let missing = town.verify_receipts(receipts).unwrap();
    assert_eq!((missing.status, &missing.json), (NOTHING, &Value::Null));
    fs::create_dir(receipts).unwrap();
    let empty = town.verify_receipts(receipts).unwrap();
    assert_eq!((empty.status, empty.told.contains("holds no receipts")), (NOTHING, true), "{}", empty.told);
    assert_eq!(town.prove_receipts(card, receipts).unwrap().status, NOTHING);

    look(town, card, receipts);
    let everybody = House::ALL.len() as u64;
    assert_eq!(verified(town, receipts, NOT_YET), (0, everybody, 0));
    let person = &town.login(card).unwrap()[0];
    for path in files(receipts) {
        let text = fs::read_to_string(&path).unwrap();
        fits(&serde_json::from_str(&text).unwrap(), "A receipt's file");
        for secret in [&person.name, &person.kana, &person.birth_date] {
            assert!(!text.contains(secret.as_str()), "{} names somebody", path.display());
            assert!(!path.to_str().unwrap().contains(secret.as_str()));
        }
    }
    let proved = town.prove_receipts(card, receipts).unwrap();
    assert_eq!(proved.status, PROVED, "{}", proved.told);
    fits(&proved.json, "What `receipts prove --format json` prints");
    assert_eq!(proved.json["proved"], everybody, "{}", proved.json);
    assert_eq!(verified(town, receipts, PROVED), (everybody, 0, 0));
    let again = town.prove_receipts(card, receipts).unwrap();
    assert_eq!((again.status, &again.json["proved"]), (PROVED, &Value::from(0)), "nothing is left to prove");
}

/// What she chooses comes back with its proof; the others were asked for nothing and promise that, too.
fn a_change_is_proved_at_once(town: &Town, card: &Card, receipts: &Path) {
    let (proved, promised, _) = verified(town, receipts, PROVED);
    let choice = ["--at", HOSPITAL, "--deny", "growth", "--receipts", receipts.to_str().unwrap()];
    let (said, success) = town.ask("consent", card, 1, &choice).unwrap();
    assert!(success, "{said}");
    let others = House::ALL.len() as u64 - 1;
    assert_eq!(verified(town, receipts, NOT_YET), (proved + 1, promised + others, 0));
    assert_eq!(town.prove_receipts(card, receipts).unwrap().json["proved"], others);
    verified(town, receipts, PROVED);
}

/// How many entries the checkpoint in the hospital's folder covers.
fn covered(town: &Town) -> u64 {
    let note = fs::read(town.node(House::Hospital).data().join("ledger/checkpoint")).unwrap();
    Checkpoint::parse_text(SignedNote::parse(&note).unwrap().text()).unwrap().size
}

/// The newest place the hospital has promised.
fn promised_place(receipts: &Path) -> u64 {
    let read = |path: PathBuf| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let hospitals = files(receipts).into_iter().map(read).filter(|receipt| receipt["member"] == HOSPITAL);
    hospitals.map(|receipt| receipt["index"].as_u64().unwrap()).max().unwrap()
}

fn killed_before_the_checkpoint(town: &mut Town, card: &Card, receipts: &Path) {
    let (proved, _, _) = verified(town, receipts, PROVED);
    // A checkpoint every minute: once in a while one falls between promise and kill, hence the second look.
    let uncovered = (0..3).any(|_| {
        look(town, card, receipts);
        promised_place(receipts) >= covered(town)
    });
    assert!(uncovered, "every promise was covered at once");
    town.node_mut(House::Hospital).kill();
    town.await_links_down(&[House::Hospital]).unwrap();
    assert!(promised_place(receipts) >= covered(town), "the kill came after the checkpoint");
    let down = town.prove_receipts(card, receipts).unwrap();
    fits(&down.json, "What `receipts prove --format json` prints");
    assert_eq!(down.status, PROVED, "{}", down.told);
    assert_eq!(down.json["unanswered"][0]["institution"], HOSPITAL, "{}", down.json);
    assert_eq!(down.json["unanswered"].as_array().unwrap().len(), 1, "{}", down.json);
    let (others, waiting, wrong) = verified(town, receipts, NOT_YET);
    assert_eq!((others - proved, wrong), (waiting * (House::ALL.len() as u64 - 1), 0));
    town.start(House::Hospital).unwrap();
    town.await_links(&[House::Hospital]).unwrap();
    let back = town.prove_receipts(card, receipts).unwrap();
    assert_eq!((&back.json["proved"], &back.json["denied"]), (&Value::from(waiting), &Value::from(0)));
    assert_eq!(verified(town, receipts, PROVED), (others + waiting, 0, 0));
}

/// One digit of a proof, one of a leaf, half a file, and a proof of another: each is found and named.
fn what_was_tampered_with(town: &Town, receipts: &Path, tampered: &Path) {
    fs::create_dir(tampered).unwrap();
    for entry in fs::read_dir(receipts).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, tampered.join(path.file_name().unwrap())).unwrap();
    }
    let files = files(tampered);
    let read = |number: usize| fs::read_to_string(&files[number]).unwrap();
    let receipt = |number: usize| serde_json::from_str::<Value>(&read(number)).unwrap();
    let mut replayed = receipt(0);
    replayed["proof"] = receipt(1)["proof"].clone();
    let mut moved = receipt(2);
    moved["index"] = (moved["index"].as_u64().unwrap() + 1).into();
    let half = read(3);
    fs::write(&files[0], replayed.to_string()).unwrap();
    fs::write(&files[2], moved.to_string()).unwrap();
    fs::write(&files[3], &half[..half.len() / 2]).unwrap();
    let said = town.verify_receipts(tampered).unwrap();
    assert_eq!(said.status, ALARMING);
    let verdicts: Vec<&str> =
        (0..4).map(|number| said.json["receipts"][number]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["wrong", "proved", "unreadable", "unreadable"], "{}", said.json);
    // Without the lists that were kept beside them, the terminal's own still serves.
    for entry in fs::read_dir(receipts).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "list" {
            fs::remove_file(path).unwrap();
        }
    }
    verified(town, receipts, PROVED);
}
