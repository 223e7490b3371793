//! What the service manager (systemd) is told: `sd_notify(3)`.
//!
//! Without a manager (`NOTIFY_SOCKET` unset) every word is a no-op. Must not know: why the node is ready.

use std::time::Duration;

use sd_notify::NotifyState;

/// Speaks to the service manager.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manager;

impl Manager {
    /// `READY=1`: the node answers. Also ends a reload.
    pub fn ready(self, status: &str) {
        Self::say(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// `RELOADING=1` with the monotonic time that `Type=notify-reload` asks for; end it with [`Self::ready`].
    pub fn reloading(self) {
        match NotifyState::monotonic_usec_now() {
            Ok(time) => Self::say(&[NotifyState::Reloading, time]),
            Err(_) => Self::say(&[NotifyState::Reloading]),
        }
    }

    /// `STOPPING=1`, and how long the drain may take.
    pub fn stopping(self, deadline: Duration) {
        let microseconds = u32::try_from(deadline.as_micros()).unwrap_or(u32::MAX);
        Self::say(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(microseconds)]);
    }

    /// Answers the watchdog for ever, at half its period; returns at once where there is none.
    ///
    /// It runs on the same runtime as all the work: a runtime that no longer turns stops answering, and the
    /// manager starts the node afresh.
    pub async fn watchdog(self) {
        let Some(period) = sd_notify::watchdog_enabled() else { return };
        // A period of zero would spin.
        let mut beat = tokio::time::interval((period / 2).max(Duration::from_millis(10)));
        loop {
            beat.tick().await;
            Self::say(&[NotifyState::Watchdog]);
        }
    }

    fn say(words: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(words) {
            tracing::warn!(%error, "the service manager cannot be told how the node fares");
        }
    }
}
