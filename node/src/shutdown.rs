//! How the process ends: gracefully once asked, at once when asked twice.
//!
//! Owns the stage of the end, the signals that move it and the words sent to the service manager. Must not
//! know: what has to be finished before the end; the parts watch [`Shutdown`] and finish their own.

pub mod service;
pub mod signals;

use tokio::sync::watch;

/// How far the end has come. Later stages compare greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody asked.
    #[default]
    Running,
    /// Finish what was begun, take nothing new.
    Draining,
    /// Stop now; whatever is durable stays, nothing else is owed.
    Now,
}

/// The side that ends the process.
#[derive(Debug, Clone)]
pub struct ShutdownTrigger(watch::Sender<Stage>);

/// The side that watches for the end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Stage>);

/// A connected pair.
pub fn channel() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(Stage::Running);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    /// Moves to `stage`; an earlier stage than the present one changes nothing.
    pub fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|present| {
            let later = stage > *present;
            if later {
                *present = stage;
            }
            later
        });
    }

    /// What a further signal asks for: to drain, and then to stop now.
    pub fn ask(&self) -> Stage {
        let next = match *self.0.borrow() {
            Stage::Running => Stage::Draining,
            Stage::Draining | Stage::Now => Stage::Now,
        };
        self.advance(next);
        next
    }
}

impl Shutdown {
    /// The stage at this moment.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Whether the process still takes new work.
    pub fn is_running(&self) -> bool {
        self.stage() == Stage::Running
    }

    /// Waits until the process drains, stops, or lost the trigger.
    pub async fn draining(&mut self) {
        self.reached(Stage::Draining).await;
    }

    /// Waits until the process must stop now, or lost the trigger.
    pub async fn now(&mut self) {
        self.reached(Stage::Now).await;
    }

    async fn reached(&mut self, stage: Stage) {
        // An error means that the trigger is gone: nobody could ever ask again, which is an end as well.
        let _ = self.0.wait_for(|present| *present >= stage).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_request_stops_now() {
        let (trigger, mut shutdown) = channel();
        assert!(shutdown.is_running());
        assert_eq!(trigger.ask(), Stage::Draining);
        shutdown.draining().await;
        assert_eq!(shutdown.stage(), Stage::Draining);
        assert_eq!(trigger.ask(), Stage::Now);
        shutdown.now().await;
        assert_eq!(trigger.ask(), Stage::Now);
    }

    #[tokio::test]
    async fn stages_never_go_back() {
        let (trigger, shutdown) = channel();
        trigger.advance(Stage::Now);
        trigger.advance(Stage::Draining);
        assert_eq!(shutdown.stage(), Stage::Now);
    }

    #[tokio::test]
    async fn losing_the_trigger_counts_as_an_end() {
        let (trigger, mut shutdown) = channel();
        drop(trigger);
        shutdown.now().await;
    }
}
