//! Code systems and the codes we recognise, as data.
//!
//! Sources: LOINC and SNOMED CT codes as in FHIR R4 vital signs and Synthea's exports; JP Core 1.2 for body
//! measurement; `record-category` and `child-checkup` are Hibiki's own. Must not know what follows from a
//! code ([`super::classify`]).

/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// CVX, vaccines administered.
pub const CVX: &str = "http://hl7.org/fhir/sid/cvx";
/// Hibiki's record categories; the codes are the wire names of [`crate::category::Category`]. A coding of
/// this system in `meta.tag`, `category`, `type` or `code` decides a record's category beyond doubt.
pub const RECORD_CATEGORY: &str = "https://hibiki.example/fhir/CodeSystem/record-category";
/// Hibiki's names of the check-ups of childhood; the codes are those of [`CHILD_CHECKUPS`].
pub const CHILD_CHECKUP: &str = "https://hibiki.example/fhir/CodeSystem/child-checkup";
/// Hibiki's names of vaccines; the codes are those of [`crate::immunization::Vaccine::id`].
pub const VACCINE: &str = "https://hibiki.example/fhir/CodeSystem/vaccine";
/// 医薬品コード HOT9.
pub const HOT9: &str = "http://medis.or.jp/CodeSystem/master-HOT9";
/// 薬価基準収載医薬品コード, called YJ.
pub const YJ: &str = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code";
/// Exchange codes of diseases (病名交換用コード).
pub const MEDIS_DISEASE: &str = "http://medis.or.jp/CodeSystem/master-disease-exCode";
/// Body measurements of JP Core (MEDIS codes).
pub const JP_BODY_MEASUREMENT: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_ObservationBodyMeasurementCode_CS";
/// Simple observation categories of JP Core.
pub const JP_OBSERVATION_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS";
/// J-FAGY, the Japanese allergen codes of JP Core: its code systems begin so.
pub const JFAGY: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_Jfagy";
/// J-FAGY, foods.
pub const JFAGY_FOOD: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS";
/// J-FAGY, medicines.
pub const JFAGY_MEDICATION: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyMedicationAllergen_CS";
/// Code systems of medicines: RxNorm, YJ, HOT9, HOT13.
pub const MEDICINES: [&str; 4] = [
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
    "http://medis.or.jp/CodeSystem/master-HOT9",
    "http://medis.or.jp/CodeSystem/master-HOT13",
];
/// Extension that tells kanji (IDE) from kana (SYL) names.
pub const NAME_REPRESENTATION: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";
/// Identifier types of HL7 v2; `MR` is the patient number.
pub const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// Identifier systems of Japanese patient numbers begin so; the number of the institution follows.
pub const JP_PATIENT_NUMBER: &str = "urn:oid:1.2.392.100495.20.3.51.";

/// A measurement of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Code system.
    pub system: &'static str,
    /// Code.
    pub code: &'static str,
    /// Japanese name.
    pub ja: &'static str,
    /// English name.
    pub en: &'static str,
}

const fn loinc(code: &'static str, ja: &'static str, en: &'static str) -> Measurement {
    Measurement { system: LOINC, code, ja, en }
}

const fn medis(code: &'static str, ja: &'static str, en: &'static str) -> Measurement {
    Measurement { system: JP_BODY_MEASUREMENT, code, ja, en }
}

/// What makes an Observation a record of growth.
pub const GROWTH: [Measurement; 17] = [
    loinc("8302-2", "身長", "Height"),
    loinc("8306-3", "身長(仰臥位)", "Length (lying)"),
    loinc("29463-7", "体重", "Weight"),
    loinc("9843-4", "頭囲", "Head circumference"),
    loinc("8287-5", "頭囲", "Head circumference"),
    loinc("8279-2", "胸囲", "Chest circumference"),
    loinc("39156-5", "BMI", "BMI"),
    loinc("8339-4", "出生体重", "Birth weight"),
    medis("31000298", "身長", "Height"),
    medis("31000296", "体重", "Weight"),
    medis("31000297", "体重", "Weight"),
    medis("31006116", "頭囲", "Head circumference"),
    medis("31000299", "胸囲", "Chest circumference"),
    medis("31003020", "BMI", "BMI"),
    medis("31003601", "肥満度", "Degree of obesity"),
    medis("31003602", "ローレル指数", "Rohrer index"),
    medis("31002900", "出生体重", "Birth weight"),
];

/// Observations and procedures that belong to a prenatal check-up. HIV and syphilis tests, and what concerns
/// the end of a pregnancy, are left out on purpose, as the standard electronic record of check-ups leaves
/// them out: only an institution's explicit category can make them a record.
pub const PRENATAL: [(&str, &str); 14] = [
    (LOINC, "18185-9"),    // gestational age
    (LOINC, "11884-4"),    // gestational age, clinical estimate
    (LOINC, "11881-0"),    // fundal height
    (LOINC, "11778-8"),    // expected date of delivery
    (LOINC, "11779-6"),    // expected date of delivery from last period
    (LOINC, "8665-2"),     // last menstrual period
    (LOINC, "82810-3"),    // pregnancy status
    (LOINC, "8014-3"),     // rubella IgG
    (LOINC, "22497-2"),    // rubella HI titre
    (SNOMED, "274804006"), // fundal height
    (SNOMED, "225158009"), // fetal heart
    (SNOMED, "169230002"), // ultrasound for viability
    (SNOMED, "271442007"), // fetal anatomy
    (SNOMED, "169690007"), // rubella screening
];

