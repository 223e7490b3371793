//! What a kitchen serves on one day.

use serde::{Deserialize, Serialize};

use super::Survey;
use crate::allergen::Allergen;
use crate::date::CalendarDate;

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
