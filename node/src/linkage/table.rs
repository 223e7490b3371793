//! The link table and the quarantine, as they lie in the store.
//!
//! ```text
//! Links   p ‖ pseudonym's index                the link, sealed under the person's key
//!         s ‖ person's key ‖ pseudonym's index found by person
//! Tokens  q ‖ pseudonym's index                a token in quarantine, sealed
//! ```

use std::collections::BTreeSet;

use hibiki_protocol::cbor;
use hibiki_protocol::ids::Pseudonym;
use hibiki_protocol::token::PairwiseToken;
use serde::{Deserialize, Serialize};

use super::token::OpenedToken;
use super::{LinkError, Linkage};
use crate::institution::Means;
use crate::keyring::KeyId;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, mark, sealed};
use crate::vault::{Change, Index, Row, VaultError};

const LINKS: Keyspace = Keyspace::Links;
const TOKENS: Keyspace = Keyspace::Tokens;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] = &[
    sealed::<LinkRow>("link", LINKS, b"p", &[Part::Digest]),
    mark("index of links", LINKS, b"s", &[Part::Subject, Part::Of(LINKS, b"p", 16)]),
    sealed::<Quarantined>("token in quarantine", TOKENS, b"q", &[Part::Digest]),
];

/// A link.
#[derive(Clone, Serialize, Deserialize)]
pub struct LinkRow {
    /// The registry that named her.
    pub registry: String,
    /// The encoded token it was made with, hexadecimal.
    token: String,
    /// The person's key, hexadecimal.
    subject: String,
    /// Who made it: a member of staff, or an import.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
}

impl LinkRow {
    pub(super) fn new(opened: &OpenedToken, key: &[u8; 16], by: &str, at: u64) -> Self {
        Self {
            registry: opened.registry.as_str().to_owned(),
            token: encode(&opened.token),
            subject: hex::encode(key),
            by: by.to_owned(),
            at,
        }
    }

    /// The person's key.
    pub fn subject(&self) -> Option<[u8; 16]> {
        hex::decode(&self.subject).ok()?.try_into().ok()
    }

    /// The token it was made with.
    pub fn token(&self) -> Option<PairwiseToken> {
        decode(&self.token)
    }

    /// The pseudonym.
    pub fn pseudonym(&self) -> Option<Pseudonym> {
        self.token().map(|token| token.pseudonym)
    }
}

/// A person a token in quarantine may mean.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Candidate {
    /// The person's key, hexadecimal.
    pub(super) subject: String,
    /// The facts that do not agree.
    pub(super) disagree: Vec<String>,
}

/// A token in quarantine.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Quarantined {
    pub(super) registry: String,
    pub(super) token: String,
    /// `several`, `partly`, `claimed` (the person is linked to another resident) or `refused` (at the counter).
    pub(super) reason: String,
    pub(super) candidates: Vec<Candidate>,
    pub(super) at: u64,
}

impl Quarantined {
    pub(super) fn token(&self) -> Option<PairwiseToken> {
        decode(&self.token)
    }
}

pub(super) fn encode(token: &PairwiseToken) -> String {
    hex::encode(cbor::encode(token))
}

fn decode(text: &str) -> Option<PairwiseToken> {
    cbor::decode(&hex::decode(text).ok()?).ok()
}

fn link_key(index: &Index) -> Vec<u8> {
    [b"p", index.as_slice()].concat()
}

fn wait_key(index: &Index) -> Vec<u8> {
    [b"q", index.as_slice()].concat()
}

/// Every link of the persons whose key starts with `subject`: the key, and the digest its pseudonym is found by.
pub(crate) fn linked(means: &Means, subject: &[u8]) -> Result<BTreeSet<Vec<u8>>, VaultError> {
    let marks = means.vault.marks(LINKS, &[b"s", subject].concat())?;
    Ok(marks.into_iter().map(|rest| [subject, &rest].concat()).collect())
}

impl Linkage {
    pub(super) fn link(&self, index: &Index) -> Result<Option<Row<LinkRow>>, LinkError> {
        Ok(self.means.vault.get(LINKS, &link_key(index))?)
    }

    /// Every link whose person was not erased.
    pub(super) fn links(&self) -> Result<Vec<Row<LinkRow>>, LinkError> {
        Ok(self.means.vault.rows(LINKS, b"p")?)
    }

    pub(super) fn links_of(&self, key: &[u8; 16]) -> Result<Vec<Row<LinkRow>>, LinkError> {
        let vault = &self.means.vault;
        let marks = vault.marks(LINKS, &[b"s", key.as_slice()].concat())?;
        let rows = marks.into_iter().map(|index| vault.get(LINKS, &[b"p", index.as_slice()].concat()));
        rows.filter_map(Result::transpose).map(|row| Ok(row?)).collect()
    }

    pub(super) fn is_quarantined(&self, index: &Index) -> Result<bool, LinkError> {
        Ok(self.means.vault.contains(TOKENS, &wait_key(index))?)
    }

    pub(super) fn waiting(&self, index: &[u8]) -> Result<Option<Row<Quarantined>>, LinkError> {
        Ok(self.means.vault.get(TOKENS, &[b"q", index].concat())?)
    }

    pub(super) fn all_waiting(&self) -> Result<Vec<Row<Quarantined>>, LinkError> {
        Ok(self.means.vault.rows(TOKENS, b"q")?)
    }

    /// Puts a link into a change; a token in quarantine under the same pseudonym leaves it.
    pub(super) fn put_link(
        &self,
        change: &mut Change<'_>,
        opened: &OpenedToken,
        key: &[u8; 16],
        by: &str,
    ) -> Result<(), LinkError> {
        let index = self.index(&opened.token.pseudonym);
        let row = LinkRow::new(opened, key, by, self.means.now().0);
        change.put_under(KeyId::from_bytes(*key), LINKS, &link_key(&index), &row)?;
        change.mark(LINKS, &[b"s", key.as_slice(), &index].concat());
        change.delete(TOKENS, &wait_key(&index));
        Ok(())
    }

    /// Puts a token into quarantine.
    pub(super) fn put_waiting(
        &self,
        change: &mut Change<'_>,
        opened: &OpenedToken,
        reason: &str,
        candidates: Vec<Candidate>,
    ) -> Result<(), LinkError> {
        let row = Quarantined {
            registry: opened.registry.as_str().to_owned(),
            token: encode(&opened.token),
            reason: reason.to_owned(),
            candidates,
            at: self.means.now().0,
        };
        change.put(TOKENS, &wait_key(&self.index(&opened.token.pseudonym)), &row)?;
        Ok(())
    }

    pub(super) fn delete_waiting(change: &mut Change<'_>, row: &Row<Quarantined>) {
        change.delete(TOKENS, row.key());
    }

    pub(super) fn delete_link(&self, change: &mut Change<'_>, row: &Row<LinkRow>) {
        change.delete(LINKS, row.key());
        if let (Some(key), Some(index)) = (row.value.subject(), row.key().get(1..)) {
            change.delete(LINKS, &[b"s", key.as_slice(), index].concat());
        }
    }
}
