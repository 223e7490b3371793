//! Why one resource was not taken, with its place, and nothing of its content.

use std::fmt;

use hibiki_records::ingest::Rejected;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::recordbook::{PUT_ENTRIES_MAX, Refusal};

/// One resource that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It could not be read as a record.
    Unreadable(Rejected),
    /// It was read, and the record book does not take it.
    Refused {
        /// Which resource of the file, counted from 1.
        resource: u64,
        /// Why.
        refusal: Refusal,
    },
    /// A Group with more members than one durable batch takes.
    GroupTooLarge {
        /// Which resource of the file, counted from 1.
        resource: u64,
    },
}

impl Notice {
    /// A stable name of the reason, for counting.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(rejected) => rejected.reason.code(),
            Self::Refused { refusal: Refusal::ContentTooLarge, .. } => "content_too_large",
            Self::Refused { refusal: Refusal::BadId, .. } => "bad_id",
            Self::Refused { refusal: Refusal::NotForGroups, .. } => "group_not_allowed",
            Self::GroupTooLarge { .. } => "group_too_large",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(rejected) => rejected.fmt(f),
            Self::Refused { resource, refusal } => write!(f, "resource {resource}: {refusal}"),
            Self::GroupTooLarge { resource } => write!(
                f,
                "resource {resource} (Group): more than {} members; split it into several groups",
                PUT_ENTRIES_MAX - 1
            ),
        }
    }
}

/// Place of a resource that only its count tells.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Counted {
    Resource(u64),
}

impl Serialize for Notice {
    /// `{"place":{"line":3},"resource_type":"Patient","reason":"missing","message":"line 3 (Patient): …"}`
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (resource, kind) = match self {
            Self::Unreadable(rejected) => return rejected.serialize(serializer),
            Self::Refused { resource, .. } => (*resource, None),
            Self::GroupTooLarge { resource } => (*resource, Some("Group")),
        };
        let mut out = serializer.serialize_struct("Notice", 4)?;
        out.serialize_field("place", &Counted::Resource(resource))?;
        out.serialize_field("resource_type", &kind)?;
        out.serialize_field("reason", self.code())?;
        out.serialize_field("message", &self.to_string())?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hibiki_records::fhir::Reason;
    use hibiki_records::ingest::Place;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_has_place_reason_and_message() {
        let unreadable = Notice::Unreadable(Rejected {
            place: Place::Line(3),
            resource_type: None,
            reason: Reason::NotJson,
        });
        let shown = serde_json::to_value(unreadable).unwrap();
        assert_eq!((&shown["place"], &shown["reason"]), (&json!({"line": 3}), &json!("not_json")));
        let refused = Notice::Refused { resource: 7, refusal: Refusal::BadId };
        let shown = serde_json::to_value(refused).unwrap();
        assert_eq!(shown["place"], json!({"resource": 7}));
        assert_eq!(shown["reason"], "bad_id");
        assert!(shown["message"].as_str().unwrap().starts_with("resource 7: an id is empty"));
        let group = serde_json::to_value(Notice::GroupTooLarge { resource: 1 }).unwrap();
        assert_eq!(group["resource_type"], "Group");
        assert!(group["message"].as_str().unwrap().contains("1999 members"));
    }
}
