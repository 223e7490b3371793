//! The name of a peer on the road: the digest of its public key.
//!
//! Owns the one way a key is named; must not know who the peer is.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};

/// DER of a `SubjectPublicKeyInfo` for Ed25519 up to the 32 bytes of the key itself (RFC 8410 section 4).
const ED25519_SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// SHA-256 of a peer's `SubjectPublicKeyInfo` in DER (the "SPKI pin" of RFC 7469 section 2.4).
///
/// Ordered, so that it can be the key of a map. Public: it may be logged and shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey([u8; 32]);

impl PeerKey {
    /// The key whose digest is `digest`, as it stands in a trust list.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Names the key with this `SubjectPublicKeyInfo` (DER).
    pub fn of_spki(spki: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, spki).as_ref());
        Self(out)
    }

    /// Names the Ed25519 key with these 32 public bytes (RFC 8032 section 5.1.5).
    pub fn of_ed25519(public: &[u8; 32]) -> Self {
        Self::of_spki(&[&ED25519_SPKI_HEAD[..], &public[..]].concat())
    }
}

/// Whether `spki` is the one encoding of an Ed25519 key that DER permits.
pub(crate) fn is_ed25519_spki(spki: &[u8]) -> bool {
    spki.len() == ED25519_SPKI_HEAD.len() + 32 && spki.starts_with(&ED25519_SPKI_HEAD)
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({self})")
    }
}

/// The text is not the 64 hexadecimal digits of a [`PeerKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a peer key is written as 64 hexadecimal digits (SHA-256 of its SPKI); copy it whole")]
pub struct KeyFormatError;

impl FromStr for PeerKey {
    type Err = KeyFormatError;

    fn from_str(text: &str) -> Result<Self, KeyFormatError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(KeyFormatError);
        }
        let nibble = |digit: u8| (digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(KeyFormatError) };
            let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else { return Err(KeyFormatError) };
            *byte = high << 4 | low;
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        let key = PeerKey::of_ed25519(&[7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(key.to_string().to_uppercase().parse(), Ok(key));
    }

    #[test]
    fn anything_but_64_hex_digits_is_refused() {
        let good = PeerKey::from_bytes([0xab; 32]).to_string();
        let wrong = [String::new(), good[1..].to_string(), format!("{good}0"), good.replacen('a', "g", 1)];
        for text in wrong {
            assert_eq!(text.parse::<PeerKey>(), Err(KeyFormatError), "{text}");
        }
        assert_eq!("é".repeat(32).parse::<PeerKey>(), Err(KeyFormatError));
    }

    /// The public key and its SPKI are those of RFC 8410 section 10.1; the digest was computed with `openssl`.
    #[test]
    fn rfc_8410_example_key() {
        let public = [
            0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba, 0xc1, 0x67, 0xdc, 0x3b, 0x96,
            0xc8, 0x50, 0x86, 0xaa, 0x30, 0xb6, 0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1,
        ];
        assert_eq!(
            PeerKey::of_ed25519(&public).to_string(),
            "a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f"
        );
    }
}
