//! The loop behind the admin socket: one connection, one command.
//!
//! Waits for a line, asks the router, writes what the command says; decides nothing. A client that goes
//! away cancels its command, and so does the end of the process; a command is then given time to stop at a
//! safe place.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::body::{Body, BodyError, BodySender};
use super::responder::Responder;
use super::router::{Outcome, Peer, Request, Router};
use super::socket::AdminSocket;
use super::wire::{AdminError, BodyLine, EVENT_LINE_MAX_BYTES, Event, REQUEST_LINE_MAX_BYTES, RequestLine};
use crate::observe::metrics as names;
use crate::shutdown::Shutdown;

/// Clients served at once; further ones are told to come back.
pub const CLIENTS_MAX: usize = 16;

/// How long a client may take for its first line.
const REQUEST_WAIT: Duration = Duration::from_secs(10);

/// How long one line to a client may take before the client counts as gone.
const WRITE_WAIT: Duration = Duration::from_secs(30);

/// How long the loop rests when the system refuses a connection (out of file descriptors).
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves commands until `shutdown` drains, then cancels what runs and waits for it to stop by itself; a
/// second request to stop drops it.
pub async fn serve(socket: AdminSocket, router: Router, mut shutdown: Shutdown) {
    let router = Arc::new(router);
    let room = Arc::new(Semaphore::new(CLIENTS_MAX));
    let mut clients = JoinSet::new();
    loop {
        let accepted = tokio::select! { biased;
            () = shutdown.draining() => break,
            Some(_) = clients.join_next() => continue,
            accepted = socket.listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "admin socket: cannot accept a connection");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        let (router, shutdown, place) = (Arc::clone(&router), shutdown.clone(), Arc::clone(&room));
        clients.spawn(async move {
            match place.try_acquire_owned() {
                Ok(_place) => converse(stream, &router, shutdown).await,
                Err(_) => turn_away(stream).await,
            }
        });
    }
    // The file goes first, so that nobody connects to a node that answers nothing.
    drop(socket);
    tokio::select! { biased;
        () = shutdown.now() => {}
        () = async { while clients.join_next().await.is_some() {} } => {}
    }
}

async fn turn_away(stream: UnixStream) {
    let error =
        AdminError::new(format!("{CLIENTS_MAX} commands are running already")).next("try again in a moment");
    let (_reader, mut writer) = stream.into_split();
    let _ = write_event(&mut writer, &Event::Error(error)).await;
}

/// One connection from its first line to its last.
async fn converse(stream: UnixStream, router: &Arc<Router>, shutdown: Shutdown) {
    let peer = match stream.peer_cred() {
        Ok(credentials) => Peer { uid: credentials.uid(), pid: credentials.pid() },
        Err(error) => {
            tracing::warn!(%error, "admin socket: the kernel does not say who connected");
            return;
        }
    };
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let line = match first_line(&mut reader).await {
        Ok(Some(line)) => line,
        Ok(None) => return,
        Err(error) => {
            let _ = write_event(&mut writer, &Event::Error(error)).await;
            return;
        }
    };
    let (responder, events, cancel) = Responder::channel();
    let (arriving, body) = match line.body {
        true => {
            let (sender, body) = Body::channel();
            (Some(sender), body)
        }
        false => (None, Body::empty()),
    };
    let RequestLine { command, arguments, staff, .. } = line;
    let request = Request { command, arguments, staff, peer, body };
    let work = run(router, request, responder);
    let cancel = Arc::new(cancel);
    let speak = speak(&mut writer, events, &cancel);
    tokio::select! { biased;
        // Polled first only so that `select` has an order; it ends only with the command.
        () = async { tokio::join!(work, speak); } => {}
        never = listen(reader, arriving, &cancel) => match never {},
        never = give_up(shutdown, &cancel) => match never {},
    }
}

/// Runs the command in a task of its own, so that a panic in it is reported instead of spreading.
async fn run(router: &Arc<Router>, request: Request, responder: Responder) {
    let name = router.known(&request.command);
    let (handler, speaker) = (Arc::clone(router), responder.clone());
    let mut task = JoinSet::new();
    task.spawn(async move { handler.dispatch(request, speaker).await });
    let outcome: Outcome = match task.join_next().await {
        Some(Ok(outcome)) => outcome,
        _ => Err(AdminError::new("the command failed inside the node").next("look into the node's log")),
    };
    let result = if outcome.is_ok() { "done" } else { "refused" };
    names::admin_request(name.unwrap_or("unknown"), result);
    tracing::info!(command = name.unwrap_or("unknown"), result, "admin command");
    responder
        .finish(match outcome {
            Ok(value) => Event::Result(value),
            Err(error) => Event::Error(error),
        })
        .await;
}

