//! The closed list of record categories: the unit of consent and of display.
//!
//! Owns wire names, labels and media types. Must not know how a record is recognised ([`crate::fhir`])
//! or stored. The protocol treats the wire names as opaque strings, so a category added here needs no
//! new protocol version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Media type of FHIR R4 resources in JSON.
pub const FHIR_JSON: &str = "application/fhir+json";
/// Media type of iCalendar objects (RFC 5545).
pub const ICALENDAR: &str = "text/calendar";
/// Media type of Hibiki's own small school schema.
pub const SCHOOL_CBOR: &str = "application/vnd.hibiki.school+cbor";

/// Kind of record. The order is the order in which a view lists the kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Who the person is at this institution: name, kana, birth date, sex.
    Patient,
    /// One dose of one vaccine (予防接種).
    Immunization,
    /// A check-up in pregnancy and its findings (妊婦健康診査); the subject is the mother.
    PrenatalCheckup,
    /// A check-up before school age and its findings (乳幼児健康診査).
    InfantCheckup,
    /// One measurement of the body: height, weight, head or chest circumference, BMI (身体計測).
    Growth,
    /// A school or adult health examination and its findings (健康診断).
    HealthExam,
    /// An allergy or intolerance (アレルギー).
    Allergy,
    /// A medicine prescribed, dispensed or taken (お薬手帳).
    Prescription,
    /// A notice from the school, or a thing to hand in (お知らせ・提出物).
    SchoolNotice,
    /// An event of the school, or the timetable of a class (行事予定・時間割).
    SchoolEvent,
    /// The lunch of one day as the kitchen plans it, with what is known of its allergens (給食献立).
    SchoolMenu,
    /// A pupil came to school or left it (登下校).
    SchoolGate,
}

/// The same words in both languages of the house; Japanese first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Japanese.
    pub ja: &'static str,
    /// English.
    pub en: &'static str,
}

/// A name that is not the wire name of any category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown record category: use one of the names that `Category::ALL` lists")]
pub struct UnknownCategory;

impl Category {
    /// Every category, in display order.
    pub const ALL: [Self; 12] = [
        Self::Patient,
        Self::Immunization,
        Self::PrenatalCheckup,
        Self::InfantCheckup,
        Self::Growth,
        Self::HealthExam,
        Self::Allergy,
        Self::Prescription,
        Self::SchoolNotice,
        Self::SchoolEvent,
        Self::SchoolMenu,
        Self::SchoolGate,
    ];

    /// Name on the wire, in configuration and in the code system
    /// [`crate::fhir::codes::RECORD_CATEGORY`].
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Immunization => "immunization",
            Self::PrenatalCheckup => "prenatal_checkup",
            Self::InfantCheckup => "infant_checkup",
            Self::Growth => "growth",
            Self::HealthExam => "health_exam",
            Self::Allergy => "allergy",
            Self::Prescription => "prescription",
            Self::SchoolNotice => "school_notice",
            Self::SchoolEvent => "school_event",
            Self::SchoolMenu => "school_menu",
            Self::SchoolGate => "school_gate",
        }
    }

    /// The category of a wire name, if it is one we know.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.wire_name() == name)
    }

    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Patient => Label { ja: "基本情報", en: "Personal details" },
            Self::Immunization => Label { ja: "予防接種", en: "Vaccination" },
            Self::PrenatalCheckup => Label { ja: "妊婦健診", en: "Prenatal check-up" },
            Self::InfantCheckup => Label { ja: "乳幼児健診", en: "Infant check-up" },
            Self::Growth => Label { ja: "身体計測", en: "Growth" },
            Self::HealthExam => Label { ja: "健康診断", en: "Health examination" },
            Self::Allergy => Label { ja: "アレルギー", en: "Allergy" },
            Self::Prescription => Label { ja: "お薬", en: "Prescription" },
            Self::SchoolNotice => Label { ja: "学校からのお知らせ", en: "School notice" },
            Self::SchoolEvent => Label { ja: "学校行事", en: "School event" },
            Self::SchoolMenu => Label { ja: "給食献立", en: "School lunch menu" },
            Self::SchoolGate => Label { ja: "登下校", en: "Arrival and leaving" },
        }
    }

    /// Media types in which a record of this kind may be held, the preferred one first.
    pub const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::SchoolNotice => &[FHIR_JSON, SCHOOL_CBOR],
            Self::SchoolEvent => &[FHIR_JSON, ICALENDAR, SCHOOL_CBOR],
            // FHIR R4 has no resource for either that would say what they are.
            Self::SchoolMenu | Self::SchoolGate => &[SCHOOL_CBOR],
            _ => &[FHIR_JSON],
        }
    }

    /// Whether a record of this kind may be addressed to a class instead of a person. Health records, and what
    /// one pupil did, never may.
    pub const fn may_address_group(self) -> bool {
        matches!(self, Self::SchoolNotice | Self::SchoolEvent | Self::SchoolMenu)
    }

    /// Whether a record of this kind is about life at school and not about health.
    pub const fn is_of_school(self) -> bool {
        matches!(self, Self::SchoolNotice | Self::SchoolEvent | Self::SchoolMenu | Self::SchoolGate)
    }

    /// Whether a record of this kind may be held as FHIR.
    pub fn is_held_as_fhir(self) -> bool {
        self.media_types().contains(&FHIR_JSON)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_wire(name).ok_or(UnknownCategory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_name_leads_back_and_is_what_serde_writes() {
        for category in Category::ALL {
            assert_eq!(Category::from_wire(category.wire_name()), Some(category));
            assert_eq!(serde_json::to_value(category).unwrap(), category.wire_name());
            assert_eq!(category.to_string().parse(), Ok(category));
            assert!(category.wire_name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(!category.label().ja.is_empty() && !category.label().en.is_empty());
            let first = if category.is_held_as_fhir() { FHIR_JSON } else { SCHOOL_CBOR };
            assert_eq!(category.media_types().first(), Some(&first), "FHIR is preferred wherever it will do");
            assert!(category.is_held_as_fhir() || category.is_of_school());
            assert!(category.is_of_school() || !category.may_address_group());
        }
        assert_eq!(Category::from_wire("Immunization"), None);
        assert_eq!("menu".parse::<Category>(), Err(UnknownCategory));
    }

    #[test]
    fn the_list_is_complete_and_without_doubles() {
        let names: std::collections::BTreeSet<_> = Category::ALL.iter().map(|c| c.wire_name()).collect();
        assert_eq!(names.len(), Category::ALL.len());
    }

    #[test]
    fn only_school_records_address_a_class() {
        let group: Vec<_> = Category::ALL.into_iter().filter(|c| c.may_address_group()).collect();
        assert_eq!(group, [Category::SchoolNotice, Category::SchoolEvent, Category::SchoolMenu]);
    }
}
