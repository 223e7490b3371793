//! One stored record read for display: its elements as they are, and what every reader of facts asks first.
//!
//! Ingest was strict about what decides category, subject and date; here the content may come from an
//! institution of any version, so nothing but JSON of a bounded size is relied on. Must not know what any
//! element means.

use serde_json::Value;

use super::resource::Resource;
use super::{Reason, Standing, standing, when};
use crate::date::FhirTime;

/// A stored FHIR resource.
pub(crate) struct Stored<'a> {
    /// The verbatim bytes, for what must not be re-printed.
    pub(crate) content: &'a [u8],
    /// The whole resource.
    pub(crate) value: Value,
    /// Its effective date, where it has one that can be read.
    pub(crate) when: Result<FhirTime, Reason>,
    /// Whether it still holds.
    pub(crate) standing: Standing,
    kind: &'static str,
}

impl<'a> Stored<'a> {
    /// Reads verbatim content.
    pub(crate) fn read(content: &'a [u8]) -> Result<Self, Reason> {
        let text = std::str::from_utf8(content).map_err(|_| Reason::NotUtf8)?;
        let resource = Resource::read(text).map_err(|(_, reason)| reason)?;
        let value = serde_json::from_str(text).map_err(|_| Reason::NotJson)?;
        let when = when::effective(&resource);
        Ok(Self { content, value, when, standing: standing(content), kind: resource.kind.name() })
    }

    /// Reads verbatim content of one of these resource types.
    pub(crate) fn of_types(content: &'a [u8], types: &[&str]) -> Result<Self, Reason> {
        let stored = Self::read(content)?;
        if types.contains(&stored.kind) { Ok(stored) } else { Err(Reason::Malformed("resourceType")) }
    }

    /// Name of the resource type.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// The FHIR time at a JSON pointer, where one stands there that can be read.
    pub(crate) fn time(&self, pointer: &str) -> Option<FhirTime> {
        FhirTime::parse(self.text(pointer)?).ok()
    }

    /// The elements of the list at a JSON pointer; none when there is no list.
    pub(crate) fn list(&self, pointer: &str) -> impl Iterator<Item = &Value> {
        self.value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
    }
}
