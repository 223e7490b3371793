//! The laboratory: a process whose traffic can be captured and decrypted afterwards, to be looked into by a regulator.
//!
//! Owns the one switch for it, which is a call in the program's own source: no setting, no environment, no feature
//! of this crate turns it on. A program that does not call [`open`] has no code in it that could write a
//! secret of TLS down (`tests/tests/laboratory.rs` looks into the programs for it). What must never happen here:
//! a call from `node/`, `terminal/` or any other program that people use.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::KeyLog;

// As a trait object: what writes secrets is named in [`open`] alone, and not linked where that is not called.
static OPEN: OnceLock<Arc<dyn KeyLog>> = OnceLock::new();

/// From now on every connection made in this process, in either direction, appends its TLS secrets to `log` (the NSS
/// key log format, which Wireshark reads), and every datagram is sent by itself, as it would be seen on a real
/// network: a capture on loopback shows what the kernel was given.
///
/// # Errors
/// The file cannot be opened, or the laboratory is open already.
pub fn open(log: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
    OPEN.set(Arc::new(Secrets(file)))
        .map_err(|_| io::Error::other("the laboratory of this process is open already"))
}

/// Where secrets go, if anywhere.
pub(crate) fn key_log() -> Option<Arc<dyn KeyLog>> {
    OPEN.get().cloned()
}

struct Secrets(File);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(***)")
    }
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = format!("{label} ");
        for (bytes, end) in [(client_random, ' '), (secret, '\n')] {
            for byte in bytes {
                let _ = write!(line, "{byte:02x}");
            }
            line.push(end);
        }
        // One write, at the end of the file: several processes share it.
        if let Err(error) = (&self.0).write_all(line.as_bytes()) {
            tracing::error!(%error, "the laboratory's key log is not written");
        }
    }
}
