//! The Japanese routine vaccination schedule (定期接種, 予防接種法), applied to one person.
//!
//! [`plan`] lays what institutions recorded over what the law provides for this birth date and sex, and gives
//! every dose its state, its periods and the rule they come from. The rules are data (`rules.json`): periods
//! with the time they were in force, minimum gaps, courses by the age at the start, special measures.
//! [`next`] says what to do next, [`maternal`] the weeks of the one vaccination given in pregnancy.
//!
//! Dates are those of the programme, for display and reminders; the physician decides. A dose that no
//! institution told of is never called not given: records end, and institutions do not always answer.
//!
//! The same dose from two institutions is one dose with two sources. Every vaccination that was given is
//! found again in the plan: at its dose, as an extra dose, or among the others with the reason.
//!
//! Must not know what day it is, nor institutions: sources are places in the list that was handed in.

mod course;
mod judge;
mod moment;
mod next;
mod place;
mod plan;
mod pregnancy;
mod rules;
mod taken;
mod window;
mod words;

pub use next::{Step, Timing, live_gap_words, next};
pub use plan::{Other, OtherWhy, Plan, SeriesPlan, plan};
pub use pregnancy::{MaternalPlan, maternal};
pub use window::Window;

use std::fmt;

use crate::category::Label;
use crate::date::CalendarDate;
use crate::immunization::Day;
use crate::words::Summary;

/// One dose of a series: when it may be given, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct DosePlan {
    /// Stable name within the series.
    pub key: &'static str,
    /// 第1期初回1回目 …
    pub label: Label,
    /// Legal periods in order, apart from each other; empty for a dose outside the programme.
    pub legal: Vec<Window>,
    /// Standard period, as far as it can be said.
    pub recommended: Option<Window>,
    /// The rule in words: legal period, gap, special measures.
    pub rule: Summary,
    /// Where it stands.
    pub state: State,
}

/// A dose that was given, as recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// The day.
    pub day: Day,
    /// The vaccine, in the words of the first record.
    pub vaccine: Summary,
    /// Places in the list handed in: one for each record that tells of it. Never empty.
    pub sources: Vec<usize>,
    /// What is to be known about it.
    pub notes: Vec<Note>,
}

/// What is to be known about a dose that was given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// On a day outside the legal period.
    OutsidePeriod,
    /// Not provided for by the programme for this birth date and sex.
    NotRoutine,
    /// Before the gap to an earlier dose was over: it was on this day.
    TooEarly(CalendarDate),
    /// Another injected live vaccine was given on this day, too short a time before.
    LiveGap(CalendarDate),
    /// Only the month or year is recorded.
    Inexact,
    /// The recorded day lies ahead.
    Ahead,
}

/// Where a dose stands. The words for each are those of [`State::label`] and [`DosePlan::sentence`].
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    /// Given, by the records that answered.
    Received(Received),
    /// It is time: the standard period is open, or the legal one where there is no standard.
    Due {
        /// Last day of the legal period.
        until: CalendarDate,
    },
    /// The law allows it already, the standard period is still to come.
    Possible {
        /// First day of the standard period.
        recommended_from: CalendarDate,
        /// Last day of the legal period.
        until: CalendarDate,
    },
    /// No record; the standard period is over, the legal one still open.
    Overdue {
        /// Last day of the legal period.
        until: CalendarDate,
        /// What to know before going.
        caution: Option<Label>,
    },
    /// Not before a later day.
    NotYet {
        /// The earliest day by age and gaps; where the dose before is still to come, supposing that it is
        /// given as early as possible.
        from: CalendarDate,
        /// Whether it waits for the dose before.
        after_previous: bool,
    },
    /// No record, and the legal period is over.
    Closed {
        /// Last day of the legal period.
        since: CalendarDate,
        /// What to do.
        advice: Label,
    },
    /// This course does without it.
    NotNeeded {
        /// Why.
        why: Label,
    },
    /// No record, but a later dose of the same period is recorded: it was probably given elsewhere.
    Unrecorded,
}

impl State {
    /// Whether something can be done on the day of the plan.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Due { .. } | Self::Possible { .. } | Self::Overdue { .. })
    }

    /// The dose as given.
    pub const fn received(&self) -> Option<&Received> {
        match self {
            Self::Received(received) => Some(received),
            _ => None,
        }
    }

    /// A stable name of the state, for style sheets and tests.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Received(_) => "received",
            Self::Due { .. } => "due",
            Self::Possible { .. } => "possible",
            Self::Overdue { .. } => "overdue",
            Self::NotYet { .. } => "not-yet",
            Self::Closed { .. } => "closed",
            Self::NotNeeded { .. } => "not-needed",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// What somebody has or lacks is nobody's business in a log.
macro_rules! without_content {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(***)"))
            }
        }
    )*};
}

without_content!(DosePlan, Received, Note, State);

#[cfg(test)]
mod tests;
