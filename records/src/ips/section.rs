//! Sections of the document, and which record belongs where.
//!
//! Codes: HL7 IPS 2.0, `Composition-uv-ips`. Visits have no section there; theirs is the LOINC code that C-CDA uses.
//! Must not know how a section is written.

use crate::category::{Category, Label};
use crate::fhir::codes;
use crate::fhir::node::Node;

/// A section, in the order of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Allergies,
    Medications,
    Problems,
    Immunizations,
    Results,
    VitalSigns,
    Pregnancy,
    Procedures,
    Visits,
}

/// Why a record is no part of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    /// The document has its own Patient.
    OwnPatient,
    /// School life is no part of a patient summary.
    School,
    /// It was entered in error.
    Withdrawn,
    /// A document within the document; a document has one Composition.
    Report,
    /// It is not FHIR, or cannot be read.
    Unreadable,
}

impl Section {
    pub(super) const ALL: [Self; 9] = [
        Self::Allergies,
        Self::Medications,
        Self::Problems,
        Self::Immunizations,
        Self::Results,
        Self::VitalSigns,
        Self::Pregnancy,
        Self::Procedures,
        Self::Visits,
    ];

    /// Whether it must stand in every summary, with records or without.
    pub(super) const fn required(self) -> bool {
        matches!(self, Self::Allergies | Self::Medications | Self::Problems)
    }

    /// LOINC code and display.
    pub(super) const fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Allergies => ("48765-2", "Allergies and adverse reactions Document"),
            Self::Medications => ("10160-0", "History of Medication use Narrative"),
            Self::Problems => ("11450-4", "Problem list - Reported"),
            Self::Immunizations => ("11369-6", "History of Immunization note"),
            Self::Results => ("30954-2", "Relevant diagnostic tests/laboratory data note"),
            Self::VitalSigns => ("8716-3", "Vital signs note"),
            Self::Pregnancy => ("10162-6", "History of pregnancies Narrative"),
            Self::Procedures => ("47519-4", "History of Procedures Document"),
            Self::Visits => ("46240-8", "History of Hospitalizations+Outpatient visits Narrative"),
        }
    }

    /// Title, and what the section is about in a sentence.
    pub(super) const fn title(self) -> Label {
        match self {
            Self::Allergies => Label { ja: "アレルギー・不耐症", en: "Allergies and Intolerances" },
            Self::Medications => Label { ja: "お薬", en: "Medication Summary" },
            Self::Problems => Label { ja: "病気・症状", en: "Problem List" },
            Self::Immunizations => Label { ja: "予防接種", en: "Immunizations" },
            Self::Results => Label { ja: "検査・健診の結果", en: "Results" },
            Self::VitalSigns => Label { ja: "身体計測", en: "Vital Signs and Growth" },
            Self::Pregnancy => Label { ja: "妊娠", en: "History of Pregnancy" },
            Self::Procedures => Label { ja: "処置・検査の実施", en: "History of Procedures" },
            Self::Visits => Label { ja: "健診・受診", en: "Visits and Check-ups" },
        }
    }

    /// The section of a resource.
    pub(super) fn of(category: Category, resource: Node<'_>) -> Result<Self, LeftOut> {
        let kind = resource.get("resourceType").and_then(Node::text).ok_or(LeftOut::Unreadable)?;
        if !codes::RESOURCE_TYPES.contains(&kind.as_ref()) {
            return Err(LeftOut::Unreadable);
        }
        Ok(match kind.as_ref() {
            "Patient" => return Err(LeftOut::OwnPatient),
            "Composition" | "Bundle" => return Err(LeftOut::Report),
            "AllergyIntolerance" => Self::Allergies,
            "MedicationStatement"
            | "MedicationRequest"
            | "MedicationDispense"
            | "MedicationAdministration" => Self::Medications,
            "Condition" => Self::Problems,
            "Immunization" => Self::Immunizations,
            "Procedure" => Self::Procedures,
            "DiagnosticReport" => Self::Results,
            "Observation" => match category {
                Category::Growth => Self::VitalSigns,
                Category::PrenatalCheckup if is_of_pregnancy(resource) => Self::Pregnancy,
                _ => Self::Results,
            },
            _ => Self::Visits,
        })
    }
}

/// Whether an Observation is about the pregnancy itself: its state, dates and growth, not a laboratory result.
fn is_of_pregnancy(resource: Node<'_>) -> bool {
    const LABORATORY: [&str; 2] = ["8014-3", "22497-2"];
    let codings = resource.at(&["code", "coding"]).map(Node::items).unwrap_or_default();
    codings.into_iter().any(|coding| {
        let (Some(system), Some(code)) =
            (coding.get("system").and_then(Node::text), coding.get("code").and_then(Node::text))
        else {
            return false;
        };
        let pair = (system.as_ref(), code.as_ref());
        codes::PRENATAL.contains(&pair) && !LABORATORY.contains(&pair.1)
    })
}

impl LeftOut {
    /// Why, for a reader; nothing where it need not be said.
    pub(super) const fn words(self) -> Option<Label> {
        match self {
            Self::OwnPatient => None,
            Self::School => {
                Some(Label { ja: "学校のお知らせ・行事", en: "school notices and events" })
            }
            Self::Withdrawn => Some(Label { ja: "取り消された記録", en: "records entered in error" }),
            Self::Report => {
                Some(Label { ja: "文書形式の記録", en: "records that are documents themselves" })
            }
            Self::Unreadable => {
                Some(Label { ja: "読み取れない記録", en: "records that cannot be read" })
            }
        }
    }
}
