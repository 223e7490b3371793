//! Queries answered `not logged`: entered in the ledger once it takes entries again, so that whoever lays the
//! gateway's ledger beside this one finds every answer that was relayed.
//!
//! Such an answer shows nothing and leaves without an entry; what is owed is kept here, in memory. There is room for
//! [`LINES_MAX`]: beyond it a query is declined instead, which is no answer and owes none. What is owed when the
//! process ends is entered before the ledger closes, if it can be; a kill on a full disk loses it. Must not know: who
//! asked, about whom, or what would have been found.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::query::Refusal;
use tokio::sync::Notify;

use super::InstitutionResponder;
use crate::ledger::details::Refusal as RefusalEntry;
use crate::ledger::{DigestKind, Entry, NotLogged};
use crate::observe::metrics;
use crate::shutdown::Shutdown;

/// Answers owed an entry, at most: some minutes of a busy institution, half a megabyte.
const LINES_MAX: usize = 4096;

/// One answer that is owed an entry.
#[derive(Clone)]
struct Line {
    /// Digest of the part as it travelled.
    part: Digest,
    /// The gateway that brought it.
    via: MemberId,
    /// When it was answered, in milliseconds since the Unix epoch.
    at: u64,
}

/// There is no room to owe another entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// The answers that are owed an entry.
#[derive(Default)]
pub(super) struct Missed {
    lines: Mutex<VecDeque<Line>>,
    noted: Notify,
}

impl Missed {
    /// Notes that a query is answered without an entry.
    pub(super) fn note(&self, part: Digest, via: &MemberId, at: u64) -> Result<(), Full> {
        let mut lines = self.lines();
        if lines.len() >= LINES_MAX {
            return Err(Full);
        }
        lines.push_back(Line { part, via: via.clone(), at });
        metrics::set_count(metrics::ANSWERS_NOT_LOGGED, lines.len());
        self.noted.notify_one();
        Ok(())
    }

    fn first(&self) -> Option<Line> {
        self.lines().front().cloned()
    }

    fn settled(&self) {
        let mut lines = self.lines();
        lines.pop_front();
        metrics::set_count(metrics::ANSWERS_NOT_LOGGED, lines.len());
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<Line>> {
        // Every change is one push or pop: a panic elsewhere leaves nothing half done.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InstitutionResponder {
    /// Enters what is owed, whenever the ledger has room, until the node drains. While it has none, it is tried again
    /// every `period`. Spawn it once.
    pub async fn keep_entering(self: Arc<Self>, period: Duration, mut shutdown: Shutdown) {
        loop {
            tokio::select! { biased;
                () = shutdown.draining() => break,
                () = self.missed.noted.notified() => {}
            }
            while self.enter_missed().await.is_err() {
                tokio::select! { biased;
                    () = shutdown.draining() => break,
                    () = tokio::time::sleep(period) => {}
                }
            }
        }
        if let Err(error) = self.enter_missed().await {
            tracing::error!(%error, "answers `not logged` are left without an entry in the ledger");
        }
    }

    /// Enters what is owed, oldest first. Not to be cancelled: an entry is owed until it was seen to be there.
    pub(super) async fn enter_missed(&self) -> Result<(), NotLogged> {
        while let Some(line) = self.missed.first() {
            // The last room belongs to holds and revocations.
            if (self.base.low_space)() {
                return Err(NotLogged::NoSpace);
            }
            let details = RefusalEntry {
                reason: Refusal::NotLogged.as_str().to_owned(),
                via: line.via.to_string(),
                answered: line.at,
                ..RefusalEntry::default()
            };
            let entry = Entry::new(self.base.env.now(), None, &details)?;
            self.base.ledger.append(entry.with_digest(DigestKind::Query, line.part.0)).await?;
            self.missed.settled();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::atomic::Ordering;

    use hibiki_protocol::outcome::Outcome;

    use super::super::scene::{NOON, Scene, member};
    use super::*;
    use crate::ledger::EntryKind;
    use crate::links::fixtures::until;

    #[tokio::test]
    async fn an_answer_that_could_not_be_logged_is_entered_when_there_is_room() {
        let scene = Scene::new();
        let mut asked = scene.asked();
        let (part, to) = scene.seal(&mut asked);
        let digest = part.digest().0;
        scene.low_space.store(true, Ordering::Relaxed);
        let answer = scene.answer_to(part, &to, &asked.secret).await.unwrap();
        assert_eq!((answer.outcome, answer.receipt), (Outcome::NotLogged, None));
        let size = scene.ledger.size();
        assert_eq!(scene.responder.enter_missed().await, Err(NotLogged::NoSpace));
        assert_eq!(scene.ledger.size(), size, "nothing is entered while the room is for holds");

        *scene.clock.0.lock().unwrap() = NOON + 90_000;
        scene.low_space.store(false, Ordering::Relaxed);
        scene.responder.enter_missed().await.unwrap();
        scene.responder.enter_missed().await.unwrap();
        assert_eq!(scene.ledger.size(), size + 1, "once");
        let entry = scene.ledger.read(size..size + 1).unwrap().pop().unwrap();
        assert_eq!((entry.leaf.kind, entry.leaf.time_ms), (EntryKind::Refusal, NOON + 90_000));
        assert_eq!(entry.leaf.digests, [(DigestKind::Query, digest)]);
        let said = entry.details::<RefusalEntry>().unwrap();
        assert_eq!((said.reason.as_str(), said.answered), ("not_logged", NOON));
        assert_eq!((said.guardian.as_str(), said.via.as_str()), ("", "maebashi/city-hall"));
    }

    #[tokio::test]
    async fn the_loop_enters_by_itself_and_at_the_end() {
        let scene = Scene::new();
        let (low, ledger) = (Arc::clone(&scene.low_space), scene.ledger.clone());
        let responder = Arc::new(scene.responder);
        let (trigger, shutdown) = crate::shutdown::channel();
        let size = ledger.size();
        let owed = |n: u8| responder.missed.note(Digest([n; 32]), &member("maebashi/city-hall"), NOON);
        let period = Duration::from_millis(5);
        let life = tokio::spawn(Arc::clone(&responder).keep_entering(period, shutdown));
        low.store(true, Ordering::Relaxed);
        owed(1).unwrap();
        owed(2).unwrap();
        tokio::time::sleep(10 * period).await;
        assert_eq!(ledger.size(), size);
        low.store(false, Ordering::Relaxed);
        until("both are entered", || ledger.size() == size + 2).await;
        // What is owed when the node is told to stop is entered before it does.
        low.store(true, Ordering::Relaxed);
        owed(3).unwrap();
        tokio::time::sleep(10 * period).await;
        low.store(false, Ordering::Relaxed);
        trigger.ask();
        life.await.unwrap();
        assert_eq!(ledger.size(), size + 3);
    }

    #[tokio::test]
    async fn without_room_to_owe_an_entry_a_query_is_declined_and_not_answered() {
        let scene = Scene::new();
        scene.low_space.store(true, Ordering::Relaxed);
        for n in 0..LINES_MAX as u64 {
            let part = Digest::of(&[&n.to_be_bytes()]);
            scene.responder.missed.note(part, &member("maebashi/city-hall"), NOON).unwrap();
        }
        assert_eq!(scene.answer(scene.asked()).await.unwrap_err(), Refusal::Busy);
        scene.low_space.store(false, Ordering::Relaxed);
        scene.responder.enter_missed().await.unwrap();
        assert_eq!(scene.answer(scene.asked()).await.unwrap().outcome, Outcome::Data);
    }
}
