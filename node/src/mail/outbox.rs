//! The outbox: what must go out stands here before anything is sent, and what became of it afterwards.
//!
//! A letter enters in the very change that makes it necessary, so that after a crash at any instant both are there or
//! neither. A letter that is there, in whatever state, is not put in again. Rows about a child are sealed under her key.
//! Of letters that wait, the urgent ones go first: an allergy alert does not queue behind a thousand notices.
//!
//! ```text
//! Outbox  M ‖ id                           the letter and its state, sealed
//!         U ‖ next attempt (u64 BE) ‖ id   urgent and waiting, in the order of time
//!         W ‖ next attempt (u64 BE) ‖ id   the others that wait
//!         L ‖ day ‖ id                     about that day's lunch, and not sent
//!         G ‖ child ‖ guardian ‖ queued (u64 BE) ‖ id
//!         E ‖ ended (u64 BE) ‖ id          to be swept some day
//! ```

mod queue;

use std::collections::BTreeSet;
use std::sync::{Mutex as PlainMutex, MutexGuard, PoisonError};

use hibiki_protocol::ids::GuardianAlias;
use hibiki_protocol::limits;
use hibiki_protocol::registration::{Delivery, DeliveryState};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_records::date::CalendarDate;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify};

use super::retry::{self, Fault, Next};
use super::{Letter, LetterId};
use crate::institution::Means;
use crate::keyring::{KeyError, KeyId};
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, mark, sealed};
use crate::vault::{Change, Row, VaultError};
pub use queue::{Due, Waiting};
use queue::{WAITING, waiting_place};

const TABLE: Keyspace = Keyspace::Outbox;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] = &[
    sealed::<Queued>("letter", TABLE, b"M", &[Part::Digest]),
    mark("index of letters", TABLE, b"U", &[Part::Bytes(8), Part::Of(TABLE, b"M", 16)]),
    mark("index of letters", TABLE, b"W", &[Part::Bytes(8), Part::Of(TABLE, b"M", 16)]),
    mark("index of letters", TABLE, b"L", &[Part::Day, Part::Of(TABLE, b"M", 16)]),
    mark(
        "index of letters",
        TABLE,
        b"G",
        &[Part::Subject, Part::Guardian, Part::Bytes(8), Part::Of(TABLE, b"M", 16)],
    ),
    mark("index of letters", TABLE, b"E", &[Part::Bytes(8), Part::Of(TABLE, b"M", 16)]),
];

/// What became of a letter is kept this long after its end, in milliseconds: sixty days.
const KEPT_MS: u64 = 60 * 24 * 3600 * 1000;

/// Rows swept in one go.
const SWEPT_AT_ONCE: usize = 512;

/// A letter and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The letter.
    pub letter: Letter,
    /// When it was put in, in milliseconds since the Unix epoch.
    pub queued: u64,
    /// How it stands.
    pub state: State,
}

/// How a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// It will be tried.
    Waiting {
        /// Attempts until now.
        attempts: u32,
        /// When next, in milliseconds since the Unix epoch.
        next: u64,
        /// Why the last attempt was in vain.
        fault: Option<Fault>,
        /// Whether its ledger entry is there.
        logged: bool,
    },
    /// The relay has taken it.
    Sent {
        /// When.
        at: u64,
        /// Attempts.
        attempts: u32,
    },
    /// It will not be tried again.
    Failed {
        /// When that was seen.
        at: u64,
        /// Attempts.
        attempts: u32,
        /// Why.
        fault: Fault,
    },
}

impl State {
    const fn ended(self) -> Option<u64> {
        match self {
            Self::Waiting { .. } => None,
            Self::Sent { at, .. } | Self::Failed { at, .. } => Some(at),
        }
    }
}

/// How many letters there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// To be tried.
    pub waiting: usize,
    /// Taken by the relay, in the last sixty days.
    pub sent: usize,
    /// Given up, in the last sixty days.
    pub failed: usize,
}

/// The outbox. Shared behind an [`Arc`](std::sync::Arc).
pub struct Outbox {
    means: Means,
    woken: Notify,
    /// Held while a row is read and put back.
    turn: Mutex<()>,
    /// Letters the relay has taken, which could not be noted yet: they must not go out again meanwhile.
    taken: PlainMutex<BTreeSet<LetterId>>,
}

