//! Writing a calendar that every client imports (RFC 5545).
//!
//! Events of ours are whole days. A UID is the caller's, stable and without personal data, so that a second download
//! replaces the first. Must not know why something is in the calendar.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::line::{self, escape};
use super::read::{Foreign, ForeignEvent};
use crate::date::CalendarDate;

/// Who wrote it (section 3.7.3).
const PRODID: &str = "-//Hibiki//Guardian's page//JA";

/// A stable, globally unique name of an event (section 3.8.4.7), made of the bytes of a keyed or salted hash.
///
/// RFC 7986 section 5.3 asks that it reveal nothing; whoever makes the hash must not make it of a name or number
/// without a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uid([u8; 16]);

impl Uid {
    /// The UID that a hash stands for; of a longer hash its first sixteen bytes.
    pub const fn from_hash(hash: [u8; 16]) -> Self {
        Self(hash)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// When to be reminded of an event that begins at midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Days before its first day; 0 is the day itself.
    pub days_before: u16,
    /// Hour of that day, 0 to 23; more counts as 23.
    pub hour: u8,
}

impl Reminder {
    /// Duration from the beginning of the event (section 3.3.6).
    fn trigger(self) -> String {
        let before = i32::from(self.days_before) * 24 - i32::from(self.hour.min(23));
        if before > 0 { format!("-PT{before}H") } else { format!("PT{}H", -before) }
    }
}

/// An event of one or more whole days. Personal data: `Debug` prints `***`.
#[derive(Clone)]
pub struct Event {
    /// Its stable name.
    pub uid: Uid,
    /// First day.
    pub first: CalendarDate,
    /// Last day, included; a day before `first` counts as `first`.
    pub last: CalendarDate,
    /// Title.
    pub summary: String,
    /// Text below the title; may have several lines.
    pub description: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// A word that clients group by.
    pub category: Option<String>,
    /// A reminder.
    pub reminder: Option<Reminder>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event(***)")
    }
}

/// A calendar to be written.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// The name clients show, [`Calendar::NAME`] if empty. A child's name does not belong here: calendars are shared
    /// and shown on screens.
    pub name: String,
    /// Events of ours; of two with one UID the first counts.
    pub events: Vec<Event>,
    /// Other people's events, each with a stable name of where they came from, such as the institution's id.
    pub foreign: Vec<(String, Foreign)>,
}

impl Calendar {
    /// Name of a calendar that was given none.
    pub const NAME: &str = "学校と健康の予定";

    /// Writes the calendar. `stamp` is when this was made, in milliseconds since the Unix epoch; a time past the year
    /// 9999 counts as its end.
    pub fn write(&self, stamp: u64) -> String {
        let stamp = utc(stamp);
        let name = if self.name.trim().is_empty() { Self::NAME } else { self.name.trim() };
        let name = escape(name);
        let mut out = String::new();
        for text in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            &format!("PRODID:{PRODID}"),
            "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH",
            &format!("NAME;LANGUAGE=ja:{name}"),
            &format!("X-WR-CALNAME:{name}"),
            "X-WR-TIMEZONE:Asia/Tokyo",
        ] {
            line::push(&mut out, text);
        }
        let mut zones = BTreeMap::new();
        for (_, foreign) in &self.foreign {
            for (id, lines) in &foreign.zones {
                zones.entry(id).or_insert(lines);
            }
        }
        for lines in zones.values() {
            wrapped(&mut out, "VTIMEZONE", lines.iter().map(String::as_str));
        }
        let mut seen = std::collections::BTreeSet::new();
        for event in &self.events {
            if seen.insert(event.uid.to_string()) {
                event.write(&mut out, &stamp);
            }
        }
        for (uid, event) in self.chosen(&mut seen) {
            let own = [format!("UID:{uid}")];
            let stamp = (!event.stamped).then(|| format!("DTSTAMP:{stamp}"));
            let lines = own.iter().chain(&stamp).chain(&event.lines).map(String::as_str);
            wrapped(&mut out, "VEVENT", lines);
        }
        line::push(&mut out, "END:VCALENDAR");
        out
    }

    /// Other people's events under names that are unique here. Within one source the highest SEQUENCE counts
    /// (section 3.8.7.4), then the first; between sources both stay, the later under a name that tells them apart,
    /// so that nobody can displace what another sent.
    fn chosen<'a>(
        &'a self,
        seen: &mut std::collections::BTreeSet<String>,
    ) -> Vec<(String, &'a ForeignEvent)> {
        let mut chosen = Vec::new();
        for (scope, foreign) in &self.foreign {
            let mut latest: BTreeMap<(&str, Option<&str>), (usize, &ForeignEvent)> = BTreeMap::new();
            for (place, event) in foreign.events.iter().enumerate() {
                let key = (event.uid.as_str(), event.recurrence_id.as_deref());
                let held = latest.entry(key).or_insert((place, event));
                if event.sequence > held.1.sequence {
                    held.1 = event;
                }
            }
            let mut events: Vec<_> = latest.into_values().collect();
            events.sort_by_key(|(place, _)| *place);
            // One event and its changed repetitions share a name: it is decided once for all of them.
            let mut names: BTreeMap<&str, String> = BTreeMap::new();
            for (_, event) in &events {
                let name = names.entry(&event.uid).or_insert_with(|| {
                    let mut name = event.uid.clone();
                    while seen.contains(&name) {
                        name = format!("{name}/{}", escape(scope));
                    }
                    name
                });
                chosen.push((name.clone(), *event));
            }
            seen.extend(names.into_values());
        }
        chosen
    }
}

impl Event {
    fn write(&self, out: &mut String, stamp: &str) {
        let mut lines = vec![
            format!("UID:{}", self.uid),
            format!("DTSTAMP:{stamp}"),
            format!("DTSTART;VALUE=DATE:{}", date(self.first)),
        ];
        // The end is the first day that no longer belongs to it.
        if let Some(after) = self.last.max(self.first).plus_days(1) {
            lines.push(format!("DTEND;VALUE=DATE:{}", date(after)));
        }
        lines.push(format!("SUMMARY:{}", escape(&self.summary)));
        for (name, text) in
            [("DESCRIPTION", &self.description), ("LOCATION", &self.location), ("CATEGORIES", &self.category)]
        {
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                lines.push(format!("{name}:{}", escape(text)));
            }
        }
        lines.extend(["TRANSP:TRANSPARENT", "CLASS:PRIVATE"].map(str::to_owned));
        if let Some(reminder) = self.reminder {
            lines.push("BEGIN:VALARM".into());
            lines.push("ACTION:DISPLAY".into());
            lines.push(format!("DESCRIPTION:{}", escape(&self.summary)));
            lines.push(format!("TRIGGER:{}", reminder.trigger()));
            lines.push("END:VALARM".into());
        }
        wrapped(out, "VEVENT", lines.iter().map(String::as_str));
    }
}

fn wrapped<'a>(out: &mut String, component: &str, lines: impl Iterator<Item = &'a str>) {
    line::push(out, &format!("BEGIN:{component}"));
    lines.for_each(|text| line::push(out, text));
    line::push(out, &format!("END:{component}"));
}

fn date(day: CalendarDate) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// `19971210T080000Z` (section 3.3.5, form 2).
fn utc(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let civil = TimeZone::UTC.to_datetime(time.unwrap_or(Timestamp::MAX));
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

#[cfg(test)]
mod tests;
