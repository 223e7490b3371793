//! VERIFY and CHANGE REFERENCE DATA (ISO 7816-4:2020 sections 11.6.6 and 11.6.7) as JPKI has them.

use super::Applet;
use super::apdu::{Answer, Command, StatusWord};
use super::files::File;
use super::rsa_key::OpenKey;
use crate::error::{CardError, PinError};
use crate::pin::{Pin, well_formed};
use crate::slot::KeySlot;

/// P1 of CHANGE REFERENCE DATA: the data is the new PIN alone, the old one was presented before.
const NEW_PIN_ONLY: u8 = 0x01;

impl Applet {
    /// Without data, says how many tries are left, at no cost and also after the right PIN: 63Cx, never
    /// 9000. With data, judges the PIN; the try is on the disk before. A wrong PIN closes the key again.
    pub(super) fn verify(&mut self, command: &Command<'_>) -> Answer {
        if command.p1 != 0 {
            return Err(StatusWord::WRONG_P1_P2);
        }
        let slot = self.referenced_pin(command.p2)?;
        if command.data.is_empty() {
            return Err(StatusWord::tries_left(self.tries_left(slot)?));
        }
        if !self.card.has(slot) {
            return Err(StatusWord::LOCKED);
        }
        match self.card.unlock(&Pin::unchecked(slot, command.data)) {
            Ok(key) => {
                self.open.insert(slot, OpenKey::new(key)?);
                Ok(Vec::new())
            }
            Err(refused) => {
                self.open.remove(&slot);
                Err(match refused {
                    PinError::Wrong { tries_left } => StatusWord::tries_left(tries_left),
                    PinError::Blocked => StatusWord::LOCKED,
                    PinError::Malformed => StatusWord::WRONG_DATA,
                    PinError::Card(_) => StatusWord::MEMORY_FAILURE,
                })
            }
        }
    }

    /// Replaces the PIN of a key that is open.
    pub(super) fn change_reference_data(&mut self, command: &Command<'_>) -> Answer {
        if command.p1 != NEW_PIN_ONLY {
            return Err(StatusWord::WRONG_P1_P2);
        }
        let slot = self.referenced_pin(command.p2)?;
        let key = self.open.get(&slot).ok_or(StatusWord::NOT_VERIFIED)?;
        if command.data.is_empty() {
            return Err(StatusWord::WRONG_LENGTH);
        }
        if !well_formed(slot, command.data) {
            return Err(StatusWord::WRONG_DATA);
        }
        let new = Pin::unchecked(slot, command.data);
        self.card.replace_pin(&key.card_key, &new).map_err(|_| StatusWord::MEMORY_FAILURE)?;
        Ok(Vec::new())
    }

    fn referenced_pin(&mut self, p2: u8) -> Result<KeySlot, StatusWord> {
        match self.referenced(p2)? {
            File::Pin(slot) => Ok(slot),
            _ => Err(StatusWord::NOT_THIS_KIND_OF_FILE),
        }
    }

    /// As the disk says now. A card without a signature key has a password file nobody can open.
    fn tries_left(&self, slot: KeySlot) -> Result<u8, StatusWord> {
        match self.card.tries_left_of(slot) {
            Ok(left) => Ok(left),
            Err(CardError::NoSignatureKey { .. }) => Ok(0),
            Err(_) => Err(StatusWord::MEMORY_FAILURE),
        }
    }
}
