//! The commands `school menu …`: bringing menus, seeing what is known of them, giving words, accepting.

use std::sync::Arc;

use hibiki_records::allergen::Allergen;
use hibiki_records::date::CalendarDate;
use hibiki_records::date::school::school_year;
use hibiki_records::lunch::{Certainty, Defaults, Milk, Word, read_menus, words};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{MenuError, Menus, Standing};
use crate::admin::{AdminError, Request, Responder, Router};
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
    /// The word.
    pub word: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Registers the commands.
pub fn register(router: &mut Router, menus: &Arc<Menus>) {
    let own = || Arc::clone(menus);
    let it = own();
    router.add(IMPORT, move |request, responder| import(Arc::clone(&it), request, responder));
    let it = own();
    router.add(LIST, move |request, _| list(Arc::clone(&it), request));
    let it = own();
    router.add(SHOW, move |request, _| show(Arc::clone(&it), request));
    let it = own();
    router.add(ACCEPT, move |request, _| accept(Arc::clone(&it), request));
    let it = own();
    router.add(WORD, move |request, _| word(Arc::clone(&it), request));
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

async fn import(menus: Arc<Menus>, mut request: Request, responder: Responder) -> Result<Value, AdminError> {
    let Import { kitchen, milk } = request.parse()?;
    let staff = request.staff()?.to_owned();
    let bytes = request.body.collect(FILE_BYTES_MAX).await.map_err(|error| {
        AdminError::new(error.to_string()).at("the file").next("bring one month at a time")
    })?;
    let defaults = Defaults {
        kitchen: Some(kitchen.unwrap_or_else(|| menus.kitchen.clone())),
        milk: if milk.unwrap_or(true) { Milk::Served } else { Milk::NotServed },
        school_year: CalendarDate::in_japan(menus.means.now().0).map(school_year),
    };
    let read = menus.means.env.blocking(move || read_menus(&bytes, &defaults)).await;
    let sheet = read
        .ok_or_else(|| {
            AdminError::new("the command failed inside the node").next("look into the node's log")
        })?
        .map_err(|fault| AdminError::new(fault.to_string()).at("the file"))?;
    let brought = menus.bring(sheet.menus, &staff).await?;
    for fault in &sheet.faults {
        responder.warning(fault.what.to_string(), Some(format!("line {}", fault.line))).await;
    }
    let lexicon = menus.lexicon().map_err(MenuError::from)?;
    let shown: Vec<Value> = brought
        .into_iter()
        .map(|(menu, state)| {
            let survey = hibiki_records::lunch::survey(&menu, &lexicon);
            let standing = Standing { menu, survey, draft: true, revision: 0, outdated: false };
            let mut shown = line(&standing);
            shown["state"] = json!(state);
            shown
        })
        .collect();
    let faults: Vec<Value> = sheet
        .faults
        .iter()
        .map(|fault| json!({ "line": fault.line, "what": fault.what.to_string() }))
        .collect();
    Ok(json!({ "menus": shown, "faults": faults }))
}

async fn list(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let List { kitchen, from, to } = request.parse()?;
    let today = CalendarDate::in_japan(menus.means.now().0);
    let from = from.or(today).ok_or_else(|| AdminError::new("the clock is beyond the calendar"))?;
    let to = to.or_else(|| from.plus_days(LISTED_DAYS)).unwrap_or(from);
    let listed = menus.list(kitchen.as_deref().map(str::trim), from, to)?;
    Ok(json!({ "menus": listed.iter().map(line).collect::<Vec<_>>() }))
}

async fn show(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let Show { kitchen, date } = request.parse()?;
    let kitchen = kitchen.unwrap_or_else(|| menus.kitchen.clone());
    let standing = menus.show(kitchen.trim(), date)?;
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
    if to < from {
        return Err(AdminError::new("the last day is before the first / 終わりの日が先です")
            .at("argument to")
            .next("exchange the two days"));
    }
    let done = menus.accept(kitchen.as_deref().map(str::trim), (from, to), with_unknown, &staff).await?;
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

async fn word(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let SetWord { word, contains, may_contain, seasoning } = request.parse()?;
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
    menus.set_word(word.clone(), &staff).await?;
    Ok(json!({ "word": word }))
}

async fn all_words(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    Ok(json!({ "words": menus.words().map_err(|error: VaultError| MenuError::from(error))? }))
}

async fn remove_word(menus: Arc<Menus>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let RemoveWord { word } = request.parse()?;
    menus.remove_word(&word, &staff).await?;
    Ok(json!({ "removed": word }))
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
