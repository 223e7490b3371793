//! Allergies and intolerances as typed facts.
//!
//! What an allergy is to (food, medicine, something else) is told by its code, for exporting systems mark
//! everything as food; only where no code is known does the record's own word count. Must not know menus or
//! alerts.

use serde_json::Value;

use crate::category::Label;
use crate::date::CalendarDate;
use crate::fhir::stored::Stored;
use crate::fhir::{Reason, Standing, codes};
use crate::redacted::redacted;
use crate::words::concept::Concept;
use crate::words::terms::{self, Term};
use crate::words::{self, Summary};

/// Most reactions taken of one record.
const REACTIONS_MAX: usize = 20;

/// One allergy or intolerance.
#[derive(Clone, PartialEq, Eq)]
pub struct Allergy {
    /// What it is to.
    pub substance: Summary,
    /// Code system and code of the substance, as the record gives them: J-FAGY before SNOMED CT before others.
    pub code: Option<(String, String)>,
    /// What kind of thing that is.
    pub kind: SubstanceKind,
    /// How dangerous a future exposure may be.
    pub criticality: Option<Criticality>,
    /// The severest reaction recorded.
    pub severity: Option<Severity>,
    /// Whether it is a matter of now.
    pub clinical: Clinical,
    /// How sure it is.
    pub verification: Option<Verification>,
    /// What happened, such as じんましん.
    pub reactions: Vec<Summary>,
    /// The day it was recorded or noticed, in Japan; `None` when nothing says so.
    pub date: Option<CalendarDate>,
    /// Whether the record still holds.
    pub standing: Standing,
}

/// What kind of thing an allergy is to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubstanceKind {
    /// 食物
    Food,
    /// 薬
    Medicine,
    /// その他: pollen, animals, latex, insects.
    Other,
    /// Neither a known code nor one clear word of the record says it.
    Unknown,
}

/// FHIR R4 `criticality`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// Low risk.
    Low,
    /// Cannot be assessed.
    Unknown,
    /// High risk: life may be in danger.
    High,
}

/// FHIR R4 `reaction.severity`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// 軽度
    Mild,
    /// 中等度
    Moderate,
    /// 重度
    Severe,
}

/// FHIR R4 `clinicalStatus`. What says nothing counts as present.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clinical {
    /// Present.
    Active,
    /// Not at present.
    Inactive,
    /// Healed.
    Resolved,
}

/// FHIR R4 `verificationStatus`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verification {
    /// By a test or a doctor.
    Confirmed,
    /// Suspected, or told by the guardian.
    Unconfirmed,
    /// Excluded.
    Refuted,
    /// Entered in error.
    EnteredInError,
}

redacted!(Allergy, SubstanceKind, Criticality, Severity, Clinical, Verification);

impl SubstanceKind {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Food => Label { ja: "食物", en: "Food" },
            Self::Medicine => Label { ja: "薬", en: "Medicine" },
            Self::Other => {
                Label { ja: "その他(花粉・動物など)", en: "Other (pollen, animals …)" }
            }
            Self::Unknown => Label { ja: "種類の記載なし", en: "Kind not stated" },
        }
    }
}

impl Criticality {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Low => Label { ja: "重い反応のおそれは低い", en: "Low risk" },
            Self::Unknown => Label { ja: "評価できない", en: "Cannot be assessed" },
            Self::High => Label { ja: "重い反応のおそれ", en: "High risk" },
        }
    }
}

impl Severity {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Mild => Label { ja: "軽度", en: "Mild" },
            Self::Moderate => Label { ja: "中等度", en: "Moderate" },
            Self::Severe => Label { ja: "重度", en: "Severe" },
        }
    }
}

impl Clinical {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Active => Label { ja: "あり", en: "Active" },
            Self::Inactive => Label { ja: "現在なし", en: "Inactive" },
            Self::Resolved => Label { ja: "治癒", en: "Resolved" },
        }
    }
}

impl Verification {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Confirmed => Label { ja: "確定", en: "Confirmed" },
            Self::Unconfirmed => Label { ja: "未確定", en: "Unconfirmed" },
            Self::Refuted => Label { ja: "否定", en: "Refuted" },
            Self::EnteredInError => Label { ja: "取消", en: "Withdrawn" },
        }
    }
}

