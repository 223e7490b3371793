//! Names and identifiers. Those that stand for a person never print themselves.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::cbor::{DecodeError, Decoder, Element, Encoder, Wire, wire_newtype};

/// Characters of a federation's or member's name part: lower-case ASCII letters, digits, `-`.
fn is_name(text: &str) -> bool {
    (1..=48).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $expected:literal, $rule:expr) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Accepts text that follows the rule; `None` otherwise.
            pub fn new(text: &str) -> Option<Self> {
                let rule: fn(&str) -> bool = $rule;
                rule(text).then(|| Self(text.to_owned()))
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text).ok_or(InvalidName { expected: $expected })
            }
        }
        impl Wire for $name {
            fn encode(&self, encoder: &mut Encoder) {
                encoder.text(&self.0);
            }
            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Self::new(decoder.text()?).ok_or(DecodeError::Value { expected: $expected })
            }
        }
        impl Element for $name {}
    };
}

/// A name that does not follow its rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidName {
    /// What a valid name looks like.
    pub expected: &'static str,
}

text_id!(
    /// A federation, such as `maebashi`.
    FederationId,
    "a federation name: lower-case letters, digits and '-', at most 48",
    is_name
);
text_id!(
    /// A member of a federation, such as `maebashi/chuo-hospital`.
    MemberId,
    "a member name: 'federation/member' in lower-case letters, digits and '-'",
    |text| text.split_once('/').is_some_and(|(federation, member)| is_name(federation) && is_name(member))
);
text_id!(
    /// A kind of record, the unit of consent, such as `immunization`. The protocol carries it as it
    /// is: a new use case is a new category, not a new protocol.
    Category,
    "a category: lower-case letters, digits and '_', at most 32",
    |text| {
        (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    }
);

impl MemberId {
    /// The federation's part of the name.
    pub fn federation(&self) -> &str {
        self.0.split_once('/').map_or("", |(federation, _)| federation)
    }
}

macro_rules! bytes_id {
    ($(#[$meta:meta])* $name:ident, $length:literal, $debug:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($debug)
            }
        }
        wire_newtype!($name);
    };
}

bytes_id!(
    /// A subject as one institution knows her: pairwise (OpenID Connect Core section 8.1), one per
    /// subject and institution, meaningless anywhere else.
    Pseudonym,
    16,
    "Pseudonym(***)"
);
bytes_id!(
    /// A guardian as one institution knows him: stable and pairwise, so that consent and access
    /// history work without a name.
    GuardianAlias,
    16,
    "GuardianAlias(***)"
);
bytes_id!(
    /// Names one query to one institution; random, never reused, shared with nobody else.
    QueryId,
    16,
    "QueryId(***)"
);
bytes_id!(
    /// Names one command of a guardian to one institution; random. Sent again under the same name, it is
    /// carried out once.
    CommandKey,
    16,
    "CommandKey(***)"
);
bytes_id!(
    /// Names one grant; random, so that it links nothing.
    GrantId,
    16,
    "GrantId(***)"
);
bytes_id!(
    /// Names one hold at one institution; random per institution.
    HoldId,
    16,
    "HoldId(***)"
);

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of no list: stands where the first of a chain has no predecessor.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of the parts, one after the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        parts.iter().for_each(|part| hasher.update(part));
        Self(hasher.finalize().into())
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.hex())
    }
}

wire_newtype!(Digest);
