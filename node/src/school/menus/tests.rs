//! From a kitchen's sheet to what counts: drafts, words, revisions, and nothing unknown by accident.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use encoding_rs::SHIFT_JIS;
use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Registration, Removal, Verdict, judge};
use serde_json::{Value, json};

use super::*;
use crate::admin::{AdminError, Body, Event, Request, Responder, Router};
use crate::institution::town::Town;
use crate::school::office;

struct Kitchen {
    town: Town,
    menus: Arc<Menus>,
    router: Router,
}

/// 2026-11-22 is a Sunday; the sheets are of the week after.
const DAY: &str = "2026-11-24";

impl Kitchen {
    /// 3-1 eats from 第1地区, 3-2 from 第2地区.
    async fn new() -> Self {
        let town = Town::new(Vec::new());
        let roster = office::of_two_classes(&town).await;
        let menus = Arc::new(Menus::new(town.means("school"), "第1地区".to_owned()));
        let mut router = Router::new();
        commands::register(&mut router, &menus, &roster);
        Self { town, menus, router }
    }

    async fn ask(&self, command: &str, arguments: Value) -> Result<Value, AdminError> {
        let (responder, _events, _cancel) = Responder::channel();
        self.router.dispatch(Request::local(command, arguments, Some("tanaka")), responder).await
    }

    /// Brings a file: the answer, warnings, and how many words of progress there were.
    async fn bring(&self, file: &[u8], arguments: Value) -> (Result<Value, AdminError>, Vec<String>, usize) {
        let (responder, mut events, _cancel) = Responder::channel();
        let request = Request {
            body: Body::of(file.to_vec()),
            ..Request::local(commands::IMPORT, arguments, Some("tanaka"))
        };
        let answer = self.router.dispatch(request, responder).await;
        let (mut warnings, mut progress) = (Vec::new(), 0);
        while let Ok(event) = events.try_recv() {
            match event {
                Event::Warning(warning) => warnings.push(warning.what),
                Event::Progress(_) => progress += 1,
                _ => {}
            }
        }
        (answer, warnings, progress)
    }

    /// Brings one day of 第1地区.
    async fn serve(&self, things: &str) -> Value {
        let answer = self.bring(sheet(&[(DAY, "", things)]).as_bytes(), json!({})).await.0.unwrap();
        answer["menus"][0].clone()
    }

    async fn accept(&self) -> Value {
        self.ask(commands::ACCEPT, json!({ "from": DAY })).await.unwrap()
    }

    fn accepted(&self, kitchen: &str) -> Option<LunchDay> {
        self.menus.accepted(kitchen, DAY.parse().unwrap()).unwrap()
    }

    fn verdict(&self, kitchen: &str, allergen: &str) -> Verdict {
        let registered = Registration::from([(Allergen::from_id(allergen).unwrap(), Removal::Usual)]);
        judge(&self.accepted(kitchen).unwrap().survey, &registered).verdict()
    }
}

fn sheet(days: &[(&str, &str, &str)]) -> String {
    let mut text = "日付,地区,献立,食材,牛乳\n".to_owned();
    for (day, kitchen, things) in days {
        text.push_str(&format!("{day},{kitchen},ごはん、煮物,{things},×\n"));
    }
    text
}

#[tokio::test]
async fn a_sheet_in_cp932_becomes_drafts_that_do_not_count_yet() {
    let kitchen = Kitchen::new().await;
    let file = sheet(&[
        (DAY, "", "にんじん、鶏卵"),
        ("2026-11-25", "第２地区", "ホゲモゲ、竹輪"),
        ("2026-11-31", "", "米"),
    ]);
    let (cp932, _, _) = SHIFT_JIS.encode(&file);
    let (answer, warnings, progress) = kitchen.bring(&cp932, json!({})).await;
    let answer = answer.unwrap();
    let menus = answer["menus"].as_array().unwrap();
    assert_eq!(menus.len(), 2);
    assert_eq!(
        (&menus[0]["kitchen"], &menus[0]["state"], &menus[0]["draft"], &menus[0]["unknown"]),
        (&json!("第1地区"), &json!("new"), &json!(true), &json!([]))
    );
    assert_eq!((&menus[1]["kitchen"], &menus[1]["unknown"]), (&json!("第2地区"), &json!(["ホゲモゲ"])));
    assert_eq!(menus[1]["check_label"], json!(["竹輪"]));
    assert_eq!((answer["faults"][0]["line"].as_u64(), warnings.len()), (Some(4), 1), "{warnings:?}");
    assert!(progress > 0);
    assert_eq!(kitchen.accepted("第1地区"), None);
    assert_eq!(kitchen.menus.records_of("第1地区", DAY.parse().unwrap()).unwrap(), []);
}

