//! What a person's guardians may be shown here, by choice: denials, per category and guardian.
//!
//! Without an entry everything is shown that grant, hold and age permit. A denial always wins, so permitting
//! again means withdrawing denials. Staff make choices here, and guardians by themselves ([`choices`]); each
//! undoes only her own, but staff may undo a guardian's at the counter.
//!
//! ```text
//! Consents   c ‖ pseudonym's index ‖ id                  the choice, sealed under the person's key
//! ```

pub mod choices;
pub mod commands;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hibiki_protocol::ids::{Category, GuardianAlias, Pseudonym};
use hibiki_protocol::policy::Consent;
use serde::{Deserialize, Serialize};

use crate::admin::AdminError;
use crate::institution::Means;
use crate::keyring::KeyId;
use crate::ledger::{NotLogged, details};
use crate::linkage::{LinkError, Linkage, Persons, index};
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Change, Row, VaultError};

const TABLE: Keyspace = Keyspace::Consents;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] =
    &[sealed::<ConsentRow>("consent", TABLE, b"c", &[Part::Digest, Part::Bytes(8)])];

/// What a choice is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Which category; `None`: every category.
    pub category: Option<Category>,
    /// Which guardian, by the alias at this institution; `None`: every guardian.
    pub guardian: Option<GuardianAlias>,
}

#[derive(Clone, Serialize, Deserialize)]
struct ConsentRow {
    category: Option<String>,
    guardian: Option<[u8; 16]>,
    /// The member of staff who entered it; empty where a guardian chose.
    by: String,
    at: u64,
    /// The guardian who chose; absent in rows of staff, and in all of the time before guardians could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_by: Option<[u8; 16]>,
}

impl ConsentRow {
    /// Whether it is the same choice of the same party.
    fn same(&self, other: &Self) -> bool {
        self.category == other.category && self.guardian == other.guardian && self.made_by == other.made_by
    }
}

/// A choice as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedConsent {
    /// The category; absent: every category.
    pub category: Option<String>,
    /// The guardian's alias at this institution; absent: every guardian.
    pub guardian: Option<String>,
    /// The member of staff who entered it; empty where a guardian chose.
    pub by: String,
    /// The guardian who chose, by the alias at this institution; absent where staff entered it.
    pub made_by: Option<String>,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// Why a choice was not entered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The person, or her link.
    #[error("{0}")]
    Link(#[from] LinkError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// The table.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// There is no such denial.
    #[error("nothing of this scope is denied; see `hibiki-node consent list` / 該当する不同意がありません")]
    NothingDenied,
}

