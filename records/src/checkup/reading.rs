//! One stored record of a check-up as typed items.
//!
//! Must not know other records: which belong together is [`super::occasion`]'s.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::childhood::ChildCheckup;
use super::items::{self, Known};
use crate::category::{Category, Label};
use crate::date::CalendarDate;
use crate::fhir::stored::Stored;
use crate::fhir::{Reason, Standing, codes};
use crate::redacted::redacted;
use crate::words::Summary;
use crate::words::concept::Concept;
use crate::words::findings::value_of;
use crate::words::numbers::{Quantities, Quantity};

/// Most items taken of one record; the longest questionnaires have about a hundred.
const ITEMS_MAX: usize = 300;

/// What one record contributes to a check-up.
#[derive(Clone, PartialEq)]
pub struct Reading {
    /// The category under which the institution keeps it.
    pub category: Category,
    /// The day, in Japan.
    pub date: CalendarDate,
    /// The check-up of childhood it says it belongs to.
    pub checkup: Option<ChildCheckup>,
    /// What a visit or a report calls itself; single findings have none.
    pub title: Option<Summary>,
    /// What was examined.
    pub items: Vec<Item>,
    /// Gestational age, where it is stated.
    pub gestation: Option<Gestation>,
    /// Which of the check-ups of a pregnancy it is (第n回), where it is stated.
    pub visit: Option<u8>,
    /// Whether the record still holds.
    pub standing: Standing,
}

/// One item examined.
#[derive(Clone, PartialEq)]
pub struct Item {
    /// What was examined.
    pub label: Summary,
    /// What was found, possibly in several lines; `None` when only that it was examined is recorded.
    pub value: Option<Summary>,
    /// The number found, where it is one.
    pub number: Option<Number>,
    /// The range the institution compares with, as it states it.
    pub reference: Option<Summary>,
    /// How the institution judges the result, where it does.
    pub interpretation: Option<Interpretation>,
    /// What forms call it, where its code says so.
    pub(super) form: Option<Label>,
    /// What makes two results one series: the code, else the full name.
    pub(super) identity: String,
}

/// A number with its unit.
#[derive(Clone, PartialEq)]
pub struct Number {
    /// The number.
    pub value: f64,
    /// The unit as printed; empty when there is none.
    pub unit: String,
    /// Digits behind the point that are shown.
    pub(super) decimals: usize,
}

/// Completed weeks and days of a pregnancy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gestation {
    /// Completed weeks.
    pub weeks: u8,
    /// Days after them, where they are stated.
    pub days: Option<u8>,
}

redacted!(Reading, Item, Number, Gestation);

/// HL7 v3 ObservationInterpretation, as far as results use it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Interpretation {
    /// Within the reference range.
    Normal,
    /// Outside it.
    Abnormal,
    /// Above it.
    High,
    /// Below it.
    Low,
    /// Found.
    Positive,
    /// Not found.
    Negative,
}

redacted!(Interpretation);

impl Interpretation {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Normal => Label { ja: "基準範囲内", en: "Within range" },
            Self::Abnormal => Label { ja: "基準範囲外", en: "Outside range" },
            Self::High => Label { ja: "高め", en: "High" },
            Self::Low => Label { ja: "低め", en: "Low" },
            Self::Positive => Label { ja: "陽性", en: "Positive" },
            Self::Negative => Label { ja: "陰性", en: "Negative" },
        }
    }

    fn of(code: &str) -> Option<Self> {
        Some(match code {
            "N" => Self::Normal,
            "A" | "AA" => Self::Abnormal,
            "H" | "HH" | "HU" => Self::High,
            "L" | "LL" | "LU" => Self::Low,
            "POS" | "R" => Self::Positive,
            "NEG" | "NR" => Self::Negative,
            _ => return None,
        })
    }
}

