//! The days that the law names: an age, a week of life, a school year; and the gap between two doses.
//!
//! Written in the rules as `P2M`, `P9Y` (age attained, the day before the anniversary), `P42D`, `P14W6D`
//! (days after birth, the day of birth being day 0), `FY_PRESCHOOL_START`, `FY_AGE12_END` (first and last day
//! of a school year) or as a date; gaps as `27D` (full days between, so 28 days later) or `6M` (the same day
//! of the month). Must not know vaccines.

use serde::{Deserialize, Deserializer, de};

use crate::category::Label;
use crate::date::{CalendarDate, age, school};
use crate::words::Summary;

/// A day in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// 生後nか月に達した日, n歳に達した日.
    Age {
        /// Completed months.
        months: u32,
        /// Whether the law says it in years.
        in_years: bool,
    },
    /// Days after birth.
    Days(u16),
    /// First day of a school year.
    YearStart(SchoolYear),
    /// Last day of a school year.
    YearEnd(SchoolYear),
    /// A day of the calendar.
    Fixed(CalendarDate),
}

/// A school year (年度) in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchoolYear {
    /// 小学校入学前の1年間.
    Preschool,
    /// The year within which this age is attained.
    OfAge(u8),
}

impl Moment {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse() {
            return Some(Self::Fixed(day));
        }
        if let Some(year) = text.strip_prefix("FY_") {
            let (year, start) = match (year.strip_suffix("_START"), year.strip_suffix("_END")) {
                (Some(year), _) => (year, true),
                (None, Some(year)) => (year, false),
                (None, None) => return None,
            };
            let year = match year.strip_prefix("AGE") {
                Some(age) => SchoolYear::OfAge(age.parse().ok()?),
                None => (year == "PRESCHOOL").then_some(SchoolYear::Preschool)?,
            };
            return Some(if start { Self::YearStart(year) } else { Self::YearEnd(year) });
        }
        let span = text.strip_prefix('P')?;
        if let Some((weeks, rest)) = span.split_once('W') {
            let days = if rest.is_empty() { 0 } else { rest.strip_suffix('D')?.parse::<u16>().ok()? };
            return weeks.parse::<u16>().ok()?.checked_mul(7)?.checked_add(days).map(Self::Days);
        }
        if let Some(days) = span.strip_suffix('D') {
            return days.parse().ok().map(Self::Days);
        }
        let (count, in_years) = match span.strip_suffix('Y') {
            Some(years) => (years, true),
            None => (span.strip_suffix('M')?, false),
        };
        let months = count.parse::<u32>().ok()?.checked_mul(if in_years { 12 } else { 1 })?;
        Some(Self::Age { months, in_years })
    }

    /// The day, for somebody born on that day; `None` past the end of the calendar.
    pub(crate) fn of(self, birth: CalendarDate) -> Option<CalendarDate> {
        match self {
            Self::Age { months, .. } => age::months_attained_on(birth, months),
            Self::Days(days) => birth.plus_days(i32::from(days)),
            Self::YearStart(year) => year.days(birth).map(|(first, _)| first),
            Self::YearEnd(year) => year.days(birth).map(|(_, last)| last),
            Self::Fixed(day) => Some(day),
        }
    }

    /// As the law says it.
    pub(crate) fn words(self) -> Summary {
        match self {
            Self::Days(0) => Summary::new("生まれた日", "birth"),
            Self::Days(days) => {
                let (weeks, rest) = (days / 7, days % 7);
                let en =
                    if rest == 0 { format!("{weeks} weeks") } else { format!("{weeks} weeks {rest} days") };
                Summary::new(format!("出生{weeks}週{rest}日後"), en)
            }
            Self::Age { months: 12, in_years: true } => Summary::new("1歳", "1 year"),
            Self::Age { months, in_years: true } => {
                Summary::new(format!("{}歳", months / 12), format!("{} years", months / 12))
            }
            Self::Age { months, in_years: false } => {
                Summary::new(format!("生後{months}月"), format!("{months} months"))
            }
            Self::YearStart(year) => year.words("4月1日", "1 April"),
            Self::YearEnd(year) => year.words("3月31日", "31 March"),
            Self::Fixed(day) => date_words(day),
        }
    }
}

