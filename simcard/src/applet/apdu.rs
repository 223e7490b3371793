//! Commands and status words (ISO 7816-4:2020 sections 5.1 to 5.3, 5.6).

/// Why a command got no data: the status word that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Normal processing.
    pub const SUCCESS: Self = Self(0x9000);
    /// The card file could not be read or written (memory failure).
    pub const MEMORY_FAILURE: Self = Self(0x6581);
    /// Wrong length of command or data.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// READ BINARY on what is not a transparent file; VERIFY or SIGN on another kind of file.
    pub const NOT_THIS_KIND_OF_FILE: Self = Self(0x6981);
    /// The PIN was not presented.
    pub const NOT_VERIFIED: Self = Self(0x6982);
    /// The PIN is locked. JICSAP's status: a JPKI card does not say 6983 (JPKI).
    pub const LOCKED: Self = Self(0x6984);
    /// Conditions of use not satisfied.
    pub const CONDITIONS: Self = Self(0x6985);
    /// No file is selected.
    pub const NO_FILE: Self = Self(0x6986);
    /// Wrong data.
    pub const WRONG_DATA: Self = Self(0x6A80);
    /// No such application or file.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// Wrong P1 or P2.
    pub const WRONG_P1_P2: Self = Self(0x6A86);
    /// No such data object.
    pub const NO_SUCH_DATA: Self = Self(0x6A88);
    /// The offset lies beyond the end of the file.
    pub const BEYOND_END: Self = Self(0x6B00);
    /// Unknown instruction.
    pub const UNKNOWN_INSTRUCTION: Self = Self(0x6D00);
    /// Unknown class.
    pub const UNKNOWN_CLASS: Self = Self(0x6E00);
    /// The card failed in a way it cannot name.
    pub const FAILURE: Self = Self(0x6F00);

    /// 63Cx: the PIN was wrong, or was asked about; `left` tries remain (at most 15 can be said).
    pub const fn tries_left(left: u8) -> Self {
        let said = if left > 0x0F { 0x0F } else { left };
        Self(0x63C0 | said as u16)
    }
}

/// What an instruction answers: data with 9000, or another status word alone.
pub(super) type Answer = Result<Vec<u8>, StatusWord>;

/// A command, taken apart.
#[derive(Clone, Copy)]
pub(super) struct Command<'apdu> {
    pub(super) class: u8,
    pub(super) instruction: u8,
    pub(super) p1: u8,
    pub(super) p2: u8,
    /// The data field; empty where there is none.
    pub(super) data: &'apdu [u8],
    /// Bytes expected back, at most (Ne); `None` where there is no Le field.
    pub(super) expected: Option<usize>,
}

impl<'apdu> Command<'apdu> {
    /// Reads a command in any of the short and extended cases.
    pub(super) fn parse(apdu: &'apdu [u8]) -> Result<Self, StatusWord> {
        let [class, instruction, p1, p2, body @ ..] = apdu else { return Err(StatusWord::WRONG_LENGTH) };
        let (data, expected) = fields(body)?;
        Ok(Self { class: *class, instruction: *instruction, p1: *p1, p2: *p2, data, expected })
    }
}

/// Data field and Ne of what follows the header.
fn fields(body: &[u8]) -> Result<(&[u8], Option<usize>), StatusWord> {
    match body {
        [] => Ok((&[], None)),
        [le] => Ok((&[], Some(short_expected(*le)))),
        [0, high, low] => Ok((&[], Some(extended_expected(*high, *low)))),
        [0, high, low, rest @ ..] => {
            let (data, le) = split(rest, usize::from(u16::from_be_bytes([*high, *low])))?;
            match le {
                [] => Ok((data, None)),
                [high, low] => Ok((data, Some(extended_expected(*high, *low)))),
                _ => Err(StatusWord::WRONG_LENGTH),
            }
        }
        [lc, rest @ ..] => {
            let (data, le) = split(rest, usize::from(*lc))?;
            match le {
                [] => Ok((data, None)),
                [le] => Ok((data, Some(short_expected(*le)))),
                _ => Err(StatusWord::WRONG_LENGTH),
            }
        }
    }
}

/// A data field is never empty where there is an Lc.
fn split(rest: &[u8], len: usize) -> Result<(&[u8], &[u8]), StatusWord> {
    if len == 0 { None } else { rest.split_at_checked(len) }.ok_or(StatusWord::WRONG_LENGTH)
}

fn short_expected(le: u8) -> usize {
    if le == 0 { 256 } else { usize::from(le) }
}

fn extended_expected(high: u8, low: u8) -> usize {
    match u16::from_be_bytes([high, low]) {
        0 => 65_536,
        le => usize::from(le),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_case_of_a_command_is_read() {
        let long = [&[0, 0xD6, 0, 0, 0, 1, 0][..], &[7; 256]].concat();
        let long_with_le = [&long[..], &[0, 0]].concat();
        for (apdu, data, expected) in [
            (&[0, 0x20, 0, 0x80][..], 0, None),
            (&[0, 0x20, 0, 0x80, 0], 0, Some(256)),
            (&[0, 0xB0, 0, 0, 4], 0, Some(4)),
            (&[0, 0xA4, 2, 0x0C, 2, 0, 0x0A], 2, None),
            (&[0, 0xA4, 2, 0x0C, 2, 0, 0x0A, 0], 2, Some(256)),
            (&[0, 0xB0, 0, 0, 0, 3, 0xDE], 0, Some(990)),
            (&[0, 0xB0, 0, 0, 0, 0, 0], 0, Some(65_536)),
            (&long, 256, None),
            (&long_with_le, 256, Some(65_536)),
        ] {
            let command = Command::parse(apdu).ok().unwrap();
            assert_eq!((command.data.len(), command.expected), (data, expected), "{apdu:02X?}");
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        for apdu in [
            &[][..],
            &[0, 0x20, 0],
            &[0, 0x20, 0, 0x80, 4, 1, 2, 3],
            &[0, 0x20, 0, 0x80, 1, 1, 2, 3],
            &[0, 0x20, 0, 0x80, 0, 1],
            &[0, 0x20, 0, 0x80, 0, 0, 0, 1],
            &[0, 0x20, 0, 0x80, 0, 0, 1, 1, 2],
        ] {
            assert_eq!(Command::parse(apdu).err(), Some(StatusWord::WRONG_LENGTH), "{apdu:02X?}");
        }
    }
}
