//! Names prepared for comparison.
//!
//! Two institutions write one name as 「おおの　ようこ」, 「オオノ ヨウコ」, 「ｵｵﾉ･ﾖｳｺ」, 「オーノ ヨーコ」 or, in ledgers that have
//! no small kana, 「オオノ キヨウコ」 for キョウコ. [`normalise_name`] gives all of them one form. The form is for
//! comparison only, never for display.
//!
//! The steps, in order (**fixed**: digests made by a registry depend on them):
//! 1. NFKC: half-width kana become full-width, full-width Latin becomes ASCII.
//! 2. Hiragana to katakana; iteration marks ゝゞヽヾ spelled out; small kana to large; ヲヰヱ to オイエ,
//!    ヂヅ to ジズ (one sound each, spelled either way).
//! 3. A long vowel, however written (ー, a dash after kana, or the vowel itself), to one form: after ア・イ・
//!    ウ columns that vowel, after エ イ, after オ ウ. The vowel is kept: オノ and オオノ remain two names.
//! 4. White space, ・, apostrophes, hyphens, dots, commas and voicing marks that voice nothing are dropped.
//! 5. Latin letters lose their accents and are upper-cased. Anything else (kanji) stays as it is.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

/// The form of a name in which two spellings of it are equal. Idempotent.
pub fn normalise_name(name: &str) -> String {
    // The spacing voicing marks would turn into "space and combining mark" under NFKC.
    let joined: String = name
        .chars()
        .map(|c| match c {
            '\u{309B}' => '\u{3099}',
            '\u{309C}' => '\u{309A}',
            other => other,
        })
        .collect();
    let mut out = String::with_capacity(joined.len());
    let mut previous: Option<char> = None;
    for c in joined.nfkc() {
        let c = match hiragana_to_katakana(c) {
            'ヽ' => previous.map_or('ヽ', unvoiced),
            'ヾ' => previous.and_then(|p| compose(unvoiced(p), '\u{3099}')).unwrap_or('ヾ'),
            other => other,
        };
        if is_katakana(c) {
            let c = plain_kana(c);
            let c = long_vowel(previous, c);
            out.push(c);
            previous = Some(c);
        } else if is_dash(c) {
            // A dash that lengthens kana is a vowel, a dash between Latin names is nothing.
            if let Some(vowel) = previous.filter(|p| is_katakana(*p)).and_then(lengthening) {
                out.push(vowel);
                previous = Some(vowel);
            }
        } else if !is_separator(c) && !matches!(c, '\u{3099}' | '\u{309A}') {
            out.extend(latin_upper(c));
            previous = out.chars().next_back();
        }
    }
    out
}

/// Whether text consists of kana (any width) and separators only, with at least one kana.
pub(super) fn is_kana(text: &str) -> bool {
    let mut kana = false;
    text.nfkc().all(|c| {
        let this = is_katakana(hiragana_to_katakana(c)) || c == 'ー';
        kana |= this;
        this || is_separator(c) || is_dash(c) || is_combining_mark(c)
    }) && kana
}

fn hiragana_to_katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        other => other,
    }
}

fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ')
}

fn is_dash(c: char) -> bool {
    matches!(c, 'ー' | '-' | '‐' | '\u{2011}'..='―' | '−' | '~' | '〜' | '─')
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '・' | '\u{00B7}' | '\'' | '’' | '‘' | '`' | '.' | ',' | '、' | '。' | '=' | '゠')
}

/// Small to large, and one spelling per sound.
fn plain_kana(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' | 'ヰ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' | 'ヱ' => 'エ',
        'ォ' | 'ヲ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ヂ' => 'ジ',
        'ヅ' => 'ズ',
        other => other,
    }
}

/// A vowel that only lengthens the kana before it, in the one form.
fn long_vowel(previous: Option<char>, c: char) -> char {
    match (previous.and_then(vowel_of), c) {
        (Some('エ'), 'エ' | 'イ') => 'イ',
        (Some('オ'), 'オ' | 'ウ') => 'ウ',
        _ => c,
    }
}

/// The vowel that lengthens a kana.
fn lengthening(c: char) -> Option<char> {
    Some(match vowel_of(c)? {
        'エ' => 'イ',
        'オ' => 'ウ',
        same => same,
    })
}