impl Outbox {
    /// The outbox in these tables.
    pub fn new(means: Means) -> Self {
        Self { means, woken: Notify::new(), turn: Mutex::default(), taken: PlainMutex::default() }
    }

    /// Puts a letter into the caller's change, unless it is there already. Call [`Self::wake`] once the change is made.
    ///
    /// # Errors
    /// The tables cannot be read, or the child's key is gone.
    pub fn put(&self, change: &mut Change<'_>, letter: &Letter) -> Result<(), VaultError> {
        let place = letter_place(letter.id);
        if self.means.vault.contains(TABLE, &place)? {
            return Ok(());
        }
        let now = self.means.env.now();
        let state = State::Waiting { attempts: 0, next: now, fault: None, logged: false };
        let queued = Queued { letter: letter.clone(), queued: now, state };
        change.put_under(key_of(letter), TABLE, &place, &queued)?;
        change.mark(TABLE, &waiting_place(letter, now));
        if let Some(day) = letter.lunch {
            change.mark(TABLE, &lunch_place(day, letter.id));
        }
        if let (Some(child), Some(guardian)) = (letter.subject_key, letter.guardian) {
            let prefix = guardian_prefix(&child, &guardian);
            change.mark(TABLE, &[&prefix, now.to_be_bytes().as_slice(), letter.id.as_bytes()].concat());
        }
        Ok(())
    }

