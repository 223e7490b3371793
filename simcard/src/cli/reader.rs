//! The card in a reader: `run`, and `insert` and `remove`, which talk to a running one.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use hibiki_simcard::CardFile;
use hibiki_simcard::applet::{Applet, Atr, GoodCard};
use hibiki_simcard::pace::{Pace, Paced};
use hibiki_simcard::trace::Traced;
use hibiki_simcard::vpcd::{DEFAULT_PORT, Plastic};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CliError;
use super::output::say;
use crate::clock;
use crate::reader::control::{self, ControlSocket, Order};
use crate::reader::seat::{Seat, Tell};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Put cards into a virtual reader under the real pcscd, until Ctrl-C.
    #[command(
        after_help = "Example: hibiki-simcard run card.json\nTwo cards, as slow as real ones: hibiki-simcard run mother.json father.json --delay contactless"
    )]
    Run {
        /// The card files. The n-th card goes into the n-th slot: the reader's port plus n - 1.
        #[arg(required = true)]
        cards: Vec<PathBuf>,
        /// The virtual reader of vsmartcard (vpcd), HOST:PORT.
        #[arg(long, default_value_t = Reader::default())]
        reader: Reader,
        /// How slow the card is: none, contactless (a card held to a reader; an assumption), or milliseconds per
        /// command.
        #[arg(long, default_value = "none", value_parser = pace)]
        delay: Pace,
        /// The answer to reset: contact, contactless, or hexadecimal digits.
        #[arg(long, default_value = "contact", value_parser = atr)]
        atr: Atr,
        /// Start with the cards beside the reader; `hibiki-simcard insert` puts them in.
        #[arg(long)]
        removed: bool,
        /// Print every command and answer. PINs are masked.
        #[arg(long)]
        trace: bool,
    },
    /// Take a running card out of its reader.
    #[command(after_help = "Example: hibiki-simcard remove card.json")]
    Remove {
        /// The card file, as it was given to `hibiki-simcard run`.
        card: PathBuf,
    },
    /// Put a running card back into its reader.
    #[command(after_help = "Example: hibiki-simcard insert card.json")]
    Insert {
        /// The card file, as it was given to `hibiki-simcard run`.
        card: PathBuf,
    },
}

/// Where a virtual reader listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    host: String,
    port: u16,
}

impl Default for Reader {
    fn default() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: DEFAULT_PORT }
    }
}

impl std::fmt::Display for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Reader {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a reader is HOST:PORT, such as 127.0.0.1:35963";
        let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
        if host.is_empty() {
            return Err(wrong);
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| wrong)? })
    }
}

impl Reader {
    /// The address of the slot with this number, from 0.
    fn slot(&self, number: usize) -> Result<String, CliError> {
        let port = u16::try_from(number).ok().and_then(|number| self.port.checked_add(number));
        let port = port.ok_or(CliError::Port(self.port, number))?;
        Ok(format!("{}:{port}", self.host))
    }
}

fn pace(text: &str) -> Result<Pace, &'static str> {
    match text {
        "none" => Ok(Pace::NONE),
        "contactless" => Ok(Pace::CONTACTLESS),
        millis => {
            let millis: u16 =
                millis.parse().map_err(|_| "none, contactless, or milliseconds (0 to 65535)")?;
            Ok(Pace::per_command(Duration::from_millis(millis.into())))
        }
    }
}

fn atr(text: &str) -> Result<Atr, &'static str> {
    let wrong = "contact, contactless, or 2 to 33 bytes in hexadecimal that begin with 3B or 3F";
    match text {
        "contact" => Ok(Atr::contact()),
        "contactless" => Ok(Atr::contactless()),
        digits => bytes(digits).and_then(Atr::other).ok_or(wrong),
    }
}

/// Bytes of hexadecimal digits, with or without colons.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        digits.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}

pub(super) fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Run { cards, reader, delay, atr, removed, trace } => {
            let ending = Ending::catch().map_err(CliError::Start)?;
            let tell: Tell = Arc::new(|words| drop(say(words)));
            let mut running = Vec::new();
            for (number, path) in cards.iter().enumerate() {
                let card = CardFile::open(path)?;
                let name = path.display().to_string();
                let plastic =
                    plastic(GoodCard::new(Applet::new(card), atr.clone()), delay, trace, &name, &tell);
                let seat = Seat::start(name, reader.slot(number)?, plastic, Arc::clone(&tell))
                    .map_err(CliError::Start)?;
                let socket = ControlSocket::open(path, seat.remote())?;
                running.push((socket, seat));
            }
            // Only now, when none of them can be refused any more.
            for (_, seat) in running.iter().filter(|_| !removed) {
                seat.remote().want_in();
            }
            ending.wait();
            Ok(())
        }
        Command::Remove { card } => {
            Ok(say(&format!("{} {}", control::tell(&card, Order::Remove)?, card.display()))?)
        }
        Command::Insert { card } => {
            Ok(say(&format!("{} {}", control::tell(&card, Order::Insert)?, card.display()))?)
        }
    }
}

/// A card as slow as wanted, overheard if wanted.
fn plastic(card: GoodCard, delay: Pace, trace: bool, name: &str, tell: &Tell) -> Box<dyn Plastic> {
    let card = Paced::new(card, delay, |wait: Duration| {
        if !wait.is_zero() {
            clock::pause(wait);
        }
    });
    if !trace {
        return Box::new(card);
    }
    let (name, tell) = (name.to_owned(), Arc::clone(tell));
    Box::new(Traced::new(card, move |words: &str| {
        for line in words.lines() {
            tell(&format!("{name} {line}"));
        }
    }))
}

/// Ctrl-C and SIGTERM, caught from the moment this is made.
struct Ending {
    runtime: tokio::runtime::Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    fn catch() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        drop(entered);
        Ok(Self { runtime, terminate, interrupt })
    }

    fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn readers_are_host_and_port() {
        let reader: Reader = "localhost:9000".parse().unwrap();
        assert_eq!(reader.slot(1).unwrap(), "localhost:9001");
        assert!(matches!("[::1]:65535".parse::<Reader>().unwrap().slot(1), Err(CliError::Port(65535, 1))));
        for bad in ["", "localhost", ":1", "localhost:x", "localhost:65536"] {
            assert!(bad.parse::<Reader>().is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_to_reset_are_checked() {
        assert_eq!(atr("3BE000FF8131FE4514").unwrap(), Atr::contact());
        assert_eq!(atr("3b:88:80:01:00:00:05:e0:b3:81:a1:00:7f").unwrap(), Atr::contactless());
        for bad in ["", "3B", "00AA", "3B0", "xy", &"3B".repeat(34)] {
            assert!(atr(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn delays_are_words_or_milliseconds() {
        assert_eq!(pace("contactless").unwrap(), Pace::CONTACTLESS);
        assert_eq!(pace("25").unwrap(), Pace::per_command(Duration::from_millis(25)));
        assert!(pace("fast").is_err() && pace("-1").is_err());
    }
}
