//! Which dose on record is which dose of the course.
//!
//! Doses take their places in the order of their days. A dose goes where its record says; where the records
//! of a series contradict each other (the second before the first, two firsts), none of them is believed.
//! Else it takes the first free place in whose legal period it was given, else the first free place. Nothing
//! is lost: what finds no place is an extra dose.

use super::rules::{Course, Dose};
use super::taken::Taken;
use super::window::Window;
use crate::date::CalendarDate;
use crate::immunization::Stated;

/// The doses in their places.
pub(super) struct Placed {
    /// For each dose of the course, what was taken.
    pub(super) slots: Vec<Option<Taken>>,
    /// What was taken beyond it.
    pub(super) extra: Vec<Taken>,
}

pub(super) fn place(
    course: &Course,
    windows: &[Vec<Window>],
    birth: CalendarDate,
    doses: &[Taken],
) -> Placed {
    attempt(course, windows, birth, doses, true)
        .or_else(|| attempt(course, windows, birth, doses, false))
        .unwrap_or_else(|| Placed { slots: vec![None; course.doses.len()], extra: doses.to_vec() })
}

/// `None` where statements contradict the days.
fn attempt(
    course: &Course,
    windows: &[Vec<Window>],
    birth: CalendarDate,
    doses: &[Taken],
    believe: bool,
) -> Option<Placed> {
    let mut placed = Placed { slots: vec![None; course.doses.len()], extra: Vec::new() };
    // Where the law provides for some of the doses, the others are no places to fill.
    let routine = windows.iter().any(|list| !list.is_empty());
    let mut next = 0;
    for dose in doses {
        let stated = if believe { stated_place(course, dose.stated, next) } else { Stand::Silent };
        let place = match stated {
            Stand::At(place) if place >= next => Some(place),
            Stand::At(_) => return None,
            Stand::Silent => {
                let open = |place: &usize| {
                    let rule = course.doses.get(*place);
                    rule.is_some_and(|rule| !rule.not_needed && !left_out(course, rule, &placed, birth))
                };
                let within = |place: &usize| {
                    windows.get(*place).is_some_and(|list| list.iter().any(|it| it.contains(dose.day.day)))
                };
                let legal =
                    |place: &usize| !routine || windows.get(*place).is_some_and(|list| !list.is_empty());
                let optional = |place: &usize| course.doses.get(*place).is_some_and(|rule| rule.not_needed);
                let later = || (next..course.doses.len()).filter(legal);
                let free = || later().filter(open);
                free().find(within).or_else(|| free().next()).or_else(|| later().find(optional))
            }
        };
        match place.and_then(|place| placed.slots.get_mut(place)) {
            Some(slot) => {
                *slot = Some(dose.clone());
                next = place.map_or(next, |place| place + 1);
            }
            None => placed.extra.push(dose.clone()),
        }
    }
    Some(placed)
}

/// Whether an earlier dose came so late that this one is not given.
pub(super) fn left_out(course: &Course, rule: &Dose, placed: &Placed, birth: CalendarDate) -> bool {
    rule.skip_if.is_some_and(|skip| {
        let place = course.doses.iter().position(|dose| dose.key == skip.dose);
        let taken = place.and_then(|place| placed.slots.get(place)?.as_ref());
        taken.is_some_and(|taken| skip.later_than.of(birth).is_some_and(|limit| taken.day.day > limit))
    })
}

enum Stand {
    At(usize),
    Silent,
}

/// The place that a statement means, at or after `next` where it leaves a choice.
fn stated_place(course: &Course, stated: Stated, next: usize) -> Stand {
    if !stated.is_some() {
        return Stand::Silent;
    }
    let agrees = |rule: &Dose| {
        let period = stated.period.is_none_or(|period| rule.period.is_none_or(|own| own == period));
        let stage = stated.stage.is_none_or(|stage| rule.stage.is_none_or(|own| own == stage));
        period && stage && !rule.not_needed
    };
    let fitting: Vec<usize> =
        (0..course.doses.len()).filter(|place| course.doses.get(*place).is_some_and(agrees)).collect();
    let numbered = |place: &&usize| {
        stated.number.is_some_and(|number| numbers(course, **place).contains(&usize::from(number)))
    };
    let distinct = stated.period.is_some() || stated.stage.is_some();
    match fitting.iter().find(numbered) {
        Some(place) => Stand::At(*place),
        None if distinct => {
            let later = fitting.iter().find(|place| **place >= next);
            later.or_else(|| fitting.last()).map_or(Stand::Silent, |place| Stand::At(*place))
        }
        None => Stand::Silent,
    }
}

/// The numbers by which a dose may be called: within its period and stage, and within the course.
fn numbers(course: &Course, place: usize) -> [usize; 2] {
    let Some(rule) = course.doses.get(place) else { return [0, 0] };
    let before = || course.doses.iter().take(place).filter(|dose| !dose.not_needed);
    let alike = before().filter(|dose| dose.period == rule.period && dose.stage == rule.stage).count();
    [before().count() + 1, alike + 1]
}