impl Reading {
    /// Reads verbatim content of a record of category prenatal check-up, infant check-up, health examination,
    /// or growth (a measurement joins the check-up of its day).
    ///
    /// # Errors
    /// It is none of these categories, no JSON, or cannot be dated; the caller shows its one line
    /// ([`crate::words::summary`]) instead.
    pub fn read(category: Category, content: &[u8]) -> Result<Self, Reason> {
        use Category::{Growth, HealthExam, InfantCheckup, PrenatalCheckup};
        if !matches!(category, PrenatalCheckup | InfantCheckup | HealthExam | Growth) {
            return Err(Reason::ConflictingCategory);
        }
        let stored = Stored::read(content)?;
        let when = stored.when?;
        let single = matches!(stored.kind(), "Observation" | "Procedure");
        let title = if single { None } else { own_name(&stored.value) };
        let mut items = match stored.kind() {
            "Observation" => observed(category, &stored),
            "QuestionnaireResponse" => answered(&stored.value),
            _ => found(&stored, title.as_ref()),
        };
        items.truncate(ITEMS_MAX);
        if items.is_empty() && title.is_none() {
            return Err(Reason::Missing("code"));
        }
        let checkup = checkup_of(&stored.value, title.as_ref());
        let prenatal = category == PrenatalCheckup;
        let gestation = if prenatal { gestation(&stored, &items) } else { None };
        let visit = title.as_ref().filter(|_| prenatal).and_then(|title| visit(&title.ja));
        Ok(Self {
            category,
            date: when.day,
            checkup,
            title,
            items,
            gestation,
            visit,
            standing: stored.standing,
        })
    }
}

/// Concepts of the elements by which a resource says what it is.
fn concepts<'a>(resource: &'a Value, elements: &'a [&'a str]) -> impl Iterator<Item = Concept<'a>> {
    let values = elements.iter().filter_map(|element| resource.get(*element));
    let each =
        values.flat_map(|value| value.as_array().map_or_else(|| vec![value], |list| list.iter().collect()));
    each.map(Concept::of)
}

/// What a visit or a report calls itself.
fn own_name(resource: &Value) -> Option<Summary> {
    let title = resource.get("title").and_then(Value::as_str).map(|text| Summary::new(text, text));
    let coded =
        concepts(resource, &["type", "code", "category"]).flat_map(|concept| concept.codings()).find_map(
            |(system, code)| (system == codes::CHILD_CHECKUP).then(|| ChildCheckup::from_code(code))?,
        );
    let coded = coded.map(ChildCheckup::label).map(|label| Summary::new(label.ja, label.en));
    let worded = || {
        concepts(resource, &["type", "code", "category", "serviceType"])
            .find_map(|concept| concept.words(None))
    };
    coded.or(title).or_else(worded).and_then(Summary::tidied)
}

/// The check-up of childhood a record belongs to: by code, else by what a visit or report calls itself.
fn checkup_of(resource: &Value, title: Option<&Summary>) -> Option<ChildCheckup> {
    let coded = concepts(resource, &["code", "category", "type"])
        .flat_map(|concept| concept.codings())
        .find(|(system, _)| *system == codes::CHILD_CHECKUP)
        .and_then(|(_, code)| ChildCheckup::from_code(code));
    // A single finding may say it in the words of its category, never in those of its own name.
    let worded = || {
        let category = concepts(resource, &["category"]).find_map(|concept| concept.words(None));
        let named = title.cloned().or(category)?;
        ChildCheckup::named(&named.ja).or_else(|| ChildCheckup::named(&named.en))
    };
    coded.or_else(worded)
}

/// The value of an Observation and those of its components.
fn observed(category: Category, stored: &Stored<'_>) -> Vec<Item> {
    let quantities = Quantities::of(stored.content);
    let own = quantities.as_ref().and_then(|it| it.value.as_ref());
    let whole = item(category, &stored.value, own);
    let parts = stored.list("/component").enumerate().filter_map(|(place, component)| {
        let quantity = quantities.as_ref().and_then(|it| it.component.get(place)?.value.as_ref());
        item(category, component, quantity)
    });
    let parts: Vec<Item> = parts.collect();
    // A panel without a value of its own is only the heading of its parts.
    let heading_only = !parts.is_empty() && whole.as_ref().is_some_and(|it| it.value.is_none());
    whole.filter(|_| !heading_only).into_iter().chain(parts).collect()
}

