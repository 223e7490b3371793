//! Reading other people's calendars, within bounds.
//!
//! A record of a school event may be a whole iCalendar object. What is kept of it is what a guardian's own calendar
//! needs: every well-formed VEVENT with the properties of [`KEPT`], and the VTIMEZONEs they refer to. Left behind are
//! alarms (they could send mail or play sounds), attendees and organisers (clients answer them), attachments,
//! pictures and alternative texts (clients fetch them), everything experimental, and repetition more often than
//! daily. A malformed event is refused by itself, with its place and reason; its neighbours stay. Must not know
//! who sent it.

use std::collections::BTreeMap;
use std::fmt;

use super::component::{self, CalendarError, Component};
use super::line::{self, ContentLine};
use super::value::{Moment, are_moments, is_duration, is_rule, is_utc};
use crate::date::CalendarDate;

/// Longest UID, in octets.
const UID_MAX_OCTETS: usize = 255;

/// Properties that are kept, at most once unless said otherwise by RFC 5545.
pub const KEPT: [&str; 20] = [
    "UID",
    "DTSTAMP",
    "DTSTART",
    "DTEND",
    "DURATION",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "CATEGORIES",
    "STATUS",
    "TRANSP",
    "CLASS",
    "SEQUENCE",
    "CREATED",
    "LAST-MODIFIED",
    "RRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "URL",
];

/// Why one event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventProblem {
    /// A line is no content line, not UTF-8 or too long.
    #[error("a line is malformed")]
    Line,
    /// A required property is missing, or one that may stand once stands twice.
    #[error("{0} is missing or doubled")]
    Once(&'static str),
    /// A property's value is not of its type.
    #[error("{0} is malformed")]
    Value(&'static str),
    /// The event ends before it begins.
    #[error("it ends before it begins")]
    EndsBefore,
    /// It refers to a time zone that the calendar does not define.
    #[error("its time zone is not defined in the calendar")]
    TimeZone,
}

/// An event that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Line on which the event begins, counting unfolded lines from 1.
    pub line: usize,
    /// Why.
    pub problem: EventProblem,
}

/// What was taken from a calendar.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    /// Events, in the order of the file.
    pub events: Vec<ForeignEvent>,
    /// Events that were not taken.
    pub refused: Vec<Refused>,
    /// Definitions of the time zones that the events refer to, by TZID.
    pub(super) zones: BTreeMap<String, Vec<String>>,
}

/// A well-formed event of somebody else. It may be personal data: `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignEvent {
    /// Its UID.
    pub uid: String,
    /// Title, unescaped; empty where there is none.
    pub summary: String,
    /// First day; of a time in UTC the day in Japan, otherwise the day as written.
    pub first: CalendarDate,
    /// Last day, included; of an event that repeats, that of the first time.
    pub last: CalendarDate,
    /// The beginning has a time of day.
    pub timed: bool,
    pub(super) recurrence_id: Option<String>,
    pub(super) sequence: u64,
    pub(super) stamped: bool,
    /// Kept lines, unfolded, without the UID.
    pub(super) lines: Vec<String>,
}

impl fmt::Debug for ForeignEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignEvent(***)")
    }
}

impl Foreign {
    /// Reads an iCalendar object, or several behind each other.
    ///
    /// # Errors
    /// It is no calendar, too large, or its components do not close. A malformed event is no error: see
    /// [`Self::refused`].
    pub fn read(content: &[u8]) -> Result<Self, CalendarError> {
        let (components, ended) = component::split(content);
        ended?;
        let mut zones: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in components.iter().filter(|component| component.is("VTIMEZONE")) {
            if let Some((id, lines)) = zone.time_zone() {
                zones.entry(id).or_insert(lines);
            }
        }
        let mut foreign = Self::default();
        for component in components.iter().filter(|component| component.is("VEVENT")) {
            match component.event(&zones) {
                Ok((event, used)) => {
                    for id in used {
                        if let Some(lines) = zones.get(&id) {
                            foreign.zones.entry(id).or_insert_with(|| lines.clone());
                        }
                    }
                    foreign.events.push(event);
                }
                Err(problem) => foreign.refused.push(Refused { line: component.line, problem }),
            }
        }
        Ok(foreign)
    }
}

impl Component {
    /// TZID and lines of a VTIMEZONE, if all of them are sound.
    fn time_zone(&self) -> Option<(String, Vec<String>)> {
        const PROPERTIES: [&str; 9] =
            ["BEGIN", "END", "TZID", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE", "TZNAME"];
        let mut id = None;
        let mut lines = Vec::new();
        for line in &self.lines {
            let text = line.as_deref()?;
            let line = ContentLine::parse(text)?;
            let sound = match line.name.as_str() {
                "BEGIN" | "END" => matches!(line.value, "STANDARD" | "DAYLIGHT"),
                "DTSTART" => Moment::read(&line).is_some(),
                "RRULE" => is_rule(line.value),
                "RDATE" => are_moments(line.value),
                "TZOFFSETFROM" | "TZOFFSETTO" => {
                    line.value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-'))
                }
                _ => true,
            };
            if !sound {
                return None;
            }
            if PROPERTIES.contains(&line.name.as_str()) {
                if line.name == "TZID" {
                    id = Some(line.value.to_owned());
                }
                lines.push(format!("{}:{}", line.name, line.value));
            }
        }
        let observed = lines.iter().any(|line| line.starts_with("TZOFFSETTO:"));
        id.filter(|id| !id.is_empty() && observed).map(|id| (id, lines))
    }

    /// The event, and the time zones it refers to.
    fn event(
        &self,
        zones: &BTreeMap<String, Vec<String>>,
    ) -> Result<(ForeignEvent, Vec<String>), EventProblem> {
        let mut own = Vec::new();
        for line in self.properties() {
            let line = line.ok_or(EventProblem::Line)?;
            if KEPT.contains(&line.name.as_str()) {
                own.push(line);
            }
        }
        let used: Vec<String> =
            own.iter().filter_map(|line| line.parameter("TZID")).map(str::to_owned).collect();
        if used.iter().any(|id| !zones.contains_key(id)) {
            return Err(EventProblem::TimeZone);
        }
        Properties(own).event().map(|event| (event, used))
    }
}

/// The kept properties of one event.
struct Properties<'a>(Vec<ContentLine<'a>>);

