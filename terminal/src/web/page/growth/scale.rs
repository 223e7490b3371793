//! The axes of a chart: age from left to right, values from below, at round numbers.

use crate::web::Lang;

pub(super) const WIDTH: f64 = 720.0;
pub(super) const HEIGHT: f64 = 440.0;
pub(super) const LEFT: f64 = 54.0;
pub(super) const RIGHT: f64 = WIDTH - 46.0;
pub(super) const TOP: f64 = 40.0;
pub(super) const BOTTOM: f64 = HEIGHT - 44.0;
/// Lines of the value axis, about.
const VALUE_TICKS: f64 = 7.0;
/// The oldest age drawn, in months.
const OLDEST: f64 = 240.0;

/// Where an age and a value lie in the picture.
pub(super) struct Scale {
    /// The last age, in months.
    pub(super) months: f64,
    from: f64,
    to: f64,
    step: f64,
}

/// A line of an axis, and what stands beside it.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
    /// Left unlabelled where there is little room.
    pub(super) minor: bool,
}

/// The last age of a chart that shows this one, in months: the first year, the second, the third, the age until
/// school; then whole years.
pub(super) fn last_age(latest: f64) -> f64 {
    let early = [12.0, 24.0, 36.0, 78.0].into_iter().find(|last| latest <= last * 0.97);
    early.unwrap_or_else(|| (((latest + 6.0) / 12.0).ceil() * 12.0).clamp(84.0, OLDEST))
}

/// A round step that makes about [`VALUE_TICKS`] of a span.
fn round_step(span: f64) -> f64 {
    let rough = span / VALUE_TICKS;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough).unwrap_or(power)
}

/// To a tenth of the picture's unit, which nobody sees.
fn tenth(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

impl Scale {
    /// A scale on which ages until `months` and values from `low` to `high` have room.
    pub(super) fn new(months: f64, low: f64, high: f64) -> Self {
        let step = round_step((high - low).max(1.0));
        let from = (low / step).floor() * step;
        Self { months, from, to: ((high / step).ceil() * step).max(from + step), step }
    }

    pub(super) fn x(&self, months: f64) -> f64 {
        tenth(LEFT + months / self.months * (RIGHT - LEFT))
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        tenth(TOP + (self.to - value) / (self.to - self.from) * (BOTTOM - TOP))
    }

    /// Whether a point lies within the picture.
    pub(super) fn shows(&self, months: f64, value: f64) -> bool {
        (0.0..=self.months).contains(&months) && (self.from..=self.to).contains(&value)
    }

    /// Lines of age: months in the first two years, then years.
    pub(super) fn ages(&self, lang: Lang) -> Vec<Tick> {
        let (step, major) = match self.months {
            ..=12.0 => (1, 3),
            ..=24.0 => (3, 6),
            ..=36.0 => (6, 12),
            ..=84.0 => (12, 12),
            ..=144.0 => (12, 24),
            _ => (24, 48),
        };
        let tick = |month: u32| Tick {
            at: self.x(f64::from(month)),
            label: axis_age(month, lang),
            minor: !month.is_multiple_of(major),
        };
        (0..=self.months as u32).step_by(step).map(tick).collect()
    }

    /// Lines of value.
    pub(super) fn values(&self) -> Vec<Tick> {
        let count = ((self.to - self.from) / self.step).round() as u32;
        let decimals = usize::from(self.step < 1.0);
        let tick = |number: u32| {
            let value = self.from + f64::from(number) * self.step;
            Tick { at: self.y(value), label: format!("{value:.decimals$}"), minor: !number.is_multiple_of(2) }
        };
        (0..=count).map(tick).collect()
    }
}

fn axis_age(month: u32, lang: Lang) -> String {
    match (month / 12, month % 12, lang) {
        (years, 0, Lang::Ja) => format!("{years}歳"),
        (0, months, Lang::Ja) => format!("{months}か月"),
        (years, months, Lang::Ja) => format!("{years}歳{months}か月"),
        (years, 0, Lang::En) => format!("{years} y"),
        (0, months, Lang::En) => format!("{months} m"),
        (years, months, Lang::En) => format!("{years} y {months} m"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_are_round_and_ages_leave_room() {
        for (span, expected) in [(7.0, 1.0), (60.0, 10.0), (12.0, 2.0), (0.9, 0.2), (140.0, 20.0)] {
            assert!((round_step(span) - expected).abs() < 1e-9, "{span}: {}", round_step(span));
        }
        for (latest, last) in [
            (0.0, 12.0),
            (11.5, 12.0),
            (12.0, 24.0),
            (40.0, 78.0),
            (77.0, 84.0),
            (111.0, 120.0),
            (1e9, 240.0),
        ] {
            assert!((last_age(latest) - last).abs() < 1e-9, "{latest}: {}", last_age(latest));
        }
    }

    #[test]
    fn ages_are_months_and_then_years() {
        let labels = |months: f64, lang| -> Vec<String> {
            Scale::new(months, 0.0, 1.0).ages(lang).into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(labels(12.0, Lang::Ja).first().map(String::as_str), Some("0歳"));
        assert_eq!(labels(12.0, Lang::Ja).get(3).map(String::as_str), Some("3か月"));
        assert_eq!(labels(24.0, Lang::Ja).get(6).map(String::as_str), Some("1歳6か月"));
        assert_eq!(labels(78.0, Lang::En), ["0 y", "1 y", "2 y", "3 y", "4 y", "5 y", "6 y"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the values are, they lie within the picture, and higher means further up.
        #[test]
        fn values_have_room(low in 0.2f64..200.0, more in 0.0f64..200.0, months in 12.0f64..240.0) {
            let scale = Scale::new(months, low, low + more);
            for value in [low, low + more] {
                prop_assert!(scale.shows(months, value));
                prop_assert!((TOP..=BOTTOM).contains(&scale.y(value)));
            }
            prop_assert!(scale.y(low) >= scale.y(low + more));
            let ticks = scale.values();
            prop_assert!((2..=20).contains(&ticks.len()), "{} lines", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at > pair[1].at && pair[0].label != pair[1].label));
        }
    }
}
