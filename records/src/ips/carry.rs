//! Carrying an institution's resource into the document as it is written.
//!
//! Owns what becomes of ids and references:
//!
//! - the resource's own `id` becomes the one given;
//! - its subject (`subject`, `patient`, `for`, `beneficiary`), and any other reference to the same patient, leads to
//!   the document's Patient: an institution's own number of the patient stays at the institution;
//! - a reference to another carried resource of the same institution leads to it;
//! - `#contained` and absolute URLs stay;
//! - any other reference would lead nowhere, or to whatever has that number in the reader's system: it becomes a
//!   logical reference, with the institution's name space as `identifier.system`.
//!
//! Everything else is copied byte for byte within its value. Must not know sections.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::fhir::node::Node;
use crate::fhir::{codes, reference};

/// Name space of references within one institution; its id follows.
const WITHIN: &str = "https://hibiki.example/fhir/member/";
const SUBJECTS: [&str; 4] = ["subject", "patient", "for", "beneficiary"];

/// Where the references of one institution's resources lead.
pub(super) struct Carrier<'a> {
    /// Id of the institution.
    pub(super) institution: &'a str,
    /// `fullUrl` of the document's Patient.
    pub(super) patient: String,
    /// `fullUrl` of each carried resource, by `Type/id` and by `urn:uuid:id`.
    pub(super) carried: BTreeMap<String, String>,
    /// What this institution calls the patient: every reference its resources have as their subject.
    pub(super) subjects: BTreeSet<String>,
}

/// Names under which other resources of the institution may refer to this one.
pub(super) fn names(resource: Node<'_>) -> Vec<String> {
    let (Some(kind), Some(id)) = (text(resource, "resourceType"), text(resource, "id")) else {
        return Vec::new();
    };
    vec![format!("{kind}/{id}"), format!("urn:uuid:{id}")]
}

/// What the resource calls its subject.
pub(super) fn subject(resource: Node<'_>) -> Option<String> {
    let reference = SUBJECTS.into_iter().find_map(|name| text(resource.get(name)?, "reference"))?;
    Some(plain(&reference).to_owned())
}

fn text(node: Node<'_>, name: &str) -> Option<String> {
    node.get(name)?.text().map(Cow::into_owned)
}

/// A reference without the version it may name.
fn plain(reference: &str) -> &str {
    reference.split_once("/_history/").map_or(reference, |(plain, _)| plain)
}

impl Carrier<'_> {
    /// The resource with its new id; `None` where a name stands twice in one of its objects: which of the two counts
    /// is different from reader to reader.
    pub(super) fn carry(&self, resource: Node<'_>, id: &str) -> Option<String> {
        let members = distinct(resource)?;
        let mut out = String::with_capacity(resource.written().len() + 64);
        let mut object = Object::open(&mut out);
        let mut identified = false;
        for (name, value) in members {
            match name.as_str() {
                "id" => {
                    identified = true;
                    object.string("id", id);
                }
                name if SUBJECTS.contains(&name) && value.get("reference").is_some() => {
                    object.raw(name, &self.to_patient());
                }
                // A subject known by its number alone.
                "subject" | "patient" if value.get("identifier").is_some() => {
                    object.raw(&name, &self.to_patient());
                }
                _ => {
                    let mut copied = String::new();
                    self.copy(value, &mut copied)?;
                    object.raw(&name, &copied);
                }
            }
        }
        if !identified {
            object.string("id", id);
        }
        object.close();
        Some(out)
    }

    fn to_patient(&self) -> String {
        let mut out = String::new();
        let mut object = Object::open(&mut out);
        object.string("reference", &self.patient);
        object.close();
        out
    }

    /// Nesting is bounded by [`Node::object`], from which every node here comes.
    fn copy(&self, node: Node<'_>, out: &mut String) -> Option<()> {
        if node.written().starts_with('[') {
            out.push('[');
            for (place, item) in node.items().into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                self.copy(item, out)?;
            }
            out.push(']');
            return Some(());
        }
        if !node.written().starts_with('{') {
            out.push_str(node.written());
            return Some(());
        }
        let members = distinct(node)?;
        let reference =
            members.iter().find(|(name, _)| name == "reference").and_then(|(_, value)| value.text());
        let leads = reference.map(|reference| self.follow(&reference));
        let mut object = Object::open(out);
        for (name, value) in &members {
            match (name.as_str(), &leads) {
                ("reference", Some(Leads::To(url))) => object.string("reference", url),
                ("reference", Some(Leads::Nowhere { kind, system, value })) => {
                    let has = |name: &str| members.iter().any(|(known, _)| known == name);
                    if let Some(kind) = kind.filter(|_| !has("type")) {
                        object.string("type", kind);
                    }
                    if !has("identifier") {
                        let mut identifier = String::new();
                        let mut inner = Object::open(&mut identifier);
                        inner.string("system", system);
                        inner.string("value", value);
                        inner.close();
                        object.raw("identifier", &identifier);
                    }
                }
                // The patient's number at the institution goes with the reference to the patient.
                ("identifier", Some(Leads::To(url))) if *url == self.patient => {}
                _ => {
                    let mut copied = String::new();
                    self.copy(*value, &mut copied)?;
                    object.raw(name, &copied);
                }
            }
        }
        object.close();
        Some(())
    }

    fn follow(&self, reference: &str) -> Leads {
        let unversioned = plain(reference);
        if self.subjects.contains(unversioned) {
            return Leads::To(self.patient.clone());
        }
        if let Some(url) = self.carried.get(unversioned) {
            return Leads::To(url.clone());
        }
        if ["#", "https://", "http://"].iter().any(|prefix| reference.starts_with(prefix)) {
            return Leads::Stays;
        }
        let kind = |name: &str| codes::RESOURCE_TYPES.iter().find(|known| **known == name).copied();
        if reference.starts_with("urn:") {
            let (system, value) = ("urn:ietf:rfc:3986".to_owned(), reference.to_owned());
            return Leads::Nowhere { kind: None, system, value };
        }
        if let Some((name, query)) = reference.split_once("?identifier=")
            && let Some(query) = reference::percent_decoded(query)
        {
            let (system, value) = query.split_once('|').unwrap_or(("", &query));
            let within = || format!("{WITHIN}{}", self.institution);
            let system = if system.is_empty() { within() } else { system.to_owned() };
            return Leads::Nowhere { kind: kind(name), system, value: value.to_owned() };
        }
        Leads::Nowhere {
            kind: reference::relative(unversioned).and_then(|(name, _)| kind(name)),
            system: format!("{WITHIN}{}", self.institution),
            value: reference.to_owned(),
        }
    }
}

