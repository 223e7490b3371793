//! A resident's simulated card.

use std::path::{Path, PathBuf};

use hibiki_certs::card_authority::Serial;

use super::TownError;

/// PIN of every card of the town.
pub const PIN: &str = "1234";
/// Days a card's certificate is valid: five years, as usual.
pub const CARD_DAYS: u64 = 1_826;

/// How a terminal gets at a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// As a file.
    File,
    /// In a reader.
    Reader {
        /// The reader's name.
        name: String,
        /// Socket of the smart-card service the reader belongs to.
        service: PathBuf,
        /// Seconds the terminal waits for a card.
        wait: u64,
    },
}

/// A card and what belongs to it.
#[derive(Clone, Debug)]
pub struct Card {
    /// The card itself.
    pub file: PathBuf,
    /// A file with its PIN, for a terminal nobody types at.
    pub pin_file: PathBuf,
    /// Its certificate, PEM.
    pub certificate: PathBuf,
    /// Serial number of the certificate.
    pub serial: Serial,
    /// Where the terminal finds it.
    pub touch: Touch,
}

impl Card {
    /// The same card, lying in a reader or about to.
    pub fn in_reader(&self, name: &str, service: &Path, wait: u64) -> Self {
        let touch = Touch::Reader { name: name.to_owned(), service: service.to_owned(), wait };
        Self { touch, ..self.clone() }
    }

    /// The same card with a PIN that is not its own, in a file beside its PIN's.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn with_pin(&self, pin: &str) -> Result<Self, TownError> {
        let pin_file = self.pin_file.with_file_name(format!("pin-{pin}"));
        std::fs::write(&pin_file, pin).map_err(|source| TownError::file(&pin_file, source))?;
        Ok(Self { pin_file, ..self.clone() })
    }
}
