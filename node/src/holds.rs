//! Holds as the institution keeps them: who must see nothing of a person, by order of the registry.
//!
//! A notice counts from the moment it is durable here, whether or not the person is linked, or ever was; only
//! then the registry gets its receipt. A later notice of the same hold replaces an earlier one; an earlier
//! one that arrives late changes nothing. Nothing here ends by the passing of time. Must not know: why.
//!
//! ```text
//! Holds   i ‖ pseudonym's index ‖ hold id    the hold, sealed under the node's own key
//! ```

#[cfg(test)]
mod tests;

use hibiki_protocol::frames::Declined;
use hibiki_protocol::hold::{HoldNotice, HoldReceipt, HoldState, SealedHoldNotice};
use hibiki_protocol::ids::{Digest, GuardianAlias, MemberId, Pseudonym};
use hibiki_protocol::limits;
use hibiki_protocol::policy::Hold;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Role;
use serde::{Deserialize, Serialize};

use crate::institution::Means;
use crate::ledger::details;
use crate::linkage::index;
use crate::responder::HoldKeeper;
use crate::services::Pending;
use crate::store::{Keyspace, StoreError};
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::Holds;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] = &[sealed::<HoldRow>("hold", TABLE, b"i", &[Part::Digest, Part::Bytes(16)])];

#[derive(Clone, Serialize, Deserialize)]
struct HoldRow {
    registry: String,
    guardian: Option<[u8; 16]>,
    lifted: bool,
    issued: u64,
    review_by: u64,
    /// Digest of the signed notice.
    notice: [u8; 32],
    /// When it took effect here.
    at: u64,
}

/// The holds at this institution. Shared behind an [`Arc`](std::sync::Arc).
pub struct Holds {
    means: Means,
    turn: tokio::sync::Mutex<()>,
}

