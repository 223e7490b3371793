//! Japanese eras (和暦): the table, reading and writing.
//!
//! Owns the era table (source: 元号 proclamations; same bounds as the domain table `wareki.csv`). Must not
//! know of any calendar but the Gregorian: days of 明治 before 1873 are counted as if Japan had used it.

use unicode_normalization::UnicodeNormalization;

use super::{CalendarDate, DateError, digits};

/// One era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era {
    /// Name, as 令和.
    pub name: &'static str,
    /// Initial used in forms and files, as `R`.
    pub letter: char,
    /// First day (year, month, day); the last day is the one before the next era begins.
    pub start: (i16, i8, i8),
}

/// The eras since the Meiji restoration, oldest first.
pub const ERAS: [Era; 5] = [
    Era { name: "明治", letter: 'M', start: (1868, 1, 25) },
    Era { name: "大正", letter: 'T', start: (1912, 7, 30) },
    Era { name: "昭和", letter: 'S', start: (1926, 12, 25) },
    Era { name: "平成", letter: 'H', start: (1989, 1, 8) },
    Era { name: "令和", letter: 'R', start: (2019, 5, 1) },
];

/// Longest date text that is looked at, in bytes after normalisation.
const TEXT_MAX_BYTES: usize = 48;

/// The era of a day and the year within it, 1 being 元年. `None` before 明治.
pub fn era_of(date: CalendarDate) -> Option<(&'static Era, i16)> {
    let era = ERAS.iter().rev().find(|era| (date.year(), date.month(), date.day()) >= era.start)?;
    Some((era, date.year() - era.start.0 + 1))
}

/// Writes `令和元年5月1日`; Gregorian `1867年5月1日` before 明治.
pub fn format_long(date: CalendarDate) -> String {
    match era_of(date) {
        Some((era, 1)) => format!("{}元年{}月{}日", era.name, date.month(), date.day()),
        Some((era, year)) => format!("{}{year}年{}月{}日", era.name, date.month(), date.day()),
        None => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
    }
}

/// Writes `R6.4.1`; `None` before 明治.
pub fn format_short(date: CalendarDate) -> Option<String> {
    let (era, year) = era_of(date)?;
    Some(format!("{}{year}.{}.{}", era.letter, date.month(), date.day()))
}

/// Writes the name of the school or fiscal year (年度) that begins in a year: `令和8年度`. A year in which an era
/// began in April or May is named by the new one, as offices do: 2019 is 令和元年度.
pub fn school_year(year: i16) -> String {
    match CalendarDate::new(year, 5, 1).ok().and_then(era_of) {
        Some((era, 1)) => format!("{}元年度", era.name),
        Some((era, number)) => format!("{}{number}年度", era.name),
        None => format!("{year}年度"),
    }
}

/// Reads `令和元年5月1日`, `令和六年四月一日`, `R6.4.1`, `r06/04/01`, `令6-4-1`, `R060401`, `㋿6年4月1日`; full-width
/// and half-width forms alike.
///
/// An era written on past its end, as printed forms did (平成31年5月1日, 昭和64年2月1日), is read as its
/// writer counted it. A day before the era began is refused: that is a slip, not a habit.
pub fn parse(text: &str) -> Result<CalendarDate, DateError> {
    parse_plain(&plain(text))
}

/// Compatibility forms folded, all white space dropped.
pub(crate) fn plain(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace()).take(TEXT_MAX_BYTES).collect()
}

pub(crate) fn parse_plain(text: &str) -> Result<CalendarDate, DateError> {
    let (era, rest) =
        ERAS.iter().find_map(|era| Some((era, strip_era(text, era)?))).ok_or(DateError::Form)?;
    let (year, month, day) = if rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_digit()) {
        let number = digits(rest.as_bytes())?;
        (number / 10_000, number / 100 % 100, number % 100)
    } else {
        three_numbers(rest)?
    };
    if !(1..=99).contains(&year) {
        return Err(DateError::NoSuchDay);
    }
    let first_year = u32::try_from(era.start.0).map_err(|_| DateError::NoSuchDay)?;
    let date = CalendarDate::from_numbers(first_year + year - 1, month, day)?;
    if (date.year(), date.month(), date.day()) < era.start {
        return Err(DateError::BeforeEra);
    }
    Ok(date)
}

fn strip_era<'a>(text: &'a str, era: &Era) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix(era.name) {
        return Some(rest);
    }
    let first = text.chars().next()?;
    let short = first.eq_ignore_ascii_case(&era.letter) || era.name.starts_with(first);
    let rest = text.get(first.len_utf8()..)?;
    // "令" alone abbreviates 令和; a second kanji that is not a numeral is another word.
    (short && rest.starts_with(|c: char| c.is_ascii_digit() || c == '元' || kanji_digit(c).is_some()))
        .then_some(rest)
}

