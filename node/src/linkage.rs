//! The institution's private links: which of its own patients or pupils a pseudonym means.
//!
//! Owns the link table and the quarantine. A link is made only where birth date, sex and kana name agree by
//! the token's keyed digests, and is checked again with every query: people are corrected, renamed, entered
//! twice. What does not agree is shown to staff (which facts, never their values), and to no guardian. Must
//! not know: records, holds, who asks.
//!
//! - [`token`]: a link token from the registry, verified and opened.
//! - [`matching`]: whom a token means among the persons here. Pure.
//! - [`persons`]: the persons here, as the record book knows them.
//! - `import`: links in bulk or one by one; [`quarantine`]: what needs a look.
//! - [`commands`]: what staff do.

pub mod commands;
mod error;
mod import;
pub mod matching;
pub mod persons;
pub mod quarantine;
mod table;
pub mod token;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hibiki_protocol::ids::{MemberId, Pseudonym};
use hibiki_protocol::policy::Withheld;
use hibiki_protocol::time::Day;
use hibiki_protocol::token::{IdentityMatch, PairwiseToken};

pub use error::LinkError;
pub use import::{Made, Summary};
pub use persons::{LocalPerson, Persons};
pub use table::LinkRow;
pub(crate) use table::{FORMS, linked};

use crate::institution::Means;
use crate::responder::{LocalFault, LocalSubject};
use crate::vault::Index;

/// The links of this institution. Shared behind an [`Arc`].
pub struct Linkage {
    means: Means,
    persons: Arc<dyn Persons>,
    /// Held from reading to writing.
    turn: tokio::sync::Mutex<()>,
    /// Links whose digests did not agree when they were last asked for, since the node started.
    noticed: Mutex<BTreeMap<Index, IdentityMatch>>,
}

impl Linkage {
    /// Links over the persons of this institution.
    pub fn new(means: Means, persons: Arc<dyn Persons>) -> Self {
        Self { means, persons, turn: tokio::sync::Mutex::default(), noticed: Mutex::default() }
    }

    /// The person a token of `registry` means. Its digests are compared with what is known here now.
    ///
    /// # Errors
    /// The tables cannot be read. That nobody is linked, or that the facts no longer agree, is an answer.
    pub fn resolve(
        &self,
        registry: &MemberId,
        token: &PairwiseToken,
    ) -> Result<Result<LocalSubject, Withheld>, LinkError> {
        let index = self.index(&token.pseudonym);
        let Some(link) = self.link(&index)?.filter(|row| row.value.registry == registry.as_str()) else {
            let waits = self.is_quarantined(&index)?;
            return Ok(Err(if waits { Withheld::Quarantined } else { Withheld::NotLinked }));
        };
        let Some(key) = link.value.subject() else { return Ok(Err(Withheld::NotLinked)) };
        let Some(person) = self.persons.by_key(&key)? else { return Ok(Err(Withheld::NotLinked)) };
        let agreement = token.compare(&person.facts);
        self.notice(index, agreement);
        if !agreement.complete() {
            return Ok(Err(Withheld::Quarantined));
        }
        let birth_date = Day::new(&person.facts.birth_date)
            .ok_or_else(|| LinkError::Persons("a birth date is no day".into()))?;
        Ok(Ok(LocalSubject { key, birth_date }))
    }

    /// The pseudonyms a person has here, one for each registry that attests her.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn pseudonyms(&self, key: &[u8; 16]) -> Result<Vec<Pseudonym>, LinkError> {
        let links = self.links_of(key)?;
        Ok(links.iter().filter_map(|row| row.value.pseudonym()).collect())
    }

    /// The digest a pseudonym is found by, in this table and those of holds and consents.
    pub(crate) fn index(&self, pseudonym: &Pseudonym) -> Index {
        index(&self.means, pseudonym)
    }

    fn notice(&self, index: Index, agreement: IdentityMatch) {
        let mut noticed = self.noticed();
        if agreement.complete() {
            noticed.remove(&index);
        } else if noticed.insert(index, agreement).is_none() {
            tracing::warn!(
                "a linked person's facts no longer agree with the registry's; see `hibiki-node link quarantine list`"
            );
        }
    }

    fn noticed(&self) -> MutexGuard<'_, BTreeMap<Index, IdentityMatch>> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest a pseudonym is found by in the tables of `means`.
pub(crate) fn index(means: &Means, pseudonym: &Pseudonym) -> Index {
    means.vault.index("pseudonym", &pseudonym.0)
}

impl From<LinkError> for LocalFault {
    fn from(error: LinkError) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Debug for Linkage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Linkage(***)")
    }
}