    /// Lets the sender look at once.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Returns when somebody called [`Self::wake`].
    pub async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Whether the relay has this letter already, though that could not be noted.
    pub(super) fn is_taken(&self, id: LetterId) -> bool {
        self.taken().contains(&id)
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<LetterId>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes letters that cannot be read any more, with every mark of theirs.
    fn delete_all(&self, change: &mut Change<'_>, gone: &BTreeSet<LetterId>) -> Result<(), VaultError> {
        if gone.is_empty() {
            return Ok(());
        }
        for prefix in [b"G".as_slice(), b"L"] {
            for rest in self.means.vault.marks(TABLE, prefix)? {
                if last_id(&rest).is_some_and(|id| gone.contains(&id)) {
                    change.delete(TABLE, &[prefix, &rest].concat());
                }
            }
        }
        gone.iter().for_each(|id| change.delete(TABLE, &letter_place(*id)));
        Ok(())
    }

    /// Notes that the ledger has the letter's entry.
    pub(super) async fn logged(&self, id: LetterId) -> Result<(), VaultError> {
        self.change_state(id, |state| match state {
            State::Waiting { attempts, next, fault, .. } => {
                State::Waiting { attempts, next, fault, logged: true }
            }
            other => other,
        })
        .await
        .map(drop)
    }

    /// Notes what an attempt came to; how the letter stands then.
    pub(super) async fn settle(
        &self,
        id: LetterId,
        outcome: Result<(), Fault>,
    ) -> Result<Option<State>, VaultError> {
        if outcome.is_ok() {
            self.taken().insert(id);
        }
        let state = self.settle_row(id, outcome).await?;
        self.taken().remove(&id);
        Ok(state)
    }

    async fn settle_row(
        &self,
        id: LetterId,
        outcome: Result<(), Fault>,
    ) -> Result<Option<State>, VaultError> {
        let now = self.means.env.now();
        let jitter = u16::from_be_bytes(self.means.env.random::<2>());
        let row = self.get(id)?;
        let Some((queued, send_by)) = row.map(|row| (row.value.queued, row.value.letter.send_by)) else {
            return Ok(None);
        };
        self.change_state(id, |state| match (state, outcome) {
            (State::Waiting { attempts, .. }, Ok(())) => State::Sent { at: now, attempts: attempts + 1 },
            (State::Waiting { attempts, logged, .. }, Err(fault)) => {
                let attempts = attempts.saturating_add(1);
                match retry::after(attempts, fault, queued, now, send_by, jitter) {
                    Next::Again(next) => State::Waiting { attempts, next, fault: Some(fault), logged },
                    Next::GiveUp(fault) => State::Failed { at: now, attempts, fault },
                }
            }
            (ended, _) => ended,
        })
        .await
    }

    /// Makes a letter due at once, whatever became of it; false if it was sent, comes too late or is not there.
    ///
    /// # Errors
    /// The tables cannot be read or written.
    pub async fn retry(&self, id: LetterId) -> Result<bool, VaultError> {
        let now = self.means.env.now();
        let too_late = |queued: &Queued| queued.letter.send_by.is_some_and(|by| now >= by);
        if self.find(id)?.as_ref().is_some_and(too_late) {
            return Ok(false);
        }
        let state = self
            .change_state(id, |state| match state {
                State::Waiting { attempts, fault, logged, .. } => {
                    State::Waiting { attempts, next: now, fault, logged }
                }
                State::Failed { attempts, fault, .. } => {
                    State::Waiting { attempts, next: now, fault: Some(fault), logged: true }
                }
                sent => sent,
            })
            .await?;
        self.wake();
        Ok(matches!(state, Some(State::Waiting { .. })))
    }

    /// Throws a letter away that waits, as if it had never been put in.
    pub(super) async fn discard(&self, id: LetterId) -> Result<(), VaultError> {
        let _turn = self.turn.lock().await;
        let Some(row) = self.get(id)? else { return Ok(()) };
        let Queued { letter, queued, state: State::Waiting { next, .. } } = &row.value else { return Ok(()) };
        let mut change = self.means.vault.change();
        // Who must not be told is not told, whatever room there is.
        change.urgent();
        change.delete(TABLE, &letter_place(id));
        change.delete(TABLE, &waiting_place(letter, *next));
        if let Some(day) = letter.lunch {
            change.delete(TABLE, &lunch_place(day, id));
        }
        if let (Some(child), Some(guardian)) = (letter.subject_key, letter.guardian) {
            let prefix = guardian_prefix(&child, &guardian);
            change.delete(TABLE, &[&prefix, queued.to_be_bytes().as_slice(), id.as_bytes()].concat());
        }
        change.commit().await
    }

    async fn change_state(
        &self,
        id: LetterId,
        next: impl FnOnce(State) -> State,
    ) -> Result<Option<State>, VaultError> {
        let _turn = self.turn.lock().await;
        let Some(row) = self.get(id)? else { return Ok(None) };
        let before = row.value.state;
        let after = next(before);
        if before == after {
            return Ok(Some(after));
        }
        let mut change = self.means.vault.change();
        if let State::Waiting { next, .. } = before {
            change.delete(TABLE, &waiting_place(&row.value.letter, next));
        }
        if let Some(at) = before.ended() {
            change.delete(TABLE, &ended_place(at, id));
        }
        match after {
            State::Waiting { next, .. } => change.mark(TABLE, &waiting_place(&row.value.letter, next)),
            State::Sent { at, .. } | State::Failed { at, .. } => change.mark(TABLE, &ended_place(at, id)),
        }
        if let Some(day) = row.value.letter.lunch {
            match after {
                State::Sent { .. } => change.delete(TABLE, &lunch_place(day, id)),
                _ => change.mark(TABLE, &lunch_place(day, id)),
            }
        }
        change.replace(TABLE, &row, &Queued { state: after, ..row.value.clone() })?;
        // What a mail became decides whether a child is warned: it is noted on a full disk, too.
        change.urgent();
        match change.commit().await {
            Ok(()) => Ok(Some(after)),
            Err(VaultError::Key(KeyError::NoSuchKey)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One letter.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn find(&self, id: LetterId) -> Result<Option<Queued>, VaultError> {
        Ok(self.get(id)?.map(|row| row.value))
    }

    /// Every letter, newest first.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn all(&self) -> Result<Vec<Queued>, VaultError> {
        let rows = self.means.vault.rows::<Queued>(TABLE, b"M")?;
        let mut all: Vec<Queued> = rows.into_iter().map(|row| row.value).collect();
        all.sort_by_key(|queued| std::cmp::Reverse((queued.queued, queued.letter.id)));
        Ok(all)
    }

    /// How many letters stand how.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn counts(&self) -> Result<Counts, VaultError> {
        let mut counts = Counts::default();
        for prefix in WAITING {
            counts.waiting += self.means.vault.marks(TABLE, prefix)?.len();
        }
        for queued in self.means.vault.rows::<Queued>(TABLE, b"M")? {
            match queued.value.state {
                State::Waiting { .. } => {}
                State::Sent { .. } => counts.sent += 1,
                State::Failed { .. } => counts.failed += 1,
            }
        }
        Ok(counts)
    }

    /// How many letters about a day's lunch were given up; with `waiting`, those that still wait as well.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn not_sent(&self, day: CalendarDate, waiting: bool) -> Result<usize, VaultError> {
        let mut count = 0;
        for rest in self.means.vault.marks(TABLE, &[b"L".as_slice(), day.to_string().as_bytes()].concat())? {
            let Some(row) = last_id(&rest).map(|id| self.get(id)).transpose()?.flatten() else { continue };
            // Letters to staff do not count: they would be about themselves.
            let counts = match row.value.state {
                State::Failed { .. } => true,
                State::Waiting { .. } => waiting,
                State::Sent { .. } => false,
            };
            count += usize::from(counts && row.value.letter.subject_key.is_some());
        }
        Ok(count)
    }

    /// What became of the last letters to a guardian about a child, newest first.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn of_guardian(
        &self,
        child: &[u8; 16],
        guardian: &GuardianAlias,
    ) -> Result<Vec<Delivery>, VaultError> {
        let marks = self.means.vault.marks(TABLE, &guardian_prefix(child, guardian))?;
        let mut told = Vec::new();
        for rest in marks.iter().rev() {
            if told.len() == limits::DELIVERIES_MAX {
                break;
            }
            let Some(row) = last_id(rest).map(|id| self.get(id)).transpose()?.flatten() else { continue };
            told.extend(delivery(&row.value));
        }
        Ok(told)
    }

