//! The plan as a whole: every series of the programme, and everything else that was given.

use std::collections::BTreeSet;
use std::fmt;

use super::course::{course, variant};
use super::judge::{Person, judge};
use super::place::place;
use super::rules::{Course, OnlyFor, Series, rules};
use super::taken::{Taken, counted, known, last_day};
use super::{DosePlan, Received, State, Window};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::immunization::{Kind, Status, Vaccination};
use crate::person::Sex;

/// What the records and the law say together. `Debug` shows numbers only.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// The series of the programme for this birth date and sex, and those of which a dose was given, in the
    /// order of the programme.
    pub series: Vec<SeriesPlan>,
    /// Other vaccinations that were given, by day.
    pub other: Vec<Other>,
    /// Records that say that a vaccination was not given on that occasion.
    pub not_given: Vec<usize>,
}

/// One series.
#[derive(Clone, PartialEq, Eq)]
pub struct SeriesPlan {
    /// Stable name.
    pub id: &'static str,
    /// What a guardian reads.
    pub label: Label,
    /// Whether the programme provides for it at this birth date and sex. Else only what was given is listed.
    pub routine: bool,
    /// Given by injected live vaccines, which need a gap between them.
    pub live: bool,
    /// Why the course has this number of doses.
    pub course: Option<Label>,
    /// What else to know while doses are to come.
    pub note: Option<Label>,
    /// Where the rules stand.
    pub source: Label,
    /// The doses in order.
    pub doses: Vec<DosePlan>,
    /// Doses beyond them.
    pub extra: Vec<Received>,
}

/// A vaccination that counts for no series of the plan.
#[derive(Clone, PartialEq, Eq)]
pub struct Other {
    /// Places in the list handed in: one for each record that tells of it. Never empty.
    pub sources: Vec<usize>,
    /// Why it counts for none.
    pub why: OtherWhy,
}

/// Why a vaccination counts for no series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherWhy {
    /// The vaccine is none we know.
    Unknown,
    /// A vaccine outside the routine programme of childhood.
    NotRoutine,
    /// Given too early in life to count, or beside another way to the same protection.
    NotCounted,
    /// The record tells no day.
    NoDay,
    /// The recorded day lies before birth.
    BeforeBirth,
}

impl SeriesPlan {
    /// Doses that were given, the extra ones included.
    pub fn received(&self) -> impl Iterator<Item = &Received> {
        self.doses.iter().filter_map(|dose| dose.state.received()).chain(&self.extra)
    }

    /// Whether no dose is open or to come.
    pub fn is_over(&self) -> bool {
        !self.doses.iter().any(|dose| dose.state.is_open() || matches!(dose.state, State::NotYet { .. }))
    }

    /// What to do about doses whose period is over without a record; `None` where there are none.
    pub fn advice(&self) -> Option<Label> {
        self.doses.iter().find_map(|dose| match dose.state {
            State::Closed { advice, .. } => Some(advice),
            _ => None,
        })
    }

    /// Whether every dose that is needed is on record.
    pub fn is_complete(&self) -> bool {
        self.routine
            && self
                .doses
                .iter()
                .all(|dose| matches!(dose.state, State::Received(_) | State::NotNeeded { .. }))
    }
}

/// Lays the vaccinations over the programme, as it stands on the day `today`.
///
/// `vaccinations` may come from any number of institutions in any order; their places in the list name them in
/// the result. Withdrawn ones are passed over. Where the sex is not known, series for girls are listed.
pub fn plan(birth: CalendarDate, sex: Sex, vaccinations: &[Vaccination], today: CalendarDate) -> Plan {
    let known = known(vaccinations, birth);
    let live: Vec<CalendarDate> = known
        .iter()
        .filter(|it| it.vaccine.kind == Kind::LiveInjected && it.day.is_exact())
        .map(|it| it.day.day)
        .collect();
    let person = Person { birth, today, live: &live, vaccinations };
    let mut series = Vec::new();
    for group in &rules().groups {
        for rule in variant(group, birth, &known) {
            let doses = counted(&known, rule, birth);
            let provided = rule.sex != Some(OnlyFor::Female) || sex != Sex::Male;
            series.extend(one(rule, provided, &doses, &person));
        }
    }
    let used: BTreeSet<usize> = series
        .iter()
        .flat_map(SeriesPlan::received)
        .flat_map(|received| &received.sources)
        .copied()
        .collect();
    let not_given = (0..vaccinations.len())
        .filter(|index| vaccinations.get(*index).is_some_and(|it| it.status == Status::NotGiven))
        .collect();
    Plan { series, other: others(vaccinations, &used, birth), not_given }
}

