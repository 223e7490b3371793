//! Tables with named columns: a row for each day, or a row for each ingredient or dish.
//!
//! In the long form a cell for the day that is empty means the day of the row above, as where cells were merged. A
//! row of which nobody can say to which day it belongs spoils the days before and after it.

use std::collections::BTreeMap;

use super::columns::{Column, Columns};
use super::days::{Days, Key};
use super::rows::{Read, Row, rows};
use super::{Defaults, LineProblem, Sheet, SheetFault, cell, label};
use crate::date::CalendarDate;
use crate::lunch::{Ingredient, Menu, Milk};
use crate::words::text::tidy_body;

/// How many rows may stand above the names of the columns: a title, the month.
const TITLES_MAX: usize = 10;

pub(super) fn read(text: &str, defaults: &Defaults) -> Result<Sheet, SheetFault> {
    let rows = rows(text)?;
    let named = rows.iter().take(TITLES_MAX + 1).enumerate().find_map(|(place, row)| {
        let row = row.as_ref().ok()?;
        Some((place, row.line, Columns::of(row)?))
    });
    let (place, line, columns) = named.ok_or(SheetFault::NoColumns)?;
    if defaults.kitchen.is_none() && !columns.has(Column::Kitchen) {
        return Err(SheetFault::NoKitchen);
    }
    let table = Table { columns, defaults };
    let below = rows.into_iter().skip(place + 1);
    let below = below.filter(|row| !row.as_ref().is_ok_and(|row| table.columns.repeats(row)));
    let mut days = if table.columns.is_long() { table.long(below) } else { table.short(below) };
    for name in table.columns.unread() {
        days.fault(line, LineProblem::UnreadColumn(cell::quoted(name)));
    }
    Ok(days.sheet())
}

struct Table<'a> {
    columns: Columns,
    defaults: &'a Defaults,
}

/// What the rows of one day have said so far.
struct Day {
    line: usize,
    /// The line that named all dishes, and what it said.
    named: Option<(usize, String)>,
    dishes: Vec<String>,
    /// With their numbers.
    ingredients: Vec<(Option<u32>, Ingredient)>,
    milk: Option<Milk>,
    notes: Vec<String>,
    spoilt: Option<usize>,
}

