//! iCalendar objects (RFC 5545) as far as a school's calendar needs them: events and to-dos with their
//! texts and times.
//!
//! Content lines are unfolded and split here, parameters and escapes undone, times moved to Japan.
//! Recurrence rules are told of and not expanded. Must not know what an event is to anybody.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::date::{CalendarDate, digits};
use crate::fhir::Reason;
use crate::ingest::limits;

/// How an iCalendar object begins.
const BEGIN: &str = "BEGIN:VCALENDAR";
/// Most events and to-dos taken of one object: several school years of days.
const COMPONENTS_MAX: usize = 2_000;
/// Most properties looked at in one of them.
const PROPERTIES_MAX: usize = 200;

/// Whether content is an iCalendar object.
pub(crate) fn is_calendar(content: &[u8]) -> bool {
    let content = content.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(content);
    content.get(..BEGIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEGIN.as_bytes()))
}

/// An event or a to-do: its properties, in the order of the object.
pub(crate) struct Component {
    /// Whether it is a to-do (VTODO).
    pub(crate) to_do: bool,
    properties: Vec<Property>,
}

/// One content line.
struct Property {
    /// In capitals.
    name: String,
    /// Parameters, names in capitals.
    parameters: Vec<(String, String)>,
    value: String,
}

/// A point of time in Japan, or a whole day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    /// The day in Japan.
    pub(crate) day: CalendarDate,
    /// The minute of the day; `None` where only the day is written.
    pub(crate) minute: Option<u16>,
}

/// The events and to-dos of an object.
pub(crate) fn components(content: &[u8]) -> Result<Vec<Component>, Reason> {
    if content.len() > limits::RESOURCE_MAX_BYTES {
        return Err(Reason::ResourceTooLong);
    }
    let text = std::str::from_utf8(content).map_err(|_| Reason::NotUtf8)?;
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut found = Vec::new();
    let mut open: Option<Component> = None;
    // Alarms and the like within a component have descriptions of their own.
    let mut inner = 0usize;
    for property in unfolded.lines().filter_map(property) {
        let value = property.value.trim().to_ascii_uppercase();
        match (property.name.as_str(), open.as_mut()) {
            ("BEGIN", None) if matches!(value.as_str(), "VEVENT" | "VTODO") => {
                open = Some(Component { to_do: value == "VTODO", properties: Vec::new() });
                inner = 0;
            }
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some(_)) => {
                found.extend(open.take());
                if found.len() >= COMPONENTS_MAX {
                    break;
                }
            }
            (_, Some(component)) if inner == 0 && component.properties.len() < PROPERTIES_MAX => {
                component.properties.push(property);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// `NAME;PARAMETER=VALUE;PARAMETER="QUOTED":VALUE`.
fn property(line: &str) -> Option<Property> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    })?;
    let (head, value) = line.split_at_checked(colon.0)?;
    let mut parts = head.split(';');
    let name = parts.next()?.trim().to_ascii_uppercase();
    let parameters = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_ascii_uppercase(), value.trim_matches('"').to_owned()))
    });
    Some(Property { name, parameters: parameters.collect(), value: value.get(1..)?.to_owned() })
}

impl Component {
    fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// A text, its escapes undone; `None` when it is absent or blank.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = unescaped(&self.property(name)?.value);
        (!text.trim().is_empty()).then_some(text)
    }

    /// Whether it has such a property at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    /// A time; `None` when it is absent or cannot be read.
    pub(crate) fn time(&self, name: &str) -> Option<At> {
        let property = self.property(name)?;
        let zone = property.parameters.iter().find(|(name, _)| name == "TZID").map(|(_, zone)| zone.as_str());
        at(property.value.trim(), zone)
    }

    /// DTEND, or DTSTART and DURATION. As written: of whole days, the day after the last one.
    pub(crate) fn end(&self) -> Option<At> {
        if let Some(end) = self.time("DTEND") {
            return Some(end);
        }
        let (start, span) =
            (self.time("DTSTART")?, self.property("DURATION")?.value.trim().parse::<Span>().ok()?);
        let from = date_time(start)?;
        let to = from.checked_add(span).ok()?;
        let minute =
            start.minute.and_then(|_| u16::try_from(i32::from(to.hour()) * 60 + i32::from(to.minute())).ok());
        Some(At { day: day(to.date())?, minute })
    }
}

fn date_time(at: At) -> Option<DateTime> {
    let date = Date::new(at.day.year(), at.day.month(), at.day.day()).ok()?;
    let minute = at.minute.unwrap_or(0);
    Some(date.at(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0))
}

fn day(date: Date) -> Option<CalendarDate> {
    CalendarDate::new(date.year(), date.month(), date.day()).ok()
}