impl SchoolYear {
    fn days(self, birth: CalendarDate) -> Option<(CalendarDate, CalendarDate)> {
        let year = match self {
            Self::Preschool => school::entry_year(birth)?.checked_sub(1)?,
            Self::OfAge(years) => school::school_year(age::years_attained_on(birth, u32::from(years))?),
        };
        school::school_year_days(year)
    }

    /// The year as a whole.
    pub(crate) fn whole(self) -> Summary {
        let words = match self {
            Self::Preschool => Summary::new("小学校入学前の1年間", "the year before school"),
            Self::OfAge(age) => {
                Summary::new(format!("{age}歳になる年度"), format!("the school year of turning {age}"))
            }
        };
        words.map(|ja| format!("{ja}(4月1日から3月31日まで)"), |en| format!("{en} (1 April to 31 March)"))
    }

    fn words(self, ja: &str, en: &str) -> Summary {
        match self {
            Self::Preschool => {
                Summary::new(format!("小学校入学前の年度の{ja}"), format!("{en} of the year before school"))
            }
            Self::OfAge(age) => Summary::new(
                format!("{age}歳になる年度の{ja}"),
                format!("{en} of the school year of turning {age}"),
            ),
        }
    }
}

/// What has to lie between two doses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// n日以上の間隔をおいて: n full days between.
    DaysBetween(u16),
    /// n月以上の間隔をおいて: from the same day of the month n months later; where that month has no such
    /// day, from the first of the next.
    Months(u16),
}

impl Gap {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(days) = text.strip_suffix('D') {
            return days.parse().ok().map(Self::DaysBetween);
        }
        let span = text.strip_prefix('P').unwrap_or(text);
        match span.strip_suffix('Y') {
            Some(years) => years.parse::<u16>().ok()?.checked_mul(12).map(Self::Months),
            None => span.strip_suffix('M')?.parse().ok().map(Self::Months),
        }
    }

    /// The first day that keeps the gap; `None` past the end of the calendar.
    pub(crate) fn after(self, earlier: CalendarDate) -> Option<CalendarDate> {
        match self {
            Self::DaysBetween(days) => earlier.plus_days(i32::from(days) + 1),
            Self::Months(months) => {
                let (first, last) = earlier.month_after(u32::from(months))?;
                match CalendarDate::new(first.year(), first.month(), earlier.day()) {
                    Ok(day) => Some(day),
                    Err(_) => last.plus_days(1),
                }
            }
        }
    }

    pub(crate) fn words(self) -> Summary {
        match self {
            Self::DaysBetween(days) => Summary::new(format!("{days}日"), format!("{days} days")),
            Self::Months(1) => Summary::new("1か月", "1 month"),
            Self::Months(months) => Summary::new(format!("{months}か月"), format!("{months} months")),
        }
    }
}

/// A day as a city hall prints it.
pub(crate) fn date_words(day: CalendarDate) -> Summary {
    Summary::new(format!("{}年{}月{}日", day.year(), day.month(), day.day()), day.to_string())
}

/// Both languages of a label.
pub(crate) fn label_words(label: Label) -> Summary {
    Summary::new(label.ja, label.en)
}

macro_rules! read_from_text {
    ($type:ty, $what:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text: &str = Deserialize::deserialize(deserializer)?;
                <$type>::parse(text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {}", $what)))
            }
        }
    };
}

