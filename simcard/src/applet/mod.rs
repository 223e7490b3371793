//! The card as a reader meets it: commands in, answers out (ISO 7816-4, and what is known of JPKI).
//!
//! One application, 公的個人認証, with the files, PINs, keys and status words of the real one. The
//! card-face applications (券面事項) are not there, so that no My Number can be. No input and output
//! but the card file: whatever carries the bytes is outside ([`crate::vpcd`]).
//!
//! Sources: the JPKI drivers of OpenSC 0.23 and the notes of the crate myna-card 3.3 on real and test
//! cards; J-LIS's own specification is not public. Where those are silent, ISO 7816-4 decides.

mod apdu;
mod files;
mod pin;
mod plastic;
mod read;
mod rsa_key;
mod select;
mod sign;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;
use std::fmt;

use apdu::{Answer, Command};
use files::File;
use rsa_key::OpenKey;

pub use apdu::StatusWord;
pub use files::JPKI_AID;
pub use plastic::{Atr, GoodCard};

use crate::card::CardFile;
use crate::slot::KeySlot;

/// What the contact interface answers to reset: T=1, the one OpenSC knows the card by (JPKI).
pub const CONTACT_ATR: [u8; 9] = [0x3B, 0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14];
/// What a contactless reader makes up for the Type B card (PC/SC part 3, section 3.1.3.2.3).
pub const CONTACTLESS_ATR: [u8; 13] =
    [0x3B, 0x88, 0x80, 0x01, 0x00, 0x00, 0x05, 0xE0, 0xB3, 0x81, 0xA1, 0x00, 0x7F];

const CLASS_ISO: u8 = 0x00;
/// Class of the card's own commands.
const CLASS_CARD: u8 = 0x80;
/// Bytes GET CHALLENGE gives at most.
const CHALLENGE_MAX: usize = 256;

/// A card under power: the file behind it, and what is selected and verified.
pub struct Applet {
    card: CardFile,
    in_application: bool,
    selected: Option<File>,
    /// Keys whose PIN was presented.
    open: BTreeMap<KeySlot, OpenKey>,
}

impl Applet {
    /// A card with nothing selected and no PIN presented.
    pub fn new(card: CardFile) -> Self {
        Self { card, in_application: false, selected: None, open: BTreeMap::new() }
    }

    /// The card's answer to a command: data, if any, and always a status word of two bytes. Whatever
    /// is sent is answered.
    pub fn transmit(&mut self, apdu: &[u8]) -> Vec<u8> {
        let answer = Command::parse(apdu).and_then(|command| self.perform(&command));
        let (mut bytes, status) = match answer {
            Ok(data) => (data, StatusWord::SUCCESS),
            Err(status) => (Vec::new(), status),
        };
        bytes.extend_from_slice(&status.0.to_be_bytes());
        bytes
    }

    /// The card loses its power: nothing is selected, no PIN is presented any more.
    pub fn power_off(&mut self) {
        self.in_application = false;
        self.selected = None;
        self.open.clear();
    }

    /// The card gets power: as [`Self::power_off`], and the file is read anew, since certificates may
    /// have been installed. A file that has gone bad shows at the next command that needs it.
    pub fn power_on(&mut self) {
        self.power_off();
        let _ = self.card.refresh();
    }

    /// A warm reset: nothing is selected any more, but a PIN that was presented stays presented, as
    /// on the real card (JPKI). Whoever holds the reader next can sign.
    pub fn reset(&mut self) {
        self.in_application = false;
        self.selected = None;
    }

    /// The card file.
    pub fn card(&self) -> &CardFile {
        &self.card
    }

    fn perform(&mut self, command: &Command<'_>) -> Answer {
        match (command.class, command.instruction) {
            (CLASS_ISO, 0xA4) => self.select(command),
            (CLASS_ISO, 0xB0) => self.read_binary(command),
            (CLASS_ISO, 0x20) => self.verify(command),
            (CLASS_ISO, 0x24) => self.change_reference_data(command),
            (CLASS_ISO, 0x84) => get_challenge(command),
            (CLASS_ISO, 0xCA) => get_data(command),
            (CLASS_CARD, 0x2A) => self.sign(command),
            (CLASS_ISO | CLASS_CARD, _) => Err(StatusWord::UNKNOWN_INSTRUCTION),
            _ => Err(StatusWord::UNKNOWN_CLASS),
        }
    }

    fn is_open(&self, slot: KeySlot) -> bool {
        self.open.contains_key(&slot)
    }

    /// The file that P2 of VERIFY, CHANGE REFERENCE DATA and SIGN means: 80 the selected one, 80 + n the
    /// one with the short identifier n, which is selected thereby.
    fn referenced(&mut self, p2: u8) -> Result<File, StatusWord> {
        match p2.checked_sub(0x80) {
            Some(0) => self.selected.ok_or(StatusWord::NO_FILE),
            Some(short @ 1..=0x1F) => self.select_short(short),
            _ => Err(StatusWord::WRONG_P1_P2),
        }
    }
}

impl fmt::Debug for Applet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applet").field("card", &self.card).finish_non_exhaustive()
    }
}

/// GET CHALLENGE: as many random bytes as are asked for.
fn get_challenge(command: &Command<'_>) -> Answer {
    if (command.p1, command.p2) != (0, 0) {
        return Err(StatusWord::WRONG_P1_P2);
    }
    let len = command.expected.filter(|_| command.data.is_empty()).ok_or(StatusWord::WRONG_LENGTH)?;
    if len > CHALLENGE_MAX {
        return Err(StatusWord::CONDITIONS);
    }
    let mut challenge = vec![0; len];
    getrandom::fill(&mut challenge).map_err(|_| StatusWord::FAILURE)?;
    Ok(challenge)
}

/// GET DATA 5F51: the contact interface's ATR without its first byte, whatever the interface (JPKI).
fn get_data(command: &Command<'_>) -> Answer {
    match (command.p1, command.p2, CONTACT_ATR) {
        (0x5F, 0x51, [_, rest @ ..]) => Ok(rest.to_vec()),
        _ => Err(StatusWord::NO_SUCH_DATA),
    }
}
