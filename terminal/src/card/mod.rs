//! The card: a certificate anybody may read, and a signature that only the PIN unlocks.
//!
//! [`Card`] is what the terminal needs of an Individual Number card's user-authentication application
//! (公的個人認証 利用者証明用), whatever stands behind it: a reader ([`reader`], over PC/SC) or a file
//! ([`FileCard`]). [`jpki`] speaks to the plastic in [`apdu`]s, [`certificate`] says until when it is valid
//! and how it signs. None of it holds a card open longer than one act: after a signature the card has
//! forgotten the PIN before anybody else can ask it for one.

pub mod apdu;
pub mod certificate;
mod fault;
mod file;
pub mod jpki;
pub mod reader;

pub use certificate::Certificate;
pub use fault::{CardFault, Step};
pub use file::FileCard;

use std::fmt;
use std::future::Future;

use zeroize::Zeroizing;

/// Digits of a user-authentication PIN.
const PIN_DIGITS: usize = 4;

/// A future of a card: boxed, so that cards can be held as trait objects.
pub type Awaiting<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A PIN on its way from the person to the card; wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Takes what was typed.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.trim_end_matches(['\r', '\n'])
    }

    /// The four digits; `None` if it is anything else, which then costs no try.
    pub(crate) fn digits(&self) -> Option<&[u8]> {
        let bytes = self.text().as_bytes();
        (bytes.len() == PIN_DIGITS && bytes.iter().all(u8::is_ascii_digit)).then_some(bytes)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pin(***)")
    }
}

/// What a card shows without a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its user-authentication certificate.
    pub certificate: Certificate,
    /// Wrong PINs it still forgives.
    pub tries_left: u8,
    /// Whether another program has the card open, too.
    pub shared: bool,
}

/// What a card gives after its PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The certificate, DER, of the very card that signed.
    pub certificate: Vec<u8>,
    /// The signature, in the form of the certificate's algorithm.
    pub signature: Vec<u8>,
    /// Wrong PINs the card forgives from now on.
    pub tries_left: u8,
}

/// A card at hand.
pub trait Card: Send + Sync {
    /// Reads what it shows without a PIN. Costs no try.
    fn inspect(&mut self) -> Awaiting<'_, Result<Inspection, CardFault>>;

    /// Shows the PIN to the card, once, and has `message` signed. When it returns, the card has forgotten
    /// the PIN, whatever came of it.
    fn prove<'a>(&'a mut self, pin: &'a Pin, message: &'a [u8]) -> Awaiting<'a, Result<Proof, CardFault>>;

    /// Completes when the card has been taken away since it was found, or nobody can tell any more.
    fn removed(&self) -> Awaiting<'static, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_four_digits_and_never_shown() {
        for good in ["1234", "0000\n", "9876\r\n"] {
            assert!(Pin::new(good.to_owned()).digits().is_some(), "{good:?}");
        }
        for bad in ["", "123", "12345", "12a4", "１２３４", " 123"] {
            assert!(Pin::new(bad.to_owned()).digits().is_none(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", Pin::new("4711".to_owned())), "Pin(***)");
    }
}
