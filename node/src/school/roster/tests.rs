//! Class lists as offices bring them: nobody is lost from her class, by whatever is wrong with a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use encoding_rs::SHIFT_JIS;
use hibiki_records::person::Sex;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::admin::{AdminError, Body, Event, Request, Responder, Router};
use crate::institution::town::{House, Town};
use crate::school::office;
use crate::store::{Intercepted, Store as _, StoreError};

/// As a school system of the prefecture exports it: CP932, half-width kana in the header, full-width digits, a number in
/// class beside the school's own, a column nobody asked for.
const EXPORT: &str = "学年,組,番号,学籍番号,氏名,ﾌﾘｶﾞﾅ,性別,生年月日,保護者,給食地区\r\n\
    ３,２,1,20210001,前橋　花子,ﾏｴﾊﾞｼ ﾊﾅｺ,女,平成30年4月2日,\"前橋, 一郎\",第１地区\r\n\
    3年,2組,2,20210002,髙﨑 太郎,ﾀｶｻｷ ﾀﾛｳ,男,20180402,,\r\n\
    3,1,1,20210003,渋川 桃子,シブカワ モモコ,2,H30.5.6,,\r\n";

struct Office {
    town: Town,
    roster: Arc<Roster>,
    router: Router,
}

impl Office {
    async fn new() -> Self {
        let town = Town::new(Vec::new());
        let roster = office::empty(&town, "本校").await;
        let mut router = Router::new();
        commands::register(&mut router, &roster);
        Self { town, roster, router }
    }

    fn house(&self) -> &House {
        self.town.house("school")
    }

    async fn ask(&self, command: &str, arguments: Value) -> Result<Value, AdminError> {
        let (responder, _events, _cancel) = Responder::channel();
        self.router.dispatch(Request::local(command, arguments, Some("sato")), responder).await
    }

    /// Brings a file; the answer, and the warnings.
    async fn bring(&self, file: &[u8]) -> (Result<Value, AdminError>, Vec<String>) {
        let (responder, mut events, _cancel) = Responder::channel();
        let request = Request {
            body: Body::of(file.to_vec()),
            ..Request::local(commands::IMPORT, json!({}), Some("sato"))
        };
        let answer = self.router.dispatch(request, responder).await;
        let mut warnings = Vec::new();
        while let Ok(event) = events.try_recv() {
            if let Event::Warning(warning) = event {
                warnings.push(format!("{}: {}", warning.place.unwrap(), warning.what));
            }
        }
        (answer, warnings)
    }

    /// A list of two columns: number and class.
    async fn list(&self, lines: &[(&str, &str)]) -> Imported {
        self.roster.import(&read(file(lines).as_bytes()).unwrap(), "sato", |_| {}).await.unwrap()
    }

    /// Who is where, by number.
    fn placed(&self) -> Vec<(String, String)> {
        let numbers = self.roster.book.local_numbers().unwrap();
        let mut placed: Vec<(String, String)> = self
            .roster
            .pupils()
            .unwrap()
            .into_iter()
            .map(|pupil| (numbers[&SubjectId::from_bytes(pupil.key)].clone(), pupil.class))
            .collect();
        placed.sort();
        placed
    }
}

fn file(lines: &[(&str, &str)]) -> String {
    let mut text = "学籍番号,氏名,フリガナ,生年月日,性別,学級\n".to_owned();
    for (number, class) in lines {
        text.push_str(&format!("{number},前橋 花子,マエバシ ハナコ,2018-05-06,女,{class}\n"));
    }
    text
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(number, class)| ((*number).to_owned(), (*class).to_owned())).collect()
}

