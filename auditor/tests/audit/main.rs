//! The auditor on artefacts: a small federation whose audit passes, and everything that may be wrong with one.
//!
//! The ledgers, lists, cosignatures and openings are real, made by the functions of the protocol; every test
//! breaks one thing and names the question that must see it. One binary, so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod command;
mod federation;
mod foreign;
mod holds;
mod hostile;
mod ledger;
mod locality;
mod reconcile;
mod report;
mod traffic;
mod whole;
