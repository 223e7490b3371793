//! What a test could not check, said so that nobody takes it for checked.

use std::io::Write as _;

/// Says on the real stderr, which the test harness does not catch, that something was not checked, and why.
pub fn skipped(what: &str, why: &str) {
    let _ = std::io::stderr().write_all(format!("SKIPPED {what}: {why}\n").as_bytes());
}