#[tokio::test]
async fn a_revision_is_a_change_of_menu_or_of_what_is_known_of_it_and_nothing_else() {
    let kitchen = Kitchen::new().await;
    let mut changes = kitchen.menus.changes();
    kitchen.serve("にんじん").await;
    assert_eq!(
        kitchen.accept().await["accepted"],
        json!([{ "kitchen": "第1地区", "date": DAY, "revision": 1 }])
    );
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    // The same again, brought and accepted: nothing.
    let same = kitchen.serve("にんじん").await;
    assert_eq!(
        (&same["state"], &same["draft"], &same["revision"]),
        (&json!("unchanged"), &json!(false), &json!(1))
    );
    let again = kitchen.accept().await;
    assert_eq!((&again["accepted"], &again["unchanged"]), (&json!([]), &json!(1)));
    assert!(!changes.has_changed().unwrap());
    // Another draft counts once it is accepted.
    let other = kitchen.serve("鶏卵").await;
    assert_eq!(
        (&other["state"], &other["draft"], &other["revision"]),
        (&json!("changed"), &json!(true), &json!(1))
    );
    let day = DAY.parse().unwrap();
    assert!(kitchen.menus.is_behind("第1地区", day).unwrap());
    assert_eq!(
        (kitchen.verdict("第1地区", "egg"), kitchen.accepted("第1地区").unwrap().revision),
        (Verdict::Clear, 1)
    );
    // Taken back before that: there is no draft any more.
    kitchen.serve("にんじん").await;
    assert!(!kitchen.menus.is_behind("第1地区", day).unwrap());
    assert_eq!(kitchen.accept().await["accepted"], json!([]));
    kitchen.serve("鶏卵").await;
    kitchen.accept().await;
    assert_eq!(
        (kitchen.verdict("第1地区", "egg"), kitchen.accepted("第1地区").unwrap().revision),
        (Verdict::Contains, 2)
    );
}

#[tokio::test]
async fn what_nobody_knows_is_not_accepted_unless_somebody_says_so_and_then_is_cleared_for_nobody() {
    let kitchen = Kitchen::new().await;
    kitchen.serve("ホゲモゲ、にんじん").await;
    let refused = kitchen.accept().await;
    assert_eq!(refused["accepted"], json!([]));
    assert_eq!(refused["refused"], json!([{ "kitchen": "第1地区", "date": DAY, "unknown": ["ホゲモゲ"] }]));
    assert_eq!(kitchen.accepted("第1地区"), None);
    let arguments = json!({ "from": DAY, "with_unknown": true });
    assert_eq!(kitchen.ask(commands::ACCEPT, arguments).await.unwrap()["accepted"][0]["revision"], 1);
    assert_eq!(kitchen.verdict("第1地区", "egg"), Verdict::CannotBeCleared);
    // Once somebody knows it, accepting again clears it.
    let word = json!({ "word": "ﾎｹﾞﾓｹﾞ", "contains": ["milk"] });
    let said = kitchen.ask(commands::WORD, word).await.unwrap();
    assert_eq!(said["accept_again"], json!([{ "kitchen": "第1地区", "date": DAY }]));
    assert_eq!(kitchen.accept().await["accepted"][0]["revision"], 2);
    assert_eq!(
        (kitchen.verdict("第1地区", "egg"), kitchen.verdict("第1地区", "milk")),
        (Verdict::Clear, Verdict::Contains)
    );
}

