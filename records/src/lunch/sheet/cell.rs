//! What one cell says: a day, a yes or no, names, an amount.
//!
//! Must not know which column it stands in, or in which form.

use unicode_normalization::UnicodeNormalization;

use super::LineProblem;
use crate::date::{CalendarDate, DateError, Weekday};
use crate::lunch::Milk;
use crate::words::{LINE_MAX_CHARS, tidy};

/// First and last year of a day that is believed.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2099;
/// Longest amount, in characters.
const AMOUNT_MAX_CHARS: usize = 40;
/// Most characters of a word that are quoted.
const QUOTED_CHARS: usize = 20;

/// A day, with or without its year and day of the week.
pub(super) fn day(cell: &str, school_year: Option<i16>) -> Result<CalendarDate, LineProblem> {
    let text: String = cell.nfkc().take(64).collect();
    let text = text.trim();
    let text = match text.rsplit_once(' ') {
        // As spreadsheets write a day that they hold as a point of time.
        Some((day, "0:00" | "00:00" | "0:00:00" | "00:00:00")) => day,
        _ => text,
    };
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (text, weekday) = split_weekday(&text)?;
    let day = match CalendarDate::parse_japanese(text) {
        Ok(day) => day,
        Err(DateError::Form) => without_year(text, school_year)?,
        Err(_) => return Err(LineProblem::Date),
    };
    if !YEARS.contains(&day.year()) {
        return Err(LineProblem::DayOutOfRange);
    }
    match weekday {
        Some(weekday) if weekday != day.weekday() => Err(LineProblem::Weekday),
        _ => Ok(day),
    }
}

/// `4月13日(月)`, `4/13(月・祝)`, `4月13日月曜日`.
fn split_weekday(text: &str) -> Result<(&str, Option<Weekday>), LineProblem> {
    let split = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some((day, inner)) => Some((day, inner.strip_suffix("・祝").unwrap_or(inner))),
        None => text.split_once('日').map(|(day, rest)| (day, rest)).filter(|(_, rest)| !rest.is_empty()),
    };
    match split {
        Some((day, name)) => {
            Ok((day.strip_suffix('日').unwrap_or(day), Some(Weekday::parse(name).ok_or(LineProblem::Date)?)))
        }
        None => Ok((text, None)),
    }
}

/// `4月13日`, `4/13` of a school year.
fn without_year(text: &str, school_year: Option<i16>) -> Result<CalendarDate, LineProblem> {
    let text = text.strip_suffix('日').unwrap_or(text);
    let (month, day) = text.split_once(['月', '/', '-', '.']).ok_or(LineProblem::Date)?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<i8>().map_err(|_| LineProblem::Date) } else { Err(LineProblem::Date) }
    };
    let (month, day) = (number(month)?, number(day)?);
    let year = school_year.ok_or(LineProblem::YearUnknown)?;
    let year = if month >= 4 { year } else { year.saturating_add(1) };
    CalendarDate::new(year, month, day).map_err(|_| LineProblem::Date)
}

/// Whether milk is served; `None` where the cell says nothing.
pub(super) fn milk(cell: &str) -> Result<Option<Milk>, LineProblem> {
    let text: String =
        cell.nfkc().take(16).filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    Ok(Some(match text.as_str() {
        "" => return Ok(None),
        "○" | "〇" | "◯" | "◎" | "●" | "o" | "✓" | "✔" | "レ" | "1" | "yes" | "y" | "true" | "あり"
        | "有" | "有り" | "牛乳" | "served" => Milk::Served,
        "×" | "✕" | "✗" | "✖" | "╳" | "x" | "0" | "no" | "n" | "false" | "なし" | "無" | "無し" | "-"
        | "―" | "ー" | "−" | "not_served" => Milk::NotServed,
        _ => return Err(LineProblem::Milk),
    }))
}

/// A name; `None` where nothing is left of it. One that would have to be cut is refused: what is in its end would be
/// lost.
pub(super) fn name(text: &str) -> Result<Option<String>, LineProblem> {
    if text.trim().chars().count() > LINE_MAX_CHARS {
        return Err(LineProblem::TextTooLong);
    }
    Ok(Some(tidy(text)).filter(|text| !text.is_empty()))
}

