//! Events and timetables: told to everybody or to a class, taken from calendars, given out as one.
//!
//! An event entered here is a FHIR Appointment, a calendar that was brought stays as it is; both are records of the classes
//! they are for. What was removed is shown as called off.
//!
//! ```text
//! School  v ‖ entered (u64 BE) ‖ id     the event or calendar, sealed under the node's key
//! ```

pub mod commands;
mod timetable;

use std::collections::BTreeSet;
use std::sync::Arc;

use hibiki_protocol::registration::MailKind;
use hibiki_records::calendar::{Calendar, Event as CalendarEvent, Foreign, Uid};
use hibiki_records::category::{Category, FHIR_JSON, ICALENDAR, SCHOOL_CBOR};
use hibiki_records::date::CalendarDate;
use hibiki_records::ingest::{IngestRecord, Subject};
use hibiki_records::school::Timetable;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::announce::{Announcer, News};
use super::log;
use super::notices::SendError;
use super::roster::{Roster, RosterError};
use crate::institution::Means;
use crate::recordbook::{Entry, RecordBook};
use crate::store::Keyspace;
use crate::vault::Row;
use crate::vault::form::{Form, Part, sealed};

const TABLE: Keyspace = Keyspace::School;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[sealed::<EventRow>("event", TABLE, b"v", &[Part::Bytes(12)])];

/// What was entered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// One event of whole days.
    Event {
        /// What.
        title: String,
        /// First day.
        from: CalendarDate,
        /// Last day.
        to: CalendarDate,
        /// Time of day it begins, `09:00`, for an event of one day.
        time: Option<String>,
        /// Where.
        place: Option<String>,
        /// 持ち物
        bring: Option<String>,
    },
    /// A calendar as it was brought.
    Calendar {
        /// What the file is called.
        name: String,
        /// Its text.
        text: String,
        /// How many events are in it.
        events: usize,
        /// The first day.
        from: CalendarDate,
    },
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventRow {
    pub(super) what: What,
    pub(super) class: Option<String>,
    pub(super) classes: Vec<String>,
    pub(super) by: String,
    pub(super) removed: bool,
}

/// The events. Shared behind an [`Arc`].
pub struct Events {
    pub(super) means: Means,
    pub(super) book: Arc<RecordBook>,
    pub(super) roster: Arc<Roster>,
    pub(super) announcer: Arc<Announcer>,
}

impl Events {
    /// Enters an event or a calendar, for everybody or for a class; its name.
    ///
    /// # Errors
    /// There is no such class, or it could not be logged or stored.
    pub async fn add(
        &self,
        what: What,
        class: Option<String>,
        action: &str,
        staff: &str,
    ) -> Result<String, SendError> {
        let classes = self.classes(class.as_deref())?;
        log(&self.means, action, staff, None).await?;
        let name = [self.means.now().0.to_be_bytes().as_slice(), &self.means.env.random::<4>()].concat();
        let row = EventRow { what, class, classes, by: staff.to_owned(), removed: false };
        self.publish(&name, &row).await?;
        let pupils = self.roster.pupils()?.into_iter();
        let children: BTreeSet<[u8; 16]> =
            pupils.filter(|pupil| row.classes.contains(&pupil.class)).map(|pupil| pupil.key).collect();
        let title = match &row.what {
            What::Event { title, from, .. } => format!("{title}（{from}）"),
            What::Calendar { events, .. } => format!("{events} 件の予定"),
        };
        let news = News {
            kind: MailKind::Event,
            name: &name,
            title: format!("行事のお知らせ: {title}"),
            text: format!("行事予定が加わりました。\n「{title}」\n\nThere is a new event."),
        };
        let mut change = self.means.vault.change();
        change.put(TABLE, &[b"v", name.as_slice()].concat(), &row)?;
        self.announcer.tell(&mut change, &children, &news)?;
        change.commit().await?;
        self.announcer.outbox.wake();
        Ok(hex::encode(name))
    }

    /// Calls an event off.
    ///
    /// # Errors
    /// There is no such event, or it could not be logged or stored.
    pub async fn remove(&self, id: &str, staff: &str) -> Result<(), SendError> {
        let name = hex::decode(id.trim()).map_err(|_| SendError::NoSuchEntry)?;
        let place = [b"v", name.as_slice()].concat();
        let row: Row<EventRow> = self.means.vault.get(TABLE, &place)?.ok_or(SendError::NoSuchEntry)?;
        log(&self.means, commands::REMOVE, staff, None).await?;
        let removed = EventRow { removed: true, ..row.value.clone() };
        self.publish(&name, &removed).await?;
        let mut change = self.means.vault.change();
        change.replace(TABLE, &row, &removed)?;
        Ok(change.commit().await?)
    }

    pub(super) fn list(&self) -> Result<Vec<(String, EventRow)>, SendError> {
        let rows: Vec<Row<EventRow>> = self.means.vault.rows(TABLE, b"v")?;
        let named = |row: Row<EventRow>| (hex::encode(row.key().get(1..).unwrap_or_default()), row.value);
        Ok(rows.into_iter().rev().map(named).collect())
    }