read_from_text!(Moment, "a moment such as P2M, P42D, FY_AGE12_START or 2025-04-01");
read_from_text!(Gap, "a gap such as 27D or 6M");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::date::tests::{any_day, day};

    fn moment(text: &str, birth: &str) -> String {
        Moment::parse(text).unwrap().of(day(birth)).unwrap().to_string()
    }

    #[test]
    fn ages_are_attained_the_day_before() {
        for (text, birth, expected) in [
            ("P2M", "2024-04-01", "2024-05-31"),
            ("P1Y", "2024-04-01", "2025-03-31"),
            ("P12M", "2024-02-29", "2025-02-28"),
            ("P48M", "2024-02-29", "2028-02-28"),
            ("P6M", "2024-08-31", "2025-02-28"),
            ("P0D", "2024-02-29", "2024-02-29"),
            ("P42D", "2024-04-01", "2024-05-13"),
            ("P14W6D", "2024-04-01", "2024-07-14"),
            ("P24W", "2024-04-01", "2024-09-16"),
            ("FY_PRESCHOOL_START", "2024-04-01", "2029-04-01"),
            ("FY_PRESCHOOL_END", "2024-04-02", "2031-03-31"),
            ("FY_AGE12_START", "2024-04-01", "2035-04-01"),
            ("FY_AGE12_START", "2024-04-02", "2036-04-01"),
            ("FY_AGE16_END", "2024-04-01", "2040-03-31"),
            ("2027-03-31", "2024-04-01", "2027-03-31"),
        ] {
            assert_eq!(moment(text, birth), expected, "{text} of {birth}");
        }
    }

    #[test]
    fn gaps_count_full_days_or_months() {
        for (text, earlier, expected) in [
            ("27D", "2026-04-01", "2026-04-29"),
            ("20D", "2026-04-01", "2026-04-22"),
            ("6D", "2024-02-25", "2024-03-03"),
            ("60D", "2026-01-01", "2026-03-03"),
            ("139D", "2026-01-01", "2026-05-21"),
            ("0D", "2026-01-01", "2026-01-02"),
            ("6M", "2026-01-15", "2026-07-15"),
            ("6M", "2025-08-31", "2026-03-01"),
            ("1M", "2024-01-31", "2024-03-01"),
            ("12M", "2024-02-29", "2025-03-01"),
            ("1Y", "2024-05-06", "2025-05-06"),
        ] {
            let gap = Gap::parse(text).unwrap();
            assert_eq!(gap.after(day(earlier)).unwrap().to_string(), expected, "{text} after {earlier}");
        }
    }

    #[test]
    fn nothing_else_is_a_moment_or_a_gap() {
        for wrong in
            ["", "P", "2M", "P2", "PM", "P2X", "FY_AGE12", "FY_OLD_START", "FY_AGEx_END", "P-1M", "P99999W"]
        {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
        for wrong in ["", "D", "27", "-1D", "x M", "P", "99999Y"] {
            assert_eq!(Gap::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_are_said_as_the_law_says_them() {
        let words = |text: &str| Moment::parse(text).unwrap().words();
        for (text, ja, en) in [
            ("P0D", "生まれた日", "birth"),
            ("P2M", "生後2月", "2 months"),
            ("P90M", "生後90月", "90 months"),
            ("P1Y", "1歳", "1 year"),
            ("P24M", "生後24月", "24 months"),
            ("P12M", "生後12月", "12 months"),
            ("P3Y", "3歳", "3 years"),
            ("P9Y", "9歳", "9 years"),
            ("P14W6D", "出生14週6日後", "14 weeks 6 days"),
            ("P168D", "出生24週0日後", "24 weeks"),
            ("FY_AGE12_START", "12歳になる年度の4月1日", "1 April of the school year of turning 12"),
        ] {
            assert_eq!((words(text).ja.as_str(), words(text).en.as_str()), (ja, en));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_longer_gap_never_ends_earlier(earlier in any_day(), days in 0u16..200, months in 0u16..36) {
            prop_assert!(Gap::DaysBetween(days).after(earlier) < Gap::DaysBetween(days + 1).after(earlier));
            prop_assert!(Gap::Months(months).after(earlier) < Gap::Months(months + 1).after(earlier));
            prop_assert!(Gap::Months(months).after(earlier) <= Gap::Months(months).after(earlier.plus_days(1).unwrap()));
        }
    }
}
