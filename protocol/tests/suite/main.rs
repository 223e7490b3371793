//! The tests of the protocol: golden bytes of every structure, properties of the encoding, vectors
//! that others made, and every rule by which a party refuses.
//!
//! One binary, so that it links once. Golden bytes stand in `tests/golden/v1/`; they are the truth,
//! and are written anew only with `HIBIKI_GOLDEN_WRITE=1`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod allocation;
mod any;
mod canonical;
mod fixture;
mod golden;
mod hostile;
mod round_trip;
mod samples;
mod sealed;
mod source;
mod structure;
mod tree;
