//! What a school tells guardians, as typed facts: notices, things to hand in, events.
//!
//! Texts come from whoever wrote them and are treated as hostile: what is kept is plain text, lines without
//! control or direction characters, of bounded length; escaping is still the page's business. Reads FHIR
//! (Communication, Task, Appointment), iCalendar, and the school's own schema where neither has the words
//! ([`timetable`]). Must not know classes or pupils.

pub mod attachment;
pub(crate) mod cbor;
pub mod timetable;

use serde_json::Value;

use crate::calendar::{self, At, Entry};
use crate::category::{Category, Label};
use crate::date::{CalendarDate, FhirTime};
use crate::fhir::stored::Stored;
use crate::fhir::{Reason, Standing};
use crate::redacted::redacted;
use crate::words::Summary;
use crate::words::school as words;
use crate::words::text::{LINE_MAX_CHARS, tidy, tidy_body};
pub use attachment::{Attachment, FileKind};
pub use timetable::Timetable;

/// One thing a school tells.
#[derive(Clone, PartialEq, Eq)]
pub enum Matter {
    /// お知らせ
    Notice(Notice),
    /// 提出物
    HandIn(HandIn),
    /// 行事
    Event(Event),
    /// 時間割
    Timetable(Timetable),
}

/// A notice.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its title, or its first line.
    pub title: Summary,
    /// Its text, in lines; without the first where that is the title.
    pub body: Option<String>,
    /// When it was sent.
    pub sent: Option<Moment>,
    /// Whether the school marked it urgent.
    pub urgent: bool,
    /// What is attached and can be offered.
    pub files: Vec<Attachment>,
    /// Names of what else is attached.
    pub attachments: Vec<String>,
    /// Whether the record still holds.
    pub standing: Standing,
}

/// A thing to hand in.
#[derive(Clone, PartialEq, Eq)]
pub struct HandIn {
    /// What.
    pub what: Summary,
    /// What else is said of it, in lines.
    pub note: Option<String>,
    /// The day the school asked.
    pub asked: Option<CalendarDate>,
    /// The last day.
    pub due: Option<CalendarDate>,
    /// How it stands. Of a thing asked of a whole class, this is the state for the class.
    pub state: HandInState,
    /// Whether the record still holds.
    pub standing: Standing,
}

/// How a thing to hand in stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HandInState {
    /// Asked for.
    Open,
    /// Received, being looked at.
    Received,
    /// Done.
    Done,
    /// No longer wanted.
    Dropped,
}

/// An event.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub title: Summary,
    /// What else is said of it, such as what to bring; in lines.
    pub body: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// When it begins.
    pub from: Moment,
    /// When it ends; of whole days, the last one.
    pub to: Option<Moment>,
    /// Whether it is for whole days.
    pub all_day: bool,
    /// Whether it will take place.
    pub state: EventState,
    /// Whether it repeats by a rule, of which this is the first time.
    pub repeats: bool,
    /// Whether the record still holds.
    pub standing: Standing,
}

/// Whether an event will take place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// As announced.
    Planned,
    /// Not yet certain.
    Tentative,
    /// 中止
    Cancelled,
}

/// A day in Japan, and the time where one is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The day.
    pub day: CalendarDate,
    /// Minute of the day, 0 to 1439.
    pub minute: Option<u16>,
}

redacted!(Matter, Notice, HandIn, HandInState, Event, EventState, Moment);

impl Moment {
    /// The time as `09:05`.
    pub fn clock(self) -> Option<String> {
        self.minute.map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60))
    }

    fn of(time: FhirTime) -> Self {
        Self { day: time.day, minute: time.minute }
    }
}

impl HandInState {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Open => Label { ja: "提出をお願いします", en: "Please hand in" },
            Self::Received => Label { ja: "確認中", en: "Being checked" },
            Self::Done => Label { ja: "提出済み", en: "Handed in" },
            Self::Dropped => Label { ja: "提出不要になりました", en: "No longer needed" },
        }
    }
}

impl EventState {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Planned => Label { ja: "予定", en: "Planned" },
            Self::Tentative => Label { ja: "予定(未確定)", en: "To be confirmed" },
            Self::Cancelled => Label { ja: "中止", en: "Cancelled" },
        }
    }
}

impl HandIn {
    /// Days from `on` to the last day, 0 on that day, negative after it; `None` where none is set or nothing is
    /// wanted any more.
    pub fn days_left(&self, on: CalendarDate) -> Option<i32> {
        let wanted = self.standing == Standing::Valid && self.state == HandInState::Open;
        self.due.filter(|_| wanted).map(|due| due.days_since(on))
    }
}

