//! The road, driven over real loopback UDP: trust, frames, lifetimes and hostile peers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod frames;
mod hostile;
mod lifetimes;
mod party;
mod raw;
mod trust;
