//! The commands `school menu …`: bringing menus, seeing what is known of them, giving words, accepting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hibiki_records::allergen::Allergen;
use hibiki_records::date::CalendarDate;
use hibiki_records::date::school::school_year;
use hibiki_records::lunch::{Certainty, Defaults, Menu, Milk, Sheet, Word, read_menus, words};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DAYS_MAX, MENUS_AT_ONCE, MenuError, Menus, Standing};
use crate::admin::{AdminError, Request, Responder, Router};
use crate::school::naming;
use crate::school::roster::Roster;
use crate::vault::VaultError;

/// Name of the command that brings menus.
pub const IMPORT: &str = "school menu import";
/// Name of the command that lists them.
pub const LIST: &str = "school menu list";
/// Name of the command that shows one with everything known of it.
pub const SHOW: &str = "school menu show";
/// Name of the command that accepts.
pub const ACCEPT: &str = "school menu accept";
/// Name of the command that writes a word down.
pub const WORD: &str = "school menu word";
/// Name of the command that lists the words.
pub const WORDS: &str = "school menu words";
/// Name of the command that strikes a word out.
pub const WORD_REMOVE: &str = "school menu word remove";

/// Bytes of a file, at most.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest word, in characters.
const WORD_CHARS_MAX: usize = 60;
/// Days listed where nobody says which.
const LISTED_DAYS: i32 = 45;

/// Arguments of `school menu import`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The kitchen of lines that name none; absent: the school's.
    pub kitchen: Option<String>,
    /// Whether milk is served where the file says nothing; absent: yes.
    pub milk: Option<bool>,
}

/// Arguments of `school menu list`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this kitchen.
    pub kitchen: Option<String>,
    /// From this day; absent: today.
    pub from: Option<CalendarDate>,
    /// To this day; absent: 45 days later.
    pub to: Option<CalendarDate>,
}

/// Arguments of `school menu show`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The kitchen; absent: the school's.
    pub kitchen: Option<String>,
    /// The day.
    pub date: CalendarDate,
}

/// Arguments of `school menu accept`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// Only this kitchen.
    pub kitchen: Option<String>,
    /// First day.
    pub from: CalendarDate,
    /// Last day; absent: the first.
    pub to: Option<CalendarDate>,
    /// Also what holds unknown things.
    #[serde(default)]
    pub with_unknown: bool,
}

/// Arguments of `school menu word`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetWord {
    /// The kitchen whose word it is; absent: every kitchen's.
    pub kitchen: Option<String>,
    /// The word, as on the sheet.
    pub word: String,
    /// What its label says it contains: short names of allergens.
    #[serde(default)]
    pub contains: Vec<String>,
    /// What it may contain.
    #[serde(default)]
    pub may_contain: Vec<String>,
    /// Whether it is a seasoning.
    #[serde(default)]
    pub seasoning: bool,
}

/// Arguments of `school menu word remove`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveWord {
    /// The kitchen whose word it is; absent: every kitchen's.
    pub kitchen: Option<String>,
    /// The word.
    pub word: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Registers the commands.
pub fn register(router: &mut Router, menus: &Arc<Menus>, roster: &Arc<Roster>) {
    let own = || Arc::clone(menus);
    let (it, classes) = (own(), Arc::clone(roster));
    router.add(IMPORT, move |request, responder| {
        import(Arc::clone(&it), Arc::clone(&classes), request, responder)
    });
    let it = own();
    router.add(LIST, move |request, _| list(Arc::clone(&it), request));
    let it = own();
    router.add(SHOW, move |request, _| show(Arc::clone(&it), request));
    let it = own();
    router.add(ACCEPT, move |request, _| accept(Arc::clone(&it), request));
    let (it, classes) = (own(), Arc::clone(roster));
    router.add(WORD, move |request, _| word(Arc::clone(&it), Arc::clone(&classes), request));
    let it = own();
    router.add(WORDS, move |request, _| all_words(Arc::clone(&it), request));
    let it = own();
    router.add(WORD_REMOVE, move |request, _| remove_word(Arc::clone(&it), request));
}

