//! What the words of a name mean together: which of them count, which are denied, and whether that is all of it.
//!
//! Must not know how words are found.

use super::foods::Kind;
use super::lexicon::{Entry, Token};
use super::name::{Piece, Script};
use super::survey::{Certainty, Rule};
use crate::allergen::Allergen;

/// An allergen that a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meant {
    pub(super) allergen: Allergen,
    pub(super) certainty: Certainty,
    pub(super) seasoning: bool,
    pub(super) word: Said,
    /// By a staple, or by the kitchen's own word.
    pub(super) on_its_own: bool,
}

/// Who says it, with the word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Table(&'static str),
    Kitchen(String),
}

impl Said {
    pub(super) fn by_ingredient(&self) -> Rule {
        match self {
            Self::Table(word) => Rule::Ingredient((*word).to_owned()),
            Self::Kitchen(word) => Rule::Kitchen(word.clone()),
        }
    }

    pub(super) fn by_dish(&self) -> Rule {
        match self {
            Self::Table(word) => Rule::Dish((*word).to_owned()),
            Self::Kitchen(word) => Rule::Kitchen(word.clone()),
        }
    }
}

/// A name, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) meant: Vec<Meant>,
    /// Every part of the name is known, and something to eat is among it.
    pub(super) complete: bool,
    /// Nothing but foods that are eaten as they are, one for each part of the name: everything in it is told.
    pub(super) whole_food: bool,
    /// A staple is named.
    pub(super) staple: bool,
}

/// A word of a name with what stands around it.
struct Spoken<'a> {
    entry: Entry<'a>,
    denied: bool,
    /// After another food in the same part of the name, with no joint between.
    joined: bool,
}

/// Reads a name from its words.
pub(super) fn reading(parts: &[(&Piece, Vec<Token<'_>>)], cut_off: bool) -> Reading {
    let mut complete = !cut_off;
    let mut said: Vec<Spoken<'_>> = Vec::new();
    let mut joints = false;
    for (piece, tokens) in parts {
        let mut before: Option<&Token<'_>> = None;
        let mut food_before = false;
        for token in tokens {
            let content_before =
                before.filter(|before| before.entry.is_some_and(Entry::is_content)).is_some();
            match token.entry {
                None => complete = false,
                Some(entry) if entry.kind() == Kind::Negation || (content_before && entry.is_row("なし")) => {
                    if content_before {
                        deny_back(&mut said);
                    }
                }
                Some(entry) if entry.is_content() => {
                    let denied = before
                        .and_then(|before| before.entry)
                        .is_some_and(|before| before.kind() == Kind::Negation)
                        && said.is_empty();
                    if content_before && short_kana(piece, before, token) {
                        complete = false;
                    }
                    said.push(Spoken { entry, denied, joined: food_before });
                    food_before = true;
                }
                Some(entry) => {
                    if entry.kind() == Kind::Joint {
                        joints = true;
                        food_before = false;
                    }
                    // What else is in something cooked its name does not say.
                    complete &= entry.kind() != Kind::Cooking;
                }
            }
            before = Some(token);
        }
    }
    let meat = ["beef", "chicken", "pork"];
    let names_an_animal = said.iter().any(|word| {
        word.entry.kind() != Kind::Cut
            && word.entry.contains().iter().any(|allergen| meat.contains(&allergen.id()))
    });
    said.retain(|word| {
        let of_the_animal = names_an_animal && word.joined && word.entry.is_row("もも");
        let cut = word.entry.kind() == Kind::Cut && (names_an_animal || word.joined);
        !(cut || of_the_animal)
    });

    let denied: Vec<Allergen> =
        said.iter().filter(|word| word.denied).flat_map(|word| word.entry.contains()).copied().collect();
    said.retain(|word| !word.denied);
    let mut meant: Vec<Meant> = said.iter().flat_map(|word| word.entry.meant()).collect();
    for one in &mut meant {
        if denied.contains(&one.allergen) {
            one.certainty = Certainty::CheckLabel;
        }
    }
    complete &= !said.is_empty();
    let eaten_so = |word: &Spoken<'_>| !word.joined && !matches!(word.entry.kind(), Kind::Dish | Kind::Cut);
    let whole_food = complete && !joints && said.iter().all(eaten_so);
    let staple = said.iter().any(|word| word.entry.kind() == Kind::Staple);
    Reading { meant, complete, whole_food, staple }
}

/// 卵不使用: the word before is denied, and those listed with it (卵・乳不使用).
fn deny_back(said: &mut [Spoken<'_>]) {
    let own_name = |entry: Entry<'_>| {
        matches!(entry, Entry::Table(food)
            if Allergen::all().any(|allergen| food.contains == [allergen] && allergen.label().ja == food.word))
    };
    for (index, word) in said.iter_mut().rev().enumerate() {
        if word.denied || index > 0 && !own_name(word.entry) {
            break;
        }
        word.denied = true;
        if word.joined {
            break;
        }
    }
}

/// Two words of kana with nothing between them, one of them so short that it may be a part of another word.
fn short_kana(piece: &Piece, before: Option<&Token<'_>>, token: &Token<'_>) -> bool {
    let hiragana = |at: Option<usize>| at.and_then(|at| piece.scripts.get(at)) == Some(&Script::Hiragana);
    let short = |token: &Token<'_>| token.to - token.from < 3;
    hiragana(token.from.checked_sub(1))
        && hiragana(Some(token.from))
        && (short(token) || before.is_some_and(short))
}
