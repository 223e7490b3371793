//! Which category a resource belongs to.
//!
//! Owns the rule, which looks at the resource alone, so that the same resource falls into the same category
//! in a bundle, in NDJSON and on any day:
//!
//! 1. A coding of [`codes::RECORD_CATEGORY`] in `meta.tag`, `category`, `type` or `code` decides, for every
//!    resource about a person but Patient itself. Two different ones, or an unknown one, are refused.
//! 2. The type alone decides: Patient, Immunization, AllergyIntolerance, MedicationRequest /
//!    MedicationDispense / MedicationStatement (prescription), Communication and Task (school notice),
//!    Appointment (school event).
//! 3. Observation and Procedure by their codings: body measurements are growth, at whatever occasion they
//!    were taken; with a coding of [`codes::CHILD_CHECKUP`] in `code` or `category` they belong to that
//!    check-up; items of pregnancy, and those of the JP Core category `pregnancy-delivery`, are prenatal
//!    check-ups.
//! 4. Encounter, DiagnosticReport, Composition and QuestionnaireResponse by a coding of
//!    [`codes::CHILD_CHECKUP`], by their codes, then by the words they name themselves with (妊婦健診,
//!    乳幼児健診, 健康診断, prenatal …).
//! 5. Everything else is skipped and counted: it is no record of this system. Nothing is guessed from text
//!    for single findings, so that a sensitive laboratory result never travels as a by-catch.
//!
//! Must not know subjects or dates.

use super::element::{self, Concept, Meta};
use super::resource::{Resource, ResourceType};
use super::{Reason, codes};
use crate::category::Category;

/// What a resource is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A record.
    Record(Category),
    /// A class of pupils.
    Group,
    /// Nothing we keep.
    Skip(Skip),
}

/// Why a resource is passed over without being an error. The order and the wording serve counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "why", content = "resource_type", rename_all = "snake_case")]
pub enum Skip {
    /// A resource type that is never a record: an organisation, a bill, a plan.
    NotARecordType(ResourceType),
    /// A resource type that can be a record, but neither its coding nor a rule says of which category.
    NoCategory(ResourceType),
}

impl std::fmt::Display for Skip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotARecordType(kind) => write!(f, "{}: not a kind of record kept here", kind.name()),
            Self::NoCategory(kind) => write!(f, "{}: belongs to no record category", kind.name()),
        }
    }
}

/// Applies the rule.
pub(crate) fn classify(resource: &Resource<'_>) -> Result<Class, Reason> {
    let kind = resource.kind;
    let explicit = match explicit_category(resource) {
        // An oddly shaped `type` of something we never keep is none of our business.
        Err(Reason::Malformed(_) | Reason::DuplicateKey(_)) if !can_be_record(kind) => None,
        read => read?,
    };
    let by_type = match kind.name() {
        "Patient" => Some(Category::Patient),
        "Immunization" => Some(Category::Immunization),
        "AllergyIntolerance" => Some(Category::Allergy),
        "MedicationRequest" | "MedicationDispense" | "MedicationStatement" => Some(Category::Prescription),
        "Communication" | "Task" => Some(Category::SchoolNotice),
        "Appointment" => Some(Category::SchoolEvent),
        _ => None,
    };
    match (kind.name(), explicit) {
        // A Patient is a Patient, and nothing else is.
        ("Patient", Some(category)) if category != Category::Patient => {
            return Err(Reason::ConflictingCategory);
        }
        (name, Some(Category::Patient)) if name != "Patient" => return Err(Reason::ConflictingCategory),
        ("Group", None) => return Ok(Class::Group),
        ("Group", Some(_)) => return Err(Reason::ConflictingCategory),
        // Kinds that no FHIR resource can hold.
        (_, Some(category)) if !category.is_held_as_fhir() => return Err(Reason::ConflictingCategory),
        (_, Some(category)) => return Ok(Class::Record(category)),
        _ => {}
    }
    if let Some(category) = by_type {
        return Ok(Class::Record(category));
    }
    let inferred = match kind.name() {
        "Observation" | "Procedure" => finding(resource)?,
        "Encounter" | "DiagnosticReport" | "Composition" | "QuestionnaireResponse" => report(resource)?,
        _ => return Ok(Class::Skip(Skip::NotARecordType(kind))),
    };
    Ok(inferred.map_or(Class::Skip(Skip::NoCategory(kind)), Class::Record))
}

