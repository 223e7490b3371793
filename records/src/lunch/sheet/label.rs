//! What a cell says that a label says: allergens by the names that labels use.
//!
//! Empty means that nobody read the label; `なし` that it was read and names none. Must not know what is in a food.

use super::LineProblem;
use super::cell::{is_comma, quoted};
use crate::allergen::Allergen;
use crate::lunch::name::Name;

/// Most words of a label.
const WORDS_MAX: usize = 60;

/// What labels call the allergens of the standard list beside their names there: 食品表示基準 別表第14 and its
/// permitted other names (代替表記).
const NAMES: &[(&str, &[&str])] = &[
    ("egg", &["鶏卵", "玉子", "たまご", "全卵", "卵白", "卵黄"]),
    ("milk", &["乳成分", "乳製品", "牛乳", "乳等", "ミルク", "バター", "チーズ", "脱脂粉乳"]),
    ("wheat", &["こむぎ", "小麦粉"]),
    ("shrimp", &["海老"]),
    ("crab", &["蟹"]),
    ("walnut", &["胡桃"]),
    ("buckwheat", &["蕎麦"]),
    ("peanut", &["ピーナッツ"]),
    ("cashew", &["カシュー"]),
    ("squid", &["烏賊"]),
    ("salmon_roe", &["すじこ"]),
    ("kiwi", &["キウイ", "キウィー", "キウイー"]),
    ("beef", &["牛", "ビーフ"]),
    ("sesame", &["胡麻"]),
    ("salmon", &["鮭", "サーモン"]),
    ("mackerel", &["鯖"]),
    ("soy", &["だいず"]),
    ("chicken", &["鶏", "とり肉", "鳥肉", "チキン"]),
    ("pork", &["豚", "ぶた肉", "ポーク"]),
    ("macadamia", &["マカデミアナッツ", "マカダミア"]),
    ("peach", &["桃"]),
    ("yam", &["山芋", "山いも", "とろろ"]),
    ("apple", &["林檎"]),
    ("pistachio", &["ピスタチオナッツ"]),
    ("matsutake", &["松茸"]),
];

/// The allergens that a label is said to name; `None` where the cell is empty.
pub(super) fn label(cell: &str) -> Result<Option<Vec<Allergen>>, LineProblem> {
    let cell = cell.replace(['(', ')', '（', '）'], " ");
    let parts: Vec<&str> = cell.split(separates).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    if parts.len() > WORDS_MAX {
        return Err(LineProblem::TooMany);
    }
    let mut found = Vec::new();
    let mut none = false;
    for part in &parts {
        let word = part.strip_prefix("一部に").unwrap_or(part);
        let word = word.strip_suffix("を含む").unwrap_or(word);
        if matches!(word, "なし" | "無し" | "無" | "none") {
            none = true;
        } else {
            found.push(allergen(word).ok_or_else(|| unknown(part))?);
        }
    }
    // 「なし」 beside a name says two things.
    if none && !found.is_empty() {
        return Err(unknown("なし"));
    }
    found.sort();
    found.dedup();
    Ok(Some(found))
}

fn separates(c: char) -> bool {
    is_comma(c) || c.is_whitespace() || matches!(c, '・' | '･' | '/' | '／' | ':' | '：')
}

fn unknown(part: &str) -> LineProblem {
    LineProblem::UnknownAllergen(quoted(part))
}

fn allergen(word: &str) -> Option<Allergen> {
    let key = Name::of(word).key();
    if key.is_empty() {
        return None;
    }
    let is = |name: &str| Name::of(name).key() == key;
    let other = || NAMES.iter().find(|(_, names)| names.iter().any(|name| is(name)));
    Allergen::all()
        .find(|it| it.id() == word || it.jfagy() == word || is(it.label().ja) || is(it.label().en))
        .or_else(|| Allergen::from_id(other()?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cell: &str) -> String {
        match label(cell) {
            Ok(None) => "not read".to_owned(),
            Ok(Some(found)) => format!("{found:?}"),
            Err(problem) => problem.words().en,
        }
    }

    #[test]
    fn labels_name_allergens_in_many_ways() {
        assert_eq!(told("小麦、卵、乳成分"), "[egg, milk, wheat]");
        assert_eq!(told("(一部に小麦・大豆・えびを含む)"), "[wheat, shrimp, soy]");
        assert_eq!(told("エビ　カニ ﾋﾟｰﾅｯﾂ"), "[shrimp, crab, peanut]");
        assert_eq!(told("egg, J9FB12000000, 卵"), "[egg, milk]");
        assert_eq!(told("キウイ\nやまいも"), "[kiwi, yam]");
        assert_eq!(told("なし"), "[]");
        assert_eq!(told(" "), "not read");
        assert_eq!(told("小麦、アルミ"), "\"アルミ\" is no allergen of the standard list.");
        assert_eq!(told("なし、卵"), "\"なし\" is no allergen of the standard list.");
    }

    #[test]
    fn every_name_of_the_table_leads_to_one_allergen() {
        for (id, names) in NAMES {
            let allergen = Allergen::from_id(id).unwrap();
            for name in *names {
                assert_eq!(label(name), Ok(Some(vec![allergen])), "{name}");
            }
        }
        for allergen in Allergen::all() {
            assert_eq!(label(allergen.label().ja), Ok(Some(vec![allergen])));
            assert_eq!(label(allergen.id()), Ok(Some(vec![allergen])));
        }
    }
}
