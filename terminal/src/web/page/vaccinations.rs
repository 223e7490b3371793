//! 予防接種: what is next, a picture of all of it, and every dose with its record, its state and its rule.

mod picture;

use askama::Template;
use axum::response::Response;
use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::immunization::{self, Status, Vaccination};
use hibiki_records::schedule::{self, DosePlan, Plan, Received, SeriesPlan, State, Timing};
use hibiki_records::words::summary;

use super::coverage::Coverage;
use super::held::Held;
use super::{Frame, Seated, shown};
use crate::web::Lang;
use picture::Picture;

#[derive(Template)]
#[template(path = "vaccinations.html")]
struct Vaccinations {
    f: Frame,
    coverage: Coverage,
    content: Content,
}

/// What the page tells, as far as records have landed.
#[derive(Default)]
struct Content {
    /// There is a plan: a child with a birth date.
    planned: bool,
    steps: Vec<StepLine>,
    live_gap: String,
    picture: Option<Picture>,
    series: Vec<SeriesBlock>,
    /// What stands in no series.
    others: Vec<OtherLine>,
}

struct StepLine {
    class: &'static str,
    tag: &'static str,
    said: String,
}

struct SeriesBlock {
    name: &'static str,
    complete: bool,
    course: &'static str,
    note: &'static str,
    source: &'static str,
    doses: Vec<DoseLine>,
}

struct DoseLine {
    label: String,
    class: &'static str,
    tag: &'static str,
    said: String,
    rule: String,
    sources: Vec<SourceLine>,
}

/// One institution's record of a dose.
struct SourceLine {
    holder: String,
    details: String,
}

struct OtherLine {
    name: String,
    date: String,
    why: &'static str,
    sources: Vec<SourceLine>,
}

/// `GET /person/{person}/vaccinations`.
pub(super) async fn page(seated: Seated) -> Response {
    let coverage = seated.coverage().not(
        "接種していないという意味ではありません。母子健康手帳で確かめてください。",
        "This does not mean that a vaccination was not given. Please check the Mother and Child Handbook.",
    );
    let content = content(&seated);
    shown(&Vaccinations { f: seated.frame, coverage, content })
}

fn content(seated: &Seated) -> Content {
    let read = |held: Held<'_>| immunization::read(&held.record.content);
    let (holders, vaccinations): (Vec<Held<'_>>, Vec<Vaccination>) =
        seated.held(Category::Immunization).map(|held| (held, read(held))).unzip();
    let told = Told { holders, vaccinations, lang: seated.lang() };
    let born = seated.birth().filter(|_| !seated.oneself());
    match born.zip(seated.today()) {
        Some((birth, today)) => {
            let plan = schedule::plan(birth, seated.sex(), &told.vaccinations, today);
            told.planned(&plan, birth, today)
        }
        None => Content { others: told.all(), ..Content::default() },
    }
}

/// The records that have landed, read, each with its holder.
struct Told<'a> {
    holders: Vec<Held<'a>>,
    vaccinations: Vec<Vaccination>,
    lang: Lang,
}

