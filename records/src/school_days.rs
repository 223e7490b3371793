//! On which days a school has lunch: Monday to Friday that are no holidays, and what the school says otherwise.

use serde::{Deserialize, Serialize};

use crate::date::{CalendarDate, holiday};

/// How far the next or the last lunch is looked for, in days: beyond the longest summer.
const SEARCH_DAYS: i32 = 120;

/// What the school says otherwise, in the order it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolCalendar {
    /// The exceptions; of several equally specific ones for a day, the last counts.
    pub exceptions: Vec<DayException>,
}

/// Days that are not as the calendar has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayException {
    /// First day.
    pub from: CalendarDate,
    /// Last day.
    pub to: CalendarDate,
    /// For whom.
    pub whom: Whom,
    /// What they are.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
}

/// For whom an exception is, from the least specific on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// For everybody.
    Everybody,
    /// For the classes this kitchen cooks for.
    Kitchen(String),
    /// For one class.
    Class(String),
}

/// What a day is made to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No school.
    Closed,
    /// School without lunch: a half day, an excursion.
    NoLunch,
    /// School with lunch.
    Lunch,
}

/// What a day is for one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// School with lunch.
    Lunch,
    /// School without lunch, and why.
    NoLunch(&'a str),
    /// No school, and why.
    Closed(&'a str),
}

impl DayException {
    fn covers(&self, day: CalendarDate, kitchen: &str, class: &str) -> bool {
        let for_us = match &self.whom {
            Whom::Everybody => true,
            Whom::Kitchen(name) => name == kitchen,
            Whom::Class(name) => name == class,
        };
        for_us && self.from <= day && day <= self.to
    }

    /// How specific it is.
    const fn rank(&self) -> u8 {
        match self.whom {
            Whom::Everybody => 0,
            Whom::Kitchen(_) => 1,
            Whom::Class(_) => 2,
        }
    }
}

impl SchoolCalendar {
    /// What a day is for a class and the kitchen that cooks for it.
    pub fn on(&self, day: CalendarDate, kitchen: &str, class: &str) -> DayKind<'_> {
        let mut told: Option<&DayException> = None;
        for exception in self.exceptions.iter().filter(|exception| exception.covers(day, kitchen, class)) {
            if told.is_none_or(|told| exception.rank() >= told.rank()) {
                told = Some(exception);
            }
        }
        match told {
            Some(DayException { kind: Kind::Lunch, .. }) => DayKind::Lunch,
            Some(DayException { kind: Kind::NoLunch, reason, .. }) => DayKind::NoLunch(reason),
            Some(DayException { kind: Kind::Closed, reason, .. }) => DayKind::Closed(reason),
            None => match holiday::name(day) {
                Some(name) => DayKind::Closed(name),
                None if holiday::is_weekend(day) => DayKind::Closed("土日"),
                None => DayKind::Lunch,
            },
        }
    }

    /// The first day after `after` with lunch for the class.
    pub fn next_lunch(&self, after: CalendarDate, kitchen: &str, class: &str) -> Option<CalendarDate> {
        (1..=SEARCH_DAYS)
            .filter_map(|days| after.plus_days(days))
            .find(|day| self.on(*day, kitchen, class) == DayKind::Lunch)
    }

    /// The last day before `before` with lunch for the class.
    pub fn previous_lunch(&self, before: CalendarDate, kitchen: &str, class: &str) -> Option<CalendarDate> {
        (1..=SEARCH_DAYS)
            .filter_map(|days| before.plus_days(-days))
            .find(|day| self.on(*day, kitchen, class) == DayKind::Lunch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn except(from: &str, to: &str, whom: Whom, kind: Kind) -> DayException {
        DayException { from: day(from), to: day(to), whom, kind, reason: "わけ".to_owned() }
    }

    #[test]
    fn after_friday_comes_monday_and_after_a_holiday_the_day_after() {
        let calendar = SchoolCalendar::default();
        let next = |text: &str| calendar.next_lunch(day(text), "1", "3-2").unwrap().to_string();
        assert_eq!(next("2026-11-27"), "2026-11-30");
        assert_eq!(next("2026-11-20"), "2026-11-24", "Monday is 勤労感謝の日");
        assert_eq!(next("2026-05-01"), "2026-05-07", "Golden Week");
        assert_eq!(next("2026-09-18"), "2026-09-24", "with 国民の休日");
        assert_eq!(calendar.previous_lunch(day("2026-11-30"), "1", "3-2"), Some(day("2026-11-27")));
    }

    #[test]
    fn the_most_specific_exception_counts_and_of_equals_the_last() {
        let class = |name: &str| Whom::Class(name.to_owned());
        let calendar = SchoolCalendar {
            exceptions: vec![
                except("2026-12-01", "2026-12-01", class("3-2"), Kind::Lunch),
                except("2026-12-01", "2026-12-01", Whom::Kitchen("1".to_owned()), Kind::NoLunch),
                except("2026-12-01", "2026-12-01", Whom::Everybody, Kind::Closed),
                except("2026-12-05", "2026-12-05", Whom::Everybody, Kind::NoLunch),
                except("2026-12-05", "2026-12-05", Whom::Everybody, Kind::Lunch),
            ],
        };
        assert_eq!(calendar.on(day("2026-12-01"), "1", "3-2"), DayKind::Lunch);
        assert_eq!(calendar.on(day("2026-12-01"), "1", "3-1"), DayKind::NoLunch("わけ"));
        assert_eq!(calendar.on(day("2026-12-01"), "2", "3-1"), DayKind::Closed("わけ"));
        assert_eq!(calendar.on(day("2026-12-05"), "2", "3-1"), DayKind::Lunch, "a Saturday");
    }

    #[test]
    fn a_summer_is_searched_through_and_a_closed_school_is_not_for_ever() {
        let summer = except("2026-07-18", "2026-08-31", Whom::Everybody, Kind::Closed);
        let calendar = SchoolCalendar { exceptions: vec![summer] };
        assert_eq!(calendar.next_lunch(day("2026-07-17"), "1", "3-2"), Some(day("2026-09-01")));
        let shut = except("2026-01-01", "2030-01-01", Whom::Everybody, Kind::Closed);
        let calendar = SchoolCalendar { exceptions: vec![shut] };
        assert_eq!(calendar.next_lunch(day("2026-07-17"), "1", "3-2"), None);
    }
}
