//! From text to [`Shape`]: every wrong key and every wrong type of the file at once, each with its place.
//!
//! The known keys come from serde's own derives, so there is no second list to forget. Must not know: what
//! any key means.

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, IntoDeserializer as _, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::nearest::nearest;
use super::problem::{Place, Places, Problem};
use super::shape::{self, Shape};

/// What was understood of a file.
pub(super) struct Parsed {
    pub(super) shape: Shape,
    pub(super) places: Places,
    pub(super) problems: Vec<Problem>,
}

/// Reads `text`. Whatever is wrong is reported and left out; the rest is read on.
pub(super) fn parse(text: &str) -> Parsed {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, places: Places::default(), problems: Vec::new() };
    for error in errors {
        reader.report(error.span(), None, format!("not TOML: {}", error.message()), None);
    }
    let mut shape = Shape::default();
    // After a syntax error everything may be misread: further complaints would mislead.
    if reader.problems.is_empty() {
        reader.sections(document.into_inner(), &mut shape);
    }
    Parsed { shape, places: reader.places, problems: reader.problems }
}

struct Reader<'t> {
    text: &'t str,
    places: Places,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn sections(&mut self, document: DeTable<'_>, shape: &mut Shape) {
        let known = fields_of::<Shape>();
        for (name, value) in document {
            let (span, key) = (name.span(), name.get_ref().as_ref());
            if !known.contains(&key) {
                self.unknown(span, None, key, known);
                continue;
            }
            self.places.note(key, self.text, &span);
            match value.into_inner() {
                DeValue::Table(table) => self.section(key, table, shape),
                _ => {
                    let next = format!("write [{key}] on a line of its own and its keys below");
                    self.report(Some(span), Some(key.to_owned()), "this is a section".into(), Some(next));
                }
            }
        }
    }

    fn section(&mut self, name: &str, table: DeTable<'_>, shape: &mut Shape) {
        match name {
            "node" => shape.node = self.keys(name, table),
            "roles" => shape.roles = self.keys(name, table),
            "listen" => shape.listen = self.keys(name, table),
            "federation" => shape.federation = self.keys(name, table),
            "gateway" => shape.gateway = self.keys(name, table),
            "links" => shape.links = self.keys(name, table),
            "registry" => shape.registry = self.keys(name, table),
            "store" => shape.store = self.keys(name, table),
            "ledger" => shape.ledger = self.keys(name, table),
            "witnesses" => shape.witnesses = self.keys(name, table),
            "records" => shape.records = self.keys(name, table),
            "ingest" => shape.ingest = self.keys(name, table),
            "admin" => shape.admin = self.keys(name, table),
            "metrics" => shape.metrics = self.keys(name, table),
            "log" => shape.log = self.keys(name, table),
            "limits" => shape.limits = self.keys(name, table),
            "policy" => shape.policy = self.keys(name, table),
            "school" => shape.school = self.keys(name, table),
            "mail" => shape.mail = self.keys(name, table),
            "staff-page" => shape.staff_page = self.keys(name, table),
            "udp" => shape.udp = self.keys(name, table),
            // Unreachable while the names above are those of `Shape`; a test walks all of them.
            _ => self.report(None, Some(name.to_owned()), "this section is not read".into(), None),
        }
    }

    /// Reads one section key by key: each alone first, so that a wrong one does not hide the others.
    fn keys<T: DeserializeOwned + Default>(&mut self, section: &str, table: DeTable<'_>) -> T {
        let known = fields_of::<T>();
        let mut good = DeTable::new();
        for (name, value) in table {
            let key = name.get_ref().as_ref();
            if !known.contains(&key) {
                self.unknown(name.span(), Some(section), key, known);
                continue;
            }
            let dotted = format!("{section}.{key}");
            self.places.note(&dotted, self.text, &name.span());
            let mut alone = DeTable::new();
            alone.insert(name.clone(), value.clone());
            match read::<T>(alone) {
                Ok(_) => drop(good.insert(name, value)),
                Err(error) => {
                    self.report(Some(value.span()), Some(dotted), error.message().replace('\n', " "), None);
                }
            }
        }
        // Each key was read alone already, so together they read as well.
        read(good).unwrap_or_default()
    }

    fn unknown(
        &mut self,
        span: std::ops::Range<usize>,
        section: Option<&str>,
        key: &str,
        known: &'static [&'static str],
    ) {
        let (what, next) = match section {
            None => (format!("unknown section [{key}]"), nearest(key, known.iter().copied())),
            Some(section) => {
                (format!("unknown key {key:?} in [{section}]"), nearest(key, known.iter().copied()))
            }
        };
        let next = match next {
            Some(near) => format!("did you mean {near:?}?"),
            None => match section_of(key) {
                Some(home) => format!("this key belongs into [{home}]"),
                None => format!("known here: {}", known.join(", ")),
            },
        };
        self.report(Some(span), None, what, Some(next));
    }

    fn report(
        &mut self,
        span: Option<std::ops::Range<usize>>,
        key: Option<String>,
        what: String,
        next: Option<String>,
    ) {
        let place = span.map(|span| Place::of(self.text, span.start));
        self.problems.push(Problem { place, key, what, next });
    }
}

fn read<T: DeserializeOwned>(table: DeTable<'_>) -> Result<T, toml::de::Error> {
    T::deserialize(ValueDeserializer::from(Spanned::new(0..0, DeValue::Table(table))))
}

/// Every key of the file: section, and the keys in it.
pub(super) fn all_keys() -> Vec<(&'static str, &'static [&'static str])> {
    fields_of::<Shape>().iter().map(|&section| (section, keys_of(section))).collect()
}

fn keys_of(section: &str) -> &'static [&'static str] {
    match section {
        "node" => fields_of::<shape::Node>(),
        "roles" => fields_of::<shape::Roles>(),
        "listen" => fields_of::<shape::Listen>(),
        "federation" => fields_of::<shape::Federation>(),
        "gateway" => fields_of::<shape::Gateway>(),
        "links" => fields_of::<shape::Links>(),
        "registry" => fields_of::<shape::Registry>(),
        "store" => fields_of::<shape::Store>(),
        "ledger" => fields_of::<shape::Ledger>(),
        "witnesses" => fields_of::<shape::Witnesses>(),
        "records" => fields_of::<shape::Records>(),
        "ingest" => fields_of::<shape::Ingest>(),
        "admin" => fields_of::<shape::Admin>(),
        "metrics" => fields_of::<shape::Metrics>(),
        "log" => fields_of::<shape::Log>(),
        "limits" => fields_of::<shape::Limits>(),
        "policy" => fields_of::<shape::Policy>(),
        "school" => fields_of::<shape::School>(),
        "mail" => fields_of::<shape::Mail>(),
        "staff-page" => fields_of::<shape::StaffPage>(),
        "udp" => fields_of::<shape::Udp>(),
        _ => &[],
    }
}

/// The one section that has this key, if it is only one.
fn section_of(key: &str) -> Option<&'static str> {
    let mut homes =
        all_keys().into_iter().filter(|(_, keys)| keys.contains(&key)).map(|(section, _)| section);
    match (homes.next(), homes.next()) {
        (Some(home), None) => Some(home),
        _ => None,
    }
}

/// The field names of a struct as serde's derive knows them.
fn fields_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // The capture always ends in an error: it has no value to give.
    let _ = T::deserialize(FieldNames(&mut fields));
    fields
}

/// A deserializer that only listens to which fields are asked for.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> de::Deserializer<'de> for FieldNames<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        ().into_deserializer().deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
