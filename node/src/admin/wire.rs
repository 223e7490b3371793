//! The lines on the admin socket.
//!
//! The client sends one [`RequestLine`]; if it announced a body, then [`BodyLine`]s up to and including the
//! end. The node sends any number of progress, warning and row [`Event`]s and exactly one result or error,
//! and closes. A client that closes early cancels. Must not know: sockets.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest line a client may send, in bytes with its line end: a body chunk in base64 with room to spare.
pub const REQUEST_LINE_MAX_BYTES: usize = 128 * 1024;

/// Longest line the node may send, in bytes with its line end. Lists go out as rows, one line each.
pub const EVENT_LINE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a body in one [`BodyLine::Data`] as our client cuts it; base64 makes 64 KiB of it.
pub const BODY_CHUNK_BYTES: usize = 48 * 1024;

/// First line of a client.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLine {
    /// Name of the command, such as `import`.
    pub command: String,
    /// Its arguments, as the command defines them.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub arguments: Value,
    /// Who acts: the name or number of a member of staff, for the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<String>,
    /// Whether a body follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body: bool,
}

impl fmt::Debug for RequestLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestLine")
            .field("command", &self.command)
            .field("arguments", &"***")
            .field("staff", &"***")
            .field("body", &self.body)
            .finish()
    }
}

/// A further line of a client that announced a body.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyLine {
    /// A piece of the body, base64 with padding (RFC 4648 section 4).
    Data(String),
    /// The body is complete; `true` always.
    End(bool),
}

/// A line of the node.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// How far the command has come. Some may be dropped on the way: each replaces the one before.
    Progress(Progress),
    /// Something the staff should look at; the command goes on.
    Warning(Warning),
    /// One row of a listing.
    Row(Value),
    /// Last line: it is done.
    Result(Value),
    /// Last line: it is not done.
    Error(AdminError),
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Progress(_) => "Progress(***)",
            Self::Warning(_) => "Warning(***)",
            Self::Row(_) => "Row(***)",
            Self::Result(_) => "Result(***)",
            Self::Error(_) => "Error(***)",
        })
    }
}

/// How far a command has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, in a word or two, such as `reading`.
    pub stage: String,
    /// How much is done, counted in `unit`.
    pub done: u64,
    /// How much there is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is counted, such as `records` or `bytes`.
    pub unit: String,
}

/// Something the staff should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What is wrong.
    pub what: String,
    /// Its place, such as `line 17`.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// Why a command was not done: what, where, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct AdminError {
    /// What happened.
    pub what: String,
    /// Where, such as `argument "until"` or `line 17`.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What the reader can do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl AdminError {
    /// An error that says what happened.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: None, next: None }
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl fmt::Display for AdminError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(formatter, "{place}: ")?;
        }
        formatter.write_str(&self.what)?;
        match &self.next {
            Some(next) => write!(formatter, " ({next})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn lines_look_as_documented() {
        let cases = [
            (
                Event::Progress(Progress {
                    stage: "reading".into(),
                    done: 3,
                    total: Some(9),
                    unit: "records".into(),
                }),
                json!({"progress": {"stage": "reading", "done": 3, "total": 9, "unit": "records"}}),
            ),
            (
                Event::Warning(Warning { what: "no date".into(), place: Some("line 2".into()) }),
                json!({"warning": {"what": "no date", "where": "line 2"}}),
            ),
            (Event::Row(json!([1])), json!({"row": [1]})),
            (Event::Result(json!({"n": 1})), json!({"result": {"n": 1}})),
            (
                Event::Error(AdminError::new("no").at("line 1").next("fix it")),
                json!({"error": {"what": "no", "where": "line 1", "next": "fix it"}}),
            ),
        ];
        for (event, expected) in cases {
            let written = serde_json::to_value(&event).unwrap();
            assert_eq!(written, expected);
            assert_eq!(serde_json::from_value::<Event>(written).unwrap(), event);
        }
        assert_eq!(serde_json::to_value(BodyLine::Data("AA==".into())).unwrap(), json!({"data": "AA=="}));
        assert_eq!(serde_json::to_value(BodyLine::End(true)).unwrap(), json!({"end": true}));
    }

    #[test]
    fn a_request_needs_only_its_command() {
        let line: RequestLine = serde_json::from_str(r#"{"command":"status"}"#).unwrap();
        assert_eq!((line.command.as_str(), line.body), ("status", false));
        assert!(serde_json::from_str::<RequestLine>(r#"{"command":"status","comand":1}"#).is_err());
    }

    #[test]
    fn debug_shows_no_arguments() {
        let line: RequestLine =
            serde_json::from_str(r#"{"command":"link","arguments":{"name":"Hanako"},"staff":"Sato"}"#)
                .unwrap();
        let shown = format!("{line:?}{:?}", Event::Row(json!("Hanako")));
        assert!(!shown.contains("Hanako") && !shown.contains("Sato"), "{shown}");
    }

    #[test]
    fn errors_read_as_sentences() {
        let error = AdminError::new("the date is not in the calendar").at("line 17").next("write YYYY-MM-DD");
        assert_eq!(error.to_string(), "line 17: the date is not in the calendar (write YYYY-MM-DD)");
    }
}