#[tokio::test]
async fn a_word_changes_drafts_at_once_and_accepted_days_when_they_are_accepted_again() {
    let kitchen = Kitchen::new().await;
    kitchen.serve("竹輪").await;
    kitchen.accept().await;
    assert_eq!(kitchen.verdict("第1地区", "egg"), Verdict::CannotBeCleared, "read the label");
    let set = kitchen.ask(commands::WORD, json!({ "word": "竹輪", "contains": ["egg"] })).await.unwrap();
    assert_eq!(set["accept_again"].as_array().unwrap().len(), 1);
    assert_eq!(kitchen.verdict("第1地区", "egg"), Verdict::CannotBeCleared, "not yet");
    let listed = kitchen.ask(commands::LIST, json!({})).await.unwrap();
    assert_eq!(
        (&listed["menus"][0]["outdated"], &listed["menus"][0]["check_label"]),
        (&json!(true), &json!([]))
    );
    kitchen.accept().await;
    assert_eq!(kitchen.verdict("第1地区", "egg"), Verdict::Contains);
    let shown = kitchen.ask(commands::SHOW, json!({ "date": DAY })).await.unwrap();
    let egg = shown["findings"].as_array().unwrap().iter().find(|it| it["allergen"] == "egg").unwrap();
    assert_eq!((&egg["in"], &egg["certainty"]), (&json!("竹輪"), &json!("evident")));
    assert!(egg["why_ja"].as_str().unwrap().contains("竹輪") && !egg["why_en"].as_str().unwrap().is_empty());
    // The same word otherwise spelt replaces it; striking it out brings the doubt back.
    kitchen.ask(commands::WORD, json!({ "word": "竹輪 " })).await.unwrap();
    assert_eq!(kitchen.ask(commands::WORDS, json!({})).await.unwrap()["words"].as_array().unwrap().len(), 1);
    kitchen.accept().await;
    assert_eq!(kitchen.verdict("第1地区", "egg"), Verdict::Clear);
    let struck = kitchen.ask(commands::WORD_REMOVE, json!({ "word": "竹輪" })).await.unwrap();
    assert_eq!(struck["accept_again"].as_array().unwrap().len(), 1);
    kitchen.ask(commands::WORD_REMOVE, json!({ "word": "竹輪" })).await.unwrap_err();
    kitchen.accept().await;
    assert_eq!(kitchen.verdict("第1地区", "egg"), Verdict::CannotBeCleared);
}

/// What the label of one kitchen's product says clears nothing at the other.
#[tokio::test]
async fn a_kitchens_own_word_goes_before_that_of_all_and_says_nothing_elsewhere() {
    let kitchen = Kitchen::new().await;
    let file = sheet(&[(DAY, "第1地区", "竹輪"), (DAY, "第2地区", "竹輪")]);
    kitchen.bring(file.as_bytes(), json!({})).await.0.unwrap();
    let verdicts = async |expected: (Verdict, Verdict)| {
        kitchen.accept().await;
        assert_eq!((kitchen.verdict("第1地区", "egg"), kitchen.verdict("第2地区", "egg")), expected);
    };
    verdicts((Verdict::CannotBeCleared, Verdict::CannotBeCleared)).await;
    let none = json!({ "word": "竹輪", "kitchen": "第２地区" });
    let set = kitchen.ask(commands::WORD, none).await.unwrap();
    assert_eq!(set["accept_again"], json!([{ "kitchen": "第2地区", "date": DAY }]));
    verdicts((Verdict::CannotBeCleared, Verdict::Clear)).await;
    kitchen.ask(commands::WORD, json!({ "word": "ちくわ", "contains": ["egg"] })).await.unwrap();
    kitchen.ask(commands::WORD, json!({ "word": "竹輪", "contains": ["egg"] })).await.unwrap();
    verdicts((Verdict::Contains, Verdict::Clear)).await;
    assert_eq!(kitchen.menus.words().unwrap().len(), 3);
    kitchen.ask(commands::WORD_REMOVE, json!({ "word": "竹輪", "kitchen": "第2地区" })).await.unwrap();
    verdicts((Verdict::Contains, Verdict::Contains)).await;
    // A kitchen nobody eats from is a slip of the pen.
    let error =
        kitchen.ask(commands::WORD, json!({ "word": "竹輪", "kitchen": "第3地区" })).await.unwrap_err();
    assert!(error.next.unwrap().contains("第2地区"));
}

