//! One spelling for the names of classes and kitchens, however files and people write them.
//!
//! Which kitchen cooks for a class is found by its name in the class list, the menu files, the calendar and the
//! configuration. Two spellings of one name would be two kitchens, and a child whose menu is never found.

use unicode_normalization::UnicodeNormalization as _;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 60;

/// The name of a kitchen as it is kept: NFKC (full-width digits become ASCII), single spaces, and a plain hyphen for
/// whatever dash stands between two digits. `None`: empty, too long, or not a line of text.
pub(crate) fn named(text: &str) -> Option<String> {
    let text: String = text.nfkc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    let letters: Vec<char> = text.chars().collect();
    let digit_at = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(char::is_ascii_digit);
    let plain = |(at, letter): (usize, &char)| match letter {
        'ー' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−'
            if digit_at(at.checked_sub(1)) && digit_at(at.checked_add(1)) =>
        {
            '-'
        }
        other => *other,
    };
    let name: String = letters.iter().enumerate().map(plain).collect();
    let fits = (1..=NAME_CHARS_MAX).contains(&letters.len()) && !name.chars().any(char::is_control);
    fits.then_some(name)
}

/// The name of a class as it is kept: as [`named`], and `3年2組` is `3-2`.
pub(crate) fn class_named(text: &str) -> Option<String> {
    let name = named(text)?;
    let parts = name.strip_suffix('組').and_then(|name| name.split_once('年'));
    Some(match parts.map(|(year, class)| (year.trim(), class.trim())) {
        Some((year, class)) if is_year(year) && !class.is_empty() => format!("{year}-{class}"),
        _ => name,
    })
}

fn is_year(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_class_has_one_name() {
        for text in ["3-2", "３－２", " ３ー２ ", "3−2", "3‐2", "3年2組", "３年２組", "3 年 2 組"]
        {
            assert_eq!(class_named(text).as_deref(), Some("3-2"), "{text}");
        }
        for (text, name) in [
            ("なかよし学級", "なかよし学級"),
            ("3年A組", "3-A"),
            ("年組", "年組"),
            ("サーモン", "サーモン"),
            ("第１　地区", "第1 地区"),
        ] {
            assert_eq!(class_named(text).as_deref(), Some(name));
        }
        for text in ["", " \u{3000} ", "a\u{7}b", "あ".repeat(61).as_str()] {
            assert_eq!(class_named(text), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_kept_name_stays(text in "\\PC{0,20}") {
            if let Some(name) = class_named(&text) {
                prop_assert_eq!(class_named(&name), Some(name.clone()));
                prop_assert_eq!(named(&name), Some(name));
            }
        }
    }
}
