//! The one place of this program where time comes from.

use std::time::{SystemTime, UNIX_EPOCH};

use hibiki_protocol::time::Timestamp;

/// The time of this machine.
#[expect(clippy::disallowed_methods, reason = "the clock module of this binary")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
