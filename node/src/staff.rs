//! Staff: accounts, what each role may do, and a small page on this machine that does it.
//!
//! The page has no powers of its own: everything it does is a command of the running node, given in the name of the account.
//! Must not know what any command means.

pub mod accounts;
pub mod commands;
pub mod page;
pub mod permits;

pub use accounts::{Accounts, Role};
