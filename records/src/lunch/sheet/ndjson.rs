//! One JSON object per line and day, as `{"area": …, "date": …, "dishes": […], "ingredients": [{"name": …, "qty": …,
//! "unit": …, "g": …}]}`; `kitchen`, `milk` and `note`, and an ingredient's `label`, `dish` are read, too.

use serde::Deserialize;
use serde_json::Value;

use super::days::Days;
use super::{Defaults, LineProblem, ROWS_MAX, Sheet, SheetFault, cell, label};
use crate::lunch::{Ingredient, Menu, Milk};
use crate::words::text::tidy_body;

#[derive(Deserialize)]
struct Day {
    date: String,
    #[serde(default, alias = "area")]
    kitchen: Option<Value>,
    dishes: Vec<String>,
    #[serde(default)]
    ingredients: Vec<Item>,
    #[serde(default)]
    milk: Option<bool>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    #[serde(default)]
    qty: Option<Value>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    g: Option<Value>,
    #[serde(default)]
    label: Option<Vec<String>>,
    #[serde(default)]
    dish: Option<usize>,
}

pub(super) fn read(text: &str, defaults: &Defaults) -> Result<Sheet, SheetFault> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut days = Days::default();
    for (place, (line, text)) in lines.enumerate() {
        if place >= ROWS_MAX {
            return Err(SheetFault::TooManyRows);
        }
        let line = line + 1;
        let Ok(day) = serde_json::from_str::<Day>(text) else {
            days.fault(line, LineProblem::NotJson);
            continue;
        };
        let date = cell::day(&day.date, defaults.school_year);
        let kitchen = kitchen(&day, defaults);
        let key = date.clone().and_then(|date| Ok((date, kitchen.clone()?)));
        match date.and_then(|date| menu(date, kitchen?, day, defaults.milk)) {
            Ok(menu) => days.take(line, menu),
            Err(problem) => {
                days.fault(line, problem);
                if let Ok(key) = key {
                    days.spoil(line, key);
                }
            }
        }
    }
    Ok(days.sheet())
}

fn kitchen(day: &Day, defaults: &Defaults) -> Result<String, LineProblem> {
    let named = day.kitchen.as_ref().map(plain).map_or(Ok(None), |name| cell::name(&name))?;
    named.or_else(|| defaults.kitchen.clone()).ok_or(LineProblem::NoKitchen)
}

fn menu(date: crate::date::CalendarDate, kitchen: String, day: Day, milk: Milk) -> Result<Menu, LineProblem> {
    let mut dishes = Vec::new();
    // Where each dish as written has gone: blank ones are none.
    let mut places = Vec::new();
    for dish in &day.dishes {
        let dish = cell::name(dish)?;
        places.push(dish.is_some().then_some(dishes.len()));
        dishes.extend(dish);
    }
    let mut ingredients = Vec::new();
    for item in day.ingredients {
        let quantity = |number: Option<Value>, unit: &str| {
            cell::quantity(&number.as_ref().map(plain).unwrap_or_default(), unit)
        };
        let amount = match quantity(item.qty, item.unit.as_deref().unwrap_or_default())? {
            Some(amount) => Some(amount),
            None => quantity(item.g, "g")?,
        };
        let label = match item.label {
            Some(words) if words.is_empty() => Some(Vec::new()),
            Some(words) => label::label(&words.join("、"))?,
            None => None,
        };
        ingredients.push(Ingredient {
            name: cell::name(&item.name)?.ok_or(LineProblem::NoIngredient)?,
            dish: item.dish.and_then(|dish| places.get(dish).copied().flatten()),
            amount,
            label,
        });
    }
    Ok(Menu {
        date,
        kitchen,
        dishes,
        ingredients,
        milk: match day.milk {
            Some(true) => Milk::Served,
            Some(false) => Milk::NotServed,
            None => milk,
        },
        note: day.note.map(|note| tidy_body(&note)).filter(|note| !note.is_empty()),
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