    /// Forgets letters that ended long ago.
    ///
    /// # Errors
    /// The tables cannot be read or written.
    pub async fn sweep(&self) -> Result<usize, VaultError> {
        let Some(before) = self.means.env.now().checked_sub(KEPT_MS) else { return Ok(0) };
        let old = self.means.vault.marks_before(TABLE, b"E", &before.to_be_bytes(), SWEPT_AT_ONCE)?;
        let mut change = self.means.vault.change();
        old.iter().for_each(|rest| change.delete(TABLE, &[b"E".as_slice(), rest].concat()));
        self.delete_all(&mut change, &old.iter().filter_map(|rest| last_id(rest)).collect())?;
        if !change.is_empty() {
            change.commit().await?;
        }
        Ok(old.len())
    }

    fn get(&self, id: LetterId) -> Result<Option<Row<Queued>>, VaultError> {
        self.means.vault.get(TABLE, &letter_place(id))
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox(***)")
    }
}

fn delivery(queued: &Queued) -> Option<Delivery> {
    let (state, at) = match queued.state {
        State::Waiting { attempts: 0, .. } => (DeliveryState::Waiting, queued.queued),
        State::Waiting { .. } => (DeliveryState::Delayed, queued.queued),
        State::Sent { at, .. } => (DeliveryState::Sent, at),
        State::Failed { at, .. } => (DeliveryState::Failed, at),
    };
    let lunch = queued.letter.lunch.and_then(|day| Day::new(&day.to_string()));
    Some(Delivery { kind: queued.letter.kind.told()?, lunch, state, at: Timestamp(at) })
}

fn key_of(letter: &Letter) -> KeyId {
    letter.subject_key.map_or(KeyId::NODE, KeyId::from_bytes)
}

fn letter_place(id: LetterId) -> Vec<u8> {
    [b"M".as_slice(), id.as_bytes()].concat()
}

fn ended_place(at: u64, id: LetterId) -> Vec<u8> {
    [b"E".as_slice(), &at.to_be_bytes(), id.as_bytes()].concat()
}

fn lunch_place(day: CalendarDate, id: LetterId) -> Vec<u8> {
    [b"L".as_slice(), day.to_string().as_bytes(), id.as_bytes()].concat()
}

fn guardian_prefix(child: &[u8; 16], guardian: &GuardianAlias) -> Vec<u8> {
    [b"G".as_slice(), child, &guardian.0].concat()
}

fn last_id(rest: &[u8]) -> Option<LetterId> {
    rest.last_chunk::<16>().map(|id| LetterId::from_bytes(*id))
}
