//! The reference data: read strictly once from the files compiled in.
//!
//! Sources are named at the top of each file. The Japanese survey gives percentiles for intervals of age (and
//! for the days 0 and 30); WHO gives, for each day, the parameters L, M and S of a distribution. Must not
//! know of any child.

use std::str::FromStr;
use std::sync::LazyLock;

use super::{Curve, CurvePoint, DAYS_PER_MONTH, Kind, Reference};
use crate::date::age::CalendarAge;
use crate::person::Sex;

/// One column of the Japanese survey for one sex.
pub(super) struct Interval {
    kind: Kind,
    sex: Sex,
    span: Span,
    /// The interval in Japanese, as the survey prints it.
    pub(super) name: &'static str,
    /// The values of [`Reference::percentiles`], rising.
    pub(super) values: [f64; 7],
}

#[derive(Clone, Copy)]
enum Span {
    /// Exactly this day of life.
    Day(i32),
    /// Completed months, the second excluded.
    Months(u32, u32),
}

impl Span {
    /// Its middle, in months.
    fn middle(self) -> f64 {
        match self {
            Self::Day(day) => f64::from(day) / DAYS_PER_MONTH,
            Self::Months(from, to) => f64::from(from + to) / 2.0,
        }
    }
}

/// WHO's distribution of a value on one day of life.
#[derive(Clone, Copy)]
struct Knot {
    kind: Kind,
    sex: Sex,
    day: i32,
    lms: Lms,
}

/// Box-Cox power, median and coefficient of variation (Cole's LMS method).
#[derive(Clone, Copy)]
pub(super) struct Lms {
    l: f64,
    m: f64,
    s: f64,
}

impl Lms {
    /// How many standard deviations a value lies from the median, on the scale where they are normal.
    pub(super) fn z(self, value: f64) -> f64 {
        if self.l == 0.0 {
            (value / self.m).ln() / self.s
        } else {
            ((value / self.m).powf(self.l) - 1.0) / (self.l * self.s)
        }
    }

    /// The value at a z-score.
    pub(super) fn value(self, z: f64) -> f64 {
        if self.l == 0.0 {
            self.m * (self.s * z).exp()
        } else {
            self.m * (1.0 + self.l * self.s * z).powf(1.0 / self.l)
        }
    }
}

/// What is wrong with a line of a reference file.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of a growth table compiled into this program is damaged")]
pub(super) struct Damaged {
    line: usize,
}

static JAPAN: LazyLock<Vec<Interval>> = LazyLock::new(|| compiled_in(japan()));
static WHO: LazyLock<Vec<Knot>> = LazyLock::new(|| compiled_in(who()));

/// What a file that is part of this program says.
#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
pub(super) fn compiled_in<T>(table: Result<T, Damaged>) -> T {
    table.expect("a table compiled into this program")
}

fn japan() -> Result<Vec<Interval>, Damaged> {
    rows(
        include_str!("../../data/growth_jp_2023.csv"),
        |[kind, sex, from, to, day, name, p @ ..]: [_; 13]| {
            let span = match (from, to, day) {
                ("", "", day) => Span::Day(number(day)?),
                (from, to, "") => Span::Months(number(from)?, number(to)?),
                _ => return None,
            };
            let mut values = [0.0; 7];
            for (value, text) in values.iter_mut().zip(p) {
                *value = number(text)?;
            }
            let rising = values.windows(2).all(|pair| pair.first() < pair.last());
            rising.then_some(Interval { kind: charted(kind)?, sex: Sex::from_fhir(sex)?, span, name, values })
        },
    )
}

fn who() -> Result<Vec<Knot>, Damaged> {
    rows(include_str!("../../data/growth_who_2006.csv"), |[kind, sex, day, l, m, s]| {
        let lms = Lms { l: number(l)?, m: number(m)?, s: number(s)? };
        Some(Knot { kind: charted(kind)?, sex: Sex::from_fhir(sex)?, day: number(day)?, lms })
    })
}

/// The rows of a table in CSV without quotes, its comments (`#`) and its heading passed over.
pub(super) fn rows<const N: usize, T>(
    text: &'static str,
    row: impl Fn([&'static str; N]) -> Option<T>,
) -> Result<Vec<T>, Damaged> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines
        .skip(1)
        .map(|(index, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            cells.try_into().ok().and_then(&row).ok_or(Damaged { line: index + 1 })
        })
        .collect()
}

pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn charted(name: &str) -> Option<Kind> {
    match name {
        "height" => Some(Kind::Height),
        "weight" => Some(Kind::Weight),
        "head_circumference" => Some(Kind::HeadCircumference),
        _ => None,
    }
}

/// The column of the survey for an age: that of the exact day where there is one, else of the interval. The
/// first month of life has only its day 0 and its day 30.
pub(super) fn interval(kind: Kind, sex: Sex, days: i32, age: CalendarAge) -> Option<&'static Interval> {
    let of = || JAPAN.iter().filter(move |row| row.kind == kind && row.sex == sex);
    let exact = of().find(|row| matches!(row.span, Span::Day(day) if day == days));
    exact.or_else(|| {
        of().find(|row| matches!(row.span, Span::Months(from, to) if (from..to).contains(&age.months)))
    })
}

