//! The secrets a holder knows: never printed, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::PinError;
use crate::slot::KeySlot;

/// Digits in a user-authentication PIN.
pub const PIN_DIGITS: usize = 4;
/// Characters in a signature password, at least.
pub const PASSWORD_LEN_MIN: usize = 6;
/// Characters in a signature password, at most.
pub const PASSWORD_LEN_MAX: usize = 16;

/// A PIN or password for one of the card's keys. Says nothing about whether it is the right one.
#[derive(Clone)]
pub struct Pin {
    slot: KeySlot,
    text: Zeroizing<Vec<u8>>,
}

impl Pin {
    /// Reads the PIN of the authentication key: exactly four ASCII digits.
    ///
    /// # Errors
    /// [`PinError::Malformed`] for anything else.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        Self::parse_for(KeySlot::Authentication, text)
    }

    /// Reads the PIN or password of a key. The signature password is 6 to 16 characters of A-Z and
    /// 0-9, upper case (JPKI); lower case is not turned into upper case here.
    ///
    /// # Errors
    /// [`PinError::Malformed`] for anything else.
    pub fn parse_for(slot: KeySlot, text: &str) -> Result<Self, PinError> {
        if well_formed(slot, text.as_bytes()) {
            Ok(Self::unchecked(slot, text.as_bytes()))
        } else {
            Err(PinError::Malformed)
        }
    }

    /// What a reader sent, whatever it is: to the card, a malformed PIN is a wrong one.
    pub(crate) fn unchecked(slot: KeySlot, text: &[u8]) -> Self {
        Self { slot, text: Zeroizing::new(text.to_vec()) }
    }

    /// Which key it is for.
    pub fn slot(&self) -> KeySlot {
        self.slot
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text
    }
}

/// Whether a key could have this PIN.
pub(crate) fn well_formed(slot: KeySlot, text: &[u8]) -> bool {
    match slot {
        KeySlot::Authentication => text.len() == PIN_DIGITS && text.iter().all(u8::is_ascii_digit),
        KeySlot::Signature => {
            (PASSWORD_LEN_MIN..=PASSWORD_LEN_MAX).contains(&text.len())
                && text.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        }
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
    fn a_password_is_upper_case() {
        for good in ["ABC123", "000000", "ABCDEFGHIJKLMNOP"] {
            assert!(Pin::parse_for(KeySlot::Signature, good).is_ok(), "{good:?}");
        }
        for bad in ["", "ABC12", "abc123", "ABC 123", "ABCDEFGHIJKLMNOPQ", "ABC-123", "ＡＢＣ１２３"] {
            let refused = Pin::parse_for(KeySlot::Signature, bad);
            assert!(matches!(refused, Err(PinError::Malformed)), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let shown = format!("{:?}", Pin::parse("4711"));
        assert!(shown.contains("***") && !shown.contains('4') && !shown.contains('7'), "{shown}");
    }
}