/// Year, month and day separated by `年 月 日`, `-`, `/` or `.`; the year may be 元.
pub(crate) fn three_numbers(text: &str) -> Result<(u32, u32, u32), DateError> {
    let (year, rest) = text.split_once(['年', '-', '/', '.']).ok_or(DateError::Form)?;
    let (month, rest) = rest.split_once(['月', '-', '/', '.']).ok_or(DateError::Form)?;
    let day = rest.strip_suffix('日').unwrap_or(rest);
    let year = if year == "元" { 1 } else { number(year)? };
    Ok((year, number(month)?, number(day)?))
}

fn number(text: &str) -> Result<u32, DateError> {
    if text.starts_with(|c: char| c.is_ascii_digit()) { digits(text.as_bytes()) } else { kanji_number(text) }
}

/// 一 to 九十九.
fn kanji_number(text: &str) -> Result<u32, DateError> {
    let one = |text: &str| {
        let mut chars = text.chars();
        match (chars.next().and_then(kanji_digit), chars.next()) {
            (Some(digit), None) => Ok(digit),
            _ => Err(DateError::Form),
        }
    };
    match text.split_once('十') {
        None => one(text),
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { one(tens)? };
            let ones = if ones.is_empty() { 0 } else { one(ones)? };
            if tens == 10 || ones == 10 { Err(DateError::Form) } else { Ok(tens * 10 + ones) }
        }
    }
}

fn kanji_digit(c: char) -> Option<u32> {
    let place = "一二三四五六七八九十".chars().position(|k| k == c)?;
    u32::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{any_day, day};
    use super::*;

    #[test]
    fn eras_turn_on_their_first_day() {
        assert_eq!(format_long(day("2019-04-30")), "平成31年4月30日");
        assert_eq!(format_long(day("2019-05-01")), "令和元年5月1日");
        assert_eq!(format_long(day("1989-01-07")), "昭和64年1月7日");
        assert_eq!(format_long(day("1989-01-08")), "平成元年1月8日");
        assert_eq!(format_long(day("1926-12-24")), "大正15年12月24日");
        assert_eq!(format_long(day("1912-07-29")), "明治45年7月29日");
        assert_eq!(format_long(day("1868-01-24")), "1868年1月24日");
        assert_eq!(format_short(day("2024-04-01")).as_deref(), Some("R6.4.1"));
        assert_eq!(format_short(day("1868-01-24")), None);
    }

    #[test]
    fn school_years_are_named_by_their_era() {
        for (year, name) in [
            (2026, "令和8年度"),
            (2019, "令和元年度"),
            (2018, "平成30年度"),
            (1989, "平成元年度"),
            (1800, "1800年度"),
        ] {
            assert_eq!(school_year(year), name);
        }
    }

    #[test]
    fn all_spellings_of_one_day() {
        for text in [
            "令和6年4月1日",
            "令和六年四月一日",
            "令和 6年 4月 1日",
            "R6.4.1",
            "r06/04/01",
            "Ｒ６．４．１",
            "令6-4-1",
            "R060401",
            "㋿6年4月1日",
        ] {
            assert_eq!(parse(text), Ok(day("2024-04-01")), "{text}");
        }
        assert_eq!(parse("令和元年五月三十一日"), Ok(day("2019-05-31")));
        assert_eq!(parse("S39.10.10"), Ok(day("1964-10-10")));
        assert_eq!(parse("昭和六十三年十二月二十九日"), Ok(day("1988-12-29")));
    }

    #[test]
    fn an_era_may_be_written_on_but_not_begin_early() {
        assert_eq!(parse("平成31年5月1日"), Ok(day("2019-05-01")));
        assert_eq!(parse("H32.4.1"), Ok(day("2020-04-01")));
        assert_eq!(parse("令和元年4月30日"), Err(DateError::BeforeEra));
        assert_eq!(parse("H1.1.7"), Err(DateError::BeforeEra));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for wrong in
            ["", "R", "令和", "令和6年", "R6.4", "R6.4.1.1", "令子6.4.1", "Q6.4.1", "R六.十十.一", "R-6.4.1"]
        {
            assert_eq!(parse(wrong), Err(DateError::Form), "{wrong}");
        }
        assert_eq!(parse("R0.4.1"), Err(DateError::NoSuchDay));
        assert_eq!(parse("R5.2.29"), Err(DateError::NoSuchDay));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_reads_back(date in any_day()) {
            prop_assert_eq!(parse(&format_long(date)), Ok(date));
            prop_assert_eq!(parse(&format_short(date).unwrap()), Ok(date));
            prop_assert_eq!(CalendarDate::parse_japanese(&format_long(date)), Ok(date));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[令和平成MTSHR元年月日一十0-9./ -]{0,16}") {
            let _ = parse(&text);
        }
    }
}
