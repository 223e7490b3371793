//! Why a lunch contains an allergen, or could not be cleared, in words for a guardian or a nutritionist.

use super::survey::{Certainty, Doubt, Finding, Rule, Source};
use crate::words::Summary;

impl Source {
    /// What it is called: the ingredient or dish as the kitchen writes it.
    pub fn label(&self) -> Summary {
        match self {
            Self::Dish(name) if name.trim().is_empty() => {
                Summary::new("主食・料理名の記載なし", "no dishes named")
            }
            Self::Ingredient(name) | Self::Dish(name) => Summary::new(name, name),
            Self::Milk => Summary::new("牛乳(飲用)", "milk to drink"),
        }
    }
}

/// What was found in what, and by which rule.
pub fn explain(finding: &Finding) -> Summary {
    let Summary { ja: what_ja, en: what_en } = finding.source.label();
    let allergen = finding.allergen.label();
    let (ja, en) = (allergen.ja, allergen.en.to_lowercase());
    let check = finding.certainty == Certainty::CheckLabel;
    let (mut said_ja, mut said_en) = match &finding.rule {
        Rule::DailyMilk => ("飲用の牛乳が出ます。".to_owned(), "Milk to drink is served.".to_owned()),
        Rule::CrossReactive(found) => {
            let found = found.label();
            (
                format!(
                    "「{what_ja}」の{}は、{ja}と一緒に反応することが多い食品です。医師の指示を確かめてください。",
                    found.ja
                ),
                format!(
                    "“{what_en}”: {} often reacts together with {ja_en}. Follow the doctor's instructions.",
                    found.en.to_lowercase(),
                    ja_en = en,
                ),
            )
        }
        _ if check => (
            format!("「{what_ja}」は{ja}を含むことがあります。原材料表示を確かめてください。"),
            format!("“{what_en}” may contain {en}: read its label."),
        ),
        Rule::Dish(_) => (
            format!("「{what_ja}」に{ja}が含まれます(料理名から)。"),
            format!("“{what_en}” contains {en}, by the name of the dish."),
        ),
        _ => (format!("「{what_ja}」に{ja}が含まれます。"), format!("“{what_en}” contains {en}.")),
    };
    let (why_ja, why_en) = match &finding.rule {
        Rule::Label => ("根拠: 原材料表示".to_owned(), "Why: its label".to_owned()),
        Rule::Kitchen(word) => {
            (format!("根拠: 調理場の登録「{word}」"), format!("Why: the kitchen's own word “{word}”"))
        }
        Rule::Ingredient(word) => {
            (format!("根拠: 食品の表の「{word}」"), format!("Why: “{word}” in the table of foods"))
        }
        Rule::Dish(word) => (
            format!("根拠: 主食・料理の表の「{word}」"),
            format!("Why: “{word}” in the table of staples and dishes"),
        ),
        Rule::DailyMilk => ("根拠: 毎日の牛乳".to_owned(), "Why: the daily milk".to_owned()),
        Rule::CrossReactive(_) => ("根拠: 交差反応".to_owned(), "Why: cross-reactivity".to_owned()),
    };
    if finding.seasoning {
        said_ja.push_str("調味料などの扱いで、「より厳しい除去」が必要な場合だけ除きます。");
        said_en.push_str(" It counts as a seasoning: removed only under strict removal.");
    }
    Summary::new(format!("{said_ja}({why_ja})"), format!("{said_en} ({why_en})"))
}

/// What keeps a day from being cleared.
pub fn explain_doubt(doubt: &Doubt) -> Summary {
    match doubt {
        Doubt::CheckLabel(finding) => explain(finding),
        Doubt::Unknown(Source::Dish(name)) if name.trim().is_empty() => Summary::new(
            "献立に主食や料理の名前がないため、アレルゲンを確かめられませんでした。",
            "The menu names no staple and no dish: its allergens could not be checked.",
        ),
        Doubt::Unknown(source) => {
            let Summary { ja, en } = source.label();
            Summary::new(
                format!("「{ja}」の原材料が分からないため、アレルゲンを確かめられませんでした。"),
                format!("What is in “{en}” is not known: its allergens could not be checked."),
            )
        }
    }
}
