//! What can go wrong with a card, in words for the person who holds it.
//!
//! No message carries a PIN, a key or a holder's identifier.

use std::io;
use std::path::PathBuf;

/// Why an operation on a card failed, the PIN apart.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The card file could not be read or written.
    #[error("card file {}: {source}", path.display())]
    Io {
        /// The card file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is a file already where a new card was to be made.
    #[error(
        "card file {} exists already and is not overwritten: choose another name, or remove it if that card is no longer wanted",
        path.display()
    )]
    Exists {
        /// The card file.
        path: PathBuf,
    },
    /// Other users of the machine can read or write the card file.
    #[error(
        "card file {} is open to other users (mode {mode:03o}): run `chmod 600 {}`",
        path.display(),
        path.display()
    )]
    Exposed {
        /// The card file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not a card, or was changed by something other than this program.
    #[error("card file {} is damaged ({what}): restore it from a copy or make a new card", path.display())]
    Damaged {
        /// The card file.
        path: PathBuf,
        /// Which part does not fit.
        what: &'static str,
    },
    /// The card has a key but no certificate yet.
    #[error(
        "card file {} has no certificate yet: have its request signed (hibiki-certs card-ca issue), then `hibiki-simcard install`",
        path.display()
    )]
    NoCertificate {
        /// The card file.
        path: PathBuf,
    },
    /// The file is a card of an earlier version of this program.
    #[error(
        "card file {} was made by an earlier version and cannot be used: make a new card (hibiki-simcard new) and have its certificate issued again",
        path.display()
    )]
    OldFormat {
        /// The card file.
        path: PathBuf,
    },
    /// The card was made without a signature key, as that of a child under 15.
    #[error(
        "card file {} has no signature key: make a new card with `hibiki-simcard new --signature-request FILE` if one is wanted",
        path.display()
    )]
    NoSignatureKey {
        /// The card file.
        path: PathBuf,
    },
    /// A PIN was given where a password belongs, or the other way round.
    #[error("a card needs a PIN for its authentication key and a password for its signature key")]
    WrongKindOfPin,
    /// A certificate that does not belong on this card.
    #[error("the certificate was not installed: {0}")]
    Certificate(#[from] CertificateError),
    /// The holder's identifier is not acceptable.
    #[error("a holder id is 8 to 64 ASCII letters and digits, and never a person's name or My Number")]
    HolderId,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed while {0}")]
    Crypto(&'static str),
}

/// Why a certificate does not belong on a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not one X.509 certificate in DER or PEM.
    #[error("{0} is not an X.509 certificate in DER or PEM")]
    Unreadable(&'static str),
    /// Its public key is not the card's.
    #[error("its public key is not this card's key; was it issued for another card's request?")]
    OtherKey,
    /// The authority's certificate did not sign it.
    #[error("it was not signed by the CA certificate given with it")]
    NotFromCa,
    /// The authority does not say that it is simulated.
    #[error(
        "its issuer is not a simulated authority (O=SIMULATED-JPKI): real certificates never go onto a file"
    )]
    NotSimulated,
}

/// Why a PIN did not open a card.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Not the card's PIN (status word 63Cx).
    #[error("wrong PIN; {}", tries_in_words(*tries_left))]
    Wrong {
        /// Tries left before the card blocks; 0 means that it just did.
        tries_left: u8,
    },
    /// Too many wrong PINs were given before this one (status word 6984).
    #[error(
        "the card is blocked after too many wrong PINs: only the office can unblock it (hibiki-simcard unblock)"
    )]
    Blocked,
    /// No key of a card has such a PIN. Costs no try.
    #[error(
        "a PIN is exactly {} digits; a signature password is {} to {} characters, A-Z and 0-9, upper case",
        crate::PIN_DIGITS,
        crate::PASSWORD_LEN_MIN,
        crate::PASSWORD_LEN_MAX
    )]
    Malformed,
    /// The card itself failed.
    #[error(transparent)]
    Card(#[from] CardError),
}

impl PinError {
    /// The ISO 7816-4 status word a JPKI card answers VERIFY with, where the card judged the PIN.
    pub fn status_word(&self) -> Option<u16> {
        match self {
            Self::Wrong { tries_left } => Some(0x63C0 | u16::from(*tries_left & 0x0F)),
            Self::Blocked => Some(0x6984),
            Self::Malformed | Self::Card(_) => None,
        }
    }
}

fn tries_in_words(tries_left: u8) -> String {
    match tries_left {
        0 => "the card is now blocked: only the office can unblock it (hibiki-simcard unblock)".to_owned(),
        1 => "1 try left, then the card blocks".to_owned(),
        n => format!("{n} tries left"),
    }
}
