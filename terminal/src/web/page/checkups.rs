//! 健診: prenatal, infant and school check-ups, each result beside the one before, and what is coming.

use askama::Template;
use axum::response::Response;
use hibiki_records::category::Category;
use hibiki_records::checkup::childhood::{Due, Progress, due};
use hibiki_records::checkup::{Change, Occasion, Outcome, Previous, Reading, occasions};
use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::Standing;
use hibiki_records::words::Summary;

use super::coverage::Coverage;
use super::held::Held;
use super::plain::Plain;
use super::{Frame, Seated, shown};
use crate::web::Lang;

const CATEGORIES: [Category; 3] = [Category::PrenatalCheckup, Category::InfantCheckup, Category::HealthExam];
/// Occasions from which on a list of them helps to find one.
const LISTED_FROM: usize = 4;

#[derive(Template)]
#[template(path = "checkups.html")]
struct Checkups {
    f: Frame,
    coverage: Coverage,
    due: Vec<DueLine>,
    /// Something is due now or later.
    coming: bool,
    blocks: Vec<Block>,
    /// Whether the occasions are listed before them.
    listed: bool,
    /// What has been withdrawn or cannot be read.
    others: Vec<Plain>,
}

/// A check-up of childhood and its time.
struct DueLine {
    name: &'static str,
    class: &'static str,
    tag: &'static str,
    when: String,
    basis: &'static str,
}

/// One occasion.
struct Block {
    name: String,
    when: String,
    /// The institutions, the one with the most of its results first.
    holders: Vec<String>,
    note: &'static str,
    /// The day most of the results before are of; those of another day say so.
    before: String,
    rows: Vec<Row>,
    /// What records call themselves that stand behind no result.
    also: Vec<String>,
}

/// One result.
struct Row {
    item: String,
    value: Vec<String>,
    judged: &'static str,
    reference: String,
    note: &'static str,
    /// Its day, where the occasion has several, and its institution, if that is not the first.
    place: String,
    previous: Option<Before>,
}

/// The result before.
struct Before {
    value: Vec<String>,
    /// Its day, where the column's head says another.
    date: String,
    /// A mark for the direction, and the difference.
    change: Option<(&'static str, String)>,
}

/// Readings and where they are held.
struct Told<'a> {
    readings: Vec<Reading>,
    holders: Vec<&'a str>,
    lang: Lang,
}

/// `GET /person/{person}/checkups`.
pub(super) async fn page(seated: Seated) -> Response {
    let lang = seated.lang();
    let coverage = seated.coverage().not(
        "健診を受けていないという意味ではありません。",
        "This does not mean that a check-up did not take place.",
    );
    let (told, others) = Told::new(&seated);
    let occasions = occasions(&told.readings, seated.birth());
    let blocks: Vec<Block> = occasions.iter().map(|occasion| told.block(occasion)).collect();
    let child = seated.birth().filter(|_| !seated.oneself()).zip(seated.today());
    let due = child.map(|(birth, today)| due(birth, today, &occasions)).unwrap_or_default();
    let coming = due.iter().any(|due| matches!(due.progress, Progress::Now | Progress::Coming));
    let due = due.iter().map(|due| DueLine::new(due, lang)).collect();
    let (listed, others) = (blocks.len() >= LISTED_FROM, Plain::newest_first(others, lang));
    shown(&Checkups { coverage, due, coming, blocks, listed, others, f: seated.frame })
}

impl DueLine {
    fn new(due: &Due, lang: Lang) -> Self {
        let window = || span(due.from, due.to, lang);
        let (class, when) = match due.progress {
            Progress::Recorded(day) => ("done", lang.day(day)),
            Progress::Now => ("due", window()),
            Progress::Coming => ("later", window()),
            Progress::NoRecord => ("closed", window()),
        };
        Self {
            name: lang.label(due.checkup.label()),
            class,
            tag: lang.label(due.progress.label()),
            when,
            basis: lang.label(due.checkup.basis()),
        }
    }
}

