//! The guardian at the terminal: the real program, its output read.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use super::{Card, Touch, Town, TownError};
use crate::view::{Subject, View};

/// What came of asking.
#[derive(Debug)]
pub struct Asked {
    /// The view, where there is one.
    pub view: Option<View>,
    /// Exit status 0.
    pub success: bool,
    /// What the person was told.
    pub said: String,
    /// The view as it was printed.
    pub json: String,
}

impl Asked {
    fn read(output: &Output) -> Self {
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let view = out.lines().last().and_then(|line| serde_json::from_str(line).ok());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = out.lines().last().map(|line| format!("{line}\n")).unwrap_or_default();
        Self { view, success: output.status.success(), said, json }
    }

    /// The view.
    ///
    /// # Errors
    /// There is none.
    pub fn into_view(self) -> Result<View, TownError> {
        let Self { view, said, .. } = self;
        view.ok_or_else(|| TownError::Command { command: "hibiki-terminal view".into(), output: said })
    }
}

impl Town {
    /// The terminal with the card at hand; `command` comes first, of one word or two.
    pub(super) fn terminal(&self, command: &str, card: &Card) -> Command {
        let mut terminal = Command::new(self.programs().path("hibiki-terminal"));
        terminal.args(command.split(' ')).arg("--config").arg(self.folder().join("terminal.toml"));
        terminal.arg("--pin-file").arg(&card.pin_file).stdin(Stdio::null());
        match &card.touch {
            Touch::File => terminal.arg("--card-file").arg(&card.file),
            Touch::Reader { name, service, wait } => terminal
                .args(["--wait", &wait.to_string(), "--reader", name])
                .env("PCSCLITE_CSOCK_NAME", service),
        };
        terminal
    }

    /// `hibiki-terminal registration`: what it printed as JSON, and whether it succeeded.
    ///
    /// # Errors
    /// It cannot be run, or prints something else.
    pub fn registration(
        &self,
        card: &Card,
        subject: usize,
        more: &[&str],
    ) -> Result<(Value, bool), TownError> {
        let number = subject.to_string();
        let words = ["--format", "json", "--subject", &number];
        let output = run(self.terminal("registration", card).args(words).args(more))?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
        let odd = |_| TownError::Answer { command: "hibiki-terminal registration".into(), output: said };
        let value = serde_json::from_str(out.lines().last().unwrap_or_default()).map_err(odd)?;
        Ok((value, output.status.success()))
    }

