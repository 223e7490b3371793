//! Which allergens the name of a food or dish means.
//!
//! By words with boundaries, never by parts of words. A name means, in this order: the kitchen's own word for it; a
//! word of the table; or the words it consists of, the longest first, among them words that say nothing (冷凍, カット).
//! Where anything of a name is left over that nobody knows, the name is not fully read, and what it means is unknown.
//! Must not know menus.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::foods::{Food, Foods, Kind, foods};
use super::name::{Name, Piece, Script};
use super::reading::{Meant, Reading, Said, reading};
use super::survey::Certainty;
use crate::allergen::Allergen;

/// A kitchen's own word: overrides the table wherever this word stands, alone or within a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The word, as the kitchen writes it; width, kana and brackets do not matter.
    pub word: String,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<Allergen>,
    /// What may be in it; what is also in `contains` counts as that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_contain: Vec<Allergen>,
    /// Whether it is a seasoning that needs no removal unless the doctor ticked 「より厳しい除去」.
    #[serde(default)]
    pub seasoning: bool,
}

impl Word {
    /// Whether the word can stand for a food: it has letters, and is not a single kana, which would match anywhere.
    pub fn can_match(&self) -> bool {
        can_match(&Name::of(&self.word))
    }

    /// Whether both are the same word, spelled perhaps otherwise.
    pub fn is_word(&self, word: &str) -> bool {
        Name::of(&self.word).key() == Name::of(word).key()
    }
}

/// The table of foods and a kitchen's own words.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    words: Vec<Word>,
    by_key: BTreeMap<String, usize>,
    /// Words of one piece by the first character, the longest first.
    by_first: BTreeMap<char, Vec<(Vec<char>, usize)>>,
}

/// A word found in a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    Table(&'static Food),
    Kitchen(&'a Word),
    /// A number with its unit, or 〇〇産.
    Remark,
}

/// A part of a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    /// `None`: nobody knows it.
    pub(super) entry: Option<Entry<'a>>,
}

impl<'a> Entry<'a> {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Table(food) => food.kind,
            Self::Kitchen(_) => Kind::Food,
            Self::Remark => Kind::Modifier,
        }
    }

    pub(super) fn is_content(self) -> bool {
        self.kind().is_content()
    }

    /// Whether it is this word of the table: もも is a peach, and a thigh after an animal; なし is a pear, and
    /// "without" after a food.
    pub(super) fn is_row(self, word: &str) -> bool {
        matches!(self, Self::Table(food) if food.word == word)
    }

    pub(super) fn contains(self) -> &'a [Allergen] {
        match self {
            Self::Table(food) => &food.contains,
            Self::Kitchen(word) => &word.contains,
            Self::Remark => &[],
        }
    }

    pub(super) fn may_contain(self) -> &'a [Allergen] {
        match self {
            Self::Table(food) => &food.may_contain,
            Self::Kitchen(word) => &word.may_contain,
            Self::Remark => &[],
        }
    }

    pub(super) fn meant(self) -> Vec<Meant> {
        let said = match self {
            Self::Table(food) => Said::Table(food.word),
            Self::Kitchen(word) => Said::Kitchen(word.word.clone()),
            Self::Remark => return Vec::new(),
        };
        let seasoning = |allergen: &Allergen| match self {
            Self::Table(food) => food.seasoning.contains(allergen),
            Self::Kitchen(word) => word.seasoning,
            Self::Remark => false,
        };
        let on_its_own = matches!(self, Self::Kitchen(_)) || self.kind() == Kind::Staple;
        let sure = self.contains().iter().map(|allergen| (allergen, Certainty::Evident));
        let unsure = self.may_contain().iter().map(|allergen| (allergen, Certainty::CheckLabel));
        sure.chain(unsure)
            .map(|(allergen, certainty)| Meant {
                allergen: *allergen,
                certainty,
                seasoning: seasoning(allergen),
                word: said.clone(),
                on_its_own,
            })
            .collect()
    }
}

