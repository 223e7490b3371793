//! The alert against power cuts, changes of mind and clocks: nobody is left untold, nobody is told twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hibiki_protocol::ids::GuardianAlias;
use hibiki_records::allergen::Allergen;
use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::{Ingredient, Menu, Milk, Registration, Removal, judge};
use lettre::Message;
use proptest::prelude::*;

use super::hours::in_japan;
use super::saying::{Outlook, Said, Told, next};
use crate::config;
use crate::holds::Holds;
use crate::institution::Means;
use crate::institution::town::Town;
use crate::mail::compose::Writer;
use crate::mail::retry::Fault;
use crate::mail::{LetterKind, Outbox, Queued, Relay, Sender, State};
use crate::observe::board::StatusBoard;
use crate::recordbook::RecordBook;
use crate::school::hearing::Hearing;
use crate::school::roster::{PupilLine, read};
use crate::school::{School, Setup};
use crate::services::Pending;
use crate::store::{Committer, Intercepted, Store, StoreError};
use crate::vault::Vault;

/// A relay that takes or refuses, and everything it has taken: Message-ID and address.
#[derive(Default)]
struct Box_ {
    down: Mutex<bool>,
    taken: Mutex<Vec<(String, String)>>,
}

impl Relay for Box_ {
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move {
            if *self.down.lock().unwrap() {
                return Err(Fault::Connection);
            }
            let text = String::from_utf8(message.formatted()).unwrap();
            let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
            let to = message.envelope().to().first().unwrap().to_string();
            self.taken.lock().unwrap().push((id, to));
            Ok(())
        })
    }

    fn try_out<'a>(&'a self, _: Message) -> Pending<'a, Result<String, String>> {
        Box::pin(async { Ok(String::new()) })
    }
}

struct Stage {
    town: Town,
    store: Arc<dyn Store>,
    /// When the power is cut. 0: not; 1: before the next commit; 2: after it.
    cut: Arc<AtomicU8>,
    means: Means,
    board: StatusBoard,
    relay: Arc<Box_>,
}

/// The school as after a start, and its sender.
struct Running {
    school: School,
    outbox: Arc<Outbox>,
    sender: Arc<Sender>,
}

const KITCHEN: &str = "第1地区";

impl Stage {
    fn new() -> Self {
        let town = Town::new(Vec::new());
        let cut = Arc::new(AtomicU8::new(0));
        let when = Arc::clone(&cut);
        let inner = town.house("school").store.clone();
        let store: Arc<dyn Store> =
            Arc::new(Intercepted::new(inner, move |inner, batch| match when.swap(0, Ordering::SeqCst) {
                1 => Err(StoreError::Closed),
                2 => inner.commit(batch).and(Err(StoreError::Closed)),
                _ => inner.commit(batch),
            }));
        let shared = Arc::clone(&store);
        let ring = Arc::clone(&town.house("school").ring);
        let vault = Vault::new(Arc::clone(&shared), Committer::inline(shared), ring);
        let means = Means { vault, ..town.means("school") };
        Self { town, store, cut, means, board: StatusBoard::new(), relay: Arc::default() }
    }

    async fn start(&self) -> Running {
        let shared = Arc::clone(&self.store);
        let ring = Arc::clone(&self.town.house("school").ring);
        let book = RecordBook::open(Arc::clone(&shared), Committer::inline(shared), ring).await.unwrap();
        let outbox = Arc::new(Outbox::new(self.means.clone()));
        let school = School::new(Setup {
            settings: config::School {
                kitchen: KITCHEN.to_owned(),
                alert: 18 * 60,
                warn: 14 * 60,
                lunch: 12 * 60,
                staff_mail: vec!["office@momiji.example".to_owned()],
            },
            name: "もみじ小学校".to_owned(),
            means: self.means.clone(),
            book: Arc::new(book),
            holds: Arc::new(Holds::new(self.means.clone())),
            outbox: Arc::clone(&outbox),
            mails: true,
            board: self.board.clone(),
        });
        let sender = Arc::new(Sender {
            means: self.means.clone(),
            outbox: Arc::clone(&outbox),
            recipients: Arc::new(Hearing::new(self.means.clone(), Arc::new(Holds::new(self.means.clone())))),
            relay: Arc::clone(&self.relay) as Arc<dyn Relay>,
            writer: Writer { from: "school@momiji.example".parse().unwrap(), reply_to: None },
            at_once: 4,
            board: self.board.clone(),
        });
        Running { school, outbox, sender }
    }