impl Told<'_> {
    fn planned(&self, plan: &Plan, birth: CalendarDate, today: CalendarDate) -> Content {
        let lang = self.lang;
        let steps = schedule::next(plan, today);
        let live_gap = schedule::live_gap_words(&steps);
        let step = |step: &schedule::Step| StepLine {
            class: match step.timing {
                Timing::Late => "overdue",
                Timing::Now | Timing::Early => "due",
                Timing::Later => "later",
            },
            tag: lang.label(step.timing.label()),
            said: lang.summary(&step.sentence()).to_owned(),
        };
        let mut others: Vec<OtherLine> = plan
            .other
            .iter()
            .map(|other| self.other(&other.sources, lang.label(other.why.label())))
            .collect();
        let not_given = lang.t("今回は接種しなかったという記録", "Recorded as not given on that occasion");
        others.extend(plan.not_given.iter().map(|place| self.other(&[*place], not_given)));
        others.extend(self.withdrawn());
        Content {
            planned: true,
            steps: steps.iter().map(step).collect(),
            live_gap: live_gap.map(|words| lang.summary(&words).to_owned()).unwrap_or_default(),
            picture: Picture::new(plan, birth, today, lang),
            series: plan.series.iter().map(|series| self.series(series)).collect(),
            others,
        }
    }

    /// Every record, without a plan: newest first.
    fn all(&self) -> Vec<OtherLine> {
        let mut places: Vec<usize> = (0..self.vaccinations.len()).collect();
        let day = |place: &usize| self.vaccinations.get(*place).and_then(|it| it.day).map(|day| day.day);
        places.sort_by_key(|place| std::cmp::Reverse(day(place)));
        let why = |place: usize| match self.vaccinations.get(place).map(|it| it.status) {
            Some(Status::NotGiven) => self.lang.t("接種しなかったという記録", "Recorded as not given"),
            Some(Status::Withdrawn) => self.lang.t("取り消された記録", "Withdrawn"),
            _ => "",
        };
        places.into_iter().map(|place| self.other(&[place], why(place))).collect()
    }

    fn withdrawn(&self) -> impl Iterator<Item = OtherLine> {
        let withdrawn = self.vaccinations.iter().enumerate().filter(|(_, it)| it.status == Status::Withdrawn);
        withdrawn.map(|(place, _)| self.other(&[place], self.lang.t("取り消された記録", "Withdrawn")))
    }

    fn series(&self, series: &SeriesPlan) -> SeriesBlock {
        let lang = self.lang;
        let optional = |label: Option<hibiki_records::category::Label>| {
            label.map(|label| lang.label(label)).unwrap_or_default()
        };
        let mut doses: Vec<DoseLine> = series.doses.iter().map(|dose| self.dose(dose)).collect();
        doses.extend(series.extra.iter().map(|received| DoseLine {
            label: lang.t("そのほかの接種", "A further dose").to_owned(),
            class: "done",
            tag: lang.t("接種済み", "Received"),
            said: lang.summary(&received.sentence()).to_owned(),
            rule: String::new(),
            sources: self.sources(&received.sources),
        }));
        SeriesBlock {
            name: lang.label(series.label),
            complete: series.is_complete(),
            course: optional(series.course),
            note: optional(series.note),
            source: lang.label(series.source),
            doses,
        }
    }

    fn dose(&self, dose: &DosePlan) -> DoseLine {
        let lang = self.lang;
        DoseLine {
            label: lang.label(dose.label).to_owned(),
            class: class(&dose.state),
            tag: lang.label(dose.state.label()),
            said: lang.summary(&dose.sentence()).to_owned(),
            rule: lang.summary(&dose.rule).to_owned(),
            sources: dose.state.received().map(|it: &Received| self.sources(&it.sources)).unwrap_or_default(),
        }
    }

    fn other(&self, places: &[usize], why: &'static str) -> OtherLine {
        let first = places.first().and_then(|place| self.vaccinations.get(*place));
        let held = places.first().and_then(|place| self.holders.get(*place));
        // What says more than our name for its kind is said in full.
        let line = held.map(|held| summary(Category::Immunization, &held.record.content));
        OtherLine {
            name: line.map(|line| self.lang.summary(&line).to_owned()).unwrap_or_default(),
            date: first
                .and_then(|it| it.day)
                .map_or_else(|| self.lang.t("日付なし", "no day").to_owned(), |day| self.lang.day(day.day)),
            why,
            sources: self.sources(places),
        }
    }

    fn sources(&self, places: &[usize]) -> Vec<SourceLine> {
        let source = |place: &usize| {
            let (held, it) = (self.holders.get(*place)?, self.vaccinations.get(*place)?);
            let lot = it.lot.as_ref().map(|lot| format!("{} {lot}", self.lang.t("製造番号", "lot")));
            // Where it was given is mostly who holds the record.
            let place = it.place.clone().filter(|place| *place != held.part.name.0);
            let details = [place, it.performer.clone(), lot, it.reason.clone()];
            Some(SourceLine {
                holder: held.holder(self.lang).to_owned(),
                details: details.into_iter().flatten().collect::<Vec<_>>().join(self.lang.t("、", ", ")),
            })
        };
        places.iter().filter_map(source).collect()
    }
}

/// Class of a state's tag.
fn class(state: &State) -> &'static str {
    match state {
        State::Received(_) => "done",
        State::Due { .. } | State::Possible { .. } => "due",
        State::Overdue { .. } => "overdue",
        State::NotYet { .. } => "later",
        State::Closed { .. } | State::Unrecorded => "closed",
        State::NotNeeded { .. } => "not-needed",
    }
}
