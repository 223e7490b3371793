//! FHIR R4 in the shapes of JP Core: what an institution's export looks like.
//!
//! Must not know ages or schedules.

use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::codes;
use serde_json::{Value, json};

use crate::house::House;
use crate::population::Resident;

/// A Patient with kanji (IDE) and kana (SYL) name: its key and its line.
pub(crate) fn patient(number: &str, person: &Resident) -> (String, String) {
    let name = |representation: &str, text: &str| {
        let (family, given) = text.split_once(' ').unwrap_or((text, ""));
        json!({
            "extension": [{ "url": codes::NAME_REPRESENTATION, "valueCode": representation }],
            "use": "official", "text": text, "family": family, "given": [given],
        })
    };
    let resource = json!({
        "resourceType": "Patient",
        "id": number,
        "meta": { "profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"] },
        "identifier": [{ "type": { "coding": [{ "system": codes::IDENTIFIER_TYPE, "code": "MR" }] }, "value": number }],
        "active": true,
        "name": [name("IDE", &person.name), name("SYL", &person.kana)],
        "gender": person.sex.code(),
        "birthDate": person.birth.to_string(),
    });
    (format!("Patient/{number}"), resource.to_string())
}

/// The resource with its id and its reference to the patient: its key and its line.
pub(crate) fn about(resource: &Value, number: &str, id: &str) -> (String, String) {
    let mut resource = resource.clone();
    let kind = resource["resourceType"].as_str().unwrap_or_default().to_owned();
    let element = match kind.as_str() {
        "Immunization" | "AllergyIntolerance" => "patient",
        "Task" => "for",
        _ => "subject",
    };
    resource["id"] = json!(id);
    resource[element] = json!({ "reference": format!("Patient/{number}") });
    (format!("{kind}/{id}"), resource.to_string())
}

/// The resource with the house's own category on it.
pub(crate) fn tagged(category: Category, mut resource: Value) -> Value {
    let tag = json!({ "system": codes::RECORD_CATEGORY, "code": category.wire_name() });
    resource["meta"]["tag"] = json!([tag]);
    resource
}

/// Codings in several systems, and words.
pub(crate) fn concept(codings: &[(&str, &str)], ja: &str, en: &str) -> Value {
    let coding = |(system, code): &(&str, &str)| json!({ "system": system, "code": code, "display": en });
    json!({ "coding": codings.iter().map(coding).collect::<Vec<_>>(), "text": ja })
}

/// An observation of a quantity.
pub(crate) fn quantity(code: Value, day: CalendarDate, value: &Value, unit: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "code": code,
        "effectiveDateTime": day.to_string(),
        "valueQuantity": { "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit },
    })
}

/// An observation in words.
pub(crate) fn finding(code: Value, day: CalendarDate, value: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "code": code,
        "effectiveDateTime": day.to_string(), "valueString": value,
    })
}

/// Who did it, in words: an institution's export names itself.
pub(crate) fn performer(house: House) -> Value {
    json!([{ "actor": { "display": house.names().0 } }])
}

/// A number with this many decimals, as it is written.
pub(crate) fn decimal(value: f64, decimals: usize) -> Value {
    serde_json::from_str(&format!("{value:.decimals$}")).unwrap_or(Value::Null)
}
