//! The end of a session, told to one institution: from now on it answers nothing under this key.
//!
//! The session key signs its own end, so that nobody but the terminal that made it can end a session.
//! The terminal seals one end to every institution and leaves them with its gateway as soon as the
//! session is open, as a dead man's switch: the gateway can neither read nor make one, and delivers them
//! when the card is taken away, and also when the terminal dies and cannot say so itself.
//!
//! [`SealedSessionEnd`] → [`VerifiedSessionEnd`], which can only be made by verification.

use crate::cbor::{self, wire_struct};
use crate::ids::MemberId;
use crate::limits;
use crate::sealing::{self, SealError, Sealed, SealingKeyId, SealingSecret};
use crate::signing::{Signable, Signed, SigningKey, VerifyingKey};
use crate::time::Timestamp;
use crate::trust::SealingKey;

wire_struct! {
    /// Ends the session of one key at one institution. Signed by that very key.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionEnd {
        /// Protocol version.
        1 => pub version: u64,
        /// The only institution it is for.
        3 => pub audience: MemberId,
        /// The session key that was made for this institution.
        5 => pub session_key: VerifyingKey,
        /// When the session would have ended by itself; an end older than that ends nothing.
        7 => pub not_after: Timestamp,
    }
}

impl Signable for SessionEnd {
    const LABEL: &'static str = "hibiki/1/session-end";
}

wire_struct! {
    /// The end of a session, sealed to one institution: all a gateway ever sees of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SealedSessionEnd {
        /// The institution.
        1 => pub audience: MemberId,
        /// Which of its keys it is sealed to.
        3 => pub key_id: SealingKeyId,
        /// The padded, signed end.
        5 => pub sealed: Sealed,
    }
}

/// Why an end ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionEndFault {
    /// For another institution, not of the common size, sealed to another key, damaged, or not an end
    /// of this version.
    #[error("not the end of a session with this institution")]
    Malformed,
    /// The key it names did not sign it.
    #[error("the end of a session is not signed by the session's own key")]
    Signature,
    /// The session's time is over: there is nothing left to end.
    #[error("the session has ended by its time")]
    Over,
    /// It names an end further away than any session's.
    #[error("the end of a session is valid for too long")]
    TooLong,
}

fn end_info(audience: &MemberId, key: SealingKeyId) -> Vec<u8> {
    sealing::info("hibiki/1/sealed-session-end", &[audience.as_str().as_bytes(), &key.0])
}

impl SealedSessionEnd {
    /// Bytes of every sealed end's ciphertext: the padded plaintext and the 16-byte tag.
    pub const CIPHERTEXT_BYTES: usize = limits::SESSION_END_PLAINTEXT_BYTES + 16;

    /// Signs the end of `session_key` with itself and seals it to `to`, a key of `audience`. `not_after`
    /// is when the session ends by itself: the end of its grants.
    ///
    /// # Errors
    /// The sealing key is invalid.
    pub fn seal(
        session_key: &SigningKey,
        not_after: Timestamp,
        audience: &MemberId,
        to: &SealingKey,
    ) -> Result<Self, SealError> {
        let end = SessionEnd {
            version: limits::VERSION_MAX,
            audience: audience.clone(),
            session_key: session_key.verifying_key(),
            not_after,
        };
        Self::seal_signed(&Signed::sign(&end, session_key), audience, to)
    }

    /// Seals an end that is signed already.
    ///
    /// # Errors
    /// The sealing key is invalid.
    pub fn seal_signed(
        end: &Signed<SessionEnd>,
        audience: &MemberId,
        to: &SealingKey,
    ) -> Result<Self, SealError> {
        let padded = sealing::pad(&cbor::encode(end), limits::SESSION_END_PLAINTEXT_BYTES)?;
        let key_id = to.public.id();
        let sealed = to.public.seal(&end_info(audience, key_id), &[], &padded)?;
        Ok(Self { audience: audience.clone(), key_id, sealed })
    }

    /// Whether it has the one size an end may have: all a gateway can check.
    pub fn has_common_size(&self) -> bool {
        self.sealed.ciphertext.len() == Self::CIPHERTEXT_BYTES
    }

    /// Opens the end at its institution and verifies it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(
        &self,
        own: &MemberId,
        secret: &SealingSecret,
        now: Timestamp,
    ) -> Result<VerifiedSessionEnd, SessionEndFault> {
        let malformed = |_| SessionEndFault::Malformed;
        if &self.audience != own || !self.has_common_size() {
            return Err(SessionEndFault::Malformed);
        }
        let padded = secret.open(&end_info(own, self.key_id), &[], &self.sealed).map_err(malformed)?;
        let bytes = sealing::unpad(&padded).map_err(malformed)?;
        let signed: Signed<SessionEnd> = cbor::decode(bytes).map_err(|_| SessionEndFault::Malformed)?;
        VerifiedSessionEnd::verify(&signed, own, now)
    }
}

/// An end whose institution, signature and times were checked: the holder of the session key wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSessionEnd {
    end: SessionEnd,
}

impl VerifiedSessionEnd {
    fn verify(signed: &Signed<SessionEnd>, own: &MemberId, now: Timestamp) -> Result<Self, SessionEndFault> {
        let claimed = signed.claimed().map_err(|_| SessionEndFault::Malformed)?;
        let end = signed.verify(&claimed.session_key).map_err(|_| SessionEndFault::Signature)?;
        if end.version < limits::VERSION_MIN || end.version > limits::VERSION_MAX || &end.audience != own {
            return Err(SessionEndFault::Malformed);
        }
        if end.not_after <= now {
            return Err(SessionEndFault::Over);
        }
        if end.not_after > Self::outlives_every_grant(now) {
            return Err(SessionEndFault::TooLong);
        }
        Ok(Self { end })
    }

    /// The key whose session ends.
    pub fn session_key(&self) -> &VerifyingKey {
        &self.end.session_key
    }

    /// When the session would have ended by itself.
    pub fn not_after(&self) -> Timestamp {
        self.end.not_after
    }

    /// Until when an institution that is told at `now` must remember the end: no grant made before `now`,
    /// by whatever honest clock, is accepted any longer. It does not depend on what the end says, so that
    /// nobody can shorten it.
    pub const fn outlives_every_grant(now: Timestamp) -> Timestamp {
        now.plus(limits::SESSION_MILLIS_MAX + limits::CLOCK_SKEW_MILLIS)
    }
}
