//! The table of residents: entered one by one or from a file, each sealed under a key of his own, found by a
//! keyed digest of the number.

use serde::Serialize;

use super::Registry;
use super::csv;
use super::error::RegistryError;
use super::resident::{Resident, ResidentNumber};
use crate::keyring::KeyId;
use crate::ledger::details;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Index, Row};

const TABLE: Keyspace = Keyspace::Residents;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[sealed::<Resident>("resident", TABLE, b"", &[Part::Digest])];
/// Residents in one commit of an import.
const CHUNK: usize = 500;

/// What became of a resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entered {
    /// Not known before.
    New,
    /// Known, with other facts.
    Changed,
    /// Known with the very same facts.
    Unchanged,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Residents not known before.
    pub new: u64,
    /// Residents whose facts changed.
    pub changed: u64,
    /// Residents known with the very same facts.
    pub unchanged: u64,
    /// Lines that were refused.
    pub refused: u64,
}

impl Imported {
    fn count(&mut self, entered: Entered) {
        match entered {
            Entered::New => self.new += 1,
            Entered::Changed => self.changed += 1,
            Entered::Unchanged => self.unchanged += 1,
        }
    }
}

/// A resident as stored: his row's key is the digest of his number.
pub(super) type Stored = Row<Resident>;

impl Registry {
    /// The digest a resident number is found by.
    pub(super) fn resident_index(&self, number: &ResidentNumber) -> Index {
        self.means.vault.index("resident", number.as_str().as_bytes())
    }

    /// The resident with this number.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) fn resident(&self, number: &ResidentNumber) -> Result<Option<Stored>, RegistryError> {
        Ok(self.means.vault.get(TABLE, &self.resident_index(number))?)
    }

    /// The resident with this number, who must exist; `role` says whom the clerk meant.
    pub(super) fn known(&self, number: &ResidentNumber, role: &'static str) -> Result<Stored, RegistryError> {
        self.resident(number)?.ok_or(RegistryError::NoSuchResident(role))
    }

    /// Every resident, in no meaningful order.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) fn residents(&self) -> Result<Vec<Stored>, RegistryError> {
        Ok(self.means.vault.rows(TABLE, b"")?)
    }

    /// A resident as the counter sees him, and whether a card is enrolled for him. Looking is logged.
    ///
    /// # Errors
    /// Nobody has the number, or it could not be logged.
    pub async fn show(
        &self,
        number: &ResidentNumber,
        staff: &str,
    ) -> Result<(Resident, bool), RegistryError> {
        let resident = self.known(number, "resident")?;
        let entry = details::Staff { by: staff.to_owned(), action: "resident shown".to_owned() };
        self.means.log(Some(*resident.sealed_by.as_bytes()), &entry).await?;
        let card = self.has_card(&resident)?;
        Ok((resident.value, card))
    }

    /// Enters one resident, or corrects what is known of him.
    ///
    /// # Errors
    /// It could not be logged or stored; nothing was changed.
    pub async fn enter(&self, resident: &Resident, staff: &str) -> Result<Entered, RegistryError> {
        let _turn = self.turn.lock().await;
        let known = self.resident(&resident.number)?;
        let entered = match &known {
            Some(row) if &row.value == resident => return Ok(Entered::Unchanged),
            Some(_) => Entered::Changed,
            None => Entered::New,
        };
        let key = match &known {
            Some(row) => row.sealed_by,
            None => self.means.vault.keys().create().map_err(crate::vault::VaultError::from)?,
        };
        let action = match entered {
            Entered::New => "resident entered",
            Entered::Changed | Entered::Unchanged => "resident corrected",
        };
        self.record(Some(key), staff, action).await?;
        let mut change = self.means.vault.change();
        change.put_under(key, TABLE, &self.resident_index(&resident.number), resident)?;
        change.commit().await?;
        Ok(entered)
    }

    /// Enters every resident of a file; the same file twice changes nothing. `progress` hears how many are
    /// done. What was entered before an error stays.
    ///
    /// # Errors
    /// It could not be logged or stored.
    pub async fn import(
        &self,
        file: &csv::Residents,
        staff: &str,
        mut progress: impl FnMut(u64),
    ) -> Result<Imported, RegistryError> {
        let _turn = self.turn.lock().await;
        let mut total = Imported { refused: file.rejected.len() as u64, ..Imported::default() };
        for chunk in file.residents.chunks(CHUNK) {
            let done = self.import_chunk(chunk, staff).await?;
            total = Imported {
                new: total.new + done.new,
                changed: total.changed + done.changed,
                unchanged: total.unchanged + done.unchanged,
                ..total
            };
            progress(total.new + total.changed + total.unchanged);
        }
        Ok(total)
    }

    async fn import_chunk(&self, chunk: &[Resident], staff: &str) -> Result<Imported, RegistryError> {
        let mut counts = Imported::default();
        let mut writes: Vec<(Option<KeyId>, &Resident)> = Vec::new();
        for resident in chunk {
            let known = self.resident(&resident.number)?;
            let entered = match &known {
                Some(row) if &row.value == resident => Entered::Unchanged,
                Some(_) => Entered::Changed,
                None => Entered::New,
            };
            counts.count(entered);
            if entered != Entered::Unchanged {
                writes.push((known.map(|row| row.sealed_by), resident));
            }
        }
        if writes.is_empty() {
            return Ok(counts);
        }
        let missing = writes.iter().filter(|(key, _)| key.is_none()).count();
        let keys = self.means.vault.keys().create_many(missing).map_err(crate::vault::VaultError::from)?;
        let mut keys = keys.into_iter();
        let entry = details::Import {
            source: "admin, residents".to_owned(),
            by: staff.to_owned(),
            accepted: counts.new + counts.changed,
            unchanged: counts.unchanged,
            refused: 0,
        };
        self.means.log(None, &entry).await?;
        let mut change = self.means.vault.change();
        for (key, resident) in writes {
            let Some(key) = key.or_else(|| keys.next()) else { continue };
            change.put_under(key, TABLE, &self.resident_index(&resident.number), resident)?;
        }
        change.commit().await?;
        Ok(counts)
    }
}
