//! The seam to the keyring: who encrypts a full ledger entry, and under whose key. The ledger knows neither
//! keys nor ciphers; it learns only that an entry can no longer be opened because its key was destroyed.

/// The id of a subject's key in this institution's own keyring. Random, and never leaves the institution.
pub type SubjectKey = [u8; 16];

/// Why an entry could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key was destroyed on purpose: the subject was erased.
    #[error("the key of this entry was destroyed: the subject was erased")]
    Erased,
    /// There is no such key, or the keyring cannot be read.
    #[error("the keyring does not give the key of this entry")]
    Unavailable,
    /// The sealed bytes, or what they belong to, were altered.
    #[error("the sealed entry was altered: it does not open with its key")]
    Altered,
}

/// Encrypts and opens full entries with authenticated encryption.
pub trait EntrySealer: Send + Sync {
    /// Encrypts `plaintext` under the subject's key, or under the node's own where there is no subject,
    /// bound to `aad`.
    ///
    /// # Errors
    /// [`SealError`]; the entry is then not logged.
    fn seal(&self, subject: Option<SubjectKey>, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Opens what [`EntrySealer::seal`] returned for the same subject and `aad`.
    ///
    /// # Errors
    /// [`SealError::Erased`] if the subject's key was destroyed, [`SealError`] otherwise.
    fn open(&self, subject: Option<SubjectKey>, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}
