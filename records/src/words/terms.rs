//! Japanese and English words for codes that files often carry without them.
//!
//! Source: the domain tables of vaccines (CVX) and SNOMED CT allergy codes. For display only; what counts for
//! which vaccination series is decided elsewhere.

use crate::category::Label;
use crate::fhir::codes::{CVX, SNOMED};

/// Words for one code.
pub(crate) struct Term {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) ja: &'static str,
    pub(crate) en: &'static str,
}

impl Term {
    /// The words.
    pub(crate) const fn label(&self) -> Label {
        Label { ja: self.ja, en: self.en }
    }
}

const fn cvx(code: &'static str, ja: &'static str, en: &'static str) -> Term {
    Term { system: CVX, code, ja, en }
}

const fn snomed(code: &'static str, ja: &'static str, en: &'static str) -> Term {
    Term { system: SNOMED, code, ja, en }
}

/// Vaccines by CVX code.
pub(crate) static VACCINES: [Term; 49] = [
    cvx("02", "ポリオ(生)", "Oral polio"),
    cvx("03", "麻しん・おたふくかぜ・風しん混合(MMR)", "Measles-mumps-rubella"),
    cvx("04", "麻しん風しん混合(MR)", "Measles-rubella"),
    cvx("05", "麻しん(単抗原)", "Measles"),
    cvx("06", "風しん(単抗原)", "Rubella"),
    cvx("07", "おたふくかぜ", "Mumps"),
    cvx("08", "B型肝炎", "Hepatitis B"),
    cvx("10", "ポリオ", "Inactivated polio"),
    cvx("100", "小児用肺炎球菌(7価)", "Pneumococcal conjugate 7-valent"),
    cvx("107", "三種混合", "DTaP"),
    cvx("110", "四種混合・B型肝炎", "DTaP-HepB-IPV"),
    cvx("113", "破傷風・ジフテリア(成人用)", "Td"),
    cvx("114", "髄膜炎菌(4価)", "Meningococcal 4-valent"),
    cvx("115", "Tdap(破傷風・ジフテリア・百日せき)", "Tdap"),
    cvx("116", "ロタ(5価)", "Rotavirus pentavalent"),
    cvx("118", "HPV(2価)", "HPV 2-valent"),
    cvx("119", "ロタ(1価)", "Rotavirus monovalent"),
    cvx("120", "五種混合", "DTaP-IPV-Hib"),
    cvx("121", "帯状疱疹", "Zoster"),
    cvx("122", "ロタ", "Rotavirus"),
    cvx("130", "四種混合", "DTaP-IPV"),
    cvx("133", "小児用肺炎球菌(13価)", "Pneumococcal conjugate 13-valent"),
    cvx("134", "日本脳炎", "Japanese encephalitis (Vero cell)"),
    cvx("140", "インフルエンザ", "Influenza (inactivated)"),
    cvx("146", "五種混合・B型肝炎", "DTaP-IPV-Hib-HepB"),
    cvx("149", "インフルエンザ(経鼻)", "Influenza (live nasal)"),
    cvx("150", "インフルエンザ", "Influenza (inactivated)"),
    cvx("158", "インフルエンザ", "Influenza (inactivated)"),
    cvx("165", "HPV(9価)", "HPV 9-valent"),
    cvx("17", "ヒブ", "Hib"),
    cvx("19", "BCG", "BCG"),
    cvx("20", "三種混合", "DTaP"),
    cvx("21", "水痘", "Varicella"),
    cvx("213", "新型コロナ", "COVID-19"),
    cvx("215", "小児用肺炎球菌(15価)", "Pneumococcal conjugate 15-valent"),
    cvx("216", "小児用肺炎球菌(20価)", "Pneumococcal conjugate 20-valent"),
    cvx("28", "二種混合(DT)", "DT toxoid"),
    cvx("305", "RSウイルス(妊婦)", "RSV maternal (bivalent preF)"),
    cvx("33", "肺炎球菌(23価)", "Pneumococcal polysaccharide 23-valent"),
    cvx("39", "日本脳炎(旧)", "Japanese encephalitis (mouse brain)"),
    cvx("43", "B型肝炎", "Hepatitis B, adult"),
    cvx("45", "B型肝炎", "Hepatitis B"),
    cvx("48", "ヒブ", "Haemophilus influenzae type b"),
    cvx("49", "ヒブ", "Hib (PRP-OMP)"),
    cvx("52", "A型肝炎", "Hepatitis A, adult"),
    cvx("62", "HPV(4価)", "HPV 4-valent"),
    cvx("83", "A型肝炎", "Hepatitis A"),
    cvx("89", "ポリオ", "Polio"),
    cvx("94", "麻しん・おたふくかぜ・風しん・水痘混合(MMRV)", "MMRV"),
];

/// Allergies by SNOMED CT code.
pub(crate) static ALLERGIES: [Term; 15] = [
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