/// One item of an Observation or of a component.
fn item(category: Category, holder: &Value, quantity: Option<&Quantity<'_>>) -> Option<Item> {
    let concept = Concept::of(holder.get("code")?);
    let codings: Vec<(&str, &str)> = concept.codings().collect();
    let ours = codings.iter().find_map(|(system, code)| codes::measurement(system, code));
    let known = items::by_code(codings.iter().copied());
    let label = match ours {
        Some(known) => Summary::new(known.ja, known.en),
        None => named(category, &concept, known)?,
    };
    let mut item = Item::new(label, codings.first().copied(), known)?;
    item.value = value_of(holder, quantity).and_then(Summary::tidied_body);
    item.number = quantity.and_then(|quantity| {
        let shown = quantity.shown_number()?;
        let decimals = shown.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        Some(Number {
            value: quantity.number()?,
            unit: quantity.unit().unwrap_or_default().to_owned(),
            decimals,
        })
    });
    item.reference = holder.pointer("/referenceRange/0").and_then(reference);
    item.interpretation = holder
        .get("interpretation")
        .and_then(|list| list.get(0))
        .and_then(|first| Concept::of(first).codings().find_map(|(_, code)| Interpretation::of(code)));
    Some(item)
}

/// The item's own words, or those of its form.
fn named(category: Category, concept: &Concept<'_>, known: Option<&'static Known>) -> Option<Summary> {
    let mut label = concept.words(known.map(|known| known.label))?;
    // Only Japanese words, and the form has English ones for exactly this item.
    if label.en == label.ja
        && let Some(form) = items::by_name(category, &label.ja)
    {
        form.label.en.clone_into(&mut label.en);
    }
    Some(label)
}

impl Item {
    fn new(label: Summary, coding: Option<(&str, &str)>, known: Option<&'static Known>) -> Option<Self> {
        let label = label.tidied()?;
        let identity = match (known, coding) {
            (Some(known), _) => known.label.ja.to_owned(),
            (None, Some((system, code))) => format!("{system}|{code}"),
            (None, None) => label.ja.nfkc().filter(|c| !c.is_whitespace()).collect(),
        };
        let form = known.map(|known| known.label);
        Some(Self { label, value: None, number: None, reference: None, interpretation: None, form, identity })
    }
}

/// The reference range as text.
fn reference(range: &Value) -> Option<Summary> {
    let bound = |name: &str| {
        let quantity = range.get(name)?;
        let value = quantity.get("value")?.as_f64()?;
        let unit = quantity.get("unit").and_then(Value::as_str).unwrap_or_default();
        Some((value.to_string(), unit.to_owned()))
    };
    let text = match (range.get("text").and_then(Value::as_str), bound("low"), bound("high")) {
        (Some(text), ..) => text.to_owned(),
        (None, Some((low, _)), Some((high, unit))) => format!("{low}〜{high} {unit}"),
        (None, Some((low, unit)), None) => format!("≧{low} {unit}"),
        (None, None, Some((high, unit))) => format!("≦{high} {unit}"),
        (None, None, None) => return None,
    };
    Summary::new(text.clone(), text).tidied()
}

/// The conclusion of a report or the outcome of a procedure. A visit without one contributes no item.
fn found(stored: &Stored<'_>, title: Option<&Summary>) -> Vec<Item> {
    let name = match title {
        // A report that is called as its check-up contains the result of the whole.
        Some(title) if ChildCheckup::ALL.iter().any(|it| it.label().ja == title.ja) => {
            Some(Summary::new("総合所見", "Overall result"))
        }
        Some(title) => Some(title.clone()),
        None => stored.value.get("code").and_then(|code| Concept::of(code).words(None)),
    };
    let outcome = || stored.value.get("outcome").and_then(|outcome| Concept::of(outcome).words(None));
    let value = value_of(&stored.value, None).or_else(outcome).and_then(Summary::tidied_body);
    if value.is_none() && title.is_some() {
        return Vec::new();
    }
    let item = name.and_then(|name| Item::new(name, None, None));
    item.map(|item| Item { value, ..item }).into_iter().collect()
}