impl<'a> Told<'a> {
    /// What can be read, and the records that cannot or have been withdrawn.
    fn new(seated: &'a Seated) -> (Self, Vec<(Category, Held<'a>)>) {
        let lang = seated.lang();
        let (mut readings, mut holders, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for category in CATEGORIES {
            for held in seated.held(category) {
                match Reading::read(category, &held.record.content) {
                    Ok(reading) if reading.standing != Standing::EnteredInError => {
                        readings.push(reading);
                        holders.push(held.holder(lang));
                    }
                    _ => others.push((category, held)),
                }
            }
        }
        // What was measured on the day of a check-up stands in it, too; all of it is on the growth page.
        for held in seated.held(Category::Growth) {
            if let Ok(reading) = Reading::read(Category::Growth, &held.record.content) {
                readings.push(reading);
                holders.push(held.holder(lang));
            }
        }
        (Self { readings, holders, lang }, others)
    }

    fn block(&self, occasion: &Occasion) -> Block {
        let lang = self.lang;
        let names =
            most_first(occasion.readings.iter().filter_map(|place| self.holders.get(*place).copied()));
        let days = most_first(occasion.outcomes.iter().filter_map(|it| Some(it.previous.as_ref()?.date)));
        let (several_days, main, before) =
            (occasion.from != occasion.to, names.first(), days.first().copied());
        let place = |date: CalendarDate, reading: usize| {
            let day = several_days.then(|| lang.day(date));
            let holder = self.holders.get(reading).filter(|holder| Some(*holder) != main);
            day.into_iter().chain(holder.map(|holder| (*holder).to_owned())).collect::<Vec<_>>().join("　")
        };
        let row = |outcome: &Outcome| self.row(outcome, place(outcome.date, outcome.reading), before);
        Block {
            name: lang.summary(&occasion.label).to_owned(),
            when: span(occasion.from, occasion.to, lang),
            holders: names.iter().map(|name| (*name).to_owned()).collect(),
            note: negated(occasion.standing, lang),
            before: before.map(|day| lang.day(day)).unwrap_or_default(),
            rows: occasion.outcomes.iter().map(row).collect(),
            also: self.also(occasion, place),
        }
    }

    /// The names of visits and reports that neither the occasion nor a result bears.
    fn also(&self, occasion: &Occasion, place: impl Fn(CalendarDate, usize) -> String) -> Vec<String> {
        let borne = |of: usize, title: &Summary| {
            let result = |outcome: &Outcome| outcome.reading == of && outcome.item.label == *title;
            occasion.label == *title || occasion.outcomes.iter().any(result)
        };
        let mut lines = Vec::new();
        for of in &occasion.readings {
            let Some(reading) = self.readings.get(*of) else { continue };
            let Some(title) = reading.title.as_ref().filter(|title| !borne(*of, title)) else { continue };
            // An occasion that did not take place says so itself.
            let note =
                if occasion.standing == Standing::Valid { negated(reading.standing, self.lang) } else { "" };
            let place = place(reading.date, *of);
            let parts = [self.lang.summary(title), &place, note];
            let line = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("　");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn row(&self, outcome: &Outcome, place: String, before: Option<CalendarDate>) -> Row {
        let (lang, item) = (self.lang, &outcome.item);
        let reference = item.reference.as_ref().map(|it| lang.summary(it).to_owned());
        Row {
            item: lang.summary(&item.label).to_owned(),
            value: item.value.as_ref().map(|value| body(value, lang)).unwrap_or_default(),
            judged: item.interpretation.map(|it| lang.label(it.label())).unwrap_or_default(),
            reference: reference.unwrap_or_default(),
            note: negated(outcome.standing, lang),
            place,
            previous: outcome.previous.as_ref().map(|it| Before::new(it, item.value.as_ref(), before, lang)),
        }
    }
}

impl Before {
    fn new(previous: &Previous, now: Option<&Summary>, head: Option<CalendarDate>, lang: Lang) -> Self {
        let change = match &previous.change {
            Some(change) => Some(direction(change, lang)),
            None if now == Some(&previous.value) => Some(("＝", lang.t("同じ", "the same").to_owned())),
            None => None,
        };
        let date = if head == Some(previous.date) { String::new() } else { lang.day(previous.date) };
        Self { value: body(&previous.value, lang), date, change }
    }
}

/// A difference, by a mark and by its number.
fn direction(change: &Change, lang: Lang) -> (&'static str, String) {
    // The text is rounded as the results are; a smaller difference is none.
    if change.text.starts_with('±') {
        return ("＝", lang.t("変化なし", "no change").to_owned());
    }
    (if change.value > 0.0 { "▲" } else { "▼" }, change.text.clone())
}

/// Each once, the most frequent first; of equally many, the first.
fn most_first<T: Copy + PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut counted: Vec<(T, usize)> = Vec::new();
    for it in all {
        match counted.iter_mut().find(|(known, _)| *known == it) {
            Some((_, count)) => *count += 1,
            None => counted.push((it, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted.into_iter().map(|(it, _)| it).collect()
}

fn span(from: CalendarDate, to: CalendarDate, lang: Lang) -> String {
    if from == to { lang.day(from) } else { format!("{} 〜 {}", lang.day(from), lang.day(to)) }
}

/// The lines of a text.
fn body(text: &Summary, lang: Lang) -> Vec<String> {
    lang.summary(text).lines().map(str::to_owned).collect()
}

fn negated(standing: Standing, lang: Lang) -> &'static str {
    match standing {
        Standing::Negated => lang.t("実施されなかったという記録です", "Recorded as not done"),
        Standing::Valid | Standing::EnteredInError => "",
    }
}

#[cfg(test)]
mod tests;
