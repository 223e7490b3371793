//! 健診: prenatal, infant and school check-ups, each result beside the one before, and what is coming.

use askama::Template;
use axum::response::Response;
use hibiki_records::category::Category;
use hibiki_records::checkup::childhood::{Due, Progress, due};
use hibiki_records::checkup::{Occasion, OccasionKind, Outcome, Reading, occasions};
use hibiki_records::fhir::Standing;
use hibiki_records::words::summary;

use super::coverage::Coverage;
use super::held::Held;
use super::{Frame, Seated, shown};
use crate::web::Lang;

const CATEGORIES: [Category; 3] = [Category::PrenatalCheckup, Category::InfantCheckup, Category::HealthExam];

#[derive(Template)]
#[template(path = "checkups.html")]
struct Checkups {
    f: Frame,
    coverage: Coverage,
    due: Vec<DueLine>,
    occasions: Vec<Block>,
    others: Vec<OtherLine>,
}

struct DueLine {
    name: &'static str,
    class: &'static str,
    tag: &'static str,
    when: String,
}

/// One occasion.
struct Block {
    name: String,
    when: String,
    holders: String,
    note: &'static str,
    rows: Vec<Row>,
}

/// One result.
struct Row {
    item: String,
    value: Vec<String>,
    judged: &'static str,
    reference: String,
    note: &'static str,
    previous: String,
    previous_date: String,
    change: String,
}

struct OtherLine {
    line: String,
    date: String,
    holder: String,
}

/// `GET /person/{person}/checkups`.
pub(super) async fn page(seated: Seated) -> Response {
    let coverage = seated.coverage().not(
        "健診を受けていないという意味ではありません。",
        "This does not mean that a check-up did not take place.",
    );
    let (due, occasions, others) = content(&seated);
    shown(&Checkups { f: seated.frame, coverage, due, occasions, others })
}

fn content(seated: &Seated) -> (Vec<DueLine>, Vec<Block>, Vec<OtherLine>) {
    let lang = seated.lang();
    let (mut holders, mut readings, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut take = |category: Category, held: Held<'_>, joining: bool| match Reading::read(
        category,
        &held.record.content,
    ) {
        Ok(reading) => {
            if reading.standing == Standing::EnteredInError && !joining {
                others.push(other(category, held, lang));
            }
            holders.push(held.holder(lang).to_owned());
            readings.push(reading);
        }
        Err(_) if !joining => others.push(other(category, held, lang)),
        Err(_) => {}
    };
    for category in CATEGORIES {
        seated.held(category).for_each(|held| take(category, held, false));
    }
    // What was measured on the day of a check-up stands in it, too; all of it is on the growth page.
    seated.held(Category::Growth).for_each(|held| take(Category::Growth, held, true));
    let told = occasions(&readings, seated.birth());
    let of_checkups = |occasion: &&Occasion| {
        let measured_only =
            |place: &usize| readings.get(*place).is_none_or(|it| it.category == Category::Growth);
        !occasion.readings.iter().all(measured_only)
    };
    let blocks = told.iter().filter(of_checkups).map(|occasion| block(occasion, &holders, lang)).collect();
    let child = seated.birth().filter(|_| !seated.oneself()).zip(seated.today());
    let due = child.map(|(birth, today)| due(birth, today, &told)).unwrap_or_default();
    (due.iter().map(|due| due_line(due, lang)).collect(), blocks, others)
}

fn due_line(due: &Due, lang: Lang) -> DueLine {
    let (class, when) = match due.progress {
        Progress::Recorded(day) => ("done", lang.day(day)),
        Progress::Now => ("due", format!("{} 〜 {}", lang.day(due.from), lang.day(due.to))),
        Progress::Coming => ("later", format!("{} 〜 {}", lang.day(due.from), lang.day(due.to))),
        Progress::NoRecord => ("closed", format!("{} 〜 {}", lang.day(due.from), lang.day(due.to))),
    };
    DueLine { name: lang.label(due.checkup.label()), class, tag: lang.label(due.progress.label()), when }
}

fn block(occasion: &Occasion, holders: &[String], lang: Lang) -> Block {
    let mut names: Vec<&str> = Vec::new();
    for name in occasion.readings.iter().filter_map(|place| holders.get(*place)) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let when = if occasion.from == occasion.to {
        lang.day(occasion.from)
    } else {
        format!("{} 〜 {}", lang.day(occasion.from), lang.day(occasion.to))
    };
    let gestation = occasion.gestation.map(|gestation| match (lang, gestation.days) {
        (Lang::Ja, Some(days)) => format!("　妊娠{}週{days}日", gestation.weeks),
        (Lang::Ja, None) => format!("　妊娠{}週", gestation.weeks),
        (Lang::En, days) => format!(" {} weeks {} days", gestation.weeks, days.unwrap_or(0)),
    });
    let gestation = gestation.filter(|_| occasion.kind == OccasionKind::Prenatal).unwrap_or_default();
    Block {
        name: lang.summary(&occasion.label).to_owned(),
        when: format!("{when}{gestation}"),
        holders: names.join(lang.t("、", ", ")),
        note: negated(occasion.standing, lang),
        rows: occasion.outcomes.iter().map(|outcome| row(outcome, lang)).collect(),
    }
}

fn negated(standing: Standing, lang: Lang) -> &'static str {
    match standing {
        Standing::Negated => lang.t("実施されなかったという記録です", "Recorded as not done"),
        Standing::Valid | Standing::EnteredInError => "",
    }
}

fn row(outcome: &Outcome, lang: Lang) -> Row {
    let item = &outcome.item;
    let value = item.value.as_ref().map(|value| lang.summary(value)).unwrap_or_default();
    let previous = outcome.previous.as_ref();
    let change = previous.and_then(|it| it.change.as_ref()).map(|change| {
        let arrow = match change.value {
            value if value > 0.0 => "▲",
            value if value < 0.0 => "▼",
            _ => "＝",
        };
        format!("{arrow} {}", change.text)
    });
    Row {
        item: lang.summary(&item.label).to_owned(),
        value: value.lines().map(str::to_owned).collect(),
        judged: item.interpretation.map(|it| lang.label(it.label())).unwrap_or_default(),
        reference: item.reference.as_ref().map(|it| lang.summary(it).to_owned()).unwrap_or_default(),
        note: negated(outcome.standing, lang),
        previous: previous.map(|it| lang.summary(&it.value).to_owned()).unwrap_or_default(),
        previous_date: previous.map(|it| it.date.to_string()).unwrap_or_default(),
        change: change.unwrap_or_default(),
    }
}

fn other(category: Category, held: Held<'_>, lang: Lang) -> OtherLine {
    OtherLine {
        line: lang.summary(&summary(category, &held.record.content)).to_owned(),
        date: held.record.date.as_str().to_owned(),
        holder: held.holder(lang).to_owned(),
    }
}
