//! The table of words of a school lunch (`foods.csv`), read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::name::Name;
use crate::allergen::Allergen;

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An ingredient or a product.
    Food,
    /// Bread, rice and the like: ingredient lists leave out what is in it.
    Staple,
    /// A dish with more in it than its name says.
    Dish,
    /// A cut of meat of no named animal.
    Cut,
    /// A word about a food, such as 冷凍.
    Modifier,
    /// A word between words, such as 入り.
    Joint,
    /// A way of cooking, at the end of a dish's name.
    Cooking,
    /// A word that denies another, such as 不使用.
    Negation,
}

impl Kind {
    /// Whether the word names something to eat.
    pub(super) fn is_content(self) -> bool {
        matches!(self, Self::Food | Self::Staple | Self::Dish | Self::Cut)
    }
}

/// One word of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Food {
    /// As the table spells it first.
    pub(super) word: &'static str,
    pub(super) kind: Kind,
    pub(super) contains: Vec<Allergen>,
    pub(super) may_contain: Vec<Allergen>,
    /// For which of these it is a seasoning.
    pub(super) seasoning: Vec<Allergen>,
}

/// The words by their keys.
#[derive(Debug, Default)]
pub(super) struct Foods {
    pub(super) foods: Vec<Food>,
    pub(super) by_key: BTreeMap<String, usize>,
    /// By the first character, the longest first.
    pub(super) by_first: BTreeMap<char, Vec<(Vec<char>, usize)>>,
}

#[expect(clippy::expect_used, reason = "part of the program, not input; a test reads it")]
static FOODS: LazyLock<Foods> =
    LazyLock::new(|| read(include_str!("foods.csv")).expect("the table of foods is sound"));

pub(super) fn foods() -> &'static Foods {
    &FOODS
}

/// Reads and checks the table; the error is for whoever edits it.
fn read(text: &'static str) -> Result<Foods, String> {
    let mut foods = Foods::default();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).skip(1);
    for (number, line) in lines {
        let place = |what: &str| format!("line {}: {what}: {line}", number + 1);
        let [spellings, kind, contains, may_contain, seasoning] = line.split(',').collect::<Vec<_>>()[..]
        else {
            return Err(place("not five columns"));
        };
        let list = |ids: &'static str| {
            let ids = ids.split('|').filter(|id| !id.is_empty());
            ids.map(|id| Allergen::from_id(id).ok_or_else(|| place("no such allergen")))
                .collect::<Result<Vec<_>, _>>()
        };
        let kind = match kind {
            "food" => Kind::Food,
            "staple" => Kind::Staple,
            "dish" => Kind::Dish,
            "cut" => Kind::Cut,
            "modifier" => Kind::Modifier,
            "joint" => Kind::Joint,
            "cooking" => Kind::Cooking,
            "negation" => Kind::Negation,
            _ => return Err(place("no such kind")),
        };
        let food = Food {
            word: spellings.split('|').next().unwrap_or(spellings),
            kind,
            contains: list(contains)?,
            may_contain: list(may_contain)?,
            seasoning: list(seasoning)?,
        };
        let listed = |allergen| food.contains.contains(allergen) || food.may_contain.contains(allergen);
        if food.contains.iter().any(|allergen| food.may_contain.contains(allergen)) {
            return Err(place("both contains and may contain"));
        }
        if !food.seasoning.iter().all(listed) {
            return Err(place("a seasoning for what is not in it"));
        }
        if !kind.is_content() && food.contains.len() + food.may_contain.len() > 0 {
            return Err(place("allergens of what is no food"));
        }
        let index = foods.foods.len();
        for spelling in spellings.split('|') {
            let name = Name::of(spelling);
            let [piece] = &name.pieces[..] else { return Err(place("not one word")) };
            match foods.by_key.insert(name.key(), index) {
                None => {}
                Some(same) if same == index => continue,
                Some(_) => return Err(place(&format!("{spelling} is there twice"))),
            }
            let Some(first) = piece.chars.first() else { return Err(place("an empty word")) };
            foods.by_first.entry(*first).or_default().push((piece.chars.clone(), index));
        }
        foods.foods.push(food);
    }
    for words in foods.by_first.values_mut() {
        words.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    }
    Ok(foods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        if let Err(what) = read(include_str!("foods.csv")) {
            panic!("{what}");
        }
        assert!(foods().foods.len() > 900);
    }

    #[test]
    fn a_table_with_a_mistake_is_refused() {
        for (line, what) in [
            ("パン,staple,wheat,", "five columns"),
            ("パン,staple,kryptonite,,", "no such allergen"),
            ("パン,bread,wheat,,", "no such kind"),
            ("パン,staple,wheat,wheat,", "both"),
            ("パン,staple,wheat,,milk", "seasoning"),
            ("冷凍,modifier,wheat,,", "no food"),
            ("パン|ぱん,staple,wheat,,\nぱん,food,,,", "twice"),
            ("卵 焼,food,egg,,", "not one word"),
        ] {
            let text: &'static str = format!("heading\n{line}").leak();
            assert!(read(text).unwrap_err().contains(what), "{line}");
        }
    }

    #[test]
    fn every_allergen_of_the_list_has_a_word() {
        for allergen in Allergen::all() {
            assert!(foods().foods.iter().any(|food| food.contains.contains(&allergen)), "{allergen}");
            let index = foods().by_key.get(&Name::of(allergen.label().ja).key());
            let food = index.and_then(|index| foods().foods.get(*index)).unwrap();
            assert_eq!(food.contains, [allergen], "its own name means it");
        }
    }
}
