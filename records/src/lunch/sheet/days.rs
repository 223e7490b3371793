//! The days found in a file: each day and kitchen once, and those that must not be taken.

use std::collections::BTreeMap;

use super::{DISHES_MAX, INGREDIENTS_MAX, LineFault, LineProblem, Sheet};
use crate::date::CalendarDate;
use crate::lunch::Menu;

/// Whose menu it is.
pub(super) type Key = (CalendarDate, String);

/// Days found so far.
#[derive(Default)]
pub(super) struct Days {
    /// The first line of each, and its menu unless it must not be taken.
    found: BTreeMap<Key, (usize, Option<Menu>)>,
    faults: Vec<LineFault>,
}

impl Days {
    pub(super) fn fault(&mut self, line: usize, what: LineProblem) {
        self.faults.push(LineFault { line, what });
    }

    /// Takes a whole menu.
    pub(super) fn take(&mut self, line: usize, menu: Menu) {
        let key = (menu.date, menu.kitchen.clone());
        let problem = if menu.dishes.is_empty() {
            Some(LineProblem::NoDishes)
        } else if menu.dishes.len() > DISHES_MAX || menu.ingredients.len() > INGREDIENTS_MAX {
            Some(LineProblem::TooMany)
        } else {
            None
        };
        if let Some(problem) = problem {
            self.fault(line, problem);
            self.spoil(line, key);
            return;
        }
        match self.found.get_mut(&key) {
            None => _ = self.found.insert(key, (line, Some(menu))),
            Some((first, taken)) => {
                let first = *first;
                let problem = if taken.as_ref() == Some(&menu) {
                    LineProblem::Twice(first)
                } else {
                    *taken = None;
                    LineProblem::Contradiction(first)
                };
                self.fault(line, problem);
            }
        }
    }

    /// Sees to it that this day is not taken, whatever other lines say.
    pub(super) fn spoil(&mut self, line: usize, key: Key) {
        self.found.entry(key).or_insert((line, None)).1 = None;
    }

    pub(super) fn sheet(self) -> Sheet {
        let menus = self.found.into_values().filter_map(|(_, menu)| menu).collect();
        Sheet { menus, faults: self.faults }
    }
}
