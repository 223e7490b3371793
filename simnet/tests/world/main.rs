//! Worlds in which the real transport talks: distance, loss, cuts, crashes, and the same again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod faults;
mod links;
mod replay;
mod town;
