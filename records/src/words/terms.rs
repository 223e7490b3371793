//! Japanese and English words for codes that files often carry without them.
//!
//! Source: the domain table of SNOMED CT allergy codes. Vaccines have theirs in [`crate::immunization`].

use crate::category::Label;
use crate::fhir::codes::SNOMED;

/// Words for one code.
pub(super) struct Term {
    pub(super) system: &'static str,
    pub(super) code: &'static str,
    pub(super) label: Label,
}

const fn snomed(code: &'static str, ja: &'static str, en: &'static str) -> Term {
    Term { system: SNOMED, code, label: Label { ja, en } }
}

/// Allergies by SNOMED CT code.
pub(super) static ALLERGIES: [Term; 15] = [
    snomed("420174000", "小麦", "Wheat"),
    snomed("425525006", "乳製品", "Dairy products"),
    snomed("91930004", "卵", "Egg"),
    snomed("91935009", "落花生", "Peanut"),
    snomed("91934008", "ナッツ類", "Nuts"),
    snomed("714035009", "大豆", "Soya"),
    snomed("417532002", "魚", "Fish"),
    snomed("300913006", "甲殻類・貝類", "Shellfish"),
    snomed("419474003", "カビ", "Mould"),
    snomed("232347008", "動物の毛・フケ", "Animal dander"),
    snomed("418689008", "イネ科花粉", "Grass pollen"),
    snomed("419263009", "樹木花粉", "Tree pollen"),
    snomed("232350006", "ハウスダスト(ダニ)", "House dust mite"),
    snomed("424213003", "ハチ毒", "Bee venom"),
    snomed("300916003", "ラテックス", "Latex"),
];
