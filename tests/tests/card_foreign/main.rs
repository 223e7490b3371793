//! Programs nobody here wrote, through the real pcscd: what they accept of our card.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bench;
mod harness;
mod myna;
mod opensc;
mod ordinary_user;
mod signatures;
