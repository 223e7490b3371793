//! The plastic: a simulated Individual Number card (マイナンバーカード).
//!
//! Owns what a card owns: the user-authentication key pair (RSA-2048), its certificate and the
//! authority's, the PIN and its three tries. The key is used only behind the PIN, and the tries
//! left are on the disk before anybody learns whether a PIN was right: pulling the plug gives no
//! free guess, as with the real card.
//!
//! It must not know: who the holder is. A card carries an opaque identifier; there is no name, no
//! birth date and no My Number in it, and it accepts only certificates of an authority that says
//! it is simulated, so that it can never be taken for a real one.
//!
//! ```no_run
//! use hibiki_simcard::{CardFile, Pin};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut card = CardFile::open("card.json")?;
//! let certificate = card.certificate_der()?.to_vec();
//! let signature = card.verify_pin(&Pin::parse("1234")?)?.sign(b"a statement")?;
//! # let _ = (certificate, signature); Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod card;
mod certificate;
mod error;
mod file;
mod key;
mod pin;

pub use card::{CardFile, Unlocked};
pub use certificate::{CertificateInfo, SIMULATED_ORGANISATION};
pub use error::{CardError, PinError};
pub use pin::{PIN_DIGITS, Pin};

/// Wrong PINs a card forgives in a row before it blocks (JPKI user authentication: 3).
pub const PIN_TRIES: u8 = 3;
/// Length in bytes of a signature made by the card (RSA-2048).
pub const SIGNATURE_LEN: usize = 256;
