//! The roster: who is in which class, and which kitchen cooks for it.
//!
//! Pupils are persons of the record book, classes groups of it. What makes a group a class is its row here, which also
//! names its kitchen, if it has one of its own.
//!
//! ```text
//! School  k ‖ class's index     the class and its kitchen, sealed under the node's key
//! ```

pub mod commands;
mod import;
mod list;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hibiki_records::person::PatientFacts;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use import::Imported;
pub use list::{ClassList, ListFault, PupilLine, RejectedLine, read};

use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::recordbook::{BookError, RecordBook, SubjectId};
use crate::school::naming;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::School;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[sealed::<ClassRow>("class", TABLE, b"k", &[Part::Digest])];

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ClassRow {
    class: String,
    kitchen: Option<String>,
}

/// A pupil, as the alert needs her.
#[derive(Clone, PartialEq, Eq)]
pub struct Pupil {
    /// Her key.
    pub key: [u8; 16],
    /// Her class.
    pub class: String,
    /// The kitchen that cooks for it.
    pub kitchen: String,
}

impl std::fmt::Debug for Pupil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pupil(***)")
    }
}

/// A class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its name, such as `3-2`.
    pub class: String,
    /// How many are in it.
    pub pupils: usize,
    /// The kitchen that cooks for it.
    pub kitchen: String,
}

/// Why the roster could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The record book.
    #[error("{0}")]
    Book(#[from] BookError),
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// No such class.
    #[error("there is no such class; see `hibiki-node school class list` / その学級はありません")]
    NoSuchClass,
    /// More pupils than one class can have.
    #[error(
        "a class of the file has more than 1999 pupils; look at the column of the class; nothing was changed / 学級の列を確かめてください"
    )]
    ClassTooLarge,
    /// Nobody has this number.
    #[error("nobody has this number here; see `hibiki-node school pupil list` / その番号の児童はいません")]
    NoSuchPupil,
}

/// The roster. Shared behind an [`Arc`].
pub struct Roster {
    means: Means,
    book: Arc<RecordBook>,
    /// The kitchen of classes that have none of their own.
    kitchen: String,
    changes: watch::Sender<u64>,
    turn: tokio::sync::Mutex<()>,
}

impl Roster {
    /// The roster in these tables.
    pub fn new(means: Means, book: Arc<RecordBook>, kitchen: String) -> Self {
        Self { means, book, kitchen, changes: watch::Sender::new(0), turn: tokio::sync::Mutex::default() }
    }

    /// Counts up whenever the roster changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Every pupil who is in a class.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn pupils(&self) -> Result<Vec<Pupil>, RosterError> {
        let kitchens = self.kitchens()?;
        let mut pupils = Vec::new();
        for (class, members) in self.book.groups()? {
            let Some(kitchen) = kitchens.get(&class) else { continue };
            pupils.extend(members.iter().map(|member| Pupil {
                key: *member.as_bytes(),
                class: class.clone(),
                kitchen: kitchen.clone(),
            }));
        }
        Ok(pupils)
    }

    /// One pupil; `None` if she is in no class.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn pupil(&self, key: &[u8; 16]) -> Result<Option<Pupil>, RosterError> {
        let kitchens = self.kitchens()?;
        let groups = self.book.groups_of(SubjectId::from_bytes(*key))?;
        let found = groups.into_iter().find_map(|class| {
            let kitchen = kitchens.get(&class)?.clone();
            Some(Pupil { key: *key, class, kitchen })
        });
        Ok(found)
    }

    /// The classes in the order of their names.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn classes(&self) -> Result<Vec<Class>, RosterError> {
        let groups = self.book.groups()?;
        let class = |(class, kitchen): (String, String)| {
            let pupils = groups.get(&class).map_or(0, Vec::len);
            Class { class, pupils, kitchen }
        };
        Ok(self.kitchens()?.into_iter().map(class).collect())
    }

    /// The pupils of a class.
    ///
    /// # Errors
    /// There is no such class, or the books cannot be read.
    pub fn of_class(&self, class: &str) -> Result<Vec<PatientFacts>, RosterError> {
        if !self.kitchens()?.contains_key(class) {
            return Err(RosterError::NoSuchClass);
        }
        let members = self.book.groups()?.remove(class).unwrap_or_default();
        let mut pupils = Vec::new();
        for member in members {
            pupils.extend(self.book.facts(member)?);
        }
        pupils.sort_by(|a, b| a.local_number.cmp(&b.local_number));
        Ok(pupils)
    }

    /// The key of the pupil with this number.
    ///
    /// # Errors
    /// Nobody has it, or the books cannot be read.
    pub fn key(&self, number: &str) -> Result<[u8; 16], RosterError> {
        let found = self.book.find_by_local_number(number.trim())?;
        found.map(|subject| *subject.as_bytes()).ok_or(RosterError::NoSuchPupil)
    }

    /// What is known of a pupil.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn facts(&self, key: &[u8; 16]) -> Result<Option<PatientFacts>, RosterError> {
        Ok(self.book.facts(SubjectId::from_bytes(*key))?)
    }

    /// Whether there is such a class.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn has_class(&self, class: &str) -> Result<bool, RosterError> {
        Ok(self.kitchens()?.contains_key(class))
    }

    /// The name, as it is kept, of the class that somebody writes so.
    ///
    /// # Errors
    /// There is no such class, or the tables cannot be read.
    pub fn class_named(&self, text: &str) -> Result<String, RosterError> {
        let kitchens = self.kitchens()?;
        let names = [Some(text.trim().to_owned()), naming::class_named(text)];
        names.into_iter().flatten().find(|name| kitchens.contains_key(name)).ok_or(RosterError::NoSuchClass)
    }

    /// Every kitchen that cooks for somebody.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn all_kitchens(&self) -> Result<BTreeSet<String>, RosterError> {
        Ok(self.kitchens()?.into_values().chain([self.kitchen.clone()]).collect())
    }

    /// The kitchen of each class.
    fn kitchens(&self) -> Result<BTreeMap<String, String>, VaultError> {
        let rows: Vec<Row<ClassRow>> = self.means.vault.rows(TABLE, b"k")?;
        let kitchen = |row: Row<ClassRow>| {
            let ClassRow { class, kitchen } = row.value;
            (class, kitchen.unwrap_or_else(|| self.kitchen.clone()))
        };
        Ok(rows.into_iter().map(kitchen).collect())
    }

    fn place(&self, class: &str) -> Vec<u8> {
        [b"k".as_slice(), &self.means.vault.index("class", class.as_bytes())].concat()
    }

    /// Says which kitchen cooks for a class, `None`: the school's; the kitchen that cooks now.
    ///
    /// # Errors
    /// There is no such class, or it could not be logged or stored.
    pub async fn set_kitchen(
        &self,
        class: &str,
        kitchen: Option<String>,
        staff: &str,
    ) -> Result<String, RosterError> {
        let _turn = self.turn.lock().await;
        if !self.has_class(class)? {
            return Err(RosterError::NoSuchClass);
        }
        let cooks = kitchen.clone().unwrap_or_else(|| self.kitchen.clone());
        let entry = details::Staff { by: staff.to_owned(), action: commands::KITCHEN.to_owned() };
        self.means.log(None, &entry).await?;
        let mut change = self.means.vault.change();
        change.put(TABLE, &self.place(class), &ClassRow { class: class.to_owned(), kitchen })?;
        change.commit().await?;
        self.changed();
        Ok(cooks)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Roster(***)")
    }
}
