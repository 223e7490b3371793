//! What can go wrong between a person, a reader and a card. Each has words: [`crate::words`].

use std::fmt;

use super::apdu::StatusWord;

/// What the terminal was doing when the card failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Selecting the JPKI application or one of its files.
    Select,
    /// Asking how many tries are left.
    Tries,
    /// Reading the certificate.
    Certificate,
    /// Showing the PIN.
    Pin,
    /// Signing.
    Signature,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Select => "selecting",
            Self::Tries => "asking for the tries left",
            Self::Certificate => "reading the certificate",
            Self::Pin => "checking the PIN",
            Self::Signature => "signing",
        })
    }
}

/// What went wrong with the card or its reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardFault {
    /// This program was built without support for readers.
    #[error("this program was built without support for card readers (feature `pcsc`)")]
    WithoutReaders,
    /// The machine's smart-card service does not run.
    #[error("the smart-card service (pcscd) does not run on this machine")]
    NoService,
    /// The service does not let this user in.
    #[error("the smart-card service (pcscd) refuses this user")]
    Denied,
    /// No reader is plugged in.
    #[error("no card reader is connected")]
    NoReader,
    /// The reader that was named is not there.
    #[error("no reader is called {asked:?}; there are: {}", known.join(", "))]
    UnknownReader {
        /// What was asked for.
        asked: String,
        /// The readers there are.
        known: Vec<String>,
    },
    /// No reader has a card.
    #[error("there is no card in the reader")]
    NoCard,
    /// A card lies there that gives no sign of life: upside down, say.
    #[error("the card in reader {reader} does not answer")]
    Mute {
        /// The reader.
        reader: String,
    },
    /// Several readers have a card that would do.
    #[error("several readers have a card: {}", readers.join(", "))]
    SeveralCards {
        /// Their names.
        readers: Vec<String>,
    },
    /// The card is no Individual Number card.
    #[error("the card in reader {reader} is no Individual Number card")]
    ForeignCard {
        /// The reader.
        reader: String,
    },
    /// Another program has the card for itself.
    #[error("another program is using the card")]
    InUse,
    /// The card was taken away, or exchanged for another.
    #[error("the card was removed")]
    Removed,
    /// Neither card nor reader answered in time.
    #[error("the card or its reader does not answer any more")]
    Silent,
    /// What the card answered makes no sense.
    #[error("the card's answer makes no sense ({0})")]
    Nonsense(Step),
    /// The card refused a command it should take.
    #[error("the card refused with {status} ({step})")]
    Refused {
        /// What was asked of it.
        step: Step,
        /// Its status word.
        status: StatusWord,
    },
    /// The PIN is not the card's.
    #[error("wrong PIN; {tries_left} tries left")]
    WrongPin {
        /// Tries before the card locks itself.
        tries_left: u8,
    },
    /// The PIN is not four digits; the card was not asked.
    #[error("a PIN has four digits")]
    MalformedPin,
    /// One try is left and nobody said to use it; the card was not asked.
    #[error("only one try is left")]
    LastTry,
    /// The PIN was wrong too often.
    #[error("the card's PIN is blocked")]
    Blocked,
    /// The card has no certificate.
    #[error("the card carries no user-authentication certificate")]
    NoCertificate,
    /// Its certificate is over, by the clock of this machine.
    #[error("the card's certificate ended on {0}")]
    Expired(String),
    /// Its certificate is not valid yet, by the clock of this machine.
    #[error("the card's certificate is valid from {0} on")]
    NotYetValid(String),
    /// Its key is of a kind that is not known here.
    #[error("the card's key is of a kind this program does not know")]
    UnknownKey,
    /// Anything else that makes it unusable.
    #[error("the card cannot be used: {0}")]
    Unusable(String),
}

impl CardFault {
    /// Stable name for JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::WithoutReaders => "without_readers",
            Self::NoService => "no_service",
            Self::Denied => "denied",
            Self::NoReader => "no_reader",
            Self::UnknownReader { .. } => "unknown_reader",
            Self::NoCard => "no_card",
            Self::Mute { .. } => "mute",
            Self::SeveralCards { .. } => "several_cards",
            Self::ForeignCard { .. } => "foreign_card",
            Self::InUse => "in_use",
            Self::Removed => "removed",
            Self::Silent => "silent",
            Self::Nonsense(_) => "nonsense",
            Self::Refused { .. } => "refused",
            Self::WrongPin { .. } => "wrong_pin",
            Self::MalformedPin => "malformed_pin",
            Self::LastTry => "last_try",
            Self::Blocked => "blocked",
            Self::NoCertificate => "no_certificate",
            Self::Expired(_) => "expired",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::UnknownKey => "unknown_key",
            Self::Unusable(_) => "unusable",
        }
    }
}
