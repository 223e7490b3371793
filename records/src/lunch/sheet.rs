//! Menu files as kitchens and municipalities have them.
//!
//! Four forms are read, told apart by what the file begins with:
//!
//! - **One row per day** (CSV): date, kitchen, dishes, ingredients, milk, note.
//! - **One row per ingredient** (CSV): date, kitchen, dishes or the dish, ingredient, amount, what its label says.
//! - **One JSON object per day** (NDJSON), as hobbyists publish the menus of Kobe.
//! - **iCalendar**: whole days with the dishes; such menus have no ingredients.
//!
//! CSV columns are found by their names, Japanese or English (`columns.rs`). A table without names of columns, such as
//! one cut out of a PDF sheet, is refused: guessing what a cell means is nothing to rest an allergy alert on.
//!
//! A bad line spoils the day it belongs to and no other. Such a day is *not taken at all*: with one ingredient lost it
//! would look safer than it is. Must not know allergens beyond what labels are said to say, nor what day it is.

mod calendar;
mod cell;
mod columns;
mod days;
mod fault;
mod label;
mod ndjson;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::{Menu, Milk};
use crate::calendar::is_calendar;
pub use fault::{LineFault, LineProblem, SheetFault};

/// Longest file, in bytes: the months of a city's kitchens take a twentieth of it.
pub const FILE_MAX_BYTES: usize = 8 << 20;
/// Most rows of a file: ingredients of a school year of four kitchens.
pub const ROWS_MAX: usize = 20_000;
/// Most dishes of one menu.
pub const DISHES_MAX: usize = 30;
/// Most ingredients of one menu; real ones reach 31.
pub const INGREDIENTS_MAX: usize = 150;

/// What a file may leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The kitchen of rows that name none.
    pub kitchen: Option<String>,
    /// Whether milk is served on days of which the file does not say.
    pub milk: Milk,
    /// The year in which the school year (年度, April to March) began that days without a year belong to.
    pub school_year: Option<i16>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// By day, then kitchen; each such pair once.
    pub menus: Vec<Menu>,
    /// What could not be taken, by line.
    pub faults: Vec<LineFault>,
}

/// Reads a file of menus: UTF-8 with or without a mark, or CP932 (Shift_JIS as Windows writes it).
///
/// # Errors
/// It is none of the forms above, too large, or names no kitchen where [`Defaults`] names none either. Bad lines are
/// no error: see [`Sheet::faults`].
pub fn read_menus(bytes: &[u8], defaults: &Defaults) -> Result<Sheet, SheetFault> {
    if bytes.len() > FILE_MAX_BYTES {
        return Err(SheetFault::TooLong);
    }
    let text = decode(bytes).ok_or(SheetFault::NotText)?;
    let start = text.trim_start();
    if start.is_empty() {
        return Err(SheetFault::Empty);
    }
    let mut sheet = if is_calendar(start.as_bytes()) {
        calendar::read(start, defaults)
    } else if start.starts_with('{') {
        ndjson::read(&text, defaults)
    } else {
        table::read(&text, defaults)
    }?;
    sheet.faults.sort_by_key(|fault| fault.line);
    Ok(sheet)
}

/// The text of a file; `None` when it is in neither encoding, or no text at all.
fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    if bytes.contains(&0) || bytes.starts_with(b"%PDF") || bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)
}