/// Kinds of visit or report.
pub const PRENATAL_VISITS: [(&str, &str); 2] = [(SNOMED, "424441002"), (SNOMED, "424619006")];
/// Visits of a well child.
pub const INFANT_VISITS: [(&str, &str); 1] = [(SNOMED, "410620009")];
/// Check-ups of anybody else.
pub const EXAM_VISITS: [(&str, &str); 2] = [(SNOMED, "185349003"), (SNOMED, "162673000")];

/// Words of a visit's or report's own naming that tell its kind, tried in this order.
pub const PRENATAL_WORDS: &[&str] = &["妊婦", "妊産婦", "産婦健", "prenatal", "antenatal"];
/// See [`PRENATAL_WORDS`].
pub const INFANT_WORDS: &[&str] = &[
    "乳幼児健",
    "乳児健",
    "幼児健",
    "新生児健",
    "か月児健",
    "カ月児健",
    "ヶ月児健",
    "ヵ月児健",
    "ケ月児健",
    "歳児健",
    "歳6か月健",
    "well child",
    "well-child",
    "infant check",
];
/// See [`PRENATAL_WORDS`].
pub const EXAM_WORDS: &[&str] =
    &["健康診断", "健診", "健康診査", "health exam", "health check", "check-up", "check up"];

/// A check-up of childhood: code, Japanese and English name. `preschool` is held under the school health
/// law (学校保健安全法 11条) and is a health examination, the others are infant check-ups.
pub const CHILD_CHECKUPS: [(&str, &str, &str); 8] = [
    ("1m", "1か月児健診", "1-month check-up"),
    ("3-4m", "3-4か月児健診", "3-4-month check-up"),
    ("6-7m", "6-7か月児健診", "6-7-month check-up"),
    ("9-10m", "9-10か月児健診", "9-10-month check-up"),
    ("1y6m", "1歳6か月児健診", "18-month check-up"),
    ("3y", "3歳児健診", "3-year check-up"),
    ("5y", "5歳児健診", "5-year check-up"),
    ("preschool", "就学時健診", "Pre-school check-up"),
];

/// Resource types of FHIR R4 (<http://hl7.org/fhir/R4/resourcelist.html>).
pub const RESOURCE_TYPES: &[&str] = &[
    "Account",
    "ActivityDefinition",
    "AdverseEvent",
    "AllergyIntolerance",
    "Appointment",
    "AppointmentResponse",
    "AuditEvent",
    "Basic",
    "Binary",
    "BiologicallyDerivedProduct",
    "BodyStructure",
    "Bundle",
    "CapabilityStatement",
    "CarePlan",
    "CareTeam",
    "CatalogEntry",
    "ChargeItem",
    "ChargeItemDefinition",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "CodeSystem",
    "Communication",
    "CommunicationRequest",
    "CompartmentDefinition",
    "Composition",
    "ConceptMap",
    "Condition",
    "Consent",
    "Contract",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "DetectedIssue",
    "Device",
    "DeviceDefinition",
    "DeviceMetric",
    "DeviceRequest",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "EffectEvidenceSynthesis",
    "Encounter",
    "Endpoint",
    "EnrollmentRequest",
    "EnrollmentResponse",
    "EpisodeOfCare",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "ExplanationOfBenefit",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "GraphDefinition",
    "Group",
    "GuidanceResponse",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "ImmunizationEvaluation",
    "ImmunizationRecommendation",
    "ImplementationGuide",
    "InsurancePlan",
    "Invoice",
    "Library",
    "Linkage",
    "List",
    "Location",
    "Measure",
    "MeasureReport",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationKnowledge",
    "MedicationRequest",
    "MedicationStatement",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "MessageHeader",
    "MolecularSequence",
    "NamingSystem",
    "NutritionOrder",
    "Observation",
    "ObservationDefinition",
    "OperationDefinition",
    "OperationOutcome",
    "Organization",
    "OrganizationAffiliation",
    "Parameters",
    "Patient",
    "PaymentNotice",
    "PaymentReconciliation",
    "Person",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "ResearchSubject",
    "RiskAssessment",
    "RiskEvidenceSynthesis",
    "Schedule",
    "SearchParameter",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Subscription",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
    "VerificationResult",
    "VisionPrescription",
];

/// Whether a coding of this system and code is a body measurement, and which. Japanese files give MEDIS codes
/// under several systems; the codes have eight digits and are unmistakable within systems of Japan.
pub(crate) fn measurement(system: &str, code: &str) -> Option<&'static Measurement> {
    const JAPANESE: [&str; 3] = ["http://jpfhir.jp/", "http://medis.or.jp/", "urn:oid:1.2.392."];
    let japanese = JAPANESE.iter().any(|prefix| system.starts_with(prefix));
    GROWTH.iter().find(|known| {
        known.code == code && (known.system == system || (known.system == JP_BODY_MEASUREMENT && japanese))
    })
}
