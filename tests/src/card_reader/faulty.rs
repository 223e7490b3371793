//! Cards that break: in this process, on a thread, so that a test says when and how.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use hibiki_simcard::vpcd::{self, Answer, Plastic};

use super::{CardError, PrivateReader};

/// How long a card may take to be in the reader, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// When a card breaks. It stays broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At the n-th command, from 1.
    Command(usize),
    /// At the first command with this instruction byte: 20 is VERIFY, 2A is SIGN.
    Instruction(u8),
}

/// How a card breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It does not answer any more.
    Frozen,
    /// It is pulled out before it answers.
    Pulled,
    /// It answers this, whatever is asked.
    Garbage(Vec<u8>),
}

/// A card that breaks.
pub struct Faulty<P> {
    card: P,
    when: When,
    fault: Fault,
    seen: usize,
    broken: bool,
}

impl<P: Plastic> Faulty<P> {
    /// Makes a good card break.
    pub fn new(card: P, when: When, fault: Fault) -> Self {
        Self { card, when, fault, seen: 0, broken: false }
    }
}

impl<P: Plastic> Plastic for Faulty<P> {
    fn atr(&mut self) -> Vec<u8> {
        self.card.atr()
    }

    fn power_on(&mut self) {
        self.card.power_on();
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn reset(&mut self) {
        self.card.reset();
    }

    fn transmit(&mut self, command: &[u8]) -> Answer {
        self.seen += 1;
        self.broken |= match self.when {
            When::Command(number) => self.seen >= number,
            When::Instruction(instruction) => command.get(1) == Some(&instruction),
        };
        match &self.fault {
            _ if !self.broken => self.card.transmit(command),
            Fault::Frozen => Answer::Frozen,
            Fault::Pulled => Answer::Pulled,
            Fault::Garbage(bytes) => Answer::Bytes(bytes.clone()),
        }
    }
}

/// A card in a slot, run by a thread of this process. Dropping it takes it out.
pub struct InProcessCard {
    connection: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl InProcessCard {
    /// Puts a card into a slot and waits until the reader has seen it.
    ///
    /// # Errors
    /// It does not get in.
    pub fn insert(
        reader: &PrivateReader,
        slot: usize,
        mut plastic: impl Plastic + 'static,
    ) -> Result<Self, CardError> {
        let failed = |error| CardError::System("inserting a card", error);
        let mut stream = TcpStream::connect(("127.0.0.1", reader.port(slot))).map_err(failed)?;
        let connection = stream.try_clone().map_err(failed)?;
        let (inserted, seen) = channel();
        let thread = std::thread::spawn(move || {
            // How it ends is what the test looks at from the other side.
            let _ = vpcd::serve(&mut stream, &mut plastic, &mut || {
                let _ = inserted.send(());
            });
            let _ = stream.shutdown(Shutdown::Both);
        });
        let card = Self { connection, thread: Some(thread) };
        match seen.recv_timeout(PATIENCE) {
            Ok(()) => Ok(card),
            Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl Drop for InProcessCard {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
