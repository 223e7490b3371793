//! An accepted menu as content of a record: written by a school's node, read by the guardian's terminal.
//!
//! What is read comes from whoever wrote it: lists are bounded, texts become single lines without control or direction
//! characters. A menu with anything impossible in it is refused as a whole; half a menu would look like a safe one.

use super::{Ingredient, LunchDay, Menu, Rule, Source, Survey};
use crate::fhir::Reason;
use crate::school::cbor::{self, bounded, tidied};
use crate::words::text::tidy_body;

impl LunchDay {
    /// The content of a record, of media type [`crate::category::SCHOOL_CBOR`].
    ///
    /// # Errors
    /// [`Self::read`] would refuse it: it is too long, or something in it is empty.
    pub fn to_cbor(&self) -> Result<Vec<u8>, Reason> {
        self.clone().tidy()?;
        cbor::write(self)
    }

    /// Reads the content of a record. Texts are fit to be shown, lines but for the note.
    ///
    /// # Errors
    /// It is no menu, too long, or something in it is empty or impossible.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        cbor::read::<Self>(content)?.tidy()
    }

    fn tidy(mut self) -> Result<Self, Reason> {
        if self.revision == 0 {
            return Err(Reason::Impossible("revision"));
        }
        menu(&mut self.menu)?;
        survey(&mut self.survey)?;
        Ok(self)
    }
}

fn menu(menu: &mut Menu) -> Result<(), Reason> {
    bounded(&menu.dishes, "dishes")?;
    bounded(&menu.ingredients, "ingredients")?;
    tidied(&mut menu.kitchen, "kitchen")?;
    if menu.dishes.is_empty() {
        return Err(Reason::Impossible("dishes"));
    }
    menu.dishes.iter_mut().try_for_each(|dish| tidied(dish, "dishes"))?;
    let dishes = menu.dishes.len();
    menu.ingredients.iter_mut().try_for_each(|it| ingredient(it, dishes))?;
    menu.note = menu.note.take().map(|note| tidy_body(&note)).filter(|note| !note.is_empty());
    Ok(())
}

fn ingredient(ingredient: &mut Ingredient, dishes: usize) -> Result<(), Reason> {
    tidied(&mut ingredient.name, "ingredients")?;
    if ingredient.dish.is_some_and(|dish| dish >= dishes) {
        return Err(Reason::Impossible("dish"));
    }
    if let Some(amount) = &mut ingredient.amount {
        tidied(amount, "amount")?;
    }
    ingredient.label.as_deref().map_or(Ok(()), |label| bounded(label, "label"))
}

fn survey(survey: &mut Survey) -> Result<(), Reason> {
    bounded(&survey.findings, "findings")?;
    bounded(&survey.unknown, "unknown")?;
    for finding in &mut survey.findings {
        source(&mut finding.source)?;
        match &mut finding.rule {
            Rule::Kitchen(word) | Rule::Ingredient(word) | Rule::Dish(word) => tidied(word, "rule")?,
            _ => {}
        }
    }
    survey.unknown.iter_mut().try_for_each(source)
}

