//! The proof of data locality, gathered from a federation of eight institutions as real processes.
//!
//! Owns the run and its artefacts: what is planted, what guardians ask, what is broken meanwhile, and what is
//! copied afterwards for `hibiki-audit`, which alone judges. Must not judge.
//!
//! - [`canary`] — the planted texts, as the auditor drew them;
//! - [`people`] — families whose ordinary records carry them;
//! - [`guardian`] — one guardian at the terminal: a session, and view after view;
//! - [`workload`] — all guardians at once, and the faults meanwhile;
//! - [`volume`] — what the gateway writes for small records and for large ones;
//! - [`gather`] — the artefacts;
//! - [`mutants`] — leaking gateways, each of which must be caught;
//! - [`traffic`] — what travels, captured ([`capture`]), its secrets logged ([`key_log`]) and decrypted ([`decrypt`]);
//! - [`second`] — what software nobody here wrote finds;
//! - [`mod@run`] — all of it, in order.

pub mod canary;
pub mod capture;
pub mod decrypt;
pub mod gather;
pub mod guardian;
pub mod key_log;
pub mod mutants;
pub mod people;
pub mod run;
pub mod second;
pub mod traffic;
pub mod trouble;
pub mod volume;
pub mod workload;

pub use run::{Order, run};
pub use trouble::Trouble;
