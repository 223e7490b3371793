//! Notices, things to hand in, events, timetables, menus, arrival and leaving.
//!
//! Must not know classes or pupils.

use serde_json::Value;

use super::Summary;
use super::concept::Concept;
use crate::calendar::entries;
use crate::date::{CalendarDate, FhirTime};
use crate::gate::Touch;
use crate::lunch::{LunchDay, Milk};
use crate::school::Timetable;
pub(super) use crate::school::timetable::is_cbor;

/// A notice by its title, a thing to hand in by its name and the day it is due.
pub(super) fn notice(resource: &Value) -> Option<Summary> {
    if resource.get("resourceType").and_then(Value::as_str) == Some("Task") {
        return hand_in(resource);
    }
    topic(resource).or_else(|| first_words(resource))
}

/// The title a notice has.
pub(crate) fn topic(resource: &Value) -> Option<Summary> {
    resource.get("topic").and_then(|topic| Concept::of(topic).words(None))
}

/// The first line of a notice, or the name of what is attached.
pub(crate) fn first_words(resource: &Value) -> Option<Summary> {
    let body = resource.get("payload")?.as_array()?.iter().find_map(|part| {
        let text = part.get("contentString").or_else(|| part.pointer("/contentAttachment/title"))?;
        text.as_str().filter(|text| !text.trim().is_empty())
    })?;
    let first = body.trim_start().lines().next()?;
    Some(Summary::new(first, first))
}

fn hand_in(resource: &Value) -> Option<Summary> {
    let what = wanted(resource)?;
    Some(match due(resource) {
        Some(day) => what.map(
            |ja| format!("提出物: {ja}({}月{}日まで)", day.month(), day.day()),
            |en| format!("To hand in: {en} (by {day})"),
        ),
        None => what.map(|ja| format!("提出物: {ja}"), |en| format!("To hand in: {en}")),
    })
}

/// What is to be handed in.
pub(crate) fn wanted(resource: &Value) -> Option<Summary> {
    match resource.get("description").and_then(Value::as_str) {
        Some(text) => Some(Summary::new(text, text)),
        None => Concept::of(resource.get("code")?).words(None),
    }
}

/// The last day for handing in.
pub(crate) fn due(resource: &Value) -> Option<CalendarDate> {
    let times = ["/restriction/period/end", "/executionPeriod/end"];
    let time = times.into_iter().find_map(|path| FhirTime::parse(resource.pointer(path)?.as_str()?).ok());
    time.map(|time| time.day)
}

/// An event by its description.
pub(crate) fn event_name(resource: &Value) -> Option<Summary> {
    let text = resource.get("description").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    match text {
        Some(text) => Some(Summary::new(text, text)),
        None => {
            let kind = ["serviceType", "appointmentType"].into_iter().find_map(|element| {
                let value = resource.get(element)?;
                Concept::of(value.get(0).unwrap_or(value)).words(None)
            });
            kind.or_else(|| {
                let comment = resource.get("comment")?.as_str()?;
                Some(Summary::new(comment, comment))
            })
        }
    }
}

/// The SUMMARY of the first event or to-do of an iCalendar object.
pub(super) fn calendar(content: &[u8]) -> Option<Summary> {
    let text = entries(content).ok()?.first()?.text("SUMMARY")?;
    Some(Summary::new(text.clone(), text))
}

/// Whose timetable it is.
pub(super) fn timetable(content: &[u8]) -> Option<Summary> {
    let class = Timetable::read(content).ok()?.class;
    Some(Summary::new(format!("時間割 {class}"), format!("Timetable of {class}")))
}

/// The dishes of a menu, and milk, which no sheet lists.
pub(super) fn menu(content: &[u8]) -> Option<Summary> {
    const MILK: &str = "牛乳";
    let menu = LunchDay::read(content).ok()?.menu;
    let listed = menu.dishes.iter().any(|dish| dish == MILK);
    let mut dishes = menu.dishes;
    if menu.milk == Milk::Served && !listed {
        dishes.push(MILK.to_owned());
    }
    Some(Summary::new(dishes.join("、"), dishes.join(", ")))
}

/// `登校 08:05`.
pub(super) fn gate(content: &[u8]) -> Option<Summary> {
    let touch = Touch::read(content).ok()?;
    let label = touch.direction.label();
    let clock = touch.clock();
    Some(Summary::new(format!("{} {clock}", label.ja), format!("{} at {clock}", label.en)))
}
