//! The tests of the protocol: golden bytes of every structure, properties of the encoding, vectors
//! that others made, and every rule by which a party refuses.
//!
//! One binary, so that it links once. Golden bytes stand in `tests/golden/v1/`; they are the truth,
//! and are written anew only with `HIBIKI_GOLDEN_WRITE=1`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod allocation;
mod any;
mod canonical;
mod document;
mod fixture;
mod golden;
mod grant_rules;
mod history_rules;
mod hostile;
mod policy_rules;
mod query_rules;
mod receipt_rules;
mod registration_rules;
mod round_trip;
mod samples;
mod sealed;
mod session_end_rules;
mod session_rules;
mod small_ledger;
mod source;
mod structure;
mod token_rules;
mod tree;
mod trust_rules;
mod vectors;
mod witnessing_rules;
