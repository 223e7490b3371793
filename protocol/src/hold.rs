//! Holds (支援措置, court orders): who must see nothing, whatever anybody grants.

use crate::cbor::{self, wire_code, wire_struct};
use crate::ids::{Digest, GuardianAlias, HoldId, MemberId};
use crate::limits;
use crate::sealing::{self, SealError, Sealed, SealingKeyId, SealingSecret};
use crate::signing::{Signable, Signed};
use crate::time::Timestamp;
use crate::token::SealedToken;
use crate::trust::SealingKey;

wire_code! {
    /// Whether a hold begins or ends.
    pub enum HoldState {
        /// Nothing is shown from now on.
        1 => Placed = "placed",
        /// Withdrawn by the registry after review; never by the passing of time.
        2 => Lifted = "lifted",
    }
}

wire_struct! {
    /// The registry's order to one institution.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct HoldNotice {
        /// Protocol version.
        1 => pub version: u64,
        /// Names this hold at this institution.
        3 => pub id: HoldId,
        /// The registry.
        5 => pub registry: MemberId,
        /// The institution.
        7 => pub audience: MemberId,
        /// Whose records.
        9 => pub token: SealedToken,
        /// Which of the institution's keys the token is sealed to.
        11 => pub token_key: SealingKeyId,
        /// From whom they are withheld; absent: from every guardian.
        13 => pub guardian: Option<GuardianAlias>,
        /// Begins or ends.
        15 => pub state: HoldState,
        /// When it was ordered. A later notice of the same hold replaces an earlier one.
        17 => pub issued: Timestamp,
        /// When it must be reviewed. Passing this date changes nothing by itself.
        19 => pub review_by: Timestamp,
    }
}

impl Signable for HoldNotice {
    const LABEL: &'static str = "hibiki/1/hold-notice";
}

wire_struct! {
    /// A hold notice sealed to one institution; padded like a part.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SealedHoldNotice {
        /// The institution.
        1 => pub audience: MemberId,
        /// Which of its keys it is sealed to.
        3 => pub key_id: SealingKeyId,
        /// The padded, signed notice.
        5 => pub sealed: Sealed,
    }
}

wire_struct! {
    /// The institution's receipt for a notice it stored durably.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct HoldReceipt {
        /// The institution.
        1 => pub institution: MemberId,
        /// Digest of the signed notice.
        3 => pub notice: Digest,
        /// When it took effect there.
        5 => pub at: Timestamp,
    }
}

impl Signable for HoldReceipt {
    const LABEL: &'static str = "hibiki/1/hold-receipt";
}

fn hold_info(audience: &MemberId, key: SealingKeyId) -> Vec<u8> {
    sealing::info("hibiki/1/hold", &[audience.as_str().as_bytes(), &key.0])
}

impl SealedHoldNotice {
    /// Seals a signed notice to `to`, a key of `audience`.
    ///
    /// # Errors
    /// The sealing key is invalid.
    pub fn seal(
        notice: &Signed<HoldNotice>,
        audience: &MemberId,
        to: &SealingKey,
    ) -> Result<Self, SealError> {
        let padded = sealing::pad(&cbor::encode(notice), limits::PART_PLAINTEXT_BYTES)?;
        let key_id = to.public.id();
        let sealed = to.public.seal(&hold_info(audience, key_id), &[], &padded)?;
        Ok(Self { audience: audience.clone(), key_id, sealed })
    }

    /// Opens the notice at its institution; the registry's signature is still to be verified.
    ///
    /// # Errors
    /// It names another institution, has not the common size, is sealed to another key, or damaged.
    pub fn open(&self, own: &MemberId, secret: &SealingSecret) -> Result<Signed<HoldNotice>, SealError> {
        if &self.audience != own || self.sealed.ciphertext.len() != limits::PART_PLAINTEXT_BYTES + 16 {
            return Err(SealError::DoesNotOpen);
        }
        let padded = secret.open(&hold_info(own, self.key_id), &[], &self.sealed)?;
        cbor::decode(sealing::unpad(&padded)?).map_err(|_| SealError::DoesNotOpen)
    }
}
