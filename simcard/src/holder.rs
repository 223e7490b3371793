//! The holder's identifier: opaque, so that a card says nothing about a person.

use crate::error::CardError;
use crate::key::random;

/// 8 to 64 ASCII letters and digits, and not what could be a My Number.
pub(crate) fn check_holder_id(given: &str) -> Result<&str, CardError> {
    let fits = (8..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_alphanumeric());
    // Twelve digits would be a My Number: refused, whatever was meant.
    let my_number = given.len() == 12 && given.bytes().all(|b| b.is_ascii_digit());
    if fits && !my_number { Ok(given) } else { Err(CardError::HolderId) }
}

/// 24 characters, the length of the real one's: SIM and 21 hexadecimal digits.
pub(crate) fn random_holder_id() -> Result<String, CardError> {
    let bytes: [u8; 11] = random("choosing a holder id")?;
    let mut id = "SIM".to_owned();
    id.extend(bytes.iter().map(|byte| format!("{byte:02X}")));
    id.truncate(24);
    Ok(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn holder_ids_are_opaque() {
        for good in ["00000001SIMCARD13000001A", "abcdefgh"] {
            assert!(check_holder_id(good).is_ok(), "{good}");
        }
        for bad in ["", "short", "山田花子山田花子", "Yamada Hanako", "123456789012", &"a".repeat(65)]
        {
            assert!(matches!(check_holder_id(bad), Err(CardError::HolderId)), "{bad}");
        }
        let made = random_holder_id().unwrap();
        assert!(made.len() == 24 && check_holder_id(&made).is_ok(), "{made}");
    }
}
