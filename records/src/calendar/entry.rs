//! Other people's events and to-dos as facts to be shown: their texts and their times in Japan.
//!
//! More lenient than what is passed on ([`super::Foreign`]): whatever is closed is read, and what is malformed in it
//! is passed over. Recurrence rules are told of and not expanded. Must not know what an event is to anybody.

use jiff::Span;

use super::component::{self, CalendarError};
use super::line;
use super::value::{At, Written, date_time};
use crate::fhir::Reason;

/// How an object begins.
const BEGIN: &str = "BEGIN:VCALENDAR";
/// Most events and to-dos shown of one object: several school years of days.
pub(crate) const ENTRIES_MAX: usize = 2_000;
/// Most properties looked at in one of them.
const PROPERTIES_MAX: usize = 200;

/// Whether content is an iCalendar object.
pub(crate) fn is_calendar(content: &[u8]) -> bool {
    let content = content.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(content);
    content.get(..BEGIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEGIN.as_bytes()))
}

/// An event or a to-do.
pub(crate) struct Entry {
    /// Whether it is a to-do (VTODO).
    pub(crate) to_do: bool,
    /// Where it begins, counting unfolded lines from 1.
    pub(crate) line: usize,
    properties: Vec<Property>,
}

/// One property.
struct Property {
    /// In upper case.
    name: String,
    /// Its TZID.
    zone: Option<String>,
    /// Still escaped.
    value: String,
}

/// The events and to-dos of an object, in its order.
///
/// # Errors
/// It is too long or no calendar. One that breaks off gives what stands before that.
pub(crate) fn entries(content: &[u8]) -> Result<Vec<Entry>, Reason> {
    let (components, ended) = component::split(content);
    match ended {
        Err(CalendarError::TooLong) => return Err(Reason::ResourceTooLong),
        Err(CalendarError::NotACalendar) => return Err(Reason::Malformed("BEGIN")),
        Ok(()) | Err(CalendarError::Unbalanced(_) | CalendarError::TooMany) => {}
    }
    let entry = |component: &component::Component| {
        let to_do = component.is("VTODO");
        let properties = component.properties().flatten().take(PROPERTIES_MAX).map(|line| Property {
            zone: line.parameter("TZID").map(str::to_owned),
            value: line.value.to_owned(),
            name: line.name,
        });
        (to_do || component.is("VEVENT")).then(|| Entry {
            to_do,
            line: component.line,
            properties: properties.collect(),
        })
    };
    Ok(components.iter().filter_map(entry).take(ENTRIES_MAX).collect())
}

impl Entry {
    fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// A text, its escapes undone; `None` when it is absent or blank.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = line::unescape(&self.property(name)?.value);
        (!text.trim().is_empty()).then_some(text)
    }

    /// Whether it has such a property at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    /// A time; `None` when it is absent or cannot be read.
    pub(crate) fn time(&self, name: &str) -> Option<At> {
        let property = self.property(name)?;
        Written::read(property.value.trim())?.in_japan(property.zone.as_deref())
    }

    /// DTEND, or DTSTART and DURATION. As written: of whole days, the day after the last one.
    pub(crate) fn end(&self) -> Option<At> {
        if let Some(end) = self.time("DTEND") {
            return Some(end);
        }
        let (start, span) =
            (self.time("DTSTART")?, self.property("DURATION")?.value.trim().parse::<Span>().ok()?);
        At::of(date_time(start)?.checked_add(span).ok()?, start.minute.is_some())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(line: &str) -> Option<(String, Option<u16>)> {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{line}\nEND:VEVENT\nEND:VCALENDAR\n");
        let at = entries(text.as_bytes()).unwrap()[0].time("DTSTART")?;
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
        let found = entries(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text("SUMMARY").as_deref(), Some("遠足, 山;\n海"));
        assert!(!found[0].has("DESCRIPTION") && !found[0].to_do && found[1].to_do);
        assert_eq!(found[0].end().unwrap().day.to_string(), "2026-04-24");
        // One that breaks off still gives what it has.
        let cut = text.split("BEGIN:VTODO").next().unwrap();
        assert_eq!(entries(cut.as_bytes()).unwrap().len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_breaks_the_reader(text in "(BEGIN:V(EVENT|TODO|ALARM)\n|END:VEVENT\n|DTSTART[:;TZID=\\PC]{0,12}[0-9TZ]{0,16}\n|DURATION:P[0-9TWDHM]{0,9}\n|\\PC{0,20}\n){0,12}") {
            let text = format!("BEGIN:VCALENDAR\n{text}");
            for entry in entries(text.as_bytes()).unwrap() {
                let _ = (entry.time("DTSTART"), entry.end(), entry.text("SUMMARY"));
            }
        }
    }
}
