//! Values of iCalendar properties: dates, times, durations and rules (RFC 5545 section 3.3).
//!
//! Must not know what a property is for.

use super::line::ContentLine;
use crate::date::CalendarDate;

/// A DATE or DATE-TIME.
pub(super) struct Moment {
    /// The day in Japan of a time in UTC, otherwise the day as written.
    pub(super) day: CalendarDate,
    pub(super) timed: bool,
    /// Midnight in Japan of a time in UTC, otherwise midnight as written.
    pub(super) at_midnight: bool,
    /// `Z`, a TZID, or nothing.
    pub(super) zone: String,
    /// Orders moments of the same zone.
    pub(super) order: String,
}

impl Moment {
    pub(super) fn read(line: &ContentLine<'_>) -> Option<Self> {
        let value = line.value.trim();
        let (date, time) = match value.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (value, None),
        };
        let declared = line.parameter("VALUE").map(str::to_ascii_uppercase);
        let agrees = match declared.as_deref() {
            Some("DATE") => time.is_none(),
            None | Some("DATE-TIME") => time.is_some(),
            Some(_) => false,
        };
        if !agrees || date.len() != 8 {
            return None;
        }
        let number = |text: &str| crate::date::digits(text.as_bytes()).ok();
        let day = CalendarDate::from_numbers(
            number(date.get(..4)?)?,
            number(date.get(4..6)?)?,
            number(date.get(6..)?)?,
        );
        let day = day.ok()?;
        let Some(time) = time else {
            let (zone, order) = (String::new(), date.to_owned());
            return Some(Self { day, timed: false, at_midnight: true, zone, order });
        };
        let (clock, utc) = time.strip_suffix('Z').map_or((time, false), |clock| (clock, true));
        if clock.len() != 6 {
            return None;
        }
        let (hour, minute, second) =
            (number(clock.get(..2)?)?, number(clock.get(2..4)?)?, number(clock.get(4..)?)?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        // Nine hours on, it is the next day in Japan.
        let day = if utc && hour >= 15 { day.plus_days(1)? } else { day };
        let midnight = if utc { hour == 15 } else { hour == 0 };
        let at_midnight = midnight && minute == 0 && second == 0;
        let zone = if utc { "Z" } else { line.parameter("TZID").unwrap_or_default() }.to_owned();
        Some(Self { day, timed: true, at_midnight, zone, order: format!("{date}{clock}") })
    }
}

/// A time in UTC.
pub(super) fn is_utc(value: &str) -> bool {
    let line = ContentLine { name: "DTSTAMP".into(), parameters: Vec::new(), value };
    value.ends_with('Z') && Moment::read(&line).is_some()
}

/// A list of dates, times or periods, by their characters.
pub(super) fn are_moments(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || b"TZP,/DHMSW".contains(&byte))
}

/// A duration forward, by its characters.
pub(super) fn is_duration(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('+').unwrap_or(value).strip_prefix('P') else { return false };
    let digits = rest.bytes().any(|byte| byte.is_ascii_digit());
    digits && rest.bytes().all(|byte| byte.is_ascii_digit() || b"WDTHMS".contains(&byte))
}

/// A rule that repeats daily or more seldom: a calendar client unrolls what it is given.
pub(super) fn is_rule(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=;,+-".contains(&byte);
    let frequency = value.split(';').find_map(|part| part.strip_prefix("FREQ="));
    value.bytes().all(plain) && matches!(frequency, Some("DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY"))
}