impl From<ConsentError> for AdminError {
    fn from(error: ConsentError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

/// The choices at this institution. Shared behind an [`Arc`].
pub struct Consents {
    means: Means,
    persons: Arc<dyn Persons>,
    linkage: Arc<Linkage>,
    turn: tokio::sync::Mutex<()>,
}

impl Consents {
    /// The choices in these tables.
    pub fn new(means: Means, persons: Arc<dyn Persons>, linkage: Arc<Linkage>) -> Self {
        Self { means, persons, linkage, turn: tokio::sync::Mutex::default() }
    }

    /// The choices about a person, as the decision takes them.
    ///
    /// # Errors
    /// The table cannot be read; then nothing may be released.
    pub fn for_subject(&self, pseudonym: &Pseudonym) -> Result<Vec<Consent>, VaultError> {
        let consent = |row: Row<ConsentRow>| {
            let category = match &row.value.category {
                None => None,
                // A category nobody can read any more denies everything rather than nothing.
                Some(name) => Category::new(name),
            };
            Consent {
                guardian: row.value.guardian.map(GuardianAlias),
                category,
                permit: false,
                made_by: row.value.made_by.map(GuardianAlias),
            }
        };
        Ok(self.rows(pseudonym)?.into_iter().map(consent).collect())
    }

    /// Denies. Whatever is denied already stays so.
    ///
    /// # Errors
    /// Nobody has the number, she is not linked, or it could not be logged or stored.
    pub async fn deny(&self, number: &str, scope: &Scope, staff: &str) -> Result<(), ConsentError> {
        let _turn = self.turn.lock().await;
        let (key, pseudonyms) = self.person(number)?;
        let row = self.row(scope, staff, None);
        self.means.log_protection(Some(key), &entry("withdrawn", scope, staff, None)).await?;
        let mut change = self.means.vault.change();
        self.put(&mut change, key, &pseudonyms, &row)?;
        // A denial protects: it may use the reserve.
        change.urgent();
        if !change.is_empty() {
            change.commit().await?;
        }
        Ok(())
    }

    /// Permits again what staff denied in exactly this scope, or what the guardian `made_by` withdrew in it.
    ///
    /// # Errors
    /// Nothing of this scope is denied so, nobody has the number, or it could not be logged or stored.
    pub async fn permit(
        &self,
        number: &str,
        scope: &Scope,
        made_by: Option<GuardianAlias>,
        staff: &str,
    ) -> Result<(), ConsentError> {
        let _turn = self.turn.lock().await;
        let (key, pseudonyms) = self.person(number)?;
        let mut change = self.means.vault.change();
        self.delete(&mut change, &pseudonyms, &self.row(scope, staff, made_by))?;
        if change.is_empty() {
            return Err(ConsentError::NothingDenied);
        }
        self.means.log(Some(key), &entry("given", scope, staff, made_by)).await?;
        Ok(change.commit().await?)
    }

    /// What is denied about a person.
    ///
    /// # Errors
    /// Nobody has the number, she is not linked, or the table cannot be read.
    pub fn list(&self, number: &str) -> Result<Vec<ListedConsent>, ConsentError> {
        let (_, pseudonyms) = self.person(number)?;
        let mut listed: Vec<ListedConsent> = Vec::new();
        for pseudonym in pseudonyms {
            for row in self.rows(&pseudonym)? {
                let seen = ListedConsent {
                    category: row.value.category,
                    guardian: row.value.guardian.map(hex::encode),
                    by: row.value.by,
                    made_by: row.value.made_by.map(hex::encode),
                    at: row.value.at,
                };
                if !listed.contains(&seen) {
                    listed.push(seen);
                }
            }
        }
        Ok(listed)
    }

    /// The key of the person with this number, if there is one.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn key(&self, number: &str) -> Result<Option<[u8; 16]>, ConsentError> {
        Ok(self.persons.by_number(number.trim())?.map(|person| person.key))
    }

    fn row(&self, scope: &Scope, by: &str, made_by: Option<GuardianAlias>) -> ConsentRow {
        ConsentRow {
            category: scope.category.as_ref().map(ToString::to_string),
            guardian: scope.guardian.map(|guardian| guardian.0),
            by: by.to_owned(),
            at: self.means.now().0,
            made_by: made_by.map(|guardian| guardian.0),
        }
    }

    /// Puts a choice under every name the person has here, unless the same party has made it already.
    fn put(
        &self,
        change: &mut Change<'_>,
        key: [u8; 16],
        pseudonyms: &[Pseudonym],
        row: &ConsentRow,
    ) -> Result<(), VaultError> {
        for pseudonym in pseudonyms {
            if self.rows(pseudonym)?.iter().any(|known| known.value.same(row)) {
                continue;
            }
            let id = self.means.env.random::<8>();
            let place = [b"c", index(&self.means, pseudonym).as_slice(), &id].concat();
            change.put_under(KeyId::from_bytes(key), TABLE, &place, row)?;
        }
        Ok(())
    }

    /// Takes this choice of this party away, under every name.
    fn delete(
        &self,
        change: &mut Change<'_>,
        pseudonyms: &[Pseudonym],
        row: &ConsentRow,
    ) -> Result<(), VaultError> {
        for pseudonym in pseudonyms {
            for known in self.rows(pseudonym)?.iter().filter(|known| known.value.same(row)) {
                change.delete(TABLE, known.key());
            }
        }
        Ok(())
    }

    fn person(&self, number: &str) -> Result<([u8; 16], Vec<Pseudonym>), ConsentError> {
        let person = self.persons.by_number(number.trim())?.ok_or(LinkError::NoSuchPerson)?;
        let pseudonyms = self.linkage.pseudonyms(&person.key)?;
        if pseudonyms.is_empty() {
            return Err(LinkError::NotLinked.into());
        }
        Ok((person.key, pseudonyms))
    }

    fn rows(&self, pseudonym: &Pseudonym) -> Result<Vec<Row<ConsentRow>>, VaultError> {
        self.means.vault.rows(TABLE, &[b"c", index(&self.means, pseudonym).as_slice()].concat())
    }
}

/// What staff entered; `made_by` is the guardian whose choice they undid.
fn entry(event: &str, scope: &Scope, staff: &str, made_by: Option<GuardianAlias>) -> details::Consent {
    let alias = |guardian: Option<GuardianAlias>| {
        guardian.map_or_else(String::new, |guardian| hex::encode(guardian.0))
    };
    details::Consent {
        event: event.to_owned(),
        guardian: alias(scope.guardian),
        categories: scope.category.iter().map(ToString::to_string).collect(),
        by: staff.to_owned(),
        made_by: alias(made_by),
        ..details::Consent::default()
    }
}

impl std::fmt::Debug for Consents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Consents(***)")
    }
}