fn one(rule: &'static Series, provided: bool, doses: &[Taken], person: &Person<'_>) -> Option<SeriesPlan> {
    let given: Vec<CalendarDate> = doses.iter().map(|dose| dose.day.day).collect();
    let follow = |course| {
        let windows = periods(rule, course, provided, person.birth, &given);
        let placed = place(course, &windows, person.birth, doses);
        judge(rule, course, windows, &placed, person)
    };
    let mut chosen = course(rule, person.birth, doses, person.today)?;
    let mut judged = follow(chosen);
    let instead = chosen.if_too_early.filter(|_| judged.too_early);
    if let Some(other) = rule.courses.iter().find(|course| Some(course.key) == instead) {
        chosen = other;
        judged = follow(other);
    }
    if judged.doses.is_empty() && judged.extra.is_empty() {
        return None;
    }
    let mut series = SeriesPlan {
        id: rule.id,
        label: rule.label,
        routine: judged.routine,
        live: rule.live,
        course: chosen.why,
        note: None,
        source: rule.source,
        doses: judged.doses,
        extra: judged.extra,
    };
    series.note = rule.note.filter(|_| !series.is_over());
    Some(series)
}

fn periods(
    rule: &Series,
    course: &Course,
    provided: bool,
    birth: CalendarDate,
    given: &[CalendarDate],
) -> Vec<Vec<Window>> {
    let each =
        course.doses.iter().map(|dose| if provided { rule.windows(dose, birth, given) } else { Vec::new() });
    each.collect()
}

/// Everything that was given and stands in no series; records of the same vaccine on the same day are one.
fn others(vaccinations: &[Vaccination], used: &BTreeSet<usize>, birth: CalendarDate) -> Vec<Other> {
    let mut others: Vec<(usize, Other)> = Vec::new();
    for (index, it) in vaccinations.iter().enumerate() {
        if it.status != Status::Given || used.contains(&index) {
            continue;
        }
        let counts = |id| rules().series.iter().any(|series| series.counts(id));
        let why = match (it.day, it.vaccine) {
            (None, _) => OtherWhy::NoDay,
            (Some(day), _) if last_day(day) < birth => OtherWhy::BeforeBirth,
            (_, None) => OtherWhy::Unknown,
            (_, Some(vaccine)) if counts(vaccine.id) => OtherWhy::NotCounted,
            _ => OtherWhy::NotRoutine,
        };
        let same = |earlier: &Vaccination| {
            let named = match (earlier.vaccine, it.vaccine) {
                (Some(one), Some(other)) => one.id == other.id,
                (None, None) => earlier.name == it.name,
                _ => false,
            };
            named && it.day.is_some() && earlier.day == it.day
        };
        let twin = others
            .iter_mut()
            .find(|(first, other)| other.why == why && vaccinations.get(*first).is_some_and(same));
        match twin {
            Some((_, other)) => other.sources.push(index),
            None => others.push((index, Other { sources: vec![index], why })),
        }
    }
    others.sort_by_key(|(first, _)| (vaccinations.get(*first).and_then(|it| it.day), *first));
    others.into_iter().map(|(_, other)| other).collect()
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({} series, {} others)", self.series.len(), self.other.len())
    }
}

impl fmt::Debug for SeriesPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeriesPlan({} doses)", self.doses.len())
    }
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Other({} sources)", self.sources.len())
    }
}
