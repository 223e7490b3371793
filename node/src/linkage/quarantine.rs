//! What needs a look: tokens that mean nobody for sure, and links that no longer agree. And how staff end it.
//!
//! Nothing here is ever shown to a guardian. Staff see which facts disagree and whose numbers are concerned;
//! what the registry has instead they cannot see, for nobody here knows it.

use hibiki_protocol::history::Event;
use hibiki_protocol::ids::MemberId;
use serde::Serialize;

use super::import::{Made, entry};
use super::matching::disagreeing;
use super::table::Quarantined;
use super::token::OpenedToken;
use super::{LinkError, Linkage};
use crate::vault::{Index, Row};

/// A link as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedLink {
    /// The institution's own number.
    pub local: String,
    /// The registry that named the person.
    pub registry: String,
    /// Who made it.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Facts that no longer agree: nothing is shown to guardians while there are any.
    pub disagree: Vec<String>,
}

/// Something in quarantine as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its name in commands; empty for a link that no longer agrees.
    pub id: String,
    /// Why it waits: `several`, `partly`, `claimed`, `refused`, `changed`.
    pub reason: String,
    /// The registry that named the person.
    pub registry: String,
    /// Since when, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Whom it may mean, and what does not agree with each.
    pub candidates: Vec<WaitingFor>,
}

/// A person something in quarantine may mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitingFor {
    /// The institution's own number.
    pub local: String,
    /// The facts that do not agree.
    pub disagree: Vec<String>,
}

impl Linkage {
    /// Every link, or those of one person.
    ///
    /// # Errors
    /// The tables cannot be read, or nobody has the number.
    pub fn list(&self, number: Option<&str>) -> Result<Vec<ListedLink>, LinkError> {
        let rows = match number {
            None => self.links()?,
            Some(number) => {
                let person = self.persons.by_number(number.trim())?.ok_or(LinkError::NoSuchPerson)?;
                self.links_of(&person.key)?
            }
        };
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(person) =
                row.value.subject().map(|key| self.persons.by_key(&key)).transpose()?.flatten()
            else {
                continue;
            };
            let stored = row.value.token().map(|token| token.compare(&person.facts));
            let noticed = row.key().get(1..).and_then(|key| Index::try_from(key).ok());
            let noticed = noticed.and_then(|index| self.noticed().get(&index).copied());
            let disagree = noticed.or(stored).map(disagreeing).unwrap_or_default();
            listed.push(ListedLink {
                local: person.number,
                registry: row.value.registry.clone(),
                by: row.value.by.clone(),
                at: row.value.at,
                disagree: disagree.into_iter().map(str::to_owned).collect(),
            });
        }
        Ok(listed)
    }

    /// Everything that needs a look.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn quarantine(&self) -> Result<Vec<Waiting>, LinkError> {
        let mut waiting = Vec::new();
        for row in self.all_waiting()? {
            waiting.push(self.waiting_as_seen(&row)?);
        }
        let changed = self.list(None)?.into_iter().filter(|link| !link.disagree.is_empty());
        waiting.extend(changed.map(|link| Waiting {
            id: String::new(),
            reason: "changed".to_owned(),
            registry: link.registry,
            at: link.at,
            candidates: vec![WaitingFor { local: link.local, disagree: link.disagree }],
        }));
        Ok(waiting)
    }

    /// Ends a quarantine by linking it to the person with this local number, who must agree in everything
    /// by now.
    ///
    /// # Errors
    /// Nothing waits under this id, nobody has the number, the facts still do not agree, or it could not be
    /// logged or stored.
    pub async fn resolve_to(&self, id: &str, number: &str, staff: &str) -> Result<Made, LinkError> {
        let _turn = self.turn.lock().await;
        let row = self.waiting_row(id)?;
        let person = self.persons.by_number(number.trim())?.ok_or(LinkError::NoSuchPerson)?;
        let registry = MemberId::new(&row.value.registry);
        let (Some(token), Some(registry)) = (row.value.token(), registry) else {
            return Err(LinkError::NoSuchId);
        };
        let made = self.link_checked(&OpenedToken { registry, token }, &person, staff).await?;
        if made == Made::Unchanged {
            let mut change = self.means.vault.change();
            Self::delete_waiting(&mut change, &row);
            change.commit().await?;
        }
        Ok(made)
    }

    /// Ends a quarantine by forgetting the token.
    ///
    /// # Errors
    /// Nothing waits under this id, or it could not be logged or stored.
    pub async fn discard(&self, id: &str, staff: &str) -> Result<(), LinkError> {
        let _turn = self.turn.lock().await;
        let row = self.waiting_row(id)?;
        self.means.log(None, &entry("quarantine discarded", staff, Vec::new())).await?;
        let mut change = self.means.vault.change();
        Self::delete_waiting(&mut change, &row);
        Ok(change.commit().await?)
    }

    /// Undoes every link of a person: nothing is shown to her guardians from now on. Returns how many there
    /// were.
    ///
    /// # Errors
    /// She is not linked, or it could not be logged or stored.
    pub async fn remove(&self, number: &str, staff: &str) -> Result<usize, LinkError> {
        let _turn = self.turn.lock().await;
        let person = self.persons.by_number(number.trim())?.ok_or(LinkError::NoSuchPerson)?;
        let rows = self.links_of(&person.key)?;
        if rows.is_empty() {
            return Err(LinkError::NotLinked);
        }
        let undone = entry("undone", staff, Vec::new());
        self.means.log_told(person.key, &undone, Event::Unlinked, true).await?;
        let mut change = self.means.vault.change();
        for row in &rows {
            self.delete_link(&mut change, row);
        }
        change.urgent();
        change.commit().await?;
        Ok(rows.len())
    }

    fn waiting_row(&self, id: &str) -> Result<Row<Quarantined>, LinkError> {
        let index =
            hex::decode(id.trim()).ok().filter(|bytes| bytes.len() == 16).ok_or(LinkError::NoSuchId)?;
        self.waiting(&index)?.ok_or(LinkError::NoSuchId)
    }

    fn waiting_as_seen(&self, row: &Row<Quarantined>) -> Result<Waiting, LinkError> {
        let mut candidates = Vec::new();
        for candidate in &row.value.candidates {
            let key = hex::decode(&candidate.subject).ok().and_then(|key| <[u8; 16]>::try_from(key).ok());
            let person = key.map(|key| self.persons.by_key(&key)).transpose()?.flatten();
            let Some(person) = person else { continue };
            // The person may have been corrected since: say what stands in the way now.
            let now = row.value.token().map(|token| disagreeing(token.compare(&person.facts)));
            let disagree = now.map_or_else(
                || candidate.disagree.clone(),
                |facts| facts.into_iter().map(str::to_owned).collect(),
            );
            candidates.push(WaitingFor { local: person.number, disagree });
        }
        Ok(Waiting {
            id: hex::encode(row.key().get(1..).unwrap_or_default()),
            reason: row.value.reason.clone(),
            registry: row.value.registry.clone(),
            at: row.value.at,
            candidates,
        })
    }
}
