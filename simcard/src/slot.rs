//! The two keys a card has, and what the rules are for each.

use serde::{Deserialize, Serialize};

/// One of the card's two key pairs, each with its own PIN, counter and certificate (JPKI).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySlot {
    /// User authentication (利用者証明用): a PIN of four digits, three tries. Every card has it.
    Authentication,
    /// Digital signature (署名用): a password of 6 to 16 characters, five tries. A card may lack it,
    /// as that of a child under 15 does.
    Signature,
}

impl KeySlot {
    /// Both, in the order people meet them.
    pub const ALL: [Self; 2] = [Self::Authentication, Self::Signature];

    /// Wrong PINs the card forgives in a row before the key is blocked.
    pub const fn tries(self) -> u8 {
        match self {
            Self::Authentication => crate::PIN_TRIES,
            Self::Signature => crate::PASSWORD_TRIES,
        }
    }

    /// Binds a wrapped private key to its place, so that the two cannot be exchanged in the file.
    pub(crate) const fn wrap_label(self) -> &'static [u8] {
        match self {
            Self::Authentication => b"hibiki-simcard-2 authentication key",
            Self::Signature => b"hibiki-simcard-2 signature key",
        }
    }
}
