//! A link token from the registry: verified, for us, in time, and opened.
//!
//! In a file, one token is one line of JSON: `{"token":"…","audience":"maebashi/chuo-hospital","expires":…}`;
//! `token` is the base64 of an encoded `Signed<LinkToken>`, the rest is for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::token::{LinkToken, PairwiseToken};
use hibiki_protocol::trust::{Role, TrustList};
use serde::{Deserialize, Serialize};

use crate::keys::NodeKeys;

/// Bytes of an encoded token, at most. Ours have about 600.
const TOKEN_BYTES_MAX: usize = 4096;

/// Why a token cannot be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Not a token at all.
    #[error("this is no link token; export it again at the registry / 連携トークンではありません")]
    Unreadable,
    /// Not signed by a registry of the federation.
    #[error(
        "the link token is not signed by a registry of the federation; export it again there / 発行元を確認できません"
    )]
    Registry,
    /// Made for another institution.
    #[error(
        "the link token is for another institution; ask the registry for one for this member / 他機関向けのトークンです"
    )]
    Audience,
    /// Too old, or from the future.
    #[error("the link token is not valid at this time; ask the registry for a new one / 有効期間外です")]
    Time,
    /// Sealed to a key that is not here, or damaged.
    #[error(
        "the link token does not open with this institution's keys; ask the registry for a new one / 開封できません"
    )]
    Sealed,
}

/// A line of a token file.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenLine {
    /// Base64 of the encoded `Signed<LinkToken>`.
    pub token: String,
    /// The institution it is for.
    #[serde(default)]
    pub audience: String,
    /// When it is no longer accepted, in milliseconds since the Unix epoch.
    #[serde(default)]
    pub expires: u64,
}

impl TokenLine {
    /// The line of an encoded token.
    pub fn new(encoded: &[u8], audience: &MemberId, expires: Timestamp) -> Self {
        Self { token: BASE64.encode(encoded), audience: audience.to_string(), expires: expires.0 }
    }
}

/// A token that may be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedToken {
    /// The registry it comes from.
    pub registry: MemberId,
    /// What it says.
    pub token: PairwiseToken,
}

/// Reads one line of a token file.
///
/// # Errors
/// What is wrong with it.
pub fn read_line(
    line: &str,
    own: &MemberId,
    keys: &NodeKeys,
    list: &TrustList,
    now: Timestamp,
) -> Result<OpenedToken, TokenFault> {
    let line: TokenLine = serde_json::from_str(line.trim()).map_err(|_| TokenFault::Unreadable)?;
    let encoded = BASE64.decode(line.token.trim()).map_err(|_| TokenFault::Unreadable)?;
    open(&encoded, own, keys, list, now)
}

/// Verifies and opens an encoded token.
///
/// # Errors
/// What is wrong with it.
pub fn open(
    encoded: &[u8],
    own: &MemberId,
    keys: &NodeKeys,
    list: &TrustList,
    now: Timestamp,
) -> Result<OpenedToken, TokenFault> {
    if encoded.len() > TOKEN_BYTES_MAX {
        return Err(TokenFault::Unreadable);
    }
    let signed: Signed<LinkToken> = cbor::decode(encoded).map_err(|_| TokenFault::Unreadable)?;
    let claimed = signed.claimed().map_err(|_| TokenFault::Unreadable)?;
    let registry = list.member(&claimed.registry).filter(|member| member.has_role(Role::Registry));
    let key = registry.ok_or(TokenFault::Registry)?.signing_key;
    let link = signed.verify(&key).map_err(|_| TokenFault::Registry)?;
    if &link.audience != own {
        return Err(TokenFault::Audience);
    }
    if link.expires <= now || link.issued > now.plus(limits::CLOCK_SKEW_MILLIS) {
        return Err(TokenFault::Time);
    }
    let secret = keys.sealing(link.key_id).ok_or(TokenFault::Sealed)?;
    let token = link.token.open(&link.registry, own, secret).map_err(|_| TokenFault::Sealed)?;
    Ok(OpenedToken { registry: link.registry, token })
}
