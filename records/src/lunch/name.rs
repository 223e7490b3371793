//! The name of a food or dish as it is compared: width, kana, endings and brackets evened out, scripts remembered.
//!
//! Scripts show where words may end: パン ends in パンの耳 and not in パンプキン. Must not know any word.

use unicode_normalization::UnicodeNormalization;

/// Names longer than this are not read.
const MAX_CHARS: usize = 120;

/// What a character was written in, before kana were evened out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Kanji,
    Hiragana,
    Katakana,
    Latin,
    Digit,
}

/// A part of a name between brackets, spaces, dots and the like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Hiragana for both kana, small vowels large, endings such as the き of 焼き gone.
    pub(super) chars: Vec<char>,
    /// The script of each character.
    pub(super) scripts: Vec<Script>,
}

/// A name, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// Never empty ones.
    pub(super) pieces: Vec<Piece>,
    /// The name was too long to be read whole.
    pub(super) cut_off: bool,
}

impl Name {
    pub(super) fn of(text: &str) -> Self {
        let mut name = Self::default();
        let mut piece = Piece::default();
        let mut left = MAX_CHARS;
        for c in text.nfkc().flat_map(char::to_lowercase) {
            if left == 0 {
                name.cut_off = true;
                break;
            }
            left -= 1;
            match piece.script_of(c) {
                Some((c, script)) => piece.push(c, script),
                None => name.take(&mut piece),
            }
        }
        name.take(&mut piece);
        name
    }

    fn take(&mut self, piece: &mut Piece) {
        let piece = std::mem::take(piece);
        if !piece.chars.is_empty() {
            self.pieces.push(piece);
        }
    }

    /// The whole name as one word of a table; two spellings of the same name have the same key.
    pub(super) fn key(&self) -> String {
        let mut key = String::new();
        for piece in &self.pieces {
            if !key.is_empty() {
                key.push(' ');
            }
            key.extend(&piece.chars);
        }
        key
    }
}

impl Piece {
    /// The character as it is compared and its script; `None` where a piece ends.
    fn script_of(&self, c: char) -> Option<(char, Script)> {
        Some(match c {
            'ー' | '-' | '‐' | '‑' | '–' | '—' | '―' | '−' => {
                ('ー', self.scripts.last().copied()?)
            }
            'ぁ'..='ゖ' => (large(c), Script::Hiragana),
            'ァ'..='ヶ' => {
                let hiragana = u32::from(c).checked_sub(0x60).and_then(char::from_u32)?;
                (large(hiragana), Script::Katakana)
            }
            '0'..='9' => (c, Script::Digit),
            '々' | '〆' => (c, Script::Kanji),
            c if c.is_ascii_alphabetic() => (c, Script::Latin),
            c if c.is_alphanumeric() => (c, Script::Kanji),
            _ => return None,
        })
    }

    fn push(&mut self, c: char, script: Script) {
        let ending = matches!(
            (self.chars.last(), c),
            (Some('焼' | '付' | '巻'), 'き')
                | (Some('揚'), 'げ')
                | (Some('漬' | '付'), 'け')
                | (Some('入' | '切' | '煎'), 'り')
                | (Some('和'), 'え')
                | (Some('炒'), 'め' | 'り')
                | (Some('蒸'), 'し')
        );
        if !(ending && script == Script::Hiragana) {
            self.chars.push(c);
            self.scripts.push(script);
        }
    }

    /// Whether a word may end before the character at `at`, judged by the script alone.
    pub(super) fn breaks_at(&self, at: usize) -> bool {
        match (at.checked_sub(1).and_then(|before| self.scripts.get(before)), self.scripts.get(at)) {
            (Some(before), Some(after)) => before != after,
            _ => true,
        }
    }
}

fn large(c: char) -> char {
    match c {
        'ぁ' => 'あ',
        'ぃ' => 'い',
        'ぅ' => 'う',
        'ぇ' => 'え',
        'ぉ' => 'お',
        'ゕ' => 'か',
        'ゖ' => 'け',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one_key() {
        for (one, other) in [
            ("ｳｲﾝﾅｰ", "ウィンナー"),
            ("焼きそば", "焼そば"),
            ("ﾁｰｽﾞ", "ちーず"),
            ("しゅうまい(えび)", "しゅうまい（エビ）"),
            ("冷凍 うどん", "冷凍　うどん"),
            ("コ-ン", "コーン"),
            ("油揚げ", "油揚"),
        ] {
            assert_eq!(Name::of(one).key(), Name::of(other).key(), "{one} {other}");
        }
        assert_ne!(Name::of("いか").key(), Name::of("すいか").key());
        assert_eq!(Name::of("◯ ☆").key(), "");
        assert!(Name::of(&"あ".repeat(1_000)).cut_off);
    }

    #[test]
    fn scripts_show_where_words_may_end() {
        let name = Name::of("パンの耳");
        let piece = name.pieces.first().unwrap();
        assert_eq!(
            (0..=4).map(|at| piece.breaks_at(at)).collect::<Vec<_>>(),
            [true, false, true, true, true]
        );
    }
}
