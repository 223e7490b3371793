//! Holidays of Japan (国民の祝日に関する法律, 昭和23年法律第178号), as in force since 2007.
//!
//! With 平成30年法律第57号 (スポーツの日, 天皇誕生日), 平成30年法律第99号 (the days of the enthronement of 2019),
//! and the special laws that moved three days in 2020 and 2021 for the Olympic games. The equinoxes are foretold by
//! the usual formula, good for 1980 to 2099; the binding day is announced each February for the year after. Must not
//! know what is closed on a holiday.

use super::{CalendarDate, Weekday};

/// First and last year told.
const YEARS: std::ops::RangeInclusive<i16> = 2007..=2099;

/// 休日 by article 3, paragraph 2.
const SUBSTITUTE: &str = "振替休日";
/// 休日 by article 3, paragraph 3.
const BETWEEN: &str = "国民の休日";

/// The name of the holiday that `day` is, if it is one: that of the law, `振替休日` or `国民の休日`. Nothing is told
/// of days before 2007 or after 2099.
pub fn name(day: CalendarDate) -> Option<&'static str> {
    if !YEARS.contains(&day.year()) {
        return None;
    }
    own(day).or_else(|| substitute(day).then_some(SUBSTITUTE)).or_else(|| between(day).then_some(BETWEEN))
}

/// The day is the first one after a holiday on a Sunday that is none itself.
fn substitute(day: CalendarDate) -> bool {
    let mut before = day.plus_days(-1);
    while let Some(it) = before.filter(|it| own(*it).is_some()) {
        if it.weekday() == Weekday::Sunday {
            return true;
        }
        before = it.plus_days(-1);
    }
    false
}

/// The days before and after it are holidays.
fn between(day: CalendarDate) -> bool {
    [-1, 1].into_iter().all(|days| day.plus_days(days).is_some_and(|day| own(day).is_some()))
}

/// A holiday by its own name (article 2, and the laws of single years).
fn own(day: CalendarDate) -> Option<&'static str> {
    let year = day.year();
    if let Some(name) = of_one_year(day) {
        return name;
    }
    // Which Monday of the month it is, 0 being none.
    let monday = if day.weekday() == Weekday::Monday { (day.day() + 6) / 7 } else { 0 };
    Some(match (day.month(), day.day()) {
        (1, 1) => "元日",
        (1, _) if monday == 2 => "成人の日",
        (2, 11) => "建国記念の日",
        (2, 23) if year >= 2020 => "天皇誕生日",
        (3, on) if on == equinox(year, 20_843_100) => "春分の日",
        (4, 29) => "昭和の日",
        (5, 3) => "憲法記念日",
        (5, 4) => "みどりの日",
        (5, 5) => "こどもの日",
        (7, _) if monday == 3 => "海の日",
        (8, 11) if year >= 2016 => "山の日",
        (9, _) if monday == 3 => "敬老の日",
        (9, on) if on == equinox(year, 23_248_800) => "秋分の日",
        (10, _) if monday == 2 => sports(year),
        (11, 3) => "文化の日",
        (11, 23) => "勤労感謝の日",
        (12, 23) if year <= 2018 => "天皇誕生日",
        _ => return None,
    })
}

const fn sports(year: i16) -> &'static str {
    if year >= 2020 { "スポーツの日" } else { "体育の日" }
}

/// What single years have that others have not: `Some(None)` where a holiday was moved away.
fn of_one_year(day: CalendarDate) -> Option<Option<&'static str>> {
    let monday = day.weekday() == Weekday::Monday;
    Some(match (day.year(), day.month(), day.day()) {
        (2019, 5, 1) => Some("天皇の即位の日"),
        (2019, 10, 22) => Some("即位礼正殿の儀の行われる日"),
        (2020, 7, 23) | (2021, 7, 22) => Some("海の日"),
        (2020, 7, 24) | (2021, 7, 23) => Some(sports(2020)),
        (2020, 8, 10) | (2021, 8, 8) => Some("山の日"),
        (2020 | 2021, 7 | 10, _) if monday => None,
        (2020 | 2021, 8, 11) => None,
        _ => return None,
    })
}