/// The dishes in a cell: by lines and 、, or by ・ where there are none of those, or by wide spaces where there are
/// neither. What stands in brackets is not taken apart.
pub(super) fn dishes(cell: &str) -> Result<Vec<String>, LineProblem> {
    let mut parts = split(cell, is_comma);
    let others: [fn(char) -> bool; 2] = [|c| matches!(c, '・' | '･'), |c| c == '\u{3000}'];
    for separates in others {
        if let [only] = parts[..] {
            parts = split(only, separates);
        }
    }
    let bare = |part: &str| name(part.trim().trim_start_matches(['・', '･']));
    parts.into_iter().filter_map(|part| bare(part).transpose()).collect()
}

/// The ingredients in a cell, by lines and 、, each with its amount.
pub(super) fn ingredients(cell: &str) -> Result<Vec<(String, Option<String>)>, LineProblem> {
    let parts =
        split(cell, is_comma).into_iter().map(|part| ingredient(part.trim().trim_start_matches(['・', '･'])));
    parts.filter_map(Result::transpose).collect()
}

/// `豚肉(20g)`: the name, and the amount where what stands in the last brackets is one.
fn ingredient(text: &str) -> Result<Option<(String, Option<String>)>, LineProblem> {
    let split = text.trim().strip_suffix([')', '）']).and_then(|text| text.rsplit_once(['(', '（']));
    if let Some((before, inner)) = split
        && let Some(amount) = amount(inner)?
        && let Some(name) = name(before)?
    {
        return Ok(Some((name, Some(amount))));
    }
    Ok(name(text)?.map(|name| (name, None)))
}

/// What stands in brackets, if it is an amount.
fn amount(text: &str) -> Result<Option<String>, LineProblem> {
    let plain: String = text.nfkc().take(AMOUNT_MAX_CHARS + 1).collect();
    let plain = plain.trim();
    let is_one = plain.starts_with(|c: char| c.is_ascii_digit())
        || ["少々", "適量", "約", "大さじ", "小さじ"].iter().any(|word| plain.starts_with(word));
    if is_one { quantity(plain, "").map(|it| it.filter(|it| !it.is_empty())) } else { Ok(None) }
}

/// A number and its unit, as `35g`; `None` where there is no number.
pub(super) fn quantity(number: &str, unit: &str) -> Result<Option<String>, LineProblem> {
    let number: String = number.nfkc().take(AMOUNT_MAX_CHARS + 1).collect();
    let number = tidy(&number);
    if number.is_empty() {
        return Ok(None);
    }
    let whole = number.strip_suffix(".0").filter(|whole| whole.bytes().all(|byte| byte.is_ascii_digit()));
    let amount = format!("{}{}", whole.unwrap_or(&number), tidy(unit));
    if amount.chars().count() > AMOUNT_MAX_CHARS { Err(LineProblem::TextTooLong) } else { Ok(Some(amount)) }
}

/// As much of a word as is quoted.
pub(super) fn quoted(word: &str) -> String {
    tidy(word).chars().take(QUOTED_CHARS).collect()
}

/// What separates names in a cell everywhere.
pub(super) fn is_comma(c: char) -> bool {
    matches!(c, '、' | '､' | ',' | '，' | ';' | '；' | '\n' | '\r')
}

