//! The JPKI application (公的個人認証サービス) of an Individual Number card, over any [`Channel`].
//!
//! Its interface is not published by J-LIS; files and commands are those on which the free programs for
//! the card agree (OpenSC `card-jpki.c`, jpki/myna, myna-card). The application is recognised by its
//! identifier, never by the ATR, which belongs to chip and reader.
//!
//! [`Jpki`] can only be had by selecting the application, [`Verified`] only by the right PIN.

use zeroize::Zeroizing;

use super::apdu::{Channel, Command, Response, StatusWord};
use super::certificate::Algorithm;
use super::{CardFault, Pin, Step};

/// Application identifier of JPKI.
const AID: [u8; 10] = [0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];
/// The user-authentication certificate (利用者証明用電子証明書); readable by anybody.
const CERTIFICATE: [u8; 2] = [0x00, 0x0A];
/// The user-authentication private key.
const KEY: [u8; 2] = [0x00, 0x17];
/// Its PIN.
const PIN: [u8; 2] = [0x00, 0x18];
/// "The file or key that is selected".
const SELECTED: u8 = 0x80;

/// Bytes of a certificate, at most. Real ones have about 1,600.
const CERTIFICATE_BYTES_MAX: usize = 8 * 1024;
/// Bytes read at once: what a short response holds.
const BLOCK: usize = 256;

/// The application, selected.
pub struct Jpki<'a, C: Channel> {
    channel: &'a mut C,
}

impl<'a, C: Channel> Jpki<'a, C> {
    /// Selects the application; `None` if the card has none.
    ///
    /// # Errors
    /// The card is gone or answers nonsense.
    pub fn select(channel: &'a mut C) -> Result<Option<Self>, CardFault> {
        // P2 0C: no file control information wanted.
        let command = with_data(Command::new(0x00, 0xA4, 0x04, 0x0C), &AID, Step::Select)?;
        let status = exchange(channel, &command, Step::Select)?.status;
        Ok((status == StatusWord::OK).then_some(Self { channel }))
    }

    /// Wrong PINs the card still forgives; asking costs none.
    ///
    /// # Errors
    /// The card is gone or answers nonsense.
    pub fn tries_left(&mut self) -> Result<u8, CardFault> {
        self.select_file(PIN)?;
        // VERIFY without data asks (ISO/IEC 7816-4, 11.6.6).
        let status = self.ask(&Command::new(0x00, 0x20, 0x00, SELECTED), Step::Tries)?.status;
        match status {
            StatusWord::BLOCKED | StatusWord::LOCKED => Ok(0),
            _ => status.tries_left().ok_or(CardFault::Refused { step: Step::Tries, status }),
        }
    }

    /// The user-authentication certificate, DER. Of a certificate that is `known`, only the first block is
    /// read again: it holds the serial number.
    ///
    /// # Errors
    /// There is none, or the card is gone or answers nonsense.
    pub fn certificate(&mut self, known: Option<&[u8]>) -> Result<Vec<u8>, CardFault> {
        match self.select_file(CERTIFICATE) {
            Err(CardFault::Refused { status: StatusWord::NOT_FOUND, .. }) => {
                return Err(CardFault::NoCertificate);
            }
            selected => selected?,
        }
        let mut der = self.read(0, BLOCK)?;
        if let Some(known) = known.filter(|known| !der.is_empty() && known.starts_with(&der)) {
            return Ok(known.to_vec());
        }
        let length = certificate_length(&der).ok_or(CardFault::NoCertificate)?;
        while der.len() < length {
            let block = self.read(der.len(), (length - der.len()).min(BLOCK))?;
            if block.is_empty() {
                return Err(CardFault::Nonsense(Step::Certificate));
            }
            der.extend_from_slice(&block);
        }
        der.truncate(length);
        Ok(der)
    }

