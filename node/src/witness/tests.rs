//! Witnesses among four members in one process, in controlled time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod asking;
mod forks;
mod net;
mod witnessing;
