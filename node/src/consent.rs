//! What a person's guardians may be shown here, by choice: denials, per category and guardian.
//!
//! Without an entry everything is shown that grant, hold and age permit. A denial always wins, so permitting
//! again means withdrawing denials. Must not know: who asked for it in person; staff answer for that.
//!
//! ```text
//! Consents   c ‖ pseudonym's index ‖ id    the choice, sealed under the person's key
//! ```

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
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::Consents;

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
    by: String,
    at: u64,
}

/// A choice as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedConsent {
    /// The category; absent: every category.
    pub category: Option<String>,
    /// The guardian's alias at this institution; absent: every guardian.
    pub guardian: Option<String>,
    /// Who entered it.
    pub by: String,
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
                made_by: None,
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
        let row = ConsentRow {
            category: scope.category.as_ref().map(ToString::to_string),
            guardian: scope.guardian.map(|guardian| guardian.0),
            by: staff.to_owned(),
            at: self.means.now().0,
        };
        self.means.log_protection(Some(key), &entry("withdrawn", scope, staff)).await?;
        let mut change = self.means.vault.change();
        for pseudonym in pseudonyms {
            if self.rows(&pseudonym)?.iter().any(|known| same(&known.value, &row)) {
                continue;
            }
            let id = self.means.env.random::<8>();
            let place = [b"c", index(&self.means, &pseudonym).as_slice(), &id].concat();
            change.put_under(KeyId::from_bytes(key), TABLE, &place, &row)?;
        }
        // A denial protects: it may use the reserve.
        change.urgent();
        if !change.is_empty() {
            change.commit().await?;
        }
        Ok(())
    }

    /// Permits again what was denied in exactly this scope.
    ///
    /// # Errors
    /// Nothing of this scope is denied, nobody has the number, or it could not be logged or stored.
    pub async fn permit(&self, number: &str, scope: &Scope, staff: &str) -> Result<(), ConsentError> {
        let _turn = self.turn.lock().await;
        let (key, pseudonyms) = self.person(number)?;
        let wanted = ConsentRow {
            category: scope.category.as_ref().map(ToString::to_string),
            guardian: scope.guardian.map(|guardian| guardian.0),
            by: String::new(),
            at: 0,
        };
        let mut change = self.means.vault.change();
        for pseudonym in pseudonyms {
            for row in self.rows(&pseudonym)?.iter().filter(|row| same(&row.value, &wanted)) {
                change.delete(TABLE, row.key());
            }
        }
        if change.is_empty() {
            return Err(ConsentError::NothingDenied);
        }
        self.means.log(Some(key), &entry("given", scope, staff)).await?;
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
                    at: row.value.at,
                };
                if !listed.contains(&seen) {
                    listed.push(seen);
                }
            }
        }
        Ok(listed)
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

fn same(one: &ConsentRow, other: &ConsentRow) -> bool {
    one.category == other.category && one.guardian == other.guardian
}

fn entry(event: &str, scope: &Scope, staff: &str) -> details::Consent {
    details::Consent {
        event: format!("{event} (entered by {staff})"),
        guardian: scope.guardian.map_or_else(String::new, |guardian| hex::encode(guardian.0)),
        categories: scope.category.iter().map(ToString::to_string).collect(),
    }
}

impl std::fmt::Debug for Consents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Consents(***)")
    }
}
