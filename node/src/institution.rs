//! What the institution's own services (registry, links, holds, consents) need of the node around them: who
//! they are, whom they trust, what they sign and open with, and the ledger without which nothing happens.
//!
//! Must not know: what any of them does.

#[cfg(test)]
pub(crate) mod town;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use hibiki_protocol::history::Event;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::trust::Accepted;
use hibiki_records::date::CalendarDate;

use crate::env::Env;
use crate::keyring::{KeyError, KeyId, KeyRing};
use crate::keys::NodeKeys;
use crate::ledger::{Details, Entry, EntrySealer, Ledger, NotLogged, Receipt, SealError, SubjectKey};
use crate::ledger::{details, telling};
use crate::vault::Vault;

/// Gives the trust list in force; asked anew for each decision.
pub type Trust = Arc<dyn Fn() -> Arc<Accepted> + Send + Sync>;

/// Everything a service works with. Cheap to clone.
#[derive(Clone)]
pub struct Means {
    /// Our name in the federation.
    pub own: MemberId,
    /// What we sign and open with.
    pub keys: NodeKeys,
    /// Whom we trust.
    pub trust: Trust,
    /// Our tables.
    pub vault: Vault,
    /// Our ledger.
    pub ledger: Ledger,
    /// Clock and randomness.
    pub env: Env,
}

impl Means {
    /// The wall time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.env.now())
    }

    /// The calendar day in Japan.
    pub fn today(&self) -> Day {
        day_in_japan(self.now())
    }

    /// Logs what is about to happen; it must not happen if this fails.
    ///
    /// # Errors
    /// [`NotLogged`].
    pub async fn log<D: Details>(
        &self,
        subject: Option<SubjectKey>,
        details: &D,
    ) -> Result<Receipt, NotLogged> {
        self.ledger.append(Entry::new(self.env.now(), subject, details)?).await
    }

    /// Logs something that protects somebody, also on a full disk.
    ///
    /// # Errors
    /// [`NotLogged`].
    pub async fn log_protection<D: Details>(
        &self,
        subject: Option<SubjectKey>,
        details: &D,
    ) -> Result<Receipt, NotLogged> {
        self.ledger.append_reserved(Entry::new(self.env.now(), subject, details)?).await
    }

    /// Logs an act of staff about a person of which she may be told; `protection` may use the reserve.
    ///
    /// # Errors
    /// [`NotLogged`].
    pub async fn log_told<D: Details>(
        &self,
        subject: SubjectKey,
        details: &D,
        event: Event,
        protection: bool,
    ) -> Result<Receipt, NotLogged> {
        let entry = Entry::new(self.env.now(), Some(subject), details)?.telling(&telling::staff(event));
        if protection { self.ledger.append_reserved(entry).await } else { self.ledger.append(entry).await }
    }

    /// Logs that a member of staff is about to be shown something about one person.
    ///
    /// # Errors
    /// [`NotLogged`]; then nothing is shown.
    pub async fn log_look_at(&self, subject: SubjectKey, by: &str, action: &str) -> Result<(), NotLogged> {
        let entry = details::Staff { by: by.to_owned(), action: action.to_owned() };
        self.log_told(subject, &entry, Event::StaffLook, false).await?;
        Ok(())
    }

    /// Logs that a member of staff is about to be shown something about persons.
    ///
    /// # Errors
    /// [`NotLogged`]; then nothing is shown.
    pub async fn log_look(&self, by: &str, action: &str) -> Result<(), NotLogged> {
        let entry = details::Staff { by: by.to_owned(), action: action.to_owned() };
        self.log(None, &entry).await?;
        Ok(())
    }

    /// Logs many entries at once, so that they share a flush; all of them are in the ledger, or an error.
    ///
    /// # Errors
    /// The first [`NotLogged`]; others of the entries may be in the ledger then.
    pub async fn log_all(&self, entries: Vec<Entry>) -> Result<(), NotLogged> {
        all(entries.into_iter().map(|entry| self.ledger.append(entry)))
            .await
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        Ok(())
    }
}

/// The calendar day in Japan at `now`; beyond all calendars a day on which everything has expired.
pub fn day_in_japan(now: Timestamp) -> Day {
    let day = CalendarDate::in_japan(now.0).and_then(|day| Day::new(&day.to_string()));
    day.unwrap_or_else(last_day)
}

#[expect(clippy::unwrap_used, reason = "a constant that is a day")]
fn last_day() -> Day {
    Day::new("9999-12-31").unwrap()
}

/// The ledger's entries are sealed under the keys that everything else at rest is sealed under.
impl EntrySealer for KeyRing {
    fn seal(&self, subject: Option<SubjectKey>, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        Self::seal(self, key_of(subject), aad, plaintext).map_err(|_| SealError::Unavailable)
    }

    fn open(&self, subject: Option<SubjectKey>, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        match self.open_sealed(key_of(subject), aad, sealed) {
            Ok(plaintext) => Ok(plaintext.to_vec()),
            // Keys are made before anything is sealed under them: one that is not there was destroyed.
            Err(KeyError::NoSuchKey) => Err(SealError::Erased),
            Err(KeyError::NotAuthentic) => Err(SealError::Altered),
            Err(_) => Err(SealError::Unavailable),
        }
    }
}

fn key_of(subject: Option<SubjectKey>) -> KeyId {
    subject.map_or(KeyId::NODE, KeyId::from_bytes)
}

/// Runs futures at once and gives their results in order.
pub async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    enum Slot<F: Future> {
        Running(Pin<Box<F>>),
        Done(F::Output),
    }
    let mut slots: Vec<Slot<F>> = futures.map(|future| Slot::Running(Box::pin(future))).collect();
    let mut pinned = std::pin::pin!(poll_fn(move |context| {
        let mut waiting = false;
        for slot in &mut slots {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *slot = Slot::Done(output),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            return Poll::Pending;
        }
        Poll::Ready(
            std::mem::take(&mut slots)
                .into_iter()
                .filter_map(|slot| match slot {
                    Slot::Done(output) => Some(output),
                    Slot::Running(_) => None,
                })
                .collect(),
        )
    }));
    pinned.as_mut().await
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_day_changes_at_midnight_in_japan() {
        for (at, expected) in [
            (0, "1970-01-01"),
            (1_795_305_600_000, "2026-11-22"),
            (1_795_305_600_000 + 15 * 3_600_000 - 1, "2026-11-22"),
            (1_795_305_600_000 + 15 * 3_600_000, "2026-11-23"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(day_in_japan(Timestamp(at)).as_str(), expected);
        }
    }

    #[tokio::test]
    async fn futures_run_at_once_and_keep_their_order() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let first: Pin<Box<dyn Future<Output = u8> + Send>> = Box::pin(async { receiver.await.unwrap() });
        let second: Pin<Box<dyn Future<Output = u8> + Send>> = Box::pin(async {
            sender.send(1).unwrap();
            2
        });
        assert_eq!(all([first, second].into_iter()).await, [1, 2]);
        assert!(all(std::iter::empty::<std::future::Ready<()>>()).await.is_empty());
    }
}
