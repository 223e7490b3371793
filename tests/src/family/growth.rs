//! Height, weight and head circumference along the national percentiles.
//!
//! Infants: 令和5年 乳幼児身体発育調査 (National Growth Survey 2023, medians and quartiles). School age: means of the
//! 学校保健統計調査 of Reiwa 4. Between the ages listed, values are interpolated.

use hibiki_records::date::{CalendarDate, age};
use hibiki_records::fhir::codes;
use hibiki_records::person::Sex;

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

/// Age in months; height in cm: median, half the width between the quartiles; weight in kg: the same.
type Row = (f64, f64, f64, f64, f64);

const BOYS: [Row; 19] = [
    (0.0, 49.4, 1.3, 3.06, 0.26),
    (1.5, 55.5, 1.35, 4.8, 0.37),
    (3.5, 62.3, 1.4, 6.55, 0.47),
    (4.5, 64.6, 1.45, 7.12, 0.5),
    (6.5, 67.6, 1.5, 7.91, 0.54),
    (9.5, 71.0, 1.6, 8.63, 0.58),
    (11.5, 73.1, 1.65, 9.0, 0.59),
    (15.0, 76.5, 1.7, 9.66, 0.63),
    (21.0, 82.1, 1.9, 10.84, 0.7),
    (33.0, 90.5, 2.2, 12.94, 0.87),
    (45.0, 97.8, 2.45, 14.72, 1.04),
    (57.0, 104.7, 2.7, 16.62, 1.25),
    (69.0, 111.3, 2.95, 18.74, 1.5),
    (78.0, 117.0, 3.3, 21.8, 2.2),
    (90.0, 122.9, 3.5, 24.6, 2.7),
    (102.0, 128.5, 3.7, 28.0, 3.5),
    (114.0, 133.9, 3.9, 31.5, 4.4),
    (126.0, 139.7, 4.2, 35.7, 5.4),
    (138.0, 146.1, 4.8, 40.0, 6.2),
];
const GIRLS: [Row; 19] = [
    (0.0, 48.8, 1.3, 2.95, 0.26),
    (1.5, 54.4, 1.3, 4.44, 0.35),
    (3.5, 60.6, 1.4, 6.06, 0.43),
    (4.5, 62.8, 1.4, 6.64, 0.46),
    (6.5, 66.3, 1.55, 7.47, 0.5),
    (9.5, 69.9, 1.6, 8.19, 0.56),
    (11.5, 71.9, 1.65, 8.53, 0.58),
    (15.0, 75.3, 1.7, 9.12, 0.63),
    (21.0, 81.0, 1.9, 10.3, 0.71),
    (33.0, 89.6, 2.15, 12.6, 0.87),
    (45.0, 96.7, 2.45, 14.28, 1.03),
    (57.0, 104.0, 2.75, 16.21, 1.3),
    (69.0, 110.8, 3.05, 18.34, 1.64),
    (78.0, 116.0, 3.3, 21.3, 2.1),
    (90.0, 122.0, 3.5, 24.0, 2.6),
    (102.0, 128.1, 3.8, 27.3, 3.3),
    (114.0, 134.5, 4.3, 31.1, 4.2),
    (126.0, 141.4, 4.7, 35.5, 5.0),
    (138.0, 147.9, 4.6, 40.5, 5.5),
];

/// Age in months; head circumference in cm: median, half the width between the quartiles.
type HeadRow = (f64, f64, f64);

const BOYS_HEAD: [HeadRow; 12] = [
    (0.0, 33.7, 0.9),
    (1.0, 36.8, 0.8),
    (2.5, 39.7, 0.85),
    (3.5, 40.9, 0.85),
    (4.5, 42.0, 0.85),
    (6.5, 43.5, 0.85),
    (9.5, 45.1, 0.85),
    (11.5, 45.9, 0.9),
    (15.0, 46.8, 0.9),
    (21.0, 47.9, 0.95),
    (27.0, 48.8, 0.9),
    (33.0, 49.5, 0.95),
];
const GIRLS_HEAD: [HeadRow; 12] = [
    (0.0, 33.3, 0.8),
    (1.0, 36.1, 0.8),
    (2.5, 38.8, 0.8),
    (3.5, 40.0, 0.85),
    (4.5, 40.9, 0.8),
    (6.5, 42.5, 0.9),
    (9.5, 44.2, 0.85),
    (11.5, 44.8, 0.9),
    (15.0, 45.7, 0.85),
    (21.0, 46.9, 0.9),
    (27.0, 47.9, 0.9),
    (33.0, 48.7, 0.9),
];
/// The survey measures heads up to three years.
const HEAD_MONTHS: f64 = 36.0;
/// Up to two years a child is measured lying.
const LYING_MONTHS: f64 = 24.0;
/// Ages in months at which the clinic measures a child that comes for a vaccination or a cold.
const AT_THE_CLINIC: [u32; 16] = [2, 3, 5, 8, 10, 12, 15, 19, 24, 30, 36, 42, 48, 54, 60, 72];

