//! The applet as something to put into a reader.

use super::{Applet, CONTACT_ATR, CONTACTLESS_ATR};
use crate::vpcd::{Answer, Plastic};

/// Bytes of an answer to reset, fewest and most (ISO 7816-3 section 8.2.1).
const ATR_LENGTHS: std::ops::RangeInclusive<usize> = 2..=33;

/// An answer to reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atr(Vec<u8>);

impl Atr {
    /// The contact interface's.
    pub fn contact() -> Self {
        Self(CONTACT_ATR.to_vec())
    }

    /// What a contactless reader makes up.
    pub fn contactless() -> Self {
        Self(CONTACTLESS_ATR.to_vec())
    }

    /// Any other; `None` if it is no answer to reset: 2 to 33 bytes, the first 3B or 3F.
    pub fn other(bytes: Vec<u8>) -> Option<Self> {
        let starts = matches!(bytes.first(), Some(0x3B | 0x3F));
        (starts && ATR_LENGTHS.contains(&bytes.len())).then_some(Self(bytes))
    }
}

/// A good card: an applet and the answer to reset it gives.
#[derive(Debug)]
pub struct GoodCard {
    applet: Applet,
    atr: Atr,
}

impl GoodCard {
    /// Puts an applet on plastic.
    pub fn new(applet: Applet, atr: Atr) -> Self {
        Self { applet, atr }
    }
}

impl Plastic for GoodCard {
    fn atr(&mut self) -> Vec<u8> {
        self.atr.0.clone()
    }

    fn power_on(&mut self) {
        self.applet.power_on();
    }

    fn power_off(&mut self) {
        self.applet.power_off();
    }

    fn reset(&mut self) {
        self.applet.reset();
    }

    fn transmit(&mut self, command: &[u8]) -> Answer {
        Answer::Bytes(self.applet.transmit(command))
    }
}
