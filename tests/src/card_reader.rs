//! A card reader of one's own: a private pcscd with virtual slots, for one test or the demo.
//!
//! The real pcscd, the real driver (vsmartcard's), real PC/SC clients; only the plastic is simulated. Any user
//! can have one, and many can run beside each other. Clients find it by the environment variable
//! [`SOCKET_VARIABLE`], and a slot by its reader's name.
//!
//! The driver listens on the network's every address, for as long as the reader runs: whoever reaches the machine
//! could insert a card. Test cards only.

mod faulty;
mod inserted;
mod ports;
mod private;
mod sample;

pub use faulty::{Fault, Faulty, InProcessCard, When};
pub use inserted::InsertedCard;
pub use private::{PrivateReader, SLOTS};
pub use sample::SampleCard;

use std::path::PathBuf;

/// What PC/SC clients read the socket's path from.
pub const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";

/// Why there is no reader.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Something is not installed: a test may be skipped, loudly.
    #[error("{0} is not installed: run `make setup`")]
    Missing(&'static str),
    /// Everything is there and it does not work: not to be skipped.
    #[error("the private card reader did not start: {0}")]
    Failed(String),
}

/// Why a card is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The program is not there.
    #[error(transparent)]
    Program(#[from] crate::town::TownError),
    /// The system refused.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
    /// The card did not get into the reader.
    #[error("{card} was not inserted; it said:\n{said}", card = .card.display())]
    NotInserted {
        /// The card file.
        card: PathBuf,
        /// Its log.
        said: String,
    },
    /// `hibiki-simcard insert` or `remove` refused.
    #[error("`hibiki-simcard {order}` failed: {said}")]
    Refused {
        /// Which.
        order: &'static str,
        /// What it said.
        said: String,
    },
    /// A fixture could not be made.
    #[error("no sample card: {0}")]
    Sample(String),
}