/// Height in cm and weight in kg at an age in months, `place` quartile widths from the median.
pub(super) fn at(sex: Sex, months: f64, place: f64) -> (f64, f64) {
    let rows = if sex == Sex::Male { &BOYS } else { &GIRLS };
    let column = |of: fn(&Row) -> (f64, f64)| {
        let column: Vec<HeadRow> = rows.iter().map(|row| (row.0, of(row).0, of(row).1)).collect();
        between(&column, months, place)
    };
    (column(|row| (row.1, row.2)), column(|row| (row.3, row.4)))
}

/// Head circumference in cm; `None` for those whose head is no longer measured.
pub(super) fn head(sex: Sex, months: f64, place: f64) -> Option<f64> {
    let rows = if sex == Sex::Male { &BOYS_HEAD } else { &GIRLS_HEAD };
    (months < HEAD_MONTHS).then(|| between(rows, months, place))
}

fn between(rows: &[HeadRow], months: f64, place: f64) -> f64 {
    let after = rows.iter().position(|row| row.0 >= months).unwrap_or(rows.len() - 1);
    let (low, high) = (rows[after.saturating_sub(1)], rows[after]);
    let span = high.0 - low.0;
    let share = if span > 0.0 { ((months - low.0) / span).clamp(0.0, 1.0) } else { 0.0 };
    let mix = |low: f64, high: f64| low + (high - low) * share;
    mix(low.1, high.1) + place * mix(low.2, high.2)
}

impl Story {
    /// A child keeps its place between the percentiles, more or less.
    fn place_of(&mut self, child: &Resident) -> f64 {
        let steady = child.number.bytes().map(u64::from).sum::<u64>() % 100;
        (steady as f64 / 50.0 - 1.0) + self.chance.around_zero() * 0.15
    }

    /// Height, weight and, of the small, head circumference of a day, and where they are recorded.
    pub(super) fn measure(&mut self, house: House, child: &Resident, day: CalendarDate) {
        let months = f64::from(day.days_since(child.birth)) / 30.44;
        let place = self.place_of(child);
        let (height, weight) = at(child.sex, months, place);
        let decimals = if months < LYING_MONTHS { 2 } else { 1 };
        let lying = if months < LYING_MONTHS { "8306-3" } else { "8302-2" };
        let mut taken = vec![
            (lying, "31000298", "身長", "Height", height, 1, "cm"),
            ("29463-7", "31000296", "体重", "Weight", weight, decimals, "kg"),
        ];
        let head = head(child.sex, months, place);
        taken.extend(head.map(|head| ("9843-4", "31006116", "頭囲", "Head circumference", head, 1, "cm")));
        for (loinc, medis, ja, en, value, decimals, unit) in taken {
            let code = fhir::concept(&[(codes::LOINC, loinc), (codes::JP_BODY_MEASUREMENT, medis)], ja, en);
            self.record(house, child, fhir::quantity(code, day, &fhir::decimal(value, decimals), unit));
        }
    }

    /// What the hospital measured when the child was born.
    pub(super) fn birth(&mut self, child: &Resident) {
        let place = self.place_of(child);
        let (height, weight) = at(child.sex, 0.0, place);
        let taken = [
            ("8339-4", "31002900", "出生体重", "Birth weight", weight, 2, "kg"),
            ("8306-3", "31000298", "身長", "Height", height, 1, "cm"),
            (
                "9843-4",
                "31006116",
                "頭囲",
                "Head circumference",
                head(child.sex, 0.0, place).unwrap_or_default(),
                1,
                "cm",
            ),
        ];
        for (loinc, medis, ja, en, value, decimals, unit) in taken {
            let code = fhir::concept(&[(codes::LOINC, loinc), (codes::JP_BODY_MEASUREMENT, medis)], ja, en);
            let found = fhir::quantity(code, child.birth, &fhir::decimal(value, decimals), unit);
            self.record(House::Hospital, child, found);
        }
    }

    /// The clinic measures a child at its vaccinations and colds.
    pub(super) fn growth_at_the_clinic(&mut self, child: &Resident) {
        for months in AT_THE_CLINIC {
            if let Some(day) = self.at_months(child.birth, months, 12) {
                self.measure(House::Clinic, child, day);
            }
        }
    }

    /// The age in whole months on a day, for a text.
    pub(super) fn months_old(child: &Resident, day: CalendarDate) -> u32 {
        age::attained_months(child.birth, day).unwrap_or(0)
    }
}
