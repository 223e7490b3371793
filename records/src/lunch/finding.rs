//! Making the survey of one menu.

use std::collections::BTreeSet;

use super::lexicon::Lexicon;
use super::name::Name;
use super::reading::Reading;
use super::survey::{Certainty, Finding, Rule, Source, Survey};
use super::{Ingredient, Menu, Milk};
use crate::allergen::Allergen;

/// Pairs that often react together: whoever must not eat one is told of the other. Walnut's partner, pecan, is not on
/// the standard list; the table of foods says of it that walnut must be checked.
const CROSS_REACTIVE: [(&str, &str); 1] = [("cashew", "pistachio")];

/// Everything known of a menu's allergens: of its ingredients, its staples and dishes, and the milk; in the order of
/// the menu, nothing twice.
///
/// - An ingredient whose label was read contains what its label says, nothing else.
/// - An ingredient whose name is not wholly known is unknown, also where a part of its name is known.
/// - A staple always counts: ingredient lists leave out what is in it.
/// - Another dish whose ingredients are listed counts with the allergens its name says, unless a listed ingredient
///   explains them. Its name need not be known. A dish that is a food eaten as it is (ゼリー) counts also with what it
///   may contain; one that is itself among the ingredients says nothing more.
/// - A dish whose ingredients are not listed (none are, or all are listed by dish and none for this one) is unknown
///   unless it is a known food eaten as it is.
/// - A menu that tells of no staple at all, and of no dish, is unknown itself: [`Source::Dish`] with an empty name.
pub fn survey(menu: &Menu, lexicon: &Lexicon) -> Survey {
    let mut made = Making::default();
    let mut staple = false;
    let mut keys = BTreeSet::new();
    for ingredient in &menu.ingredients {
        let reading = lexicon.read(&ingredient.name);
        staple |= reading.staple;
        keys.insert(Name::of(&ingredient.name).key());
        made.ingredient(ingredient, reading);
    }
    let listed_by_dish = !menu.ingredients.is_empty()
        && menu.ingredients.iter().all(|one| one.dish.is_some_and(|dish| dish < menu.dishes.len()));
    let from_ingredients = made.survey.findings.clone();
    for (index, dish) in menu.dishes.iter().enumerate() {
        let name = Name::of(dish);
        if !name.pieces.is_empty() && keys.contains(&name.key()) {
            continue;
        }
        let covered = if listed_by_dish {
            menu.ingredients.iter().any(|ingredient| ingredient.dish == Some(index))
        } else {
            !menu.ingredients.is_empty()
        };
        made.dish(dish, lexicon.read(dish), covered, &from_ingredients);
    }
    if menu.dishes.is_empty() && !staple {
        made.unknown(Source::Dish(String::new()));
    }
    if menu.milk == Milk::Served
        && let Some(milk) = Allergen::from_id("milk")
    {
        made.find(Finding {
            allergen: milk,
            source: Source::Milk,
            certainty: Certainty::Evident,
            seasoning: false,
            rule: Rule::DailyMilk,
        });
    }
    made.cross_reactive();
    made.survey
}

#[derive(Default)]
struct Making {
    survey: Survey,
}

impl Making {
    fn ingredient(&mut self, ingredient: &Ingredient, reading: Reading) {
        let source = Source::Ingredient(ingredient.name.clone());
        if let Some(label) = &ingredient.label {
            for allergen in label {
                let mut said = reading.meant.iter().filter(|meant| meant.allergen == *allergen).peekable();
                let seasoning = said.peek().is_some() && said.all(|meant| meant.seasoning);
                self.find(Finding {
                    allergen: *allergen,
                    source: source.clone(),
                    certainty: Certainty::Evident,
                    seasoning,
                    rule: Rule::Label,
                });
            }
            return;
        }
        if !reading.complete {
            self.unknown(source.clone());
        }
        for meant in reading.meant {
            self.find(Finding {
                allergen: meant.allergen,
                source: source.clone(),
                certainty: meant.certainty,
                seasoning: meant.seasoning,
                rule: meant.word.by_ingredient(),
            });
        }
    }

    fn dish(&mut self, dish: &str, reading: Reading, covered: bool, ingredients: &[Finding]) {
        let source = Source::Dish(dish.to_owned());
        if !covered && !reading.whole_food {
            self.unknown(source.clone());
        }
        for meant in &reading.meant {
            let explained = || {
                ingredients.iter().any(|finding| {
                    finding.allergen == meant.allergen
                        && finding.certainty <= meant.certainty
                        && (meant.seasoning || !finding.seasoning)
                })
            };
            // A dish that is a food on its own, such as a jelly, may be on the list of dishes only.
            let sure_enough = reading.whole_food || meant.certainty == Certainty::Evident;
            let told = !covered || meant.on_its_own || sure_enough && !explained();
            if told {
                self.find(Finding {
                    allergen: meant.allergen,
                    source: source.clone(),
                    certainty: meant.certainty,
                    seasoning: meant.seasoning,
                    rule: meant.word.by_dish(),
                });
            }
        }
    }

    /// Adds a finding unless a finding of the same thing says as much; replaces those that say less.
    fn find(&mut self, new: Finding) {
        let same = |old: &Finding| old.allergen == new.allergen && old.source == new.source;
        if self.survey.findings.iter().any(|old| same(old) && says_as_much(old, &new)) {
            return;
        }
        let says_less = |old: &Finding| same(old) && says_as_much(&new, old);
        match self.survey.findings.iter().position(says_less) {
            None => self.survey.findings.push(new),
            Some(place) => {
                let mut index = 0;
                self.survey.findings.retain(|old| {
                    index += 1;
                    index - 1 == place || !(same(old) && says_as_much(&new, old))
                });
                if let Some(old) = self.survey.findings.get_mut(place) {
                    *old = new;
                }
            }
        }
    }

    fn unknown(&mut self, source: Source) {
        if !self.survey.unknown.contains(&source) {
            self.survey.unknown.push(source);
        }
    }

    fn cross_reactive(&mut self) {
        for finding in self.survey.findings.clone() {
            for (one, other) in CROSS_REACTIVE {
                let partner = match finding.allergen.id() {
                    id if id == one => Allergen::from_id(other),
                    id if id == other => Allergen::from_id(one),
                    _ => None,
                };
                let Some(allergen) = partner else { continue };
                self.find(Finding {
                    allergen,
                    source: finding.source.clone(),
                    certainty: Certainty::CheckLabel,
                    seasoning: finding.seasoning,
                    rule: Rule::CrossReactive(finding.allergen),
                });
            }
        }
    }
}

/// Whether one finding makes the other needless: as sure, and not a seasoning where the other is none.
fn says_as_much(one: &Finding, other: &Finding) -> bool {
    one.certainty <= other.certainty && (!one.seasoning || other.seasoning)
}