#[tokio::test]
async fn a_school_systems_export_is_taken_in_cp932_and_again_changes_nothing() {
    let office = Office::new().await;
    let (cp932, _, malformed) = SHIFT_JIS.encode(EXPORT);
    assert!(!malformed && cp932 != EXPORT.as_bytes());
    let (answer, warnings) = office.bring(&cp932).await;
    let answer = answer.unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((&answer["added"], &answer["left"], &answer["stayed"]), (&json!(3), &json!(0), &json!(0)));
    assert_eq!(answer["classes"], json!([{ "class": "3-1", "pupils": 1 }, { "class": "3-2", "pupils": 2 }]));
    assert_eq!(office.placed(), pairs(&[("20210001", "3-2"), ("20210002", "3-2"), ("20210003", "3-1")]));
    let key = office.roster.key(" 20210002 ").unwrap();
    let facts = office.roster.facts(&key).unwrap().unwrap();
    assert_eq!((facts.name.as_str(), facts.birth_date.to_string().as_str()), ("髙﨑 太郎", "2018-04-02"));
    assert!(facts.sex == Sex::Male && facts.matching_name == normalise("タカサキタロウ"));
    // The class's kitchen stands in one line of it; 3-1 has the school's.
    assert_eq!(office.roster.pupil(&key).unwrap().unwrap().kitchen, "第1地区");
    let kitchens: Vec<String> = office.roster.classes().unwrap().into_iter().map(|it| it.kitchen).collect();
    assert_eq!(kitchens, ["本校", "第1地区"]);

    let commits = office.house().store.stats().commits;
    let (again, _) = office.bring(EXPORT.as_bytes()).await;
    let again = again.unwrap();
    assert_eq!((&again["added"], &again["replaced"], &again["unchanged"]), (&json!(0), &json!(0), &json!(3)));
    assert_eq!(office.house().store.stats().commits, commits, "nothing was written");
}

fn normalise(kana: &str) -> String {
    hibiki_records::person::normalise_name(kana)
}

#[tokio::test]
async fn bad_lines_block_nobody_are_named_without_content_and_cost_no_child_her_class() {
    let office = Office::new().await;
    office.list(&[("1", "3-1"), ("2", "3-1"), ("3", "3-1"), ("4", "3-2")]).await;
    let header = "学籍番号,氏名,フリガナ,生年月日,性別,学級,給食地区\n";
    // 1 has no such birthday, 2 is absent, 3 is there twice, 4 moves.
    let file = format!(
        "{header}1,秘密 花子,ヒミツ ハナコ,2018-02-30,女,3-1,\n\
        3,秘密 三郎,ヒミツ サブロウ,2018-05-06,男,3-1,甲\n\
        3,秘密 三郎,ヒミツ サブロウ,2018-05-06,男,3-2,甲\n\
        4,秘密 四郎,ヒミツ シロウ,2018-05-06,男,3-1,\n\
        5,秘密 五郎,ヒミツ ゴロウ,2018-05-06,男,3-1,乙\n"
    );
    let (answer, warnings) = office.bring(file.as_bytes()).await;
    let answer = answer.unwrap();
    let places: Vec<(&str, &str)> = warnings
        .iter()
        .map(|warning| warning.split_once(": ").unwrap())
        .map(|(line, what)| (line, what.split(':').next().unwrap()))
        .collect();
    assert_eq!(places, [("line 2", "birth_date"), ("line 4", "pupil_number"), ("line 6", "kitchen")]);
    assert!(!format!("{answer}{warnings:?}").contains("秘密"));
    assert_eq!((&answer["left"], &answer["stayed"]), (&json!(1), &json!(1)));
    assert_eq!(office.placed(), pairs(&[("1", "3-1"), ("3", "3-1"), ("4", "3-1")]));
    assert!(office.roster.key("2").is_ok(), "who leaves is not erased");
    assert_eq!(office.roster.key("5").unwrap_err().to_string(), RosterError::NoSuchPupil.to_string());
    // A line without a readable number may be anybody's: nobody leaves on the strength of such a file.
    office.list(&[("1", "3-1"), ("2", "3-1")]).await;
    let unreadable = office.list(&[("1", "3-1"), ("二", "3-1")]).await;
    assert_eq!((unreadable.left, unreadable.stayed), (0, 1));
    assert_eq!(office.placed(), pairs(&[("1", "3-1"), ("2", "3-1")]));
    let mended = office.list(&[("1", "3-1")]).await;
    assert_eq!((mended.left, mended.stayed), (1, 0));
}

