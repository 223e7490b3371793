//! The school lunch: menus, which allergens are in them, and what that means for one child.
//!
//! A [`Menu`] is what the kitchen planned. A [`Survey`] is what is known about its allergens: found, possible,
//! unknown, each with where and why. It is made once, when the nutritionist accepts the menu, with the kitchen's own
//! words; [`judge`] then reads it for the allergens registered for one child, at the school for the mail, at the
//! guardian's terminal for the page. Pure; must not know who the child is, or how mails are sent.

mod content;
mod finding;
mod foods;
mod lexicon;
mod menu;
mod name;
mod reading;
pub mod sheet;
mod survey;
#[cfg(test)]
mod tests;
pub mod words;

pub use finding::survey;
pub use lexicon::{Lexicon, Word};
pub use menu::{Ingredient, LunchDay, Menu, Milk};
pub use sheet::{Defaults, LineFault, Sheet, SheetFault, read_menus};
pub use survey::{
    Certainty, Decision, Doubt, Finding, Registration, Removal, Rule, Source, Survey, Verdict, judge,
};
