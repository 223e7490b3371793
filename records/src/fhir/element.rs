//! Datatypes of FHIR R4 as far as we read them, and the strict readers of one element.
//!
//! Must not know which resource an element belongs to.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reason;

/// A string that borrows from the resource unless it contains escapes.
pub(crate) type Text<'a> = Cow<'a, str>;

#[derive(Deserialize)]
pub(crate) struct Coding<'a> {
    #[serde(borrow)]
    pub(crate) system: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) display: Option<Text<'a>>,
}

impl Coding<'_> {
    pub(crate) fn is(&self, system: &str, code: &str) -> bool {
        self.system.as_deref() == Some(system) && self.code.as_deref() == Some(code)
    }
}

/// A CodeableConcept, or a bare Coding read as a concept of one coding.
#[derive(Deserialize)]
pub(crate) struct Concept<'a> {
    #[serde(borrow)]
    coding: Option<Vec<Coding<'a>>>,
    #[serde(borrow)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow)]
    system: Option<Text<'a>>,
    #[serde(borrow)]
    code: Option<Text<'a>>,
    #[serde(borrow)]
    display: Option<Text<'a>>,
}

impl<'a> Concept<'a> {
    /// All codings.
    pub(crate) fn codings(&self) -> impl Iterator<Item = &Coding<'a>> {
        self.coding.iter().flatten()
    }

    fn normal(mut self) -> Self {
        if self.code.is_some() {
            let own =
                Coding { system: self.system.take(), code: self.code.take(), display: self.display.take() };
            self.coding.get_or_insert_default().push(own);
        }
        self
    }
}

#[derive(Deserialize)]
pub(crate) struct Identifier<'a> {
    #[serde(borrow)]
    pub(crate) system: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) value: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Option<Concept<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Reference<'a> {
    #[serde(borrow)]
    pub(crate) reference: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) identifier: Option<Identifier<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Period<'a> {
    #[serde(borrow)]
    pub(crate) start: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) end: Option<Text<'a>>,
}

/// `Task.restriction`: the period within which it is wanted.
#[derive(Deserialize)]
pub(crate) struct Restriction<'a> {
    #[serde(borrow)]
    pub(crate) period: Option<Period<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, rename = "lastUpdated")]
    pub(crate) last_updated: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) tag: Option<Vec<Coding<'a>>>,
}

/// `Appointment.participant`.
#[derive(Deserialize)]
pub(crate) struct Participant<'a> {
    #[serde(borrow)]
    pub(crate) actor: Option<Reference<'a>>,
}

/// `Group.member`.
#[derive(Deserialize)]
pub(crate) struct Member<'a> {
    #[serde(borrow)]
    pub(crate) entity: Option<Reference<'a>>,
    pub(crate) inactive: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct HumanName<'a> {
    #[serde(borrow)]
    pub(crate) r#use: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) family: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) given: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    extension: Option<Vec<Extension<'a>>>,
}

#[derive(Deserialize)]
struct Extension<'a> {
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow, rename = "valueCode")]
    value_code: Option<Text<'a>>,
}

impl HumanName<'_> {
    /// `IDE` (漢字), `SYL` (カナ) or `ABC` (Latin), where the name says so (JP Core).
    pub(crate) fn representation(&self) -> Option<&str> {
        let mark =
            |extension: &&Extension<'_>| extension.url.as_deref() == Some(super::codes::NAME_REPRESENTATION);
        self.extension.iter().flatten().find(mark)?.value_code.as_deref()
    }
}

/// Reads an object; `None` when absent.
pub(crate) fn one<'a, T: Deserialize<'a>>(
    raw: Option<&'a RawValue>,
    field: &'static str,
) -> Result<Option<T>, Reason> {
    raw.map(|raw| object(raw, field)).transpose()
}

/// Reads a list of objects; empty when absent.
pub(crate) fn list<'a, T: Deserialize<'a>>(
    raw: Option<&'a RawValue>,
    field: &'static str,
) -> Result<Vec<T>, Reason> {
    raw_list(raw, field)?.into_iter().map(|raw| object(raw, field)).collect()
}

fn raw_list<'a>(raw: Option<&'a RawValue>, field: &'static str) -> Result<Vec<&'a RawValue>, Reason> {
    raw.map_or_else(|| Ok(Vec::new()), |raw| any(raw, field))
}

/// The parser would take a list for an object, value by value in the order of our fields.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue, field: &'static str) -> Result<T, Reason> {
    if raw.get().starts_with('{') { any(raw, field) } else { Err(Reason::Malformed(field)) }
}

fn any<'a, T: Deserialize<'a>>(raw: &'a RawValue, field: &'static str) -> Result<T, Reason> {
    serde_json::from_str(raw.get()).map_err(|error| shape(&error, field))
}

/// Reads a string; FHIR strings are never empty.
pub(crate) fn text<'a>(raw: Option<&'a RawValue>, field: &'static str) -> Result<Option<Text<'a>>, Reason> {
    match raw.map(|raw| any::<Borrowed<'a>>(raw, field)).transpose()? {
        Some(Borrowed(text)) if text.trim().is_empty() => Err(Reason::Malformed(field)),
        other => Ok(other.map(|Borrowed(text)| text)),
    }
}

/// Reads one or several concepts. FHIR has elements of one name that are a concept, a coding or a list of
/// them depending on the resource; plain codes carry no system and are passed over.
pub(crate) fn concepts<'a>(
    raw: Option<&'a RawValue>,
    field: &'static str,
) -> Result<Vec<Concept<'a>>, Reason> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    let each: Vec<&'a RawValue> = match raw.get().as_bytes().first() {
        Some(b'[') => raw_list(Some(raw), field)?,
        _ => vec![raw],
    };
    each.into_iter()
        .filter(|raw| !raw.get().starts_with('"'))
        .map(|raw| object::<Concept<'a>>(raw, field))
        .map(|concept| concept.map(Concept::normal))
        .collect()
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Borrowed<'a>(#[serde(borrow)] Text<'a>);

/// What a parser error means, without a word of what it quotes.
pub(crate) fn shape(error: &serde_json::Error, field: &'static str) -> Reason {
    if !error.is_data() {
        Reason::NotJson
    } else if error.to_string().starts_with("duplicate field") {
        Reason::DuplicateKey(field)
    } else {
        Reason::Malformed(field)
    }
}
