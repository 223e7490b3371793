//! A card's key as its SIGN command uses it: six schemes over RSA-2048 (RFC 8017).
//!
//! The crate `rsa` is used here and nowhere else in the federation: the card must pad whatever it is
//! given, which aws-lc does not offer. How long it takes can tell about the key (RUSTSEC-2023-0071);
//! that would matter on plastic, and this is a simulation.

use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, PrivateKey, Pss};
use sha2::{Digest as _, Sha256};

use super::apdu::StatusWord;
use crate::SIGNATURE_LEN;
use crate::key::CardKey;

/// Bytes PKCS#1 v1.5 leaves for what is padded: the modulus less eleven (RFC 8017 section 9.2).
const VERBATIM_MAX: usize = SIGNATURE_LEN - 11;
/// Bytes of a SHA-256 hash.
const HASH_LEN: usize = 32;

/// How the card signs: P1 of SIGN (JPKI).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// 00: PKCS#1 v1.5 over the data as it is, 1 to 245 bytes. What everybody uses, with a DigestInfo.
    Verbatim,
    /// 01: the card hashes with SHA-256 and pads the bare hash.
    Sha256Bare,
    /// 02: a SHA-256 hash is given, the card puts it into a DigestInfo.
    PrehashedDigestInfo,
    /// 03: the card hashes and makes the DigestInfo.
    Sha256DigestInfo,
    /// 04: RSASSA-PSS over a SHA-256 hash that is given.
    PrehashedPss,
    /// 05: the card hashes, then RSASSA-PSS.
    Sha256Pss,
}

impl Scheme {
    pub(super) const fn from_p1(p1: u8) -> Option<Self> {
        Some(match p1 {
            0 => Self::Verbatim,
            1 => Self::Sha256Bare,
            2 => Self::PrehashedDigestInfo,
            3 => Self::Sha256DigestInfo,
            4 => Self::PrehashedPss,
            5 => Self::Sha256Pss,
            _ => return None,
        })
    }

    fn accepts(self, len: usize) -> bool {
        match self {
            Self::Verbatim => (1..=VERBATIM_MAX).contains(&len),
            Self::PrehashedDigestInfo | Self::PrehashedPss => len == HASH_LEN,
            Self::Sha256Bare | Self::Sha256DigestInfo | Self::Sha256Pss => len > 0,
        }
    }
}

/// A key whose PIN was presented. Both libraries' forms of it are wiped when dropped.
pub(super) struct OpenKey {
    /// To change its PIN.
    pub(super) card_key: CardKey,
    private: PrivateKey,
}

impl OpenKey {
    /// Reads the key, with everything worked out that makes signing quick.
    pub(super) fn new(card_key: CardKey) -> Result<Self, StatusWord> {
        let pkcs8 = card_key.pkcs8_der().map_err(|_| StatusWord::FAILURE)?;
        let private = PrivateKey::from_pkcs8_der(&pkcs8).map_err(|_| StatusWord::FAILURE)?;
        Ok(Self { card_key, private })
    }

    /// The signature: 256 bytes.
    pub(super) fn sign(&self, scheme: Scheme, data: &[u8]) -> Result<Vec<u8>, StatusWord> {
        if !scheme.accepts(data.len()) {
            return Err(StatusWord::WRONG_LENGTH);
        }
        let hash = Sha256::digest(data);
        let signed = match scheme {
            Scheme::Verbatim => self.private.sign(Pkcs1v15Sign::new_unprefixed(), data),
            Scheme::Sha256Bare => self.private.sign(Pkcs1v15Sign::new_unprefixed(), &hash),
            Scheme::PrehashedDigestInfo => self.private.sign(Pkcs1v15Sign::new::<Sha256>(), data),
            Scheme::Sha256DigestInfo => self.private.sign(Pkcs1v15Sign::new::<Sha256>(), &hash),
            Scheme::PrehashedPss => self.private.sign(Pss::<Sha256>::new(), data),
            Scheme::Sha256Pss => self.private.sign(Pss::<Sha256>::new(), &hash),
        };
        signed.map_err(|_| StatusWord::FAILURE)
    }
}
