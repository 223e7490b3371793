//! Japanese and English words for codes that files often carry without them.
//!
//! Source: the domain tables of SNOMED CT allergy codes and J-FAGY foods. Vaccines have theirs in
//! [`crate::immunization`].

use crate::category::Label;
use crate::fhir::codes::{JFAGY_FOOD, SNOMED};

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

const fn snomed(code: &'static str, ja: &'static str, en: &'static str) -> Term {
    Term { system: SNOMED, code, ja, en }
}

const fn jfagy(code: &'static str, ja: &'static str, en: &'static str) -> Term {
    Term { system: JFAGY_FOOD, code, ja, en }
}

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
