//! The guardian's page: `hibiki-terminal serve` as a real process, and its one-time links.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Card, Touch, Town, TownError};
use crate::{child, clock};

const COMMAND: &str = "hibiki-terminal serve";
/// How long it may take to print a link, or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one that nobody needs any more may take to end.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

/// A terminal that serves the page. Dropping it ends it.
pub struct Page {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    link: String,
    log: PathBuf,
}

impl Town {
    /// Serves the page for a card, which lies in a file or in a reader, and waits for the first link.
    ///
    /// # Errors
    /// The terminal does not start; what it said.
    pub fn serve(&self, card: &Card, more: &[&str]) -> Result<Page, TownError> {
        let mut page = self.begin_serving(card, &[&["--format", "json"], more].concat())?;
        page.link = page.next_link()?;
        Ok(page)
    }

    /// The same in a browser of its own over the whole screen, which gets the link without printing it.
    ///
    /// # Errors
    /// The terminal cannot be started.
    pub fn serve_kiosk(&self, card: &Card, more: &[&str]) -> Result<Page, TownError> {
        self.begin_serving(card, &[&["--kiosk"], more].concat())
    }

    fn begin_serving(&self, card: &Card, more: &[&str]) -> Result<Page, TownError> {
        let log = self.folder().join("serve.log");
        let opened = OpenOptions::new().create(true).append(true).open(&log);
        let stderr = opened.map_err(|source| TownError::file(&log, source))?;
        let mut command = child::tied_to_us();
        command.arg(self.programs().path("hibiki-terminal")).arg("serve");
        command.arg("--config").arg(self.folder().join("terminal.toml")).args(more);
        match &card.touch {
            Touch::File => command.arg("--card-file").arg(&card.file),
            Touch::Reader { name, service, .. } => {
                command.args(["--reader", name]).env("PCSCLITE_CSOCK_NAME", service)
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut child =
            child::spawn(command).map_err(|source| TownError::file(Path::new("setpriv"), source))?;
        let (said, lines) = channel();
        let stdout = child.stdout.take().map(BufReader::new);
        std::thread::spawn(move || {
            for line in stdout.into_iter().flat_map(BufReader::lines).map_while(Result::ok) {
                if said.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Page { stdin: child.stdin.take(), child, lines, link: String::new(), log })
    }
}

impl Page {
    /// The first link. It opens once.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Where the page is, without the link's secret: `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> &str {
        self.link.split("/open/").next().unwrap_or_default()
    }

    /// The first line of what it answers to somebody without a link.
    ///
    /// # Errors
    /// It does not answer.
    pub fn knock(&self) -> std::io::Result<String> {
        let host = self.origin().trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    }

    /// Asks for one more link, as Enter at the terminal does.
    ///
    /// # Errors
    /// It gives none.
    pub fn another_link(&mut self) -> Result<String, TownError> {
        let asked = self.stdin.as_mut().map(|stdin| stdin.write_all(b"\n").and_then(|()| stdin.flush()));
        if !matches!(asked, Some(Ok(()))) {
            return Err(self.failed("it takes no more orders"));
        }
        self.next_link()
    }

    fn next_link(&self) -> Result<String, TownError> {
        let line = self.lines.recv_timeout(PATIENCE).map_err(|_| self.failed("it printed no link"))?;
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        match said["url"].as_str() {
            Some(url) if url.starts_with("http://127.0.0.1:") && url.contains("/open/") => Ok(url.to_owned()),
            _ => Err(TownError::Answer { command: COMMAND.to_owned(), output: line }),
        }
    }

    fn failed(&self, what: &str) -> TownError {
        TownError::Command { command: COMMAND.to_owned(), output: format!("{what}\n{}", self.said()) }
    }

    /// What it said on stderr, over all pages of this town.
    pub fn said(&self) -> String {
        std::fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end (SIGTERM) and waits; how it ended.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(mut self) -> Result<ExitStatus, TownError> {
        self.await_end(PATIENCE).ok_or_else(|| TownError::NotStopped(COMMAND.to_owned()))
    }

    fn await_end(&mut self, patience: Duration) -> Option<ExitStatus> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let mut ended = None;
        clock::wait_until(patience, || {
            ended = self.child.try_wait().ok().flatten();
            ended.is_some()
        });
        ended
    }

    /// Ends it at once (SIGKILL), as a crash does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Ended at once, it would leave a kiosk's browser behind.
        if !matches!(self.child.try_wait(), Ok(Some(_))) && self.await_end(SHORT_PATIENCE).is_none() {
            self.kill();
        }
    }
}
