//! 風しん: is there a record of a vaccination or an antibody test, where, and what to do next. One printed sheet for
//! the counter.

use askama::Template;
use axum::response::Response;
use hibiki_protocol::outcome::Outcome as Answered;
use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, wareki};
use hibiki_records::rubella::{Evidence, HolderKind, Outcome, Person, Reply, Sheet, Source, When};

use super::coverage::Coverage;
use super::glance::born;
use super::{Frame, Seated, shown};
use crate::view::ViewPart;
use crate::web::Lang;
use crate::words;

/// Where a vaccination or an antibody test may be recorded.
const CATEGORIES: [Category; 4] =
    [Category::Immunization, Category::PrenatalCheckup, Category::InfantCheckup, Category::HealthExam];

#[derive(Template)]
#[template(path = "rubella.html")]
struct Rubella {
    name: String,
    born: String,
    /// When the institutions were asked.
    asked_at: String,
    /// `None` where the registry's birth date is no day.
    look_up: Option<LookUp>,
    coverage: Coverage,
    f: Frame,
}

/// What was found out so far.
struct LookUp {
    /// Stable name of the sum.
    outcome: &'static str,
    class: &'static str,
    /// The sum in one sentence; `None` until every institution has answered or a record is found.
    sum: Option<&'static str>,
    /// The newest first; what has no date, last.
    found: Vec<Found>,
    next: Vec<Step>,
    cohort: &'static str,
    explanation: &'static str,
    uptake: &'static str,
    programmes: Vec<Programme>,
    rows: Vec<Row>,
    /// What the answers of the rows mean, each once.
    meanings: Vec<(&'static str, &'static str)>,
    places: Vec<&'static str>,
    disclaimer: &'static str,
}

/// One piece of evidence.
struct Found {
    when: String,
    what: String,
    place: String,
    holder: String,
}

struct Step {
    whom: &'static str,
    what: &'static str,
}

struct Programme {
    name: &'static str,
    first: String,
    last: String,
}

/// One institution.
struct Row {
    name: String,
    kind: &'static str,
    /// Stable name of its outcome, or `waiting`.
    outcome: &'static str,
    class: &'static str,
    label: &'static str,
    meaning: &'static str,
    kept: String,
    found: Vec<Found>,
}

/// `GET /person/{person}/rubella`.
pub(super) async fn page(seated: Seated) -> Response {
    let lang = seated.lang();
    let coverage = seated
        .coverage()
        .not("接種していないという意味ではありません。", "This does not mean that there was no vaccination.");
    let look_up = seated.birth().zip(seated.today()).map(|(birth, today)| look_up(&seated, birth, today));
    let person = seated.person();
    let born = match (seated.birth(), lang) {
        (Some(day), Lang::Ja) => format!("{}（{day}）", wareki::format_long(day)),
        (Some(day), Lang::En) => day.to_string(),
        (None, _) => born(person, lang),
    };
    shown(&Rubella {
        name: person.name.clone(),
        born,
        asked_at: words::in_japan(seated.view.asked_at),
        look_up,
        coverage,
        f: seated.frame,
    })
}

fn look_up(seated: &Seated, birth: CalendarDate, today: CalendarDate) -> LookUp {
    let source = |it: &crate::desk::Institution| Source {
        name: it.name.clone(),
        kind: HolderKind::named(it.kind.as_str()),
        reply: seated.view.parts.get(&it.id).map_or(Reply::Silent, |part| reply(part)),
    };
    let person = Person { birth, sex: seated.sex() };
    let sources = seated.seat.institutions.iter().map(source).collect();
    let sheet = Sheet::new(person, sources, seated.view.asked_at.0, today);
    let landed = seated.seat.institutions.iter().map(|it| seated.view.parts.contains_key(&it.id));
    LookUp::new(&sheet, &landed.collect::<Vec<_>>(), seated.view.ended.is_some(), seated.lang())
}

/// What an institution's part says about rubella.
fn reply(part: &ViewPart) -> Reply {
    if !matches!(part.outcome, Answered::Data | Answered::NothingToShow) {
        return Reply::Silent;
    }
    let of_interest = |wire: &str| Category::from_wire(wire).is_some_and(|it| CATEGORIES.contains(&it));
    let records = part.records.iter().filter(|record| of_interest(record.category.as_str()));
    let kept =
        part.kept_since.iter().find(|kept| kept.category.as_str() == Category::Immunization.wire_name());
    let kept_since = kept.and_then(|kept| kept.since.as_str().parse().ok());
    Reply::answered(records.map(|record| record.content.as_slice()), kept_since)
}