/// Whether rules 2 to 4 know the type.
fn can_be_record(kind: ResourceType) -> bool {
    matches!(
        kind.name(),
        "Patient"
            | "Group"
            | "Immunization"
            | "AllergyIntolerance"
            | "MedicationRequest"
            | "MedicationDispense"
            | "MedicationStatement"
            | "Communication"
            | "Task"
            | "Appointment"
            | "Observation"
            | "Procedure"
            | "Encounter"
            | "DiagnosticReport"
            | "Composition"
            | "QuestionnaireResponse"
    )
}

fn explicit_category(resource: &Resource<'_>) -> Result<Option<Category>, Reason> {
    let elements = &resource.elements;
    let meta: Option<Meta<'_>> = element::one(elements.meta, "meta")?;
    let tags = meta.and_then(|meta| meta.tag).unwrap_or_default();
    let concepts = [
        element::concepts(elements.category, "category")?,
        element::concepts(elements.kind, "type")?,
        element::concepts(elements.code, "code")?,
    ];
    let codings = concepts.iter().flatten().flat_map(Concept::codings).chain(&tags);
    let mut found = None;
    for coding in codings.filter(|coding| coding.system.as_deref() == Some(codes::RECORD_CATEGORY)) {
        let category = coding.code.as_deref().and_then(Category::from_wire).ok_or(Reason::UnknownCategory)?;
        if found.is_some_and(|earlier| earlier != category) {
            return Err(Reason::ConflictingCategory);
        }
        found = Some(category);
    }
    Ok(found)
}

/// One finding, by its code only.
fn finding(resource: &Resource<'_>) -> Result<Option<Category>, Reason> {
    let code = element::concepts(resource.elements.code, "code")?;
    let pairs = || {
        code.iter()
            .flat_map(Concept::codings)
            .filter_map(|coding| Some((coding.system.as_deref()?, coding.code.as_deref()?)))
    };
    if resource.kind.name() == "Observation" && pairs().any(|(s, c)| codes::measurement(s, c).is_some()) {
        return Ok(Some(Category::Growth));
    }
    let categories = element::concepts(resource.elements.category, "category")?;
    if let Some(category) = checkup(code.iter().chain(&categories))? {
        return Ok(Some(category));
    }
    let obstetric = categories
        .iter()
        .flat_map(Concept::codings)
        .any(|coding| coding.is(codes::JP_OBSERVATION_CATEGORY, "pregnancy-delivery"));
    let prenatal = obstetric || pairs().any(|pair| codes::PRENATAL.contains(&pair));
    Ok(prenatal.then_some(Category::PrenatalCheckup))
}

/// The category of a named check-up of childhood.
fn checkup<'a>(concepts: impl IntoIterator<Item = &'a Concept<'a>>) -> Result<Option<Category>, Reason> {
    let mut codings = concepts.into_iter().flat_map(Concept::codings);
    let Some(named) = codings.find(|coding| coding.system.as_deref() == Some(codes::CHILD_CHECKUP)) else {
        return Ok(None);
    };
    match named.code.as_deref() {
        Some("preschool") => Ok(Some(Category::HealthExam)),
        Some(code) if codes::CHILD_CHECKUPS.iter().any(|(known, ..)| *known == code) => {
            Ok(Some(Category::InfantCheckup))
        }
        _ => Err(Reason::UnknownCategory),
    }
}

