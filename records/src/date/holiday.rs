//! Public holidays (国民の祝日に関する法律, 昭和23年法律第178号) from 2007, when the rule of substitute holidays got its present
//! form, to 2099.
//!
//! The two equinox days follow the usual formula, which agrees with the government's yearly announcement (国立天文台
//! 暦要項) for every year until now. Days the law moved or added once (2019, 2020, 2021) are listed.

use super::CalendarDate;

/// The name of the holiday a day is; `None` for every other day, and outside the years covered.
pub fn name(day: CalendarDate) -> Option<&'static str> {
    if !(2007..=2099).contains(&day.year()) {
        return None;
    }
    by_law(day).or_else(|| substitute(day)).or_else(|| between(day))
}

/// Days the law names.
fn by_law(day: CalendarDate) -> Option<&'static str> {
    let (year, month, date) = (day.year(), day.month(), day.day());
    if let Some(once) = once(year, month, date) {
        return once;
    }
    let monday = |nth: i8| weekday(day) == MONDAY && (date - 1) / 7 + 1 == nth;
    match (month, date) {
        (1, 1) => Some("元日"),
        (1, _) if monday(2) => Some("成人の日"),
        (2, 11) => Some("建国記念の日"),
        (2, 23) if year >= 2020 => Some("天皇誕生日"),
        (3, _) if date == equinox(year, 20.8431) => Some("春分の日"),
        (4, 29) => Some("昭和の日"),
        (5, 3) => Some("憲法記念日"),
        (5, 4) => Some("みどりの日"),
        (5, 5) => Some("こどもの日"),
        (7, _) if monday(3) => Some("海の日"),
        (8, 11) if year >= 2016 => Some("山の日"),
        (9, _) if monday(3) => Some("敬老の日"),
        (9, _) if date == equinox(year, 23.2488) => Some("秋分の日"),
        (10, _) if monday(2) => Some(if year >= 2020 { "スポーツの日" } else { "体育の日" }),
        (11, 3) => Some("文化の日"),
        (11, 23) => Some("勤労感謝の日"),
        (12, 23) if year <= 2018 => Some("天皇誕生日"),
        _ => None,
    }
}

/// What was different in one year: `Some(None)` where an ordinary holiday was moved away.
fn once(year: i16, month: i8, date: i8) -> Option<Option<&'static str>> {
    match (year, month, date) {
        (2019, 5, 1) => Some(Some("天皇の即位の日")),
        (2019, 10, 22) => Some(Some("即位礼正殿の儀の行われる日")),
        (2020, 7, 23) | (2021, 7, 22) => Some(Some("海の日")),
        (2020, 7, 24) | (2021, 7, 23) => Some(Some("スポーツの日")),
        (2020, 8, 10) | (2021, 8, 8) => Some(Some("山の日")),
        (2020 | 2021, 7, 15..=21) | (2020 | 2021, 8, 11) | (2020 | 2021, 10, _) => Some(None),
        _ => None,
    }
}

/// The first day after a holiday on a Sunday that is none itself (振替休日, article 3 paragraph 2).
fn substitute(day: CalendarDate) -> Option<&'static str> {
    let mut before = day.plus_days(-1)?;
    while by_law(before).is_some() {
        if weekday(before) == SUNDAY {
            return Some("休日（振替休日）");
        }
        before = before.plus_days(-1)?;
    }
    None
}

/// A day between two holidays (article 3 paragraph 3).
fn between(day: CalendarDate) -> Option<&'static str> {
    let around = [-1, 1].map(|days| day.plus_days(days).and_then(by_law));
    (around.iter().all(Option::is_some) && weekday(day) != SUNDAY).then_some("休日")
}

const SUNDAY: u8 = 0;
const MONDAY: u8 = 1;
const SATURDAY: u8 = 6;

/// 0 is Sunday.
fn weekday(day: CalendarDate) -> u8 {
    // 1970-01-04 was a Sunday.
    let since = CalendarDate::new(1970, 1, 4).map_or(0, |sunday| day.days_since(sunday).rem_euclid(7));
    u8::try_from(since).unwrap_or(SUNDAY)
}

/// Whether it is a Saturday or a Sunday.
pub fn is_weekend(day: CalendarDate) -> bool {
    matches!(weekday(day), SUNDAY | SATURDAY)
}

/// Day of the month of an equinox; `base` is that of 1980.
fn equinox(year: i16, base: f64) -> i8 {
    let years = f64::from(year - 1980);
    let leaps = f64::from((year - 1980).div_euclid(4));
    (base + 0.242_194 * years - leaps).floor() as i8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(year: i16) -> Vec<String> {
        let first = CalendarDate::new(year, 1, 1).unwrap();
        (0..366)
            .filter_map(|days| first.plus_days(days))
            .filter(|day| day.year() == year && name(*day).is_some())
            .map(|day| format!("{}-{}", day.month(), day.day()))
            .collect()
    }

    /// 内閣府「国民の祝日」 for these years.
    #[test]
    fn the_governments_lists() {
        let expected = [
            (2015, "1-1 1-12 2-11 3-21 4-29 5-3 5-4 5-5 5-6 7-20 9-21 9-22 9-23 10-12 11-3 11-23 12-23"),
            (
                2018,
                "1-1 1-8 2-11 2-12 3-21 4-29 4-30 5-3 5-4 5-5 7-16 8-11 9-17 9-23 9-24 10-8 11-3 11-23 12-23 12-24",
            ),
            (
                2019,
                "1-1 1-14 2-11 3-21 4-29 4-30 5-1 5-2 5-3 5-4 5-5 5-6 7-15 8-11 8-12 9-16 9-23 10-14 10-22 11-3 11-4 11-23",
            ),
            (2020, "1-1 1-13 2-11 2-23 2-24 3-20 4-29 5-3 5-4 5-5 5-6 7-23 7-24 8-10 9-21 9-22 11-3 11-23"),
            (2021, "1-1 1-11 2-11 2-23 3-20 4-29 5-3 5-4 5-5 7-22 7-23 8-8 8-9 9-20 9-23 11-3 11-23"),
            (2026, "1-1 1-12 2-11 2-23 3-20 4-29 5-3 5-4 5-5 5-6 7-20 8-11 9-21 9-22 9-23 10-12 11-3 11-23"),
            (2027, "1-1 1-11 2-11 2-23 3-21 3-22 4-29 5-3 5-4 5-5 7-19 8-11 9-20 9-23 10-11 11-3 11-23"),
        ];
        for (year, days) in expected {
            assert_eq!(of(year).join(" "), days, "{year}");
        }
    }

    #[test]
    fn every_year_has_its_days_and_no_substitute_is_a_sunday() {
        for year in 2007..=2099 {
            let days = of(year).len();
            assert!((15..=23).contains(&days), "{year}: {days}");
        }
        for offset in 0..33_900 {
            let Some(day) = CalendarDate::new(2007, 1, 1).unwrap().plus_days(offset) else { continue };
            if name(day).is_some_and(|name| name.starts_with("休日")) {
                assert_ne!(weekday(day), SUNDAY, "{day}");
            }
        }
    }

    #[test]
    fn weekends() {
        let weekend = |text: &str| is_weekend(text.parse().unwrap());
        assert!(weekend("2026-11-28") && weekend("2026-11-29") && !weekend("2026-11-30"));
        assert_eq!(name("2006-01-01".parse().unwrap()), None);
    }
}
