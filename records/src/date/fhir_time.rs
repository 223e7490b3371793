//! FHIR `date`, `dateTime` and `instant` to the Japanese calendar day, once.
//!
//! FHIR R4 datatypes (<http://hl7.org/fhir/R4/datatypes.html#dateTime>). The rules:
//!
//! - A time with an offset is moved to Japanese standard time (+09:00, no summer time since 1951) and the
//!   day is taken there: `2019-10-23T23:59:46+00:00` is 24 October 2019.
//! - A bare date is that day. It has no zone and is not moved.
//! - A partial date stands for its first day (`2019-10` is 1 October 2019, `2019` is 1 January), and its
//!   [`Precision`] is kept, so that whoever relies on the exact day can refuse it. A record is filed under
//!   the first day; a birth date must be exact.
//! - A time without an offset, which FHIR forbids and Japanese systems write, is Japanese time.
//! - A leap second (`:60`) belongs to its minute. Seconds never change the day otherwise.
//!
//! Must not know which element the time came from.

use super::{CalendarDate, DateError, digits};

/// Japanese standard time, minutes east of UTC.
const JST_MINUTES: i32 = 9 * 60;
const DAY_MINUTES: i32 = 24 * 60;

/// How much of the day was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// Only the year.
    Year,
    /// Year and month.
    Month,
    /// The day, with or without a time.
    Day,
}

/// A FHIR time as a Japanese day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FhirTime {
    /// The day; the first day of a partial date.
    pub day: CalendarDate,
    /// What was really written.
    pub precision: Precision,
    /// The instant in milliseconds since 1970-01-01T00:00:00Z, when a time and an offset were written
    /// and it is not before 1970.
    pub unix_ms: Option<u64>,
    /// Minute of that day in Japan, 0 to 1439, when a time was written.
    pub minute: Option<u16>,
}

impl FhirTime {
    /// A day written as such.
    pub const fn of_day(day: CalendarDate) -> Self {
        Self { day, precision: Precision::Day, unix_ms: None, minute: None }
    }

    /// Reads any FHIR R4 `date`, `dateTime` or `instant`.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let written = |day, precision| Ok(Self { day, precision, unix_ms: None, minute: None });
        match (date.len(), time) {
            (4, None) => written(first_day(date, "-01-01")?, Precision::Year),
            (7, None) => written(first_day(date, "-01")?, Precision::Month),
            (10, None) => written(date.parse()?, Precision::Day),
            (10, Some(time)) => at(date.parse()?, Clock::parse(time)?),
            _ => Err(DateError::Form),
        }
    }
}

fn first_day(text: &str, rest: &str) -> Result<CalendarDate, DateError> {
    if !text.is_ascii() {
        return Err(DateError::Form);
    }
    format!("{text}{rest}").parse()
}

fn at(date: CalendarDate, clock: Clock) -> Result<FhirTime, DateError> {
    let Some(offset) = clock.offset_minutes else {
        let minute = u16::try_from(clock.minute_of_day).ok();
        return Ok(FhirTime { minute, ..FhirTime::of_day(date) });
    };
    let japanese = clock.minute_of_day - offset + JST_MINUTES;
    let day = date.plus_days(japanese.div_euclid(DAY_MINUTES)).ok_or(DateError::NoSuchDay)?;
    let minutes =
        i64::from(days_since_epoch(date)?) * i64::from(DAY_MINUTES) + i64::from(clock.minute_of_day - offset);
    let unix_ms = minutes * 60_000 + i64::from(clock.millisecond_of_minute);
    let minute = u16::try_from(japanese.rem_euclid(DAY_MINUTES)).ok();
    Ok(FhirTime { day, precision: Precision::Day, unix_ms: u64::try_from(unix_ms).ok(), minute })
}

fn days_since_epoch(date: CalendarDate) -> Result<i32, DateError> {
    Ok(date.days_since(CalendarDate::new(1970, 1, 1)?))
}

/// The part after the `T`.
struct Clock {
    minute_of_day: i32,
    millisecond_of_minute: u32,
    offset_minutes: Option<i32>,
}

impl Clock {
    fn parse(text: &str) -> Result<Self, DateError> {
        let zone = text.find(['Z', '+', '-']).unwrap_or(text.len());
        let (clock, zone) = text.split_at_checked(zone).ok_or(DateError::Form)?;
        let (seconds, fraction) = match clock.split_once('.') {
            Some((seconds, fraction)) => (seconds, Some(fraction)),
            None => (clock, None),
        };
        let (hour, minute, second) = match *seconds.as_bytes() {
            [h1, h2, b':', m1, m2, b':', s1, s2] => {
                (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?)
            }
            // FHIR requires seconds; minutes alone leave no doubt about the day.
            [h1, h2, b':', m1, m2] if fraction.is_none() => (digits(&[h1, h2])?, digits(&[m1, m2])?, 0),
            _ => return Err(DateError::Form),
        };
        if hour > 23 || minute > 59 || second > 60 {
            return Err(DateError::NoSuchDay);
        }
        let millisecond = fraction.map_or(Ok(0), milliseconds)?;
        Ok(Self {
            minute_of_day: i32::try_from(hour * 60 + minute).map_err(|_| DateError::Form)?,
            millisecond_of_minute: second.min(59) * 1000 + millisecond,
            offset_minutes: offset(zone)?,
        })
    }
}

