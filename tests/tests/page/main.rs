//! The guardian's page in a real browser: from the touch of the card to what is left when it is gone.
//!
//! One town for all of them; each story has a terminal and a browser of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod choices;
mod every_page;
mod gaps;
mod hostile;
mod keyboard;
mod login;
mod newcomers;
mod nothing_left;
mod pictures;
mod scene;
mod take_home;
mod thousand;
mod visit;