#[tokio::test]
async fn kitchens_nobody_eats_from_are_pointed_out_and_one_name_is_one_kitchen() {
    let kitchen = Kitchen::new().await;
    let file = sheet(&[
        (DAY, "給食センター", "米"),
        ("2026-11-25", "第1地区", "米"),
        ("2026-11-25", "第１地区", "鶏卵"),
    ]);
    let (answer, warnings, _) = kitchen.bring(file.as_bytes(), json!({})).await;
    let answer = answer.unwrap();
    assert!(warnings[0].contains("給食センター") && warnings[0].contains("第2地区"), "{warnings:?}");
    assert_eq!(answer["menus"].as_array().unwrap().len(), 1, "of two menus of one day neither is taken");
    assert!(answer["faults"][0]["what"].as_str().unwrap().contains("2026-11-25"));
    // Named by hand, in any spelling.
    let (answer, warnings, _) =
        kitchen.bring(sheet(&[(DAY, "", "米")]).as_bytes(), json!({ "kitchen": "第２地区" })).await;
    assert_eq!((&answer.unwrap()["menus"][0]["kitchen"], warnings.len()), (&json!("第2地区"), 0));
    let listed = kitchen.ask(commands::LIST, json!({ "kitchen": "第２地区" })).await.unwrap();
    assert_eq!(listed["menus"].as_array().unwrap().len(), 1);
    kitchen.ask(commands::SHOW, json!({ "kitchen": " 第2地区", "date": DAY })).await.unwrap();
    let accepted =
        kitchen.ask(commands::ACCEPT, json!({ "kitchen": "第２地区", "from": DAY })).await.unwrap();
    assert_eq!(accepted["accepted"][0]["kitchen"], "第2地区");
}

#[tokio::test]
async fn guardians_get_two_months_of_their_kitchens_accepted_menus() {
    let kitchen = Kitchen::new().await;
    let today: CalendarDate = DAY.parse().unwrap();
    let days: Vec<String> =
        [-15, -14, 0, 60, 61].iter().map(|n| today.plus_days(*n).unwrap().to_string()).collect();
    let mut rows: Vec<(&str, &str, &str)> = days.iter().map(|day| (day.as_str(), "第1地区", "米")).collect();
    rows.push((DAY, "第2地区", "鶏卵"));
    kitchen.bring(sheet(&rows).as_bytes(), json!({})).await.0.unwrap();
    kitchen.ask(commands::ACCEPT, json!({ "from": days[0], "to": days[4] })).await.unwrap();
    let records = kitchen.menus.records_of("第1地区", today).unwrap();
    let dates: Vec<String> = records.iter().map(|record| record.date.to_string()).collect();
    assert_eq!(dates, days[1..4]);
    for record in &records {
        assert_eq!((record.category, record.media_type.as_str()), (Category::SchoolMenu, SCHOOL_CBOR));
        let lunch = LunchDay::read(&record.content).unwrap();
        assert_eq!((lunch.menu.kitchen.as_str(), lunch.revision), ("第1地区", 1));
    }
}

#[tokio::test]
async fn nonsense_is_refused_with_its_place_and_every_act_is_in_the_ledger() {
    let kitchen = Kitchen::new().await;
    let before = kitchen.town.house("school").logged().len();
    for (command, arguments, place) in [
        (commands::ACCEPT, json!({ "from": DAY, "to": "2026-11-23" }), "argument to"),
        (commands::ACCEPT, json!({ "from": DAY, "to": "2029-11-23" }), "argument to"),
        (commands::LIST, json!({ "to": "1999-01-01" }), "argument to"),
        (commands::SHOW, json!({ "date": DAY, "kitchen": "" }), "argument kitchen"),
        (commands::WORD, json!({ "word": "竹輪", "contains": ["eggs"] }), "argument contains"),
        (commands::WORD, json!({ "word": "の" }), "argument word"),
        (commands::WORD, json!({ "word": "あ".repeat(61) }), "argument word"),
    ] {
        let error = kitchen.ask(command, arguments.clone()).await.unwrap_err();
        assert_eq!(error.place.as_deref(), Some(place), "{arguments}: {error}");
    }
    assert!(kitchen.bring(b"", json!({})).await.0.unwrap_err().what.len() > 5);
    assert!(kitchen.ask(commands::SHOW, json!({ "date": DAY })).await.unwrap_err().next.is_some());
    assert_eq!(kitchen.town.house("school").logged().len(), before, "nothing was done");
    kitchen.serve("米").await;
    kitchen.accept().await;
    kitchen.ask(commands::WORD, json!({ "word": "竹輪" })).await.unwrap();
    kitchen.ask(commands::WORD_REMOVE, json!({ "word": "竹輪" })).await.unwrap();
    assert_eq!(kitchen.town.house("school").logged().len(), before + 4);
    for command in [commands::ACCEPT, commands::WORD, commands::WORD_REMOVE, commands::IMPORT] {
        let (responder, _events, _cancel) = Responder::channel();
        let nameless = Request::local(command, json!({}), None);
        assert!(kitchen.router.dispatch(nameless, responder).await.is_err());
    }
}
