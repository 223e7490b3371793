//! SELECT (ISO 7816-4:2020 section 11.2.2), as far as the card has it (JPKI).

use super::Applet;
use super::apdu::{Answer, Command, StatusWord};
use super::files::{File, ISSUER_SECURITY_DOMAIN_AID, JPKI_AID};

/// P2: first or only occurrence, answer with the file control information.
const WITH_FCI: u8 = 0x00;
/// P2: first or only occurrence, no answer data.
const WITHOUT_DATA: u8 = 0x0C;

impl Applet {
    pub(super) fn select(&mut self, command: &Command<'_>) -> Answer {
        match command.p1 {
            0x04 => self.select_application(command),
            0x02 => self.select_file(command),
            // The master file: refused until an application is selected, then accepted to no effect.
            0x00 if !self.in_application => Err(StatusWord::WRONG_P1_P2),
            0x00 if command.data.is_empty() => Ok(Vec::new()),
            0x00 => Err(StatusWord::NOT_FOUND),
            _ => Err(StatusWord::WRONG_P1_P2),
        }
    }

    /// By name. Leaving the application closes its keys; selecting it once more does not. A name the
    /// card does not know changes nothing.
    fn select_application(&mut self, command: &Command<'_>) -> Answer {
        if !matches!(command.p2, WITH_FCI | WITHOUT_DATA) {
            return Err(StatusWord::WRONG_P1_P2);
        }
        if command.data == JPKI_AID {
            self.in_application = true;
            self.selected = None;
        } else if command.data == ISSUER_SECURITY_DOMAIN_AID {
            self.power_off();
        } else {
            return Err(StatusWord::NOT_FOUND);
        }
        Ok(if command.p2 == WITH_FCI { file_control_information(command.data) } else { Vec::new() })
    }

    /// By identifier, below the application.
    fn select_file(&mut self, command: &Command<'_>) -> Answer {
        let id = <[u8; 2]>::try_from(command.data).map_err(|_| StatusWord::WRONG_LENGTH)?;
        if !matches!(command.p2, WITH_FCI | WITHOUT_DATA) {
            return Err(StatusWord::WRONG_P1_P2);
        }
        self.select_id(u16::from_be_bytes(id))?;
        Ok(Vec::new())
    }

    /// By short identifier, as other commands carry it.
    pub(super) fn select_short(&mut self, short: u8) -> Result<File, StatusWord> {
        self.select_id(u16::from(short))
    }

    fn select_id(&mut self, id: u16) -> Result<File, StatusWord> {
        let file = File::with_id(id).filter(|_| self.in_application).ok_or(StatusWord::NOT_FOUND)?;
        self.selected = Some(file);
        Ok(file)
    }
}

/// The application's name and nothing else: what the real card says here is not known.
fn file_control_information(aid: &[u8]) -> Vec<u8> {
    // Names are 16 bytes at most (ISO 7816-4 section 12.2.3), so the lengths fit.
    let len = u8::try_from(aid.len()).unwrap_or_default();
    [&[0x6F, len.saturating_add(2), 0x84, len], aid].concat()
}
