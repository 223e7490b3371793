//! The four digits: never printed, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::PinError;

/// Digits in a user-authentication PIN.
pub const PIN_DIGITS: usize = 4;

/// A well-formed PIN. Says nothing about whether it is the right one.
#[derive(Clone)]
pub struct Pin(Zeroizing<[u8; PIN_DIGITS]>);

impl Pin {
    /// Reads exactly four ASCII digits; anything else is [`PinError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let digits = <[u8; PIN_DIGITS]>::try_from(text.as_bytes()).map_err(|_| PinError::Malformed)?;
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(Zeroizing::new(digits)))
        } else {
            Err(PinError::Malformed)
        }
    }

    pub(crate) fn digits(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_and_nothing_else() {
        assert!(Pin::parse("0000").is_ok());
        for bad in ["", "123", "12345", "12a4", "１２３４", " 123", "1234\n", "+123"] {
            assert!(matches!(Pin::parse(bad), Err(PinError::Malformed)), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let shown = format!("{:?}", Pin::parse("4711"));
        assert!(shown.contains("***") && !shown.contains('4') && !shown.contains('7'), "{shown}");
    }
}