impl Allergy {
    /// Reads verbatim content of a record of category allergy.
    ///
    /// # Errors
    /// It is no AllergyIntolerance or names no substance; the caller shows its one line
    /// ([`crate::words::summary`]) instead.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        let stored = Stored::of_types(content, &["AllergyIntolerance"])?;
        let substance = words::substance(&stored.value).ok_or(Reason::Missing("code"))?;
        let known = substance.find(&terms::JFAGY_FOODS).or_else(|| substance.find(&terms::ALLERGIES));
        let codings: Vec<(&str, &str)> = substance.codings().collect();
        let code = codings.iter().min_by_key(|(system, _)| rank(system));
        // What is known by code only must not disappear from the page.
        let unnamed = || {
            let (_, code) = code?;
            Some(Summary::new(
                format!("名称の記載なし(コード {code})"),
                format!("No name given (code {code})"),
            ))
        };
        let name = substance.words(known.map(Term::label)).or_else(unnamed).and_then(Summary::tidied);
        let stated: Vec<&str> = stored.list("/category").filter_map(Value::as_str).collect();
        let reactions: Vec<&Value> = stored.list("/reaction").take(REACTIONS_MAX).collect();
        let manifestations = reactions.iter().filter_map(|it| it.get("manifestation")?.as_array()).flatten();
        let described = reactions.iter().filter_map(|it| it.get("description")?.as_str());
        let mut happened: Vec<Summary> =
            manifestations.filter_map(|it| Concept::of(it).words(None)).filter_map(Summary::tidied).collect();
        if happened.is_empty() {
            happened = described.filter_map(|text| Summary::new(text, text).tidied()).collect();
        }
        happened.truncate(REACTIONS_MAX);
        let status = |element: &str| coded(stored.value.get(element));
        Ok(Self {
            substance: name.ok_or(Reason::Missing("code"))?,
            code: code.map(|(system, code)| ((*system).to_owned(), (*code).to_owned())),
            kind: kind(&codings, &stated),
            criticality: match stored.text("/criticality") {
                Some("high") => Some(Criticality::High),
                Some("low") => Some(Criticality::Low),
                Some("unable-to-assess") => Some(Criticality::Unknown),
                _ => None,
            },
            severity: reactions
                .iter()
                .filter_map(|it| match it.get("severity")?.as_str()? {
                    "mild" => Some(Severity::Mild),
                    "moderate" => Some(Severity::Moderate),
                    "severe" => Some(Severity::Severe),
                    _ => None,
                })
                .max(),
            clinical: match status("clinicalStatus") {
                Some("inactive") => Clinical::Inactive,
                Some("resolved") => Clinical::Resolved,
                _ => Clinical::Active,
            },
            verification: match status("verificationStatus") {
                Some("confirmed") => Some(Verification::Confirmed),
                Some("unconfirmed" | "presumed") => Some(Verification::Unconfirmed),
                Some("refuted") => Some(Verification::Refuted),
                Some("entered-in-error") => Some(Verification::EnteredInError),
                _ => None,
            },
            reactions: happened,
            date: stored.when.ok().map(|when| when.day),
            standing: stored.standing,
        })
    }

    /// Whether it is to be heeded: it holds, is neither healed nor past, and is not excluded.
    pub fn is_current(&self) -> bool {
        self.standing == Standing::Valid && self.clinical == Clinical::Active
    }
}

/// The entries, which may be in any order, as a page lists them: those to be heeded first, dangerous ones
/// before others, food before the rest; then the newest. Their places in the list given.
pub fn most_important_first(allergies: &[Allergy]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..allergies.len()).collect();
    places.sort_by_key(|place| {
        allergies.get(*place).map(|it| {
            let danger = (it.criticality == Some(Criticality::High), it.severity);
            (!it.is_current(), std::cmp::Reverse(danger), it.kind, std::cmp::Reverse(it.date))
        })
    });
    places
}

fn coded(concept: Option<&Value>) -> Option<&str> {
    concept?.pointer("/coding/0/code")?.as_str()
}

/// Code systems in the order in which a substance is named by them.
fn rank(system: &str) -> u8 {
    match system {
        system if system.starts_with(codes::JFAGY) => 0,
        codes::SNOMED => 1,
        _ => 2,
    }
}