impl Lexicon {
    /// The table with a kitchen's own words. Of two spellings of the same word the later one holds.
    pub fn new(words: impl IntoIterator<Item = Word>) -> Self {
        let mut lexicon = Self::default();
        for word in words {
            let name = Name::of(&word.word);
            if !can_match(&name) {
                continue;
            }
            let index = lexicon.words.len();
            let before = lexicon.by_key.insert(name.key(), index);
            if let [piece] = &name.pieces[..]
                && let Some(first) = piece.chars.first()
            {
                let same_start = lexicon.by_first.entry(*first).or_default();
                same_start.retain(|(_, index)| Some(*index) != before);
                same_start.push((piece.chars.clone(), index));
                same_start.sort_by_key(|(chars, _)| std::cmp::Reverse(chars.len()));
            }
            lexicon.words.push(word);
        }
        lexicon
    }

    /// Whether every part of the name of an ingredient is known.
    pub fn knows(&self, ingredient: &str) -> bool {
        self.read(ingredient).complete
    }

    /// What a name means.
    pub(super) fn read(&self, text: &str) -> Reading {
        let name = Name::of(text);
        if let Some(entry) = self.whole(&name.key()) {
            let content = entry.is_content();
            return Reading {
                meant: entry.meant(),
                complete: content && !name.cut_off,
                whole_food: content && !matches!(entry.kind(), Kind::Dish | Kind::Cut) && !name.cut_off,
                staple: entry.kind() == Kind::Staple,
            };
        }
        let parts: Vec<(&Piece, Vec<Token<'_>>)> =
            name.pieces.iter().map(|piece| (piece, self.tokens(piece))).collect();
        reading(&parts, name.cut_off)
    }

    fn whole(&self, key: &str) -> Option<Entry<'_>> {
        let own = self.by_key.get(key).and_then(|index| self.words.get(*index)).map(Entry::Kitchen);
        own.or_else(|| {
            let Foods { foods, by_key, .. } = foods();
            by_key.get(key).and_then(|index| foods.get(*index)).map(Entry::Table)
        })
    }

