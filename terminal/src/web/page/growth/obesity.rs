//! 肥満度 of the days on which both height and weight were measured.

use hibiki_records::growth::Child;
use hibiki_records::growth::obesity::{Day, days};

use super::Measured;
use crate::web::Lang;

/// Degrees of obesity, newest first.
pub(super) struct Build {
    /// The newest, in a sentence.
    pub(super) latest: String,
    pub(super) rows: Vec<BuildRow>,
}

/// A day.
pub(super) struct BuildRow {
    pub(super) date: String,
    pub(super) height: String,
    pub(super) weight: String,
    pub(super) percent: String,
    pub(super) said: &'static str,
    pub(super) holder: String,
}

impl Build {
    /// `None` where no day has both in no doubt and a standard weight to compare with.
    pub(super) fn new(measured: &Measured<'_>, child: &Child, lang: Lang) -> Option<Self> {
        let days = days(&measured.measurements, child);
        let rows: Vec<BuildRow> = days.iter().rev().map(|day| measured.build(day, lang)).collect();
        let newest = rows.first()?;
        let latest = match lang {
            Lang::Ja => format!("{}は {}（{}）。", newest.date, newest.percent, newest.said),
            Lang::En => format!("{} on {} ({}).", newest.percent, newest.date, newest.said),
        };
        Some(Self { latest, rows })
    }
}

impl Measured<'_> {
    fn build(&self, day: &Day, lang: Lang) -> BuildRow {
        let written = |place: usize| {
            let written = self.measurements.get(place).and_then(|it| it.written.as_ref());
            written.map(|written| lang.summary(written).to_owned()).unwrap_or_default()
        };
        let (one, other) = (self.holder(day.height, lang), self.holder(day.weight, lang));
        BuildRow {
            date: lang.day(day.date),
            height: written(day.height),
            weight: written(day.weight),
            percent: percent(day.obesity.percent),
            said: lang.label(day.obesity.label()),
            holder: if one == other {
                one.to_owned()
            } else {
                format!("{one}{}{other}", lang.t("、", ", "))
            },
        }
    }
}

/// With its sign; nothing is less than nothing.
fn percent(value: f64) -> String {
    let text = format!("{value:+.1}%");
    if text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { text } else { "±0.0%".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_have_one_sign() {
        for (value, expected) in [(0.04, "±0.0%"), (-0.04, "±0.0%"), (-0.05, "-0.1%"), (20.0, "+20.0%")] {
            assert_eq!(percent(value), expected);
        }
    }
}
