//! On which days there is school, and on which of them lunch.
//!
//! Without exceptions there is both from Monday to Friday on days that are no holiday. Everything else – term breaks,
//! class trips, half days, a lesson on a Saturday, a kitchen that is being repaired – is an exception that somebody
//! entered. Must not know menus, nor what day it is.

use serde::{Deserialize, Serialize};

use crate::date::{CalendarDate, holiday};

/// How far [`SchoolCalendar::next_lunch`] and [`SchoolCalendar::previous_lunch`] look, in days: longer than any break,
/// short enough that a calendar closed by mistake is found out.
pub const SEARCH_DAYS: i32 = 120;

/// What is different from an ordinary week at one school.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolCalendar {
    /// In the order in which they were entered.
    pub exceptions: Vec<DayException>,
}

/// Days on which something is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayException {
    /// The first day.
    pub from: CalendarDate,
    /// The last day, included.
    pub to: CalendarDate,
    /// For whom.
    pub whom: Whom,
    /// What.
    pub kind: Kind,
    /// Why, for people: `夏季休業日`, `自然学校`.
    pub reason: String,
}

/// For whom an exception is, the more specific ones later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// The whole school.
    Everybody,
    /// All who eat from this kitchen.
    Kitchen(String),
    /// This class.
    Class(String),
}

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No school.
    Closed,
    /// School without lunch: a half day, a trip.
    NoLunch,
    /// School with lunch, on a day that is otherwise off.
    Lunch,
}

/// What a day is, and where there is no lunch, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// School with lunch.
    Lunch,
    /// School without lunch.
    NoLunch(&'a str),
    /// No school.
    Closed(&'a str),
}

impl DayKind<'_> {
    /// Whether there is lunch.
    pub fn is_lunch(self) -> bool {
        self == DayKind::Lunch
    }
}

impl DayException {
    /// Whether it is for this day, this kitchen and this class.
    fn covers(&self, day: CalendarDate, kitchen: Option<&str>, class: Option<&str>) -> bool {
        let for_them = match &self.whom {
            Whom::Everybody => true,
            Whom::Kitchen(name) => kitchen == Some(name),
            Whom::Class(name) => class == Some(name),
        };
        for_them && (self.from..=self.to).contains(&day)
    }

    const fn rank(&self) -> u8 {
        match self.whom {
            Whom::Everybody => 0,
            Whom::Kitchen(_) => 1,
            Whom::Class(_) => 2,
        }
    }

    const fn tell(&self) -> DayKind<'_> {
        match self.kind {
            Kind::Closed => DayKind::Closed(self.reason.as_str()),
            Kind::NoLunch => DayKind::NoLunch(self.reason.as_str()),
            Kind::Lunch => DayKind::Lunch,
        }
    }
}

impl SchoolCalendar {
    /// What `day` is for a class that eats from a kitchen; `None` for a class or kitchen that is not named. The most
    /// specific exception counts, of several equally specific ones the last.
    pub fn on(&self, day: CalendarDate, kitchen: Option<&str>, class: Option<&str>) -> DayKind<'_> {
        let covering = self.exceptions.iter().filter(|it| it.covers(day, kitchen, class));
        covering.max_by_key(|it| it.rank()).map_or_else(|| ordinary(day), DayException::tell)
    }

    /// The first day after `after` with lunch; `None` when there is none within [`SEARCH_DAYS`] days.
    pub fn next_lunch(
        &self,
        after: CalendarDate,
        kitchen: Option<&str>,
        class: Option<&str>,
    ) -> Option<CalendarDate> {
        (1..=SEARCH_DAYS)
            .filter_map(|days| after.plus_days(days))
            .find(|day| self.on(*day, kitchen, class).is_lunch())
    }

    /// The last day before `before` with lunch; `None` when there was none within [`SEARCH_DAYS`] days.
    pub fn previous_lunch(
        &self,
        before: CalendarDate,
        kitchen: Option<&str>,
        class: Option<&str>,
    ) -> Option<CalendarDate> {
        (1..=SEARCH_DAYS)
            .filter_map(|days| before.plus_days(-days))
            .find(|day| self.on(*day, kitchen, class).is_lunch())
    }
}

