//! The plastic: a simulated Individual Number card (模擬個人番号カード).
//!
//! Owns what a card owns: the user-authentication key pair (RSA-2048) and, where the holder has one,
//! the signature key pair, each with its certificate and the authority's, its PIN and its tries. A
//! key is used only behind its PIN, and the tries left are on the disk before anybody learns whether
//! a PIN was right: pulling the plug gives no free guess, as with the real card.
//!
//! It must not know: who the holder is. A card carries an opaque identifier; there is no name, no
//! birth date and no My Number in it, and it accepts only certificates of an authority that says
//! it is simulated, so that it can never be taken for a real one.
//!
//! The tour:
//!
//! - [`CardFile`] — the card as a file: made, certified, unlocked, signed with.
//! - [`KeySlot`], [`Pin`] — the two keys, and what opens each.
//! - [`applet`] — the same card as a reader meets it: commands (APDUs) in, answers out.
//! - [`vpcd`] — the wire to a virtual reader under the real pcscd, and [`vpcd::Plastic`], what can be
//!   put into it.
//! - [`pace`], [`trace`] — a card as slow as a real one; what went over the wire, without PINs.
//!
//! The last three need the feature `reader` (on by default). A program that uses the file alone
//! leaves it out, and with it the crate `rsa`.
//!
//! ```no_run
//! use hibiki_simcard::{CardFile, Pin};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut card = CardFile::open("card.json")?;
//! let certificate = card.certificate_der()?.to_vec();
//! let signature = card.verify_pin(&Pin::parse("1234")?)?.sign(b"a statement")?;
//! # let _ = (certificate, signature); Ok(()) }
//! ```
#![cfg_attr(not(feature = "reader"), allow(rustdoc::broken_intra_doc_links))]
#![forbid(unsafe_code)]

#[cfg(feature = "reader")]
pub mod applet;
mod card;
mod certificate;
mod create;
mod data;
mod error;
mod file;
mod holder;
mod key;
#[cfg(feature = "reader")]
pub mod pace;
mod pin;
mod slot;
#[cfg(feature = "reader")]
pub mod trace;
#[cfg(feature = "reader")]
pub mod vpcd;

pub use card::{CardFile, Unlocked};
pub use certificate::{CertificateInfo, SIMULATED_ORGANISATION};
pub use create::Requests;
pub use error::{CardError, CertificateError, PinError};
pub use pin::{PASSWORD_LEN_MAX, PASSWORD_LEN_MIN, PIN_DIGITS, Pin};
pub use slot::KeySlot;

/// Wrong PINs the authentication key forgives in a row before it blocks (JPKI: 3).
pub const PIN_TRIES: u8 = 3;
/// Wrong passwords the signature key forgives in a row before it blocks (JPKI: 5).
pub const PASSWORD_TRIES: u8 = 5;
/// Length in bytes of a signature made by the card (RSA-2048).
pub const SIGNATURE_LEN: usize = 256;
