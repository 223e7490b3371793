//! Days of the week.

use serde::{Deserialize, Serialize};

use super::CalendarDate;
use crate::category::Label;

/// A day of the week, Monday first, as schools print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// 月
    Monday,
    /// 火
    Tuesday,
    /// 水
    Wednesday,
    /// 木
    Thursday,
    /// 金
    Friday,
    /// 土
    Saturday,
    /// 日
    Sunday,
}

impl Weekday {
    /// All seven, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// `月`, `Mon`.
    pub const fn label(self) -> Label {
        match self {
            Self::Monday => Label { ja: "月", en: "Mon" },
            Self::Tuesday => Label { ja: "火", en: "Tue" },
            Self::Wednesday => Label { ja: "水", en: "Wed" },
            Self::Thursday => Label { ja: "木", en: "Thu" },
            Self::Friday => Label { ja: "金", en: "Fri" },
            Self::Saturday => Label { ja: "土", en: "Sat" },
            Self::Sunday => Label { ja: "日", en: "Sun" },
        }
    }

    /// The day that `text` names: `月`, `月曜`, `月曜日`, `Mon`, `monday`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let ja = text.strip_suffix('日').filter(|rest| rest.ends_with('曜')).unwrap_or(text);
        let ja = ja.strip_suffix('曜').unwrap_or(ja);
        let lower = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|day| {
            let en = day.label().en.to_ascii_lowercase();
            day.label().ja == ja || lower == en || lower == format!("{day:?}").to_ascii_lowercase()
        })
    }

    /// Whether it is Saturday or Sunday.
    pub const fn is_weekend(self) -> bool {
        matches!(self, Self::Saturday | Self::Sunday)
    }
}

impl CalendarDate {
    /// Its day of the week.
    pub fn weekday(self) -> Weekday {
        let index = self.0.weekday().to_monday_zero_offset();
        usize::try_from(index)
            .ok()
            .and_then(|index| Weekday::ALL.get(index).copied())
            .unwrap_or(Weekday::Sunday)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{any_day, day};
    use super::*;

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        assert_eq!(day("1970-01-01").weekday(), Weekday::Thursday);
        assert_eq!(day("2026-11-26").weekday(), Weekday::Thursday);
        assert_eq!(day("2024-02-29").weekday().label().ja, "木");
        for weekday in Weekday::ALL {
            let ja = weekday.label().ja;
            let forms =
                [ja.to_owned(), format!("{ja}曜"), format!(" {ja}曜日"), weekday.label().en.to_uppercase()];
            for text in forms {
                assert_eq!(Weekday::parse(&text), Some(weekday), "{text}");
            }
            assert_eq!(Weekday::parse(&format!("{weekday:?}")), Some(weekday));
        }
        assert!(["", "曜日", "火水", "M"].iter().all(|text| Weekday::parse(text).is_none()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn days_follow_each_other(day in any_day()) {
            let place = |day: Weekday| Weekday::ALL.iter().position(|it| *it == day).unwrap();
            if let Some(next) = day.plus_days(1) {
                prop_assert_eq!(place(next.weekday()), (place(day.weekday()) + 1) % 7);
            }
        }
    }
}
