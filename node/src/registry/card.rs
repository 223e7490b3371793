//! The guardian's card: its certificate, its revocation, its signature.
//!
//! [`chain`] accepts exactly one shape of certificate, [`revocation`] says whether it still counts, and
//! [`algorithm`] which signatures are taken. Must not know: who the holder is; that is the enrolment's.

pub mod algorithm;
pub mod chain;
pub mod revocation;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use hibiki_protocol::ids::Digest;
use hibiki_protocol::session::SessionRefusal;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::CardAuthority;

pub use chain::{CardCertificate, CardFault};
pub use revocation::{RevocationFolder, RevocationSource, Standing};

/// A card whose certificate, revocation and signature were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedCard {
    /// SHA-256 of the public key (SubjectPublicKeyInfo, DER): what enrolment knows the card by.
    pub key: Digest,
    /// Whether its authority is a simulated one.
    pub simulated: bool,
}

/// Verifies a card: chain and profile, then revocation, then its signature over `message`.
///
/// # Errors
/// The first check that fails, as the person at the terminal is told it.
pub fn verify(
    certificate: &[u8],
    message: &[u8],
    signature: &[u8],
    authorities: &[CardAuthority],
    revocations: &dyn RevocationSource,
    now: Timestamp,
) -> Result<VerifiedCard, SessionRefusal> {
    let card = CardCertificate::verify(certificate, authorities, now)?;
    match revocations.standing(&card, now) {
        Standing::Good => {}
        Standing::Revoked => return Err(SessionRefusal::CardRevoked),
        Standing::Unknown => return Err(SessionRefusal::RevocationUnknown),
    }
    if !card.algorithm().verifies(card.public_key(), message, signature) {
        return Err(SessionRefusal::CardSignature);
    }
    Ok(VerifiedCard { key: card.key(), simulated: card.authority().simulated })
}
