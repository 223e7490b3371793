//! The plan, case by case and as a whole.

mod cases;
mod golden;

mod properties;
mod wording;

use super::*;
use crate::date::Precision;
use crate::date::tests::day;
use crate::immunization::{RecognisedBy, Stated, Status, Vaccination, vaccine};
use crate::person::Sex;

/// A vaccination that was given on that day, or in that month or year.
pub(super) fn dose(id: &str, on: &str) -> Vaccination {
    let (precision, rest) = match on.len() {
        4 => (Precision::Year, "-01-01"),
        7 => (Precision::Month, "-01"),
        _ => (Precision::Day, ""),
    };
    let vaccine = vaccine(id);
    let label = vaccine.map_or(Label { ja: "狂犬病", en: "Rabies" }, |vaccine| vaccine.label);
    Vaccination {
        status: Status::Given,
        day: Some(Day { day: day(&format!("{on}{rest}")), precision }),
        vaccine,
        recognised_by: vaccine.map(|_| RecognisedBy::Code),
        name: Summary::new(label.ja, label.en),
        stated: Stated::default(),
        lot: None,
        performer: None,
        place: None,
        reason: None,
    }
}

/// The same, stated as that dose of its series.
pub(super) fn numbered(id: &str, on: &str, number: u8) -> Vaccination {
    Vaccination { stated: Stated { number: Some(number), ..Stated::default() }, ..dose(id, on) }
}

pub(super) fn plan_of(birth: &str, doses: &[Vaccination], today: &str) -> Plan {
    plan(day(birth), Sex::Female, doses, day(today))
}

/// A series in one line for each dose: key, state, days.
pub(super) fn shown(plan: &Plan, id: &str) -> Vec<String> {
    let Some(series) = plan.series.iter().find(|series| series.id == id) else { return Vec::new() };
    let line = |dose: &DosePlan| {
        let days = match &dose.state {
            State::Received(received) => received_line(received),
            State::Due { until } | State::Overdue { until, .. } => format!(" until {until}"),
            State::Possible { recommended_from, until } => {
                format!(" best from {recommended_from} until {until}")
            }
            State::NotYet { from, after_previous } => {
                format!(" from {from}{}", if *after_previous { " after previous" } else { "" })
            }
            State::Closed { since, .. } => format!(" since {since}"),
            State::NotNeeded { .. } | State::Unrecorded => String::new(),
        };
        format!("{} {}{days}", dose.key, dose.state.name())
    };
    let extra = series.extra.iter().map(|received| format!("+ extra{}", received_line(received)));
    series.doses.iter().map(line).chain(extra).collect()
}

fn received_line(received: &Received) -> String {
    let notes: Vec<String> = received
        .notes
        .iter()
        .map(|note| match note {
            Note::OutsidePeriod => " outside".to_owned(),
            Note::NotRoutine => " not-routine".to_owned(),
            Note::TooEarly(day) => format!(" too-early({day})"),
            Note::LiveGap(day) => format!(" live-gap({day})"),
            Note::Inexact => " inexact".to_owned(),
            Note::Ahead => " ahead".to_owned(),
        })
        .collect();
    format!(" {} {:?}{}", received.day.day, received.sources, notes.concat())
}
