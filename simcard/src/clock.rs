//! The one place of this program where time comes from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the clock module of this binary")]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Waits, on a thread of its own that has nothing else to do.
#[expect(clippy::disallowed_methods, reason = "no runtime here whose thread could be blocked")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
