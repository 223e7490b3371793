//! Japanese and English words for codes that files often carry without them.
//!
//! Source: the domain tables of vaccines (CVX), SNOMED CT allergy codes and J-FAGY foods. For display only; what counts for
//! which vaccination series is decided elsewhere.

use crate::category::Label;
use crate::fhir::codes::{CVX, JFAGY_FOOD, SNOMED};

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

const fn jfagy(code: &'static str, ja: &'static str, en: &'static str) -> Term {
    Term { system: JFAGY_FOOD, code, ja, en }
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

/// Those of [`ALLERGIES`] that are allergies to food.
pub(crate) const FOOD_ALLERGIES: [&str; 8] =
    ["420174000", "425525006", "91930004", "91935009", "91934008", "714035009", "417532002", "300913006"];

/// The foods that Japanese labelling law names (食品表示基準 別表14, and those recommended), by J-FAGY code.
pub(crate) static JFAGY_FOODS: [Term; 32] = [
    jfagy("J9FA15000000", "小麦", "Wheat"),
    jfagy("J9FA19140000", "そば", "Buckwheat"),
    jfagy("J9FA21110000", "大豆", "Soybean"),
    jfagy("J9FA21180000", "落花生", "Peanut"),
    jfagy("J9FA24190000", "やまいも", "Yam"),
    jfagy("J9FA28120000", "まつたけ", "Matsutake"),
    jfagy("J9FA32113200", "オレンジ", "Orange"),
    jfagy("J9FA32120000", "りんご", "Apple"),
    jfagy("J9FA32210000", "もも", "Peach"),
    jfagy("J9FA32280000", "くるみ", "Walnut"),
    jfagy("J9FA32310000", "アーモンド", "Almond"),
    jfagy("J9FA32320000", "カシューナッツ", "Cashew nut"),
    jfagy("J9FA32330000", "ピスタチオ", "Pistachio"),
    jfagy("J9FA32340000", "ごま", "Sesame"),
    jfagy("J9FA32370000", "マカダミアナッツ", "Macadamia nut"),
    jfagy("J9FA32490000", "バナナ", "Banana"),
    jfagy("J9FA32540000", "キウイフルーツ", "Kiwifruit"),
    jfagy("J9FB11110000", "牛肉", "Beef"),
    jfagy("J9FB11120000", "豚肉", "Pork"),
    jfagy("J9FB11180000", "鶏肉", "Chicken"),
    jfagy("J9FB12000000", "乳", "Milk"),
    jfagy("J9FB12110011", "牛乳", "Cow's milk"),
    jfagy("J9FB13000000", "卵", "Egg"),
    jfagy("J9FB13110000", "鶏卵", "Poultry egg"),
    jfagy("J9FC11240000", "さけ", "Salmon"),
    jfagy("J9FC11310000", "さば", "Mackerel"),
    jfagy("J9FC12190000", "あわび", "Abalone"),
    jfagy("J9FC13000000", "いか", "Squid"),
    jfagy("J9FC15110000", "えび", "Shrimp/prawn"),
    jfagy("J9FC15120000", "かに", "Crab"),
    jfagy("J9FC28150000", "いくら", "Salmon roe"),
    jfagy("J9FG26000000", "ゼラチン", "Gelatin"),
];