impl LookUp {
    /// `landed` says of every row whether its institution's outcome is known, `ended` that nothing more will land.
    fn new(sheet: &Sheet, landed: &[bool], ended: bool, lang: Lang) -> Self {
        // Before the end only what was found is certain.
        let certain = ended || sheet.outcome == Outcome::RecordFound;
        let rows: Vec<Row> = sheet
            .rows
            .iter()
            .enumerate()
            .map(|(place, row)| {
                let holder = lang.t(&row.name.0, &row.name.1).to_owned();
                let found = row.evidence.iter().map(|it| Found::new(it, &row.name, lang)).collect();
                let known = ended || landed.get(place).copied().unwrap_or(false);
                // Where something was found, the question of what is kept does not arise.
                let kept = row.kept_words().filter(|_| row.evidence.is_empty());
                let kept = kept.map(|words| lang.summary(&words).to_owned());
                Row {
                    kind: lang.label(row.kind.label()),
                    outcome: if known { row.outcome.name() } else { "waiting" },
                    class: if known { class(row.outcome) } else { "later" },
                    label: if known {
                        lang.label(row.outcome.label())
                    } else {
                        lang.t("問い合わせ中です", "Being asked")
                    },
                    meaning: if known { lang.label(row.outcome.of_source_words()) } else { "" },
                    kept: kept.unwrap_or_default(),
                    name: holder,
                    found,
                }
            })
            .collect();
        let mut meanings: Vec<(&str, &str)> = Vec::new();
        for row in rows.iter().filter(|row| row.outcome != "waiting") {
            if !meanings.contains(&(row.label, row.meaning)) {
                meanings.push((row.label, row.meaning));
            }
        }
        let mut all: Vec<(Option<CalendarDate>, Found)> = Vec::new();
        for row in &sheet.rows {
            let dated =
                |it: &Evidence| (it.when.as_ref().and_then(When::day), Found::new(it, &row.name, lang));
            all.extend(row.evidence.iter().map(dated));
        }
        all.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
        let programmes = sheet.cohort.programmes.iter().filter_map(|programme| {
            let window = programme.window(sheet.person.birth)?;
            let (first, last) = (plain_day(window.first, lang), plain_day(window.last, lang));
            Some(Programme { name: lang.label(programme.name()), first, last })
        });
        let mut places: Vec<&str> = sheet.places.iter().map(|kind| lang.label(kind.label())).collect();
        if sheet.handbook {
            places.push(lang.t("母子健康手帳", "Your own mother-and-child handbook"));
        }
        let step = |step: &hibiki_records::rubella::Advice| Step {
            whom: lang.label(step.whom),
            what: lang.label(step.what),
        };
        Self {
            outcome: if certain { sheet.outcome.name() } else { "waiting" },
            class: if certain { class(sheet.outcome) } else { "later" },
            sum: certain.then(|| lang.label(sheet.outcome.in_sum_words())),
            found: all.into_iter().map(|(_, found)| found).collect(),
            next: if certain { sheet.next.iter().map(step).collect() } else { Vec::new() },
            cohort: lang.label(sheet.cohort.name),
            explanation: lang.label(sheet.cohort.explanation),
            uptake: lang.label(sheet.cohort.uptake.label()),
            programmes: programmes.collect(),
            rows,
            meanings,
            places,
            disclaimer: lang.label(Sheet::NOT_A_DIAGNOSIS),
        }
    }
}

impl Found {
    fn new(evidence: &Evidence, holder: &(String, String), lang: Lang) -> Self {
        let when = evidence.when.as_ref().map(|when| lang.summary(&when.words()).to_owned());
        let place = evidence.place.clone().filter(|place| *place != holder.0 && *place != holder.1);
        Self {
            when: when.unwrap_or_else(|| lang.t("日付の記録なし", "no date recorded").to_owned()),
            what: lang.summary(&evidence.words()).to_owned(),
            place: place.unwrap_or_default(),
            holder: lang.t(&holder.0, &holder.1).to_owned(),
        }
    }
}

/// A day of long ago: by era, without its weekday.
fn plain_day(day: CalendarDate, lang: Lang) -> String {
    match lang {
        Lang::Ja => wareki::format_long(day),
        Lang::En => day.to_string(),
    }
}

/// The class of an outcome's tag.
const fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::RecordFound => "done",
        Outcome::NoneThoughProgramme => "due",
        Outcome::NoProgramme => "closed",
        Outcome::DidNotAnswer => "overdue",
        Outcome::NoLongerKept => "later",
    }
}

#[cfg(test)]
mod tests;
