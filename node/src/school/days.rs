//! The school's calendar: which days have no lunch, and which have one that the calendar would not.
//!
//! ```text
//! School  d ‖ entered (u64 BE) ‖ id     one exception, sealed under the node's key
//! ```

pub mod commands;
#[cfg(test)]
mod tests;

use hibiki_records::school_days::{DayException, SchoolCalendar};
use tokio::sync::watch;

use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::School;
const PREFIX: &[u8] = b"d";

/// The forms of its rows.
pub(super) const FORMS: &[Form] =
    &[sealed::<DayException>("day without lunch", TABLE, PREFIX, &[Part::Bytes(12)])];

/// Exceptions kept, at most: a class trip for each of a hundred classes for ten years.
const EXCEPTIONS_MAX: usize = 5_000;

/// Why the calendar could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum DaysError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// No such exception.
    #[error("there is no such entry; see `hibiki-node school day list` / その登録はありません")]
    NoSuchEntry,
    /// Too many.
    #[error("there are too many entries; remove those that are over / 登録が多すぎます")]
    Full,
}

/// The calendar. Shared behind an [`Arc`](std::sync::Arc).
pub struct Days {
    means: Means,
    changes: watch::Sender<u64>,
    turn: tokio::sync::Mutex<()>,
}

impl Days {
    /// The calendar in these tables.
    pub fn new(means: Means) -> Self {
        Self { means, changes: watch::Sender::new(0), turn: tokio::sync::Mutex::default() }
    }

    /// Counts up whenever the calendar changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The calendar as it stands.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn calendar(&self) -> Result<SchoolCalendar, VaultError> {
        Ok(SchoolCalendar { exceptions: self.rows()?.into_iter().map(|row| row.value).collect() })
    }

    /// The exceptions, each with its name, in the order they were entered.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn list(&self) -> Result<Vec<(String, DayException)>, VaultError> {
        Ok(self
            .rows()?
            .into_iter()
            .map(|row| (hex::encode(row.key().get(1..).unwrap_or_default()), row.value))
            .collect())
    }

    /// Enters an exception; its name.
    ///
    /// # Errors
    /// There are too many, or it could not be logged or stored.
    pub async fn add(&self, exception: DayException, staff: &str) -> Result<String, DaysError> {
        let _turn = self.turn.lock().await;
        let rows = self.rows()?;
        if rows.len() >= EXCEPTIONS_MAX {
            return Err(DaysError::Full);
        }
        self.log(commands::ADD, staff).await?;
        // Of two entries for one day the later counts, also where the clock was set back between them.
        let last =
            rows.last().and_then(|row| row.key().get(1..)?.first_chunk().map(|at| u64::from_be_bytes(*at)));
        let entered = last.map_or(0, |last| last.saturating_add(1)).max(self.means.now().0);
        let name = [entered.to_be_bytes().as_slice(), &self.means.env.random::<4>()].concat();
        let mut change = self.means.vault.change();
        change.put(TABLE, &[PREFIX, &name].concat(), &exception)?;
        change.commit().await?;
        self.changed();
        Ok(hex::encode(name))
    }

    /// Takes an exception out.
    ///
    /// # Errors
    /// There is none of this name, or it could not be logged or stored.
    pub async fn remove(&self, name: &str, staff: &str) -> Result<(), DaysError> {
        let _turn = self.turn.lock().await;
        let name = hex::decode(name.trim()).map_err(|_| DaysError::NoSuchEntry)?;
        let place = [PREFIX, &name].concat();
        if name.is_empty() || !self.means.vault.contains(TABLE, &place)? {
            return Err(DaysError::NoSuchEntry);
        }
        self.log(commands::REMOVE, staff).await?;
        let mut change = self.means.vault.change();
        change.delete(TABLE, &place);
        change.commit().await?;
        self.changed();
        Ok(())
    }

    async fn log(&self, action: &str, staff: &str) -> Result<(), NotLogged> {
        let entry = details::Staff { by: staff.to_owned(), action: action.to_owned() };
        self.means.log(None, &entry).await.map(drop)
    }

    fn rows(&self) -> Result<Vec<Row<DayException>>, VaultError> {
        self.means.vault.rows(TABLE, PREFIX)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl std::fmt::Debug for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Days(***)")
    }
}
