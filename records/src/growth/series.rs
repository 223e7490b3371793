//! One chart: the curves of a reference, the child's entries over them, and the same entries as a table.
//!
//! Must not know how a chart is drawn.

use super::measurement::{Doubt, Measurement};
use super::place::{Placement, age_at, doubt, place};
use super::{Child, Curve, DAYS_PER_MONTH, Kind, Reference};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::date::age::{CalendarAge, calendar_age};
use crate::fhir::Standing;
use crate::redacted::redacted;
use crate::words::Summary;

/// A chart of one kind of measurement.
#[derive(Clone, PartialEq)]
pub struct Series {
    /// What is drawn, in [`Kind::unit`].
    pub kind: Kind,
    /// With what it is compared.
    pub reference: Reference,
    /// The curves of the reference; empty where it has none.
    pub curves: Vec<Curve>,
    /// Every measurement of this kind, oldest first: the rows of the table.
    pub entries: Vec<Entry>,
}

redacted!(Series);

/// A measurement as a point and as a row.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// Which of the measurements given it is.
    pub of: usize,
    /// The day it counts for; for a weight at birth the day of birth.
    pub date: CalendarDate,
    /// Age from birth on that day; `None` before birth.
    pub age: Option<CalendarAge>,
    /// Age in days as counted for this chart; negative before the expected date of birth.
    pub age_days: i32,
    /// The value in the unit of the kind.
    pub value: Option<f64>,
    /// The value as it was written.
    pub written: Option<Summary>,
    /// Where it lies within the reference.
    pub placement: Option<Placement>,
    /// Why it should be checked.
    pub doubt: Option<Doubt>,
    /// Why it is a row of the table only.
    pub off_chart: Option<OffChart>,
}

redacted!(Entry);

impl Entry {
    /// Age in months of [`DAYS_PER_MONTH`] days, the horizontal axis.
    pub fn months(&self) -> f64 {
        f64::from(self.age_days) / DAYS_PER_MONTH
    }
}

/// Why a measurement is listed but not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffChart {
    /// The institution has withdrawn it.
    Withdrawn,
    /// It was not taken.
    NotTaken,
    /// No number in a unit we know.
    UnknownUnit,
    /// Only a month or a year is written.
    InexactDay,
    /// The day lies before birth (or, counted from term, before the expected day).
    BeforeBirth,
    /// The value cannot be: zero, negative, or beyond every child.
    Implausible,
}

impl OffChart {
    /// What a guardian reads beside the row.
    pub const fn label(self) -> Label {
        match self {
            Self::Withdrawn => Label { ja: "取り消された記録", en: "Withdrawn" },
            Self::NotTaken => Label { ja: "計測なし", en: "Not taken" },
            Self::UnknownUnit => Label { ja: "数値・単位が不明", en: "Number or unit unknown" },
            Self::InexactDay => Label { ja: "日付が不明確", en: "Day not known exactly" },
            Self::BeforeBirth => {
                Label { ja: "出生(予定)日より前の日付", en: "Dated before (expected) birth" }
            }
            Self::Implausible => Label { ja: "値を確認してください", en: "Value to be checked" },
        }
    }
}

impl Series {
    /// The chart of the measurements of one kind, in any order.
    pub fn new(kind: Kind, measurements: &[Measurement], child: &Child, reference: Reference) -> Self {
        let of_kind = measurements.iter().enumerate().filter(|(_, it)| it.kind == kind);
        let mut entries: Vec<Entry> =
            of_kind.map(|(of, measurement)| entry(of, measurement, child, reference)).collect();
        entries.sort_by_key(|entry| (entry.date, entry.of));
        Self { kind, reference, curves: reference.curves(kind, child.sex), entries }
    }

    /// The entries that are drawn, with age and value.
    pub fn points(&self) -> impl Iterator<Item = (&Entry, f64)> {
        let drawn = self.entries.iter().filter(|entry| entry.off_chart.is_none());
        drawn.filter_map(|entry| Some((entry, entry.value?)))
    }
}

fn entry(of: usize, measurement: &Measurement, child: &Child, reference: Reference) -> Entry {
    let date = if measurement.at_birth { child.birth } else { measurement.date };
    let from = child.counted_from().unwrap_or(child.birth);
    let holds = measurement.standing == Standing::Valid;
    let age = age_at(measurement, child);
    let off_chart = match measurement.standing {
        Standing::EnteredInError => Some(OffChart::Withdrawn),
        Standing::Negated => Some(OffChart::NotTaken),
        Standing::Valid if measurement.value.is_none() => Some(OffChart::UnknownUnit),
        Standing::Valid if !measurement.exact_day && !measurement.at_birth => Some(OffChart::InexactDay),
        Standing::Valid if age.is_none() => Some(OffChart::BeforeBirth),
        Standing::Valid if measurement.doubt == Some(Doubt::OutOfRange) => Some(OffChart::Implausible),
        Standing::Valid => None,
    };
    Entry {
        of,
        date,
        age: calendar_age(child.birth, date),
        age_days: date.days_since(from),
        value: measurement.value,
        written: measurement.written.clone(),
        placement: if off_chart.is_none() { place(measurement, child, reference) } else { None },
        doubt: measurement.doubt.or_else(|| if holds { doubt(measurement, child) } else { None }),
        off_chart,
    }
}
