//! Sessions by the link they were opened on: one each, ending with the link, with the card, or in time.
//!
//! Pure: time is a parameter. Must not know: who the guardian is.

use std::collections::BTreeMap;

use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::time::Timestamp;
use tokio::sync::watch;

struct Session {
    not_after: Timestamp,
    /// Dropped with the session: whoever works for it notices.
    ended: watch::Sender<()>,
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

    /// Opens a session on `link`, or renews the one there is: what works for it goes on.
    pub(super) fn open(&mut self, link: u64, not_after: Timestamp) {
        let fresh = || Session { not_after, ended: watch::Sender::new(()) };
        self.0.entry(link).or_insert_with(fresh).not_after = not_after;
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

    /// Ends the session on `link` at once.
    pub(super) fn close(&mut self, link: u64) {
        self.0.remove(&link);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn renewal_keeps_what_works_and_closing_ends_it() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.live(1, Timestamp(0)).err(), Some(Refusal::Unauthorized));
        sessions.open(1, Timestamp(10));
        let mut live = sessions.live(1, Timestamp(9)).unwrap();
        sessions.open(1, Timestamp(20));
        let soon = Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, live.ended()).await.is_err(), "renewed, not ended");
        assert_eq!(sessions.live(1, Timestamp(19)).unwrap().not_after, Timestamp(20));
        sessions.close(1);
        tokio::time::timeout(Duration::from_secs(5), live.ended()).await.unwrap();
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn a_session_ends_in_time() {
        let mut sessions = Sessions::default();
        sessions.open(1, Timestamp(10));
        assert_eq!(sessions.live(1, Timestamp(10)).err(), Some(Refusal::Expired));
        assert_eq!(sessions.live(1, Timestamp(9)).err(), Some(Refusal::Unauthorized), "gone for good");
    }

    #[test]
    fn there_is_room_for_so_many_and_for_renewals() {
        let mut sessions = Sessions::default();
        for link in 0..limits::SESSIONS_MAX as u64 {
            assert!(sessions.has_room(link, Timestamp(0)));
            sessions.open(link, Timestamp(10));
        }
        assert!(!sessions.has_room(u64::MAX, Timestamp(9)));
        assert!(sessions.has_room(3, Timestamp(9)));
        assert!(sessions.has_room(u64::MAX, Timestamp(10)), "those that are over give way");
    }
}