/// A visit or a report as a whole.
fn report(resource: &Resource<'_>) -> Result<Option<Category>, Reason> {
    let elements = &resource.elements;
    let concepts: Vec<Concept<'_>> = [
        element::concepts(elements.kind, "type")?,
        element::concepts(elements.category, "category")?,
        element::concepts(elements.code, "code")?,
        element::concepts(elements.service_type, "serviceType")?,
        element::concepts(elements.class, "class")?,
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(category) = checkup(&concepts)? {
        return Ok(Some(category));
    }
    let codings = || concepts.iter().flat_map(Concept::codings);
    let coded = |list: &[(&str, &str)]| {
        codings().any(|coding| list.iter().any(|(system, code)| coding.is(system, code)))
    };
    let title = element::text(elements.title, "title")?.map(|title| title.to_lowercase());
    let words: Vec<String> = concepts
        .iter()
        .filter_map(|concept| concept.text.as_deref())
        .chain(codings().filter_map(|coding| coding.display.as_deref()))
        .map(str::to_lowercase)
        .chain(title)
        .collect();
    let named = |list: &[&str]| words.iter().any(|text| list.iter().any(|word| text.contains(word)));
    let rules = [
        (Category::PrenatalCheckup, &codes::PRENATAL_VISITS[..], codes::PRENATAL_WORDS),
        (Category::InfantCheckup, &codes::INFANT_VISITS[..], codes::INFANT_WORDS),
        (Category::HealthExam, &codes::EXAM_VISITS[..], codes::EXAM_WORDS),
    ];
    let by_code = rules.iter().find(|(_, list, _)| coded(list));
    let rule = by_code.or_else(|| rules.iter().find(|(.., list)| named(list)));
    Ok(rule.map(|(category, ..)| *category))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Result<Class, Reason> {
        classify(&Resource::read(text).unwrap_or_else(|(_, reason)| panic!("{reason}")))
    }

    fn category(text: &str) -> Option<Category> {
        match class(text) {
            Ok(Class::Record(category)) => Some(category),
            _ => None,
        }
    }

    fn tagged(kind: &str, place: &str) -> String {
        format!(r#"{{"resourceType":"{kind}",{place}}}"#)
    }

    const INFANT: &str =
        r#"{"system":"https://hibiki.example/fhir/CodeSystem/record-category","code":"infant_checkup"}"#;
    const EXAM: &str =
        r#"{"system":"https://hibiki.example/fhir/CodeSystem/record-category","code":"health_exam"}"#;

    #[test]
    fn our_own_coding_decides_wherever_it_stands() {
        for place in [
            format!(r#""meta":{{"tag":[{INFANT}]}}"#),
            format!(r#""category":[{{"coding":[{INFANT}]}}]"#),
            format!(r#""category":{{"coding":[{INFANT}]}}"#),
            format!(r#""type":[{{"coding":[{INFANT}]}}]"#),
            format!(r#""code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}},{INFANT}]}}"#),
        ] {
            for kind in ["Observation", "Encounter", "Condition", "Immunization"] {
                assert_eq!(category(&tagged(kind, &place)), Some(Category::InfantCheckup), "{place}");
            }
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let two = format!(r#""meta":{{"tag":[{INFANT}]}},"category":[{{"coding":[{EXAM}]}}]"#);
        assert_eq!(class(&tagged("Observation", &two)), Err(Reason::ConflictingCategory));
        let one = format!(r#""meta":{{"tag":[{INFANT}]}}"#);
        assert_eq!(class(&tagged("Patient", &one)), Err(Reason::ConflictingCategory));
        assert_eq!(class(&tagged("Group", &one)), Err(Reason::ConflictingCategory));
        let patient = one.replace("infant_checkup", "patient");
        assert_eq!(class(&tagged("Observation", &patient)), Err(Reason::ConflictingCategory));
        assert_eq!(category(&tagged("Patient", &patient)), Some(Category::Patient));
        let unknown = one.replace("infant_checkup", "horoscope");
        assert_eq!(class(&tagged("Observation", &unknown)), Err(Reason::UnknownCategory));
    }

    #[test]
    fn measurements_are_growth_in_either_code_system() {
        let coded = |system: &str, code: &str| {
            tagged(
                "Observation",
                &format!(r#""code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}"#),
            )
        };
        for measurement in codes::GROWTH {
            assert_eq!(category(&coded(measurement.system, measurement.code)), Some(Category::Growth));
        }
        assert_eq!(category(&coded("http://medis.or.jp/CodeSystem/any", "31000298")), Some(Category::Growth));
        assert_eq!(category(&coded("http://elsewhere.example", "31000298")), None);
        assert_eq!(category(&coded(codes::LOINC, "11881-0")), Some(Category::PrenatalCheckup));
        assert_eq!(category(&coded(codes::LOINC, "8480-6")), None);
        let obstetric = r#""category":[{"coding":[{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS","code":"pregnancy-delivery"}]}]"#;
        assert_eq!(category(&tagged("Observation", obstetric)), Some(Category::PrenatalCheckup));
    }

    #[test]
    fn visits_are_told_by_code_then_by_words() {
        let named = |text: &str| tagged("Encounter", &format!(r#""type":[{{"text":"{text}"}}]"#));
        for (text, expected) in [
            ("妊婦健康診査(28週)", Some(Category::PrenatalCheckup)),
            ("Prenatal visit", Some(Category::PrenatalCheckup)),
            ("1歳6か月児健康診査", Some(Category::InfantCheckup)),
            ("3歳児健診", Some(Category::InfantCheckup)),
            ("乳幼児健診", Some(Category::InfantCheckup)),
            ("就学時健康診断", Some(Category::HealthExam)),
            ("学校定期健康診断", Some(Category::HealthExam)),
            ("Emergency Encounter", None),
        ] {
            assert_eq!(category(&named(text)), expected, "{text}");
        }
        let coded = |code: &str| {
            tagged(
                "DiagnosticReport",
                &format!(r#""code":{{"coding":[{{"system":"{}","code":"{code}"}}]}}"#, codes::CHILD_CHECKUP),
            )
        };
        for (code, ..) in codes::CHILD_CHECKUPS {
            let expected = if code == "preschool" { Category::HealthExam } else { Category::InfantCheckup };
            assert_eq!(category(&coded(code)), Some(expected));
        }
        let finding = r#""code":{"text":"股関節開排制限"},"category":[{"coding":[{"system":"https://hibiki.example/fhir/CodeSystem/child-checkup","code":"3-4m"}]}]"#;
        assert_eq!(category(&tagged("Observation", finding)), Some(Category::InfantCheckup));
        let height = finding.replace(
            r#""text":"股関節開排制限""#,
            r#""coding":[{"system":"http://loinc.org","code":"8302-2"}]"#,
        );
        assert_eq!(category(&tagged("Observation", &height)), Some(Category::Growth));
        assert_eq!(class(&coded("2y")), Err(Reason::UnknownCategory));
    }

    #[test]
    fn a_single_finding_is_never_guessed_from_its_words() {
        for kind in ["Observation", "Procedure"] {
            assert_eq!(
                category(&tagged(kind, r#""code":{"text":"Antenatal HIV screening 妊婦健診"}"#)),
                None
            );
        }
    }

    #[test]
    fn the_rest_is_skipped_and_says_what_it_was() {
        let claim = class(&tagged("Claim", r#""type":{"text":"健診"}"#)).unwrap();
        let Class::Skip(skip) = claim else { panic!("not skipped") };
        assert_eq!(skip.to_string(), "Claim: not a kind of record kept here");
        let odd = class(&tagged("OperationDefinition", r#""type":true"#));
        assert!(matches!(odd, Ok(Class::Skip(_))), "{odd:?}");
        assert_eq!(
            class(r#"{"resourceType":"Secret-Name"}"#),
            Ok(Class::Skip(Skip::NotARecordType(ResourceType::OTHER)))
        );
    }
}