/// A day without exceptions.
fn ordinary(day: CalendarDate) -> DayKind<'static> {
    use crate::date::Weekday::{Saturday, Sunday};
    if let Some(name) = holiday::name(day) {
        return DayKind::Closed(name);
    }
    match day.weekday() {
        Saturday => DayKind::Closed("土曜日"),
        Sunday => DayKind::Closed("日曜日"),
        _ => DayKind::Lunch,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn exception(from: &str, to: &str, whom: Whom, kind: Kind, reason: &str) -> DayException {
        DayException { from: day(from), to: day(to), whom, kind, reason: reason.to_owned() }
    }

    /// A school year's beginning, with what schools enter.
    fn calendar() -> SchoolCalendar {
        let class = |name: &str| Whom::Class(name.to_owned());
        let kitchen = |name: &str| Whom::Kitchen(name.to_owned());
        SchoolCalendar {
            exceptions: vec![
                exception("2026-12-25", "2027-01-07", Whom::Everybody, Kind::Closed, "冬季休業日"),
                exception("2026-06-01", "2026-06-05", class("5-1"), Kind::NoLunch, "自然学校"),
                exception("2026-06-13", "2026-06-13", Whom::Everybody, Kind::Lunch, "土曜参観"),
                exception("2026-06-15", "2026-06-15", Whom::Everybody, Kind::Closed, "振替休業日"),
                exception("2026-06-08", "2026-06-09", kitchen("4"), Kind::NoLunch, "調理場の点検"),
                exception("2026-06-09", "2026-06-09", class("6-2"), Kind::Lunch, "弁当箱給食"),
                exception("2026-06-10", "2026-06-10", Whom::Everybody, Kind::NoLunch, "短縮授業"),
                exception("2026-06-10", "2026-06-10", Whom::Everybody, Kind::Lunch, "短縮授業は中止"),
            ],
        }
    }

    fn next(calendar: &SchoolCalendar, after: &str, kitchen: &str, class: &str) -> Option<String> {
        calendar.next_lunch(day(after), Some(kitchen), Some(class)).map(|day| day.to_string())
    }

    #[test]
    fn after_a_friday_comes_the_monday() {
        let plain = SchoolCalendar::default();
        assert_eq!(next(&plain, "2026-11-26", "1_3", "5-1").as_deref(), Some("2026-11-27"));
        assert_eq!(next(&plain, "2026-11-27", "1_3", "5-1").as_deref(), Some("2026-11-30"));
        assert_eq!(plain.previous_lunch(day("2026-11-30"), None, None), Some(day("2026-11-27")));
        assert_eq!(plain.on(day("2026-11-28"), None, None), DayKind::Closed("土曜日"));
        assert_eq!(plain.on(day("2026-11-23"), None, None), DayKind::Closed("勤労感謝の日"));
    }

    #[test]
    fn golden_week_and_the_turn_of_the_year_are_crossed() {
        let calendar = calendar();
        // 2026-05-03 is a Sunday: the 6th is off, too.
        assert_eq!(next(&calendar, "2026-04-28", "1_3", "5-1").as_deref(), Some("2026-04-30"));
        assert_eq!(next(&calendar, "2026-05-01", "1_3", "5-1").as_deref(), Some("2026-05-07"));
        assert_eq!(next(&calendar, "2026-12-24", "1_3", "5-1").as_deref(), Some("2027-01-08"));
        assert_eq!(calendar.previous_lunch(day("2027-01-08"), None, None), Some(day("2026-12-24")));
        assert_eq!(calendar.on(day("2027-01-01"), None, None), DayKind::Closed("冬季休業日"));
        assert_eq!(calendar.on(day("2027-01-09"), None, None), DayKind::Closed("土曜日"));
    }

    #[test]
    fn a_class_trip_is_of_one_class_only() {
        let calendar = calendar();
        assert_eq!(next(&calendar, "2026-05-29", "1_3", "5-1").as_deref(), Some("2026-06-08"));
        assert_eq!(next(&calendar, "2026-05-29", "1_3", "5-2").as_deref(), Some("2026-06-01"));
        assert_eq!(calendar.on(day("2026-06-03"), None, Some("5-1")), DayKind::NoLunch("自然学校"));
    }

    #[test]
    fn a_lesson_on_a_saturday_has_lunch_and_a_day_off_for_it() {
        let calendar = calendar();
        assert_eq!(next(&calendar, "2026-06-12", "1_3", "1-1").as_deref(), Some("2026-06-13"));
        assert_eq!(next(&calendar, "2026-06-13", "1_3", "1-1").as_deref(), Some("2026-06-16"));
    }

    #[test]
    fn the_most_specific_exception_counts_and_then_the_last() {
        let calendar = calendar();
        let on = |date: &str, kitchen: &str, class: &str| calendar.on(day(date), Some(kitchen), Some(class));
        assert_eq!(on("2026-06-08", "4", "6-2"), DayKind::NoLunch("調理場の点検"));
        assert_eq!(on("2026-06-08", "1_3", "6-2"), DayKind::Lunch);
        assert_eq!(on("2026-06-09", "4", "6-2"), DayKind::Lunch);
        assert_eq!(on("2026-06-09", "4", "6-1"), DayKind::NoLunch("調理場の点検"));
        assert_eq!(on("2026-06-10", "4", "6-1"), DayKind::Lunch);
        let backwards = exception("2026-06-12", "2026-06-11", Whom::Everybody, Kind::Closed, "誤り");
        let backwards = SchoolCalendar { exceptions: vec![backwards] };
        assert!(backwards.on(day("2026-06-11"), None, None).is_lunch());
    }

    #[test]
    fn the_search_ends() {
        let closed = |to: &str| SchoolCalendar {
            exceptions: vec![exception("2026-04-01", to, Whom::Everybody, Kind::Closed, "臨時休業")],
        };
        // 2026-03-31 + 120 days = 2026-07-29, a Wednesday.
        assert_eq!(next(&closed("2026-07-28"), "2026-03-31", "", "").as_deref(), Some("2026-07-29"));
        assert_eq!(next(&closed("2026-07-29"), "2026-03-31", "", ""), None);
        assert_eq!(closed("2026-07-29").previous_lunch(day("2026-07-30"), None, None), None);
        assert_eq!(SchoolCalendar::default().next_lunch(day("9999-12-31"), None, None), None);
    }

    #[test]
    fn a_calendar_is_kept_as_it_was() {
        let calendar = calendar();
        let text = serde_json::to_string(&calendar).unwrap();
        assert_eq!(serde_json::from_str::<SchoolCalendar>(&text).unwrap(), calendar);
        assert!(text.contains(r#""whom":{"class":"5-1"},"kind":"no_lunch""#), "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn next_and_previous_are_neighbours(days in 0i32..800, class in "[56]-[12]", kitchen in "4|1_3") {
            let calendar = calendar();
            let today = day("2026-04-01").plus_days(days).unwrap();
            let (kitchen, class) = (Some(kitchen.as_str()), Some(class.as_str()));
            let next = calendar.next_lunch(today, kitchen, class).unwrap();
            prop_assert!(next > today && calendar.on(next, kitchen, class).is_lunch());
            let back = calendar.previous_lunch(next, kitchen, class).unwrap();
            prop_assert!(back <= today, "no lunch day lies between");
            prop_assert_eq!(calendar.next_lunch(back, kitchen, class), Some(next));
        }
    }
}
