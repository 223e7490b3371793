//! What holds for any life, any doses and any day.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::date::CalendarDate;
use crate::date::tests::any_day;
use crate::immunization::{Stage, vaccines};

/// Births of whom records may exist, most of them of recent years.
fn any_birth() -> impl Strategy<Value = CalendarDate> {
    prop_oneof![
        1 => any_day(),
        6 => (0i32..11_000).prop_map(|days| day("1997-01-01").plus_days(days).unwrap()),
    ]
}

fn any_sex() -> impl Strategy<Value = Sex> {
    prop::sample::select(vec![Sex::Male, Sex::Female, Sex::Other, Sex::Unknown])
}

fn any_stated() -> impl Strategy<Value = Stated> {
    let stage = prop::option::weighted(0.2, prop::sample::select(vec![Stage::Initial, Stage::Booster]));
    (prop::option::weighted(0.2, 1u8..5), stage, prop::option::weighted(0.4, 1u8..12))
        .prop_map(|(period, stage, number)| Stated { period, stage, number })
}

/// Doses by their day of life: mostly of childhood, some before birth or absurdly late.
fn any_doses() -> impl Strategy<Value = Vec<(Vaccination, Option<i32>)>> {
    let id = prop::sample::select(
        vaccines().iter().map(|vaccine| vaccine.id).chain(["rabies"]).collect::<Vec<_>>(),
    );
    let age = prop_oneof![6 => 0i32..900, 2 => 900i32..7000, 1 => -400i32..30_000];
    let precision = prop::sample::select(vec![
        Precision::Day,
        Precision::Day,
        Precision::Day,
        Precision::Month,
        Precision::Year,
    ]);
    let status = prop::sample::select(vec![
        Status::Given,
        Status::Given,
        Status::Given,
        Status::NotGiven,
        Status::Withdrawn,
    ]);
    let one = (id, prop::option::weighted(0.95, age), precision, status, any_stated()).prop_map(
        |(id, age, precision, status, stated)| {
            let mut dose = Vaccination { status, stated, ..dose(id, "2000-01-01") };
            dose.day = age.map(|_| Day { day: day("2000-01-01"), precision });
            (dose, age)
        },
    );
    prop::collection::vec(one, 0..24)
}

