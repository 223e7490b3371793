//! On which days the school is open: not on Saturdays and Sundays, nor in the holidays of elementary
//! schools. Public holidays count as school days here.

use hibiki_records::date::CalendarDate;

/// Month and day.
type DayOfYear = (i8, i8);

/// Last day of each term and first day of the next, about as elementary schools in Gunma have them.
const HOLIDAYS: [(DayOfYear, DayOfYear, &str); 3] =
    [((3, 24), (4, 8), "春休み"), ((7, 20), (8, 27), "夏休み"), ((12, 24), (1, 8), "冬休み")];

/// Last day before, first day after, name.
pub(super) type Holidays = (CalendarDate, CalendarDate, &'static str);

/// The holidays that begin in the year before, in this year or in the next.
fn holidays(year: i16) -> impl Iterator<Item = Holidays> {
    (year - 1..=year + 1).flat_map(|year| {
        HOLIDAYS.into_iter().filter_map(move |(ends, begins, name)| {
            let ends = CalendarDate::new(year, ends.0, ends.1).ok()?;
            let turn = i16::from(begins.0 < ends.month());
            let begins = CalendarDate::new(year + turn, begins.0, begins.1).ok()?;
            Some((weekday_before(ends), weekday_after(begins), name))
        })
    })
}

fn holidays_of(day: CalendarDate) -> Option<Holidays> {
    holidays(day.year()).find(|(ends, begins, _)| (*ends < day) && (day < *begins))
}

/// The day itself, or the Monday after a weekend; of a day in the holidays one of the first after them.
pub(super) fn from(day: CalendarDate) -> CalendarDate {
    let after = holidays_of(day).and_then(|(ends, begins, _)| begins.plus_days(day.days_since(ends) % 10));
    weekday_after(after.unwrap_or(day))
}

/// The day itself, or the last school day before it.
pub(super) fn until(day: CalendarDate) -> CalendarDate {
    weekday_before(holidays_of(day).map_or(day, |(ends, ..)| ends))
}

fn weekday_after(day: CalendarDate) -> CalendarDate {
    let on = match weekday(day) {
        6 => 2,
        7 => 1,
        _ => 0,
    };
    day.plus_days(on).unwrap_or(day)
}

fn weekday_before(day: CalendarDate) -> CalendarDate {
    let back = match weekday(day) {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    day.plus_days(-back).unwrap_or(day)
}

/// 1 Monday to 7 Sunday.
fn weekday(day: CalendarDate) -> i32 {
    let thursday = CalendarDate::new(1970, 1, 1);
    thursday.map_or(1, |thursday| (day.days_since(thursday) + 3).rem_euclid(7) + 1)
}

/// The holidays that come next.
pub(super) fn next_holidays(today: CalendarDate) -> Option<Holidays> {
    holidays(today.year()).filter(|(ends, ..)| *ends > today).min_by_key(|(ends, ..)| *ends)
}

/// The day itself, or the Monday after a weekend; `None` once the holidays have begun.
pub(super) fn following_in_term(day: CalendarDate) -> Option<CalendarDate> {
    Some(weekday_after(day)).filter(|day| holidays_of(*day).is_none())
}

/// Whether the school is open.
#[cfg(test)]
pub(super) fn is_open(day: CalendarDate) -> bool {
    weekday(day) < 6 && holidays_of(day).is_none()
}
