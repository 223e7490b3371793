//! A card as slow as a real one.
//!
//! The figures are assumptions, not measurements: a contactless card at 106 kbit/s moves about 13 bytes
//! a millisecond, every command has an overhead in reader and card, and an RSA-2048 signature takes the
//! card some 400 ms. They are for seeing how a guardian waits, not for judging a card.

use std::time::Duration;

use crate::vpcd::{Answer, Plastic};

/// Bytes the contactless interface moves in a millisecond, both ways together.
const BYTES_PER_MILLISECOND: u32 = 16;
/// SIGN (JPKI).
const SIGN_HEADER: (u8, u8) = (0x80, 0x2A);
/// Bytes of an answer that is no signature: a status word alone.
const STATUS_LEN: usize = 2;

/// How long a card takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    per_command: Duration,
    per_signature: Duration,
    counts_bytes: bool,
}

impl Pace {
    /// As fast as it can.
    pub const NONE: Self =
        Self { per_command: Duration::ZERO, per_signature: Duration::ZERO, counts_bytes: false };
    /// Held to a reader: 30 ms a command, 1 ms for each 16 bytes, 400 ms a signature.
    pub const CONTACTLESS: Self = Self {
        per_command: Duration::from_millis(30),
        per_signature: Duration::from_millis(400),
        counts_bytes: true,
    };

    /// The same time for every command.
    pub const fn per_command(time: Duration) -> Self {
        Self { per_command: time, per_signature: Duration::ZERO, counts_bytes: false }
    }

    /// How long this command and its answer take.
    pub fn of(&self, command: &[u8], answer: &[u8]) -> Duration {
        let moved = u32::try_from(command.len() + answer.len()).unwrap_or(u32::MAX);
        let moving = if self.counts_bytes { moved.div_ceil(BYTES_PER_MILLISECOND) } else { 0 };
        let header = command.first().copied().zip(command.get(1).copied());
        let signed = header == Some(SIGN_HEADER) && answer.len() > STATUS_LEN;
        let signing = if signed { self.per_signature } else { Duration::ZERO };
        self.per_command + Duration::from_millis(u64::from(moving)) + signing
    }
}

/// A card that takes its time. `wait` is the caller's clock.
pub struct Paced<P, W> {
    card: P,
    pace: Pace,
    wait: W,
}

impl<P: Plastic, W: FnMut(Duration) + Send> Paced<P, W> {
    /// Slows a card down.
    pub fn new(card: P, pace: Pace, wait: W) -> Self {
        Self { card, pace, wait }
    }
}

impl<P: Plastic, W: FnMut(Duration) + Send> Plastic for Paced<P, W> {
    fn atr(&mut self) -> Vec<u8> {
        self.card.atr()
    }

    fn power_on(&mut self) {
        self.card.power_on();
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn reset(&mut self) {
        self.card.reset();
    }

    fn transmit(&mut self, command: &[u8]) -> Answer {
        let answer = self.card.transmit(command);
        if let Answer::Bytes(bytes) = &answer {
            (self.wait)(self.pace.of(command, bytes));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGN: [u8; 6] = [0x80, 0x2A, 0x00, 0x80, 0x01, 0x00];

    #[test]
    fn a_contactless_card_is_slow_and_a_signature_slower() {
        let ms = Duration::from_millis;
        assert_eq!(Pace::CONTACTLESS.of(&[0, 0x20, 0, 0x80], &[0x63, 0xC3]), ms(31));
        assert_eq!(Pace::CONTACTLESS.of(&SIGN, &[0; 258]), ms(30 + 17 + 400));
        assert_eq!(Pace::CONTACTLESS.of(&SIGN, &[0x69, 0x82]), ms(31), "refused at once");
        assert_eq!(Pace::NONE.of(&SIGN, &[0; 258]), Duration::ZERO);
        assert_eq!(Pace::per_command(ms(7)).of(&SIGN, &[0; 258]), ms(7));
    }
}