fn dated(birth: CalendarDate, doses: Vec<(Vaccination, Option<i32>)>) -> Vec<Vaccination> {
    doses
        .into_iter()
        .map(|(mut dose, age)| {
            let on = age.and_then(|age| birth.plus_days(age)).unwrap_or(birth);
            if let Some(day) = dose.day.as_mut() {
                day.day = match day.precision {
                    Precision::Day => on,
                    Precision::Month => CalendarDate::new(on.year(), on.month(), 1).unwrap(),
                    Precision::Year => CalendarDate::new(on.year(), 1, 1).unwrap(),
                };
            }
            dose
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_given_is_lost(birth in any_birth(), sex in any_sex(), doses in any_doses(), age in -400i32..20_000) {
        let doses = dated(birth, doses);
        let today = birth.plus_days(age).unwrap();
        let plan = plan(birth, sex, &doses, today);
        let placed = plan.series.iter().flat_map(SeriesPlan::received).flat_map(|it| &it.sources);
        let found: BTreeSet<usize> = placed.chain(plan.other.iter().flat_map(|other| &other.sources)).copied().collect();
        for (index, dose) in doses.iter().enumerate() {
            prop_assert_eq!(found.contains(&index), dose.status == Status::Given);
            prop_assert_eq!(plan.not_given.contains(&index), dose.status == Status::NotGiven);
        }
        // Within a series each record is told once.
        for series in &plan.series {
            let mut seen = BTreeSet::new();
            for index in series.received().flat_map(|it| &it.sources) {
                prop_assert!(seen.insert(*index));
            }
        }
    }

    #[test]
    fn states_agree_with_the_days(birth in any_birth(), sex in any_sex(), doses in any_doses(), age in -400i32..8_000) {
        let doses = dated(birth, doses);
        let today = birth.plus_days(age).unwrap();
        let plan = plan(birth, sex, &doses, today);
        for series in &plan.series {
            let mut before: Option<CalendarDate> = None;
            for dose in &series.doses {
                prop_assert!(dose.legal.iter().zip(dose.legal.iter().skip(1)).all(|(a, b)| a.last < b.first));
                prop_assert!(dose.legal.iter().chain(&dose.recommended).all(|window| window.first <= window.last));
                if let (Some(best), Some(first), Some(last)) = (dose.recommended, dose.legal.first(), dose.legal.last()) {
                    prop_assert!(first.first <= best.first && best.last <= last.last);
                }
                let within = |day: CalendarDate| dose.legal.iter().any(|window| window.contains(day));
                match &dose.state {
                    State::Received(received) => {
                        prop_assert!(!received.sources.is_empty());
                        prop_assert!(before.is_none_or(|day| day <= received.day.day), "doses stand in order");
                        before = Some(received.day.day);
                    }
                    State::Due { until } | State::Overdue { until, .. } => prop_assert!(within(today) && today <= *until && within(*until)),
                    State::Possible { recommended_from, until } => {
                        prop_assert!(within(today) && today < *recommended_from && today <= *until);
                    }
                    State::NotYet { from, .. } => prop_assert!(today < *from && within(*from)),
                    State::Closed { since, .. } => prop_assert!(dose.legal.last().unwrap().last == *since),
                    State::NotNeeded { .. } | State::Unrecorded => {}
                }
                prop_assert!(!dose.rule.ja.is_empty() && !dose.sentence().ja.is_empty() && !dose.sentence().en.is_empty());
            }
        }
        let steps = next(&plan, today);
        prop_assert!(steps.iter().all(|step| step.from >= today && step.from <= step.until));
        prop_assert!(steps.iter().zip(steps.iter().skip(1)).all(|(a, b)| a.timing <= b.timing));
        let _ = live_gap_words(&steps);
    }

    #[test]
    fn an_open_dose_keeps_every_gap(birth in any_birth(), doses in any_doses(), age in 0i32..8_000) {
        let doses = dated(birth, doses);
        let today = birth.plus_days(age).unwrap();
        let plan = plan(birth, Sex::Female, &doses, today);
        let live = doses.iter().filter(|dose| {
            let live = dose.vaccine.is_some_and(|vaccine| vaccine.kind == crate::immunization::Kind::LiveInjected);
            live && dose.status == Status::Given && dose.day.is_some_and(|day| day.is_exact() && day.day >= birth)
        });
        let last_live = live.filter_map(|dose| dose.day).map(|day| day.day).max();
        for series in &plan.series {
            for dose in &series.doses {
                let from = match dose.state {
                    State::NotYet { from, .. } => from,
                    _ if dose.state.is_open() => today,
                    _ => continue,
                };
                if let Some(live) = last_live.filter(|_| series.live) {
                    prop_assert!(from.days_since(live) >= 28);
                }
                let rule = rules::series(series.id).unwrap();
                // The shortest gap of any course, and the least after twelve months of Hib, is a lower bound.
                let gaps = rule.courses.iter().flat_map(|course| &course.doses).filter(|it| it.key == dose.key);
                let given = |key: &str| {
                    let all = series.doses.iter().take_while(|it| it.key != dose.key);
                    let exact = |it: &DosePlan| Some(it.state.received()?.day).filter(|day| day.is_exact());
                    if key == "previous" { all.filter_map(exact).last() } else { all.filter(|it| it.key == key).find_map(exact) }
                };
                let mut bounds = gaps.map(|it| {
                    let each = it.after.iter().filter_map(|after| {
                        let min = after.if_skipped.unwrap_or(after.min);
                        min.after(given(after.dose)?.day)
                    });
                    each.max()
                });
                prop_assert!(bounds.any(|bound| bound.is_none_or(|bound| bound <= from)), "{} {}", series.id, dose.key);
            }
        }
    }

    #[test]
    fn what_is_closed_stays_closed(birth in any_birth(), sex in any_sex(), doses in any_doses(), age in -30i32..7_600, later in 1i32..2_000) {
        let doses = dated(birth, doses);
        let today = birth.plus_days(age).unwrap();
        let (now, then) = (plan(birth, sex, &doses, today), plan(birth, sex, &doses, today.plus_days(later).unwrap()));
        prop_assert_eq!(now.series.len(), then.series.len());
        for (now, then) in now.series.iter().zip(&then.series) {
            prop_assert_eq!(now.id, then.id);
            prop_assert_eq!(now.received().count(), then.received().count());
            for (now, then) in now.doses.iter().zip(&then.doses) {
                let over = |state: &State| matches!(state, State::Closed { .. });
                let open = then.state.is_open() || matches!(then.state, State::NotYet { .. });
                prop_assert!(!(over(&now.state) && open), "{} -> {}", now.state.name(), then.state.name());
                // Nor does what was open go back to waiting, unless for another dose.
                if let (State::NotYet { after_previous: false, from }, true) = (&then.state, now.state.is_open()) {
                    prop_assert!(now.legal.len() > 1 && now.legal.iter().any(|window| window.first == *from));
                }
            }
        }
    }

    #[test]
    fn the_order_of_the_records_does_not_matter(birth in any_birth(), doses in any_doses(), age in 0i32..8_000) {
        let doses = dated(birth, doses);
        let today = birth.plus_days(age).unwrap();
        let reversed: Vec<Vaccination> = doses.iter().rev().cloned().collect();
        let lines = |doses: &[Vaccination]| -> Vec<String> {
            let plan = plan(birth, Sex::Female, doses, today);
            let dose = |dose: &DosePlan| format!("{} {:?}", dose.state.name(), dose.state.received().map(|it| it.day.day));
            plan.series.iter().flat_map(|series| series.doses.iter().map(dose)).collect()
        };
        // Only with statements does the first record of a day speak for the day.
        if doses.iter().all(|dose| !dose.stated.is_some() && dose.day.is_none_or(Day::is_exact)) {
            prop_assert_eq!(lines(&doses), lines(&reversed));
        }
    }
}
