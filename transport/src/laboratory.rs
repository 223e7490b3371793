//! The laboratory: a process whose traffic can be captured and decrypted afterwards, to be looked into by a regulator.
//!
//! Owns the one switch for it, which is a call in the program's own source: no setting, no environment, no feature
//! of this crate turns it on. What takes the secrets is the caller's, too: nothing here, and so nothing in the programs
//! that people use, writes a secret of TLS anywhere. What must never happen: a call from `node/`, `terminal/` or any
//! other program that people use (`tests/tests/laboratory.rs` reads their sources for it).

use std::sync::{Arc, OnceLock};

pub use rustls::KeyLog;

static OPEN: OnceLock<Arc<dyn KeyLog>> = OnceLock::new();

/// The laboratory of this process is open already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the laboratory of this process is open already")]
pub struct AlreadyOpen;

/// From now on every connection made in this process, in either direction, tells `log` its TLS secrets, and every
/// datagram is sent by itself, as it would be seen on a real network: a capture on loopback shows what the kernel was
/// given.
///
/// # Errors
/// It is open already.
pub fn open(log: Arc<dyn KeyLog>) -> Result<(), AlreadyOpen> {
    OPEN.set(log).map_err(|_| AlreadyOpen)
}

/// Where secrets go, if anywhere.
pub(crate) fn key_log() -> Option<Arc<dyn KeyLog>> {
    OPEN.get().cloned()
}
