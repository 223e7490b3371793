//! Whether a stored record still stands.
//!
//! A record sent again as `entered-in-error` replaces the earlier one in the store and withdraws it: whoever
//! displays, computes or exports asks [`standing`] first. Must not know storage.

use super::element;
use super::resource::Resource;
use super::{Reason, resource::Elements};

/// What the status of a resource says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Valid,
    /// It says that something was *not* done (`not-done`, `cancelled`, `refuted` and the like).
    Negated,
    /// It was a mistake and counts as withdrawn.
    EnteredInError,
}

/// The standing of verbatim content. What cannot be read stands: nothing is withdrawn by accident.
pub fn standing(content: &[u8]) -> Standing {
    let status = |elements: &Elements<'_>| -> Option<Standing> {
        let status = element::text(elements.status, "status").ok().flatten()?;
        Some(match status.as_ref() {
            "entered-in-error" => Standing::EnteredInError,
            "not-done" | "cancelled" | "rejected" | "declined" | "not-taken" | "noshow" => Standing::Negated,
            _ => Standing::Valid,
        })
    };
    let verified = || {
        // AllergyIntolerance and Condition say it in another element.
        let value: Verification<'_> = serde_json::from_slice(content).ok()?;
        let concepts = element::concepts(value.verification, "verificationStatus").ok()?;
        concepts.iter().flat_map(element::Concept::codings).find_map(|coding| match coding.code.as_deref() {
            Some("entered-in-error") => Some(Standing::EnteredInError),
            Some("refuted") => Some(Standing::Negated),
            _ => None,
        })
    };
    let text = std::str::from_utf8(content).unwrap_or_default();
    let resource = Resource::read(text).ok();
    resource
        .as_ref()
        .and_then(|resource| status(&resource.elements))
        .or_else(verified)
        .unwrap_or(Standing::Valid)
}

/// Checks the status at import, where FHIR R4 requires one. The codes of Immunization are checked, because
/// "done" is what everything else rests on.
pub(crate) fn check(resource: &Resource<'_>) -> Result<(), Reason> {
    let status = element::text(resource.elements.status, "status")?;
    match (resource.kind.name(), status.as_deref()) {
        ("Immunization", Some("completed" | "entered-in-error" | "not-done")) => Ok(()),
        ("Immunization", Some(_)) => Err(Reason::Malformed("status")),
        (
            "Immunization"
            | "Observation"
            | "Procedure"
            | "DiagnosticReport"
            | "Composition"
            | "QuestionnaireResponse"
            | "MedicationRequest"
            | "MedicationDispense"
            | "MedicationStatement"
            | "Communication"
            | "Task"
            | "Appointment"
            | "Encounter",
            None,
        ) => Err(Reason::Missing("status")),
        _ => Ok(()),
    }
}

#[derive(serde::Deserialize)]
struct Verification<'a> {
    #[serde(borrow, rename = "verificationStatus")]
    verification: Option<&'a serde_json::value::RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_and_negations_are_seen() {
        for (content, expected) in [
            (r#"{"resourceType":"Immunization","status":"completed"}"#, Standing::Valid),
            (r#"{"resourceType":"Immunization","status":"not-done"}"#, Standing::Negated),
            (r#"{"resourceType":"Immunization","status":"entered-in-error"}"#, Standing::EnteredInError),
            (
                r#"{"resourceType":"AllergyIntolerance","verificationStatus":{"coding":[{"code":"entered-in-error"}]}}"#,
                Standing::EnteredInError,
            ),
            (
                r#"{"resourceType":"AllergyIntolerance","verificationStatus":{"coding":[{"code":"refuted"}]}}"#,
                Standing::Negated,
            ),
            (r#"{"resourceType":"AllergyIntolerance"}"#, Standing::Valid),
            ("BEGIN:VCALENDAR", Standing::Valid),
        ] {
            assert_eq!(standing(content.as_bytes()), expected, "{content}");
        }
    }
}