    /// Shows the PIN to the card, once.
    ///
    /// # Errors
    /// It is not four digits (then the card is not asked), wrong, or blocked; or the card is gone.
    pub fn verify(mut self, pin: &Pin) -> Result<Verified<'a, C>, CardFault> {
        let digits = pin.digits().ok_or(CardFault::MalformedPin)?;
        self.select_file(PIN)?;
        let command = with_data(Command::new(0x00, 0x20, 0x00, SELECTED), digits, Step::Pin)?;
        let status = self.ask(&command, Step::Pin)?.status;
        match status {
            StatusWord::OK => Ok(Verified(self)),
            StatusWord::BLOCKED | StatusWord::LOCKED => Err(CardFault::Blocked),
            _ => Err(status.tries_left().map_or(CardFault::Refused { step: Step::Pin, status }, |left| {
                CardFault::WrongPin { tries_left: left }
            })),
        }
    }

    fn read(&mut self, offset: usize, length: usize) -> Result<Vec<u8>, CardFault> {
        let nonsense = CardFault::Nonsense(Step::Certificate);
        let [high, low] = u16::try_from(offset).map_err(|_| nonsense.clone())?.to_be_bytes();
        let expected = u16::try_from(length).map_err(|_| nonsense.clone())?;
        let command = Command::new(0x00, 0xB0, high, low).expecting(expected);
        let Response { data, status } = self.ask(&command, Step::Certificate)?;
        if status != StatusWord::OK {
            return Err(CardFault::Refused { step: Step::Certificate, status });
        }
        if data.len() > length { Err(nonsense) } else { Ok(data) }
    }

    fn select_file(&mut self, file: [u8; 2]) -> Result<(), CardFault> {
        // P1 02: an elementary file under the application; the only form these cards take.
        let command = with_data(Command::new(0x00, 0xA4, 0x02, 0x0C), &file, Step::Select)?;
        let status = self.ask(&command, Step::Select)?.status;
        if status == StatusWord::OK { Ok(()) } else { Err(CardFault::Refused { step: Step::Select, status }) }
    }

    fn ask(&mut self, command: &Command, step: Step) -> Result<Response, CardFault> {
        exchange(self.channel, command, step)
    }
}

/// The application after the right PIN: the only thing that signs. The card stays open until it is cut
/// from power, so whoever has this must see to that.
pub struct Verified<'a, C: Channel>(Jpki<'a, C>);

impl<C: Channel> Verified<'_, C> {
    /// Signs `message` as the certificate's key does.
    ///
    /// # Errors
    /// The card refuses, is gone or answers nonsense.
    pub fn sign(&mut self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, CardFault> {
        self.0.select_file(KEY)?;
        let input = Zeroizing::new(algorithm.input(message));
        // PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE, as JPKI has it.
        let command = with_data(Command::new(0x80, 0x2A, 0x00, SELECTED), &input, Step::Signature)?;
        let Response { data, status } = self.0.ask(&command.expecting(256), Step::Signature)?;
        if status != StatusWord::OK {
            return Err(CardFault::Refused { step: Step::Signature, status });
        }
        algorithm.signature(&data).ok_or(CardFault::Nonsense(Step::Signature))
    }

    /// Wrong PINs the card forgives from now on.
    ///
    /// # Errors
    /// The card is gone or answers nonsense.
    pub fn tries_left(&mut self) -> Result<u8, CardFault> {
        self.0.tries_left()
    }
}

/// Length of the DER element that begins with `head`, if it can be a certificate.
fn certificate_length(head: &[u8]) -> Option<usize> {
    let [0x30, 0x82, high, low, ..] = head else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low])) + 4;
    (length <= CERTIFICATE_BYTES_MAX).then_some(length)
}

fn with_data(command: Command, data: &[u8], step: Step) -> Result<Command, CardFault> {
    command.with_data(data).ok_or(CardFault::Nonsense(step))
}

fn exchange<C: Channel>(channel: &mut C, command: &Command, step: Step) -> Result<Response, CardFault> {
    Response::parse(&channel.transmit(command)?).ok_or(CardFault::Nonsense(step))
}

#[cfg(test)]
#[path = "jpki_tests.rs"]
mod tests;