fn source(source: &mut Source) -> Result<(), Reason> {
    match source {
        Source::Ingredient(name) | Source::Dish(name) => tidied(name, "source"),
        Source::Milk => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::allergen::Allergen;
    use crate::category::Category;
    use crate::lunch::{Certainty, Finding, Milk};
    use crate::words::text::steers;

    pub(crate) fn any_lunch() -> impl Strategy<Value = LunchDay> {
        let name = || "[\\PC\u{202E}\n]{0,12}[ぁ-ん]{1,5}";
        let ingredient =
            (name(), proptest::option::of(0usize..2), proptest::option::of("[0-9]{1,3}g"), any::<bool>())
                .prop_map(|(name, dish, amount, label)| Ingredient {
                    name,
                    dish,
                    amount,
                    label: label.then(|| Allergen::all().take(3).collect()),
                });
        let rule = prop_oneof![
            Just(Rule::Label),
            Just(Rule::DailyMilk),
            name().prop_map(Rule::Kitchen),
            name().prop_map(Rule::Dish),
            prop::sample::select(Allergen::all().collect::<Vec<_>>()).prop_map(Rule::CrossReactive),
        ];
        let source = || {
            prop_oneof![
                Just(Source::Milk),
                name().prop_map(Source::Ingredient),
                name().prop_map(Source::Dish)
            ]
        };
        let allergen = prop::sample::select(Allergen::all().collect::<Vec<_>>());
        let finding = (allergen, source(), any::<bool>(), any::<bool>(), rule).prop_map(
            |(allergen, source, sure, seasoning, rule)| Finding {
                allergen,
                source,
                certainty: if sure { Certainty::Evident } else { Certainty::CheckLabel },
                seasoning,
                rule,
            },
        );
        (
            crate::date::tests::any_day(),
            proptest::collection::vec(name(), 2..5),
            proptest::collection::vec(ingredient, 0..6),
            (any::<bool>(), 1u32..9, proptest::option::of(name())),
            proptest::collection::vec(finding, 0..6),
            proptest::collection::vec(source(), 0..3),
        )
            .prop_map(|(date, dishes, ingredients, (milk, revision, note), findings, unknown)| {
                LunchDay {
                    menu: Menu {
                        date,
                        kitchen: "第1地区".to_owned(),
                        dishes,
                        ingredients,
                        milk: if milk { Milk::Served } else { Milk::NotServed },
                        note,
                    },
                    revision,
                    survey: Survey { findings, unknown },
                }
            })
    }

    fn lunch() -> LunchDay {
        let menu = Menu {
            date: "2026-04-13".parse().unwrap(),
            kitchen: "1_3".to_owned(),
            dishes: vec!["ごはん".to_owned(), "ビーフカレー".to_owned()],
            ingredients: Vec::new(),
            milk: Milk::Served,
            note: None,
        };
        LunchDay { menu, revision: 1, survey: Survey::default() }
    }

    #[test]
    fn a_menu_is_told_by_its_dishes_and_its_milk() {
        let mut lunch = lunch();
        let line = |lunch: &LunchDay| crate::words::summary(Category::SchoolMenu, &lunch.to_cbor().unwrap());
        assert_eq!(line(&lunch).ja, "ごはん、ビーフカレー、牛乳");
        assert_eq!(line(&lunch).en, "ごはん, ビーフカレー, 牛乳");
        lunch.menu.milk = Milk::NotServed;
        assert_eq!(line(&lunch).ja, "ごはん、ビーフカレー");
    }

    #[test]
    fn what_a_newer_node_adds_is_passed_over() {
        let lunch = lunch();
        let mut value = serde_json::to_value(&lunch).unwrap();
        value["menu"]["energy"] = serde_json::json!({ "kcal": [650, 1.5, null, { "x": true }] });
        let content = cbor4ii::serde::to_vec(Vec::new(), &value).unwrap();
        assert_eq!(LunchDay::read(&content), Ok(lunch));
    }

    #[test]
    fn what_is_beyond_the_limits_is_neither_written_nor_read() {
        let refused = |change: &dyn Fn(&mut LunchDay), reason: Reason| {
            let mut lunch = lunch();
            change(&mut lunch);
            assert_eq!(lunch.to_cbor(), Err(reason));
            let content = cbor4ii::serde::to_vec(Vec::new(), &lunch).unwrap();
            assert_eq!(LunchDay::read(&content), Err(reason));
        };
        refused(&|it| it.revision = 0, Reason::Impossible("revision"));
        refused(&|it| it.menu.dishes.clear(), Reason::Impossible("dishes"));
        refused(&|it| it.menu.dishes.push("\u{202E} ".to_owned()), Reason::Impossible("dishes"));
        refused(&|it| it.menu.kitchen.clear(), Reason::Impossible("kitchen"));
        refused(&|it| it.menu.dishes = vec!["a".to_owned(); 501], Reason::ListTooLong("dishes"));
        refused(&|it| it.survey.unknown = vec![Source::Milk; 501], Reason::ListTooLong("unknown"));
        refused(&|it| it.menu.note = Some("長".repeat(30_000)), Reason::SchoolTooLong);
        let nested = [vec![0x81; 60_000], vec![0x80]].concat();
        assert_eq!(LunchDay::read(&nested), Err(Reason::NotSchoolCbor));
        let endless = [&[0xa1, 0x61, b'x'][..], &vec![0x9f; 60_000]].concat();
        assert_eq!(LunchDay::read(&endless), Err(Reason::NotSchoolCbor));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_reads_back_tidied(lunch in any_lunch()) {
            let read = LunchDay::read(&lunch.to_cbor().unwrap()).unwrap();
            prop_assert_eq!(&read, &lunch.tidy().unwrap());
            let shown = format!("{read:?}");
            prop_assert!(!shown.chars().any(|c| c.is_control() || steers(c)));
            prop_assert_eq!(LunchDay::read(&read.to_cbor().unwrap()), Ok(read));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = LunchDay::read(&bytes);
        }

        #[test]
        fn no_damage_breaks_the_reader(lunch in any_lunch(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut content = lunch.to_cbor().unwrap();
            let at = at.index(content.len());
            content[at] = byte;
            if let Ok(read) = LunchDay::read(&content) {
                prop_assert!(read.to_cbor().is_ok());
            }
            prop_assert!(LunchDay::read(&content[..at]).is_err());
        }
    }
}
