//! Why the registry did not do what a clerk asked. No message names a person.

use hibiki_protocol::ids::MemberId;

use super::resident::ResidentFault;
use crate::admin::AdminError;
use crate::admin::body::BodyError;
use crate::ledger::NotLogged;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why an act of the registry was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// A field of a resident.
    #[error("{0}")]
    Resident(#[from] ResidentFault),
    /// A file.
    #[error("{0}")]
    Csv(#[from] super::csv::CsvFault),
    /// The upload.
    #[error("{0}")]
    Body(#[from] BodyError),
    /// Nobody has this number.
    #[error(
        "no resident has the number given as {0}; enter the resident first / その番号の住民は登録されていません"
    )]
    NoSuchResident(&'static str),
    /// Nothing has this id.
    #[error("there is no {0} with this id; see the list / 該当する{1}がありません")]
    NoSuchId(&'static str, &'static str),
    /// The state does not allow it.
    #[error("{0}")]
    State(&'static str),
    /// The same clerk twice.
    #[error(
        "a second clerk must do this: the first step was entered by the same name / 別の職員が承認してください"
    )]
    SameClerk,
    /// A guardianship that cannot be.
    #[error("{0}")]
    Guardianship(#[from] super::guardianship::GuardianshipFault),
    /// A card that cannot be enrolled.
    #[error("{0}")]
    Card(#[from] super::card::CardFault),
    /// A revocation list that is not taken.
    #[error("{0}")]
    Revocation(#[from] super::card::revocation::InstallFault),
    /// Not a member that answers queries.
    #[error("{0} is no member that holds records in the trust list in force; see `hibiki-node status`")]
    NoSuchMember(MemberId),
    /// A member without a usable sealing key.
    #[error("{0} has no sealing key that is valid now; it must publish a new one through the council")]
    NoSealingKey(MemberId),
    /// Too long, empty or out of bounds.
    #[error("{0}")]
    Argument(&'static str),
}

impl RegistryError {
    /// Somebody else changed the same row in between: the act may simply be repeated.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Vault(VaultError::Store(StoreError::Conflict)))
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        Self::Vault(error.into())
    }
}

impl From<RegistryError> for AdminError {
    fn from(error: RegistryError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}
