//! What a kitchen serves on one day.

use serde::{Deserialize, Serialize};

use super::Survey;
use crate::allergen::Allergen;
use crate::cbor;
use crate::date::CalendarDate;
use crate::fhir::Reason;
use crate::words::tidy;

/// The lunch of one kitchen on one day, as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// The day.
    pub date: CalendarDate,
    /// The kitchen, or the area it cooks for, as the municipality names it.
    pub kitchen: String,
    /// The dishes, the staple among them, in the order of the sheet.
    pub dishes: Vec<String>,
    /// The ingredients. Sheets often leave out those of staples, and milk.
    pub ingredients: Vec<Ingredient>,
    /// Whether milk to drink is served, which no sheet lists.
    pub milk: Milk,
    /// What else the kitchen says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One ingredient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredient {
    /// As the kitchen writes it.
    pub name: String,
    /// Which of the dishes it is for, where the sheet says so; counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dish: Option<usize>,
    /// How much for one child, with its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What its label says it contains; `None`: the sheet says nothing about labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Vec<Allergen>>,
}

/// Whether milk to drink comes with the lunch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milk {
    /// As on nearly every day of every school.
    Served,
    /// Not on this day.
    NotServed,
}

/// An accepted menu, as a school's node hands it out: content of a record of category `school_menu`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LunchDay {
    /// The menu.
    pub menu: Menu,
    /// 1 for the first one accepted for this kitchen and day, one more for each that replaced it.
    pub revision: u32,
    /// What is known of its allergens.
    pub survey: Survey,
}

/// Most dishes, ingredients and findings of one day that are read.
const LIST_MAX: usize = 500;

impl LunchDay {
    /// As the content of a record; `None` if it is longer than anybody reads.
    pub fn to_cbor(&self) -> Option<Vec<u8>> {
        cbor::write(self)
    }

    /// Reads the content of a record. Texts come from whoever wrote them: what is kept is single lines without
    /// characters that could steer a reader's eye.
    ///
    /// # Errors
    /// It is none, or has more in it than any lunch.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        let mut day: Self = cbor::read(content, "menu")?;
        let Survey { findings, unknown } = &day.survey;
        let lengths = [day.menu.dishes.len(), day.menu.ingredients.len(), findings.len(), unknown.len()];
        if lengths.into_iter().any(|length| length > LIST_MAX) {
            return Err(Reason::Malformed("menu"));
        }
        day.menu.kitchen = tidy(&day.menu.kitchen);
        day.menu.dishes.iter_mut().for_each(|dish| *dish = tidy(dish));
        for ingredient in &mut day.menu.ingredients {
            ingredient.name = tidy(&ingredient.name);
            ingredient.amount = ingredient.amount.as_deref().map(tidy);
        }
        day.menu.note = day.menu.note.as_deref().map(tidy);
        for finding in &mut day.survey.findings {
            finding.source.tidy();
            finding.rule.tidy();
        }
        day.survey.unknown.iter_mut().for_each(super::Source::tidy);
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Lexicon, survey};
    use super::*;

    #[test]
    fn a_lunch_is_read_as_it_was_written_and_steers_nobody() {
        let menu = Menu {
            date: "2026-11-27".parse().unwrap(),
            kitchen: "第1地区".to_owned(),
            dishes: vec!["ごはん".to_owned(), "かきたま\u{202e}汁".to_owned()],
            ingredients: vec![Ingredient {
                name: "鶏卵".to_owned(),
                dish: Some(1),
                amount: None,
                label: None,
            }],
            milk: Milk::Served,
            note: None,
        };
        let day = LunchDay { survey: survey(&menu, &Lexicon::default()), menu, revision: 3 };
        let read = LunchDay::read(&day.to_cbor().unwrap()).unwrap();
        assert_eq!(read.menu.dishes, ["ごはん", "かきたま汁"]);
        assert_eq!((read.revision, &read.survey), (3, &day.survey));
    }

    proptest! {
        #[test]
        fn bytes_from_anywhere_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = LunchDay::read(&bytes);
        }
    }
}