    fn now(&self) -> u64 {
        self.means.env.now()
    }

    /// Moves the clock to a minute of a day in Japan.
    fn at(&self, day: &str, hour: u16, minute: u16) {
        let then = in_japan(day.parse().unwrap(), hour * 60 + minute);
        self.town.clock.advance(then.wrapping_sub(self.now()));
    }
}

fn class_list(numbers: &[&str]) -> Vec<PupilLine> {
    let mut text = "学籍番号,氏名,フリガナ,生年月日,性別,学級\n".to_owned();
    for number in numbers {
        text.push_str(&format!("{number},前橋 {number}子,マエバシ ハナコ,2018-05-06,女,3-2\n"));
    }
    read(text.as_bytes()).unwrap().pupils
}

fn menu(day: &str, things: &[&str]) -> Menu {
    let ingredient =
        |name: &&str| Ingredient { name: (*name).to_owned(), dish: None, amount: None, label: None };
    Menu {
        date: day.parse().unwrap(),
        kitchen: KITCHEN.to_owned(),
        dishes: vec!["ごはん".to_owned(), "スープ".to_owned()],
        ingredients: things.iter().map(ingredient).collect(),
        milk: Milk::NotServed,
        note: None,
    }
}

fn registered(ids: &[&str]) -> Registration {
    ids.iter().map(|id| (Allergen::from_id(id).unwrap(), Removal::Usual)).collect()
}

fn guardian(n: u8) -> GuardianAlias {
    GuardianAlias([n; 16])
}

async fn accept(school: &School, menu: Menu) {
    let day = menu.date;
    school.menus.bring(vec![menu], "tanaka", |_| {}).await.unwrap();
    school.menus.accept(None, (day, day), true, "tanaka").await.unwrap();
}

/// Letters to guardians about lunches, oldest first.
fn letters(outbox: &Outbox) -> Vec<Queued> {
    let mut all: Vec<Queued> = outbox.all().unwrap();
    all.retain(|it| it.letter.kind == LetterKind::Allergy);
    all.reverse();
    all
}

fn titles(outbox: &Outbox) -> Vec<String> {
    letters(outbox).into_iter().map(|it| it.letter.title).collect()
}

async fn one_child(stage: &Stage) -> (Running, [u8; 16]) {
    stage.at("2026-11-25", 10, 0);
    let running = stage.start().await;
    running.school.roster.import(&class_list(&["1"]).into(), "sato", |_| {}).await.unwrap();
    let child = running.school.roster.key("1").unwrap();
    running.school.registrations.enter(&child, guardian(1), registered(&["egg"]), Some("a@example.jp")).await;
    (running, child)
}

