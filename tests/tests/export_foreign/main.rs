//! What a guardian takes home, read by libraries nobody here wrote: calendars and International Patient Summaries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod calendars;
mod people;
mod python;
mod summaries;
