//! Days as a guardian reads them.

use hibiki_records::date::CalendarDate;

use crate::web::Lang;

const WEEKDAYS: [(&str, &str); 7] =
    [("月", "Mon"), ("火", "Tue"), ("水", "Wed"), ("木", "Thu"), ("金", "Fri"), ("土", "Sat"), ("日", "Sun")];

impl Lang {
    /// Day and weekday: `2026年12月7日（月）`, `Mon 2026-12-07`.
    pub(super) fn day(self, day: CalendarDate) -> String {
        let weekday = CalendarDate::new(1970, 1, 5).map(|monday| day.days_since(monday).rem_euclid(7));
        let weekday = weekday.ok().and_then(|number| WEEKDAYS.get(usize::try_from(number).ok()?));
        let (ja, en) = weekday.copied().unwrap_or_default();
        match self {
            Self::Ja => format!("{}年{}月{}日（{ja}）", day.year(), day.month(), day.day()),
            Self::En => format!("{en} {day}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        for (day, ja, en) in [
            ("2026-11-26", "2026年11月26日（木）", "Thu 2026-11-26"),
            ("1962-04-02", "1962年4月2日（月）", "Mon 1962-04-02"),
            ("2024-02-29", "2024年2月29日（木）", "Thu 2024-02-29"),
        ] {
            let day = day.parse().unwrap();
            assert_eq!((Lang::Ja.day(day).as_str(), Lang::En.day(day).as_str()), (ja, en));
        }
    }
}
