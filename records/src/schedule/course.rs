//! Which series stand for a group of diseases, and which course of doses a series follows.
//!
//! Owns the choice; the conditions are in the rules. Must not know states.

use super::rules::{Course, Group, Series, Variant, series};
use super::taken::{Known, Taken};
use crate::date::CalendarDate;
use crate::immunization::Stage;

/// The series that stand for the group: how the child was begun on, else what is usual for its birth date.
pub(super) fn variant(group: &'static Group, birth: CalendarDate, known: &[Known]) -> Vec<&'static Series> {
    let listed = |variant: &'static Variant| -> Vec<&'static Series> {
        variant.series.iter().filter_map(|id| series(id)).collect()
    };
    let counting = || {
        known.iter().filter(|known| {
            let all = group.variants.iter().flat_map(listed);
            all.filter(|series| series.counts(known.vaccine.id)).any(|series| {
                series.counts_from.and_then(|from| from.of(birth)).is_none_or(|from| from <= known.day.day)
            })
        })
    };
    let shown = |variant: &Variant, list: &[&str]| {
        !variant.evidence.is_empty() && counting().any(|it| list.contains(&it.vaccine.id))
    };
    let forced = group.variants.iter().position(|variant| {
        !variant.forced_by.is_empty() && variant.forced_by.iter().all(|list| shown(variant, list))
    });
    let begun = || {
        let place =
            |known: &Known| group.variants.iter().rposition(|it| it.evidence.contains(&known.vaccine.id));
        // The earliest counts; of one day, the least combined.
        let all = counting().filter_map(|known| Some((known.day.day, place(known)?)));
        all.min_by_key(|(day, place)| (*day, usize::MAX - place)).map(|(_, place)| place)
    };
    let usual =
        || group.variants.iter().position(|variant| variant.usual_from.is_none_or(|from| from <= birth));
    let chosen = forced.or_else(begun).or_else(usual).unwrap_or(0);

    let unfit = |variant: &'static Variant| {
        let series = listed(variant);
        counting().any(|known| {
            group.binding.contains(&known.vaccine.id) && !series.iter().any(|it| it.counts(known.vaccine.id))
        })
    };
    let fitting = group.variants.iter().skip(chosen).find(|variant| !unfit(variant));
    fitting.or_else(|| group.variants.get(chosen)).map(listed).unwrap_or_default()
}

/// The course that the series follows for these doses.
pub(super) fn course(
    series: &'static Series,
    birth: CalendarDate,
    doses: &[Taken],
    today: CalendarDate,
) -> Option<&'static Course> {
    let fitting = series.courses.iter().find(|course| fits(course, birth, doses, today));
    fitting.or_else(|| series.courses.last())
}

fn fits(course: &Course, birth: CalendarDate, doses: &[Taken], today: CalendarDate) -> bool {
    let when = &course.when;
    let first = doses.first();
    // Where the first dose on record says that it was not the first, the start is not known: as usual.
    let start = match first {
        Some(dose) if says_it_is_later(dose) => birth,
        Some(dose) => dose.day.day,
        None => today,
    };
    let listed = |list: &[&str]| first.is_some_and(|dose| list.contains(&dose.vaccine.id));
    when.start_until.is_none_or(|until| until.of(birth).is_none_or(|until| start <= until))
        && when.first_vaccine.as_deref().is_none_or(listed)
        && when.first_vaccine_not.as_deref().is_none_or(|list| !listed(list))
        && when.born_from.is_none_or(|from| from <= birth)
        && when.born_until.is_none_or(|until| birth <= until)
        && when.given.as_ref().is_none_or(|given| {
            doses.iter().filter(|dose| dose.vaccine.id == given.vaccine).count() >= given.at_least
        })
}

fn says_it_is_later(dose: &Taken) -> bool {
    let stated = dose.stated;
    stated.number.is_some_and(|number| number > 1) || stated.stage == Some(Stage::Booster)
}
