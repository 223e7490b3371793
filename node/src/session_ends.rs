//! Sessions that ended before their time, as the institution keeps them: nothing is answered under their keys.
//!
//! An end counts from the moment it is durable here, and only then the gateway hears so: ledger first, then
//! the table, both from the reserve if the disk is full. Each is remembered for as long as any grant under
//! that key could be accepted, and then forgotten. Must not know: whose session it was; a key names nobody.
//!
//! ```text
//! SessionEnds   index of the session key    until when it is remembered, sealed under the node's own key
//! ```

mod mirror;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_protocol::frames::Declined;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session_end::{SealedSessionEnd, SessionEndFault, VerifiedSessionEnd};
use hibiki_protocol::signing::VerifyingKey;
use hibiki_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::observe::board::StatusBoard;
use crate::observe::metrics;
use crate::responder::SessionEndKeeper;
use crate::services::Pending;
use crate::shutdown::Shutdown;
use crate::store::{Keyspace, StoreError};
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Index, VaultError};
use mirror::Mirror;

const TABLE: Keyspace = Keyspace::SessionEnds;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] = &[sealed::<EndRow>("ended session", TABLE, b"", &[Part::Digest])];
/// What session keys are indexed for.
const PURPOSE: &str = "session-end";
/// Those whose time is over are forgotten this often.
const ROUND: Duration = Duration::from_secs(60);
/// A full table asks to be asked again after this many milliseconds.
const RETRY_AFTER_MILLIS: u64 = 1000;
/// Rows forgotten in one change.
const FORGOTTEN_AT_ONCE: usize = 512;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct EndRow {
    /// Milliseconds since the Unix epoch.
    until: u64,
}

/// The ended sessions of this institution. Shared behind an [`Arc`].
pub struct EndedSessions {
    means: Means,
    board: StatusBoard,
    mirror: Mutex<Mirror>,
}

