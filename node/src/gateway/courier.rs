//! Brings ends of sessions to their institutions: to all at once, again and again, until each has confirmed or
//! the session's own time is over.
//!
//! Held in memory alone: a gateway that is killed takes them with it, and the grants end in ten minutes. Must
//! not know: what is inside an end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::frames::Declined;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

use super::deposit::Left;
use crate::env::Env;
use crate::institution::all;
use crate::links::{Failure, Links};
use crate::observe::board::StatusBoard;
use crate::observe::metrics;
use crate::services::Responder;

/// An institution must confirm within this; then it is told again.
const ATTEMPT: Duration = Duration::from_secs(2);
/// The first retry follows after this, each further one after twice as long …
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
/// … up to this.
const BACK_OFF_MAX: Duration = Duration::from_secs(10);

/// Carries ends. Cheap to clone; clones share their room and their count.
#[derive(Clone)]
pub(super) struct Courier {
    env: Env,
    links: Links,
    own: Option<Arc<dyn Responder>>,
    board: StatusBoard,
    /// A permit for every end that is held here, kept or on its way.
    room: Arc<Semaphore>,
    /// Ends on their way.
    outstanding: Arc<watch::Sender<usize>>,
}

/// How far the telling of one session's end has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Institutions to be told.
    pub(super) institutions: usize,
    /// Those that have confirmed.
    pub(super) confirmed: usize,
    /// Those that will not be told again: confirmed, or given up.
    pub(super) settled: usize,
}

impl Told {
    /// Whether nothing more will happen.
    pub(super) fn is_settled(&self) -> bool {
        self.settled == self.institutions
    }
}

/// One end on its way.
struct Errand {
    end: SealedSessionEnd,
    not_after: Timestamp,
    _room: Option<OwnedSemaphorePermit>,
}

/// What came of one attempt.
enum Attempt {
    Confirmed,
    /// Trying again makes no difference.
    Refused(Refusal),
    /// It may go better next time.
    Failed,
}

impl Courier {
    pub(super) fn new(env: Env, links: Links, own: Option<Arc<dyn Responder>>, board: StatusBoard) -> Self {
        let (room, outstanding) =
            (Arc::new(Semaphore::new(limits::SESSION_ENDS_HELD_MAX)), Arc::new(watch::Sender::new(0)));
        Self { env, links, own, board, room, outstanding }
    }

    /// Room for so many ends, if there is.
    pub(super) fn room_for(&self, ends: usize) -> Option<OwnedSemaphorePermit> {
        let ends = u32::try_from(ends).ok()?;
        Arc::clone(&self.room).try_acquire_many_owned(ends).ok()
    }

    /// Begins to tell every institution, and returns where the progress is to be read. Nobody has to.
    pub(super) fn tell(&self, left: Vec<Left>) -> watch::Receiver<Told> {
        let mut errands: BTreeMap<MemberId, Vec<Errand>> = BTreeMap::new();
        for Left { ends, not_after, mut room } in left {
            for end in ends {
                let errand = Errand { not_after, _room: room.split(1), end };
                errands.entry(errand.end.audience.clone()).or_default().push(errand);
            }
        }
        let told = Told { institutions: errands.len(), ..Told::default() };
        let (progress, receiver) = watch::channel(told);
        let progress = Arc::new(progress);
        let count: usize = errands.values().map(Vec::len).sum();
        self.outstanding.send_modify(|outstanding| *outstanding += count);
        self.show();
        for (institution, errands) in errands {
            let (courier, progress) = (self.clone(), Arc::clone(&progress));
            self.env.spawn(async move {
                let deliveries = errands.into_iter().map(|errand| courier.deliver(&institution, errand));
                let confirmed = all(deliveries).await.into_iter().all(|confirmed| confirmed);
                progress.send_modify(|told| {
                    told.settled += 1;
                    told.confirmed += usize::from(confirmed);
                });
            });
        }
        receiver
    }

    /// Waits until nothing is on its way any more, but not longer than `patience`.
    pub(super) async fn all_told(&self, patience: Duration) {
        let mut outstanding = self.outstanding.subscribe();
        let _ = timeout(patience, outstanding.wait_for(|outstanding| *outstanding == 0)).await;
    }

    /// Puts the figures where the operator sees them.
    pub(super) fn show(&self) {
        let outstanding = *self.outstanding.borrow();
        let held = limits::SESSION_ENDS_HELD_MAX.saturating_sub(self.room.available_permits());
        let kept = held.saturating_sub(outstanding);
        metrics::set_count(metrics::SESSION_ENDS_KEPT, kept);
        metrics::set_count(metrics::SESSION_ENDS_OUTSTANDING, outstanding);
        self.board.update(|status| {
            status.session_ends.kept = kept as u64;
            status.session_ends.outstanding = outstanding as u64;
        });
    }