/// Reads verbatim content of a record of category school notice or school event. A calendar may hold several.
///
/// # Errors
/// It is neither of these categories, none of the forms above, names nothing, or (an event) has no day; the
/// caller shows its one line ([`crate::words::summary`]) instead.
pub fn read(category: Category, content: &[u8]) -> Result<Vec<Matter>, Reason> {
    match category {
        Category::SchoolEvent if calendar::is_calendar(content) => of_calendar(content),
        Category::SchoolEvent if timetable::is_cbor(content) => {
            Timetable::read(content).map(|table| vec![Matter::Timetable(table)])
        }
        Category::SchoolNotice | Category::SchoolEvent => {
            let stored = Stored::read(content)?;
            let matter = match stored.kind() {
                "Communication" => notice(&stored).map(Matter::Notice),
                "Task" => hand_in(&stored).map(Matter::HandIn),
                "Appointment" => event(&stored).map(Matter::Event),
                _ => Err(Reason::Malformed("resourceType")),
            };
            matter.map(|matter| vec![matter])
        }
        _ => Err(Reason::ConflictingCategory),
    }
}

fn lines(text: &str) -> Option<String> {
    Some(tidy_body(text)).filter(|text| !text.is_empty())
}

fn line(text: &str) -> Option<String> {
    Some(tidy(text)).filter(|text| !text.is_empty())
}

fn notice(stored: &Stored<'_>) -> Result<Notice, Reason> {
    let resource = &stored.value;
    let texts: Vec<&str> =
        stored.list("/payload").filter_map(|part| part.get("contentString")?.as_str()).collect();
    let body = lines(&texts.join("\n\n"));
    let topic = words::topic(resource).and_then(Summary::tidied);
    let (title, body) = match (topic, body) {
        (Some(topic), body) => (Some(topic), body),
        (None, Some(body)) => {
            let (first, rest) = body.split_once('\n').unwrap_or((&body, ""));
            let title = line(first);
            // The first line is the title, unless it is too long to be one.
            let whole = first.chars().count() <= LINE_MAX_CHARS;
            let rest = if whole { lines(rest) } else { Some(body.clone()) };
            (title.map(|title| Summary::new(title.clone(), title)), rest)
        }
        (None, None) => (words::first_words(resource).and_then(Summary::tidied), None),
    };
    let (files, attachments) = attachment::attached(stored.list("/payload"));
    Ok(Notice {
        title: title.ok_or(Reason::Missing("topic"))?,
        body,
        sent: stored.time("/sent").or_else(|| stored.when.ok()).map(Moment::of),
        urgent: matches!(stored.text("/priority"), Some("urgent" | "asap" | "stat")),
        files,
        attachments,
        standing: stored.standing,
    })
}

fn hand_in(stored: &Stored<'_>) -> Result<HandIn, Reason> {
    let what =
        words::wanted(&stored.value).and_then(Summary::tidied).ok_or(Reason::Missing("description"))?;
    let notes: Vec<&str> = stored.list("/note").filter_map(|note| note.get("text")?.as_str()).collect();
    Ok(HandIn {
        what,
        note: lines(&notes.join("\n\n")),
        asked: stored.time("/authoredOn").map(|time| time.day),
        due: words::due(&stored.value),
        state: match stored.text("/status") {
            Some("completed") => HandInState::Done,
            Some("received" | "accepted" | "in-progress") => HandInState::Received,
            Some("cancelled" | "rejected" | "failed" | "entered-in-error") => HandInState::Dropped,
            _ => HandInState::Open,
        },
        standing: stored.standing,
    })
}

fn event(stored: &Stored<'_>) -> Result<Event, Reason> {
    let resource = &stored.value;
    let title =
        words::event_name(resource).and_then(Summary::tidied).ok_or(Reason::Missing("description"))?;
    let from = Moment::of(stored.time("/start").map_or(stored.when, Ok)?);
    let end = stored.time("/end").or_else(|| stored.time("/requestedPeriod/0/end")).map(Moment::of);
    let end = end.filter(|end| *end >= from);
    let (all_day, to) = whole_days(from, end);
    let texts: Vec<&str> = ["/comment", "/patientInstruction"]
        .iter()
        .filter_map(|path| stored.text(path))
        .filter(|text| tidy(text) != title.ja)
        .collect();
    Ok(Event {
        title,
        body: lines(&texts.join("\n\n")),
        place: place(stored),
        from: if all_day { Moment { minute: None, ..from } } else { from },
        to,
        all_day,
        state: match stored.text("/status") {
            Some("cancelled" | "noshow" | "entered-in-error") => EventState::Cancelled,
            Some("proposed" | "pending" | "waitlist") => EventState::Tentative,
            _ => EventState::Planned,
        },
        repeats: false,
        standing: stored.standing,
    })
}