/// Why an end is not taken. For the log; the gateway hears a [`Refusal`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndFault {
    /// It ends nothing here.
    #[error(transparent)]
    Invalid(#[from] SessionEndFault),
    /// It is sealed to a key this institution does not have.
    #[error("the end of a session is sealed to a key that is not here")]
    UnknownKey,
    /// The table is full.
    #[error("{} ended sessions are remembered already", limits::SESSION_ENDS_IN_FORCE_MAX)]
    Full,
    /// It could not be logged, even into the reserve.
    #[error(transparent)]
    NotLogged(#[from] NotLogged),
    /// The table.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<EndFault> for Declined {
    fn from(fault: EndFault) -> Self {
        let (refusal, retry_after_millis) = match fault {
            EndFault::Invalid(SessionEndFault::Malformed | SessionEndFault::TooLong) => {
                (Refusal::Malformed, None)
            }
            EndFault::UnknownKey => (Refusal::Malformed, None),
            EndFault::Invalid(SessionEndFault::Signature) => (Refusal::Unauthorized, None),
            EndFault::Invalid(SessionEndFault::Over) => (Refusal::Expired, None),
            EndFault::Full => (Refusal::Busy, Some(RETRY_AFTER_MILLIS)),
            EndFault::NotLogged(_) => (Refusal::NotLogged, None),
            EndFault::Vault(VaultError::Store(StoreError::NoSpace { .. })) => (Refusal::Busy, None),
            EndFault::Vault(_) => (Refusal::Fault, None),
        };
        Self { refusal, retry_after_millis }
    }
}

impl EndedSessions {
    /// The ended sessions in these tables, with room for as many as the protocol allows.
    ///
    /// # Errors
    /// The table cannot be read; then nothing may be released.
    pub fn open(means: Means, board: StatusBoard) -> Result<Self, VaultError> {
        Self::open_with(means, board, limits::SESSION_ENDS_IN_FORCE_MAX)
    }

    fn open_with(means: Means, board: StatusBoard, room: usize) -> Result<Self, VaultError> {
        let mut mirror = Mirror::with_room(room);
        for row in means.vault.rows::<EndRow>(TABLE, b"")? {
            let index = Index::try_from(row.key()).map_err(|_| VaultError::Row { table: TABLE })?;
            mirror.enter(index, row.value.until);
        }
        let ended = Self { means, board, mirror: Mutex::new(mirror) };
        ended.show(None);
        Ok(ended)
    }

    /// Verifies an end and keeps it; returns once it is durable and in force.
    ///
    /// # Errors
    /// What is wrong with it, or why it cannot be kept.
    pub async fn take(&self, from: &MemberId, sealed: &SealedSessionEnd) -> Result<(), EndFault> {
        let secret = self.means.keys.sealing(sealed.key_id).ok_or(EndFault::UnknownKey)?;
        let now = self.means.now();
        let end = sealed.open(&self.means.own, secret, now)?;
        let index = self.index(end.session_key());
        if self.mirror().contains(&index) {
            return Ok(());
        }
        let _coming = self.reserve().await?;
        let until = VerifiedSessionEnd::outlives_every_grant(now);
        let entry = details::SessionEnd {
            session: hex::encode(Digest::of(&[&end.session_key().0]).0),
            via: from.to_string(),
            until: until.0,
        };
        self.means.log_protection(None, &entry).await?;
        let mut change = self.means.vault.change();
        change.put(TABLE, &index, &EndRow { until: until.0 })?;
        change.urgent();
        change.commit().await?;
        self.mirror().enter(index, until.0);
        metrics::count(metrics::SESSIONS_ENDED);
        self.show(Some(self.means.now()));
        Ok(())
    }

    /// Ended sessions remembered here.
    pub fn in_force(&self) -> usize {
        self.mirror().len()
    }

    /// Forgets those whose time is over, in the table and then in memory.
    ///
    /// # Errors
    /// The table cannot be written; they are forgotten later.
    pub async fn forget_the_past(&self) -> Result<(), VaultError> {
        loop {
            let over = self.mirror().over(self.means.now().0, FORGOTTEN_AT_ONCE);
            if over.is_empty() {
                return Ok(());
            }
            let mut change = self.means.vault.change();
            over.iter().for_each(|index| change.delete(TABLE, index));
            change.commit().await?;
            self.mirror().forget(&over);
            self.show(None);
        }
    }

    /// Forgets what is over, every minute, until the process drains.
    pub async fn keep_tidy(self: Arc<Self>, mut shutdown: Shutdown) {
        loop {
            if let Err(error) = self.forget_the_past().await {
                tracing::debug!(%error, "sessions that are long over cannot be forgotten yet");
            }
            tokio::select! {
                biased;
                () = shutdown.draining() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    /// Room for one more, given back when it is dropped.
    async fn reserve(&self) -> Result<Coming<'_>, EndFault> {
        if !self.mirror().reserve() {
            self.forget_the_past().await?;
            if !self.mirror().reserve() {
                return Err(EndFault::Full);
            }
        }
        Ok(Coming(self))
    }

    fn index(&self, session_key: &VerifyingKey) -> Index {
        self.means.vault.index(PURPOSE, &session_key.0)
    }

    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, taken: Option<Timestamp>) {
        let in_force = self.in_force();
        metrics::set_count(metrics::SESSION_ENDS_IN_FORCE, in_force);
        self.board.update(|status| {
            status.session_ends.in_force = in_force as u64;
            if let Some(at) = taken {
                status.session_ends.latest = at.0;
            }
        });
    }
}

/// An end that is being kept.
struct Coming<'a>(&'a EndedSessions);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.0.mirror().release();
    }
}

impl SessionEndKeeper for EndedSessions {
    fn end<'a>(&'a self, from: &'a MemberId, end: SealedSessionEnd) -> Pending<'a, Result<(), Declined>> {
        Box::pin(async move {
            self.take(from, &end).await.map_err(|fault| {
                tracing::warn!(%fault, %from, "the end of a session was not taken");
                fault.into()
            })
        })
    }

    fn has_ended(&self, session_key: &VerifyingKey) -> bool {
        self.mirror().contains(&self.index(session_key))
    }
}

impl std::fmt::Debug for EndedSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndedSessions(***)")
    }
}
