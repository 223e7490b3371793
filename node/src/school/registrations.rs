//! What guardians, and the school itself, have registered for a child: allergens, addresses for mails.
//!
//! One row for each guardian and child, one of the school's own (from the 学校生活管理指導表). A guardian changes her own row
//! only; whoever warns works on all of them together, so that nobody can silence another's. A change is in the ledger
//! before it is in force. A new address gets a code by mail and replaces the old one once the code has come back.
//!
//! ```text
//! Registrations  r ‖ child ‖ guardian     sealed under the child's key
//!                s ‖ child                the school's own, likewise
//! ```

mod code;
pub mod commands;
mod keeper;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hibiki_protocol::ids::{GuardianAlias, Pseudonym};
use hibiki_protocol::registration::{MailKind, RegisteredAllergen, RegistrationState, WaitingAddress};
use hibiki_protocol::time::Timestamp;
use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Registration, Removal};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::institution::Means;
use crate::linkage;
use crate::mail::Outbox;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::Registrations;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<GuardianRow>("registration", TABLE, b"r", &[Part::Subject, Part::Guardian]),
    sealed::<SchoolRow>("school's registration", TABLE, b"s", &[Part::Subject]),
];

/// A guardian's row.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct GuardianRow {
    pseudonym: [u8; 16],
    #[serde(default)]
    allergens: BTreeMap<Allergen, Removal>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    waiting: Option<code::Waiting>,
    /// When codes were mailed lately.
    #[serde(default)]
    codes: Vec<u64>,
    #[serde(default)]
    mails: Vec<String>,
    /// When she last acted with her card.
    #[serde(default)]
    at: u64,
}

/// The school's own row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SchoolRow {
    allergens: BTreeMap<Allergen, Removal>,
    by: String,
    at: u64,
}

/// What one party has registered for one child.
#[derive(Clone, PartialEq, Eq)]
pub struct Registered {
    /// The child's key.
    pub subject: [u8; 16],
    /// Which party.
    pub party: Party,
    /// The allergens.
    pub allergens: Registration,
    /// The confirmed address.
    pub address: Option<String>,
    /// The mails she has chosen besides those about allergens.
    pub mails: BTreeSet<MailKind>,
}

/// Who registered something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// A guardian, by her alias here, and the name under which she asked for the child.
    Guardian(GuardianAlias, Pseudonym),
    /// The school.
    School,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registered(***)")
    }
}

/// The registrations. Shared behind an [`Arc`].
pub struct Registrations {
    means: Means,
    outbox: Arc<Outbox>,
    /// Whether mails can be sent at all.
    mails: bool,
    /// The school's name in letters.
    school: String,
    changes: watch::Sender<u64>,
    turn: tokio::sync::Mutex<()>,
}

impl Registrations {
    /// The registrations in these tables. Without `mails` no address is taken.
    pub fn new(means: Means, outbox: Arc<Outbox>, mails: bool, school: String) -> Self {
        let turn = tokio::sync::Mutex::default();
        Self { means, outbox, mails, school, changes: watch::Sender::new(0), turn }
    }

    /// Everything that is registered.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn all(&self) -> Result<Vec<Registered>, VaultError> {
        self.under(&[])
    }

    /// What is registered for one child.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn of(&self, subject: &[u8; 16]) -> Result<Vec<Registered>, VaultError> {
        self.under(subject)
    }

    fn under(&self, subject: &[u8]) -> Result<Vec<Registered>, VaultError> {
        let mut all = Vec::new();
        let linked = linkage::linked(&self.means, subject)?;
        for row in self.means.vault.rows::<GuardianRow>(TABLE, &[b"r", subject].concat())? {
            all.extend(guardians(&row).map(|it| self.only_linked(it, &linked)));
        }
        for row in self.means.vault.rows::<SchoolRow>(TABLE, &[b"s", subject].concat())? {
            let Some(subject) = child_of(row.key()) else { continue };
            let (allergens, mails) = (row.value.allergens, BTreeSet::new());
            all.push(Registered { subject, party: Party::School, allergens, address: None, mails });
        }
        Ok(all)
    }

    /// Where staff undid the link by which a guardian came to this child, what she said must not be eaten still counts,
    /// but nobody writes to her.
    fn only_linked(&self, it: Registered, linked: &BTreeSet<Vec<u8>>) -> Registered {
        let Party::Guardian(_, pseudonym) = it.party else { return it };
        let index = linkage::index(&self.means, &pseudonym);
        if linked.contains([it.subject.as_slice(), &index].concat().as_slice()) {
            return it;
        }
        Registered { address: None, ..it }
    }

    /// Counts up whenever something was changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn row(
        &self,
        subject: &[u8; 16],
        guardian: &GuardianAlias,
    ) -> Result<Option<Row<GuardianRow>>, VaultError> {
        self.means.vault.get(TABLE, &place(subject, guardian))
    }

    fn told(&self, subject: &[u8; 16], guardian: &GuardianAlias) -> Result<RegistrationState, VaultError> {
        let own = self.row(subject, guardian)?.map(|row| row.value).unwrap_or_default();
        let now = self.means.now();
        let mut others = Registration::new();
        for other in self.of(subject)? {
            if !matches!(other.party, Party::Guardian(alias, _) if alias == *guardian) {
                join(&mut others, &other.allergens);
            }
        }
        let waiting = own.waiting.filter(|waiting| waiting.is_open(now.0));
        Ok(RegistrationState {
            allergens: on_the_wire(&own.allergens),
            others: on_the_wire(&others),
            address: own.address,
            waiting: waiting
                .map(|waiting| WaitingAddress { address: waiting.address, until: Timestamp(waiting.until) }),
            mails: own.mails.iter().filter_map(|name| MailKind::from_name(name)).collect(),
            deliveries: self.outbox.of_guardian(subject, guardian)?,
            changed: None,
            refused: None,
        })
    }
}

