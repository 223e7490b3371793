//! A real SMTP server on loopback, with STARTTLS and AUTH, that delivers into a Maildir and misbehaves when told to.
//!
//! It is aiosmtpd (PyPI), started with a few lines of Python; mails are read back by Python's own parser. Must not know what
//! is in the mails.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::{child, clock};

const SERVER: &str = include_str!("post_office/server.py");

/// What the server does with mails.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Delivers.
    Ok,
    /// Puts off whoever it sees for the first time.
    Greylist,
    /// Puts off everybody.
    Deferred,
    /// Refuses this recipient for good.
    Reject(String),
    /// Never answers.
    Stall,
    /// Answers after so long, and delivers.
    Slow(Duration),
    /// Closes the connection in the middle of DATA.
    Drop,
    /// Delivers, and closes the connection before saying so.
    Forget,
    /// Greets nobody: come back later (421).
    Busy,
    /// Greets nobody: go away (554).
    Closed,
    /// Lets nobody log in.
    Locked,
    /// Takes nothing from our sender's address.
    Stranger,
    /// Finds every message too big, once it is there.
    TooBig,
}

/// A mail as it arrived.
#[derive(Clone, Debug, Deserialize)]
pub struct Letter {
    /// Its Message-ID.
    pub id: String,
    /// The recipient.
    pub to: String,
    /// The sender.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// RFC 3834's header.
    pub auto_submitted: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

/// The server; it ends with this value.
#[derive(Debug)]
pub struct PostOffice {
    folder: PathBuf,
    python: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl PostOffice {
    /// Opens the post office in an empty folder; `None`, said loudly, where its software is not installed.
    ///
    /// # Errors
    /// Files or processes fail.
    pub fn open(folder: &Path) -> io::Result<Option<Self>> {
        let Some(python) = python() else {
            crate::skip::skipped("mails", "aiosmtpd is not installed (run .ci/setup)");
            return Ok(None);
        };
        fs::create_dir_all(folder)?;
        let folder = fs::canonicalize(folder)?;
        fs::write(folder.join("server.py"), SERVER)?;
        certificate(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut office = Self { folder, python, port, child: None };
        office.start()?;
        Ok(Some(office))
    }

    /// Starts it again after [`Self::stop`].
    ///
    /// # Errors
    /// The process does not come up.
    pub fn start(&mut self) -> io::Result<()> {
        let mut command: Command = child::tied_to_us();
        let file = |name: &str| self.folder.join(name);
        command
            .arg(&self.python)
            .arg(file("server.py"))
            .arg(self.port.to_string())
            .arg(&self.folder)
            .arg(file("post.crt"))
            .arg(file("post.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(file("server.log"))?);
        let mut started = child::spawn(command)?;
        let mut ready = String::new();
        if let Some(out) = started.stdout.take() {
            BufReader::new(out).read_line(&mut ready)?;
        }
        self.child = Some(started);
        if ready.trim() == "ready" {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        Err(io::Error::other(format!("the SMTP server did not start: {log}")))
    }

    /// Stops it: connections are refused from now on.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// How mails are dealt with from now on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn be(&self, mood: &Mood) -> io::Result<()> {
        let text = match mood {
            Mood::Ok => "ok".to_owned(),
            Mood::Greylist => "greylist".to_owned(),
            Mood::Deferred => "deferred".to_owned(),
            Mood::Reject(address) => format!("reject {address}"),
            Mood::Stall => "stall".to_owned(),
            Mood::Slow(pause) => format!("stall {}", pause.as_secs_f64()),
            Mood::Drop => "drop".to_owned(),
            Mood::Forget => "forget".to_owned(),
            Mood::Busy => "busy".to_owned(),
            Mood::Closed => "closed".to_owned(),
            Mood::Locked => "locked".to_owned(),
            Mood::Stranger => "stranger".to_owned(),
            Mood::TooBig => "too big".to_owned(),
        };
        fs::write(self.folder.join("mood"), text)
    }

    /// Everything delivered until now, in its order.
    pub fn letters(&self) -> Vec<Letter> {
        let text = fs::read_to_string(self.folder.join("letters.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until `count` mails were delivered to an address, or gives what there is after a while.
    pub fn await_letters(&self, to: &str, count: usize, patience: Duration) -> Vec<Letter> {
        let to_her = || -> Vec<Letter> { self.letters().into_iter().filter(|it| it.to == to).collect() };
        clock::wait_until(patience, || to_her().len() >= count);
        to_her()
    }

    /// The mailbox, in Maildir form.
    pub fn maildir(&self) -> PathBuf {
        self.folder.join("Maildir")
    }

    /// Its port on the loopback address.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its certificate, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("post.crt")
    }

    /// A file with the password of its user `school`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn password_file(&self) -> io::Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt as _;
        let password = self.folder.join("password");
        fs::write(&password, "a word nobody knows\n")?;
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600))?;
        Ok(password)
    }

    /// How many conversations it has had.
    pub fn conversations(&self) -> usize {
        fs::read_to_string(self.folder.join("conversations")).map_or(0, |text| text.len())
    }

    /// The section `[mail]` of a node that sends through it.
    ///
    /// # Errors
    /// The password's file cannot be written.
    pub fn mail_section(&self) -> io::Result<String> {
        let password = self.password_file()?;
        Ok(format!(
            "[mail]\nrelay = \"127.0.0.1:{}\"\ntls = \"start-tls\"\nca-file = \"{}\"\nuser = \"school\"\npassword-file = \"{}\"\nfrom = \"もみじ小学校 <noreply@momiji.example>\"\ntimeout-seconds = 3\n\n",
            self.port,
            self.certificate().display(),
            password.display(),
        ))
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The interpreter that has aiosmtpd.
fn python() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let python = target.join("post/bin/python");
    let mut tried = Command::new(&python);
    tried.args(["-c", "import aiosmtpd"]).stdout(Stdio::null()).stderr(Stdio::null());
    tried.status().is_ok_and(|status| status.success()).then_some(python)
}

/// A certificate for 127.0.0.1 that is its own authority.
fn certificate(folder: &Path) -> io::Result<()> {
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=post.example", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(folder.join("post.key"))
        .arg("-out")
        .arg(folder.join("post.crt"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if openssl.status()?.success() { Ok(()) } else { Err(io::Error::other("openssl made no certificate")) }
}
