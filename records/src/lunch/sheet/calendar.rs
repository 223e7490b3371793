//! Menus as whole days of a calendar: dishes by the lines of DESCRIPTION, or of SUMMARY; no ingredients.

use super::days::Days;
use super::{Defaults, LineProblem, ROWS_MAX, Sheet, SheetFault, cell};
use crate::calendar::CalendarError;
use crate::calendar::{ENTRIES_MAX, Entry, Foreign, entries};
use crate::lunch::Menu;

pub(super) fn read(text: &str, defaults: &Defaults) -> Result<Sheet, SheetFault> {
    let kitchen = defaults.kitchen.as_deref().ok_or(SheetFault::NoKitchen)?;
    if text.lines().count() > ROWS_MAX {
        return Err(SheetFault::TooManyRows);
    }
    // One that breaks off has lost days.
    Foreign::read(text.as_bytes()).map_err(SheetFault::Calendar)?;
    let entries = entries(text.as_bytes()).map_err(|_| SheetFault::Calendar(CalendarError::NotACalendar))?;
    if entries.len() >= ENTRIES_MAX {
        return Err(SheetFault::TooManyRows);
    }
    let mut days = Days::default();
    for entry in entries.iter().filter(|entry| !entry.to_do) {
        match menu(entry, kitchen, defaults) {
            Ok(menu) => days.take(entry.line, menu),
            Err(problem) => {
                days.fault(entry.line, problem);
                if let Some(at) = entry.time("DTSTART") {
                    days.spoil(entry.line, (at.day, kitchen.to_owned()));
                }
            }
        }
    }
    Ok(days.sheet())
}

fn menu(entry: &Entry, kitchen: &str, defaults: &Defaults) -> Result<Menu, LineProblem> {
    let from = entry.time("DTSTART").ok_or(LineProblem::Date)?;
    if entry.text("STATUS").is_some_and(|status| status.trim().eq_ignore_ascii_case("CANCELLED")) {
        return Err(LineProblem::Cancelled);
    }
    if entry.has("RRULE") || entry.has("RDATE") {
        return Err(LineProblem::Repeats);
    }
    let one_day = entry.end().is_none_or(|end| end.minute.is_none() && end.day.days_since(from.day) <= 1);
    if from.minute.is_some() || !one_day {
        return Err(LineProblem::NotOneWholeDay);
    }
    // A day that is believed anywhere else, too.
    let date = cell::day(&from.day.to_string(), None)?;
    let dishes = entry.text("DESCRIPTION").or_else(|| entry.text("SUMMARY")).unwrap_or_default();
    Ok(Menu {
        date,
        kitchen: kitchen.to_owned(),
        dishes: cell::dishes(&dishes)?,
        ingredients: Vec::new(),
        milk: defaults.milk,
        note: None,
    })
}