    /// The words that start at a place of a piece, the kitchen's before the table's.
    fn words_at<'a>(&'a self, piece: &'a Piece, from: usize) -> Vec<(usize, Entry<'a>)> {
        let rest = piece.chars.get(from..).unwrap_or_default();
        let Some(first) = rest.first() else { return Vec::new() };
        let mut found: Vec<(usize, Entry<'a>)> = Vec::new();
        for (chars, index) in self.by_first.get(first).into_iter().flatten() {
            if rest.starts_with(chars)
                && let Some(word) = self.words.get(*index)
            {
                found.push((from + chars.len(), Entry::Kitchen(word)));
            }
        }
        let table = foods();
        for (chars, index) in table.by_first.get(first).into_iter().flatten() {
            let to = from + chars.len();
            if rest.starts_with(chars)
                && let Some(food) = table.foods.get(*index)
                && fits(food.kind, piece, from, to)
                && !found.iter().any(|(known, entry)| *known == to && matches!(entry, Entry::Kitchen(_)))
            {
                found.push((to, Entry::Table(food)));
            }
        }
        if let Some(to) = number(piece, from) {
            found.push((to, Entry::Remark));
        }
        found
    }

    /// The piece taken apart with as little as possible left over, into as few words as possible.
    fn tokens<'a>(&'a self, piece: &'a Piece) -> Vec<Token<'a>> {
        // From every place on: what it costs to read the rest, and the first step of it.
        let length = piece.chars.len();
        let mut best: Vec<((usize, usize), Token<'a>)> = Vec::with_capacity(length);
        let cost_from = |best: &[((usize, usize), Token<'a>)], at: usize| {
            // `best` is filled from the end.
            (length.checked_sub(at + 1)).and_then(|index| best.get(index)).map_or((0, 0), |(cost, _)| *cost)
        };
        for from in (0..length).rev() {
            let (unknown, steps) = cost_from(&best, from + 1);
            let mut choice = ((unknown + 1, steps), Token { from, to: from + 1, entry: None });
            let mut words = self.words_at(piece, from);
            let harmless = |(_, entry): &(usize, Entry<'_>)| {
                entry.contains().is_empty() && entry.may_contain().is_empty()
            };
            let place = if from == 0 && words.iter().all(harmless) { origin(piece) } else { None };
            words.extend(place.map(|to| (to, Entry::Remark)));
            for (to, entry) in words {
                let (unknown, steps) = cost_from(&best, to);
                // Known words are better than a place that ends anywhere.
                let steps = steps + if place == Some(to) && matches!(entry, Entry::Remark) { 4 } else { 1 };
                if (unknown, steps) < choice.0 || choice.1.entry.is_none() && unknown <= choice.0.0 {
                    choice = ((unknown, steps), Token { from, to, entry: Some(entry) });
                }
            }
            best.push(choice);
        }
        let mut tokens: Vec<Token<'a>> = Vec::new();
        let mut at = 0;
        while at < length {
            let Some((_, token)) = length.checked_sub(at + 1).and_then(|index| best.get(index)) else {
                break;
            };
            at = token.to;
            match tokens.last_mut() {
                Some(last) if last.entry.is_none() && token.entry.is_none() => last.to = token.to,
                _ => tokens.push(*token),
            }
        }
        swallow(piece, tokens)
    }
}

fn can_match(word: &Name) -> bool {
    match &word.pieces[..] {
        [] => false,
        [piece] => piece.chars.len() > 1 || piece.scripts.first() == Some(&Script::Kanji),
        _ => true,
    }
}

/// Whether a word of this kind may stand there.
fn fits(kind: Kind, piece: &Piece, from: usize, to: usize) -> bool {
    let one_kana = to - from == 1 && piece.scripts.get(from) != Some(&Script::Kanji);
    match kind {
        Kind::Joint if one_kana => from > 0 && to < piece.chars.len(),
        Kind::Cooking if one_kana => from > 0 && matches!(piece.chars.get(to), None | Some('の')),
        _ => true,
    }
}

/// The end of a number with its unit.
fn number(piece: &Piece, from: usize) -> Option<usize> {
    const UNITS: [&str; 21] = [
        "kcal", "人分", "kg", "mg", "ml", "mm", "cm", "cc", "入", "g", "l", "個", "枚", "本", "切", "号",
        "玉", "缶", "袋", "倍", "型",
    ];
    let rest = piece.chars.get(from..)?;
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let after: String = rest.iter().skip(digits).take(4).collect();
    let unit = UNITS.iter().find(|unit| after.starts_with(*unit));
    Some(from + digits + unit.map_or(0, |unit| unit.chars().count()))
}

/// The end of 〇〇産 at the start of a piece.
fn origin(piece: &Piece) -> Option<usize> {
    let at = piece.chars.iter().take(9).position(|c| *c == '産')?;
    (at >= 2).then_some(at + 1)
}

/// What stands beside unknown letters of its own script is no word, but a part of one that nobody knows.
fn swallow<'a>(piece: &Piece, mut tokens: Vec<Token<'a>>) -> Vec<Token<'a>> {
    loop {
        let beside = |tokens: &[Token<'a>], index: Option<usize>, at: usize| {
            let unknown =
                index.and_then(|index| tokens.get(index)).is_some_and(|token| token.entry.is_none());
            unknown && !piece.breaks_at(at)
        };
        let lost = tokens.iter().enumerate().position(|(index, token)| {
            let Some(entry) = token.entry else { return false };
            // Names have their head at the end: a シュガートースト is a トースト, whatever シュガー may be.
            let head = match entry.kind() {
                Kind::Staple => token.to - token.from >= 2,
                Kind::Dish => token.to - token.from >= 3,
                _ => false,
            };
            let loose_before = !head && beside(&tokens, index.checked_sub(1), token.from);
            entry.kind() != Kind::Joint && (loose_before || beside(&tokens, Some(index + 1), token.to))
        });
        let Some(lost) = lost else { return tokens };
        let mut merged: Vec<Token<'a>> = Vec::with_capacity(tokens.len());
        for (index, mut token) in tokens.into_iter().enumerate() {
            if index == lost {
                token.entry = None;
            }
            match merged.last_mut() {
                Some(last) if last.entry.is_none() && token.entry.is_none() => last.to = token.to,
                _ => merged.push(token),
            }
        }
        tokens = merged;
    }
}
