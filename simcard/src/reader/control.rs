//! The socket beside a card file, over which a running card is told to leave the reader or to enter it.
//!
//! One line each way: `insert` or `remove`; then `ok …` or `error …`. The socket is the owner's
//! alone. It is there exactly as long as the card runs; one that nobody listens on is replaced.

use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::seat::Remote;

/// How long an insertion or a removal may take before the answer is that it did not happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the other side may take to say its line. A little more than [`PATIENCE`].
const LINE_PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of a line at most.
const LINE_MAX: u64 = 1024;

/// Why a running card cannot be told something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("{} is not running: put it into a reader with `hibiki-simcard run {}`", .0.display(), .0.display())]
    NotRunning(PathBuf),
    #[error("{} is running already: it can be in one reader only", .0.display())]
    AlreadyRunning(PathBuf),
    #[error("cannot use the socket {}: {source}; is the folder writable, and its path shorter than 100 bytes?", path.display())]
    Socket { path: PathBuf, source: io::Error },
    #[error("{} is there and is no socket: move it away", .0.display())]
    NoSocket(PathBuf),
    #[error("{}: {said}", card.display())]
    Refused { card: PathBuf, said: String },
}

/// What a running card can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Insert,
    Remove,
}

impl Order {
    fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Remove => "remove",
        }
    }

    fn read(line: &str) -> Option<Self> {
        [Self::Insert, Self::Remove].into_iter().find(|order| order.word() == line)
    }
}

/// The listening socket; its file goes when this is dropped.
pub(crate) struct ControlSocket(PathBuf);

impl ControlSocket {
    /// Listens beside the card file, on a thread that ends with the program.
    pub(crate) fn open(card: &Path, remote: Remote) -> Result<Self, ControlError> {
        let path = socket_path(card);
        clear(card, &path)?;
        let failed = |source| ControlError::Socket { path: path.clone(), source };
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let socket = Self(path.clone());
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        let serve = move || {
            for stream in listener.incoming().flatten() {
                let remote = remote.clone();
                // One that says nothing must not keep the others waiting.
                let _ = thread::Builder::new().spawn(move || drop(answer(stream, &remote)));
            }
        };
        thread::Builder::new().spawn(serve).map_err(failed)?;
        Ok(socket)
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Tells a running card something and waits until it is so; what it said.
pub(crate) fn tell(card: &Path, order: Order) -> Result<String, ControlError> {
    let path = socket_path(card);
    let mut stream = UnixStream::connect(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ControlError::NotRunning(card.to_owned())
        }
        _ => ControlError::Socket { path: path.clone(), source },
    })?;
    let failed = |source| ControlError::Socket { path: path.clone(), source };
    stream.set_read_timeout(Some(LINE_PATIENCE)).map_err(failed)?;
    writeln!(stream, "{}", order.word()).map_err(failed)?;
    let line = read_line(&stream).map_err(failed)?;
    match line.split_once(' ') {
        Some(("ok", said)) => Ok(said.to_owned()),
        Some((_, said)) => Err(ControlError::Refused { card: card.to_owned(), said: said.to_owned() }),
        None => Err(failed(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn socket_path(card: &Path) -> PathBuf {
    let mut name = card.as_os_str().to_owned();
    name.push(".sock");
    name.into()
}

/// Removes a socket nobody listens on any more.
fn clear(card: &Path, path: &Path) -> Result<(), ControlError> {
    let Ok(about) = fs::symlink_metadata(path) else { return Ok(()) };
    if !about.file_type().is_socket() {
        return Err(ControlError::NoSocket(path.to_owned()));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(ControlError::AlreadyRunning(card.to_owned()));
    }
    fs::remove_file(path).map_err(|source| ControlError::Socket { path: path.to_owned(), source })
}

fn answer(mut stream: UnixStream, remote: &Remote) -> io::Result<()> {
    stream.set_read_timeout(Some(LINE_PATIENCE))?;
    let line = read_line(&stream)?;
    let done = match Order::read(&line) {
        Some(Order::Insert) => remote.insert(PATIENCE).map(|()| "inserted"),
        Some(Order::Remove) => remote.remove(PATIENCE).map(|()| "removed"),
        None => Err("the card understands insert and remove".to_owned()),
    };
    match done {
        Ok(said) => writeln!(stream, "ok {said}"),
        Err(why) => writeln!(stream, "error {why}"),
    }
}

fn read_line(stream: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_MAX)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
