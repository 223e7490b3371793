//! Imports as staff do them: the real command line against the real admin socket, with the daemon's parts
//! in memory behind it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod faults;
mod import;
mod inbox;
mod ledger;
mod records;
mod world;