impl std::fmt::Debug for Registrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registrations(***)")
    }
}

/// Adds to a list what another says; the stricter removal counts.
pub fn join(list: &mut Registration, other: &Registration) {
    for (allergen, removal) in other {
        let known = list.entry(*allergen).or_insert(*removal);
        *known = (*known).max(*removal);
    }
}

fn guardians(row: &Row<GuardianRow>) -> Option<Registered> {
    let subject = child_of(row.key())?;
    let guardian = row.key().get(17..).and_then(<[u8]>::first_chunk::<16>)?;
    let GuardianRow { pseudonym, allergens, address, mails, .. } = &row.value;
    Some(Registered {
        subject,
        party: Party::Guardian(GuardianAlias(*guardian), Pseudonym(*pseudonym)),
        allergens: allergens.clone(),
        address: address.clone(),
        mails: mails.iter().filter_map(|name| MailKind::from_name(name)).collect(),
    })
}

/// Where a guardian is written to, if she still is one of this child.
pub(super) struct Addressed {
    pub(super) pseudonym: Pseudonym,
    pub(super) in_use: Option<String>,
    pub(super) waiting: Option<String>,
}

/// Where this guardian is written to about this child; `None` if she has registered nothing, or the link was undone.
pub(super) fn addressed(
    means: &Means,
    subject: &[u8; 16],
    guardian: &GuardianAlias,
) -> Result<Option<Addressed>, VaultError> {
    let Some(row) = means.vault.get::<GuardianRow>(TABLE, &place(subject, guardian))? else {
        return Ok(None);
    };
    let GuardianRow { pseudonym, address, waiting, .. } = row.value;
    let pseudonym = Pseudonym(pseudonym);
    let link = [subject.as_slice(), &linkage::index(means, &pseudonym)].concat();
    if !linkage::linked(means, subject)?.contains(link.as_slice()) {
        return Ok(None);
    }
    Ok(Some(Addressed { pseudonym, in_use: address, waiting: waiting.map(|it| it.address) }))
}

fn child_of(place: &[u8]) -> Option<[u8; 16]> {
    place.get(1..).and_then(<[u8]>::first_chunk::<16>).copied()
}

fn place(subject: &[u8; 16], guardian: &GuardianAlias) -> Vec<u8> {
    [b"r".as_slice(), subject, &guardian.0].concat()
}

fn on_the_wire(list: &Registration) -> Vec<RegisteredAllergen> {
    let one = |(allergen, removal): (&Allergen, &Removal)| RegisteredAllergen {
        code: allergen.jfagy().to_owned(),
        strict: *removal == Removal::Strict,
    };
    list.iter().map(one).collect()
}

#[cfg(test)]
impl Registrations {
    /// Enters a guardian's row as it stands after her commands and her mails.
    pub(crate) async fn enter(
        &self,
        subject: &[u8; 16],
        guardian: GuardianAlias,
        allergens: Registration,
        address: Option<&str>,
    ) {
        let row = GuardianRow {
            pseudonym: [9; 16],
            allergens,
            address: address.map(str::to_owned),
            ..GuardianRow::default()
        };
        let mut change = self.means.vault.change();
        let index = linkage::index(&self.means, &Pseudonym(row.pseudonym));
        change.mark(Keyspace::Links, &[b"s", subject.as_slice(), &index].concat());
        change
            .put_under(crate::keyring::KeyId::from_bytes(*subject), TABLE, &place(subject, &guardian), &row)
            .ok();
        change.commit().await.ok();
        self.changed();
    }
}