/// The parts of a text, without blank ones; what stands in brackets stays together if brackets close.
pub(super) fn split(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let closes = text.chars().try_fold(0i32, |depth, c| match depth + step(c) {
        depth if depth < 0 => None,
        depth => Some(depth),
    }) == Some(0);
    let mut depth = 0;
    let parts = text.split(|c: char| {
        depth += step(c);
        separates(c) && (depth == 0 || !closes)
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

fn step(c: char) -> i32 {
    match c {
        '(' | '（' | '[' | '［' | '【' | '〔' | '「' => 1,
        ')' | '）' | ']' | '］' | '】' | '〕' | '」' => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(cell: &str) -> Result<String, LineProblem> {
        day(cell, Some(2026)).map(|day| day.to_string())
    }

    #[test]
    fn days_are_read_as_schools_write_them() {
        for cell in [
            "2026-04-13",
            "2026/4/13",
            "2026.4.13",
            "20260413",
            "２０２６／４／１３",
            "2026年4月13日",
            "令和8年4月13日",
            "R8.4.13",
            "4月13日",
            "４月１３日（月）",
            "4/13",
            "04-13",
            "4/13(月)",
            "4月13日 (月・祝)",
            "4月13日月曜日",
            "2026/4/13 0:00",
            " 2026-04-13 00:00:00 ",
            "令和８年４月１３日（月）",
            "2026/4/13(Mon)",
        ] {
            assert_eq!(told(cell).as_deref(), Ok("2026-04-13"), "{cell}");
        }
        assert_eq!(told("3月24日").as_deref(), Ok("2027-03-24"));
        assert_eq!(day("4/13", None), Err(LineProblem::YearUnknown));
        assert_eq!(told("4月13日(火)"), Err(LineProblem::Weekday));
        assert_eq!(told("1926-04-13"), Err(LineProblem::DayOutOfRange));
        for cell in [
            "",
            "月曜",
            "13日",
            "4月31日",
            "2026-02-29",
            "4/13/2026",
            "26/4/13/1",
            "4月13日(朝)",
            "13",
            "+4/3",
        ] {
            assert_eq!(told(cell), Err(LineProblem::Date), "{cell}");
        }
    }

    #[test]
    fn milk_is_a_mark() {
        for (cell, said) in [
            ("○", Some(Milk::Served)),
            ("〇", Some(Milk::Served)),
            (" あり ", Some(Milk::Served)),
            ("×", Some(Milk::NotServed)),
            ("Ｘ", Some(Milk::NotServed)),
            ("", None),
        ] {
            assert_eq!(milk(cell), Ok(said), "{cell}");
        }
        assert_eq!(milk("コーヒー牛乳"), Err(LineProblem::Milk));
    }

    #[test]
    fn lists_are_taken_apart_where_they_are_meant_to_be() {
        let list = |cell: &str| dishes(cell).unwrap().join("|");
        assert_eq!(list("ごはん、豚肉・だいこんの煮物"), "ごはん|豚肉・だいこんの煮物");
        assert_eq!(list("ごはん・カレー・サラダ"), "ごはん|カレー|サラダ");
        assert_eq!(list("・ごはん\r\n・カレー\n"), "ごはん|カレー");
        assert_eq!(list("ごはん　ビーフ カレー"), "ごはん|ビーフ カレー");
        assert_eq!(list("セルフドッグ、（ウインナー・野菜）"), "セルフドッグ|（ウインナー・野菜）");
        assert_eq!(list("セルフドッグ(ウインナー・野菜)"), "セルフドッグ(ウインナー・野菜)");
        assert_eq!(list("・ごはん・カレー、"), "ごはん|カレー");
        assert_eq!(list(" 、、 "), "");
        let list = |cell: &str| {
            let list = ingredients(cell).unwrap();
            list.into_iter()
                .map(|(name, amount)| format!("{name}:{}", amount.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            list("豚肉(20g)、なたね油(揚げ用)（４．０ｇ）、しょうゆ(小麦、大豆を含む)、塩（少々）、卵"),
            ["豚肉:20g", "なたね油(揚げ用):4.0g", "しょうゆ(小麦、大豆を含む):", "塩:少々", "卵:"]
        );
        assert_eq!(
            list("豚肉(20g、にんじん"),
            ["豚肉(20g:", "にんじん:"],
            "an open bracket swallows nothing"
        );
        assert_eq!(list("(20g)"), ["(20g):"]);
        assert_eq!(dishes(&"長".repeat(121)), Err(LineProblem::TextTooLong));
        assert_eq!(quantity("35.0", "g"), Ok(Some("35g".to_owned())));
        assert_eq!(quantity("０．５", "g"), Ok(Some("0.5g".to_owned())));
        assert_eq!(quantity(" ", "g"), Ok(None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_letter_of_a_list_is_lost(cell in "[\\PC、・（）()0-9g\u{3000}\n]{0,60}") {
            let (Ok(dishes), Ok(found)) = (dishes(&cell), ingredients(&cell)) else { return Ok(()) };
            let letters = |text: &str| text.nfkc().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(letters(&dishes.concat()), letters(&cell));
            let all: String = found.iter().map(|(name, amount)| format!("{name}{}", amount.as_deref().unwrap_or(""))).collect();
            // Of an amount `.0` may go.
            prop_assert!(letters(&all).len() <= letters(&cell).len());
            prop_assert_eq!(letters(&all).replace('0', ""), letters(&cell).replace('0', ""));
        }

        #[test]
        fn no_text_breaks_the_reader_of_days(cell in "[0-9年月日令和R/.() -]{0,16}") {
            let _ = (day(&cell, Some(2026)), day(&cell, Some(i16::MAX)), milk(&cell));
        }
    }
}
