//! The allergens whose labelling the Food Labelling Standards (食品表示基準) demand or recommend: what a guardian
//! can register for the school lunch.
//!
//! Which class an allergen has depends on the day: walnut rose to the mandatory ones in 2023, cashew and pistachio
//! follow in 2026. Codes are those of J-FAGY (JP Core's `JP_JfagyFoodAllergen_CS`). Must not know which words mean
//! an allergen: that is [`crate::lunch`]'s.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::category::Label;
use crate::date::CalendarDate;

/// One allergen of the standard list. The order is that of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allergen(u8);

/// How strongly the law wants an allergen on labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 特定原材料: must be on every label.
    Mandatory,
    /// 特定原材料に準ずるもの: should be.
    Recommended,
    /// No longer on the list; earlier labels and registrations name it.
    Removed,
}

struct Row {
    id: &'static str,
    label: Label,
    jfagy: &'static str,
    /// From which day on which class, ascending.
    classes: &'static [(&'static str, Class)],
}

const fn row(
    id: &'static str,
    ja: &'static str,
    en: &'static str,
    jfagy: &'static str,
    classes: &'static [(&'static str, Class)],
) -> Row {
    Row { id, label: Label { ja, en }, jfagy, classes }
}

use Class::{Mandatory, Recommended, Removed};

/// 消費者庁「食物アレルギー表示に関する情報」, as amended on 2023-03-09 (walnut), 2024-03-28 (macadamia in, matsutake
/// out) and as decided on 2025-12-15 (cashew, pistachio). The day of the last amendment is provisional; those of
/// 2001 to 2019 are from memory. Neither changes what is matched.
const LIST: &[Row] = &[
    row("egg", "卵", "Egg", "J9FB13000000", &[("2001-04-01", Mandatory)]),
    row("milk", "乳", "Milk", "J9FB12000000", &[("2001-04-01", Mandatory)]),
    row("wheat", "小麦", "Wheat", "J9FA15000000", &[("2001-04-01", Mandatory)]),
    row(
        "shrimp",
        "えび",
        "Shrimp/prawn",
        "J9FC15110000",
        &[("2001-04-01", Recommended), ("2008-06-03", Mandatory)],
    ),
    row("crab", "かに", "Crab", "J9FC15120000", &[("2001-04-01", Recommended), ("2008-06-03", Mandatory)]),
    row(
        "walnut",
        "くるみ",
        "Walnut",
        "J9FA32280000",
        &[("2001-04-01", Recommended), ("2023-03-09", Mandatory)],
    ),
    row("buckwheat", "そば", "Buckwheat", "J9FA19140000", &[("2001-04-01", Mandatory)]),
    row("peanut", "落花生", "Peanut", "J9FA21180000", &[("2001-04-01", Mandatory)]),
    row(
        "cashew",
        "カシューナッツ",
        "Cashew nut",
        "J9FA32320000",
        &[("2001-04-01", Recommended), ("2026-04-01", Mandatory)],
    ),
    row("almond", "アーモンド", "Almond", "J9FA32310000", &[("2019-09-19", Recommended)]),
    row("abalone", "あわび", "Abalone", "J9FC12190000", &[("2001-04-01", Recommended)]),
    row("squid", "いか", "Squid", "J9FC13000000", &[("2001-04-01", Recommended)]),
    row("salmon_roe", "いくら", "Salmon roe", "J9FC28150000", &[("2001-04-01", Recommended)]),
    row("orange", "オレンジ", "Orange", "J9FA32113200", &[("2001-04-01", Recommended)]),
    row("kiwi", "キウイフルーツ", "Kiwifruit", "J9FA32540000", &[("2001-04-01", Recommended)]),
    row("beef", "牛肉", "Beef", "J9FB11110000", &[("2001-04-01", Recommended)]),
    row("sesame", "ごま", "Sesame", "J9FA32340000", &[("2013-09-20", Recommended)]),
    row("salmon", "さけ", "Salmon", "J9FC11240000", &[("2001-04-01", Recommended)]),
    row("mackerel", "さば", "Mackerel", "J9FC11310000", &[("2001-04-01", Recommended)]),
    row("soy", "大豆", "Soybean", "J9FA21110000", &[("2001-04-01", Recommended)]),
    row("chicken", "鶏肉", "Chicken", "J9FB11180000", &[("2001-04-01", Recommended)]),
    row("banana", "バナナ", "Banana", "J9FA32490000", &[("2004-12-27", Recommended)]),
    row("pork", "豚肉", "Pork", "J9FB11120000", &[("2001-04-01", Recommended)]),
    row("macadamia", "マカダミアナッツ", "Macadamia nut", "J9FA32370000", &[("2024-03-28", Recommended)]),
    row("peach", "もも", "Peach", "J9FA32210000", &[("2001-04-01", Recommended)]),
    row("yam", "やまいも", "Yam", "J9FA24190000", &[("2001-04-01", Recommended)]),
    row("apple", "りんご", "Apple", "J9FA32120000", &[("2001-04-01", Recommended)]),
    row("gelatin", "ゼラチン", "Gelatin", "J9FG26000000", &[("2001-04-01", Recommended)]),
    row("pistachio", "ピスタチオ", "Pistachio", "J9FA32330000", &[("2026-04-01", Recommended)]),
    row(
        "matsutake",
        "まつたけ",
        "Matsutake",
        "J9FA28120000",
        &[("2001-04-01", Recommended), ("2024-03-28", Removed)],
    ),
];

