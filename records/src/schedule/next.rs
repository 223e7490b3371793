//! What to do next.

use std::fmt;

use super::moment::label_words;
use super::rules::rules;
use super::{DosePlan, Plan, SeriesPlan, State, Window};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::words::Summary;

/// How a step stands to the day of the plan. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// The standard period is over, the legal one still open.
    Late,
    /// It is time.
    Now,
    /// Allowed, the standard period is still to come.
    Early,
    /// Not before a later day.
    Later,
}

/// The next dose of a series. `Debug` shows the timing only.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// Stable name of the series.
    pub series: &'static str,
    /// What a guardian reads of the series.
    pub series_label: Label,
    /// Stable name of the dose within the series.
    pub dose: &'static str,
    /// What a guardian reads of the dose.
    pub dose_label: Label,
    /// How it stands to today.
    pub timing: Timing,
    /// First day: today, or the day from which it is possible.
    pub from: CalendarDate,
    /// Last day of the legal period.
    pub until: CalendarDate,
    /// Standard period.
    pub recommended: Option<Window>,
    /// Given by an injected live vaccine.
    pub live: bool,
    /// What to know before going.
    pub caution: Option<Label>,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({:?})", self.timing)
    }
}

/// The next dose of every series, the most urgent first. `today` is the day the plan was made for.
pub fn next(plan: &Plan, today: CalendarDate) -> Vec<Step> {
    let mut steps: Vec<Step> = plan.series.iter().filter_map(|series| first_step(series, today)).collect();
    steps.sort_by_key(|step| {
        let by = match step.timing {
            Timing::Late => step.until,
            Timing::Now => step.recommended.map_or(step.until, |window| window.last.min(step.until)),
            Timing::Early | Timing::Later => {
                step.recommended.map_or(step.from, |window| window.first.max(step.from))
            }
        };
        (step.timing, by)
    });
    steps
}

fn first_step(series: &SeriesPlan, today: CalendarDate) -> Option<Step> {
    series.doses.iter().find_map(|dose| {
        let (timing, from, until, caution) = match dose.state {
            State::Overdue { until, caution } => (Timing::Late, today, until, caution),
            State::Due { until } => (Timing::Now, today, until, None),
            State::Possible { until, .. } => (Timing::Early, today, until, None),
            State::NotYet { from, .. } => (Timing::Later, from, last_day(dose, from)?, None),
            _ => return None,
        };
        Some(Step {
            series: series.id,
            series_label: series.label,
            dose: dose.key,
            dose_label: dose.label,
            timing,
            from,
            until,
            recommended: dose.recommended,
            live: series.live,
            caution,
        })
    })
}

fn last_day(dose: &DosePlan, from: CalendarDate) -> Option<CalendarDate> {
    dose.legal.iter().find(|window| window.last >= from).map(|window| window.last)
}

/// What to heed when several injected live vaccines are open at the same time; `None` otherwise.
pub fn live_gap_words(steps: &[Step]) -> Option<Summary> {
    let live: Vec<Summary> = steps
        .iter()
        .filter(|step| step.live && step.timing != Timing::Later)
        .map(|step| label_words(step.series_label))
        .collect();
    if live.len() < 2 {
        return None;
    }
    let ja: Vec<&str> = live.iter().map(|name| name.ja.as_str()).collect();
    let en: Vec<&str> = live.iter().map(|name| name.en.as_str()).collect();
    let (ja, en) = (ja.join("、"), en.join(", "));
    Some(rules().live_gap.words().map(
        |gap| format!("{ja}は注射の生ワクチンです。同じ日に受けないときは、{gap}以上の間隔をおきます。"),
        |gap| {
            format!(
                "{en} are injected live vaccines: give them on one day, or leave at least {gap} between them."
            )
        },
    ))
}
