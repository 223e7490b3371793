//! The municipality's residents' registry: the only party that attests who may act for whom.
//!
//! Owns residents, guardianships, enrolled cards and holds of its area; answers "for whom may this card act?"
//! with short-lived grants, one per subject and institution, each naming the subject by a pseudonym that only
//! that institution can read. Must not know: where a child's records are, nor anything in them.
//!
//! - [`resident`], [`csv`], `residents`: who lives here.
//! - [`guardianship`], `guardianships`: who is whose guardian; two clerks, dates, a basis.
//! - [`card`], `cards`: is this card real, and whose is it.
//! - [`attest`], `grants`: what a session is answered with.
//! - `tokens`: link tokens for one institution.
//! - [`hold`], `holds`, [`delivery`]: protective measures, at once here and soon everywhere.
//! - [`commands`]: what clerks do at the counter.

pub mod attest;
pub mod card;
mod cards;
pub mod commands;
pub mod csv;
pub mod delivery;
mod error;
mod grants;
pub mod guardianship;
mod guardianships;
pub mod hold;
mod holds;
pub mod resident;
mod residents;
mod tokens;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use zeroize::Zeroizing;

pub use error::RegistryError;
pub use holds::{HoldAt, HoldProposal, ListedHold};
pub use residents::{Entered, Imported};
pub use tokens::{Export, VALID_DAYS_DEFAULT, VALID_DAYS_MAX};

use crate::institution::Means;
use crate::keyring::KeyId;
use crate::ledger::{NotLogged, details};
use crate::vault::form::Form;
use card::RevocationSource;

/// The forms of its rows.
pub(crate) const FORMS: [&[Form]; 4] = [residents::FORMS, guardianships::FORMS, cards::FORMS, holds::FORMS];

/// What a registry needs beside its [`Means`].
pub struct Setup {
    /// The key every institution's key is derived from; it never leaves.
    pub master: Zeroizing<[u8; 32]>,
    /// Where revoked cards are learned of.
    pub revocations: Arc<dyn RevocationSource>,
    /// Milliseconds an expired trust list is still used.
    pub grace_millis: u64,
}

/// The registry. Shared behind an [`Arc`].
pub struct Registry {
    means: Means,
    setup: Setup,
    /// Held from reading to writing: two clerks at two counters take turns.
    turn: Mutex<()>,
    /// Rung when there is something to deliver.
    bell: Notify,
}

impl Registry {
    /// A registry over its tables.
    pub fn new(means: Means, setup: Setup) -> Self {
        Self { means, setup, turn: Mutex::default(), bell: Notify::new() }
    }

    /// Logs an administrative act about a subject before it is done.
    async fn record(&self, subject: Option<KeyId>, staff: &str, action: &str) -> Result<(), NotLogged> {
        self.means.log(subject.map(|key| *key.as_bytes()), &administration(staff, action)).await?;
        Ok(())
    }

    /// The same for an act that protects somebody: it is logged also on a full disk.
    async fn record_protection(
        &self,
        subject: Option<KeyId>,
        staff: &str,
        action: &str,
    ) -> Result<(), NotLogged> {
        let subject = subject.map(|key| *key.as_bytes());
        self.means.log_protection(subject, &administration(staff, action)).await?;
        Ok(())
    }
}

fn administration(staff: &str, action: &str) -> details::Administration {
    details::Administration { by: staff.to_owned(), action: action.to_owned(), outcome: "ordered".to_owned() }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry(***)")
    }
}
