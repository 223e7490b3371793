//! The document's own resources: Patient, Device, Organization, Provenance.
//!
//! Must not know records.

use serde_json::{Value, json};

use super::{Source, Subject};
use crate::fhir::codes;

/// Name space of the federation's member ids.
const MEMBER: &str = "https://hibiki.example/fhir/NamingSystem/member";

/// The Patient, of the registry's attested facts alone.
pub(super) fn patient(id: &str, subject: &Subject) -> Value {
    let name = |representation: &str, text: &str| {
        // Japanese names are written family name first; a name of one word is not taken apart.
        let mut name = json!({
            "extension": [{ "url": codes::NAME_REPRESENTATION, "valueCode": representation }],
            "use": "official",
            "text": text,
        });
        match text.split_once([' ', '\u{3000}']).map(|(family, given)| (family, given.trim())) {
            Some((family, given)) if !family.is_empty() && !given.is_empty() => {
                name["family"] = json!(family);
                name["given"] = given.split_whitespace().collect();
            }
            _ => name["family"] = json!(text),
        }
        name
    };
    let kana = subject.kana.iter().map(|kana| name("SYL", kana.trim()));
    let names: Vec<Value> = std::iter::once(name("IDE", subject.name.trim())).chain(kana).collect();
    json!({
        "resourceType": "Patient",
        "id": id,
        "language": "ja",
        "active": true,
        "name": names,
        "gender": subject.sex.code(),
        "birthDate": subject.birth.to_string(),
    })
}

/// What put the document together: nobody has curated it.
pub(super) fn device(id: &str) -> Value {
    json!({
        "resourceType": "Device",
        "id": id,
        "deviceName": [{ "name": "Hibiki", "type": "user-friendly-name" }],
        "type": { "text": "保護者の端末で各機関の回答をまとめるソフトウェア (software that assembles institutions' answers)" },
    })
}

/// An institution that was asked.
pub(super) fn organization(id: &str, source: &Source<'_>) -> Value {
    json!({
        "resourceType": "Organization",
        "id": id,
        "identifier": [{ "system": MEMBER, "value": source.id }],
        "name": source.name.0,
        "alias": [source.name.1],
    })
}

/// Which resources are an institution's own, and how current they are.
pub(super) fn provenance(id: &str, organization: &str, targets: &[String], recorded: &str) -> Value {
    let targets: Vec<Value> = targets.iter().map(|target| json!({ "reference": target })).collect();
    json!({
        "resourceType": "Provenance",
        "id": id,
        "target": targets,
        "recorded": recorded,
        "agent": [{
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                "code": "custodian",
                "display": "Custodian",
            }] },
            "who": { "reference": organization },
        }],
    })
}
