//! Check-ups: what records of pregnancy, childhood and school say, gathered into occasions.
//!
//! - [`Reading::read`] makes typed items of one stored record;
//! - [`occasions`] gathers readings into occasions, newest first, each result beside the previous one of the
//!   same item;
//! - [`childhood::due`] says which check-ups of childhood have been, are, or are coming by age.
//!
//! A missing record is "no record", never "not examined": holders keep check-ups for different times, some
//! for none. What is sensitive is decided by the category an institution gave a record; nothing is guessed
//! here. Must not know where records are kept.

pub mod childhood;
mod items;
mod occasion;
mod reading;

pub use childhood::ChildCheckup;
pub use occasion::{Change, Occasion, OccasionKind, Outcome, Previous, occasions};
pub use reading::{Gestation, Interpretation, Item, Number, Reading};

#[cfg(test)]
mod tests;
