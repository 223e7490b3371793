//! The wire to a virtual reader: vsmartcard's protocol, the card's side.
//!
//! The reader is a driver under the real pcscd that listens on TCP (35963 for its first slot, the next
//! port for the second); the card is the client. Every message is a length of two bytes, big-endian,
//! and as many bytes. A message of one byte is about power, 04 asks for the answer to reset, and
//! everything longer is a command that gets its answer. The reader asks for the answer to reset every
//! 400 ms, to see whether the card is still there. Connecting inserts the card, closing removes it.
//!
//! Must not know: what a command means. That is the [`Plastic`]'s.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use rustix::net::sockopt::set_tcp_quickack;

/// Port of the first slot of vsmartcard's reader; the second has the next one.
pub const DEFAULT_PORT: u16 = 35_963;
/// Bytes of an answer at most: what the length field can say.
const ANSWER_MAX: usize = u16::MAX as usize;

const POWER_OFF: u8 = 0x00;
const POWER_ON: u8 = 0x01;
const RESET: u8 = 0x02;
const GET_ATR: u8 = 0x04;

/// What comes of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The answer: data, if any, and the status word.
    Bytes(Vec<u8>),
    /// The card does not answer, and stays where it is.
    Frozen,
    /// The card was pulled out before it answered.
    Pulled,
}

/// Something of a card's shape that can be put into a reader. A good card answers everything with
/// [`Answer::Bytes`]; a faulty one, for tests, need not.
pub trait Plastic: Send {
    /// The answer to reset (ISO 7816-3 section 8.2), 2 to 33 bytes.
    fn atr(&mut self) -> Vec<u8>;
    /// The card gets power.
    fn power_on(&mut self);
    /// The card loses its power.
    fn power_off(&mut self);
    /// A warm reset: the card stays under power.
    fn reset(&mut self);
    /// A command.
    fn transmit(&mut self, command: &[u8]) -> Answer;
}

impl<P: Plastic + ?Sized> Plastic for Box<P> {
    fn atr(&mut self) -> Vec<u8> {
        (**self).atr()
    }
    fn power_on(&mut self) {
        (**self).power_on();
    }
    fn power_off(&mut self) {
        (**self).power_off();
    }
    fn reset(&mut self) {
        (**self).reset();
    }
    fn transmit(&mut self, command: &[u8]) -> Answer {
        (**self).transmit(command)
    }
}

/// How a stay in a reader ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The connection was closed: by the reader, or by whoever holds the card's own socket.
    Closed,
    /// The card was pulled out ([`Answer::Pulled`]).
    Pulled,
}

/// Serves a reader until the card leaves it. `inserted` is called once, when the reader has asked for
/// the answer to reset: before that, another card may still be in the slot and this one waits.
///
/// # Errors
/// The connection breaks.
pub fn serve(
    stream: &mut TcpStream,
    plastic: &mut dyn Plastic,
    inserted: &mut dyn FnMut(),
) -> io::Result<End> {
    stream.set_nodelay(true)?;
    let mut announced = false;
    let end = loop {
        let Some(message) = receive(stream)? else { break End::Closed };
        let answer = match message.as_slice() {
            [] => continue,
            [POWER_OFF] => {
                plastic.power_off();
                continue;
            }
            [POWER_ON] => {
                plastic.power_on();
                continue;
            }
            [RESET] => {
                plastic.reset();
                continue;
            }
            [GET_ATR] => Answer::Bytes(plastic.atr()),
            command => plastic.transmit(command),
        };
        match answer {
            Answer::Bytes(bytes) => send(stream, &bytes)?,
            Answer::Pulled => break End::Pulled,
            Answer::Frozen => {
                // Nothing more is read; the connection stays until somebody closes it.
                wait_for_close(stream)?;
                break End::Closed;
            }
        }
        if message == [GET_ATR] && !std::mem::replace(&mut announced, true) {
            inserted();
        }
    };
    plastic.power_off();
    Ok(end)
}

/// One message; `None` when the connection was closed between two.
fn receive(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    match read_exact(stream, &mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    read_exact(stream, &mut message)?;
    Ok(Some(message))
}

/// The driver of vsmartcard 3.3 sends length and content apart, with Nagle's algorithm: the second
/// waits for the acknowledgement of the first, which Linux delays by 40 ms unless it is asked not to.
/// It forgets that it was asked, hence before every read.
fn read_exact(stream: &mut TcpStream, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        set_tcp_quickack(&stream, true)?;
        match stream.read(into) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => into = into.get_mut(read..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One write for length and content, for the same reason.
fn send(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    let length = u16::try_from(answer.len())
        .map_err(|_| io::Error::other(format!("an answer of more than {ANSWER_MAX} bytes")))?;
    let mut message = Vec::with_capacity(answer.len() + 2);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(answer);
    stream.write_all(&message)
}

fn wait_for_close(stream: &mut TcpStream) -> io::Result<()> {
    // Peeking at what nobody reads would spin: it is read, and thrown away.
    let mut ignored = [0; 256];
    while stream.read(&mut ignored)? > 0 {}
    Ok(())
}
