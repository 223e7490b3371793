//! The top level of a resource: the elements we look at, each still raw.
//!
//! Owns the list of those elements. Must not know what any of them decides.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Reason, codes, element, lexical};
use crate::ingest::limits;

macro_rules! resource {
    ($($field:ident = $name:literal,)*) => {
        /// A resource's relied-upon elements, borrowed from its bytes.
        #[derive(Deserialize)]
        pub(crate) struct Elements<'a> {
            $(#[serde(borrow, rename = $name)] pub(crate) $field: Option<&'a RawValue>,)*
        }

        const NAMES: &[&str] = &[$($name),*];
    };
}

resource! {
    resource_type = "resourceType",
    id = "id",
    meta = "meta",
    identifier = "identifier",
    status = "status",
    category = "category",
    kind = "type",
    class = "class",
    service_type = "serviceType",
    code = "code",
    title = "title",
    vaccine_code = "vaccineCode",
    subject = "subject",
    patient = "patient",
    beneficiary = "for",
    recipient = "recipient",
    participant = "participant",
    member = "member",
    name = "name",
    gender = "gender",
    birth_date = "birthDate",
    occurrence_date_time = "occurrenceDateTime",
    occurrence_string = "occurrenceString",
    effective_date_time = "effectiveDateTime",
    effective_period = "effectivePeriod",
    effective_instant = "effectiveInstant",
    issued = "issued",
    recorded_date = "recordedDate",
    onset_date_time = "onsetDateTime",
    onset_period = "onsetPeriod",
    last_occurrence = "lastOccurrence",
    authored_on = "authoredOn",
    authored = "authored",
    when_handed_over = "whenHandedOver",
    when_prepared = "whenPrepared",
    date_asserted = "dateAsserted",
    performed_date_time = "performedDateTime",
    performed_period = "performedPeriod",
    period = "period",
    date = "date",
    sent = "sent",
    received = "received",
    restriction = "restriction",
    execution_period = "executionPeriod",
    last_modified = "lastModified",
    start = "start",
    requested_period = "requestedPeriod",
    created = "created",
}

/// One resource: its bytes, its type and its elements.
pub(crate) struct Resource<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: ResourceType,
    pub(crate) elements: Elements<'a>,
}

/// A resource type of FHIR R4, or [`ResourceType::OTHER`]. Only names of the standard are ever repeated in
/// a report: what else a file may call itself is content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct ResourceType(&'static str);

impl ResourceType {
    /// Anything FHIR R4 does not know.
    pub const OTHER: Self = Self("other");

    /// The type of that name.
    pub fn named(name: &str) -> Self {
        codes::RESOURCE_TYPES.iter().find(|known| **known == name).map_or(Self::OTHER, |known| Self(known))
    }

    /// The name in the standard, or `other`.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl<'a> Resource<'a> {
    /// Checks size, depth and shape and finds the elements. The refusal knows the type where it could be
    /// read.
    pub(crate) fn read(text: &'a str) -> Result<Self, (Option<ResourceType>, Reason)> {
        let unknown = |reason| (None, reason);
        if text.len() > limits::RESOURCE_MAX_BYTES {
            return Err(unknown(Reason::ResourceTooLong));
        }
        if !lexical::nests_within(text, limits::DEPTH_MAX) {
            return Err(unknown(Reason::TooDeep));
        }
        let elements: Elements<'a> =
            serde_json::from_str(text).map_err(|error| unknown(top_level(&error, text)))?;
        if !text.starts_with('{') {
            // A list would also fit the elements one by one.
            return Err(unknown(Reason::NotAnObject));
        }
        let kind = element::text(elements.resource_type, "resourceType")
            .and_then(|name| name.ok_or(Reason::Missing("resourceType")))
            .map_err(unknown)?;
        Ok(Self { text, kind: ResourceType::named(&kind), elements })
    }
}

fn top_level(error: &serde_json::Error, text: &str) -> Reason {
    if !error.is_data() {
        return Reason::NotJson;
    }
    if !text.starts_with('{') {
        return Reason::NotAnObject;
    }
    let message = error.to_string();
    let doubled = message.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next());
    match doubled.and_then(|name| NAMES.iter().find(|known| **known == name)) {
        Some(name) => Reason::DuplicateKey(name),
        None => Reason::NotJson,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Reason {
        Resource::read(text).err().unwrap().1
    }

    #[test]
    fn elements_keep_their_bytes() {
        let resource =
            Resource::read(r#"{"resourceType":"Observation","id":"a","date" : 52.690000}"#).unwrap();
        assert_eq!(resource.kind.name(), "Observation");
        assert_eq!(resource.elements.date.unwrap().get(), "52.690000");
        assert!(resource.elements.code.is_none());
    }

    #[test]
    fn damage_is_told_apart() {
        assert_eq!(reason("{"), Reason::NotJson);
        assert_eq!(reason(r#"{"resourceType":"Patient"} x"#), Reason::NotJson);
        assert_eq!(reason("[]"), Reason::NotAnObject);
        assert_eq!(reason("7"), Reason::NotAnObject);
        assert_eq!(reason("\"Patient\""), Reason::NotAnObject);
        assert_eq!(reason("{}"), Reason::Missing("resourceType"));
        assert_eq!(reason(r#"{"resourceType":7}"#), Reason::Malformed("resourceType"));
        assert_eq!(reason(r#"{"resourceType":"Patient","id":"a","id":"b"}"#), Reason::DuplicateKey("id"));
        assert_eq!(
            reason(r#"{"resourceType":"Patient","id":"a","\u0069d":"b"}"#),
            Reason::DuplicateKey("id")
        );
        let deep = format!(r#"{{"resourceType":"Patient","x":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
        assert_eq!(reason(&deep), Reason::TooDeep);
        let long =
            format!(r#"{{"resourceType":"Patient","x":"{}"}}"#, "y".repeat(limits::RESOURCE_MAX_BYTES));
        assert_eq!(reason(&long), Reason::ResourceTooLong);
    }

    #[test]
    fn a_list_of_elements_is_not_a_resource() {
        let list = format!("[\"Patient\"{}]", ",null".repeat(NAMES.len() - 1));
        assert_eq!(reason(&list), Reason::NotAnObject);
    }

    #[test]
    fn only_names_of_the_standard_are_repeated() {
        assert_eq!(ResourceType::named("Claim").name(), "Claim");
        assert_eq!(ResourceType::named("前橋花子"), ResourceType::OTHER);
    }
}
