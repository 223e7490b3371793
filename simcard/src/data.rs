//! What lies on a card, as its file spells it. Bytes and counters only; knows nothing of PINs.

use std::io;
use std::path::Path;

use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::certificate;
use crate::error::CardError;
use crate::file::damaged;
use crate::key::SALT_LEN;
use crate::slot::KeySlot;

const FORMAT: &str = "hibiki-simcard-2";
/// Formats of earlier versions, which had one key only.
pub(crate) const OLD_FORMATS: [&str; 1] = ["hibiki-simcard-1"];

/// The whole card.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardData {
    format: String,
    simulated: bool,
    pub(crate) holder_id: String,
    authentication: KeyData,
    /// A card may lack it.
    signature: Option<KeyData>,
}

/// One key pair and what belongs to it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyData {
    pub(crate) tries_left: u8,
    #[serde(with = "bytes")]
    pub(crate) pin_salt: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) pin_verifier: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) private_key: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) public_key: Vec<u8>,
    pub(crate) certificates: Option<Certificates>,
}

/// The holder's certificate and the authority's, DER.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificates {
    #[serde(with = "bytes")]
    pub(crate) holder: Vec<u8>,
    #[serde(with = "bytes")]
    pub(crate) ca: Vec<u8>,
}

impl CardData {
    pub(crate) fn new(holder_id: String, authentication: KeyData, signature: Option<KeyData>) -> Self {
        Self { format: FORMAT.to_owned(), simulated: true, holder_id, authentication, signature }
    }

    /// A key's data; `None` where the card lacks the key.
    pub(crate) fn key(&self, slot: KeySlot) -> Option<&KeyData> {
        match slot {
            KeySlot::Authentication => Some(&self.authentication),
            KeySlot::Signature => self.signature.as_ref(),
        }
    }

    /// A key's data, to change it.
    pub(crate) fn key_mut(&mut self, slot: KeySlot, path: &Path) -> Result<&mut KeyData, CardError> {
        match slot {
            KeySlot::Authentication => Ok(&mut self.authentication),
            KeySlot::Signature => {
                self.signature.as_mut().ok_or_else(|| CardError::NoSignatureKey { path: path.to_owned() })
            }
        }
    }

    /// SHA-256 of the JSON, lower-case hexadecimal.
    pub(crate) fn digest(&self) -> io::Result<String> {
        let encoded = serde_json::to_vec(self)?;
        Ok(Sha256::digest(encoded).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether every part is possible and fits the others.
    pub(crate) fn check(&self, path: &Path) -> Result<(), CardError> {
        if self.format != FORMAT || !self.simulated {
            return Err(damaged(path, "format"));
        }
        for slot in KeySlot::ALL {
            let Some(key) = self.key(slot) else { continue };
            if key.tries_left > slot.tries() {
                return Err(damaged(path, "tries left"));
            }
            if let Some(held) = &key.certificates {
                certificate::check(&held.holder, &held.ca, &key.public_key)
                    .map_err(|_| damaged(path, "certificate"))?;
            }
        }
        Ok(())
    }
}

impl KeyData {
    /// The salt beside the PIN verifier.
    pub(crate) fn salt(&self, path: &Path) -> Result<[u8; SALT_LEN], CardError> {
        self.pin_salt.as_slice().try_into().map_err(|_| damaged(path, "salt"))
    }
}

/// Bytes as base64 in JSON.
mod bytes {
    use super::{BASE64, Deserialize};
    use base64::Engine as _;
    use serde::{Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text).map_err(|_| D::Error::custom("not base64"))
    }
}
