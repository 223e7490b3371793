//! The commands `school event …` and `school timetable import`.

use std::sync::Arc;

use hibiki_records::calendar::Foreign;
use hibiki_records::date::CalendarDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Events, What, timetable};
use crate::admin::{AdminError, Request, Responder, Router};
use crate::school::titled;

/// Name of the command that enters an event.
pub const ADD: &str = "school event add";
/// Name of the command that takes a calendar.
pub const IMPORT: &str = "school event import";
/// Name of the command that gives a calendar out.
pub const EXPORT: &str = "school event export";
/// Name of the command that lists.
pub const LIST: &str = "school event list";
/// Name of the command that calls off.
pub const REMOVE: &str = "school event remove";
/// Name of the command that takes a timetable.
pub const TIMETABLE: &str = "school timetable import";

/// Bytes of a file, at most.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Arguments of `school event add`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// What.
    pub title: String,
    /// First day.
    pub from: CalendarDate,
    /// Last day; absent: the first.
    pub to: Option<CalendarDate>,
    /// Time of day it begins, `09:00`.
    pub time: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// What to bring.
    pub bring: Option<String>,
    /// For this class only.
    pub class: Option<String>,
}

/// Arguments of `school event import` and `export`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfClass {
    /// For this class only.
    pub class: Option<String>,
    /// What the file is called.
    pub name: Option<String>,
}

/// Arguments of `school event remove`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Its name.
    pub id: String,
}

/// Arguments of `school timetable import`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// The class.
    pub class: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Registers the commands.
pub fn register(router: &mut Router, events: &Arc<Events>) {
    let it = Arc::clone(events);
    router.add(ADD, move |request, _| add(Arc::clone(&it), request));
    let it = Arc::clone(events);
    router.add(IMPORT, move |request, responder| import(Arc::clone(&it), request, responder));
    let it = Arc::clone(events);
    router.add(EXPORT, move |request, _| export(Arc::clone(&it), request));
    let it = Arc::clone(events);
    router.add(LIST, move |request, _| list(Arc::clone(&it), request));
    let it = Arc::clone(events);
    router.add(REMOVE, move |request, _| remove(Arc::clone(&it), request));
    let it = Arc::clone(events);
    router.add(TIMETABLE, move |request, _| set_timetable(Arc::clone(&it), request));
}

async fn add(events: Arc<Events>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Add { title, from, to, time, place, bring, class } = request.parse()?;
    let to = to.unwrap_or(from);
    let wrong =
        |what: &str, at: &str, next: &str| AdminError::new(what).at(format!("argument {at}")).next(next);
    if to < from {
        return Err(wrong(
            "the last day is before the first / 終わりの日が先です",
            "to",
            "exchange the two days",
        ));
    }
    let time = time.map(|time| time.trim().to_owned());
    if time.as_deref().is_some_and(|time| !is_clock(time) || to != from) {
        return Err(wrong(
            "not a time of one day / 時刻が読めません",
            "time",
            "write 09:00, for an event of one day",
        ));
    }
    let line = |text: Option<String>, at: &str| text.map(|text| titled(&text, at)).transpose();
    let what = What::Event {
        title: titled(&title, "title")?,
        from,
        to,
        time,
        place: line(place, "place")?,
        bring: line(bring, "bring")?,
    };
    let id = events.add(what, class.map(|class| class.trim().to_owned()), ADD, &staff).await?;
    Ok(json!({ "id": id }))
}

fn is_clock(text: &str) -> bool {
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    text.split_once(':').is_some_and(|(hour, minute)| {
        number(hour).is_some_and(|hour| hour < 24) && number(minute).is_some_and(|minute| minute < 60)
    })
}

async fn import(
    events: Arc<Events>,
    mut request: Request,
    responder: Responder,
) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let OfClass { class, name } = request.parse()?;
    let bytes = request.body.collect(FILE_BYTES_MAX).await.map_err(|error| {
        AdminError::new(error.to_string()).at("the file").next("export one school year at a time")
    })?;
    let refused =
        |what: String| AdminError::new(what).at("the file").next("export it as iCalendar (.ics), UTF-8");
    let foreign = Foreign::read(&bytes).map_err(|error| refused(error.to_string()))?;
    for event in &foreign.refused {
        responder.warning(event.problem.to_string(), Some(format!("line {}", event.line))).await;
    }
    let Some(from) = foreign.events.iter().map(|event| event.first).min() else {
        return Err(refused("there is no event in it / 予定がありません".to_owned()));
    };
    let text = String::from_utf8(bytes).map_err(|_| refused("not UTF-8".to_owned()))?;
    let name = titled(name.as_deref().unwrap_or("行事予定"), "name")?;
    let what = What::Calendar { name, text, events: foreign.events.len(), from };
    let count = foreign.events.len();
    let id = events.add(what, class.map(|class| class.trim().to_owned()), IMPORT, &staff).await?;
    Ok(json!({ "id": id, "events": count, "refused": foreign.refused.len() }))
}

async fn export(events: Arc<Events>, request: Request) -> Result<Value, AdminError> {
    let OfClass { class, .. } = request.parse()?;
    Ok(json!({ "calendar": events.export(class.as_deref().map(str::trim))? }))
}

async fn list(events: Arc<Events>, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let line = |(id, row): (String, super::EventRow)| {
        let (title, from, to) = match &row.what {
            What::Event { title, from, to, .. } => (title.clone(), *from, Some(*to)),
            What::Calendar { name, events, from, .. } => (format!("{name}（{events} 件）"), *from, None),
        };
        json!({ "id": id, "title": title, "from": from, "to": to, "class": row.class, "removed": row.removed,
            "by": row.by })
    };
    let shown: Vec<Value> = events.list()?.into_iter().map(line).collect();
    Ok(json!({ "events": shown }))
}

async fn remove(events: Arc<Events>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Which { id } = request.parse()?;
    events.remove(&id, &staff).await?;
    Ok(json!({ "removed": id }))
}

async fn set_timetable(events: Arc<Events>, mut request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Class { class } = request.parse()?;
    let bytes = request.body.collect(FILE_BYTES_MAX).await.map_err(|error| {
        AdminError::new(error.to_string()).at("the file").next("a timetable is a small table")
    })?;
    let timetable = timetable::read(class.trim(), &bytes)
        .map_err(|fault| AdminError::new(fault.to_string()).at("the file"))?;
    events.set_timetable(&timetable, &staff).await?;
    Ok(json!({ "class": timetable.class, "days": timetable.days.len() }))
}
