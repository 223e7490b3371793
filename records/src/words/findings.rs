//! Measurements, and visits, findings and reports of check-ups.
//!
//! Must not know to which kind of check-up they belong.

use serde_json::Value;

use super::Summary;
use super::concept::Concept;
use super::numbers::{Quantities, Quantity};
use crate::fhir::codes;

/// A body measurement: name and value.
pub(super) fn measurement(resource: &Value, content: &[u8]) -> Option<Summary> {
    let concept = Concept::of(resource.get("code")?);
    let ours = concept.codings().find_map(|(system, code)| codes::measurement(system, code));
    let name = match ours {
        Some(known) => Summary::new(known.ja, known.en),
        None => concept.words(None)?,
    };
    Some(with_value(name, value(resource, content)))
}

/// Whatever a check-up consists of: what it is called, and what was found.
pub(super) fn finding(resource: &Value, content: &[u8]) -> Option<Summary> {
    if resource.get("resourceType").and_then(Value::as_str) == Some("Observation")
        && let Some(line) = measurement(resource, content)
    {
        return Some(line);
    }
    let candidates = ["type", "code", "category", "serviceType"];
    let concepts: Vec<Concept<'_>> = candidates
        .into_iter()
        .filter_map(|element| resource.get(element))
        .flat_map(|value| value.as_array().map_or_else(|| vec![value], |list| list.iter().collect()))
        .map(Concept::of)
        .collect();
    let checkup = concepts.iter().flat_map(Concept::codings).find_map(|(system, code)| {
        codes::CHILD_CHECKUPS.iter().find(|(known, ..)| system == codes::CHILD_CHECKUP && *known == code)
    });
    let title = resource.get("title").and_then(Value::as_str);
    let name = match (checkup, title) {
        (Some((_, ja, en)), _) => Summary::new(*ja, *en),
        (None, Some(title)) => Summary::new(title, title),
        (None, None) => concepts.iter().find_map(|concept| concept.words(None))?,
    };
    Some(with_value(name, value(resource, content)))
}

fn with_value(name: Summary, value: Option<Summary>) -> Summary {
    match value {
        Some(value) => Summary::new(format!("{} {}", name.ja, value.ja), format!("{} {}", name.en, value.en)),
        None => name,
    }
}

/// The value of an Observation or the conclusion of a DiagnosticReport.
fn value(resource: &Value, content: &[u8]) -> Option<Summary> {
    let quantity = Quantities::of(content).and_then(|quantities| quantities.value);
    value_of(resource, quantity.as_ref())
}

/// The value that an Observation or one of its components has, its quantity read beforehand.
pub(crate) fn value_of(holder: &Value, quantity: Option<&Quantity<'_>>) -> Option<Summary> {
    let same = |text: String| Summary::new(text.clone(), text);
    if holder.get("valueQuantity").is_some() {
        return quantity.and_then(Quantity::shown).map(same);
    }
    if let Some(concept) = holder.get("valueCodeableConcept") {
        return Concept::of(concept).words(None);
    }
    if let Some(yes) = holder.get("valueBoolean").and_then(Value::as_bool) {
        return Some(if yes { Summary::new("あり", "yes") } else { Summary::new("なし", "no") });
    }
    if let Some(number) = holder.get("valueInteger").and_then(Value::as_i64) {
        return Some(same(number.to_string()));
    }
    if let Some(ratio) = holder.get("valueRatio") {
        // A titre such as 1:64.
        let side = |name: &str| ratio.get(name)?.get("value")?.as_f64();
        return Some(same(format!("{}:{}", side("numerator")?, side("denominator")?)));
    }
    let text = ["valueString", "valueDateTime", "valueDate", "valueTime", "conclusion"]
        .into_iter()
        .find_map(|element| holder.get(element)?.as_str())?;
    Some(same(text.to_owned()))
}