    /// Whom a card may act for, in the order `--subject` counts.
    ///
    /// # Errors
    /// The session was refused; the message is what the person was told.
    pub fn login(&self, card: &Card) -> Result<Vec<Subject>, TownError> {
        self.login_with(card, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// The session was refused; the message is what the person was told.
    pub fn login_with(&self, card: &Card, more: &[&str]) -> Result<Vec<Subject>, TownError> {
        Ok(self.log_in(card, more)?.subjects)
    }

    fn log_in(&self, card: &Card, more: &[&str]) -> Result<Login, TownError> {
        let output = run(self.terminal("login", card).args(["--format", "json"]).args(more))?;
        let failed = |output| TownError::Command { command: "hibiki-terminal login".into(), output };
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
    }

    /// How long each part of a login takes, in milliseconds, by its name in the terminal's JSON.
    ///
    /// # Errors
    /// The session was refused; the message is what the person was told.
    pub fn time_login(&self, card: &Card) -> Result<BTreeMap<String, f64>, TownError> {
        Ok(self.log_in(card, &["--timing"])?.timing)
    }

    /// The view of the subject with this number (from 1).
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn view(&self, card: &Card, subject: usize, more: &[&str]) -> Result<Asked, TownError> {
        Ok(Asked::read(&run(self.viewing(card, subject).args(["--format", "json"]).args(more))?))
    }

    /// The view as a person reads it.
    ///
    /// # Errors
    /// There is none; the message is what the person was told.
    pub fn read_view(&self, card: &Card, subject: usize) -> Result<String, TownError> {
        self.read("view", card, subject)
    }

    /// What a command of the terminal shows a person about the subject with this number.
    ///
    /// # Errors
    /// Nothing; the message is what the person was told.
    pub fn read(&self, command: &str, card: &Card, subject: usize) -> Result<String, TownError> {
        let output = run(self.terminal(command, card).args(["--subject", &subject.to_string()]))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(TownError::Command { command: format!("hibiki-terminal {command}"), output: said })
    }

    /// What another command of the terminal prints about the subject with this number, as JSON; whether it
    /// ended well.
    ///
    /// # Errors
    /// The terminal cannot be run, or prints something else.
    pub fn ask(
        &self,
        command: &str,
        card: &Card,
        subject: usize,
        more: &[&str],
    ) -> Result<(Value, bool), TownError> {
        let mut terminal = self.terminal(command, card);
        terminal.args(["--subject", &subject.to_string(), "--format", "json"]).args(more);
        let output = run(&mut terminal)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let failed = |_| TownError::Command { command: format!("hibiki-terminal {command}"), output: said };
        Ok((serde_json::from_slice(&output.stdout).map_err(failed)?, output.status.success()))
    }

    /// Begins a view without waiting for it.
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn begin_view(&self, card: &Card, subject: usize, more: &[&str]) -> Result<Begun, TownError> {
        begin(self.viewing(card, subject).args(["--format", "json"]).args(more))
    }

    /// Logs in and stays, until the card is taken away or the terminal is ended: one line of JSON when the
    /// session is open, one when it has ended.
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn stay(&self, card: &Card) -> Result<Begun, TownError> {
        begin(self.terminal("login", card).args(["--stay", "--format", "json"]))
    }

    fn viewing(&self, card: &Card, subject: usize) -> Command {
        let mut terminal = self.terminal("view", card);
        terminal.args(["--subject", &subject.to_string()]);
        terminal
    }
}

pub(super) fn run(terminal: &mut Command) -> Result<Output, TownError> {
    terminal.output().map_err(unreadable)
}

fn begin(terminal: &mut Command) -> Result<Begun, TownError> {
    let mut child = terminal.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(unreadable)?;
    let stdout = child.stdout.take().map(BufReader::new);
    let stdout = stdout.ok_or_else(|| unreadable(std::io::ErrorKind::BrokenPipe.into()))?;
    Ok(Begun { child, stdout, read: Vec::new() })
}

/// A terminal under way.
pub struct Begun {
    child: Child,
    stdout: BufReader<ChildStdout>,
    read: Vec<u8>,
}

impl Begun {
    /// Waits for this many lines of its output.
    ///
    /// # Errors
    /// The output cannot be read.
    pub fn lines(&mut self, count: usize) -> Result<Vec<String>, TownError> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).map_err(unreadable)? == 0 {
                break;
            }
            self.read.extend_from_slice(line.as_bytes());
            lines.push(line);
        }
        Ok(lines)
    }

    /// Ends the terminal with SIGKILL: it can say nothing any more.
    ///
    /// # Errors
    /// It cannot be ended.
    pub fn kill(mut self) -> Result<(), TownError> {
        self.child.kill().map_err(unreadable)?;
        self.child.wait().map(|_| ()).map_err(unreadable)
    }

    /// Waits for it.
    ///
    /// # Errors
    /// The terminal's output cannot be read.
    pub fn wait(mut self) -> Result<Asked, TownError> {
        self.stdout.read_to_end(&mut self.read).map_err(unreadable)?;
        let output = self.child.wait_with_output().map_err(unreadable)?;
        Ok(Asked::read(&Output { stdout: self.read, ..output }))
    }
}

fn unreadable(source: std::io::Error) -> TownError {
    TownError::file(Path::new("hibiki-terminal"), source)
}

#[derive(serde::Deserialize)]
struct Login {
    subjects: Vec<Subject>,
    #[serde(default)]
    timing: BTreeMap<String, f64>,
}
