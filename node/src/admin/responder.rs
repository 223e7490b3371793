//! A command's way to speak to its client while it works, and to learn that nobody waits any more.
//!
//! Must not know: sockets, other commands.

use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use super::wire::{Event, Progress, Warning};

/// Events waiting for a slow client before warnings and rows wait, too.
const EVENTS_WAITING_MAX: usize = 64;

/// Speaks to one client. Clones speak to the same client.
///
/// A command is never dropped half-way: once cancelled, what it says is discarded, and it is expected to
/// stop at the next safe place.
#[derive(Debug, Clone)]
pub struct Responder {
    events: mpsc::Sender<Event>,
    cancelled: watch::Receiver<bool>,
}

impl Responder {
    /// A responder, the events it makes, and the switch that cancels it.
    pub fn channel() -> (Self, mpsc::Receiver<Event>, watch::Sender<bool>) {
        let (events, receiver) = mpsc::channel(EVENTS_WAITING_MAX);
        let (cancel, cancelled) = watch::channel(false);
        (Self { events, cancelled }, receiver, cancel)
    }

    /// Says how far the command has come. Never waits: if the client is slow, this word is skipped.
    pub fn progress(&self, stage: &str, done: u64, total: Option<u64>, unit: &str) {
        let progress = Progress { stage: stage.to_owned(), done, total, unit: unit.to_owned() };
        let _ = self.events.try_send(Event::Progress(progress));
    }

    /// Warns the staff of something at a place.
    pub async fn warning(&self, what: impl Into<String>, place: Option<String>) {
        self.send(Event::Warning(Warning { what: what.into(), place })).await;
    }

    /// The same from a thread that may block.
    pub fn warning_blocking(&self, what: impl Into<String>, place: Option<String>) {
        self.send_blocking(Event::Warning(Warning { what: what.into(), place }));
    }

    /// Gives one row of a listing.
    pub async fn row(&self, row: Value) {
        self.send(Event::Row(row)).await;
    }

    /// The same from a thread that may block.
    pub fn row_blocking(&self, row: Value) {
        self.send_blocking(Event::Row(row));
    }

    /// Whether nobody waits for the outcome any more, or the node is stopping.
    pub fn is_cancelled(&self) -> bool {
        // A lost switch means that the connection is gone altogether.
        *self.cancelled.borrow() || self.cancelled.has_changed().is_err()
    }

    /// Waits until nobody waits for the outcome any more, or the node stops.
    pub async fn cancelled(&self) {
        let _ = self.cancelled.clone().wait_for(|cancelled| *cancelled).await;
    }

    /// Says the last word; the client hears nothing after it.
    pub(super) async fn finish(self, last: Event) {
        self.send(last).await;
    }

    /// Waits only for a client that is slow.
    fn send_blocking(&self, event: Event) {
        if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
            let _ = self.events.blocking_send(event);
        }
    }

    async fn send(&self, event: Event) {
        // The receiver outlives the command; where it does not, the client is gone and nobody is told.
        let _ = self.events.send(event).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn progress_is_skipped_rather_than_waited_for() {
        let (responder, mut events, _cancel) = Responder::channel();
        for done in 0..1_000 {
            responder.progress("reading", done, None, "records");
        }
        let mut received = 0;
        while events.try_recv().is_ok() {
            received += 1;
        }
        assert_eq!(received, EVENTS_WAITING_MAX);
    }

    #[tokio::test]
    async fn cancelling_is_seen_by_every_clone() {
        let (responder, _events, cancel) = Responder::channel();
        let clone = responder.clone();
        assert!(!clone.is_cancelled());
        cancel.send(true).unwrap();
        assert!(clone.is_cancelled());
        clone.cancelled().await;
    }

    #[tokio::test]
    async fn a_lost_connection_counts_as_cancelled() {
        let (responder, events, cancel) = Responder::channel();
        drop((events, cancel));
        assert!(responder.is_cancelled());
        responder.cancelled().await;
        responder.warning("unheard", None).await;
    }
}
