//! Pairwise tokens: how the registry names a subject to one institution and to nobody else.
//!
//! `pseudonym = PRF(registry's key for that institution, resident number)`. The token also carries
//! keyed digests of birth date, sex and kana name, so that the institution can check its own link
//! without learning anything it does not hold; and it is sealed to that institution, so that nobody
//! on the way sees even the pseudonym. Tokens exist for every member: which of them hold the child,
//! neither registry nor gateway can tell.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::cbor::{self, wire_struct};
use crate::ids::{GuardianAlias, MemberId, Pseudonym};
use crate::sealing::{self, SealError, Sealed, SealingKeyId, SealingPublic, SealingSecret};
use crate::signing::Signable;
use crate::time::Timestamp;

/// Bytes of a keyed digest: enough that no two children collide, too few to be a name.
const DIGEST_BYTES: usize = 16;

/// What identifies a person to the eye of a clerk, in the normal form both sides compare.
/// (Normalising kana is `hibiki-records`' knowledge; this crate compares bytes.)
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityFacts {
    /// Birth date, `yyyy-mm-dd`.
    pub birth_date: String,
    /// Administrative gender code: `male`, `female`, `other`, `unknown`.
    pub sex: String,
    /// Kana name in normal form.
    pub kana: String,
}

impl std::fmt::Debug for IdentityFacts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("IdentityFacts(***)")
    }
}

wire_struct! {
    /// What the institution finds inside a token.
    #[derive(Clone, PartialEq, Eq)]
    pub struct PairwiseToken {
        /// The subject, as this institution knows her.
        1 => pub pseudonym: Pseudonym,
        /// Key of the digests below; different for every subject and institution.
        3 => pub digest_key: [u8; 32],
        /// Keyed digest of the birth date.
        5 => pub birth_date: [u8; 16],
        /// Keyed digest of the sex.
        7 => pub sex: [u8; 16],
        /// Keyed digest of the kana name.
        9 => pub kana: [u8; 16],
    }
}

impl std::fmt::Debug for PairwiseToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PairwiseToken(***)")
    }
}

/// Which facts of a local person agree with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityMatch {
    /// The birth dates agree.
    pub birth_date: bool,
    /// The sexes agree.
    pub sex: bool,
    /// The kana names agree.
    pub kana: bool,
}

impl IdentityMatch {
    /// Whether everything agrees: only then may a link be made.
    pub const fn complete(self) -> bool {
        self.birth_date && self.sex && self.kana
    }
}

impl PairwiseToken {
    /// Compares a local person with the person the registry means.
    pub fn compare(&self, local: &IdentityFacts) -> IdentityMatch {
        let agrees = |field: &str, value: &str, expected: &[u8; DIGEST_BYTES]| {
            bool::from(
                keyed(&self.digest_key, &[b"digest", field.as_bytes(), value.as_bytes()]).ct_eq(expected),
            )
        };
        IdentityMatch {
            birth_date: agrees("birth-date", &local.birth_date, &self.birth_date),
            sex: agrees("sex", &local.sex, &self.sex),
            kana: agrees("kana", &local.kana, &self.kana),
        }
    }
}

/// A token sealed to one institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedToken(pub Sealed);
cbor::wire_newtype!(SealedToken);

impl SealedToken {
    /// Opens a token that `registry` made for `audience`.
    ///
    /// # Errors
    /// The token was made for somebody else, or is damaged.
    pub fn open(
        &self,
        registry: &MemberId,
        audience: &MemberId,
        secret: &SealingSecret,
    ) -> Result<PairwiseToken, SealError> {
        let bytes = secret.open(&info(registry, audience), &[], &self.0)?;
        cbor::decode(&bytes).map_err(|_| SealError::DoesNotOpen)
    }
}

fn info(registry: &MemberId, audience: &MemberId) -> Vec<u8> {
    sealing::info("hibiki/1/token", &[registry.as_str().as_bytes(), audience.as_str().as_bytes()])
}

/// The registry's key for naming people to one institution. It stays at the registry.
pub struct AudienceKey(Zeroizing<[u8; 32]>);

impl AudienceKey {
    /// Derives the key for `audience` from the registry's master key (HKDF-SHA256, RFC 5869).
    pub fn derive(master: &[u8; 32], audience: &MemberId) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(Some(b"hibiki/1/audience-key"), master)
            .expand(audience.as_str().as_bytes(), key.as_mut());
        debug_assert!(expanded.is_ok(), "32 bytes are within HKDF's bound");
        Self(key)
    }

    /// The subject's name at this institution.
    pub fn pseudonym(&self, resident_number: &str) -> Pseudonym {
        Pseudonym(keyed(&self.0, &[b"subject", resident_number.as_bytes()]))
    }

    /// The guardian's name at this institution. It differs from the name he has there as a subject.
    pub fn alias(&self, resident_number: &str) -> GuardianAlias {
        GuardianAlias(keyed(&self.0, &[b"guardian", resident_number.as_bytes()]))
    }

    /// A fresh sealed token for the subject: other bytes each time, the same name inside.
    ///
    /// # Errors
    /// The institution's sealing key is not valid.
    pub fn token(
        &self,
        registry: &MemberId,
        audience: &MemberId,
        to: &SealingPublic,
        resident_number: &str,
        facts: &IdentityFacts,
    ) -> Result<SealedToken, SealError> {
        let mut digest_key = [0; 32];
        let halves = [&b"digest-key-1"[..], &b"digest-key-2"[..]]
            .map(|half| keyed(&self.0, &[half, resident_number.as_bytes()]));
        digest_key.iter_mut().zip(halves.concat()).for_each(|(to, from)| *to = from);
        let digest =
            |field: &str, value: &str| keyed(&digest_key, &[b"digest", field.as_bytes(), value.as_bytes()]);
        let token = PairwiseToken {
            pseudonym: self.pseudonym(resident_number),
            digest_key,
            birth_date: digest("birth-date", &facts.birth_date),
            sex: digest("sex", &facts.sex),
            kana: digest("kana", &facts.kana),
        };
        to.seal(&info(registry, audience), &[], &cbor::encode(&token)).map(SealedToken)
    }
}

/// HMAC-SHA256 over length-prefixed parts, cut to 16 bytes.
fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; DIGEST_BYTES] {
    let mut out = [0; DIGEST_BYTES];
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        out.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
    }
    out
}

wire_struct! {
    /// A token handed to an institution for linking: at the counter, or in bulk for that
    /// institution alone. It permits nothing but a link.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LinkToken {
        /// The registry that made it.
        1 => pub registry: MemberId,
        /// The only institution that can use it.
        3 => pub audience: MemberId,
        /// Which of the institution's keys the token is sealed to.
        5 => pub key_id: SealingKeyId,
        /// The token.
        7 => pub token: SealedToken,
        /// When it was made.
        9 => pub issued: Timestamp,
        /// Not accepted after.
        11 => pub expires: Timestamp,
    }
}

impl Signable for LinkToken {
    const LABEL: &'static str = "hibiki/1/link-token";
}
