//! The card's certificate as the terminal looks at it: until when, from whom, and how its key signs.
//!
//! Judges nothing about trust: the registry does. Names nobody: subject and serial number are not kept.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use hibiki_protocol::time::Timestamp;
use x509_parser::oid_registry::{OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{CardFault, Step};

/// DER of `DigestInfo { sha256, NULL }` up to the digest (RFC 8017 section 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Bytes of a modulus of 2048 bits, with the zero DER puts before it.
const RSA_2048_MODULUS: [usize; 2] = [256, 257];

/// How a card's key signs: the certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2): today's cards.
    Rsa2048Sha256,
    /// ECDSA on P-384 with SHA-384 (FIPS 186-5): announced for the next generation. How that card will
    /// take it is not published; what stands here follows ISO/IEC 7816-8 and was tried on no card.
    P384Sha384,
}

impl Algorithm {
    fn of(key: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        if key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
            let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return None };
            return RSA_2048_MODULUS.contains(&rsa.modulus.len()).then_some(Self::Rsa2048Sha256);
        }
        let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        let p384 = key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_NIST_EC_P384);
        p384.then_some(Self::P384Sha384)
    }

    /// What the card is given to sign a message: a DigestInfo for RSA, the bare digest for ECDSA.
    pub fn input(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa2048Sha256 => [&SHA256_DIGEST_INFO, digest(&SHA256, message).as_ref()].concat(),
            Self::P384Sha384 => digest(&SHA384, message).as_ref().to_vec(),
        }
    }

    /// The card's answer as a verifier takes it; `None` if it cannot be a signature.
    pub fn signature(self, answer: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa2048Sha256 => (answer.len() == 256).then(|| answer.to_vec()),
            // r and s side by side as smart cards give them, or already an ECDSA-Sig-Value (RFC 3279).
            Self::P384Sha384 if answer.len() == 96 => {
                let (r, s) = answer.split_at(48);
                Some(sequence(&[integer(r), integer(s)].concat()))
            }
            Self::P384Sha384 => (answer.first() == Some(&0x30)).then(|| answer.to_vec()),
        }
    }
}

/// A DER INTEGER from unsigned big-endian bytes, shorter than 128.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let significant: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let sign = significant.first().is_none_or(|first| *first >= 0x80).then_some(0);
    let content: Vec<u8> = sign.into_iter().chain(significant).collect();
    element(0x02, &content)
}

fn sequence(content: &[u8]) -> Vec<u8> {
    element(0x30, content)
}

/// A DER element shorter than 128 bytes: two integers of P-384 have 102 at most.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(0x7f);
    [&[tag, length], content].concat()
}

/// A user-authentication certificate, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    algorithm: Algorithm,
    issuer: String,
    not_before: i64,
    not_after: i64,
}

impl Certificate {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// It is none, or its key is of an unknown kind.
    pub fn read(der: Vec<u8>) -> Result<Self, CardFault> {
        let Ok(([], parsed)) = X509Certificate::from_der(&der) else {
            return Err(CardFault::Nonsense(Step::Certificate));
        };
        let algorithm = Algorithm::of(parsed.public_key()).ok_or(CardFault::UnknownKey)?;
        let organisation = parsed.issuer().iter_organization().next().and_then(|o| o.as_str().ok());
        let issuer = organisation.unwrap_or("?").to_owned();
        let validity = parsed.validity();
        let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        Ok(Self { der, algorithm, issuer, not_before, not_after })
    }

    /// The certificate itself.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// How its key signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The organisation that issued it: `JPKI` for the real ones.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// First day of validity, in Japan.
    pub fn from_day(&self) -> String {
        day(self.not_before)
    }

    /// Last day of validity, in Japan.
    pub fn to_day(&self) -> String {
        day(self.not_after)
    }

    /// Whether it is within its dates.
    ///
    /// # Errors
    /// [`CardFault::Expired`] or [`CardFault::NotYetValid`].
    pub fn check_dates(&self, now: Timestamp) -> Result<(), CardFault> {
        let now = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX);
        if now < self.not_before {
            return Err(CardFault::NotYetValid(self.from_day()));
        }
        if now > self.not_after {
            return Err(CardFault::Expired(self.to_day()));
        }
        Ok(())
    }
}

/// The day of a second since 1970, by the clock of Japan.
fn day(seconds: i64) -> String {
    let zoned = jiff::Timestamp::from_second(seconds).ok().and_then(|at| at.in_tz("Asia/Tokyo").ok());
    zoned.map_or_else(|| "?".to_owned(), |at| at.date().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rsa_is_given_a_digest_info_and_answers_a_block() {
        let input = Algorithm::Rsa2048Sha256.input(b"abc");
        assert_eq!(input.len(), 51);
        let expected = hex::decode("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(input.get(19..), expected.ok().as_deref());
        assert!(Algorithm::Rsa2048Sha256.signature(&[7; 255]).is_none());
        assert!(Algorithm::Rsa2048Sha256.signature(&[7; 256]).is_some());
    }

    /// A raw P-384 signature, as a card gives it, is turned into what verifiers take.
    #[test]
    fn p384_signatures_verify_after_conversion() {
        let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        let verifier = UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, key.public_key().as_ref());
        for n in 0..64_u8 {
            let raw = key.sign(&SystemRandom::new(), &[n]).unwrap();
            let der = Algorithm::P384Sha384.signature(raw.as_ref()).unwrap();
            verifier.verify(&[n], &der).unwrap();
            assert_eq!(Algorithm::P384Sha384.signature(&der), Some(der.clone()), "DER passes as it is");
        }
        assert_eq!(Algorithm::P384Sha384.input(b"").len(), 48);
        assert!(Algorithm::P384Sha384.signature(b"rubbish").is_none());
    }

    #[test]
    fn days_are_those_of_japan() {
        assert_eq!(day(1_795_305_599), "2026-11-22");
        assert_eq!(day(1_795_305_600 + 15 * 3600), "2026-11-23");
        assert_eq!(day(i64::MAX), "?");
    }

    proptest! {
        #[test]
        fn rubbish_is_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Certificate::read(bytes).is_err());
        }
    }
}