impl<'a> Properties<'a> {
    fn event(&self) -> Result<ForeignEvent, EventProblem> {
        let uid = self.one("UID")?.ok_or(EventProblem::Once("UID"))?.value.trim();
        if uid.is_empty() || uid.len() > UID_MAX_OCTETS {
            return Err(EventProblem::Value("UID"));
        }
        let start = self.one("DTSTART")?.ok_or(EventProblem::Once("DTSTART"))?;
        let start = Moment::read(start).ok_or(EventProblem::Value("DTSTART"))?;
        let end = self.one("DTEND")?;
        let end = end.map(|end| Moment::read(end).ok_or(EventProblem::Value("DTEND"))).transpose()?;
        let duration = self.one("DURATION")?;
        if duration.is_some_and(|line| end.is_some() || !is_duration(line.value)) {
            return Err(EventProblem::Value("DURATION"));
        }
        if end.as_ref().is_some_and(|end| end.timed != start.timed) {
            return Err(EventProblem::Value("DTEND"));
        }
        let last = match &end {
            Some(end) if end.zone == start.zone && end.order < start.order => {
                return Err(EventProblem::EndsBefore);
            }
            // The end is the first moment that no longer belongs to it.
            Some(end) if end.at_midnight && end.day > start.day => end.day.plus_days(-1),
            Some(end) => Some(end.day.max(start.day)),
            None => Some(start.day),
        };
        self.check()?;
        let summary = self.one("SUMMARY")?.map(|line| line::unescape(line.value)).unwrap_or_default();
        let stamp = self.one("DTSTAMP")?;
        let stamped = stamp.is_some_and(|line| is_utc(line.value));
        let sequence = self.one("SEQUENCE")?.map_or(Ok(0), |line| line.value.trim().parse());
        let recurrence_id = self.one("RECURRENCE-ID")?;
        if recurrence_id.is_some_and(|line| Moment::read(line).is_none()) {
            return Err(EventProblem::Value("RECURRENCE-ID"));
        }
        let lines = self.0.iter().filter(|line| line.name != "UID" && (line.name != "DTSTAMP" || stamped));
        Ok(ForeignEvent {
            uid: uid.to_owned(),
            summary,
            first: start.day,
            last: last.unwrap_or(start.day),
            timed: start.timed,
            recurrence_id: recurrence_id.map(|line| line.value.to_owned()),
            sequence: sequence.map_err(|_| EventProblem::Value("SEQUENCE"))?,
            stamped,
            lines: lines.map(rewritten).collect(),
        })
    }

    /// The property, which may stand once.
    fn one(&self, name: &'static str) -> Result<Option<&ContentLine<'a>>, EventProblem> {
        let mut found = self.0.iter().filter(|line| line.name == name);
        let first = found.next();
        if found.next().is_some() { Err(EventProblem::Once(name)) } else { Ok(first) }
    }

    /// The values of which something depends on their form in every client.
    fn check(&self) -> Result<(), EventProblem> {
        for name in [
            "DESCRIPTION",
            "LOCATION",
            "STATUS",
            "TRANSP",
            "CLASS",
            "CREATED",
            "LAST-MODIFIED",
            "RRULE",
            "URL",
        ] {
            self.one(name)?;
        }
        for line in &self.0 {
            let value = line.value;
            match line.name.as_str() {
                "RRULE" if !is_rule(value) => return Err(EventProblem::Value("RRULE")),
                "RDATE" | "EXDATE" if !are_moments(value) => return Err(EventProblem::Value("RDATE")),
                "URL" if !(value.starts_with("https://") || value.starts_with("http://")) => {
                    return Err(EventProblem::Value("URL"));
                }
                "STATUS" if !["TENTATIVE", "CONFIRMED", "CANCELLED"].contains(&value) => {
                    return Err(EventProblem::Value("STATUS"));
                }
                "TRANSP" if !["OPAQUE", "TRANSPARENT"].contains(&value) => {
                    return Err(EventProblem::Value("TRANSP"));
                }
                "CREATED" | "LAST-MODIFIED" if !is_utc(value) => {
                    return Err(EventProblem::Value("LAST-MODIFIED"));
                }
                "CLASS" if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
                    return Err(EventProblem::Value("CLASS"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A kept line as it is written again: texts escaped anew, parameters that fetch or execute nothing.
fn rewritten(line: &ContentLine<'_>) -> String {
    const PARAMETERS: [&str; 4] = ["VALUE", "TZID", "LANGUAGE", "RANGE"];
    let mut text = line.name.clone();
    for (name, value) in line.parameters.iter().filter(|(name, _)| PARAMETERS.contains(&name.as_str())) {
        text.push(';');
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text.push(':');
    match line.name.as_str() {
        "SUMMARY" | "DESCRIPTION" | "LOCATION" => text.push_str(&line::escape(&line::unescape(line.value))),
        _ => text.push_str(line.value),
    }
    text
}

#[cfg(test)]
mod tests;
