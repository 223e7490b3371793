//! The one place of this program where time comes from.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the clock module of this binary")]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
