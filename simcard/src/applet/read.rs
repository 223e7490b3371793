//! READ BINARY (ISO 7816-4:2020 section 11.3.3).

use super::Applet;
use super::apdu::{Answer, Command, StatusWord};

impl Applet {
    /// P1 and P2 are an offset of 15 bits into the selected file; or, with the highest bit of P1 set,
    /// P1 holds a short file identifier and P2 an offset of 8 bits. Short at the end of the file.
    pub(super) fn read_binary(&mut self, command: &Command<'_>) -> Answer {
        let expected =
            command.expected.filter(|_| command.data.is_empty()).ok_or(StatusWord::WRONG_LENGTH)?;
        let (file, offset) = match command.p1.checked_sub(0x80) {
            None => {
                let offset = u16::from_be_bytes([command.p1, command.p2]);
                (self.selected.ok_or(StatusWord::NO_FILE)?, usize::from(offset))
            }
            Some(short @ 1..=0x1E) => (self.select_short(short)?, usize::from(command.p2)),
            Some(_) => return Err(StatusWord::WRONG_P1_P2),
        };
        let content = file.content(&self.card, |slot| self.is_open(slot))?;
        match content.get(offset..) {
            None | Some([]) => Err(StatusWord::BEYOND_END),
            Some(rest) => Ok(rest.iter().take(expected).copied().collect()),
        }
    }
}
