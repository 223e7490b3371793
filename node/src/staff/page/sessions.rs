//! Who is logged in. In memory only: when the node starts again, so does everybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hibiki_protocol::ids::Digest;

/// A session ends when nobody has used it for this long, in milliseconds: half an hour.
const IDLE_MS: u64 = 30 * 60 * 1000;
/// And in any case after this long: a working day.
const WHOLE_MS: u64 = 10 * 3600 * 1000;
/// Sessions at once, at most.
const SESSIONS_MAX: usize = 1_000;

/// A session.
#[derive(Clone)]
pub(super) struct Session {
    /// Whose.
    pub(super) name: String,
    /// What its forms must carry.
    pub(super) csrf: String,
    begun: u64,
    used: u64,
}

/// The sessions, by the digest of their token: who reads this memory cannot log in with it.
#[derive(Default)]
pub(super) struct Sessions(Mutex<BTreeMap<[u8; 32], Session>>);

impl Sessions {
    /// Begins a session; its token.
    pub(super) fn begin(&self, name: &str, now: u64, token: [u8; 32], csrf: [u8; 16]) -> String {
        let token = hex::encode(token);
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.lives(now));
        if sessions.len() >= SESSIONS_MAX {
            sessions.clear();
        }
        let session = Session { name: name.to_owned(), csrf: hex::encode(csrf), begun: now, used: now };
        sessions.insert(place(&token), session);
        token
    }

    /// The session of a token, if it lives.
    pub(super) fn see(&self, token: &str, now: u64) -> Option<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(&place(token)).filter(|session| session.lives(now))?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&place(token));
    }
}

impl Session {
    /// A clock that was set back ends it, too.
    const fn lives(&self, now: u64) -> bool {
        now >= self.begun && now - self.begun < WHOLE_MS && now.abs_diff(self.used) < IDLE_MS
    }
}

fn place(token: &str) -> [u8; 32] {
    Digest::of(&[b"hibiki staff session\0", token.as_bytes()]).0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_session_lives_while_it_is_used_and_a_day_at_most() {
        let sessions = Sessions::default();
        let token = sessions.begin("sato", 0, [1; 32], [2; 16]);
        assert_eq!(sessions.see(&token, 1).unwrap().name, "sato");
        assert!(sessions.see("another", 1).is_none());
        assert!(sessions.see(&token, IDLE_MS + 1).is_none());
        let token = sessions.begin("sato", 0, [1; 32], [2; 16]);
        let mut now = 0;
        while now < WHOLE_MS {
            assert!(sessions.see(&token, now).is_some());
            now += IDLE_MS - 1;
        }
        assert!(sessions.see(&token, now).is_none());
        let token = sessions.begin("sato", 0, [1; 32], [2; 16]);
        sessions.end(&token);
        assert!(sessions.see(&token, 1).is_none());
    }
}
