//! The axis of a picture over age: wide where vaccinations crowd, narrow where years pass between them.
//!
//! A month of the first year has all the room, one of the second half of it, later ones a quarter and, from seven
//! years on, a sixth. Must not know vaccinations.

use hibiki_records::date::CalendarDate;

use crate::web::Lang;

/// Until which age in months, and the room of a month until then.
const ROOM: [(f64, f64); 4] = [(12.0, 1.0), (24.0, 0.5), (84.0, 0.25), (f64::INFINITY, 1.0 / 6.0)];
/// Ages in months with a line: each quarter, then half-years, then years.
const QUARTERS: [i32; 6] = [0, 3, 6, 9, 12, 18];
const DAYS_PER_MONTH: f64 = 365.25 / 12.0;
/// Size of a letter as the style sheet has it at most.
const LETTER: f64 = 15.0;

/// The axis from birth to a year from now.
pub(super) struct AgeAxis {
    birth: CalendarDate,
    left: f64,
    /// Width of one unit of room.
    unit: f64,
    /// The last age in months.
    end: f64,
}

/// A line of the axis.
pub(super) struct Tick {
    pub(super) x: f64,
    /// Empty where there is no room for words.
    pub(super) label: String,
}

impl AgeAxis {
    /// For somebody born on `birth`, as far as a year after `today`, within `left` and `right`.
    pub(super) fn new(birth: CalendarDate, today: CalendarDate, left: f64, right: f64) -> Self {
        let shown = months(today.days_since(birth)).max(0.0) + 12.0;
        let end = lines().find(|month| f64::from(*month) >= shown).map_or(shown, f64::from);
        Self { birth, left, unit: (right - left) / room(end), end }
    }

    /// Where a day stands; days before birth stand at birth, days past the end at the end.
    pub(super) fn x(&self, day: CalendarDate) -> f64 {
        self.at(months(day.days_since(self.birth)))
    }

    /// Whether the axis reaches so far.
    pub(super) fn reaches(&self, day: CalendarDate) -> bool {
        months(day.days_since(self.birth)) <= self.end
    }

    fn at(&self, months: f64) -> f64 {
        tenths(self.left + room(months.clamp(0.0, self.end)) * self.unit)
    }

    /// The lines, named as far as there is room: years first, then parts of them.
    pub(super) fn ticks(&self, lang: Lang) -> Vec<Tick> {
        let within = lines().take_while(|month| f64::from(*month) <= self.end);
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let mut ticks: Vec<(i32, Tick)> = within
            .map(|month| (month, Tick { x: self.at(f64::from(month)), label: String::new() }))
            .collect();
        for years in [true, false] {
            for (month, tick) in ticks.iter_mut().filter(|(month, _)| (month % 12 == 0) == years) {
                let label = label(*month, lang);
                let half = width(&label) / 2.0;
                let (from, until) = (tick.x - half, tick.x + half);
                if taken.iter().all(|(first, last)| until <= *first || *last <= from) {
                    taken.push((from, until));
                    tick.label = label;
                }
            }
        }
        ticks.into_iter().map(|(_, tick)| tick).collect()
    }
}

/// Room that a label takes: a letter of `LETTER`, narrower where it is ASCII.
fn width(label: &str) -> f64 {
    label.chars().map(|c| if c.is_ascii() { 0.6 } else { 1.0 }).sum::<f64>() * LETTER + 6.0
}

/// Ages with a line, as far as anybody lives.
fn lines() -> impl Iterator<Item = i32> {
    QUARTERS.into_iter().chain((2..130).map(|year| year * 12))
}

fn label(month: i32, lang: Lang) -> String {
    match (lang, month % 12) {
        (Lang::Ja, 0) => format!("{}歳", month / 12),
        (Lang::En, 0) => format!("{} y", month / 12),
        (Lang::Ja, _) if month > 12 => format!("{}歳半", month / 12),
        (Lang::En, _) if month > 12 => format!("{}½ y", month / 12),
        (Lang::Ja, _) => format!("{month}か月"),
        (Lang::En, _) => format!("{month} m"),
    }
}

fn months(days: i32) -> f64 {
    f64::from(days) / DAYS_PER_MONTH
}

/// Room from birth to an age.
fn room(months: f64) -> f64 {
    let mut from = 0.0;
    let mut room = 0.0;
    for (until, of_a_month) in ROOM {
        room += (months.min(until) - from).max(0.0) * of_a_month;
        from = until;
    }
    room
}

/// Tenths of a pixel are enough.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_axis_reaches_a_year_beyond_today_and_names_ages() {
        let labels = |birth: &str, lang| -> Vec<String> {
            let axis = AgeAxis::new(day(birth), day("2026-11-26"), 170.0, 990.0);
            let ticks = axis.ticks(lang).into_iter();
            ticks.map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
        };
        assert_eq!(labels("2026-11-20", Lang::Ja), ["0歳", "3か月", "6か月", "9か月", "1歳", "1歳半"]);
        assert_eq!(labels("2026-11-20", Lang::En).last().unwrap(), "1½ y");
        let nine = labels("2017-06-01", Lang::Ja);
        assert_eq!(nine.last().unwrap(), "11歳");
        for year in 0..=11 {
            assert!(nine.contains(&format!("{year}歳")), "{nine:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn days_stand_in_their_order_within_the_picture(age in -400i32..9000, one in -900i32..12_000, other in -900i32..12_000) {
            let birth = day("2004-02-29");
            let today = birth.plus_days(age).unwrap();
            let axis = AgeAxis::new(birth, today, 170.0, 990.0);
            let x = |days: i32| axis.x(birth.plus_days(days).unwrap());
            prop_assert!(x(one.min(other)) <= x(one.max(other)));
            for at in [x(one), x(other), axis.x(today)] {
                prop_assert!((170.0..=990.0).contains(&at));
            }
            prop_assert!(axis.reaches(today) && axis.reaches(today.plus_days(364).unwrap()));
            let ticks = axis.ticks(Lang::Ja);
            let named: Vec<f64> = ticks.iter().filter(|tick| !tick.label.is_empty()).map(|tick| tick.x).collect();
            prop_assert!(named.len() >= 4 && named.windows(2).all(|pair| pair[1] - pair[0] >= 2.0 * LETTER));
        }
    }
}