fn milliseconds(fraction: &str) -> Result<u32, DateError> {
    let bytes = fraction.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(DateError::Form);
    }
    let digit = |place: usize| bytes.get(place).map_or(0, |b| u32::from(b - b'0'));
    Ok(digit(0) * 100 + digit(1) * 10 + digit(2))
}

fn offset(zone: &str) -> Result<Option<i32>, DateError> {
    match *zone.as_bytes() {
        [] => Ok(None),
        [b'Z'] => Ok(Some(0)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
            if hours > 14 || minutes > 59 {
                return Err(DateError::NoSuchDay);
            }
            let minutes = i32::try_from(hours * 60 + minutes).map_err(|_| DateError::Form)?;
            Ok(Some(if sign == b'-' { -minutes } else { minutes }))
        }
        _ => Err(DateError::Form),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::any_day;
    use super::*;

    fn read(text: &str) -> (String, Precision) {
        let time = FhirTime::parse(text).unwrap();
        (time.day.to_string(), time.precision)
    }

    #[test]
    fn a_time_is_moved_to_japan_once() {
        assert_eq!(read("2019-10-23T23:59:46+00:00").0, "2019-10-24");
        assert_eq!(read("2019-10-23T14:59:59Z").0, "2019-10-23");
        assert_eq!(read("2019-10-23T15:00:00Z").0, "2019-10-24");
        assert_eq!(read("2019-10-23T11:00:00-04:00").0, "2019-10-24");
        assert_eq!(read("2019-10-24T00:30:00+09:00").0, "2019-10-24");
        assert_eq!(read("2019-10-24T00:30:00+14:00").0, "2019-10-23");
        assert_eq!(read("2019-12-31T15:00:00.000Z").0, "2020-01-01");
        assert_eq!(read("2016-12-31T23:59:60Z").0, "2017-01-01");
        assert_eq!(read("2024-02-28T15:00Z").0, "2024-02-29");
    }

    #[test]
    fn what_has_no_zone_stays_and_what_is_partial_says_so() {
        assert_eq!(read("2019-10-23"), ("2019-10-23".into(), Precision::Day));
        assert_eq!(read("2019-10-23T23:59:46"), ("2019-10-23".into(), Precision::Day));
        assert_eq!(read("2019-10"), ("2019-10-01".into(), Precision::Month));
        assert_eq!(read("2019"), ("2019-01-01".into(), Precision::Year));
        assert_eq!(FhirTime::parse("2019-10-23T23:59:46").unwrap().unix_ms, None);
    }

    #[test]
    fn instants_are_milliseconds_since_1970() {
        let ms = |text| FhirTime::parse(text).unwrap().unix_ms;
        assert_eq!(ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(ms("1970-01-01T09:00:00.125+09:00"), Some(125));
        assert_eq!(ms("2019-10-23T23:59:46.9999+00:00"), Some(1_571_875_186_999));
        assert_eq!(ms("1969-12-31T23:59:59Z"), None);
    }

    #[test]
    fn the_minute_is_that_of_japan() {
        let minute = |text| FhirTime::parse(text).unwrap().minute;
        assert_eq!(minute("2019-10-23T23:59:46+00:00"), Some(8 * 60 + 59));
        assert_eq!(minute("2019-10-24T08:15:00+09:00"), Some(8 * 60 + 15));
        assert_eq!(minute("2019-10-24T08:15:00"), Some(8 * 60 + 15));
        assert_eq!(minute("2019-10-24"), None);
    }

    #[test]
    fn what_fhir_does_not_allow_is_refused() {
        for wrong in [
            "",
            "T",
            "2019-1",
            "2019-10-3",
            "20191023",
            "2019-10-23 10:00:00Z",
            "2019-10-23T",
            "2019-10-23T10Z",
            "2019-10-23T10:00:00.Z",
            "2019-10-23T10:00:00+9",
            "2019-10-23T10:00:00+0900",
            "2019-10T10:00:00Z",
            "令和1年",
            "２０１９",
        ] {
            assert_eq!(FhirTime::parse(wrong), Err(DateError::Form), "{wrong}");
        }
        for wrong in [
            "2019-13",
            "2019-02-30",
            "2019-10-23T24:00:00Z",
            "2019-10-23T10:60:00Z",
            "2019-10-23T10:00:00+15:00",
            "9999-12-31T23:00:00Z",
        ] {
            assert_eq!(FhirTime::parse(wrong), Err(DateError::NoSuchDay), "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_same_instant_in_any_zone_is_the_same_day(date in any_day(), minute in 0i32..1440, zone in -840i32..=840) {
            let japanese = date.plus_days((minute - zone + 540).div_euclid(1440)).unwrap();
            let sign = if zone < 0 { '-' } else { '+' };
            let text = format!(
                "{date}T{:02}:{:02}:30{sign}{:02}:{:02}", minute / 60, minute % 60, zone.abs() / 60, zone.abs() % 60
            );
            let read = FhirTime::parse(&text).unwrap();
            prop_assert_eq!(read.day, japanese);
            // Cross-checked by another implementation of the same arithmetic.
            let reference: jiff::Timestamp = text.parse().unwrap();
            prop_assert_eq!(read.unix_ms, u64::try_from(reference.as_millisecond()).ok());
            let there = jiff::tz::Offset::constant(9).to_datetime(reference).date();
            prop_assert_eq!(there.to_string(), read.day.to_string());
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[0-9TZ:.+é-]{0,30}") {
            let _ = FhirTime::parse(&text);
        }
    }
}
