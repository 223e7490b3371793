//! Sealing: `nonce (24 bytes) | ciphertext | tag (16 bytes)`.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KeyError, Result};
use crate::env::Entropy;

/// Bytes a sealed value is longer than what was sealed.
pub const SEAL_OVERHEAD_BYTES: usize = NONCE_BYTES + 16;

const NONCE_BYTES: usize = 24;

/// A key; overwritten when dropped.
pub(super) type Secret = Zeroizing<[u8; 32]>;

pub(super) fn seal(key: &Secret, aad: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad });
    // The only error is a message beyond 256 GiB.
    let sealed = sealed.map_err(|_| KeyError::NotAuthentic)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(super) fn open(key: &Secret, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(KeyError::NotAuthentic)?;
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad });
    opened.map(Zeroizing::new).map_err(|_| KeyError::NotAuthentic)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn mac(key: &Secret, data: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(&**key).expect("any length");
    mac.chain_update(data).finalize().into_bytes().into()
}