/// `20260422`, `20260422T090000`, `20260422T000000Z`. Without a zone, or with one nobody knows, it is the time
/// of the school, which is in Japan.
fn at(text: &str, zone: Option<&str>) -> Option<At> {
    let (date, clock) = match text.split_once(['T', 't']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let [y1, y2, y3, y4, m1, m2, d1, d2] = *date.as_bytes() else { return None };
    let part = |bytes: &[u8]| digits(bytes).ok();
    let written =
        CalendarDate::from_numbers(part(&[y1, y2, y3, y4])?, part(&[m1, m2])?, part(&[d1, d2])?).ok()?;
    let Some(clock) = clock else {
        return Some(At { day: written, minute: None });
    };
    let (clock, utc) = match clock.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, true),
        None => (clock, false),
    };
    let (h, m) = match *clock.as_bytes() {
        [h1, h2, m1, m2, _, _] | [h1, h2, m1, m2] => (part(&[h1, h2])?, part(&[m1, m2])?),
        _ => return None,
    };
    if h > 23 || m > 59 {
        return None;
    }
    let local = At { day: written, minute: u16::try_from(h * 60 + m).ok() };
    let zone = if utc { Some(TimeZone::UTC) } else { zone.and_then(|zone| TimeZone::get(zone).ok()) };
    match zone {
        Some(zone) => in_japan(zone.to_timestamp(date_time(local)?).ok()?),
        None => Some(local),
    }
}

fn in_japan(time: Timestamp) -> Option<At> {
    const JST_SECONDS: i64 = 9 * 3600;
    const DAY_SECONDS: i64 = 24 * 3600;
    let local = time.as_second() + JST_SECONDS;
    let days = i32::try_from(local.div_euclid(DAY_SECONDS)).ok()?;
    let minute = u16::try_from(local.rem_euclid(DAY_SECONDS) / 60).ok();
    Some(At { day: CalendarDate::new(1970, 1, 1).ok()?.plus_days(days)?, minute })
}

fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(escaped) => plain.push(escaped),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(line: &str) -> Option<(String, Option<u16>)> {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{line}\nEND:VEVENT\nEND:VCALENDAR\n");
        let at = components(text.as_bytes()).unwrap()[0].time("DTSTART")?;
        Some((at.day.to_string(), at.minute))
    }

    #[test]
    fn times_are_moved_to_japan() {
        let some = |day: &str, minute| Some((day.to_owned(), minute));
        assert_eq!(time("DTSTART;VALUE=DATE:20260422"), some("2026-04-22", None));
        assert_eq!(time("DTSTART:20260422T083000"), some("2026-04-22", Some(510)));
        assert_eq!(time("DTSTART;TZID=Asia/Tokyo:20260422T083000"), some("2026-04-22", Some(510)));
        assert_eq!(
            time("DTSTART;TZID=\"Tokyo Standard Time\":20260422T083000"),
            some("2026-04-22", Some(510))
        );
        assert_eq!(time("dtstart:20260421T233000Z"), some("2026-04-22", Some(510)));
        assert_eq!(time("DTSTART;TZID=America/New_York:20260421T193000"), some("2026-04-22", Some(510)));
        for wrong in [
            "DTSTART:",
            "DTSTART:2026-04-22",
            "DTSTART:20260431",
            "DTSTART:20260422T250000",
            "DTEND:20260422",
        ] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lines_are_unfolded_and_inner_components_are_not_the_event() {
        let text = "\u{FEFF}BEGIN:VCALENDAR\r\nSUMMARY:no\r\nBEGIN:VEVENT\r\nBEGIN:VALARM\r\nDESCRIPTION:ring\r\nEND:VALARM\r\nSUMMARY;ALTREP=\"http://x.example:80/\":遠\r\n 足\\, 山\\;\\n海\r\nDTSTART;VALUE=DATE:20260422\r\nDURATION:P2D\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nSUMMARY:雑巾\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        assert!(is_calendar(text.as_bytes()) && !is_calendar(b"{}"));
        let found = components(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text("SUMMARY").as_deref(), Some("遠足, 山;\n海"));
        assert!(!found[0].has("DESCRIPTION") && !found[0].to_do && found[1].to_do);
        assert_eq!(found[0].end().unwrap().day.to_string(), "2026-04-24");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_breaks_the_reader(text in "(BEGIN:V(EVENT|TODO|ALARM)\n|END:VEVENT\n|DTSTART[:;TZID=\\PC]{0,12}[0-9TZ]{0,16}\n|DURATION:P[0-9TWDHM]{0,9}\n|\\PC{0,20}\n){0,12}") {
            for component in components(text.as_bytes()).unwrap() {
                let _ = (component.time("DTSTART"), component.end(), component.text("SUMMARY"));
            }
        }
    }
}
