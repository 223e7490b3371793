//! Signals of the operating system, as words the node understands.
//!
//! SIGTERM and SIGINT ask for the end (see [`ShutdownTrigger::ask`]); SIGHUP asks for fresh configuration
//! and keys. Must not know: what ending or reloading consists of.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::{ShutdownTrigger, Stage};

/// The signals this process listens for. While the value lives, their default action (to kill) is off.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Starts listening; needs a tokio runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Turns signals into requests for ever: ends through `trigger`, reloads through `reload`.
    ///
    /// A reload asked for while one is waiting already is the same reload.
    pub async fn relay(mut self, trigger: ShutdownTrigger, reload: mpsc::Sender<()>) {
        loop {
            tokio::select! { biased;
                _ = self.terminate.recv() => Self::end(&trigger, "SIGTERM"),
                _ = self.interrupt.recv() => Self::end(&trigger, "SIGINT"),
                _ = self.hang_up.recv() => {
                    tracing::info!("SIGHUP: reloading");
                    let _ = reload.try_send(());
                }
            }
        }
    }

    fn end(trigger: &ShutdownTrigger, name: &'static str) {
        match trigger.ask() {
            Stage::Running | Stage::Draining => tracing::info!(signal = name, "finishing what was begun"),
            Stage::Now => tracing::warn!(signal = name, "asked again: stopping now"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use rustix::process::{Signal as Number, getpid, kill_process};

    use super::*;
    use crate::shutdown::channel;

    /// One test for all signals: they are addressed to the whole process, so two tests would meet.
    #[tokio::test]
    async fn signals_drain_then_stop_and_reload() {
        let signals = Signals::listen().unwrap();
        let (trigger, mut shutdown) = channel();
        let (reload, mut reloads) = mpsc::channel(1);
        let relay = tokio::spawn(signals.relay(trigger, reload));

        kill_process(getpid(), Number::HUP).unwrap();
        assert_eq!(reloads.recv().await, Some(()));
        assert_eq!(shutdown.stage(), Stage::Running);

        kill_process(getpid(), Number::TERM).unwrap();
        shutdown.draining().await;
        assert_eq!(shutdown.stage(), Stage::Draining);

        kill_process(getpid(), Number::INT).unwrap();
        shutdown.now().await;
        relay.abort();
    }
}
