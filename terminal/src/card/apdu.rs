//! What passes between a terminal and a card: command and response APDUs (ISO/IEC 7816-4), short form.
//!
//! A [`Command`] always has its four bytes of header: shorter ones cannot be made, because some readers
//! take a single byte for an order of their own and never answer again. What follows the header may be a
//! PIN; it is wiped when dropped and never shown.

use std::fmt;

use zeroize::Zeroizing;

use super::CardFault;

/// Data bytes of a short command, at most.
const DATA_BYTES_MAX: usize = 255;

/// A command APDU.
#[derive(Clone)]
pub struct Command(Zeroizing<Vec<u8>>);

impl Command {
    /// A command without data (case 1).
    pub fn new(class: u8, instruction: u8, p1: u8, p2: u8) -> Self {
        Self(Zeroizing::new(vec![class, instruction, p1, p2]))
    }

    /// The same with data (case 3); `None` if it is empty or longer than 255 bytes.
    pub fn with_data(self, data: &[u8]) -> Option<Self> {
        if data.is_empty() || data.len() > DATA_BYTES_MAX {
            return None;
        }
        // Grown in one step: a buffer that moves would leave a copy of the PIN behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len() + 2 + data.len()));
        bytes.extend_from_slice(&self.0);
        bytes.push(u8::try_from(data.len()).ok()?);
        bytes.extend_from_slice(data);
        Some(Self(bytes))
    }

    /// The same, expecting up to `length` bytes (1 to 256) of answer (cases 2 and 4).
    pub fn expecting(self, length: u16) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len() + 1));
        bytes.extend_from_slice(&self.0);
        // Le 00 stands for 256 (ISO/IEC 7816-4, 5.1).
        bytes.push(u8::try_from(length).unwrap_or(0));
        Self(bytes)
    }

    /// The command as it travels.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header: Vec<String> = self.0.iter().take(4).map(|byte| format!("{byte:02X}")).collect();
        write!(formatter, "Command({} ***)", header.join(" "))
    }
}

/// The two last bytes of a response: what the card says of it (ISO/IEC 7816-4, 5.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Done.
    pub const OK: Self = Self(0x9000);
    /// No such file or application.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// Security status not satisfied.
    pub const NOT_VERIFIED: Self = Self(0x6982);
    /// Authentication method blocked, as ISO has it.
    pub const BLOCKED: Self = Self(0x6983);
    /// Referenced file locked, as JPKI cards have it (JICSAP).
    pub const LOCKED: Self = Self(0x6984);

    /// Tries left, where it is a `63Cx`.
    pub fn tries_left(self) -> Option<u8> {
        (self.0 & 0xFFF0 == 0x63C0).then_some((self.0 & 0x000F) as u8)
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04X}", self.0)
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A response APDU.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// What came before the status word.
    pub data: Vec<u8>,
    /// The status word.
    pub status: StatusWord,
}

impl Response {
    /// Reads what a card sent; `None` if there is no status word.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (data, status) = bytes.split_last_chunk::<2>()?;
        Some(Self { data: data.to_vec(), status: StatusWord(u16::from_be_bytes(*status)) })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Response({} bytes, {})", self.data.len(), self.status)
    }
}

/// A way to a card: one command, one response, in turn.
pub trait Channel {
    /// Sends a command and takes the raw response.
    ///
    /// # Errors
    /// The card is gone, or the reader gave no response.
    fn transmit(&mut self, command: &Command) -> Result<Vec<u8>, CardFault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_a_header_and_show_no_data() {
        let verify = Command::new(0x00, 0x20, 0x00, 0x80).with_data(b"4711").map(|c| c.expecting(256));
        let Some(verify) = verify else { panic!("data fits") };
        assert_eq!(verify.bytes(), b"\x00\x20\x00\x80\x044711\x00");
        assert_eq!(format!("{verify:?}"), "Command(00 20 00 80 ***)");
        assert!(Command::new(0, 0, 0, 0).with_data(&[]).is_none());
        assert!(Command::new(0, 0, 0, 0).with_data(&[0; 256]).is_none());
        assert_eq!(Command::new(1, 2, 3, 4).expecting(7).bytes(), [1, 2, 3, 4, 7]);
    }

    #[test]
    fn responses_end_with_a_status_word() {
        assert_eq!(Response::parse(&[]), None);
        assert_eq!(Response::parse(&[0x90]), None);
        let answer = Response::parse(&[1, 2, 0x63, 0xC2]);
        assert_eq!(answer.as_ref().map(|a| a.data.as_slice()), Some([1, 2].as_slice()));
        assert_eq!(answer.and_then(|a| a.status.tries_left()), Some(2));
        assert_eq!(StatusWord::OK.tries_left(), None);
        assert_eq!(StatusWord(0x64C3).tries_left(), None);
    }
}
