//! When a lunch is told of: from the evening before until it is eaten.
//!
//! All times are those of Japan, which has known no summer time since 1951: a point of time is computed from day and
//! minute, so that neither the machine's time zone nor a clock that jumps can shift a day.

use hibiki_records::date::CalendarDate;
use hibiki_records::school_days::{DayKind, SchoolCalendar};

/// Days by which an alert may come before its lunch: over a weekend and a holiday it comes on the last school day,
/// when the school can still be asked; after a longer break on the evening before.
const NEAR_DAYS: i32 = 4;

const MINUTE_MS: u64 = 60_000;
const DAY_MINUTES: u64 = 24 * 60;
const JST_MINUTES: u64 = 9 * 60;

/// Minutes of the day, in Japan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Guardians are told from here on, the school day before.
    pub alert: u16,
    /// Staff are told of what is missing from here on, the school day before.
    pub warn: u16,
    /// The lunch: afterwards no alert helps any more.
    pub lunch: u16,
}

/// For whom a lunch is cooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table<'a> {
    /// The kitchen.
    pub kitchen: &'a str,
    /// The class.
    pub class: &'a str,
}

/// A minute of a day in Japan, in milliseconds since the Unix epoch; 0 before it.
pub fn in_japan(day: CalendarDate, minute: u16) -> u64 {
    let epoch = CalendarDate::new(1970, 1, 1).map(|epoch| day.days_since(epoch)).unwrap_or_default();
    let minutes = u64::try_from(epoch).unwrap_or_default() * DAY_MINUTES + u64::from(minute);
    minutes.saturating_sub(JST_MINUTES) * MINUTE_MS
}

/// The day on which staff and guardians are told of this lunch.
pub fn eve(calendar: &SchoolCalendar, table: Table<'_>, lunch: CalendarDate) -> CalendarDate {
    let near = |day: &CalendarDate| lunch.days_since(*day) <= NEAR_DAYS;
    calendar
        .previous_lunch(lunch, Some(table.kitchen), Some(table.class))
        .filter(near)
        .or_else(|| lunch.plus_days(-1))
        .unwrap_or(lunch)
}

/// The lunches that are told of at `now`, from `minute` of the eve on until they are eaten.
pub fn open_lunches(
    calendar: &SchoolCalendar,
    table: Table<'_>,
    now: u64,
    minute: u16,
    hours: Hours,
) -> Vec<CalendarDate> {
    let Some(today) = CalendarDate::in_japan(now) else { return Vec::new() };
    let days = (0..=NEAR_DAYS).filter_map(|ahead| today.plus_days(ahead));
    days.filter(|day| {
        calendar.on(*day, Some(table.kitchen), Some(table.class)) == DayKind::Lunch
            && now < in_japan(*day, hours.lunch)
            && now >= in_japan(eve(calendar, table, *day), minute)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use hibiki_records::school_days::{DayException, Kind, Whom};

    use super::*;

    const HOURS: Hours = Hours { alert: 18 * 60, warn: 14 * 60, lunch: 12 * 60 };
    const TABLE: Table<'static> = Table { kitchen: "1", class: "3-2" };

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn at(text: &str, hour: u16, minute: u16) -> u64 {
        in_japan(day(text), hour * 60 + minute)
    }

    fn open(calendar: &SchoolCalendar, now: u64) -> Vec<String> {
        open_lunches(calendar, TABLE, now, HOURS.alert, HOURS).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_minute_in_japan_is_nine_hours_before_utc() {
        assert_eq!(in_japan(day("1970-01-02"), 0), (24 - 9) * 3600 * 1000);
        assert_eq!(in_japan(day("2026-11-26"), 18 * 60), 1_795_683_600_000);
        assert_eq!(CalendarDate::in_japan(in_japan(day("2026-11-26"), 0)), Some(day("2026-11-26")));
        assert_eq!(CalendarDate::in_japan(in_japan(day("2026-11-26"), 0) - 1), Some(day("2026-11-25")));
    }

    #[test]
    fn a_lunch_is_told_of_from_the_evening_before_until_noon() {
        let calendar = SchoolCalendar::default();
        assert!(open(&calendar, at("2026-11-25", 17, 59)).is_empty());
        assert_eq!(open(&calendar, at("2026-11-25", 18, 0)), ["2026-11-26"]);
        assert_eq!(open(&calendar, at("2026-11-26", 11, 59)), ["2026-11-26"]);
        assert!(open(&calendar, at("2026-11-26", 12, 0)).is_empty());
    }

    #[test]
    fn friday_evening_tells_of_monday_and_so_does_the_whole_weekend() {
        let calendar = SchoolCalendar::default();
        for (date, hour) in [("2026-11-27", 18), ("2026-11-28", 3), ("2026-11-29", 23), ("2026-11-30", 11)] {
            assert_eq!(open(&calendar, at(date, hour, 0)), ["2026-11-30"], "{date} {hour}");
        }
    }

    #[test]
    fn after_a_long_break_the_evening_before_it_is() {
        let closed = DayException {
            from: day("2026-12-25"),
            to: day("2027-01-07"),
            whom: Whom::Everybody,
            kind: Kind::Closed,
            reason: "冬休み".to_owned(),
        };
        let calendar = SchoolCalendar { exceptions: vec![closed] };
        assert!(open(&calendar, at("2026-12-24", 20, 0)).is_empty());
        assert!(open(&calendar, at("2027-01-07", 17, 0)).is_empty());
        assert_eq!(open(&calendar, at("2027-01-07", 18, 0)), ["2027-01-08"]);
    }

    #[test]
    fn a_class_on_a_trip_eats_nothing_and_is_told_of_the_day_after() {
        let trip = DayException {
            from: day("2026-11-26"),
            to: day("2026-11-26"),
            whom: Whom::Class("3-2".to_owned()),
            kind: Kind::NoLunch,
            reason: "遠足".to_owned(),
        };
        let calendar = SchoolCalendar { exceptions: vec![trip] };
        assert_eq!(open(&calendar, at("2026-11-25", 18, 0)), ["2026-11-27"]);
        let other = Table { class: "3-1", ..TABLE };
        assert_eq!(
            open_lunches(&calendar, other, at("2026-11-25", 18, 0), HOURS.alert, HOURS),
            [day("2026-11-26")]
        );
    }
}