/// Where a reference leads.
enum Leads {
    To(String),
    Stays,
    Nowhere { kind: Option<&'static str>, system: String, value: String },
}

/// The members of an object none of whose names stands twice.
fn distinct(node: Node<'_>) -> Option<Vec<(String, Node<'_>)>> {
    let members = node.members()?;
    let names: BTreeSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    (names.len() == members.len()).then_some(members)
}

/// A JSON object being written.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn raw(&mut self, name: &str, value: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        self.out.push_str(&quoted(name));
        self.out.push(':');
        self.out.push_str(value);
    }

    fn string(&mut self, name: &str, value: &str) {
        self.raw(name, &quoted(value));
    }

    fn close(self) {
        self.out.push('}');
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrier() -> Carrier<'static> {
        Carrier {
            institution: "maebashi/chuo-hospital",
            patient: "urn:uuid:patient".into(),
            carried: [("Observation/o1".into(), "urn:uuid:new".into())].into(),
            subjects: ["Patient/00123".into()].into(),
        }
    }

    fn carried(resource: &str) -> String {
        carrier().carry(Node::object(resource.as_bytes()).unwrap(), "n1").unwrap()
    }

    #[test]
    fn values_are_carried_as_they_are_written() {
        let resource = r#"{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/00123","display":"前橋 花子"},
            "valueQuantity":{ "value" : 52.690000000000000001 , "unit":"\u0063m"},"component":[{"valueQuantity":{"value":1E2}}, true,null,[]],"a":{}}"#;
        assert_eq!(
            carried(resource),
            r#"{"resourceType":"Observation","id":"n1","subject":{"reference":"urn:uuid:patient"},"valueQuantity":{"value":52.690000000000000001,"unit":"\u0063m"},"component":[{"valueQuantity":{"value":1E2}},true,null,[]],"a":{}}"#
        );
    }

    #[test]
    fn references_lead_somewhere_or_say_what_they_meant() {
        let reference = |text: &str| {
            let resource =
                format!(r#"{{"resourceType":"X","id":"x","focus":{{"reference":"{text}","display":"d"}}}}"#);
            let value: serde_json::Value = serde_json::from_str(&carried(&resource)).unwrap();
            value["focus"].clone()
        };
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        for (text, expected) in [
            ("Patient/00123", r#"{"reference":"urn:uuid:patient","display":"d"}"#),
            ("Patient/00123/_history/2", r#"{"reference":"urn:uuid:patient","display":"d"}"#),
            ("Observation/o1", r#"{"reference":"urn:uuid:new","display":"d"}"#),
            (
                "https://his.example/fhir/Observation/o1",
                r#"{"reference":"https://his.example/fhir/Observation/o1","display":"d"}"#,
            ),
            ("#contained", r##"{"reference":"#contained","display":"d"}"##),
            (
                "https://his.example/fhir/Encounter/7",
                r#"{"reference":"https://his.example/fhir/Encounter/7","display":"d"}"#,
            ),
            (
                "Encounter/7",
                r#"{"type":"Encounter","identifier":{"system":"https://hibiki.example/fhir/member/maebashi/chuo-hospital","value":"Encounter/7"},"display":"d"}"#,
            ),
            (
                "Patient/00456",
                r#"{"type":"Patient","identifier":{"system":"https://hibiki.example/fhir/member/maebashi/chuo-hospital","value":"Patient/00456"},"display":"d"}"#,
            ),
            (
                "urn:uuid:8d78b15d-6e41-45d9-b369-c11917556707",
                r#"{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:8d78b15d-6e41-45d9-b369-c11917556707"},"display":"d"}"#,
            ),
            (
                "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi%7C9999",
                r#"{"type":"Practitioner","identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"9999"},"display":"d"}"#,
            ),
        ] {
            assert_eq!(reference(text), json(expected), "{text}");
        }
    }

    #[test]
    fn the_patient_s_number_stays_at_the_institution() {
        for subject in [
            r#"{"reference":"Patient/00123","identifier":{"value":"00123"}}"#,
            r#"{"identifier":{"value":"00123"}}"#,
        ] {
            let resource = format!(
                r#"{{"resourceType":"X","subject":{subject},"focus":{{"reference":"Patient/00123","identifier":{{"value":"00123"}}}}}}"#
            );
            assert!(!carried(&resource).contains("00123"));
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_not_carried() {
        for resource in [r#"{"a":1,"a":2}"#, r#"{"x":[{"a":1,"\u0061":2}]}"#] {
            assert!(carrier().carry(Node::object(resource.as_bytes()).unwrap(), "n").is_none());
        }
    }
}
