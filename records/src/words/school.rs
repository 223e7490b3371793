//! Notices, things to hand in and events.
//!
//! Must not know classes or pupils.

use serde_json::Value;

use super::Summary;
use super::concept::Concept;
use crate::date::FhirTime;

/// A notice by its title, a thing to hand in by its name and the day it is due.
pub(super) fn notice(resource: &Value) -> Option<Summary> {
    if resource.get("resourceType").and_then(Value::as_str) == Some("Task") {
        return hand_in(resource);
    }
    let topic = resource.get("topic").and_then(|topic| Concept::of(topic).words(None));
    topic.or_else(|| {
        let body = resource.get("payload")?.as_array()?.iter().find_map(|part| {
            let text = part.get("contentString").or_else(|| part.pointer("/contentAttachment/title"))?;
            text.as_str().filter(|text| !text.trim().is_empty())
        })?;
        let first = body.trim_start().lines().next()?;
        Some(Summary::new(first, first))
    })
}

fn hand_in(resource: &Value) -> Option<Summary> {
    let what = match resource.get("description").and_then(Value::as_str) {
        Some(text) => Summary::new(text, text),
        None => Concept::of(resource.get("code")?).words(None)?,
    };
    let due = ["/restriction/period/end", "/executionPeriod/end"]
        .into_iter()
        .find_map(|path| FhirTime::parse(resource.pointer(path)?.as_str()?).ok());
    Some(match due.map(|time| time.day) {
        Some(day) => what.map(
            |ja| format!("提出物: {ja}({}月{}日まで)", day.month(), day.day()),
            |en| format!("To hand in: {en} (by {day})"),
        ),
        None => what.map(|ja| format!("提出物: {ja}"), |en| format!("To hand in: {en}")),
    })
}

/// An event by its description.
pub(super) fn event(resource: &Value) -> Option<Summary> {
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

/// The SUMMARY of the first event of an iCalendar object (RFC 5545 sections 3.1 and 3.3.11).
pub(super) fn calendar(content: &[u8]) -> Option<Summary> {
    let text = std::str::from_utf8(content).ok()?;
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let event = unfolded.split_once("BEGIN:VEVENT")?.1;
    let value = event.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.split(';').next()?;
        name.eq_ignore_ascii_case("SUMMARY").then_some(value)
    })?;
    let mut plain = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n' | 'N') => plain.push(' '),
                Some(escaped) => plain.push(escaped),
                None => {}
            },
            other => plain.push(other),
        }
    }
    Some(Summary::new(plain.clone(), plain))
}
