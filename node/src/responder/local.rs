//! What a responder asks of the institution's own books.

use hibiki_protocol::act::{ChangeConsent, Withdrawal};
use hibiki_protocol::answer::Record;
use hibiki_protocol::frames::Declined;
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::{GuardianAlias, MemberId, Pseudonym};
use hibiki_protocol::policy::{Consent, Hold, ReadPermit, Withheld};
use hibiki_protocol::query::VerifiedQuery;
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::registration::{ChangeRegistration, RegistrationRefusal, RegistrationState};
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::{Signed, VerifyingKey};
use hibiki_protocol::time::Day;
use hibiki_protocol::tlog::DigestKind;
use hibiki_protocol::token::PairwiseToken;

use crate::services::Pending;

/// A person of this institution, found through a link.
#[derive(Clone)]
pub struct LocalSubject {
    /// Her key in the keyring: random, and never leaves the institution.
    pub key: [u8; 16],
    /// Her birth date as this institution knows it.
    pub birth_date: Day,
}

impl std::fmt::Debug for LocalSubject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LocalSubject(***)")
    }
}

/// The books cannot be read at present. Says nothing about anybody.
#[derive(Debug, thiserror::Error)]
#[error("the institution's books cannot be read: {0}")]
pub struct LocalFault(pub String);

/// The institution's books.
pub trait Local: Send + Sync {
    /// The person a token of `registry` means, its digests compared once more with what is known here.
    ///
    /// # Errors
    /// The books cannot be read. That nobody is linked is an answer, not an error.
    fn resolve(
        &self,
        registry: &MemberId,
        token: &PairwiseToken,
    ) -> Result<Result<LocalSubject, Withheld>, LocalFault>;

    /// Holds on this subject.
    ///
    /// # Errors
    /// The books cannot be read.
    fn holds(&self, pseudonym: &Pseudonym) -> Result<Vec<Hold>, LocalFault>;

    /// Consents about this subject.
    ///
    /// # Errors
    /// The books cannot be read.
    fn consents(&self, pseudonym: &Pseudonym) -> Result<Vec<Consent>, LocalFault>;

    /// Whether there is any permitted record of this subject.
    ///
    /// # Errors
    /// The books cannot be read.
    fn has_any(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<bool, LocalFault>;

    /// The permitted records of this subject, oldest first.
    ///
    /// # Errors
    /// The books cannot be read.
    fn read(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<Vec<Record>, LocalFault>;
}

/// A choice that a guardian makes with her card. That she may was decided before.
pub struct GuardiansChoice<'a> {
    /// Whose records it is about.
    pub subject: [u8; 16],
    /// The name under which they were asked for.
    pub pseudonym: Pseudonym,
    /// The query that brought it.
    pub query: &'a VerifiedQuery,
    /// What is to change.
    pub change: &'a ChangeConsent,
    /// The gateway that brought it.
    pub via: &'a MemberId,
    /// What its ledger entry is laid beside.
    pub digests: Vec<(DigestKind, [u8; 32])>,
}

/// A choice that was carried out, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its ledger entry.
    pub receipt: Receipt,
    /// It had been carried out before, and nothing was done now.
    pub again: bool,
}

/// Why a choice was not carried out. Nothing of it is in force.
#[derive(Debug, thiserror::Error)]
pub enum NotChosen {
    /// The ledger cannot be written.
    #[error("the choice could not be logged")]
    NotLogged,
    /// Another command was sent under this name before.
    #[error("the name of the command was used for another one")]
    OtherCommand,
    /// More commands in a day than are remembered.
    #[error("too many commands about one subject in one day")]
    TooMany,
    /// The books.
    #[error(transparent)]
    Fault(#[from] LocalFault),
}

/// Keeps what guardians choose.
pub trait ChoiceKeeper: Send + Sync {
    /// What this guardian has withdrawn about this subject.
    ///
    /// # Errors
    /// The books cannot be read.
    fn withdrawn(
        &self,
        pseudonym: &Pseudonym,
        guardian: &GuardianAlias,
    ) -> Result<Vec<Withdrawal>, LocalFault>;

    /// Carries out a choice; returns once it is logged, durable and in force.
    fn choose<'a>(&'a self, choice: &'a GuardiansChoice<'a>) -> Pending<'a, Result<Chosen, NotChosen>>;
}

/// A change of what a guardian has registered. That she may was decided before.
pub struct GuardiansRegistration<'a> {
    /// Whom it is about.
    pub subject: [u8; 16],
    /// The name under which she was asked for.
    pub pseudonym: Pseudonym,
    /// The query that brought it.
    pub query: &'a VerifiedQuery,
    /// What is to change.
    pub command: &'a ChangeRegistration,
    /// The gateway that brought it.
    pub via: &'a MemberId,
    /// What its ledger entry is laid beside.
    pub digests: Vec<(DigestKind, [u8; 32])>,
}

/// Keeps what guardians register.
pub trait RegistrationKeeper: Send + Sync {
    /// What this guardian is told of what is registered for this subject.
    ///
    /// # Errors
    /// The books cannot be read.
    fn state(&self, subject: &[u8; 16], guardian: &GuardianAlias) -> Result<RegistrationState, LocalFault>;

    /// Carries out a change, or says what is wrong with it; returns once it is logged, durable and in force.
    fn register<'a>(
        &'a self,
        change: &'a GuardiansRegistration<'a>,
    ) -> Pending<'a, Result<Result<Chosen, RegistrationRefusal>, NotChosen>>;
}

/// Takes holds that a registry orders.
pub trait HoldKeeper: Send + Sync {
    /// Verifies and stores a notice; returns once it is durable and in force.
    fn store<'a>(
        &'a self,
        from: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, Declined>>;
}

/// Takes ends of sessions that gateways bring, and knows which sessions have ended.
pub trait SessionEndKeeper: Send + Sync {
    /// Verifies and stores an end; returns once it is durable and in force.
    fn end<'a>(&'a self, from: &'a MemberId, end: SealedSessionEnd) -> Pending<'a, Result<(), Declined>>;

    /// Whether the session of this key has ended: then nothing is answered under it.
    fn has_ended(&self, session_key: &VerifyingKey) -> bool;
}
