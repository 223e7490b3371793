//! A card in a slot, as the real program: `hibiki-simcard run`.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{CardError, PrivateReader};
use crate::town::programs::folder_with;
use crate::{child, clock};

const PROGRAM: &str = "hibiki-simcard";
/// How long a card may take to be in the reader, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running card. Dropping it ends it, and the reader sees it leave.
pub struct InsertedCard {
    child: Child,
    program: PathBuf,
    card: PathBuf,
    log: PathBuf,
}

impl InsertedCard {
    /// Runs a card in a slot and waits until it is in. `more` are further options of `hibiki-simcard run`; with
    /// `--removed` it waits until the card runs beside the reader.
    ///
    /// # Errors
    /// It does not get in.
    pub fn run(reader: &PrivateReader, slot: usize, card: &Path, more: &[&str]) -> Result<Self, CardError> {
        let program = folder_with(PROGRAM)?.join(PROGRAM);
        let log = card.with_extension("run.log");
        let opened = OpenOptions::new().create(true).append(true).open(&log);
        let file = opened.map_err(|error| CardError::System("opening the card's log", error))?;
        let errors = file.try_clone().map_err(|error| CardError::System("opening the card's log", error))?;
        let _ = file.set_len(0);
        let mut command = child::tied_to_us();
        command.arg(&program).arg("run").arg(card);
        command.arg("--reader").arg(format!("127.0.0.1:{}", reader.port(slot))).args(more);
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = child::spawn(command).map_err(|error| CardError::System("starting the card", error))?;
        let mut running = Self { child, program, card: card.to_owned(), log };
        running.await_started(more.contains(&"--removed"))?;
        Ok(running)
    }

    fn await_started(&mut self, removed: bool) -> Result<(), CardError> {
        let mut ended = false;
        let socket = PathBuf::from(format!("{}.sock", self.card.display()));
        let up = clock::wait_until(PATIENCE, || {
            ended = !matches!(self.child.try_wait(), Ok(None));
            ended || if removed { socket.exists() } else { self.log().contains("inserted ") }
        });
        if up && !ended {
            return Ok(());
        }
        Err(CardError::NotInserted { card: self.card.clone(), said: self.log() })
    }

    /// The card file.
    pub fn card(&self) -> &Path {
        &self.card
    }

    /// What the program said since it was started.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Takes the card out of the reader, as its holder does. pcscd notices within 400 ms.
    ///
    /// # Errors
    /// It refuses.
    pub fn remove(&self) -> Result<(), CardError> {
        self.order("remove")
    }

    /// Puts it back and waits until the reader has seen it.
    ///
    /// # Errors
    /// It does not get in.
    pub fn insert(&self) -> Result<(), CardError> {
        self.order("insert")
    }

    fn order(&self, order: &'static str) -> Result<(), CardError> {
        let run = Command::new(&self.program).arg(order).arg(&self.card).stdin(Stdio::null()).output();
        let output = run.map_err(|error| CardError::System("running hibiki-simcard", error))?;
        if output.status.success() {
            return Ok(());
        }
        Err(CardError::Refused { order, said: String::from_utf8_lossy(&output.stderr).into_owned() })
    }

    /// Freezes it (SIGSTOP): in the reader, but silent. Everything on that pcscd hangs until it is let go on or
    /// ended.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end (SIGTERM) and waits; whether it ended well.
    pub fn end(mut self) -> bool {
        self.signal(Signal::TERM);
        let mut status = None;
        clock::wait_until(PATIENCE, || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        });
        status.is_some_and(|status| status.success())
    }

    /// Ends it at once (SIGKILL), as when a card is torn out.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for InsertedCard {
    fn drop(&mut self) {
        self.kill();
    }
}
