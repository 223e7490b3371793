//! A Bundle: one document, taken apart into entries that stand and fall alone.
//!
//! Owns the bundle types that are read and the index of whom its entries refer to. Must not know what an
//! entry means ([`super::interpret`]).

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::interpret::{self, Refusal};
use super::{Item, Place, Rejected, limits};
use crate::fhir::element::{self, Text};
use crate::fhir::reference::Index;
use crate::fhir::resource::Resource;
use crate::fhir::{Reason, lexical};

/// A document of which the entries are still to be read.
pub(super) struct Document {
    text: String,
    /// Each entry's place in `text`; a document that is itself a resource has the one range.
    entries: std::vec::IntoIter<(usize, Range<usize>)>,
    single: bool,
    index: Index,
}

/// The number of entries above the limit is refused while parsing; this is how the parser says so.
const TOO_MANY: &str = "too many entries";

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "resourceType")]
    resource_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    entry: Option<Entries<'a>>,
}

/// Bounded list of raw entries.
struct Entries<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Vec<&'de RawValue>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of entries")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    if entries.len() == limits::ENTRIES_MAX {
                        return Err(de::Error::custom(TOO_MANY));
                    }
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_seq(List).map(Entries)
    }
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, rename = "fullUrl")]
    full_url: Option<Text<'a>>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<Request<'a>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    method: Option<Text<'a>>,
}

impl Document {
    /// Parses the outer shape. `bytes` are without byte order mark.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, Rejected> {
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            damaged(error.as_bytes(), at, Reason::NotUtf8)
        })?;
        let whole = |reason| damaged(text.as_bytes(), 0, reason);
        if !lexical::trim(text.as_bytes()).starts_with(b"{") {
            return Err(whole(if text.trim().is_empty() { Reason::NotJson } else { Reason::NotAnObject }));
        }
        let head: Head<'_> = serde_json::from_str(&text).map_err(|error| parse_damage(&text, &error))?;
        let kind = element::text(head.resource_type, "resourceType")
            .and_then(|kind| kind.ok_or(Reason::Missing("resourceType")))
            .map_err(whole)?;
        if kind != "Bundle" {
            let range = single_range(&text);
            let entries = vec![(1, range)].into_iter();
            return Ok(Self { entries, single: true, index: Index::default(), text });
        }
        let bundle_type = element::text(head.kind, "type").map_err(whole)?;
        if !matches!(bundle_type.as_deref(), Some("transaction" | "batch" | "collection" | "searchset")) {
            return Err(whole(Reason::BundleType));
        }
        let raw = head.entry.map_or_else(Vec::new, |entries| entries.0);
        let index = index(&raw);
        let base = text.as_ptr().addr();
        let ranges: Vec<(usize, Range<usize>)> = raw
            .iter()
            .enumerate()
            .map(|(place, entry)| {
                let start = entry.get().as_ptr().addr() - base;
                (place + 1, start..start + entry.get().len())
            })
            .collect();
        Ok(Self { entries: ranges.into_iter(), single: false, index, text })
    }

    /// The next entry, read.
    pub(super) fn next(&mut self) -> Option<Result<Item, Rejected>> {
        let (place, range) = self.entries.next()?;
        let text = self.text.get(range).unwrap_or_default();
        let item = if self.single {
            interpret::interpret(text, None, &self.index, "a resource")
        } else {
            entry(text, &self.index)
        };
        Some(item.map_err(|(resource_type, reason)| Rejected {
            place: Place::Entry(place),
            resource_type,
            reason,
        }))
    }
}

fn entry(text: &str, index: &Index) -> Result<Item, Refusal> {
    if !text.starts_with('{') {
        return Err((None, Reason::Malformed("entry")));
    }
    let parsed: Entry<'_> =
        serde_json::from_str(text).map_err(|error| (None, element::shape(&error, "entry")))?;
    let method = parsed.request.and_then(|request| request.method);
    if method.as_deref() == Some("DELETE") {
        return Err((None, Reason::Deletion));
    }
    let resource = parsed.resource.ok_or((None, Reason::NoResource))?;
    interpret::interpret(resource.get(), parsed.full_url.as_deref(), index, "a Bundle")
}

/// Whom references within the bundle may lead to. Entries that cannot be read are left to their own refusal.
fn index(entries: &[&RawValue]) -> Index {
    let mut index = Index::default();
    for raw in entries {
        if !raw.get().starts_with('{') {
            continue;
        }
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(raw.get()) else { continue };
        let Some(resource) = entry.resource.and_then(|raw| Resource::read(raw.get()).ok()) else { continue };
        let full_url = entry.full_url.as_deref();
        match (interpret::identify(&resource, full_url), full_url) {
            (Some(subject), _) => index.add(full_url, &subject, &interpret::identifiers(&resource)),
            (None, Some(url)) => index.add_other(url),
            (None, None) => {}
        }
    }
    index
}

fn single_range(text: &str) -> Range<usize> {
    let trimmed = lexical::trim(text.as_bytes());
    let start = trimmed.as_ptr().addr() - text.as_ptr().addr();
    start..start + trimmed.len()
}

fn parse_damage(text: &str, error: &serde_json::Error) -> Rejected {
    let line_start =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let reason = if error.is_data() && error.to_string().starts_with(TOO_MANY) {
        Reason::TooManyEntries
    } else {
        element::shape(error, "entry")
    };
    damaged(text.as_bytes(), at, reason)
}

/// A refusal of the document, with the place in all three forms.
pub(super) fn damaged(bytes: &[u8], byte: usize, reason: Reason) -> Rejected {
    let before = bytes.get(..byte).unwrap_or(bytes);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let place = Place::Document { byte, line, column: byte - line_start.min(byte) + 1 };
    Rejected { place, resource_type: None, reason }
}
