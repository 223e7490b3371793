//! Doses that count for a series: what several institutions recorded of one dose is one dose.
//!
//! Must not know courses or states.

use super::rules::Series;
use std::cmp::Reverse;

use crate::date::{CalendarDate, Precision};
use crate::immunization::{Day, Stated, Status, Vaccination, Vaccine};

/// A dose, and the records that tell of it.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) day: Day,
    pub(super) vaccine: &'static Vaccine,
    pub(super) stated: Stated,
    /// Places in the list of vaccinations, in order.
    pub(super) sources: Vec<usize>,
}

/// A vaccination that was given with a known vaccine on a known day.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) index: usize,
    pub(super) day: Day,
    pub(super) vaccine: &'static Vaccine,
    pub(super) stated: Stated,
}

/// Those of the vaccinations, in order of their days.
pub(super) fn known(vaccinations: &[Vaccination], birth: CalendarDate) -> Vec<Known> {
    let given = vaccinations.iter().enumerate().filter(|(_, it)| it.status == Status::Given);
    let mut known: Vec<Known> = given
        .filter_map(|(index, it)| {
            Some(Known { index, day: it.day?, vaccine: it.vaccine?, stated: it.stated })
        })
        .filter(|known| last_day(known.day) >= birth)
        .collect();
    known.sort_by_key(|known| (known.day, known.index));
    known
}

/// The last day that a partial date may mean.
pub(super) fn last_day(day: Day) -> CalendarDate {
    let months = match day.precision {
        Precision::Day => return day.day,
        Precision::Month => 0,
        Precision::Year => 11,
    };
    day.day.month_after(months).map_or(day.day, |(_, last)| last)
}

/// The doses that count for the series, in order of their days.
pub(super) fn counted(known: &[Known], series: &Series, birth: CalendarDate) -> Vec<Taken> {
    let from = series.counts_from.and_then(|moment| moment.of(birth)).unwrap_or(birth);
    let counting = |known: &&Known| series.counts(known.vaccine.id) && last_day(known.day) >= from;
    let mut doses: Vec<Taken> = Vec::new();
    let counting: Vec<&Known> = known.iter().filter(counting).collect();
    // Two doses of one series are never given on one day.
    for known in counting.iter().filter(|known| known.day.is_exact()) {
        match doses.iter_mut().find(|dose| dose.day == known.day) {
            Some(dose) => dose.add(known),
            None => doses.push(Taken::new(known)),
        }
    }
    // Whoever noted the month or year only may mean a dose whose day another institution knows; each such
    // note means another dose. A month leaves fewer doses to choose from than a year.
    let mut explained: Vec<CalendarDate> = Vec::new();
    let mut vague: Vec<&&Known> = counting.iter().filter(|known| !known.day.is_exact()).collect();
    vague.sort_by_key(|known| Reverse(known.day.precision));
    for known in vague {
        let same = doses.iter_mut().find(|dose| {
            let stated = dose.stated == known.stated || !dose.stated.is_some() || !known.stated.is_some();
            let within = known.day.day <= dose.day.day && dose.day.day <= last_day(known.day);
            dose.day.is_exact() && within && stated && !explained.contains(&dose.day.day)
        });
        match same {
            Some(dose) => {
                explained.push(dose.day.day);
                dose.add(known);
            }
            None => doses.push(Taken::new(known)),
        }
    }
    doses.sort_by_key(|dose| (dose.day.day, dose.sources.first().copied()));
    doses
}

impl Taken {
    fn new(known: &Known) -> Self {
        Self { day: known.day, vaccine: known.vaccine, stated: known.stated, sources: vec![known.index] }
    }

    fn add(&mut self, known: &Known) {
        self.sources.push(known.index);
        if !self.stated.is_some() {
            self.stated = known.stated;
        }
    }
}
