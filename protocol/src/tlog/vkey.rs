//! Keys of signed notes (c2sp.org/signed-note): the verifier key in its one-line form, the key id, and the
//! signer. Knows what is signed only as text.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::note::NoteSignature;

/// The signature types of signed notes that Hibiki speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// Type 0x01: Ed25519 over the note text.
    Ed25519,
    /// Type 0x04: a witness's timestamped Ed25519 cosignature (c2sp.org/tlog-cosignature).
    CosignatureV1,
}

impl KeyAlgorithm {
    /// The signature type identifier byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

/// Why a text is not a usable verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VkeyError {
    /// It is not of the form `name+id+key`.
    #[error("not a verifier key: expected <name>+<8 hex digits>+<base64 key>")]
    Form,
    /// The name is empty or has a space or a plus in it.
    #[error("the key name is empty, or has a space, a control character or a plus in it")]
    Name,
    /// The type byte is neither 0x01 nor 0x04.
    #[error("signature type {0:#04x} is not supported: 0x01 (Ed25519) and 0x04 (cosignature/v1) are")]
    Algorithm(u8),
    /// The bytes are no Ed25519 public key.
    #[error("the key is not a usable Ed25519 public key")]
    Key,
    /// The id is not that of this name and key: a typing mistake somewhere in the line.
    #[error("the key id does not belong to this name and key: was the line copied completely?")]
    Id,
}

/// A trusted key: a name, an algorithm and an Ed25519 public key. Printed and read as a `vkey`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    algorithm: KeyAlgorithm,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A verifier key from its parts.
    ///
    /// # Errors
    /// [`VkeyError::Name`] for a name that a signature line cannot carry, [`VkeyError::Key`] for a weak key.
    pub fn new(name: &str, algorithm: KeyAlgorithm, key: VerifyingKey) -> Result<Self, VkeyError> {
        if !valid_name(name) {
            return Err(VkeyError::Name);
        }
        if key.is_weak() {
            return Err(VkeyError::Key);
        }
        let id = key_id(name, algorithm, &key);
        Ok(Self { name: name.to_owned(), id, algorithm, key })
    }

    /// A verifier key from the 32 bytes of the public key.
    ///
    /// # Errors
    /// As [`VerifierKey::new`], and [`VkeyError::Key`] if the bytes are no public key.
    pub fn from_bytes(name: &str, algorithm: KeyAlgorithm, key: &[u8; 32]) -> Result<Self, VkeyError> {
        Self::new(name, algorithm, VerifyingKey::from_bytes(key).map_err(|_| VkeyError::Key)?)
    }

    /// The name that stands in its signature lines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id that opens its signatures.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// How it signs.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The bare public key.
    #[must_use]
    pub const fn public_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether a signature line names this key.
    #[must_use]
    pub fn made(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.id == signature.id
    }

    /// Checks one signature over a note text. `Ok` carries the time a witness signed at, in seconds.
    pub(super) fn verify(&self, text: &str, bytes: &[u8]) -> Option<Option<u64>> {
        match self.algorithm {
            KeyAlgorithm::Ed25519 => {
                let signature = Signature::from_slice(bytes).ok()?;
                self.key.verify_strict(text.as_bytes(), &signature).ok().map(|()| None)
            }
            KeyAlgorithm::CosignatureV1 => {
                let (time, signature) = bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                // "It MUST NOT exceed 2^63 - 1" (tlog-cosignature).
                i64::try_from(time).ok()?;
                let signature = Signature::from_slice(signature).ok()?;
                let message = cosigned_message(time, text);
                self.key.verify_strict(message.as_bytes(), &signature).ok().map(|()| Some(time))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = VkeyError;

    fn from_str(text: &str) -> Result<Self, VkeyError> {
        // The base64 may contain plus signs, a name may not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VkeyError::Form);
        };
        let well_formed =
            id.len() == 8 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let id = u32::from_str_radix(id, 16).ok().filter(|_| well_formed).ok_or(VkeyError::Form)?;
        let key = STANDARD.decode(key).map_err(|_| VkeyError::Form)?;
        let (algorithm, key) = key.split_first().ok_or(VkeyError::Form)?;
        let algorithm = match algorithm {
            0x01 => KeyAlgorithm::Ed25519,
            0x04 => KeyAlgorithm::CosignatureV1,
            other => return Err(VkeyError::Algorithm(*other)),
        };
        let key: &[u8; 32] = key.try_into().map_err(|_| VkeyError::Key)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| VkeyError::Key)?;
        let vkey = Self::new(name, algorithm, key)?;
        if vkey.id == id { Ok(vkey) } else { Err(VkeyError::Id) }
    }
}

/// A key that signs notes: a log's own, or a witness's.
pub struct NoteSigner {
    key: SigningKey,
    vkey: VerifierKey,
}

impl NoteSigner {
    /// A signer under this name.
    ///
    /// # Errors
    /// [`VkeyError::Name`] for a name that a signature line cannot carry.
    pub fn new(name: &str, algorithm: KeyAlgorithm, key: SigningKey) -> Result<Self, VkeyError> {
        let vkey = VerifierKey::new(name, algorithm, key.verifying_key())?;
        Ok(Self { key, vkey })
    }

    /// A signer from the 32-byte seed of its key (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`VkeyError::Name`] for a name that a signature line cannot carry.
    pub fn from_seed(name: &str, algorithm: KeyAlgorithm, seed: &[u8; 32]) -> Result<Self, VkeyError> {
        Self::new(name, algorithm, SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.vkey
    }

    /// Signs a note text as type 0x01, or as type 0x04 at `time` (seconds since the Unix epoch, ignored
    /// by type 0x01).
    #[must_use]
    pub fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let bytes = match self.vkey.algorithm {
            KeyAlgorithm::Ed25519 => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            KeyAlgorithm::CosignatureV1 => {
                let mut bytes = time.to_be_bytes().to_vec();
                bytes.extend(self.key.sign(cosigned_message(time, text).as_bytes()).to_bytes());
                bytes
            }
        };
        NoteSignature { name: self.vkey.name.clone(), id: self.vkey.id, bytes }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.vkey)
    }
}

/// Whether a signature line can carry this name.
pub(super) fn valid_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// SHA-256(name ‖ newline ‖ type ‖ public key), first four bytes.
fn key_id(name: &str, algorithm: KeyAlgorithm, key: &VerifyingKey) -> u32 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', algorithm.byte()])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    let [a, b, c, d, ..] = digest;
    u32::from_be_bytes([a, b, c, d])
}

/// What a witness signs (tlog-cosignature, "Ed25519 signed message").
fn cosigned_message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}
