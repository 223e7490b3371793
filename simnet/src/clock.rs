//! A host's wall clock: virtual time since a fixed morning, and what the host gets wrong about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use quinn::TimeSource;

use crate::fabric::Fabric;

/// When every world begins: 2026-04-01 00:00 UTC, a Wednesday and the first day of a Japanese school
/// year, in seconds since 1970.
pub const EPOCH: u64 = 1_775_001_600;

/// The clock on one host's wall.
#[derive(Debug)]
pub(crate) struct HostClock {
    fabric: Arc<Fabric>,
    /// Milliseconds this clock is ahead of the world.
    skew: AtomicI64,
}

impl HostClock {
    pub(crate) fn new(fabric: Arc<Fabric>) -> Self {
        Self { fabric, skew: AtomicI64::new(0) }
    }

    pub(crate) fn set_skew(&self, millis: i64) {
        self.skew.store(millis, Ordering::SeqCst);
    }
}

impl TimeSource for HostClock {
    fn now(&self) -> SystemTime {
        let right = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH) + self.fabric.elapsed();
        let skew = self.skew.load(Ordering::SeqCst);
        let by = Duration::from_millis(skew.unsigned_abs());
        let wrong = if skew < 0 { right.checked_sub(by) } else { right.checked_add(by) };
        wrong.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