#[tokio::test]
async fn a_pupil_moves_to_another_class_and_a_list_of_one_class_leaves_the_others() {
    let office = Office::new().await;
    office.list(&[("1", "3-1"), ("2", "3-1"), ("3", "3-2")]).await;
    let moved = office.list(&[("2", "3年2組"), ("3", "３－２")]).await;
    assert_eq!((moved.unchanged, moved.left, moved.classes.len()), (2, 0, 1));
    assert_eq!(office.placed(), pairs(&[("1", "3-1"), ("2", "3-2"), ("3", "3-2")]));
    let key = office.roster.key("2").unwrap();
    assert_eq!(office.roster.pupil(&key).unwrap().unwrap().class, "3-2");
}

#[tokio::test]
async fn groups_that_are_no_classes_are_left_alone() {
    let office = Office::new().await;
    let choir = crate::recordbook::Entry::Group { id: "合唱".to_owned(), members: vec!["1".to_owned()] };
    office.roster.book.put_batch(vec![choir]).await.unwrap();
    assert_eq!(office.roster.pupils().unwrap(), []);
    office.list(&[("1", "3-1")]).await;
    assert_eq!(office.placed(), pairs(&[("1", "3-1")]));
    let key = office.roster.key("1").unwrap();
    assert_eq!(office.roster.book.groups_of(SubjectId::from_bytes(key)).unwrap().len(), 2);
}

#[tokio::test]
async fn a_class_may_eat_from_another_kitchen() {
    let office = Office::new().await;
    office.list(&[("1", "3-1"), ("2", "3-2")]).await;
    let set =
        office.ask(commands::KITCHEN, json!({ "class": "3年2組", "kitchen": " 第２地区 " })).await.unwrap();
    assert_eq!(set, json!({ "class": "3-2", "kitchen": "第2地区" }));
    let kitchen =
        |number: &str| office.roster.pupil(&office.roster.key(number).unwrap()).unwrap().unwrap().kitchen;
    assert_eq!((kitchen("1"), kitchen("2")), ("本校".to_owned(), "第2地区".to_owned()));
    // A list that says nothing of kitchens keeps what was said by hand.
    office.list(&[("1", "3-1"), ("2", "3-2")]).await;
    assert_eq!(kitchen("2"), "第2地区");
    let back = office.ask(commands::KITCHEN, json!({ "class": "3-2" })).await.unwrap();
    assert_eq!((back["kitchen"].as_str(), kitchen("2").as_str()), (Some("本校"), "本校"));
    for wrong in [json!({ "class": "9-9" }), json!({ "class": "3-1", "kitchen": " " })] {
        office.ask(commands::KITCHEN, wrong).await.unwrap_err();
    }
}

#[tokio::test]
async fn what_staff_do_and_see_is_in_the_ledger_and_nameless_acts_are_refused() {
    let office = Office::new().await;
    let before = office.house().logged().len();
    office.list(&[("1", "3-1")]).await;
    let seen = office.ask(commands::PUPILS, json!({ "class": "3-1" })).await.unwrap();
    assert_eq!(seen["pupils"][0]["name"], "前橋 花子");
    assert_eq!(office.house().logged().len(), before + 2);
    let (responder, _events, _cancel) = Responder::channel();
    let nameless = Request::local(commands::IMPORT, json!({}), None);
    assert!(office.router.dispatch(nameless, responder).await.unwrap_err().next.unwrap().contains("--staff"));
    let shown =
        format!("{:?} {:?}", read(file(&[("1", "3-1"), ("1", "3-1")]).as_bytes()).unwrap(), office.roster);
    assert!(!shown.contains("前橋") && shown.contains("***"), "{shown}");
}

