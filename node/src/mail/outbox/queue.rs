//! The letters that wait, in the order in which they go.
//!
//! Urgent ones go first: an allergy alert does not queue behind a thousand notices. Must not know what becomes of them.

use std::collections::BTreeSet;

use super::{Outbox, Queued, State, TABLE, last_id};
use crate::keyring::KeyError;
use crate::mail::retry::WAITS_AT_MOST_MS;
use crate::mail::{Letter, LetterId};
use crate::vault::VaultError;

/// First bytes of the keys of letters that wait, in the order in which they go.
pub(super) const WAITING: [&[u8]; 2] = [b"U", b"W"];

/// A waiting letter's key: which of [`WAITING`], and what follows.
type WaitingMark = (&'static [u8], Vec<u8>);

/// Letters opened to see which of them has waited longest.
const LOOKED_AT: usize = 512;

/// Letters whose time has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// They, in the order in which they go.
    pub letters: Vec<Queued>,
    /// How many cannot be read any more.
    pub damaged: usize,
    /// Whether there are more of them.
    pub more: bool,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many letters.
    pub count: usize,
    /// When the oldest of them was put in, in milliseconds since the Unix epoch; of some hundred if there are many.
    pub oldest: Option<u64>,
}

impl Outbox {
    /// Letters whose time has come, urgent ones first and then oldest first, at most `limit`. One that cannot be read
    /// holds up no other; of erased children everything is taken away.
    ///
    /// # Errors
    /// The tables cannot be read or written.
    pub async fn due(&self, now: u64, limit: usize) -> Result<Due, VaultError> {
        let mut due = Due::default();
        let mut change = self.means.vault.change();
        let mut gone: BTreeSet<LetterId> = BTreeSet::new();
        let marks = self.due_marks(now, limit)?;
        due.more = marks.len() >= limit;
        for (prefix, rest) in marks {
            let Some(id) = last_id(&rest) else { continue };
            let mark = [prefix, &rest].concat();
            let row = match self.get(id) {
                Ok(row) => row,
                Err(VaultError::Row { .. } | VaultError::Key(KeyError::NotAuthentic)) => {
                    due.damaged += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(Queued { letter, state, .. }) = row.as_ref().map(|row| &row.value) else {
                // Erased, or a mark that lost its row.
                change.delete(TABLE, &mark);
                gone.insert(id);
                continue;
            };
            let right = match state {
                State::Waiting { next, .. } => Some(waiting_place(letter, *next)),
                State::Sent { .. } | State::Failed { .. } => None,
            };
            if right.as_ref() == Some(&mark) {
                due.letters.extend(row.map(|row| row.value));
                continue;
            }
            // A letter waits in one place alone: otherwise it would be tried without pause.
            change.delete(TABLE, &mark);
            right.iter().for_each(|right| change.mark(TABLE, right));
        }
        self.delete_all(&mut change, &gone)?;
        if !change.is_empty() {
            change.commit().await?;
        }
        Ok(due)
    }

    /// Marks of letters whose time has come, or cannot be right: nothing is ever put off that far, so the clock has
    /// been set back since.
    fn due_marks(&self, now: u64, limit: usize) -> Result<Vec<WaitingMark>, VaultError> {
        let (soon, far) = (now.saturating_add(1), now.saturating_add(WAITS_AT_MOST_MS));
        let mut marks = Vec::new();
        for prefix in WAITING {
            let room = limit.saturating_sub(marks.len());
            let vault = &self.means.vault;
            let mut found = vault.marks_before(TABLE, prefix, &soon.to_be_bytes(), room)?;
            if found.len() < room {
                let bound = far.to_be_bytes();
                found.extend(vault.marks_after(TABLE, prefix, &bound, room - found.len())?);
            }
            marks.extend(found.into_iter().map(|rest| (prefix, rest)));
        }
        Ok(marks)
    }

    /// When the next letter is due, if any waits.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn next_due(&self) -> Result<Option<u64>, VaultError> {
        let mut times = Vec::new();
        for prefix in WAITING {
            let first = self.means.vault.marks_before(TABLE, prefix, &[0xff; 9], 1)?;
            let time = first.first().and_then(|rest| rest.first_chunk::<8>());
            times.extend(time.map(|bytes| u64::from_be_bytes(*bytes)));
        }
        Ok(times.into_iter().min())
    }

    /// How much waits, and since when.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn waiting(&self) -> Result<Waiting, VaultError> {
        let mut waiting = Waiting::default();
        for prefix in WAITING {
            let marks = self.means.vault.marks(TABLE, prefix)?;
            waiting.count += marks.len();
            for id in marks.iter().take(LOOKED_AT).filter_map(|rest| last_id(rest)) {
                let queued = self.get(id).ok().flatten().map(|row| row.value.queued);
                waiting.oldest = waiting.oldest.into_iter().chain(queued).min();
            }
        }
        Ok(waiting)
    }
}

/// Where the mark of a waiting letter lies.
pub(super) fn waiting_place(letter: &Letter, next: u64) -> Vec<u8> {
    let [urgent, others] = WAITING;
    let prefix = if letter.kind.is_urgent() { urgent } else { others };
    [prefix, &next.to_be_bytes(), letter.id.as_bytes()].concat()
}