#[tokio::test]
async fn the_evening_before_an_egg_the_guardian_gets_one_mail() {
    let stage = Stage::new();
    let (running, child) = one_child(&stage).await;
    accept(&running.school, menu("2026-11-26", &["鶏卵", "にんじん"])).await;
    stage.at("2026-11-25", 17, 59);
    assert_eq!(running.school.alerts.round().await.unwrap().letters, 0, "not before six");
    stage.at("2026-11-25", 18, 0);
    assert_eq!(running.school.alerts.round().await.unwrap().letters, 1);
    assert_eq!(running.school.alerts.round().await.unwrap().letters, 0);
    running.sender.send_due().await.unwrap();
    assert_eq!(titles(&running.outbox), ["明日11月26日（木）の給食のお知らせ（アレルギー）"]);
    let text = &letters(&running.outbox)[0].letter.text;
    assert!(text.contains("1子さん（3-2）") && text.contains("卵") && text.contains("鶏卵"), "{text}");
    let told = running.outbox.of_guardian(&child, &guardian(1)).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(stage.relay.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_node_that_was_off_all_evening_catches_up_before_lunch_and_not_after() {
    for (hour, letters) in [(23, 1), (11, 1), (12, 0)] {
        let stage = Stage::new();
        let (running, _) = one_child(&stage).await;
        accept(&running.school, menu("2026-11-26", &["鶏卵"])).await;
        drop(running);
        stage.at(if hour == 23 { "2026-11-25" } else { "2026-11-26" }, hour, 30 * u16::from(hour == 23));
        let running = stage.start().await;
        assert_eq!(running.school.alerts.round().await.unwrap().letters, letters, "at {hour}");
    }
}

#[tokio::test]
async fn a_menu_changed_after_the_alert_is_corrected() {
    let stage = Stage::new();
    let (running, _) = one_child(&stage).await;
    accept(&running.school, menu("2026-11-26", &["鶏卵"])).await;
    stage.at("2026-11-25", 18, 0);
    running.school.alerts.round().await.unwrap();
    accept(&running.school, menu("2026-11-26", &["鶏卵", "にんじん"])).await;
    assert_eq!(running.school.alerts.round().await.unwrap().letters, 0, "a carrot is no news");
    // Letters of one millisecond stand in no order.
    stage.at("2026-11-25", 18, 5);
    accept(&running.school, menu("2026-11-26", &["にんじん"])).await;
    running.school.alerts.round().await.unwrap();
    stage.at("2026-11-26", 7, 0);
    accept(&running.school, menu("2026-11-26", &["うずら卵"])).await;
    running.school.alerts.round().await.unwrap();
    let titles = titles(&running.outbox);
    assert_eq!(titles.len(), 3, "{titles:?}");
    assert!(titles[1].starts_with("【訂正】明日") && titles[2].starts_with("【訂正】今日"), "{titles:?}");
}

#[tokio::test]
async fn without_a_menu_staff_are_told_in_time_and_guardians_that_nothing_could_be_checked() {
    let stage = Stage::new();
    let (running, _) = one_child(&stage).await;
    stage.at("2026-11-25", 14, 0);
    running.school.alerts.round().await.unwrap();
    assert!(stage.board.snapshot(0).problems.contains_key("school-lunch"));
    let staff: Vec<Queued> =
        running.outbox.all().unwrap().into_iter().filter(|it| it.letter.kind == LetterKind::Staff).collect();
    assert_eq!(staff.len(), 1);
    assert!(staff[0].letter.text.contains("献立が確定していません"), "{}", staff[0].letter.text);
    assert!(letters(&running.outbox).is_empty());
    stage.at("2026-11-25", 18, 0);
    running.school.alerts.round().await.unwrap();
    assert!(titles(&running.outbox)[0].contains("確認できていません"));
    accept(&running.school, menu("2026-11-26", &["にんじん"])).await;
    running.school.alerts.round().await.unwrap();
    assert!(!stage.board.snapshot(0).problems.contains_key("school-lunch"));
    assert_eq!(titles(&running.outbox).len(), 2, "what could not be checked has been cleared");
}

#[tokio::test]
async fn an_unknown_thing_is_never_silently_safe() {
    let stage = Stage::new();
    let (running, _) = one_child(&stage).await;
    let day: CalendarDate = "2026-11-26".parse().unwrap();
    running.school.menus.bring(vec![menu("2026-11-26", &["なぞのもと"])], "tanaka", |_| {}).await.unwrap();
    let done = running.school.menus.accept(None, (day, day), false, "tanaka").await.unwrap();
    assert_eq!((done.accepted.len(), done.refused.len()), (0, 1));
    running.school.menus.accept(None, (day, day), true, "tanaka").await.unwrap();
    stage.at("2026-11-25", 18, 0);
    running.school.alerts.round().await.unwrap();
    let told = letters(&running.outbox);
    assert!(
        told[0].letter.title.contains("確認できていません") && told[0].letter.text.contains("なぞのもと")
    );
    let problems = stage.board.snapshot(0).problems;
    assert!(problems["school-lunch"].contains("なぞのもと"));
}

#[tokio::test]
async fn staff_are_told_before_the_lunch_of_a_menu_that_waits_to_be_accepted_again() {
    let stage = Stage::new();
    let (running, _) = one_child(&stage).await;
    accept(&running.school, menu("2026-11-26", &["にんじん"])).await;
    running.school.menus.bring(vec![menu("2026-11-26", &["鶏卵"])], "tanaka", |_| {}).await.unwrap();
    let problem = || stage.board.snapshot(0).problems.get("school-lunch").cloned();
    stage.at("2026-11-25", 13, 59);
    running.school.alerts.round().await.unwrap();
    assert_eq!(problem(), None, "the kitchen is still at it");
    stage.at("2026-11-25", 14, 0);
    running.school.alerts.round().await.unwrap();
    assert!(problem().unwrap().contains("もう一度確定"), "{problem:?}", problem = problem());
    accept(&running.school, menu("2026-11-26", &["鶏卵"])).await;
    running.school.alerts.round().await.unwrap();
    assert_eq!(problem(), None);
}

#[tokio::test]
async fn nobody_silences_another_and_a_held_guardian_hears_nothing() {
    let stage = Stage::new();
    let (running, child) = one_child(&stage).await;
    let school = &running.school;
    school.registrations.enter(&child, guardian(2), Registration::new(), Some("b@example.jp")).await;
    accept(school, menu("2026-11-26", &["鶏卵"])).await;
    stage.at("2026-11-25", 18, 0);
    assert_eq!(school.alerts.round().await.unwrap().letters, 2, "both parents, on one's registration");
    school.registrations.set_by_school(&child, registered(&["carrot_is_none"; 0]), "tanaka").await.unwrap();
    assert_eq!(school.alerts.round().await.unwrap().letters, 0);
    // A hold that comes while the letters wait: hers is thrown away, his goes out.
    let held = hibiki_protocol::ids::Pseudonym([9; 16]);
    school.alerts.holds.enter(&held, Some(guardian(1))).await;
    running.sender.send_due().await.unwrap();
    let taken: Vec<String> = stage.relay.taken.lock().unwrap().iter().map(|(_, to)| to.clone()).collect();
    assert_eq!(taken, ["b@example.jp"]);
    assert_eq!(letters(&running.outbox).len(), 1);
    assert!(running.outbox.of_guardian(&child, &guardian(1)).unwrap().is_empty());
    assert_eq!(running.outbox.counts().unwrap().waiting, 0);
    let day: CalendarDate = "2026-11-26".parse().unwrap();
    assert_eq!(running.outbox.not_sent(day, true).unwrap(), 0, "nobody telephones her");
    // And nothing new is written to her.
    accept(school, menu("2026-11-26", &["にんじん"])).await;
    assert_eq!(school.alerts.round().await.unwrap().letters, 1, "his correction");
    school.alerts.holds.enter(&held, None).await;
    accept(school, menu("2026-11-26", &["鶏卵"])).await;
    assert_eq!(school.alerts.round().await.unwrap().letters, 0, "a hold from everybody");
}

#[tokio::test]
async fn a_child_whom_nobody_can_be_told_of_is_a_matter_for_staff() {
    let stage = Stage::new();
    let (running, child) = one_child(&stage).await;
    running.school.registrations.enter(&child, guardian(1), registered(&["egg"]), None).await;
    accept(&running.school, menu("2026-11-26", &["鶏卵"])).await;
    stage.at("2026-11-25", 18, 0);
    let round = running.school.alerts.round().await.unwrap();
    assert_eq!((round.letters, round.unreachable.len()), (0, 1));
    assert!(stage.board.snapshot(0).problems["school-lunch"].contains("メールアドレスがありません"));
}

#[tokio::test]
async fn what_is_not_delivered_by_morning_is_a_matter_for_the_telephone() {
    let stage = Stage::new();
    let (running, _) = one_child(&stage).await;
    accept(&running.school, menu("2026-11-26", &["鶏卵"])).await;
    *stage.relay.down.lock().unwrap() = true;
    stage.at("2026-11-25", 18, 0);
    running.school.alerts.round().await.unwrap();
    running.sender.send_due().await.unwrap();
    assert!(!stage.board.snapshot(0).problems.contains_key("school-lunch"), "the night is young");
    stage.at("2026-11-26", 8, 30);
    running.school.alerts.round().await.unwrap();
    assert!(stage.board.snapshot(0).problems["school-lunch"].contains("1 通が届いていません"));
    *stage.relay.down.lock().unwrap() = false;
    running.sender.send_due().await.unwrap();
    running.school.alerts.round().await.unwrap();
    assert!(!stage.board.snapshot(0).problems.contains_key("school-lunch"));
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Wait(u16),
    Round,
    /// A round in which the power fails, before or after its commit; then the node starts again.
    Dies(bool),
    Menu(u8, Vec<u8>),
    Register(u8, u8, Vec<u8>),
    Send,
    Relay(bool),
}

const THINGS: [&str; 5] = ["鶏卵", "にんじん", "木綿豆腐", "なぞのもと", "豚肉"];
const ALLERGENS: [&str; 3] = ["egg", "soy", "pork"];
const DAYS: [&str; 3] = ["2026-11-26", "2026-11-27", "2026-11-30"];

fn step() -> impl Strategy<Value = Step> {
    let some = |most: u8| proptest::collection::vec(0..most, 0..3);
    prop_oneof![
        4 => (1..300_u16).prop_map(Step::Wait),
        4 => Just(Step::Round),
        2 => any::<bool>().prop_map(Step::Dies),
        3 => (0..3_u8, some(5)).prop_map(|(day, things)| Step::Menu(day, things)),
        3 => (0..2_u8, 1..3_u8, some(3)).prop_map(|(child, guardian, list)| Step::Register(child, guardian, list)),
        2 => Just(Step::Send),
        1 => any::<bool>().prop_map(Step::Relay),
    ]
}

/// What a guardian should have been told, by the rules and nothing else.
#[derive(Default)]
struct Model {
    told: BTreeMap<(u8, u8, CalendarDate), Vec<Said>>,
    last: BTreeMap<(u8, u8, CalendarDate), Told>,
    lists: BTreeMap<(u8, u8), Registration>,
}

impl Model {
    fn round(&mut self, school: &School, now: u64) {
        let first: CalendarDate = "2026-11-25".parse().unwrap();
        // No holiday in between: every Monday to Friday has lunch, and is told of on the weekday before.
        let weekdays = (-3..20).filter(|days| !matches!((days + 2_i32).rem_euclid(7), 5 | 6));
        let weekdays: Vec<CalendarDate> = weekdays.filter_map(|days| first.plus_days(days)).collect();
        for pair in weekdays.windows(2) {
            let [eve, day] = [pair[0], pair[1]];
            if now < in_japan(eve, 18 * 60) || now >= in_japan(day, 12 * 60) {
                continue;
            }
            let lunch = school.menus.accepted(KITCHEN, day).unwrap();
            for child in 0..2 {
                let mut all = Registration::new();
                for list in self.lists.iter().filter(|((whose, _), _)| *whose == child).map(|(_, list)| list)
                {
                    all.extend(list.iter().map(|(allergen, removal)| (*allergen, *removal)));
                }
                if all.is_empty() {
                    continue;
                }
                let guardians: Vec<u8> = self
                    .lists
                    .keys()
                    .filter(|(whose, _)| *whose == child)
                    .map(|(_, guardian)| *guardian)
                    .collect();
                for guardian in guardians {
                    let key = (child, guardian, day);
                    let outlook = match &lunch {
                        None => Outlook::NoMenu,
                        Some(lunch) => Outlook::Judged(judge(&lunch.survey, &all)),
                    };
                    if let Some(saying) = next(self.last.get(&key), outlook) {
                        self.told.entry(key).or_default().push(saying.told.said);
                        self.last.insert(key, saying.told);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// For random menus, registrations, crashes and restarts: every guardian is told exactly what a node that never
    /// crashed would have told her, each thing under one Message-ID, and before its lunch.
    #[test]
    fn nobody_is_left_untold_and_nobody_is_told_twice(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new();
            stage.at("2026-11-25", 9, 0);
            let mut running = stage.start().await;
            running.school.roster.import(&class_list(&["0", "1"]).into(), "sato", |_| {}).await.unwrap();
            let children = ["0", "1"].map(|number| running.school.roster.key(number).unwrap());
            let mut model = Model::default();
            for step in steps {
                match step {
                    Step::Wait(minutes) => stage.town.clock.advance(u64::from(minutes) * 60_000),
                    Step::Round => {
                        running.school.alerts.round().await.unwrap();
                        model.round(&running.school, stage.now());
                    }
                    Step::Dies(after) => {
                        stage.cut.store(1 + u8::from(after), Ordering::SeqCst);
                        let _ = tokio::time::timeout(Duration::from_secs(5), running.school.alerts.round()).await;
                        stage.cut.store(0, Ordering::SeqCst);
                        running = stage.start().await;
                        running.school.alerts.round().await.unwrap();
                        model.round(&running.school, stage.now());
                    }
                    Step::Menu(day, things) => {
                        let things: Vec<&str> = things.iter().map(|it| THINGS[usize::from(*it)]).collect();
                        accept(&running.school, menu(DAYS[usize::from(day)], &things)).await;
                    }
                    Step::Register(child, who, list) => {
                        let list: Vec<&str> = list.iter().map(|it| ALLERGENS[usize::from(*it)]).collect();
                        let (list, address) = (registered(&list), format!("g{child}{who}@example.jp"));
                        let key = children[usize::from(child)];
                        running.school.registrations.enter(&key, guardian(who), list.clone(), Some(&address)).await;
                        model.lists.insert((child, who), list);
                    }
                    Step::Send => running.sender.send_due().await.unwrap(),
                    Step::Relay(down) => *stage.relay.down.lock().unwrap() = down,
                }
            }
            let mut found: BTreeMap<(u8, u8, CalendarDate), usize> = BTreeMap::new();
            for queued in letters(&running.outbox) {
                let child = children.iter().position(|key| Some(*key) == queued.letter.subject_key).unwrap();
                let who = queued.letter.guardian.unwrap().0[0];
                *found.entry((child as u8, who, queued.letter.lunch.unwrap())).or_default() += 1;
                if let State::Sent { at, .. } = queued.state {
                    assert!(at < queued.letter.send_by.unwrap(), "sent after the lunch");
                }
            }
            let expected: BTreeMap<(u8, u8, CalendarDate), usize> =
                model.told.iter().map(|(key, told)| (*key, told.len())).collect();
            assert_eq!(found, expected);
            let taken = stage.relay.taken.lock().unwrap();
            let mut names: Vec<&String> = taken.iter().map(|(id, _)| id).collect();
            names.sort();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "no mail went out twice");
        });
    }
}

/// The size of a large city: the figure is printed; the bound only keeps it from becoming minutes.
#[tokio::test]
async fn twenty_thousand_pupils_are_judged_in_seconds() {
    let stage = Stage::new();
    stage.at("2026-11-25", 9, 0);
    let running = stage.start().await;
    let pupils = if cfg!(debug_assertions) { 4_000 } else { 20_000 };
    let numbers: Vec<String> = (0..pupils).map(|n| n.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let mut list = class_list(&numbers);
    for (n, line) in list.iter_mut().enumerate() {
        line.class = format!("{}-{}", n / 200, n / 35 % 6);
    }
    running.school.roster.import(&list.into(), "sato", |_| {}).await.unwrap();
    for (n, pupil) in running.school.roster.pupils().unwrap().iter().enumerate() {
        if n % 10 == 0 {
            let alias = GuardianAlias(pupil.key);
            running
                .school
                .registrations
                .enter(&pupil.key, alias, registered(&["egg"]), Some("a@example.jp"))
                .await;
        }
    }
    accept(&running.school, menu("2026-11-26", &["鶏卵"])).await;
    stage.at("2026-11-25", 18, 0);
    let began = crate::env::monotonic();
    let round = running.school.alerts.round().await.unwrap();
    let took = began.elapsed();
    eprintln!(
        "evening job: {pupils} pupils, {} registered, {} letters: {took:?}",
        round.children, round.letters
    );
    assert_eq!(round.letters, pupils / 10);
    assert!(took < Duration::from_secs(60), "{took:?}");
}
