//! The guardian at the terminal: the real program, its output read.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use super::{Card, Town, TownError, text};
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
    /// Arguments every call of the terminal has.
    fn terminal_arguments(&self, command: &str, card: &Card) -> Vec<String> {
        let config = text(&self.folder().join("terminal.toml"));
        let (file, pin) = (text(&card.file), text(&card.pin_file));
        [command, "--config", &config, "--card-file", &file, "--pin-file", &pin, "--format", "json"]
            .map(str::to_owned)
            .to_vec()
    }

    fn ask(&self, arguments: &[String]) -> Result<Output, TownError> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.programs().run("hibiki-terminal", &arguments)
    }

    /// Whom a card may act for, in the order `--subject` counts.
    ///
    /// # Errors
    /// The session was refused; the message is what the person was told.
    pub fn login(&self, card: &Card) -> Result<Vec<Subject>, TownError> {
        let output = self.ask(&self.terminal_arguments("login", card))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let failed = |output| TownError::Command { command: "hibiki-terminal login".into(), output };
        if !output.status.success() {
            return Err(failed(said));
        }
        let answer: Login =
            serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
        Ok(answer.subjects)
    }

    /// The view of the subject with this number (from 1).
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn view(&self, card: &Card, subject: usize, more: &[&str]) -> Result<Asked, TownError> {
        Ok(Asked::read(&self.ask(&self.view_arguments(card, subject, more))?))
    }

    /// The view as a person reads it.
    ///
    /// # Errors
    /// There is none; the message is what the person was told.
    pub fn read_view(&self, card: &Card, subject: usize) -> Result<String, TownError> {
        let mut arguments = self.view_arguments(card, subject, &[]);
        arguments.retain(|word| !matches!(word.as_str(), "--format" | "json"));
        let output = self.ask(&arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(TownError::Command { command: "hibiki-terminal view".into(), output: said })
    }

    /// Begins a view without waiting for it.
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn begin_view(&self, card: &Card, subject: usize, more: &[&str]) -> Result<Begun, TownError> {
        let program = self.programs().path("hibiki-terminal");
        let mut command = Command::new(&program);
        command.args(self.view_arguments(card, subject, more));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| TownError::file(&program, source))?;
        let stdout = child.stdout.take().map(BufReader::new);
        let stdout = stdout.ok_or_else(|| unreadable(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Begun { child, stdout, read: Vec::new() })
    }

    fn view_arguments(&self, card: &Card, subject: usize, more: &[&str]) -> Vec<String> {
        let mut arguments = self.terminal_arguments("view", card);
        arguments.extend(["--subject".to_owned(), subject.to_string()]);
        arguments.extend(more.iter().map(|&word| word.to_owned()));
        arguments
    }
}

/// A view under way.
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
}