    /// Tells one institution until it confirms; whether it did.
    async fn deliver(&self, institution: &MemberId, errand: Errand) -> bool {
        let began = Instant::now();
        let left = Duration::from_millis(errand.not_after.since(Timestamp(self.env.now())));
        let attempts = timeout(left, self.attempts(institution, &errand.end)).await;
        let (result, confirmed) = match attempts {
            Ok(Ok(())) => {
                metrics::record_seconds(metrics::SESSION_END_SECONDS, began.elapsed());
                ("confirmed", true)
            }
            Ok(Err(refusal)) => {
                tracing::warn!(%institution, %refusal, "an institution refuses the end of a session");
                ("refused", false)
            }
            Err(_) => {
                tracing::warn!(%institution, "an institution was not told of a session's end before its time");
                ("given_up", false)
            }
        };
        metrics::count_result(metrics::SESSION_ENDS_DELIVERED, result);
        drop(errand);
        self.outstanding.send_modify(|outstanding| *outstanding = outstanding.saturating_sub(1));
        self.show();
        confirmed
    }

    async fn attempts(&self, institution: &MemberId, end: &SealedSessionEnd) -> Result<(), Refusal> {
        let mut failures = 0;
        loop {
            match judge(self.attempt(institution, end).await) {
                Attempt::Confirmed => return Ok(()),
                Attempt::Refused(refusal) => return Err(refusal),
                Attempt::Failed => self.pause(institution, back_off(failures)).await,
            }
            failures = failures.saturating_add(1);
        }
    }

    async fn attempt(&self, institution: &MemberId, end: &SealedSessionEnd) -> Result<(), Failure> {
        if institution != self.links.own() {
            return self.links.end_session(institution, end.clone(), ATTEMPT).await;
        }
        let Some(own) = &self.own else { return Err(Failure::Unreachable) };
        match timeout(ATTEMPT, own.end_session(institution, end.clone())).await {
            Err(_) => Err(Failure::TimedOut),
            Ok(ended) => ended.map_err(|Declined { refusal, retry_after_millis }| Failure::Declined {
                refusal,
                retry_after_millis,
            }),
        }
    }

    /// Waits before the next attempt; not longer than until an institution that was gone is back.
    async fn pause(&self, institution: &MemberId, wait: Duration) {
        let mut changes = self.links.changes();
        let back = async {
            // A link that is there does not come back; its failure was another.
            let here = institution == self.links.own() || self.links.up(institution);
            while !here && changes.changed().await.is_ok() {
                if self.links.up(institution) {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = back => {}
            () = sleep(wait) => {}
        }
    }
}

fn judge(outcome: Result<(), Failure>) -> Attempt {
    match outcome {
        Ok(()) => Attempt::Confirmed,
        // By its own clock the session's time is over: it answers nothing under it any more.
        Err(Failure::Declined { refusal: Refusal::Expired, .. }) => Attempt::Confirmed,
        Err(Failure::Declined { refusal, .. }) => match refusal {
            Refusal::Malformed | Refusal::Unauthorized | Refusal::Version => Attempt::Refused(refusal),
            Refusal::Busy
            | Refusal::NotLogged
            | Refusal::Fault
            | Refusal::Stale
            | Refusal::Replayed
            | Refusal::Expired => Attempt::Failed,
        },
        Err(Failure::Unreachable | Failure::TimedOut | Failure::Invalid) => Attempt::Failed,
    }
}

fn back_off(failures: u32) -> Duration {
    BACK_OFF_MIN.saturating_mul(1 << failures.min(16)).min(BACK_OFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_slow_down_and_never_stop() {
        let waits = [0, 1, 2, 6, 7, u32::MAX].map(|failures| back_off(failures).as_millis());
        assert_eq!(waits, [100, 200, 400, 6_400, 10_000, 10_000]);
    }

    #[test]
    fn only_what_cannot_get_better_is_given_up() {
        let declined = |refusal| judge(Err(Failure::Declined { refusal, retry_after_millis: None }));
        for refusal in Refusal::ALL {
            let expected = match refusal {
                Refusal::Expired => "confirmed",
                Refusal::Malformed | Refusal::Unauthorized | Refusal::Version => "refused",
                _ => "failed",
            };
            let came = match declined(*refusal) {
                Attempt::Confirmed => "confirmed",
                Attempt::Refused(_) => "refused",
                Attempt::Failed => "failed",
            };
            assert_eq!(came, expected, "{refusal}");
        }
        for failure in [Failure::Unreachable, Failure::TimedOut, Failure::Invalid] {
            assert!(matches!(judge(Err(failure)), Attempt::Failed));
        }
        assert!(matches!(judge(Ok(())), Attempt::Confirmed));
    }
}
