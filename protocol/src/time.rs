//! Points in time and calendar days as they stand on the wire. No clock: `now` is always a parameter.

use crate::cbor::{DecodeError, Decoder, Element, Encoder, Wire, wire_newtype};

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This point `millis` milliseconds later (saturating).
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this point; 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

wire_newtype!(Timestamp);

/// A calendar day in Japan, `yyyy-mm-dd` (Gregorian), fixed once when a record is taken in.
/// Compares by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(String);

impl Day {
    /// Accepts `yyyy-mm-dd` with a day that exists.
    pub fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashes = bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
        let number = |from: usize, to: usize| -> Option<u32> {
            let part = text.get(from..to)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            _ => 0,
        };
        (dashes && (1..=days).contains(&day)).then(|| Self(text.to_owned()))
    }

    /// `yyyy-mm-dd`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Year, month, day.
    pub fn parts(&self) -> (u16, u8, u8) {
        let number = |from: usize, to: usize| self.0.get(from..to).and_then(|part| part.parse::<u16>().ok());
        let byte = |from: usize, to: usize| number(from, to).and_then(|value| u8::try_from(value).ok());
        (number(0, 4).unwrap_or(0), byte(5, 7).unwrap_or(0), byte(8, 10).unwrap_or(0))
    }
}

impl std::fmt::Debug for Day {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A day may be a birth date; a dated trace of a record is personal, too.
        formatter.write_str("Day(***)")
    }
}

impl Wire for Day {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text(&self.0);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::new(decoder.text()?).ok_or(DecodeError::Value { expected: "day" })
    }
}

impl Element for Day {}
