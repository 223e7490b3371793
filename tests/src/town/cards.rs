//! A resident's simulated card.

use std::path::PathBuf;

use hibiki_certs::card_authority::Serial;

/// PIN of every card of the town.
pub const PIN: &str = "1234";
/// Days a card's certificate is valid: five years, as usual.
pub const CARD_DAYS: u64 = 1_826;

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
}