/// WHO's distribution on a day of life.
pub(super) fn distribution(kind: Kind, sex: Sex, day: i32) -> Option<Lms> {
    let mut knots = WHO.iter().filter(|row| row.kind == kind && row.sex == sex);
    let mut before = knots.next().filter(|first| first.day <= day)?;
    if before.day == day {
        return Some(before.lms);
    }
    for after in knots {
        if after.day >= day {
            let share = f64::from(day - before.day) / f64::from(after.day - before.day);
            let between = |low: f64, high: f64| low + (high - low) * share;
            let (low, high) = (before.lms, after.lms);
            return Some(Lms {
                l: between(low.l, high.l),
                m: between(low.m, high.m),
                s: between(low.s, high.s),
            });
        }
        before = after;
    }
    None
}

/// The normal deviates of WHO's percentiles 3, 15, 50, 85 and 97.
pub(super) const WHO_DEVIATES: [f64; 5] = [-1.880_793_6, -1.036_433_4, 0.0, 1.036_433_4, 1.880_793_6];

pub(super) fn curves(reference: Reference, kind: Kind, sex: Sex) -> Vec<Curve> {
    let percentiles = reference.percentiles().iter().enumerate();
    let curve = |place: usize| -> Vec<CurvePoint> {
        match reference {
            Reference::Japan2023 => {
                let rows = JAPAN.iter().filter(|row| row.kind == kind && row.sex == sex);
                rows.filter_map(|row| {
                    Some(CurvePoint { months: row.span.middle(), value: *row.values.get(place)? })
                })
                .collect()
            }
            Reference::Who2006 => {
                let Some(deviate) = WHO_DEVIATES.get(place) else { return Vec::new() };
                days_drawn()
                    .filter_map(|day| {
                        let value = distribution(kind, sex, day)?.value(*deviate);
                        Some(CurvePoint { months: f64::from(day) / DAYS_PER_MONTH, value })
                    })
                    .collect()
            }
        }
    };
    percentiles
        .map(|(place, percentile)| Curve { percentile: *percentile, points: curve(place) })
        .filter(|curve| !curve.points.is_empty())
        .collect()
}

/// The days for which WHO's curves are drawn: every week of the first quarter, then every month, and both
/// sides of the day on which length lying becomes height standing.
fn days_drawn() -> impl Iterator<Item = i32> {
    const LAST_LYING: i32 = 730;
    const LAST: i32 = 1856;
    let monthly = (4..=60).map(|month| (f64::from(month) * DAYS_PER_MONTH) as i32);
    let mut days: Vec<i32> =
        (0..14).map(|week| week * 7).chain(monthly).chain([LAST_LYING, LAST_LYING + 1, LAST]).collect();
    days.sort_unstable();
    days.dedup();
    days.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_compiled_in_are_whole() {
        let (japan, who) = (japan().unwrap(), who().unwrap());
        assert_eq!((japan.len(), who.len()), (130, 258));
        for sex in [Sex::Male, Sex::Female] {
            for (kind, last) in [(Kind::Height, 78), (Kind::Weight, 78), (Kind::HeadCircumference, 36)] {
                let rows: Vec<_> = japan.iter().filter(|row| row.kind == kind && row.sex == sex).collect();
                assert!(matches!(rows[0].span, Span::Day(0)) && matches!(rows[1].span, Span::Day(30)));
                let mut next = 1;
                for row in &rows[2..] {
                    let Span::Months(from, to) = row.span else { panic!("an interval expected") };
                    assert_eq!(from, next, "no gap, no overlap");
                    assert!(to > from && !row.name.is_empty());
                    next = to;
                }
                assert_eq!(next, last);
                let days: Vec<i32> =
                    who.iter().filter(|knot| knot.kind == kind && knot.sex == sex).map(|k| k.day).collect();
                assert_eq!((days.first(), days.last()), (Some(&0), Some(&1856)));
                assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }

    #[test]
    fn a_damaged_table_is_refused_with_its_line() {
        let read = |text| rows(text, |[a, b]| Some((number::<i32>(a)?, number::<f64>(b)?)));
        assert_eq!(read("# source\na,b\n1,2.5\n").unwrap(), [(1, 2.5)]);
        assert_eq!(read("# source\na,b\n1,2.5\nx,1\n").unwrap_err().line, 4);
        assert_eq!(read("a,b\n1\n").unwrap_err().line, 2);
    }

    #[test]
    fn curves_rise_with_percentile_and_age() {
        for reference in Reference::ALL {
            for kind in Kind::CHARTED {
                for sex in [Sex::Male, Sex::Female] {
                    let curves = curves(reference, kind, sex);
                    assert_eq!(curves.len(), reference.percentiles().len());
                    for curve in &curves {
                        assert!(curve.points.windows(2).all(|p| p[0].months < p[1].months));
                    }
                    for pair in curves.windows(2) {
                        let both = pair[0].points.iter().zip(&pair[1].points);
                        assert!(both.into_iter().all(|(low, high)| low.value < high.value));
                    }
                }
                assert!(curves(reference, kind, Sex::Unknown).is_empty());
            }
            assert!(curves(reference, Kind::Bmi, Sex::Male).is_empty());
        }
    }
}
