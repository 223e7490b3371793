//! A person at a glance: what is due next, how tall, what not to eat.

use hibiki_protocol::session::{AttestedSubject, Relation};
use hibiki_records::allergy::{Allergy, most_important_first};
use hibiki_records::category::{Category, Label};
use hibiki_records::date::CalendarDate;
use hibiki_records::growth::{Kind, Measurement};
use hibiki_records::immunization;
use hibiki_records::person::Sex;
use hibiki_records::schedule::{self, Timing};
use hibiki_records::words::Summary;

use super::held::held;
use crate::clock;
use crate::desk::{LiveView, Seat};
use crate::web::Lang;

/// Vaccinations named at most.
const STEPS_MAX: usize = 3;

/// What a view tells at a glance, as far as it has come.
pub(super) struct Glance {
    /// The next vaccinations, the most urgent first. `None` for whoever is no child.
    pub(super) next: Option<Vec<NextStep>>,
    /// The latest height and weight.
    pub(super) measured: Vec<Measured>,
    /// Allergies to be heeded.
    pub(super) allergies: Vec<String>,
    /// The school's latest word.
    pub(super) notices: Vec<String>,
}

/// A vaccination that is next.
pub(super) struct NextStep {
    /// Class of its tag: `overdue`, `due` or `later`.
    pub(super) class: &'static str,
    pub(super) tag: &'static str,
    /// What, and between which days.
    pub(super) said: String,
}

/// One measurement.
pub(super) struct Measured {
    pub(super) what: &'static str,
    pub(super) value: String,
    pub(super) date: String,
}

impl Glance {
    pub(super) fn new(person: &AttestedSubject, seat: &Seat, view: &LiveView, lang: Lang) -> Self {
        let child = person.relation == Relation::Child;
        Self {
            next: if child { next(person, seat, view, lang) } else { None },
            measured: measured(seat, view, lang),
            allergies: allergies(seat, view, lang),
            notices: notices(seat, view, lang),
        }
    }
}

/// Her birth date in words; as the registry wrote it where it is no day.
pub(super) fn born(person: &AttestedSubject, lang: Lang) -> String {
    let written = person.birth_date.as_str();
    written.parse().map_or_else(|_| written.to_owned(), |day| lang.day(day))
}

impl Lang {
    pub(super) fn label(self, label: Label) -> &'static str {
        self.t(label.ja, label.en)
    }

    pub(super) fn summary(self, summary: &Summary) -> &str {
        self.t(&summary.ja, &summary.en)
    }
}

fn next(person: &AttestedSubject, seat: &Seat, view: &LiveView, lang: Lang) -> Option<Vec<NextStep>> {
    let birth: CalendarDate = person.birth_date.as_str().parse().ok()?;
    let sex = Sex::from_fhir(&person.sex).unwrap_or(Sex::Unknown);
    let today = CalendarDate::in_japan(clock::now().0)?;
    let given = held(seat, view, Category::Immunization).map(|held| immunization::read(&held.record.content));
    let given: Vec<_> = given.collect();
    let steps = schedule::next(&schedule::plan(birth, sex, &given, today), today);
    let step = |step: &schedule::Step| {
        let (class, tag) = match step.timing {
            Timing::Late => ("overdue", lang.t("まだ受けられます", "Still possible")),
            Timing::Now => ("due", lang.t("接種の時期です", "Time for it")),
            Timing::Early => ("due", lang.t("もう受けられます", "Possible already")),
            Timing::Later => ("later", lang.t("これからです", "Not yet")),
        };
        NextStep { class, tag, said: lang.summary(&step.sentence()).to_owned() }
    };
    Some(steps.iter().take(STEPS_MAX).map(step).collect())
}

fn measured(seat: &Seat, view: &LiveView, lang: Lang) -> Vec<Measured> {
    let all = held(seat, view, Category::Growth);
    let all: Vec<Measurement> = all.filter_map(|held| Measurement::read(&held.record.content).ok()).collect();
    let latest = |kind: Kind| {
        let of_kind = all.iter().filter(|it| it.kind == kind && it.doubt.is_none() && it.value.is_some());
        let latest = of_kind.max_by_key(|it| it.date)?;
        let value = lang.summary(latest.written.as_ref()?).to_owned();
        Some(Measured { what: lang.label(kind.label()), value, date: lang.day(latest.date) })
    };
    [Kind::Height, Kind::Weight].into_iter().filter_map(latest).collect()
}

fn allergies(seat: &Seat, view: &LiveView, lang: Lang) -> Vec<String> {
    let all = held(seat, view, Category::Allergy);
    let all: Vec<Allergy> = all.filter_map(|held| Allergy::read(&held.record.content).ok()).collect();
    let mut names: Vec<String> = Vec::new();
    for place in most_important_first(&all) {
        if let Some(allergy) = all.get(place).filter(|it| it.is_current()) {
            let name = lang.summary(&allergy.substance).to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn notices(seat: &Seat, view: &LiveView, lang: Lang) -> Vec<String> {
    let mut all: Vec<_> = held(seat, view, Category::SchoolNotice).collect();
    all.sort_by(|one, other| other.record.date.as_str().cmp(one.record.date.as_str()));
    let line = |summary: &Summary| lang.summary(summary).to_owned();
    all.iter()
        .take(2)
        .map(|held| line(&hibiki_records::words::summary(Category::SchoolNotice, &held.record.content)))
        .collect()
}