/// By code; else by the record's own word, if it says exactly one.
fn kind(codings: &[(&str, &str)], stated: &[&str]) -> SubstanceKind {
    let by_code = codings.iter().find_map(|(system, code)| match *system {
        codes::JFAGY_FOOD => Some(SubstanceKind::Food),
        codes::JFAGY_MEDICATION => Some(SubstanceKind::Medicine),
        system if system.starts_with(codes::JFAGY) => Some(SubstanceKind::Other),
        system if codes::MEDICINES.contains(&system) => Some(SubstanceKind::Medicine),
        codes::SNOMED => {
            let known = terms::ALLERGIES.iter().any(|term| term.code == *code);
            let food = terms::FOOD_ALLERGIES.contains(code);
            known.then_some(if food { SubstanceKind::Food } else { SubstanceKind::Other })
        }
        _ => None,
    });
    by_code.unwrap_or(match stated {
        ["food"] => SubstanceKind::Food,
        ["medication"] => SubstanceKind::Medicine,
        ["environment"] | ["biologic"] => SubstanceKind::Other,
        _ => SubstanceKind::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::date::tests::day;
    use crate::fhir::codes::SNOMED;

    fn allergy(system: &str, code: &str, category: Value) -> Value {
        let status = |code: &str| json!({ "coding": [{ "code": code }] });
        json!({
            "resourceType": "AllergyIntolerance", "clinicalStatus": status("active"),
            "verificationStatus": status("confirmed"), "category": category, "criticality": "high",
            "code": { "coding": [{ "system": system, "code": code }] }, "recordedDate": "2024-02-20",
            "reaction": [
                { "manifestation": [{ "text": "じんましん" }], "severity": "moderate" },
                { "manifestation": [{ "text": "せき" }], "severity": "mild" },
            ],
        })
    }

    fn read(resource: &Value) -> Allergy {
        Allergy::read(resource.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_registered_allergy_is_read_whole() {
        let egg = read(&allergy(SNOMED, "91930004", json!(["food"])));
        assert_eq!((egg.substance.ja.as_str(), egg.substance.en.as_str()), ("卵", "Egg"));
        assert!(egg.kind == SubstanceKind::Food && egg.criticality == Some(Criticality::High));
        assert!(
            egg.severity == Some(Severity::Moderate) && egg.verification == Some(Verification::Confirmed)
        );
        let happened: Vec<&str> = egg.reactions.iter().map(|it| it.ja.as_str()).collect();
        assert_eq!((happened, egg.date), (vec!["じんましん", "せき"], Some(day("2024-02-20"))));
        assert!(egg.is_current());
        assert_eq!(format!("{egg:?} {:?}", egg.kind), "Allergy(***) SubstanceKind(***)");
    }

    #[test]
    fn the_code_tells_food_from_the_rest() {
        let kind = |system: &str, code: &str, category: Value| read(&allergy(system, code, category)).kind;
        let food = || json!(["food"]);
        for term in &terms::ALLERGIES {
            let expected = if terms::FOOD_ALLERGIES.contains(&term.code) {
                SubstanceKind::Food
            } else {
                SubstanceKind::Other
            };
            assert!(kind(SNOMED, term.code, food()) == expected, "{}", term.en);
        }
        assert!(kind(SNOMED, "300916003", food()) == SubstanceKind::Other, "latex is no food");
        assert!(kind(codes::JFAGY_FOOD, "J9FA15000000", json!(null)) == SubstanceKind::Food);
        assert!(kind(codes::JFAGY_MEDICATION, "1", food()) == SubstanceKind::Medicine);
        let other = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyNonFoodNonMedicationAllergen_CS";
        assert!(kind(other, "1", food()) == SubstanceKind::Other);
        assert!(kind(codes::MEDICINES[1], "1", food()) == SubstanceKind::Medicine);
        assert!(kind("http://elsewhere.example", "1", json!(["medication"])) == SubstanceKind::Medicine);
        assert!(
            kind("http://elsewhere.example", "1", json!(["food", "environment"])) == SubstanceKind::Unknown
        );
    }

    #[test]
    fn foods_of_the_labelling_law_have_words_by_code_alone() {
        let wheat = read(&allergy(codes::JFAGY_FOOD, "J9FA15000000", json!(null)));
        assert_eq!((wheat.substance.ja.as_str(), wheat.substance.en.as_str()), ("小麦", "Wheat"));
        let mut both = allergy(SNOMED, "420174000", json!(["food"]));
        let jfagy = json!({ "system": codes::JFAGY_FOOD, "code": "J9FA15000000" });
        both["code"]["coding"].as_array_mut().unwrap().push(jfagy);
        let code = read(&both).code.unwrap();
        assert_eq!((code.0.as_str(), code.1.as_str()), (codes::JFAGY_FOOD, "J9FA15000000"));
        let unnamed = read(&allergy(codes::JFAGY_FOOD, "J9FA99999999", json!(null)));
        assert_eq!(unnamed.substance.ja, "名称の記載なし(コード J9FA99999999)");
        let known: std::collections::BTreeSet<_> = terms::JFAGY_FOODS.iter().map(|term| term.code).collect();
        assert_eq!(known.len(), terms::JFAGY_FOODS.len());
    }

    #[test]
    fn what_is_to_be_heeded_comes_first() {
        let with = |change: fn(&mut Value)| {
            let mut resource = allergy(SNOMED, "91930004", json!(["food"]));
            change(&mut resource);
            read(&resource)
        };
        let healed = with(|it| it["clinicalStatus"]["coding"][0]["code"] = json!("resolved"));
        let refuted = with(|it| it["verificationStatus"]["coding"][0]["code"] = json!("refuted"));
        let mild = with(|it| it["criticality"] = json!("low"));
        let undated = with(|it| it["recordedDate"] = json!(null));
        assert!(!healed.is_current() && !refuted.is_current() && mild.is_current());
        assert_eq!(undated.date, None, "an allergy without a day is still an allergy");
        assert_eq!(most_important_first(&[healed, mild, undated, refuted]), [2, 1, 0, 3]);
    }

    #[test]
    fn junk_is_unreadable() {
        for content in [
            "",
            "{}",
            "[]",
            "\u{0}",
            r#"{"resourceType":"AllergyIntolerance"}"#,
            r#"{"resourceType":"AllergyIntolerance","code":{"text":" "}}"#,
        ] {
            assert!(Allergy::read(content.as_bytes()).is_err(), "{content}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_json_is_read_or_refused(resource in words::any_resource()) {
            let _ = Allergy::read(&serde_json::to_vec(&resource).unwrap());
        }

        #[test]
        fn no_bytes_break_the_reader(content in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Allergy::read(&content).is_err());
        }
    }
}
