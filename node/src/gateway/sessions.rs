//! Sessions by the link they were opened on: one each, ending with the link, with the card, or in time.
//!
//! Pure: time is a parameter. Must not know: who the guardian is.

use std::collections::BTreeMap;

use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::deposit::{Deposit, Left};

struct Session {
    not_after: Timestamp,
    /// Dropped with the session: whoever works for it notices.
    ended: watch::Sender<()>,
    /// What is to be told when it ends before its time.
    deposit: Deposit,
}

/// A session that is open, and the way to notice its end.
pub(super) struct Live {
    pub(super) not_after: Timestamp,
    ended: watch::Receiver<()>,
}

impl Live {
    /// Completes when the session was closed.
    pub(super) async fn ended(&mut self) {
        // Nothing is ever sent; the sender's end is the word.
        while self.ended.changed().await.is_ok() {}
    }
}

/// The open sessions.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<u64, Session>);

impl Sessions {
    /// Whether one more session fits, forgetting those whose time is over.
    pub(super) fn has_room(&mut self, link: u64, now: Timestamp) -> bool {
        if self.0.len() >= limits::SESSIONS_MAX {
            self.0.retain(|_, session| now < session.not_after);
        }
        self.0.len() < limits::SESSIONS_MAX || self.0.contains_key(&link)
    }

    /// Opens a session on `link`, or renews the one there is: what works for it goes on. Returns the ends that
    /// a renewal sends out.
    #[must_use]
    pub(super) fn open(&mut self, link: u64, not_after: Timestamp, now: Timestamp) -> Vec<Left> {
        let fresh = || Session { not_after, ended: watch::Sender::new(()), deposit: Deposit::default() };
        let session = self.0.entry(link).or_insert_with(fresh);
        session.not_after = not_after;
        session.deposit.renew(not_after, now)
    }

    /// Keeps the ends of the session on `link`, one permit of `room` for each.
    ///
    /// # Errors
    /// There is no session, or its time is over.
    pub(super) fn leave(
        &mut self,
        link: u64,
        ends: Vec<SealedSessionEnd>,
        room: OwnedSemaphorePermit,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let session = self.0.get_mut(&link).ok_or(Refusal::Unauthorized)?;
        if now >= session.not_after {
            return Err(Refusal::Expired);
        }
        session.deposit.leave(Left { ends, not_after: session.not_after, room });
        Ok(())
    }

    /// The session on `link`.
    ///
    /// # Errors
    /// There is none, or its time is over.
    pub(super) fn live(&mut self, link: u64, now: Timestamp) -> Result<Live, Refusal> {
        let session = self.0.get(&link).ok_or(Refusal::Unauthorized)?;
        if now >= session.not_after {
            self.0.remove(&link);
            return Err(Refusal::Expired);
        }
        Ok(Live { not_after: session.not_after, ended: session.ended.subscribe() })
    }

    /// Whether there is a session on `link`, over or not.
    pub(super) fn is_open(&self, link: u64) -> bool {
        self.0.contains_key(&link)
    }

    /// Ends the session on `link` at once; the ends that are to be told.
    #[must_use]
    pub(super) fn close(&mut self, link: u64, now: Timestamp) -> Vec<Left> {
        self.0.remove(&link).map_or_else(Vec::new, |session| session.deposit.take(now))
    }

    /// Ends every session at once; the ends that are to be told.
    #[must_use]
    pub(super) fn close_all(&mut self, now: Timestamp) -> Vec<Left> {
        let all = std::mem::take(&mut self.0);
        all.into_values().flat_map(|session| session.deposit.take(now)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn renewal_keeps_what_works_and_closing_ends_it() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.live(1, Timestamp(0)).err(), Some(Refusal::Unauthorized));
        assert!(sessions.open(1, Timestamp(10), Timestamp(0)).is_empty());
        let mut live = sessions.live(1, Timestamp(9)).unwrap();
        assert!(sessions.open(1, Timestamp(20), Timestamp(0)).is_empty());
        let soon = Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, live.ended()).await.is_err(), "renewed, not ended");
        assert_eq!(sessions.live(1, Timestamp(19)).unwrap().not_after, Timestamp(20));
        assert!(sessions.close(1, Timestamp(0)).is_empty());
        tokio::time::timeout(Duration::from_secs(5), live.ended()).await.unwrap();
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn a_session_ends_in_time() {
        let mut sessions = Sessions::default();
        assert!(sessions.open(1, Timestamp(10), Timestamp(0)).is_empty());
        assert_eq!(sessions.live(1, Timestamp(10)).err(), Some(Refusal::Expired));
        assert_eq!(sessions.live(1, Timestamp(9)).err(), Some(Refusal::Unauthorized), "gone for good");
    }

    #[test]
    fn there_is_room_for_so_many_and_for_renewals() {
        let mut sessions = Sessions::default();
        for link in 0..limits::SESSIONS_MAX as u64 {
            assert!(sessions.has_room(link, Timestamp(0)));
            assert!(sessions.open(link, Timestamp(10), Timestamp(0)).is_empty());
        }
        assert!(!sessions.has_room(u64::MAX, Timestamp(9)));
        assert!(sessions.has_room(3, Timestamp(9)));
        assert!(sessions.has_room(u64::MAX, Timestamp(10)), "those that are over give way");
    }

    #[test]
    fn ends_belong_to_a_session_that_is_open() {
        let room = Arc::new(Semaphore::new(9));
        let permit = || Arc::clone(&room).try_acquire_owned().unwrap();
        let mut sessions = Sessions::default();
        assert_eq!(sessions.leave(1, Vec::new(), permit(), Timestamp(0)), Err(Refusal::Unauthorized));
        for link in [1, 2] {
            assert!(sessions.open(link, Timestamp(10), Timestamp(0)).is_empty());
        }
        assert_eq!(sessions.leave(1, Vec::new(), permit(), Timestamp(10)), Err(Refusal::Expired));
        assert_eq!(sessions.leave(1, Vec::new(), permit(), Timestamp(9)), Ok(()));
        assert_eq!(sessions.leave(2, Vec::new(), permit(), Timestamp(9)), Ok(()));
        let told = sessions.close(1, Timestamp(9));
        assert_eq!(told.iter().map(|left| left.not_after).collect::<Vec<_>>(), [Timestamp(10)]);
        assert!(sessions.close(1, Timestamp(9)).is_empty(), "once");
        assert!(sessions.close_all(Timestamp(10)).is_empty(), "in time it ends by itself");
        drop(told);
        assert_eq!((sessions.len(), room.available_permits()), (0, 9));
    }

    #[test]
    fn a_renewed_session_ends_with_the_keys_of_both_statements() {
        let room = Arc::new(Semaphore::new(9));
        let permit = || Arc::clone(&room).try_acquire_owned().unwrap();
        let mut sessions = Sessions::default();
        for not_after in [10, 20] {
            assert!(sessions.open(1, Timestamp(not_after), Timestamp(0)).is_empty());
            assert_eq!(sessions.leave(1, Vec::new(), permit(), Timestamp(0)), Ok(()));
        }
        let out = sessions.open(1, Timestamp(30), Timestamp(0));
        assert_eq!(out.iter().map(|left| left.not_after).collect::<Vec<_>>(), [Timestamp(10)]);
        let told = sessions.close_all(Timestamp(0));
        assert_eq!(told.iter().map(|left| left.not_after).collect::<Vec<_>>(), [Timestamp(20)]);
    }
}
