//! What a record says about its place in a series: 第1期初回2回目, 追加, dose 3.
//!
//! Must not know any series: whether the statement can be true is decided in [`crate::schedule`].

use unicode_normalization::UnicodeNormalization;

/// Part of a period: the first doses or the booster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 初回
    Initial,
    /// 追加
    Booster,
}

/// A dose's place in its series, as far as stated.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Stated {
    /// 第1期, 第2期 …
    pub period: Option<u8>,
    /// 初回 or 追加.
    pub stage: Option<Stage>,
    /// Number of the dose, within the stage or within the series.
    pub number: Option<u8>,
}

impl std::fmt::Debug for Stated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stated(***)")
    }
}

impl Stated {
    /// Reads the words, the most particular first, and the number of a protocol.
    pub(super) fn read<'a>(words: impl IntoIterator<Item = &'a str>, number: Option<u64>) -> Self {
        let mut stated = Self { number: number.and_then(small), ..Self::default() };
        for text in words {
            let text = plain(text);
            stated.period = stated.period.or_else(|| before(&text, '期'));
            stated.number =
                stated.number.or_else(|| before(&text, '回').or_else(|| small(text.parse().ok()?)));
            let stage = match () {
                () if text.contains("追加") || text.contains("booster") => Some(Stage::Booster),
                () if text.contains("初回") || text.contains("primary") => Some(Stage::Initial),
                () => None,
            };
            stated.stage = stated.stage.or(stage);
        }
        stated
    }

    /// Whether anything is stated at all.
    pub fn is_some(self) -> bool {
        self != Self::default()
    }
}

/// More doses than this nobody counts.
fn small(number: u64) -> Option<u8> {
    u8::try_from(number).ok().filter(|number| (1..=20).contains(number))
}

/// The number written directly before the mark: `1期`, `Ⅱ期`, `三期`.
fn before(text: &str, mark: char) -> Option<u8> {
    text.match_indices(mark).find_map(|(place, _)| {
        let head: Vec<char> = text.get(..place)?.chars().rev().take(3).collect();
        let digits: String =
            head.iter().take_while(|c| c.is_ascii_digit()).collect::<Vec<_>>().into_iter().rev().collect();
        if !digits.is_empty() {
            return small(digits.parse().ok()?);
        }
        let latin: String = head.iter().take_while(|c| **c == 'i').collect();
        match (latin.len(), head.first()) {
            (n @ 1..=3, _) => small(u64::try_from(n).ok()?),
            (_, Some('一')) => Some(1),
            (_, Some('二')) => Some(2),
            (_, Some('三')) => Some(3),
            (_, Some('四')) => Some(4),
            _ => None,
        }
    })
}

fn plain(text: &str) -> String {
    const MAX_CHARS: usize = 64;
    text.chars().take(MAX_CHARS).nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn japanese_and_foreign_statements_are_read() {
        let (initial, booster) = (Some(Stage::Initial), Some(Stage::Booster));
        for (words, number, expected) in [
            (&["第1期初回1回目"][..], Some(1), (Some(1), initial, Some(1))),
            (&["第１期　初回２回目"], None, (Some(1), initial, Some(2))),
            (&["第1期追加"], Some(4), (Some(1), booster, Some(4))),
            (&["Ⅱ期"], None, (Some(2), None, None)),
            (&["第二期"], Some(1), (Some(2), None, Some(1))),
            (&["追加", "1期初回"], None, (Some(1), booster, None)),
            (&["3"], None, (None, None, Some(3))),
            (&["2回目"], None, (None, None, Some(2))),
            (&["2回目", "1期初回"], None, (Some(1), initial, Some(2))),
            (&["4-dose primary series"], Some(2), (None, initial, Some(2))),
            (&["期", "回", "百期", "０回"], Some(0), (None, None, None)),
            (&[], Some(u64::MAX), (None, None, None)),
        ] {
            let Stated { period, stage, number } = Stated::read(words.iter().copied(), number);
            assert_eq!((period, stage, number), expected, "{words:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_words_break_the_reader(words in prop::collection::vec("[0-9一二三期回初追加Ⅰi\\PC]{0,12}", 0..4), number in any::<Option<u64>>()) {
            let stated = Stated::read(words.iter().map(String::as_str), number);
            prop_assert!(stated.number.is_none_or(|n| (1..=20).contains(&n)));
        }
    }
}