impl Allergen {
    /// Every allergen of the list, in its order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..LIST.len()).filter_map(|index| u8::try_from(index).ok()).map(Self)
    }

    fn row(self) -> &'static Row {
        // Only `all` makes one.
        &LIST[usize::from(self.0)]
    }

    /// Its short name in files and commands, such as `egg`.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// Its name.
    pub fn label(self) -> Label {
        self.row().label
    }

    /// Its code in J-FAGY, such as `J9FB13000000`.
    pub fn jfagy(self) -> &'static str {
        self.row().jfagy
    }

    /// Its class on a day; `None` before it was on the list.
    pub fn class_on(self, day: CalendarDate) -> Option<Class> {
        let day = day.to_string();
        self.row().classes.iter().rev().find(|(since, _)| *since <= day.as_str()).map(|(_, class)| *class)
    }

    /// The allergen with this short name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::all().find(|allergen| allergen.id() == id)
    }

    /// The allergen with this J-FAGY code.
    pub fn from_jfagy(code: &str) -> Option<Self> {
        Self::all().find(|allergen| allergen.jfagy() == code)
    }
}

impl fmt::Debug for Allergen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Allergen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Allergen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Allergen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::from_id(&id).ok_or_else(|| de::Error::custom("not an allergen of the standard list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_list_has_nine_mandatory_and_twenty_recommended_ones_in_2026() {
        let count = |on: &str, class| Allergen::all().filter(|a| a.class_on(day(on)) == Some(class)).count();
        assert_eq!((count("2026-11-26", Mandatory), count("2026-11-26", Recommended)), (9, 20));
        assert_eq!((count("2025-04-01", Mandatory), count("2025-04-01", Recommended)), (8, 20));
        assert_eq!(count("2026-11-26", Removed), 1);
    }

    #[test]
    fn names_and_codes_lead_back_and_are_unique() {
        for allergen in Allergen::all() {
            assert_eq!(Allergen::from_id(allergen.id()), Some(allergen));
            assert_eq!(Allergen::from_jfagy(allergen.jfagy()), Some(allergen));
            assert_eq!(
                serde_json::from_str::<Allergen>(&serde_json::to_string(&allergen).unwrap()).unwrap(),
                allergen
            );
        }
        assert_eq!(Allergen::from_id("Egg"), None);
        assert!(serde_json::from_str::<Allergen>("\"kryptonite\"").is_err());
    }
}