/// Whether times written because FHIR wants instants mean whole days: from midnight, without an end or to a
/// midnight (of the next day) or the last minute of a day. And the end, of whole days the last one.
fn whole_days(from: Moment, end: Option<Moment>) -> (bool, Option<Moment>) {
    const LAST_MINUTE: u16 = 1439;
    let day_only = |day: CalendarDate| Moment { day, minute: None };
    if from.minute.is_some_and(|minute| minute != 0) {
        return (false, end);
    }
    match end {
        None => (true, None),
        Some(Moment { day, minute: None | Some(LAST_MINUTE) }) => (true, Some(day_only(day))),
        Some(Moment { day, minute: Some(0) }) => {
            let last = day.plus_days(-1).filter(|last| *last >= from.day).unwrap_or(day);
            (true, Some(day_only(last)))
        }
        Some(_) => (false, end),
    }
}

/// The name of the place that takes part.
fn place(stored: &Stored<'_>) -> Option<String> {
    let named = |reference: &str| {
        let id = reference.strip_prefix('#')?;
        let it = stored.list("/contained").find(|it| it.get("id").and_then(Value::as_str) == Some(id))?;
        let place = it.get("resourceType").and_then(Value::as_str) == Some("Location");
        it.get("name")?.as_str().filter(|_| place)
    };
    stored.list("/participant").filter_map(|participant| participant.get("actor")).find_map(|actor| {
        let reference = actor.get("reference").and_then(Value::as_str).unwrap_or_default();
        let is_place = actor.get("type").and_then(Value::as_str) == Some("Location")
            || reference.starts_with("Location/")
            || reference.contains("/Location/");
        let display = || actor.get("display")?.as_str().filter(|_| is_place);
        named(reference).or_else(display).and_then(line)
    })
}

fn of_calendar(content: &[u8]) -> Result<Vec<Matter>, Reason> {
    let entries = calendar::entries(content)?;
    let found: Vec<Matter> = entries
        .iter()
        .filter_map(|it| if it.to_do { to_do(it).map(Matter::HandIn) } else { dated(it).map(Matter::Event) })
        .collect();
    if found.is_empty() { Err(Reason::Missing("VEVENT")) } else { Ok(found) }
}

/// A VEVENT with a day.
fn dated(entry: &Entry) -> Option<Event> {
    let moment = |at: At| Moment { day: at.day, minute: at.minute };
    let from = moment(entry.time("DTSTART")?);
    let title = title(entry)?;
    let body = entry.text("DESCRIPTION").and_then(|text| lines(&text)).filter(|body| *body != title.ja);
    let end = entry.end().map(moment).filter(|end| *end >= from);
    let all_day = from.minute.is_none();
    let to = match end {
        // The end of whole days is the day after the last one.
        Some(end) if all_day => {
            let last = end.day.plus_days(-1).filter(|last| *last >= from.day);
            Some(Moment { day: last.unwrap_or(from.day), minute: None })
        }
        other => other,
    };
    let status = entry.text("STATUS").unwrap_or_default().trim().to_ascii_uppercase();
    Some(Event {
        title,
        body,
        place: entry.text("LOCATION").and_then(|text| line(&text)),
        from,
        to,
        all_day,
        state: match status.as_str() {
            "CANCELLED" => EventState::Cancelled,
            "TENTATIVE" => EventState::Tentative,
            _ => EventState::Planned,
        },
        repeats: entry.has("RRULE") || entry.has("RDATE"),
        standing: Standing::Valid,
    })
}

/// A VTODO.
fn to_do(entry: &Entry) -> Option<HandIn> {
    let status = entry.text("STATUS").unwrap_or_default().trim().to_ascii_uppercase();
    Some(HandIn {
        what: title(entry)?,
        note: entry.text("DESCRIPTION").and_then(|text| lines(&text)),
        asked: entry.time("DTSTART").map(|at| at.day),
        due: entry.time("DUE").map(|at| at.day),
        state: match status.as_str() {
            "COMPLETED" => HandInState::Done,
            "IN-PROCESS" => HandInState::Received,
            "CANCELLED" => HandInState::Dropped,
            _ => HandInState::Open,
        },
        standing: Standing::Valid,
    })
}

fn title(entry: &Entry) -> Option<Summary> {
    let text = entry.text("SUMMARY")?;
    Summary::new(text.clone(), text).tidied()
}

#[cfg(test)]
mod tests;