    /// A calendar (RFC 5545) of everything that is on for a class, or for everybody.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn export(&self, class: Option<&str>) -> Result<String, SendError> {
        let mut calendar = Calendar { name: "学校の行事".to_owned(), ..Calendar::default() };
        for (id, row) in self.list()? {
            let hers = row.class.is_none() || row.class.as_deref() == class;
            if row.removed || !hers {
                continue;
            }
            match row.what {
                What::Event { title, from, to, time, place, bring } => calendar.events.push(CalendarEvent {
                    uid: Uid::from_hash(self.means.vault.index("event", id.as_bytes())),
                    first: from,
                    last: to,
                    summary: time.map_or_else(|| title.clone(), |time| format!("{time} {title}")),
                    description: bring.map(|bring| format!("持ち物: {bring}")),
                    location: place,
                    category: None,
                    reminder: None,
                }),
                What::Calendar { text, .. } => {
                    calendar.foreign.extend(Foreign::read(text.as_bytes()).ok().map(|foreign| (id, foreign)));
                }
            }
        }
        Ok(calendar.write(self.means.now().0))
    }

    /// Puts a class's timetable into its records, in place of the one before.
    ///
    /// # Errors
    /// There is no such class, or it could not be logged or stored.
    pub async fn set_timetable(&self, timetable: &Timetable, staff: &str) -> Result<(), SendError> {
        self.classes(Some(&timetable.class))?;
        log(&self.means, commands::TIMETABLE, staff, None).await?;
        let content = timetable.to_cbor().map_err(|_| SendError::NoSuchEntry)?;
        let today = CalendarDate::in_japan(self.means.now().0).ok_or(SendError::NoSuchEntry)?;
        let record = IngestRecord {
            category: Category::SchoolEvent,
            subject: Subject::Group(timetable.class.clone()),
            id: "hibiki-timetable".to_owned(),
            date: timetable.from.unwrap_or(today),
            updated_at: Some(self.means.now().0),
            media_type: SCHOOL_CBOR,
            content,
        };
        self.book.put_batch(vec![Entry::Record(record)]).await?;
        Ok(())
    }

    fn classes(&self, class: Option<&str>) -> Result<Vec<String>, SendError> {
        let all = self.roster.classes()?.into_iter().map(|it| it.class);
        let classes: Vec<String> = all.filter(|it| class.is_none_or(|class| class == it)).collect();
        if class.is_some() && classes.is_empty() { Err(RosterError::NoSuchClass.into()) } else { Ok(classes) }
    }

    async fn publish(&self, name: &[u8], row: &EventRow) -> Result<(), SendError> {
        let id = hex::encode(name);
        let (date, media_type, content) = match &row.what {
            What::Calendar { text, from, .. } if !row.removed => (*from, ICALENDAR, text.clone()),
            What::Calendar { name, from, .. } => {
                (*from, FHIR_JSON, appointment(&id, name, (*from, *from), None, (None, None), true))
            }
            What::Event { title, from, to, time, place, bring } => {
                let where_and_what = (place.as_deref(), bring.as_deref());
                (
                    *from,
                    FHIR_JSON,
                    appointment(&id, title, (*from, *to), time.as_deref(), where_and_what, row.removed),
                )
            }
        };
        for class in &row.classes {
            let record = IngestRecord {
                category: Category::SchoolEvent,
                subject: Subject::Group(class.clone()),
                id: format!("Appointment/hibiki-{id}"),
                date,
                updated_at: Some(self.means.now().0),
                media_type,
                content: content.clone().into_bytes(),
            };
            self.book.put_batch(vec![Entry::Record(record)]).await?;
        }
        Ok(())
    }
}

/// An event as FHIR: whole days from midnight to the last minute, as the reader of school records takes them.
fn appointment(
    id: &str,
    title: &str,
    (from, to): (CalendarDate, CalendarDate),
    time: Option<&str>,
    (place, bring): (Option<&str>, Option<&str>),
    removed: bool,
) -> String {
    let mut resource = json!({
        "resourceType": "Appointment",
        "id": format!("hibiki-{id}"),
        "status": if removed { "cancelled" } else { "booked" },
        "description": title,
        "start": format!("{from}T{}:00+09:00", time.unwrap_or("00:00")),
    });
    if time.is_none() {
        resource["end"] = json!(format!("{to}T23:59:00+09:00"));
    }
    if let Some(bring) = bring {
        resource["comment"] = json!(format!("持ち物: {bring}"));
    }
    if let Some(place) = place {
        resource["contained"] = json!([{ "resourceType": "Location", "id": "place", "name": place }]);
        resource["participant"] = json!([{ "actor": { "reference": "#place" }, "status": "accepted" }]);
    }
    resource.to_string()
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events(***)")
    }
}