/// The answers of a questionnaire, in its order.
fn answered(resource: &Value) -> Vec<Item> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = vec![resource];
    while let Some(holder) = open.pop() {
        if found.len() >= ITEMS_MAX {
            break;
        }
        let answers: Vec<Summary> = holder
            .get("answer")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|answer| {
                let coding = || answer.pointer("/valueCoding/display")?.as_str().map(str::to_owned);
                let decimal = || Some(answer.get("valueDecimal")?.as_f64()?.to_string());
                let quantity = || {
                    let number = answer.pointer("/valueQuantity/value")?.as_f64()?;
                    let unit = answer.pointer("/valueQuantity/unit").and_then(Value::as_str);
                    Some(format!("{number} {}", unit.unwrap_or_default()))
                };
                let text = coding().or_else(decimal).or_else(quantity);
                text.map(|text| Summary::new(text.clone(), text)).or_else(|| value_of(answer, None))
            })
            .collect();
        let text = holder.get("text").and_then(Value::as_str).filter(|_| !answers.is_empty());
        if let Some(item) = text.and_then(|text| Item::new(Summary::new(text, text), None, None)) {
            let joined = |pick: fn(&Summary) -> &str| answers.iter().map(pick).collect::<Vec<_>>().join("、");
            let value = Summary::new(joined(|it| &it.ja), joined(|it| &it.en)).tidied_body();
            found.push(Item { value, ..item });
        }
        let inside = ["item", "answer"].into_iter().filter_map(|name| holder.get(name)?.as_array()).flatten();
        let inside: Vec<&Value> = inside.collect();
        open.extend(inside.into_iter().rev());
    }
    found
}

/// Gestational age: of its own item, else as a text says it (妊娠28週3日).
fn gestation(stored: &Stored<'_>, items: &[Item]) -> Option<Gestation> {
    let measured = items.iter().find(|item| item.identity == "妊娠週数").and_then(|item| {
        let number = item.number.as_ref()?;
        let whole = number.value.floor();
        let weeks = (0.0..=45.0).contains(&whole).then_some(whole as u8)?;
        match number.unit.as_str() {
            "wk" | "w" | "週" | "weeks" | "week" => Some(Gestation { weeks, days: None }),
            _ => None,
        }
    });
    let in_days = || {
        let number = items.iter().find(|item| item.identity == "妊娠週数")?.number.as_ref()?;
        let days = (0.0..=315.0).contains(&number.value).then_some(number.value as u16)?;
        let (weeks, rest) = (u8::try_from(days / 7).ok()?, u8::try_from(days % 7).ok()?);
        matches!(number.unit.as_str(), "d" | "日" | "days").then_some(Gestation { weeks, days: Some(rest) })
    };
    let texts = ["/conclusion", "/valueString", "/code/text", "/title", "/type/0/text", "/note/0/text"];
    measured.or_else(in_days).or_else(|| texts.iter().find_map(|path| weeks_in(stored.text(path)?)))
}

/// `28週3日` in a text.
fn weeks_in(text: &str) -> Option<Gestation> {
    let text: String = text.nfkc().take(1_000).collect();
    let (before, after) = text.split_once('週')?;
    let weeks: u8 = trailing_number(before)?;
    let days = after.split_once('日').and_then(|(days, _)| days.trim().parse().ok()).filter(|days| *days < 7);
    (weeks <= 45).then_some(Gestation { weeks, days })
}

/// `第3回` in a title.
fn visit(title: &str) -> Option<u8> {
    let title: String = title.nfkc().collect();
    let (before, _) = title.split_once('回')?;
    trailing_number(before).filter(|number| (1..=30).contains(number))
}

fn trailing_number(text: &str) -> Option<u8> {
    let text = text.trim_end();
    let start = text.char_indices().rev().take_while(|(_, c)| c.is_ascii_digit()).last()?.0;
    text.get(start..)?.parse().ok()
}