impl From<MenuError> for AdminError {
    fn from(error: MenuError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

async fn import(
    menus: Arc<Menus>,
    roster: Arc<Roster>,
    mut request: Request,
    responder: Responder,
) -> Result<Value, AdminError> {
    let Import { kitchen, milk } = request.parse()?;
    let staff = request.staff()?.to_owned();
    let bytes = request.body.collect(FILE_BYTES_MAX).await.map_err(|error| {
        AdminError::new(error.to_string()).at("the file").next("bring one month at a time")
    })?;
    let kitchen = kitchen.map(|kitchen| kitchen_named(&kitchen)).transpose()?;
    let defaults = Defaults {
        kitchen: Some(kitchen.unwrap_or_else(|| menus.kitchen.clone())),
        milk: if milk.unwrap_or(true) { Milk::Served } else { Milk::NotServed },
        school_year: CalendarDate::in_japan(menus.means.now().0).map(school_year),
    };
    let read = menus.means.env.blocking(move || read_menus(&bytes, &defaults)).await;
    let Sheet { menus: found, faults } = read
        .ok_or_else(|| {
            AdminError::new("the command failed inside the node").next("look into the node's log")
        })?
        .map_err(|fault| AdminError::new(fault.to_string()).at("the file"))?;
    let (found, twice) = one_a_day(found);
    warn_of_strangers(&roster, &found, &responder).await?;
    let total = found.len() as u64;
    let progress = |done: usize| responder.progress("menus", done as u64, Some(total), "menus");
    let brought = menus.bring(found, &staff, progress).await?;
    let mut lines: Vec<Value> = Vec::new();
    for fault in &faults {
        responder.warning(fault.what.to_string(), Some(format!("line {}", fault.line))).await;
        lines.push(json!({ "line": fault.line, "what": fault.what.to_string() }));
    }
    for what in twice {
        responder.warning(what.clone(), None).await;
        lines.push(json!({ "line": null, "what": what }));
    }
    let mut shown: Vec<Value> = Vec::new();
    for (menu, state) in brought {
        let standing = menus.show(&menu.kitchen, menu.date)?;
        let mut said = line(&standing);
        said["state"] = json!(state);
        shown.push(said);
        if shown.len().is_multiple_of(MENUS_AT_ONCE) {
            responder.progress("surveying", shown.len() as u64, Some(total), "menus");
            tokio::task::yield_now().await;
        }
    }
    Ok(json!({ "menus": shown, "faults": lines }))
}

/// Each kitchen under the one spelling of its name, and each of its days once: what a file says of one day in two ways is
/// not taken at all.
fn one_a_day(menus: Vec<Menu>) -> (Vec<Menu>, Vec<String>) {
    let mut days: BTreeMap<(CalendarDate, String), Vec<Menu>> = BTreeMap::new();
    for mut menu in menus {
        menu.kitchen = naming::named(&menu.kitchen).unwrap_or(menu.kitchen);
        let same = days.entry((menu.date, menu.kitchen.clone())).or_default();
        if !same.contains(&menu) {
            same.push(menu);
        }
    }
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    for ((day, kitchen), mut menus) in days {
        match (menus.pop(), menus.is_empty()) {
            (Some(menu), true) => once.push(menu),
            _ => twice.push(format!(
                "{day} {kitchen}: two menus of one kitchen, under two spellings of its name; neither was taken / 同じ地区の献立が二つあります"
            )),
        }
    }
    (once, twice)
}

/// A kitchen that nobody eats from is most likely one whose name is written otherwise in the class list.
struct Stranger {
    what: String,
    next: String,
}

/// What is said of a kitchen that none of the `known` is.
fn stranger(kitchen: &str, known: &BTreeSet<String>) -> Option<Stranger> {
    let names = || known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    (!known.contains(kitchen)).then(|| Stranger {
        what: format!("no class eats from the kitchen {kitchen} / この給食地区の学級はありません"),
        next: format!("known are {}", names()),
    })
}

async fn warn_of_strangers(roster: &Roster, menus: &[Menu], responder: &Responder) -> Result<(), AdminError> {
    let known = roster.all_kitchens()?;
    let kitchens: BTreeSet<&str> = menus.iter().map(|menu| menu.kitchen.as_str()).collect();
    for Stranger { what, next } in kitchens.into_iter().filter_map(|kitchen| stranger(kitchen, &known)) {
        responder.warning(format!("{what}; {next}"), None).await;
    }
    Ok(())
}

fn kitchen_named(text: &str) -> Result<String, AdminError> {
    naming::named(text).ok_or_else(|| {
        AdminError::new("not the name of a kitchen / 給食地区の名前ではありません")
            .at("argument kitchen")
            .next("use 1 to 60 characters on one line")
    })
}

/// Refuses stretches of days that nobody means.
fn sensible(from: CalendarDate, to: CalendarDate) -> Result<(), AdminError> {
    let wrong = |what: &str, next: &str| Err(AdminError::new(what).at("argument to").next(next));
    match to.days_since(from) {
        ..=-1 => wrong("the last day is before the first / 終わりの日が先です", "exchange the two days"),
        0..=DAYS_MAX => Ok(()),
        _ => wrong("that is more than two years / 二年を超えています", "name an earlier last day"),
    }
}

async fn list(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let List { kitchen, from, to } = request.parse()?;
    let today = CalendarDate::in_japan(menus.means.now().0);
    let from = from.or(today).ok_or_else(|| AdminError::new("the clock is beyond the calendar"))?;
    let to = to.or_else(|| from.plus_days(LISTED_DAYS)).unwrap_or(from);
    sensible(from, to)?;
    let kitchen = kitchen.map(|kitchen| kitchen_named(&kitchen)).transpose()?;
    let listed = menus.list(kitchen.as_deref(), from, to).await?;
    Ok(json!({ "menus": listed.iter().map(line).collect::<Vec<_>>() }))
}

async fn show(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let Show { kitchen, date } = request.parse()?;
    let kitchen = kitchen.map_or_else(|| Ok(menus.kitchen.clone()), |kitchen| kitchen_named(&kitchen))?;
    let standing = menus.show(&kitchen, date)?;
    let mut shown = line(&standing);
    let ingredients: Vec<Value> = standing
        .menu
        .ingredients
        .iter()
        .map(|it| json!({ "name": it.name, "amount": it.amount, "dish": it.dish, "label": it.label }))
        .collect();
    let findings: Vec<Value> = standing
        .survey
        .findings
        .iter()
        .map(|finding| {
            let why = words::explain(finding);
            json!({ "allergen": finding.allergen, "name": finding.allergen.label().ja,
                "in": finding.source.label().ja, "certainty": finding.certainty,
                "seasoning": finding.seasoning, "why_ja": why.ja, "why_en": why.en })
        })
        .collect();
    shown["ingredients"] = json!(ingredients);
    shown["findings"] = json!(findings);
    Ok(shown)
}

async fn accept(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Accept { kitchen, from, to, with_unknown } = request.parse()?;
    let to = to.unwrap_or(from);
    sensible(from, to)?;
    let kitchen = kitchen.map(|kitchen| kitchen_named(&kitchen)).transpose()?;
    let done = menus.accept(kitchen.as_deref(), (from, to), with_unknown, &staff).await?;
    let accepted: Vec<Value> = done
        .accepted
        .iter()
        .map(|(kitchen, day, revision)| json!({ "kitchen": kitchen, "date": day, "revision": revision }))
        .collect();
    let refused: Vec<Value> = done
        .refused
        .iter()
        .map(|(kitchen, day, unknown)| json!({ "kitchen": kitchen, "date": day, "unknown": unknown }))
        .collect();
    Ok(json!({ "accepted": accepted, "unchanged": done.unchanged, "refused": refused }))
}

async fn word(menus: Arc<Menus>, roster: Arc<Roster>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let SetWord { kitchen, word, contains, may_contain, seasoning } = request.parse()?;
    let word = Word {
        word: word.split_whitespace().collect::<Vec<_>>().join(" "),
        contains: allergens(&contains, "contains")?,
        may_contain: allergens(&may_contain, "may_contain")?,
        seasoning,
    };
    if word.word.chars().count() > WORD_CHARS_MAX || !word.can_match() {
        return Err(AdminError::new(
            "no ingredient could be meant by this word / そのことばでは食材を見分けられません",
        )
        .at("argument word")
        .next("write the ingredient as on the menu sheet, at least two letters"));
    }
    let kitchen = kitchen.map(|kitchen| kitchen_named(&kitchen)).transpose()?;
    let known = roster.all_kitchens()?;
    if let Some(Stranger { what, next }) = kitchen.as_ref().and_then(|kitchen| stranger(kitchen, &known)) {
        return Err(AdminError::new(what).at("argument kitchen").next(next));
    }
    menus.set_word(word.clone(), kitchen.clone(), &staff).await?;
    Ok(json!({ "word": word, "kitchen": kitchen, "accept_again": accept_again(&menus).await? }))
}

async fn all_words(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    Ok(json!({ "words": menus.words().map_err(|error: VaultError| MenuError::from(error))? }))
}

async fn remove_word(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let RemoveWord { kitchen, word } = request.parse()?;
    let kitchen = kitchen.map(|kitchen| kitchen_named(&kitchen)).transpose()?;
    menus.remove_word(&word, kitchen.as_deref(), &staff).await?;
    Ok(json!({ "removed": word, "accept_again": accept_again(&menus).await? }))
}

/// Accepted menus from today on that the words of now read differently: accepting them again makes it count.
async fn accept_again(menus: &Menus) -> Result<Value, AdminError> {
    let Some(today) = CalendarDate::in_japan(menus.means.now().0) else { return Ok(json!([])) };
    let outdated = menus.outdated(today).await.map_err(MenuError::from)?;
    Ok(outdated.into_iter().map(|(kitchen, date)| json!({ "kitchen": kitchen, "date": date })).collect())
}

fn allergens(ids: &[String], argument: &str) -> Result<Vec<Allergen>, AdminError> {
    let read = |id: &String| {
        Allergen::from_id(id.trim()).ok_or_else(|| {
            let known: Vec<&str> = Allergen::all().map(Allergen::id).collect();
            AdminError::new("not an allergen of the standard list / 標準の一覧にない名前です")
                .at(format!("argument {argument}"))
                .next(format!("use one of {}", known.join(", ")))
        })
    };
    ids.iter().map(read).collect()
}

fn line(standing: &Standing) -> Value {
    let Standing { menu, survey, draft, revision, outdated } = standing;
    let unknown: Vec<String> = survey.unknown.iter().map(|source| source.label().ja).collect();
    let mut check: Vec<String> = survey
        .findings
        .iter()
        .filter(|finding| finding.certainty == Certainty::CheckLabel && !finding.seasoning)
        .map(|finding| finding.source.label().ja)
        .collect();
    check.sort();
    check.dedup();
    json!({ "date": menu.date, "kitchen": menu.kitchen, "dishes": menu.dishes, "milk": menu.milk, "draft": draft,
        "revision": revision, "outdated": outdated, "unknown": unknown, "check_label": check })
}