/// Writes what the command says. A client that takes nothing any more cancels it; the rest is discarded.
async fn speak(
    writer: &mut (impl AsyncWrite + Unpin),
    mut events: mpsc::Receiver<Event>,
    cancel: &watch::Sender<bool>,
) {
    while let Some(event) = events.recv().await {
        if !*cancel.borrow() || matches!(event, Event::Result(_) | Event::Error(_)) {
            let written = tokio::time::timeout(WRITE_WAIT, write_event(writer, &event)).await;
            if !matches!(written, Ok(Ok(()))) {
                cancel.send_replace(true);
            }
        }
    }
}

/// Reads the body, if one comes, and then watches for the client's going away.
async fn listen(
    mut reader: impl AsyncBufRead + Unpin,
    mut arriving: Option<BodySender>,
    cancel: &watch::Sender<bool>,
) -> std::convert::Infallible {
    loop {
        let line = read_line(&mut reader).await;
        let (message, over) = match line {
            Ok(None) | Err(LineError::Gone) => {
                cancel.send_replace(true);
                // Dropping the sender unfinished tells the command that its body was cut.
                drop(arriving);
                return std::future::pending().await;
            }
            Err(LineError::TooLong) => (Err(BodyError::Garbled), true),
            Ok(Some(line)) => match parse_body_line(&line) {
                Ok(Some(chunk)) => (Ok(Some(chunk)), false),
                Ok(None) => (Ok(None), true),
                Err(error) => (Err(error), true),
            },
        };
        if let Some(sender) = &arriving {
            // An error means that the command wants no more of it: then only the end of the line matters.
            let _ = sender.send(message).await;
        }
        if over {
            arriving = None;
        }
    }
}

/// Cancels the command when the process drains.
async fn give_up(mut shutdown: Shutdown, cancel: &watch::Sender<bool>) -> std::convert::Infallible {
    shutdown.draining().await;
    cancel.send_replace(true);
    std::future::pending().await
}

fn parse_body_line(line: &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
    match serde_json::from_slice(line).map_err(|_| BodyError::Garbled)? {
        BodyLine::Data(text) => BASE64.decode(text).map(Some).map_err(|_| BodyError::Garbled),
        BodyLine::End(true) => Ok(None),
        BodyLine::End(false) => Err(BodyError::Garbled),
    }
}

async fn first_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<RequestLine>, AdminError> {
    let line = match tokio::time::timeout(REQUEST_WAIT, read_line(reader)).await {
        Ok(Ok(Some(line))) => line,
        Ok(Ok(None) | Err(LineError::Gone)) => return Ok(None),
        Ok(Err(LineError::TooLong)) => {
            return Err(AdminError::new(format!(
                "the request is longer than {REQUEST_LINE_MAX_BYTES} bytes"
            ))
            .next("send large content as the body"));
        }
        Err(_) => return Err(AdminError::new("no request came").next("send one line of JSON")),
    };
    serde_json::from_slice(&line).map(Some).map_err(|error| {
        // Not serde's whole message: it may quote the line, which may name a person.
        AdminError::new("the request is not one line of JSON with a command")
            .at(format!("column {}", error.column()))
            .next("use the command line of the same version")
    })
}

enum LineError {
    TooLong,
    Gone,
}

/// One line without its end; `None` when the client closed. A line that never ends costs no more memory
/// than the longest allowed one.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Vec<u8>>, LineError> {
    let mut line = Vec::new();
    let limit = REQUEST_LINE_MAX_BYTES as u64;
    let read = reader.take(limit).read_until(b'\n', &mut line).await.map_err(|_| LineError::Gone)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if read as u64 == limit => Err(LineError::TooLong),
        Some(_) => Err(LineError::Gone),
    }
}

async fn write_event(writer: &mut (impl AsyncWrite + Unpin), event: &Event) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    if line.len() >= EVENT_LINE_MAX_BYTES {
        let error = AdminError::new("the answer is too long for one line").next("ask for less at a time");
        line = serde_json::to_vec(&Event::Error(error))?;
    }
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}