/// Day of the month of an equinox that in 1980 came `base` millionths of a day after the month began.
fn equinox(year: i16, base: i32) -> i8 {
    let years = i32::from(year) - 1980;
    let day = (base + 242_194 * years) / 1_000_000 - years / 4;
    i8::try_from(day).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::day;
    use super::*;

    fn days(year: i16) -> impl Iterator<Item = CalendarDate> {
        let first = CalendarDate::new(year, 1, 1).unwrap();
        (0..366).filter_map(move |days| first.plus_days(days)).filter(move |day| day.year() == year)
    }

    fn all(year: i16) -> String {
        let told = days(year).filter_map(|day| Some(format!("{}/{}{}", day.month(), day.day(), name(day)?)));
        told.collect::<Vec<_>>().join(" ")
    }

    /// As announced in the official gazette (官報, 暦要項) for these years.
    #[test]
    fn years_as_they_were_announced() {
        assert_eq!(
            all(2015),
            "1/1元日 1/12成人の日 2/11建国記念の日 3/21春分の日 4/29昭和の日 5/3憲法記念日 5/4みどりの日 \
             5/5こどもの日 5/6振替休日 7/20海の日 9/21敬老の日 9/22国民の休日 9/23秋分の日 10/12体育の日 \
             11/3文化の日 11/23勤労感謝の日 12/23天皇誕生日"
        );
        assert_eq!(
            all(2019),
            "1/1元日 1/14成人の日 2/11建国記念の日 3/21春分の日 4/29昭和の日 4/30国民の休日 \
             5/1天皇の即位の日 5/2国民の休日 5/3憲法記念日 5/4みどりの日 5/5こどもの日 5/6振替休日 7/15海の日 \
             8/11山の日 8/12振替休日 9/16敬老の日 9/23秋分の日 10/14体育の日 10/22即位礼正殿の儀の行われる日 \
             11/3文化の日 11/4振替休日 11/23勤労感謝の日"
        );
        assert_eq!(
            all(2020),
            "1/1元日 1/13成人の日 2/11建国記念の日 2/23天皇誕生日 2/24振替休日 3/20春分の日 4/29昭和の日 \
             5/3憲法記念日 5/4みどりの日 5/5こどもの日 5/6振替休日 7/23海の日 7/24スポーツの日 8/10山の日 \
             9/21敬老の日 9/22秋分の日 11/3文化の日 11/23勤労感謝の日"
        );
        assert_eq!(
            all(2021),
            "1/1元日 1/11成人の日 2/11建国記念の日 2/23天皇誕生日 3/20春分の日 4/29昭和の日 5/3憲法記念日 \
             5/4みどりの日 5/5こどもの日 7/22海の日 7/23スポーツの日 8/8山の日 8/9振替休日 9/20敬老の日 \
             9/23秋分の日 11/3文化の日 11/23勤労感謝の日"
        );
        assert_eq!(
            all(2026),
            "1/1元日 1/12成人の日 2/11建国記念の日 2/23天皇誕生日 3/20春分の日 4/29昭和の日 5/3憲法記念日 \
             5/4みどりの日 5/5こどもの日 5/6振替休日 7/20海の日 8/11山の日 9/21敬老の日 9/22国民の休日 \
             9/23秋分の日 10/12スポーツの日 11/3文化の日 11/23勤労感謝の日"
        );
        for (year, spring, autumn) in
            [(2007, 21, 23), (2012, 20, 22), (2016, 20, 22), (2023, 21, 23), (2024, 20, 22), (2025, 20, 23)]
        {
            assert_eq!((equinox(year, 20_843_100), equinox(year, 23_248_800)), (spring, autumn), "{year}");
        }
    }

    #[test]
    fn every_year_keeps_the_rules_of_the_law() {
        for year in YEARS {
            for day in days(year) {
                let (weekday, own) = (day.weekday(), own(day));
                match name(day) {
                    Some(SUBSTITUTE) => {
                        assert!(weekday != Weekday::Sunday && own.is_none(), "{day}");
                        // At most Sunday to Wednesday: 3 to 5 May.
                        let sunday =
                            (1..=3).find(|back| day.plus_days(-back).unwrap().weekday() == Weekday::Sunday);
                        let run = (1..=sunday.unwrap())
                            .all(|back| super::own(day.plus_days(-back).unwrap()).is_some());
                        assert!(run, "{day}");
                    }
                    Some(BETWEEN) => {
                        assert!(own.is_none(), "{day}");
                        assert!(name(day.plus_days(-1).unwrap()).is_some(), "{day}");
                        assert!(name(day.plus_days(1).unwrap()).is_some(), "{day}");
                    }
                    told => assert_eq!(told, own, "{day}"),
                }
                if own.is_some() && weekday == Weekday::Sunday {
                    let later = (1..=3).filter_map(|later| name(day.plus_days(later).unwrap()));
                    assert!(later.into_iter().any(|name| name == SUBSTITUTE), "{day} is made up for");
                }
            }
            // 2019 had no emperor's birthday, and two days for the enthronement.
            let named = days(year).filter(|day| own(*day).is_some()).count();
            assert_eq!(named, if year < 2016 { 15 } else { 16 } + usize::from(year == 2019), "{year}");
        }
        assert_eq!(name(day("2006-01-01")), None);
        assert_eq!(name(day("2100-01-01")), None);
        assert_eq!(name(day("9999-12-31")), None);
    }
}
