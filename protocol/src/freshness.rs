//! Freshness tokens: replay protection that needs no common clock and survives a restart.
//!
//! An institution gives its gateway a token over the warm link; every query brings one back. The
//! token's key is made anew at each start, so a query recorded before a restart carries a token
//! that no longer opens — even though the replay cache was lost with the process.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use zeroize::Zeroizing;

use crate::ids::MemberId;
use crate::limits::FRESHNESS_MILLIS;

/// The institution's key of this run; never stored.
pub struct FreshnessKey(Zeroizing<[u8; 32]>);

/// A token did not open, belongs to another gateway, or is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the freshness token is not of this run of the institution, or too old")]
pub struct Stale;

impl FreshnessKey {
    /// A key from 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// A token for `gateway`. `uptime_millis` is the institution's own monotonic time, `nonce`
    /// random and never used twice with this key.
    pub fn issue(&self, gateway: &MemberId, uptime_millis: u64, nonce: [u8; 12]) -> Vec<u8> {
        let cipher = ChaCha20Poly1305::new(&(*self.0).into());
        let payload = Payload { msg: &uptime_millis.to_be_bytes(), aad: gateway.as_str().as_bytes() };
        let sealed = cipher.encrypt(&nonce.into(), payload).unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    /// Checks a token that came back from `gateway`.
    ///
    /// # Errors
    /// [`Stale`]: the gateway must fetch a new one.
    pub fn check(&self, token: &[u8], gateway: &MemberId, uptime_millis: u64) -> Result<(), Stale> {
        let (nonce, sealed) = token.split_first_chunk::<12>().ok_or(Stale)?;
        let cipher = ChaCha20Poly1305::new(&(*self.0).into());
        let payload = Payload { msg: sealed, aad: gateway.as_str().as_bytes() };
        let issued = cipher.decrypt(&(*nonce).into(), payload).map_err(|_| Stale)?;
        let issued = u64::from_be_bytes(issued.try_into().map_err(|_| Stale)?);
        let age = uptime_millis.checked_sub(issued).ok_or(Stale)?;
        if age <= FRESHNESS_MILLIS { Ok(()) } else { Err(Stale) }
    }
}
