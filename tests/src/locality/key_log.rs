//! TLS secrets in a file, for the traffic of a laboratory (the NSS key log format, which Wireshark reads).
//!
//! It is here and not with the nodes: no program that people use has it in it.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use hibiki_transport::laboratory::{self, KeyLog};

use super::Trouble;

/// Makes this process a laboratory: its connections append their secrets to `log`, which several processes may share.
///
/// # Errors
/// The file cannot be opened, or this process is a laboratory already.
pub fn open(log: &Path) -> Result<(), Trouble> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(log);
    let file = file.map_err(|source| Trouble::file(log, source))?;
    laboratory::open(Arc::new(Secrets(file))).map_err(|error| Trouble::Machine(error.to_string()))
}

struct Secrets(File);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(***)")
    }
}

impl KeyLog for Secrets {
    #[expect(clippy::print_stderr, reason = "in the middle of a handshake nobody else can be told")]
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
            eprintln!("the laboratory's key log is not written: {error}");
        }
    }
}
