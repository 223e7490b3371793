//! The one look at the clock of this crate.

use std::time::{Duration, Instant};

use hibiki_protocol::time::Timestamp;
use hibiki_records::date::CalendarDate;

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "the single source of wall time here")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)))
}

/// Today in Japan.
///
/// # Panics
/// The machine's clock shows a year outside -9999 to 9999.
#[expect(clippy::expect_used, reason = "a clock that far off cannot run a test")]
pub fn today() -> CalendarDate {
    const JAPAN_MILLIS: u64 = 9 * 3600 * 1000;
    let days = (now().0 + JAPAN_MILLIS) / (24 * 3600 * 1000);
    let epoch = CalendarDate::new(1970, 1, 1).ok();
    epoch
        .and_then(|epoch| epoch.plus_days(i32::try_from(days).ok()?))
        .expect("today is a day of the calendar")
}

/// Time since a moment.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the single source of elapsed time here")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since then.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "no runtime here whose thread could be blocked")]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Asks `what` every 20 ms until it says yes; `false` after `patience`.
pub fn wait_until(patience: Duration, mut what: impl FnMut() -> bool) -> bool {
    let watch = Stopwatch::start();
    loop {
        if what() {
            return true;
        }
        if watch.elapsed() > patience {
            return false;
        }
        pause(Duration::from_millis(20));
    }
}
