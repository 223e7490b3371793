//! Where a measurement lies within a reference.
//!
//! Must not know how it is drawn.

use super::measurement::Measurement;
use super::tables::{self, Lms};
use super::{Child, Doubt, Kind, Reference};
use crate::date::age::{self, CalendarAge};

/// The percentiles between which a value lies. The lower bound belongs to the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The percentile it reaches; `None` below the lowest one.
    pub from: Option<u8>,
    /// The percentile it does not reach; `None` from the highest one on.
    pub to: Option<u8>,
}

impl Band {
    /// The band of a value among rising bounds, one for each percentile.
    fn among(percentiles: &[u8], bounds: impl IntoIterator<Item = f64>, value: f64) -> Self {
        let reached = bounds.into_iter().take_while(|bound| *bound <= value).count();
        let from = reached.checked_sub(1).and_then(|place| percentiles.get(place));
        Self { from: from.copied(), to: percentiles.get(reached).copied() }
    }

    /// `25〜50パーセンタイル`.
    pub fn ja(self) -> String {
        match (self.from, self.to) {
            (Some(from), Some(to)) => format!("{from}〜{to}パーセンタイル"),
            (None, Some(to)) => format!("{to}パーセンタイル未満"),
            (Some(from), None) => format!("{from}パーセンタイル以上"),
            (None, None) => String::new(),
        }
    }

    /// `25th to 50th percentile`.
    pub fn en(self) -> String {
        match (self.from, self.to) {
            (Some(from), Some(to)) => format!("{} to {} percentile", ordinal(from), ordinal(to)),
            (None, Some(to)) => format!("below the {} percentile", ordinal(to)),
            (Some(from), None) => format!("{} percentile or above", ordinal(from)),
            (None, None) => String::new(),
        }
    }
}

fn ordinal(number: u8) -> String {
    let ending = if number == 3 { "rd" } else { "th" };
    format!("{number}{ending}")
}

/// Where a value lies within a reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Its band.
    pub band: Band,
    /// Standard deviations from the median; the Japanese survey publishes none.
    pub z: Option<f64>,
    /// The interval of age the band holds for, as the survey prints it in Japanese; WHO's hold for the day.
    pub interval: Option<&'static str>,
}

/// Places a measurement; `None` where the reference has nothing to compare it with: other kinds, an age
/// outside its tables (in the Japanese survey also the days 1 to 29), a sex that is not recorded, a value
/// that is not positive, an inexact date, a day before birth.
pub fn place(measurement: &Measurement, child: &Child, reference: Reference) -> Option<Placement> {
    let (days, age) = age_at(measurement, child)?;
    let value = measurement.value.filter(|value| *value > 0.0)?;
    let (kind, sex) = (measurement.kind, child.sex);
    let percentiles = reference.percentiles();
    match reference {
        Reference::Japan2023 => {
            let interval = tables::interval(kind, sex, days, age)?;
            let band = Band::among(percentiles, interval.values, value);
            Some(Placement { band, z: None, interval: Some(interval.name) })
        }
        Reference::Who2006 => {
            let z = who_z(measurement, value, days, tables::distribution(kind, sex, days)?);
            let band = Band::among(percentiles, tables::WHO_DEVIATES, z);
            Some(Placement { band, z: Some(z), interval: None })
        }
    }
}

/// Days of life and age in completed months at a measurement, as far as they are known.
pub(super) fn age_at(measurement: &Measurement, child: &Child) -> Option<(i32, CalendarAge)> {
    let from = child.counted_from()?;
    let on = if measurement.at_birth { child.birth } else { measurement.date };
    if !measurement.exact_day && !measurement.at_birth {
        return None;
    }
    Some((on.days_since(from), age::calendar_age(from, on)?))
}

/// The z-score by the rules of WHO's own program (Anthro, igrowup): length lying counts 0.7 cm more than
/// height, and weights beyond three standard deviations are measured in the width of the third.
fn who_z(measurement: &Measurement, value: f64, days: i32, lms: Lms) -> f64 {
    const LYING_ADDS_CM: f64 = 0.7;
    const LAST_LYING_DAY: i32 = 730;
    let lying_too_long = measurement.kind == Kind::Height && measurement.lying && days > LAST_LYING_DAY;
    let z = lms.z(if lying_too_long { value - LYING_ADDS_CM } else { value });
    if measurement.kind != Kind::Weight || z.abs() <= 3.0 {
        return z;
    }
    let side = z.signum();
    let (second, third) = (lms.value(2.0 * side), lms.value(3.0 * side));
    side * (3.0 + (value - third) / (third - second))
}

/// Whether WHO would have the value checked before using it (biologically implausible values of WHO Anthro:
/// weight outside -6 to 5, height outside -6 to 6, head circumference outside -5 to 5 standard deviations).
pub(super) fn doubt(measurement: &Measurement, child: &Child) -> Option<Doubt> {
    let z = place(measurement, child, Reference::Who2006)?.z?;
    let accepted = match measurement.kind {
        Kind::Weight => -6.0..=5.0,
        Kind::HeadCircumference => -5.0..=5.0,
        _ => -6.0..=6.0,
    };
    (!accepted.contains(&z)).then_some(Doubt::FarFromReference)
}