impl Table<'_> {
    /// A row for each day.
    fn short(&self, rows: impl Iterator<Item = Read>) -> Days {
        let mut days = Days::default();
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err((line, problem)) => {
                    days.fault(line, problem);
                    continue;
                }
            };
            let key = self.key(&row);
            match key.clone().and_then(|key| self.menu(&row, key)) {
                Ok(menu) => days.take(row.line, menu),
                Err(problem) => {
                    days.fault(row.line, problem);
                    if let Ok(key) = key {
                        days.spoil(row.line, key);
                    }
                }
            }
        }
        days
    }

    fn key(&self, row: &Row) -> Result<Key, LineProblem> {
        let day = cell::day(self.columns.cell(row, Column::Date), self.defaults.school_year)?;
        Ok((day, self.kitchen(row)?.ok_or(LineProblem::NoKitchen)?))
    }

    fn kitchen(&self, row: &Row) -> Result<Option<String>, LineProblem> {
        let named = cell::name(self.columns.cell(row, Column::Kitchen))?;
        Ok(named.or_else(|| self.defaults.kitchen.clone()))
    }

    fn menu(&self, row: &Row, (date, kitchen): Key) -> Result<Menu, LineProblem> {
        if self.columns.overflows(row) {
            return Err(LineProblem::MoreCells);
        }
        let bare = |(name, amount)| Ingredient { name, dish: None, amount, label: None };
        let ingredients = cell::ingredients(&self.columns.ingredients(row))?;
        Ok(Menu {
            date,
            kitchen,
            dishes: cell::dishes(self.columns.cell(row, Column::Dishes))?,
            ingredients: ingredients.into_iter().map(bare).collect(),
            milk: cell::milk(self.columns.cell(row, Column::Milk))?.unwrap_or(self.defaults.milk),
            note: Some(tidy_body(self.columns.cell(row, Column::Note))).filter(|note| !note.is_empty()),
        })
    }

    /// A row for each ingredient or dish.
    fn long(&self, rows: impl Iterator<Item = Read>) -> Days {
        let mut days = Days::default();
        let mut found: BTreeMap<Key, Day> = BTreeMap::new();
        let mut above: Option<Key> = None;
        // The line that belongs to nobody knows which day, if the last one did.
        let mut lost: Option<usize> = None;
        for row in rows {
            let above_it = above.as_ref().filter(|_| lost.is_none());
            let read = row.and_then(|row| match self.key_below(&row, above_it) {
                Ok(key) => Ok((row, key)),
                Err(problem) => Err((row.line, problem)),
            });
            let (row, key) = match read {
                Ok(read) => read,
                Err((line, problem)) => {
                    days.fault(line, problem);
                    if let Some(day) = above.as_ref().and_then(|key| found.get_mut(key)) {
                        day.spoilt.get_or_insert(line);
                    }
                    lost = Some(line);
                    continue;
                }
            };
            let day = found.entry(key.clone()).or_insert_with(|| Day::new(row.line));
            if let Some(line) = lost.take() {
                day.spoilt.get_or_insert(line);
            }
            if let Err(problem) = self.add(day, &row) {
                day.spoilt.get_or_insert(row.line);
                days.fault(row.line, problem);
            }
            above = Some(key);
        }
        for (key, day) in found {
            match day.spoilt {
                Some(line) => {
                    days.fault(day.line, LineProblem::Incomplete(key.0, line));
                    days.spoil(day.line, key);
                }
                None => days.take(day.line, day.menu(key, self.defaults.milk)),
            }
        }
        days
    }

    /// Whose row it is; where it names no day, that of the row above.
    fn key_below(&self, row: &Row, above: Option<&Key>) -> Result<Key, LineProblem> {
        match above {
            Some((day, kitchen)) if self.columns.cell(row, Column::Date).is_empty() => {
                let named = cell::name(self.columns.cell(row, Column::Kitchen))?;
                Ok((*day, named.unwrap_or_else(|| kitchen.clone())))
            }
            _ => self.key(row),
        }
    }

    fn add(&self, day: &mut Day, row: &Row) -> Result<(), LineProblem> {
        let cell = |column| self.columns.cell(row, column);
        if self.columns.overflows(row) {
            return Err(LineProblem::MoreCells);
        }
        day.name_dishes(row.line, cell(Column::Dishes))?;
        let dishes: Vec<usize> =
            cell::dishes(cell(Column::Dish))?.into_iter().map(|dish| day.dish(dish)).collect();
        // Of several dishes in one cell nobody knows which an ingredient is for.
        let dish = if let [only] = dishes[..] { Some(only) } else { None };
        if let Some(milk) = cell::milk(cell(Column::Milk))? {
            // Said once, milk is served.
            let served = day.milk == Some(Milk::Served) || milk == Milk::Served;
            day.milk = Some(if served { Milk::Served } else { Milk::NotServed });
        }
        let note = tidy_body(cell(Column::Note));
        if !note.is_empty() && !day.notes.contains(&note) {
            day.notes.push(note);
        }
        let amount = match cell::quantity(cell(Column::Quantity), cell(Column::Unit))? {
            Some(amount) => Some(amount),
            None => cell::quantity(cell(Column::Grams), "g")?,
        };
        let label = label::label(cell(Column::Label))?;
        let said = amount.is_some() || label.is_some();
        let named = cell::ingredients(&self.columns.ingredients(row))?;
        match named.len() {
            0 if said => return Err(LineProblem::NoIngredient),
            0 | 1 => {}
            _ if said => return Err(LineProblem::SeveralIngredients),
            _ => {}
        }
        let number = cell(Column::Number).parse().ok();
        for (name, own) in named {
            let ingredient = Ingredient { name, dish, amount: amount.clone().or(own), label: label.clone() };
            day.ingredients.push((number, ingredient));
        }
        Ok(())
    }
}

impl Day {
    fn new(line: usize) -> Self {
        Self {
            line,
            named: None,
            dishes: Vec::new(),
            ingredients: Vec::new(),
            milk: None,
            notes: Vec::new(),
            spoilt: None,
        }
    }

    /// Takes all dishes of the day, which every row may repeat.
    fn name_dishes(&mut self, line: usize, text: &str) -> Result<(), LineProblem> {
        match &self.named {
            _ if text.is_empty() => Ok(()),
            Some((_, named)) if named == text => Ok(()),
            Some((first, _)) => Err(LineProblem::OtherDishes(*first)),
            None => {
                for dish in cell::dishes(text)? {
                    self.dish(dish);
                }
                self.named = Some((line, text.to_owned()));
                Ok(())
            }
        }
    }

    /// The place of a dish.
    fn dish(&mut self, dish: String) -> usize {
        self.dishes.iter().position(|it| *it == dish).unwrap_or_else(|| {
            self.dishes.push(dish);
            self.dishes.len() - 1
        })
    }

    fn menu(self, (date, kitchen): (CalendarDate, String), milk: Milk) -> Menu {
        let mut ingredients = self.ingredients;
        if ingredients.iter().all(|(number, _)| number.is_some()) {
            ingredients.sort_by_key(|(number, _)| *number);
        }
        Menu {
            date,
            kitchen,
            dishes: self.dishes,
            ingredients: ingredients.into_iter().map(|(_, ingredient)| ingredient).collect(),
            milk: self.milk.unwrap_or(milk),
            note: Some(self.notes.join("\n")).filter(|note| !note.is_empty()),
        }
    }
}
