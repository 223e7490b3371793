//! Sealing to one recipient: HPKE base mode (RFC 9180), and padding so that sizes say nothing.
//!
//! The suite stands on the wire, so that a post-quantum one can follow. `info` binds purpose and
//! parties: a box sealed for one use does not open in another.

use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};

use crate::cbor::{wire_code, wire_newtype, wire_struct};
use crate::ids::Digest;

wire_code! {
    /// HPKE cipher suite: KEM, KDF and AEAD of RFC 9180 section 7.
    pub enum Suite {
        /// DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20-Poly1305 0x0003.
        1 => X25519ChaCha20 = "x25519_hkdf_sha256_chacha20poly1305",
    }
}

/// Why a box was not sealed or opened. Says nothing about the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's public key is not a valid one.
    #[error("the recipient's public key is not valid")]
    PublicKey,
    /// The box does not open: other key, other purpose, or altered.
    #[error("the sealed box does not open with this key for this purpose")]
    DoesNotOpen,
    /// The content does not fit its padded size.
    #[error("{length} bytes do not fit the padded size {size}")]
    TooLong {
        /// Bytes of the content.
        length: usize,
        /// Padded size in bytes.
        size: usize,
    },
    /// The padding is not what padding must be.
    #[error("the padding is not valid")]
    Padding,
}

/// A private key boxes are sealed to; wiped from memory when dropped.
pub struct SealingSecret(<X25519HkdfSha256 as hpke::Kem>::PrivateKey);

impl SealingSecret {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Self {
        Self(X25519HkdfSha256::gen_keypair().0)
    }

    /// The key stored as these bytes.
    ///
    /// # Errors
    /// The bytes are not a private key of the suite.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SealError> {
        let key = <X25519HkdfSha256 as hpke::Kem>::PrivateKey::from_bytes(bytes);
        key.map(Self).map_err(|_| SealError::PublicKey)
    }

    /// The bytes, for storing the key.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public half.
    pub fn public(&self) -> SealingPublic {
        SealingPublic(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }

    /// Opens a box that was sealed to this key with the same `info` and `aad`.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`], whatever the cause.
    pub fn open(&self, info: &[u8], aad: &[u8], sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let Suite::X25519ChaCha20 = sealed.suite;
        let encapsulated = <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&sealed.encapsulated)
            .map_err(|_| SealError::DoesNotOpen)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            info,
            &sealed.ciphertext,
            aad,
        )
        .map_err(|_| SealError::DoesNotOpen)
    }
}

impl fmt::Debug for SealingSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingSecret(***)")
    }
}

/// A public key boxes are sealed to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealingPublic(pub [u8; 32]);

impl SealingPublic {
    /// Names the key: the first 8 bytes of its SHA-256.
    pub fn id(&self) -> SealingKeyId {
        let Digest(digest) = Digest::of(&[&self.0]);
        let mut id = [0; 8];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        SealingKeyId(id)
    }

    /// Seals `plaintext` so that only the holder of the private key can read it.
    ///
    /// # Errors
    /// The public key is not valid.
    pub fn seal(&self, info: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Sealed, SealError> {
        let key = <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&self.0)
            .map_err(|_| SealError::PublicKey)?;
        let (encapsulated, ciphertext) = hpke::single_shot_seal::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &key, info, plaintext, aad)
        .map_err(|_| SealError::PublicKey)?;
        Ok(Sealed { suite: Suite::X25519ChaCha20, encapsulated: encapsulated.to_bytes().into(), ciphertext })
    }
}

impl fmt::Debug for SealingPublic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealingPublic({})", Digest(self.0).hex())
    }
}

/// Names a sealing key, so that the recipient finds the private one while two are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealingKeyId(pub [u8; 8]);

wire_newtype!(SealingPublic, SealingKeyId);

wire_struct! {
    /// A sealed box: only the holder of one private key can open it.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Sealed {
        /// How it is sealed.
        1 => pub suite: Suite,
        /// The encapsulated key (`enc` of RFC 9180).
        3 => pub encapsulated: [u8; 32],
        /// The ciphertext with its 16-byte tag.
        5 => pub ciphertext: Vec<u8>,
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({} bytes)", self.ciphertext.len())
    }
}

/// `info` of a box: label and parties, each with its length, so that no two sets run together.
pub fn info(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut info = crate::signing::labelled(label, &[]);
    for part in parts {
        info.extend_from_slice(&(part.len() as u32).to_be_bytes());
        info.extend_from_slice(part);
    }
    info
}

/// Content in exactly `size` bytes: its length as four big-endian bytes, itself, zeros.
///
/// # Errors
/// The content and its length do not fit.
pub fn pad(content: &[u8], size: usize) -> Result<Vec<u8>, SealError> {
    let too_long = SealError::TooLong { length: content.len(), size };
    let length = u32::try_from(content.len()).map_err(|_| too_long)?;
    if content.len() + 4 > size {
        return Err(too_long);
    }
    let mut padded = Vec::with_capacity(size);
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(content);
    padded.resize(size, 0);
    Ok(padded)
}

/// The content of padded bytes; everything after it must be zero.
///
/// # Errors
/// The length claims more than there is, or the padding is not all zeros.
pub fn unpad(padded: &[u8]) -> Result<&[u8], SealError> {
    let (length, rest) = padded.split_first_chunk::<4>().ok_or(SealError::Padding)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| SealError::Padding)?;
    let (content, padding) = rest.split_at_checked(length).ok_or(SealError::Padding)?;
    if padding.iter().all(|&byte| byte == 0) { Ok(content) } else { Err(SealError::Padding) }
}
