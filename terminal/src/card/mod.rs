//! The card: a certificate anybody may read, and a signature that only the PIN unlocks.
//!
//! The trait is what the terminal needs of an Individual Number card's user-authentication
//! application (公的個人認証 利用者証明用), whatever stands behind it.

mod file;

pub use file::FileCard;

use std::fmt;

use zeroize::Zeroizing;

/// A PIN on its way from the person to the card; wiped from memory when dropped, never printed.
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Takes what was typed.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.trim_end_matches(['\r', '\n'])
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pin(***)")
    }
}

/// What went wrong with the card.
#[derive(Debug, thiserror::Error)]
pub enum CardFault {
    /// The PIN is not the card's.
    #[error("wrong PIN; {tries_left} tries left")]
    WrongPin {
        /// Tries before the card blocks itself.
        tries_left: u8,
    },
    /// The PIN is not four digits; the card was not asked.
    #[error("a PIN has four digits")]
    MalformedPin,
    /// The PIN was wrong too often.
    #[error("the card's PIN is blocked")]
    Blocked,
    /// The card has no certificate.
    #[error("the card carries no user-authentication certificate")]
    NoCertificate,
    /// The card cannot be read or does not answer as it should.
    #[error("the card cannot be used: {0}")]
    Unusable(String),
}

/// A card in the reader.
pub trait Card: Send {
    /// The user-authentication certificate, DER.
    ///
    /// # Errors
    /// The card has none, or cannot be read.
    fn certificate(&mut self) -> Result<Vec<u8>, CardFault>;

    /// Tries before the card blocks itself. Asking costs none.
    ///
    /// # Errors
    /// The card cannot be read.
    fn tries_left(&mut self) -> Result<u8, CardFault>;

    /// Shows the PIN to the card.
    ///
    /// # Errors
    /// The PIN is wrong or blocked.
    fn unlock<'card>(&'card mut self, pin: &Pin) -> Result<Box<dyn UnlockedCard + 'card>, CardFault>;
}

/// A card that has accepted its PIN.
pub trait UnlockedCard {
    /// Signs `message` as the certificate's key does (RSASSA-PKCS1-v1_5 with SHA-256 for RSA-2048).
    ///
    /// # Errors
    /// The card was removed or refuses.
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, CardFault>;
}
