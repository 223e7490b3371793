//! Values of iCalendar properties: dates, times, durations and rules (RFC 5545 section 3.3).
//!
//! Must not know what a property is for.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::line::ContentLine;
use crate::date::{CalendarDate, digits};

/// A DATE or DATE-TIME as it is written (sections 3.3.4 and 3.3.5).
pub(super) struct Written {
    day: CalendarDate,
    /// Hour, minute and second.
    clock: Option<(u8, u8, u8)>,
    utc: bool,
}

/// A point of time in Japan, or a whole day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    /// The day in Japan.
    pub(crate) day: CalendarDate,
    /// The minute of the day; `None` where only the day is written.
    pub(crate) minute: Option<u16>,
}

impl Written {
    /// `20260422`, `20260422T090000`, `20260422T000000Z`.
    pub(super) fn read(value: &str) -> Option<Self> {
        let (date, time) = match value.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (value, None),
        };
        let number = |bytes: &[u8]| digits(bytes).ok();
        let [y1, y2, y3, y4, m1, m2, d1, d2] = *date.as_bytes() else { return None };
        let (year, month) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?);
        let day = CalendarDate::from_numbers(year, month, number(&[d1, d2])?).ok()?;
        let Some(time) = time else { return Some(Self { day, clock: None, utc: false }) };
        let (clock, utc) = time.strip_suffix('Z').map_or((time, false), |clock| (clock, true));
        let [h1, h2, m1, m2, s1, s2] = *clock.as_bytes() else { return None };
        let pair = |bytes: [u8; 2]| u8::try_from(number(&bytes)?).ok();
        let (hour, minute, second) = (pair([h1, h2])?, pair([m1, m2])?, pair([s1, s2])?);
        let sound = hour <= 23 && minute <= 59 && second <= 60;
        sound.then_some(Self { day, clock: Some((hour, minute, second)), utc })
    }

    /// Moved to Japan. Without a zone, or with one nobody knows, it is the time of whoever wrote it, who is in Japan.
    pub(super) fn in_japan(&self, zone: Option<&str>) -> Option<At> {
        let minute = self.clock.map(|(hour, minute, _)| u16::from(hour) * 60 + u16::from(minute));
        let local = At { day: self.day, minute };
        if minute.is_none() {
            return Some(local);
        }
        let zone =
            if self.utc { Some(TimeZone::UTC) } else { zone.and_then(|zone| TimeZone::get(zone).ok()) };
        match zone {
            Some(zone) => {
                let time = zone.to_timestamp(date_time(local)?).ok()?;
                At::of(JAPAN.to_datetime(time), true)
            }
            None => Some(local),
        }
    }
}

/// Nine hours ahead, all year.
const JAPAN: Offset = jiff::tz::offset(9);

impl At {
    /// The time of a civil date, or its day only.
    pub(super) fn of(civil: DateTime, timed: bool) -> Option<Self> {
        let day = CalendarDate::new(civil.year(), civil.month(), civil.day()).ok()?;
        let minute = u16::try_from(i32::from(civil.hour()) * 60 + i32::from(civil.minute())).ok()?;
        Some(Self { day, minute: timed.then_some(minute) })
    }
}

/// The civil time; of a whole day, its midnight.
pub(super) fn date_time(at: At) -> Option<DateTime> {
    let minute = at.minute.unwrap_or(0);
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    DateTime::new(at.day.year(), at.day.month(), at.day.day(), hour, minute, 0, 0).ok()
}

/// A DATE or DATE-TIME of a property.
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
        let written = Written::read(value)?;
        let declared = line.parameter("VALUE").map(str::to_ascii_uppercase);
        let agrees = match declared.as_deref() {
            Some("DATE") => written.clock.is_none(),
            None | Some("DATE-TIME") => written.clock.is_some(),
            Some(_) => false,
        };
        if !agrees {
            return None;
        }
        let at = written.in_japan(None)?;
        let zone = match written.clock {
            Some(_) if written.utc => "Z",
            Some(_) => line.parameter("TZID").unwrap_or_default(),
            None => "",
        };
        Some(Self {
            day: at.day,
            timed: written.clock.is_some(),
            at_midnight: at.minute.unwrap_or(0) == 0
                && written.clock.is_none_or(|(_, _, second)| second == 0),
            zone: zone.to_owned(),
            order: value.to_owned(),
        })
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
