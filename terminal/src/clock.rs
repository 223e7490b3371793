//! The terminal's one look at the clock.

use hibiki_protocol::time::Timestamp;

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "the terminal's single source of time")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)))
}
