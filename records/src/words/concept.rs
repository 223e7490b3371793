//! Words for a CodeableConcept: its own, or ours for its code.
//!
//! Must not know what the concept is for.

use serde_json::Value;

use super::Summary;
use super::terms::Term;
use crate::category::Label;

/// A CodeableConcept as it came; anything else has no words.
pub(crate) struct Concept<'a> {
    value: &'a Value,
}

impl<'a> Concept<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        Self { value }
    }

    /// System and code of each coding.
    pub(crate) fn codings(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.coding_values()
            .filter_map(|coding| Some((coding.get("system")?.as_str()?, coding.get("code")?.as_str()?)))
    }

    /// Our words for the first code we have words for.
    pub(crate) fn find(&self, terms: &'static [Term]) -> Option<&'static Term> {
        self.codings()
            .find_map(|(system, code)| terms.iter().find(|term| term.system == system && term.code == code))
    }

    /// Japanese: the concept's own Japanese words, ours for its code, else whatever it says. English: its
    /// own English words, ours, else whatever it says.
    pub(crate) fn words(&self, known: Option<Label>) -> Option<Summary> {
        let own: Vec<&str> = self.own_words().collect();
        let japanese = own.iter().copied().find(|text| is_japanese(text));
        let english = own.iter().copied().find(|text| !is_japanese(text));
        let ja = japanese.or_else(|| known.map(|known| known.ja)).or(english)?;
        let en = english.or_else(|| known.map(|known| known.en)).or(japanese)?;
        Some(Summary::new(ja, en))
    }

    /// The concept's own words: its text, then what its codings are called.
    pub(crate) fn own_words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let displays = self.coding_values().filter_map(|coding| coding.get("display"));
        let all = self.value.get("text").into_iter().chain(displays);
        all.filter_map(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    fn coding_values(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.value.get("coding").and_then(Value::as_array).into_iter().flatten()
    }
}

/// Whether text contains kana or kanji.
fn is_japanese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, 'ぁ'..='ヿ' | '㐀'..='鿿' | 'ｦ'..='ﾟ' | '々'))
}
