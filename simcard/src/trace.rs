//! What went over the wire, for people: never a PIN.
//!
//! Everything behind the length byte of a command that carries PINs is left out, whatever its class and
//! whether or not it is well-formed, and no answer to it holds one.

use std::fmt::Write as _;

use crate::vpcd::{Answer, Plastic};

/// VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER in both codings (ISO 7816-4:2020 section
/// 11.6), and JICSAP's CHANGE KEY.
const CARRY_PINS: [u8; 7] = [0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D, 0x32];

/// A command in hexadecimal, its PIN masked.
pub fn command(apdu: &[u8]) -> String {
    let [class, instruction, p1, p2, rest @ ..] = apdu else {
        // Too short for a header: whatever it is, it is not shown.
        return format!("({} bytes)", apdu.len());
    };
    if !CARRY_PINS.contains(instruction) {
        return hex(apdu);
    }
    let header = hex(&[*class, *instruction, *p1, *p2]);
    match rest {
        [] => header,
        // A length that is not that of what follows may be the first digit itself.
        [length, secret @ ..] if usize::from(*length) == secret.len() => {
            format!("{header} {length:02X} *** ({} bytes masked)", secret.len())
        }
        _ => format!("{header} *** ({} bytes masked)", rest.len()),
    }
}

/// An answer in hexadecimal; of a long one the beginning, and the status word.
pub fn answer(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    match bytes.split_last_chunk::<2>() {
        Some((data, status)) if data.len() > SHOWN => {
            let beginning: Vec<u8> = data.iter().take(SHOWN).copied().collect();
            format!("{} … ({} bytes) {}", hex(&beginning), data.len(), hex(status))
        }
        _ => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// A card whose every command and answer is told to somebody, PINs masked.
pub struct Traced<P, T> {
    card: P,
    tell: T,
}

impl<P: Plastic, T: FnMut(&str) + Send> Traced<P, T> {
    /// Listens in on a card.
    pub fn new(card: P, tell: T) -> Self {
        Self { card, tell }
    }
}

impl<P: Plastic, T: FnMut(&str) + Send> Plastic for Traced<P, T> {
    fn atr(&mut self) -> Vec<u8> {
        // Asked for every 400 ms; not worth a line.
        self.card.atr()
    }

    fn power_on(&mut self) {
        (self.tell)("power on");
        self.card.power_on();
    }

    fn power_off(&mut self) {
        (self.tell)("power off");
        self.card.power_off();
    }

    fn reset(&mut self) {
        (self.tell)("reset");
        self.card.reset();
    }

    fn transmit(&mut self, apdu: &[u8]) -> Answer {
        let answered = self.card.transmit(apdu);
        let said = match &answered {
            Answer::Bytes(bytes) => answer(bytes),
            Answer::Frozen => "(no answer)".to_owned(),
            Answer::Pulled => "(pulled out)".to_owned(),
        };
        (self.tell)(&format!("> {}\n< {said}", command(apdu)));
        answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_a_pin_is_shown() {
        let pin = b"9876";
        for apdu in [
            [&[0x00, 0x20, 0x00, 0x80, 0x04][..], pin].concat(),
            [&[0x00, 0x24, 0x01, 0x80, 0x04][..], pin].concat(),
            [&[0x8C, 0x20, 0x00, 0x80, 0x04][..], pin].concat(),
            [&[0x00, 0x20, 0x00, 0x80, 0x00, 0x00, 0x04][..], pin].concat(),
            [&[0x00, 0x20, 0x00, 0x80][..], pin].concat(),
            [&[0x00, 0x20, 0x00, 0x80, 0x05][..], pin].concat(),
            [&[0x80, 0x32, 0x00, 0x80, 0x04][..], pin].concat(),
        ] {
            let shown = command(&apdu);
            for digit in ["39", "38", "37", "36", "9876"] {
                assert!(!shown.contains(digit), "{shown}");
            }
            assert!(shown.contains("***"), "{shown}");
        }
        assert_eq!(command(b"98"), "(2 bytes)");
    }

    #[test]
    fn the_rest_is_shown() {
        assert_eq!(command(&[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x0A]), "00A4020C02000A");
        assert_eq!(command(&[0x00, 0x20, 0x00, 0x80]), "00200080");
        assert_eq!(answer(&[0x63, 0xC3]), "63C3");
        assert!(answer(&[7; 258]).ends_with("(256 bytes) 0707"));
    }
}
