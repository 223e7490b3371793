//! Days as a guardian reads them.

use hibiki_records::date::CalendarDate;

use crate::web::Lang;

impl Lang {
    /// Day and weekday: `2026年12月7日（月）`, `Mon 2026-12-07`.
    pub(super) fn day(self, day: CalendarDate) -> String {
        let weekday = day.weekday().label();
        match self {
            Self::Ja => format!("{}年{}月{}日（{}）", day.year(), day.month(), day.day(), weekday.ja),
            Self::En => format!("{} {day}", weekday.en),
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
