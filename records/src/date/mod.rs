//! Japanese calendar days: one type for the effective date of every record.
//!
//! Owns [`CalendarDate`] and its arithmetic; the reading of FHIR times is in [`fhir_time`], eras (和暦) in
//! [`wareki`], ages in law in [`age`], school years in [`school`], holidays in [`holiday`]. Must not know what today is: every
//! function that needs a day takes it as a parameter.

pub mod age;
pub mod fhir_time;
pub mod holiday;
pub mod school;
pub mod wareki;
mod weekday;

pub use fhir_time::{FhirTime, Precision};
pub use weekday::Weekday;

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A day of the Gregorian calendar as lived in Japan, from 0001-01-01 to 9999-12-31.
///
/// Written `yyyy-mm-dd` everywhere: display, parsing, serde. Text order equals date order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarDate(Date);

/// Why text is not a calendar date. Carries nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// The shape is wrong.
    #[error("not a date in the expected form")]
    Form,
    /// The shape is right, the day does not exist (31 April, 29 February of a common year, year 0).
    #[error("no such day in the calendar")]
    NoSuchDay,
    /// The era had not begun on that day (令和元年4月30日).
    #[error("the day lies before the start of the era it is written in")]
    BeforeEra,
}

impl CalendarDate {
    /// The day, if it exists.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Self, DateError> {
        if year < 1 {
            return Err(DateError::NoSuchDay);
        }
        Date::new(year, month, day).map(Self).map_err(|_| DateError::NoSuchDay)
    }

    /// Year of the Gregorian calendar.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// Month, 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// Day of the month, 1 to 31.
    pub fn day(self) -> i8 {
        self.0.day()
    }

    /// The calendar day in Japan (UTC+9, no summer time) at this point of time, in milliseconds since the
    /// Unix epoch; `None` beyond the year 9999.
    pub fn in_japan(unix_ms: u64) -> Option<Self> {
        const JST_MS: u64 = 9 * 3600 * 1000;
        const DAY_MS: u64 = 24 * 3600 * 1000;
        let days = i32::try_from(unix_ms.checked_add(JST_MS)? / DAY_MS).ok()?;
        Self::new(1970, 1, 1).ok()?.plus_days(days)
    }

    /// The day `days` later (earlier when negative); `None` outside the calendar.
    pub fn plus_days(self, days: i32) -> Option<Self> {
        let date = self.0.checked_add(i64::from(days).days()).ok()?;
        (date.year() >= 1).then_some(Self(date))
    }

    /// Days from `earlier` to `self`; negative when `earlier` is later.
    pub fn days_since(self, earlier: Self) -> i32 {
        // Both days lie within 9999 years: the difference fits 32 bits.
        self.0.since(earlier.0).map_or(0, |span| span.get_days())
    }

    /// First and last day of the month `months` after the one of `self`.
    pub(crate) fn month_after(self, months: u32) -> Option<(Self, Self)> {
        let first = self.0.first_of_month().checked_add(i64::from(months).months()).ok()?;
        Some((Self(first), Self(first.last_of_month())))
    }

    /// Reads what Japanese files contain: `2024-04-01`, `2024/4/1`, `2024.4.1`, `20240401`,
    /// `2024年4月1日`, and the eras as in [`wareki::parse`]. Full-width digits and surrounding space are
    /// accepted; two-digit Gregorian years are not.
    pub fn parse_japanese(text: &str) -> Result<Self, DateError> {
        let plain = wareki::plain(text);
        if !plain.starts_with(|c: char| c.is_ascii_digit()) {
            return wareki::parse_plain(&plain);
        }
        if plain.len() == 8 && plain.bytes().all(|b| b.is_ascii_digit()) {
            let number: u32 = plain.parse().map_err(|_| DateError::Form)?;
            return Self::from_numbers(number / 10_000, number / 100 % 100, number % 100);
        }
        let (year, month, day) = wareki::three_numbers(&plain)?;
        if !(1000..=9999).contains(&year) {
            return Err(DateError::Form);
        }
        Self::from_numbers(year, month, day)
    }

    pub(crate) fn from_numbers(year: u32, month: u32, day: u32) -> Result<Self, DateError> {
        match (i16::try_from(year), i8::try_from(month), i8::try_from(day)) {
            (Ok(year), Ok(month), Ok(day)) => Self::new(year, month, day),
            _ => Err(DateError::NoSuchDay),
        }
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CalendarDate {
    type Err = DateError;

    /// Exactly `yyyy-mm-dd`, nothing else.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else {
            return Err(DateError::Form);
        };
        let year = digits(&[y1, y2, y3, y4])?;
        Self::from_numbers(year, digits(&[m1, m2])?, digits(&[d1, d2])?)
    }
}

impl Serialize for CalendarDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CalendarDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = CalendarDate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date as yyyy-mm-dd")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<CalendarDate, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The number that ASCII digits spell.
pub(crate) fn digits(text: &[u8]) -> Result<u32, DateError> {
    if text.is_empty() || text.len() > 9 {
        return Err(DateError::Form);
    }
    text.iter().try_fold(0u32, |number, byte| match byte {
        b'0'..=b'9' => Ok(number * 10 + u32::from(byte - b'0')),
        _ => Err(DateError::Form),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    /// Any day of the years in which Hibiki's people live.
    pub(crate) fn any_day() -> impl Strategy<Value = CalendarDate> {
        (0i32..80_000).prop_map(|n| day("1880-01-01").plus_days(n).unwrap())
    }

    #[test]
    fn only_the_exact_form_and_real_days_are_read() {
        assert_eq!(day("2024-02-29").to_string(), "2024-02-29");
        assert_eq!("2023-02-29".parse::<CalendarDate>(), Err(DateError::NoSuchDay));
        assert_eq!("0000-01-01".parse::<CalendarDate>(), Err(DateError::NoSuchDay));
        for wrong in
            ["2024-2-29", "2024-02-29 ", "24-02-29", "2024/02/29", "+024-02-29", "", "２０２４-02-29"]
        {
            assert_eq!(wrong.parse::<CalendarDate>(), Err(DateError::Form), "{wrong}");
        }
    }

    #[test]
    fn the_calendar_has_ends() {
        assert_eq!(day("9999-12-31").plus_days(1), None);
        assert_eq!(day("0001-01-01").plus_days(-1), None);
        assert_eq!(day("2024-03-01").days_since(day("2024-02-01")), 29);
    }

    #[test]
    fn japanese_files_spell_days_in_many_ways() {
        for text in [
            "2024-04-01",
            "2024/4/1",
            "2024.4.1",
            "20240401",
            "2024年4月1日",
            " ２０２４／０４／０１　",
            "R6.4.1",
            "令和6年4月1日",
        ] {
            assert_eq!(CalendarDate::parse_japanese(text), Ok(day("2024-04-01")), "{text}");
        }
        for wrong in ["24/4/1", "2024/4", "2024/4/1/1", "4/1/2024", "", "2024年4月", "x"] {
            assert_eq!(CalendarDate::parse_japanese(wrong), Err(DateError::Form), "{wrong}");
        }
        assert_eq!(CalendarDate::parse_japanese("20240431"), Err(DateError::NoSuchDay));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn text_serde_and_order_agree(a in any_day(), b in any_day()) {
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            let json = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<CalendarDate>(&json).unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(b.plus_days(a.days_since(b)), Some(a));
        }

        #[test]
        fn no_text_breaks_the_readers(text in "\\PC{0,24}") {
            let _ = text.parse::<CalendarDate>();
            let _ = CalendarDate::parse_japanese(&text);
        }
    }
}
