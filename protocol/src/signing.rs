//! Ed25519 signatures (RFC 8032) over labelled bytes.
//!
//! What is signed is `label ‖ 0x00 ‖ payload`: a signature made for one purpose never verifies for
//! another. A [`Signed`] value is bytes until [`Signed::verify`] has checked the signature over the
//! received bytes; only then are they decoded, strictly.

use std::fmt;
use std::marker::PhantomData;

use ed25519_dalek::Signer as _;

use crate::cbor::{self, DecodeError, Decoder, Element, Encoder, Wire, wire_newtype};
use crate::ids::Digest;

/// A structure that is signed, and the label that separates it from every other.
pub trait Signable: Wire {
    /// The domain-separation label, such as `hibiki/1/grant`.
    const LABEL: &'static str;
}

/// Why a signed structure is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The signature does not fit key and bytes.
    #[error("the signature does not verify")]
    Signature,
    /// The signature is right, but the bytes are not what they should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// An Ed25519 private key; wiped from memory when dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of this 32-byte seed (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, for storing the key.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `label ‖ 0x00 ‖ payload`.
    pub fn sign(&self, label: &str, payload: &[u8]) -> Signature {
        Signature(self.0.sign(&labelled(label, payload)).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(***)")
    }
}

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey(pub [u8; 32]);

impl VerifyingKey {
    /// Whether `signature` is this key's over `label ‖ 0x00 ‖ payload`. Strict: small-order and
    /// non-canonical points are refused, so that everybody agrees on what verifies.
    pub fn verifies(&self, label: &str, payload: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        ed25519_dalek::VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&labelled(label, payload), &signature).is_ok())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({})", Digest(self.0).hex())
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

wire_newtype!(VerifyingKey, Signature);

/// `label ‖ 0x00 ‖ payload`: what is signed, by nodes with Ed25519 and by the card with RSA.
pub fn labelled(label: &str, payload: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &[0], payload].concat()
}

/// The bytes of a `T` and one signature over them; not yet known to be true.
pub struct Signed<T> {
    payload: Vec<u8>,
    signature: Signature,
    kind: PhantomData<fn() -> T>,
}

impl<T: Signable> Signed<T> {
    /// Encodes and signs.
    pub fn sign(value: &T, key: &SigningKey) -> Self {
        let payload = cbor::encode(value);
        let signature = key.sign(T::LABEL, &payload);
        Self { payload, signature, kind: PhantomData }
    }

    /// The value, if `key` signed exactly these bytes and they decode strictly.
    ///
    /// # Errors
    /// The signature does not verify, or the signed bytes are not a `T`.
    pub fn verify(&self, key: &VerifyingKey) -> Result<T, SignedError> {
        if !key.verifies(T::LABEL, &self.payload, &self.signature) {
            return Err(SignedError::Signature);
        }
        Ok(cbor::decode(&self.payload)?)
    }

    /// The value as claimed, before any signature is checked: only for finding out which key to
    /// verify with.
    ///
    /// # Errors
    /// The bytes are not a `T`.
    pub fn claimed(&self) -> Result<T, DecodeError> {
        cbor::decode(&self.payload)
    }

    /// SHA-256 of the whole signed structure, signature included.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&cbor::encode(self)])
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self { payload: self.payload.clone(), signature: self.signature, kind: PhantomData }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.payload == other.payload && self.signature == other.signature
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signed({} bytes)", self.payload.len())
    }
}

/// `{1: payload, 3: signature}`.
impl<T> Wire for Signed<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(2);
        encoder.uint(1);
        encoder.bytes(&self.payload);
        encoder.uint(3);
        self.signature.encode(encoder);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let shape = DecodeError::Value { expected: "signed structure" };
        if decoder.map()? != 2 || decoder.uint()? != 1 {
            return Err(shape);
        }
        let payload = decoder.bytes()?.to_vec();
        if decoder.uint()? != 3 {
            return Err(shape);
        }
        Ok(Self { payload, signature: Signature::decode(decoder)?, kind: PhantomData })
    }
}

impl<T> Element for Signed<T> {}
