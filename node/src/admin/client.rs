//! The client of the admin socket, as the command line uses it: blocking, one command per call.
//!
//! A file to upload is streamed while events come back. Must not know: what any command means.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::wire::{AdminError, BODY_CHUNK_BYTES, BodyLine, EVENT_LINE_MAX_BYTES, Event, RequestLine};

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens.
    #[error("{path}: no node answers here ({source}); is it running, and may this account reach its socket?")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The node said no.
    #[error("{0}")]
    Refused(#[from] AdminError),
    /// The node went away without an outcome: what the command did may or may not have happened.
    #[error("the node closed the connection without saying how the command ended; look into its log")]
    Lost,
    /// The node sent something that is no event.
    #[error("the node's answer is not understood; use the command line of the same version")]
    Garbled,
    /// The file to send could not be read. The node was told, and did nothing with it.
    #[error("reading the file to send: {0}")]
    Upload(io::Error),
}

/// What to ask for.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The node's admin socket.
    pub socket: &'a Path,
    /// Name of the command.
    pub command: &'a str,
    /// Its arguments.
    pub arguments: Value,
    /// Who acts.
    pub staff: Option<&'a str>,
}

/// Does a command and returns its result; everything else the node says goes to `on_event`.
pub fn call(call: &Call<'_>, on_event: &mut dyn FnMut(&Event)) -> Result<Value, CallError> {
    let stream = open(call, false)?;
    receive(&stream, on_event)
}

/// The same with a file to upload.
pub fn upload(
    call: &Call<'_>,
    file: impl Read + Send,
    on_event: &mut dyn FnMut(&Event),
) -> Result<Value, CallError> {
    let stream = open(call, true)?;
    thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let sent = send_body(&stream, file);
            if matches!(sent, Err(SendError::File(_))) {
                // The node must not take a part of the file for the whole.
                let _ = stream.shutdown(std::net::Shutdown::Write);
            }
            sent
        });
        let outcome = receive(&stream, on_event);
        // An outcome before the end of the upload: the sender must not wait for a reader that is gone.
        let _ = stream.shutdown(std::net::Shutdown::Both);
        match sending.join() {
            Ok(Err(SendError::File(error))) => Err(CallError::Upload(error)),
            _ => outcome,
        }
    })
}

fn open(call: &Call<'_>, body: bool) -> Result<UnixStream, CallError> {
    let fail = |source| CallError::Unreachable { path: call.socket.to_owned(), source };
    let mut stream = UnixStream::connect(call.socket).map_err(fail)?;
    let line = RequestLine {
        command: call.command.to_owned(),
        arguments: call.arguments.clone(),
        staff: call.staff.map(str::to_owned),
        body,
    };
    match write_line(&mut stream, &line) {
        // A node that turns us away closes before it read our line; its reason is still to be read.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(fail(error)),
        _ => Ok(stream),
    }
}

enum SendError {
    File(io::Error),
    Node,
}

fn send_body(mut stream: &UnixStream, mut file: impl Read) -> Result<(), SendError> {
    let mut buffer = vec![0; BODY_CHUNK_BYTES];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SendError::File(error)),
        };
        let line = match buffer.get(..count) {
            None | Some([]) => BodyLine::End(true),
            Some(chunk) => BodyLine::Data(BASE64.encode(chunk)),
        };
        write_line(&mut stream, &line).map_err(|_| SendError::Node)?;
        if count == 0 {
            return Ok(());
        }
    }
}

fn write_line(stream: &mut impl Write, line: &impl serde::Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    stream.write_all(&bytes)
}

fn receive(stream: &UnixStream, on_event: &mut dyn FnMut(&Event)) -> Result<Value, CallError> {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A reset after the last word still left that word to be read, so an error means there was none.
        let read = (&mut reader).take(EVENT_LINE_MAX_BYTES as u64 + 1).read_until(b'\n', &mut line);
        if !matches!(read, Ok(count) if count > 0) || line.last() != Some(&b'\n') {
            return Err(CallError::Lost);
        }
        match serde_json::from_slice(&line).map_err(|_| CallError::Garbled)? {
            Event::Result(value) => return Ok(value),
            Event::Error(error) => return Err(error.into()),
            event => on_event(&event),
        }
    }
}