#[tokio::test]
async fn files_that_are_no_class_lists_are_refused() {
    let office = Office::new().await;
    let crowd: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    let crowd: Vec<(&str, &str)> = crowd.iter().map(|number| (number.as_str(), "全校")).collect();
    for (bytes, part) in [
        (b"".to_vec(), "pupil_number"),
        (b"\x81".to_vec(), "CP932"),
        ("学籍番号,氏名,フリガナ,生年月日,性別,学年\n".as_bytes().to_vec(), "class"),
        ("学籍番号,氏名\n1,\"前橋\n".as_bytes().to_vec(), "line 2"),
        (file(&crowd).into_bytes(), "1999"),
    ] {
        let error = office.bring(&bytes).await.0.unwrap_err();
        assert!(error.what.contains(part), "{error}");
        assert!(!error.to_string().contains("前橋"));
    }
    assert_eq!(office.roster.classes().unwrap(), []);
    assert_eq!(office.roster.book.counts().unwrap().subjects, 0);
}

/// More pupils than one commit takes, all of whom change class: wherever the power goes, nobody is without a class, and
/// repeating the import completes it.
#[tokio::test]
async fn between_two_commits_nobody_is_without_a_class() {
    const PUPILS: usize = 2_500;
    let town = Town::new(Vec::new());
    let house = town.house("school");
    // The power goes after so many commits.
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let commits = Arc::clone(&left);
    let store = Intercepted::new(house.store.clone(), move |inner, batch| {
        let gone =
            commits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
        if gone { Err(StoreError::Closed) } else { inner.commit(batch) }
    });
    let book = office::book_over(Arc::new(store), house).await;
    let roster = Roster::new(town.means("school"), book, "本校".to_owned());
    let one = read(file(&[("1", "1-1")]).as_bytes()).unwrap().pupils.pop().unwrap();
    let list = |shift: usize| -> ClassList {
        let line = |n: usize| {
            let mut line = one.clone();
            line.facts.local_number = n.to_string();
            line.class = format!("{}-1", (n + shift) % 70);
            line
        };
        (0..PUPILS).map(line).collect::<Vec<_>>().into()
    };
    roster.import(&list(0), "sato", |_| {}).await.unwrap();
    let (mut shift, mut cuts) = (1, 0);
    loop {
        left.store(cuts, Ordering::SeqCst);
        let done = roster.import(&list(shift), "sato", |_| {}).await;
        let placed: BTreeSet<[u8; 16]> = roster.pupils().unwrap().iter().map(|pupil| pupil.key).collect();
        assert_eq!(placed.len(), PUPILS, "after {cuts} commits");
        left.store(usize::MAX, Ordering::SeqCst);
        if done.is_ok() {
            break;
        }
        roster.import(&list(shift), "sato", |_| {}).await.unwrap();
        assert_eq!(roster.pupils().unwrap().len(), PUPILS, "each in one class");
        (shift, cuts) = (shift + 1, cuts + 1);
    }
    assert!(cuts >= 4, "{cuts}");
}

/// The size of a large city: the figure is printed; the bound only keeps it from becoming minutes.
#[tokio::test]
async fn twenty_thousand_pupils_are_read_at_once() {
    let office = Office::new().await;
    let pupils: usize = if cfg!(debug_assertions) { 4_000 } else { 20_000 };
    let lines: Vec<(String, String)> =
        (0..pupils).map(|n| (n.to_string(), format!("{}-{}", n / 35 % 6 + 1, n / 210))).collect();
    let lines: Vec<(&str, &str)> =
        lines.iter().map(|(number, class)| (number.as_str(), class.as_str())).collect();
    office.list(&lines).await;
    let began = crate::env::monotonic();
    assert_eq!(office.roster.pupils().unwrap().len(), pupils);
    let read = began.elapsed();
    assert_eq!(office.roster.book.local_numbers().unwrap().len(), pupils);
    let numbered = began.elapsed() - read;
    assert_eq!(office.list(&lines).await.unchanged, pupils);
    eprintln!(
        "{pupils} pupils: {read:?} for their classes, {numbered:?} for their numbers, {:?} for the same list again",
        began.elapsed() - read - numbered
    );
    assert!(began.elapsed() < std::time::Duration::from_secs(60));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), tail in "[\\PC,\"\n]{0,80}") {
        let _ = read(&bytes);
        let _ = read([file(&[("1", "3-1")]).as_bytes(), tail.as_bytes()].concat().as_slice());
    }
}