/// Why a notice is not taken. For the log; the registry hears a [`Refusal`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldFault {
    /// Not a notice for this institution, or of another version.
    #[error("not a hold notice for this institution")]
    Malformed,
    /// Not from a registry of the federation.
    #[error("the hold notice is not from a registry of the federation")]
    Unauthorized,
    /// A later notice of the same hold is in force.
    #[error("a later notice of the same hold is in force")]
    Superseded,
    /// It could not be logged, even into the reserve.
    #[error("{0}")]
    NotLogged(#[from] crate::ledger::NotLogged),
    /// The table.
    #[error("{0}")]
    Vault(#[from] VaultError),
}

impl From<HoldFault> for Declined {
    fn from(fault: HoldFault) -> Self {
        let refusal = match fault {
            HoldFault::Malformed => Refusal::Malformed,
            HoldFault::Unauthorized => Refusal::Unauthorized,
            HoldFault::Superseded => Refusal::Replayed,
            HoldFault::NotLogged(_) => Refusal::NotLogged,
            HoldFault::Vault(VaultError::Store(StoreError::NoSpace { .. })) => Refusal::Busy,
            HoldFault::Vault(_) => Refusal::Fault,
        };
        Self { refusal, retry_after_millis: None }
    }
}

impl Holds {
    /// The holds in these tables.
    pub fn new(means: Means) -> Self {
        Self { means, turn: tokio::sync::Mutex::default() }
    }

    /// The holds in force on a person.
    ///
    /// # Errors
    /// The table cannot be read; then nothing may be released.
    pub fn for_subject(&self, pseudonym: &Pseudonym) -> Result<Vec<Hold>, VaultError> {
        let prefix = [b"i", index(&self.means, pseudonym).as_slice()].concat();
        let rows = self.means.vault.rows::<HoldRow>(TABLE, &prefix)?;
        let in_force = rows.into_iter().filter(|row| !row.value.lifted);
        Ok(in_force.map(|row| Hold { guardian: row.value.guardian.map(GuardianAlias) }).collect())
    }

    /// Number of holds in force here, for the status board.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn count(&self) -> Result<usize, VaultError> {
        let rows = self.means.vault.rows::<HoldRow>(TABLE, b"i")?;
        Ok(rows.iter().filter(|row| !row.value.lifted).count())
    }

    /// Verifies a notice and stores it: ledger first, then the table, both from the reserve if the disk is
    /// full. The receipt is signed once it counts.
    ///
    /// # Errors
    /// What is wrong with it, or why it cannot be kept.
    pub async fn take(
        &self,
        from: &MemberId,
        sealed: &SealedHoldNotice,
    ) -> Result<Signed<HoldReceipt>, HoldFault> {
        let (notice, digest) = self.verify(from, sealed)?;
        let secret = self.means.keys.sealing(notice.token_key).ok_or(HoldFault::Malformed)?;
        let token = notice.token.open(&notice.registry, &self.means.own, secret);
        let pseudonym = token.map_err(|_| HoldFault::Malformed)?.pseudonym;
        let _turn = self.turn.lock().await;
        let key = [b"i", index(&self.means, &pseudonym).as_slice(), &notice.id.0].concat();
        let known: Option<Row<HoldRow>> = self.means.vault.get(TABLE, &key)?;
        if let Some(row) = &known {
            if row.value.notice == digest.0 {
                return Ok(self.receipt(digest, Timestamp(row.value.at)));
            }
            if row.value.registry != notice.registry.as_str() {
                return Err(HoldFault::Unauthorized);
            }
            if row.value.issued >= notice.issued.0 {
                return Err(HoldFault::Superseded);
            }
        }
        let lifted = notice.state == HoldState::Lifted;
        let entry = details::Hold {
            event: if lifted { "lifted" } else { "received" }.to_owned(),
            against: notice.guardian.map_or_else(String::new, |guardian| hex::encode(guardian.0)),
            by: notice.registry.to_string(),
            basis: String::new(),
        };
        self.means.log_protection(None, &entry).await?;
        let at = self.means.now();
        let row = HoldRow {
            registry: notice.registry.to_string(),
            guardian: notice.guardian.map(|guardian| guardian.0),
            lifted,
            issued: notice.issued.0,
            review_by: notice.review_by.0,
            notice: digest.0,
            at: at.0,
        };
        let mut change = self.means.vault.change();
        change.put(TABLE, &key, &row)?;
        change.urgent();
        change.commit().await?;
        Ok(self.receipt(digest, at))
    }

    fn verify(&self, from: &MemberId, sealed: &SealedHoldNotice) -> Result<(HoldNotice, Digest), HoldFault> {
        let own = &self.means.own;
        let secret = self.means.keys.sealing(sealed.key_id).ok_or(HoldFault::Malformed)?;
        let signed = sealed.open(own, secret).map_err(|_| HoldFault::Malformed)?;
        let claimed = signed.claimed().map_err(|_| HoldFault::Malformed)?;
        let trust = (self.means.trust)();
        let registry =
            trust.list().member(&claimed.registry).filter(|member| member.has_role(Role::Registry));
        let registry = registry.filter(|registry| &registry.id == from).ok_or(HoldFault::Unauthorized)?;
        let notice = signed.verify(&registry.signing_key).map_err(|_| HoldFault::Unauthorized)?;
        if notice.version != limits::VERSION_MAX || &notice.audience != own {
            return Err(HoldFault::Malformed);
        }
        Ok((notice, signed.digest()))
    }

    fn receipt(&self, notice: Digest, at: Timestamp) -> Signed<HoldReceipt> {
        let receipt = HoldReceipt { institution: self.means.own.clone(), notice, at };
        Signed::sign(&receipt, self.means.keys.signing())
    }
}

#[cfg(test)]
impl Holds {
    /// A hold as a notice leaves it.
    pub(crate) async fn enter(&self, pseudonym: &Pseudonym, guardian: Option<GuardianAlias>) {
        let row = HoldRow {
            registry: "maebashi/city-hall".to_owned(),
            guardian: guardian.map(|guardian| guardian.0),
            lifted: false,
            issued: 0,
            review_by: u64::MAX,
            notice: [0; 32],
            at: 0,
        };
        let key = [b"i", index(&self.means, pseudonym).as_slice(), &self.means.env.random::<16>()].concat();
        let mut change = self.means.vault.change();
        change.put(TABLE, &key, &row).ok();
        change.commit().await.ok();
    }
}

impl HoldKeeper for Holds {
    fn store<'a>(
        &'a self,
        from: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, Declined>> {
        Box::pin(async move {
            self.take(from, &notice).await.map_err(|fault| {
                tracing::warn!(%fault, %from, "a hold notice was not taken");
                fault.into()
            })
        })
    }
}

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holds(***)")
    }
}