/// The vowel of a large kana.
fn vowel_of(c: char) -> Option<char> {
    const COLUMNS: [(char, &str); 5] = [
        ('ア', "アカサタナハマヤラワガザダバパ"),
        ('イ', "イキシチニヒミリギジビピ"),
        ('ウ', "ウクスツヌフムユルグズブプヴ"),
        ('エ', "エケセテネヘメレゲゼデベペ"),
        ('オ', "オコソトノホモヨロゴゾドボポ"),
    ];
    COLUMNS.iter().find(|(_, kana)| kana.contains(c)).map(|(vowel, _)| *vowel)
}

fn unvoiced(c: char) -> char {
    std::iter::once(c).nfd().next().unwrap_or(c)
}

/// A Latin letter without its accents, upper-cased; any other character unchanged.
fn latin_upper(c: char) -> impl Iterator<Item = char> {
    let base = unvoiced(c);
    let letter = if base.is_ascii_alphabetic() { base } else { c };
    // A combining accent that could not be composed belongs to the Latin letter before it.
    let keep = !matches!(c, '\u{0300}'..='\u{036F}');
    keep.then(|| letter.to_uppercase()).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_name_in_many_spellings() {
        for group in [
            &["おおの　ようこ", "オオノ ヨウコ", "ｵｵﾉ･ﾖｳｺ", "オーノ・ヨーコ", "ｵｰﾉ ﾖｰｺ", "オオノヨオコ"][..],
            &["きょうこ", "キヨウコ", "ｷｮｳｺ", "キョーコ", "ｷｮ-ｺ"],
            &["ゆうき", "ユーキ", "ﾕｳｷ", "ゆー　き"],
            &["けいた", "ケータ", "けえた"],
            &["みすゞ", "ミスズ", "みすず", "みすヾ", "ﾐｽｽﾞ"],
            &["いづみ", "イズミ", "ｲﾂﾞﾐ", "いつ゛み"],
            &["さゝき", "ササキ"],
            &[
                "José O'Neill-Smith",
                "JOSE ONEILL SMITH",
                "Ｊｏｓｅ　Ｏ’Ｎｅｉｌｌ Ｓｍｉｔｈ",
                "Jose\u{301} ONeillSmith",
            ],
            &["前橋　太郎", "前橋太郎", "前橋 太郎"],
        ] {
            let forms: std::collections::BTreeSet<_> =
                group.iter().map(|name| normalise_name(name)).collect();
            assert_eq!(forms.len(), 1, "{forms:?}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [
            ("オノ", "オオノ"),
            ("ヨシコ", "ヨウコ"),
            ("ユキ", "ユウキ"),
            ("カキ", "ガキ"),
            ("前橋", "高崎"),
            ("ハト", "バト"),
        ] {
            assert_ne!(normalise_name(one), normalise_name(other));
        }
    }

    #[test]
    fn kana_is_recognised_in_every_width() {
        for text in ["マエバシ ハナコ", "まえばし　はなこ", "ﾏｴﾊﾞｼ･ﾊﾅｺ", "ユーキ"]
        {
            assert!(is_kana(text), "{text}");
        }
        for text in ["前橋 ハナコ", "Maebashi", "", " ・ ", "-"] {
            assert!(!is_kana(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_form_is_final(name in "[ぁ-ゖァ-ヺーｦ-ﾟA-Za-zÀ-ÿ前橋ゝゞヽヾ゛゜・ '-]{0,24}") {
            let once = normalise_name(&name);
            prop_assert_eq!(normalise_name(&once), once.clone());
            prop_assert!(!once.chars().any(|c| c.is_whitespace() || c == 'ー'));
        }

        #[test]
        fn width_and_script_do_not_matter(name in "[ぁ-ゔー ]{1,16}") {
            let katakana: String = name.chars().map(hiragana_to_katakana).collect();
            prop_assert_eq!(normalise_name(&name), normalise_name(&katakana));
        }

        #[test]
        fn any_text_is_survived(name in "\\PC{0,32}") {
            let _ = (normalise_name(&name), is_kana(&name));
        }
    }
}
