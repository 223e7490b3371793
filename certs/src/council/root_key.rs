//! A root key in a file: Ed25519, PKCS#8 PEM (RFC 8410), mode 0600, made once and never overwritten.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hibiki_protocol::signing::SigningKey;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use super::error::CouncilError;
use crate::files::{self, Secrecy};

/// PrivateKeyInfo of an Ed25519 seed up to the seed (RFC 8410 §7).
const PREFIX: [u8; 16] =
    [0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A fresh root key.
pub(crate) fn generate() -> Result<SigningKey, CouncilError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| CouncilError::Random)?;
    Ok(SigningKey::from_seed(&seed))
}

/// Writes a root key where no file is.
pub(crate) fn save(path: &Path, key: &SigningKey) -> Result<(), CouncilError> {
    let der = Zeroizing::new([PREFIX.as_slice(), key.seed().as_slice()].concat());
    let body = Zeroizing::new(BASE64.encode(&*der));
    let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body));
    Ok(files::create(path, pem.as_bytes(), Secrecy::Private)?)
}

/// Reads a root key that only its owner can read.
///
/// # Errors
/// The file is open to others, or is not such a key.
pub fn read_root_key(path: &Path) -> Result<SigningKey, CouncilError> {
    let not_a_key = || CouncilError::NotAKey(path.display().to_string());
    let pem = files::read_secret(path)?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| not_a_key())?;
    let seed = der.secret_pkcs8_der().strip_prefix(&PREFIX).ok_or_else(not_a_key)?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| not_a_key())?);
    Ok(SigningKey::from_seed(&seed))
}
