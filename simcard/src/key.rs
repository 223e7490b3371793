//! A key pair of the card, and how the PIN gates it.
//!
//! Argon2id turns PIN and salt into a verifier and a wrapping key; the private key lies in the file
//! under ChaCha20-Poly1305. The verifier tells a wrong PIN from a damaged file. Four digits are soon
//! guessed by whoever has the file: this models the card's behaviour, not the plastic's resistance.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, PKCS_RSA_SHA256, PublicKeyData, SigningKey,
};
use zeroize::Zeroizing;

use crate::error::CardError;
use crate::pin::Pin;
use crate::slot::KeySlot;
use crate::{CardError::Crypto, SIGNATURE_LEN};

/// OWASP's second choice for Argon2id: 19 MiB, two passes, one lane. Fixed by the file format, so
/// that a file cannot ask for more memory than this.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Length in bytes of the salt beside the PIN verifier.
pub(crate) const SALT_LEN: usize = 16;
const HALF: usize = 32;

/// What a PIN becomes with a card's salt: proof that it was right, and the key to the key.
pub(crate) struct PinKeys {
    slot: KeySlot,
    halves: Zeroizing<[u8; 2 * HALF]>,
}

impl PinKeys {
    pub(crate) fn derive(pin: &Pin, salt: &[u8; SALT_LEN]) -> Result<Self, CardError> {
        let params =
            Params::new(MEMORY_KIB, PASSES, 1, Some(2 * HALF)).map_err(|_| Crypto("reading its limits"))?;
        let mut out = Zeroizing::new([0; 2 * HALF]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(pin.bytes(), salt, out.as_mut_slice())
            .map_err(|_| Crypto("deriving a key from the PIN"))?;
        Ok(Self { slot: pin.slot(), halves: out })
    }

    pub(crate) fn verifier(&self) -> &[u8] {
        self.halves.split_at(HALF).0
    }

    pub(crate) fn matches(&self, verifier: &[u8]) -> bool {
        verify_slices_are_equal(self.verifier(), verifier).is_ok()
    }

    fn wrapping_key(&self) -> Result<LessSafeKey, CardError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.halves.split_at(HALF).1);
        Ok(LessSafeKey::new(key.map_err(|_| Crypto("reading the wrapping key"))?))
    }

    /// Encrypts the private key: nonce, then ciphertext and tag.
    pub(crate) fn wrap(&self, key: &CardKey) -> Result<Vec<u8>, CardError> {
        let failed = |_| Crypto("encrypting the private key");
        let pkcs8: Pkcs8V1Der<'static> = key.pair.as_der().map_err(failed)?;
        let mut body = Zeroizing::new(pkcs8.as_ref().to_vec());
        let nonce: [u8; NONCE_LEN] = random("choosing a nonce")?;
        let tag = self
            .wrapping_key()?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.slot.wrap_label()),
                body.as_mut_slice(),
            )
            .map_err(failed)?;
        Ok([nonce.as_slice(), body.as_slice(), tag.as_ref()].concat())
    }

    /// Opens what [`Self::wrap`] made; `None` when it was changed since.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Result<Option<CardKey>, CardError> {
        let Some((nonce, body)) = wrapped.split_first_chunk::<NONCE_LEN>() else { return Ok(None) };
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened =
            self.wrapping_key()?.open_in_place(nonce, Aad::from(self.slot.wrap_label()), body.as_mut_slice());
        Ok(opened.ok().and_then(|pkcs8| KeyPair::from_pkcs8(pkcs8).ok()).map(|pair| CardKey { pair }))
    }
}

/// An RSA-2048 key pair, out in the open only while a PIN holds it so.
pub(crate) struct CardKey {
    pair: KeyPair,
}

impl CardKey {
    pub(crate) fn generate() -> Result<Self, CardError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| Crypto("making the key pair"))?;
        Ok(Self { pair })
    }

    /// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER.
    pub(crate) fn public_key_der(&self) -> Result<Vec<u8>, CardError> {
        let der: PublicKeyX509Der<'static> =
            self.pair.public_key().as_der().map_err(|_| Crypto("writing the public key"))?;
        Ok(der.as_ref().to_vec())
    }

    /// PrivateKeyInfo (RFC 5208) in DER, for the other RSA library.
    #[cfg(feature = "reader")]
    pub(crate) fn pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let der: Pkcs8V1Der<'static> = self.pair.as_der().map_err(|_| Crypto("reading the private key"))?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message` (RFC 8017 §8.2).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], CardError> {
        let mut signature = [0; SIGNATURE_LEN];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Crypto("signing"))?;
        Ok(signature)
    }

    /// A PKCS#10 request for `C=JP, CN=holder_id`, in PEM.
    pub(crate) fn request_pem(&self, holder_id: &str) -> Result<String, CardError> {
        let failed = |_| Crypto("writing the certificate request");
        let country = "JP".try_into().map(DnValue::PrintableString).map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, country);
        params.distinguished_name.push(DnType::CommonName, holder_id);
        let request = params.serialize_request(self).map_err(failed)?;
        request.pem().map_err(failed)
    }
}

impl PublicKeyData for CardKey {
    fn der_bytes(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

impl SigningKey for CardKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Self::sign(self, message).map(Vec::from).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// Bytes from the operating system.
pub(crate) fn random<const N: usize>(purpose: &'static str) -> Result<[u8; N], CardError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Crypto(purpose))?;
    Ok(bytes)
}
