//! The server and the client of the admin socket against each other, and against rude neighbours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{Cursor, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Barrier, Notify, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};

use super::client::{Call, CallError, call, upload};
use super::wire::{Event, REQUEST_LINE_MAX_BYTES};
use super::{AdminError, AdminSocket, Router, serve};
use crate::shutdown::{self, ShutdownTrigger, Stage};

struct Served {
    socket: PathBuf,
    trigger: ShutdownTrigger,
    server: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn served(router: Router) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    let (trigger, shutdown) = shutdown::channel();
    let server = tokio::spawn(serve(AdminSocket::bind(&socket).unwrap(), router, shutdown));
    Served { socket, trigger, server, _folder: folder }
}

/// A call on a thread of its own; the events come back with the outcome.
fn ask(
    socket: &Path,
    command: &'static str,
    arguments: Value,
) -> JoinHandle<(Result<Value, CallError>, Vec<Event>)> {
    let socket = socket.to_owned();
    spawn_blocking(move || {
        let mut events = Vec::new();
        let asked = Call { socket: &socket, command, arguments, staff: Some("Sato") };
        let outcome = call(&asked, &mut |event| events.push(event.clone()));
        (outcome, events)
    })
}

/// Says raw bytes and reads whatever comes back until the node closes.
async fn say(socket: &Path, bytes: Vec<u8>) -> String {
    let socket = socket.to_owned();
    spawn_blocking(move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        // A node that stops listening half-way is part of the test.
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    })
    .await
    .unwrap()
}

fn greeter() -> Router {
    let mut router = Router::new();
    router.add("greet", |request, responder| async move {
        responder.progress("greeting", 1, Some(2), "words");
        responder.warning("it is late", Some("clock".into())).await;
        responder.row(json!({"staff": request.staff()?, "uid": request.peer.uid})).await;
        Ok(json!({"said": request.arguments["word"]}))
    });
    router.add("refuse", |_, _| async { Err(AdminError::new("no").at("here").next("go there")) });
    router.add("fail", |_, _| async { panic!("the secret of the child") });
    router.add("huge", |_, _| async { Ok(json!("x".repeat(5_000_000))) });
    router
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_runs_with_events_and_a_result() {
    let node = served(greeter());
    let (outcome, events) = ask(&node.socket, "greet", json!({"word": "konnichiwa"})).await.unwrap();
    assert_eq!(outcome.unwrap(), json!({"said": "konnichiwa"}));
    let uid = rustix::process::getuid().as_raw();
    assert!(matches!(&events[0], Event::Progress(progress) if progress.total == Some(2)));
    assert!(matches!(&events[1], Event::Warning(warning) if warning.place.as_deref() == Some("clock")));
    assert_eq!(events[2], Event::Row(json!({"staff": "Sato", "uid": uid})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_panics_and_oversized_answers_are_errors() {
    let node = served(greeter());
    let (outcome, _) = ask(&node.socket, "refuse", Value::Null).await.unwrap();
    assert!(matches!(outcome, Err(CallError::Refused(error)) if error.next.as_deref() == Some("go there")));
    let (outcome, _) = ask(&node.socket, "fail", Value::Null).await.unwrap();
    let shown = outcome.unwrap_err().to_string();
    assert!(shown.contains("inside the node") && !shown.contains("secret"), "{shown}");
    let (outcome, _) = ask(&node.socket, "huge", Value::Null).await.unwrap();
    assert!(outcome.unwrap_err().to_string().contains("too long"));
    let (outcome, _) = ask(&node.socket, "greeet", Value::Null).await.unwrap();
    assert!(outcome.unwrap_err().to_string().contains("greet"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_refused_and_the_next_client_served() {
    let node = served(greeter());
    let too_long = vec![b'a'; REQUEST_LINE_MAX_BYTES + 1];
    for (garbage, expected) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "not one line of JSON"),
        (b"{\"command\":\"greet\",\"extra\":1}\n".to_vec(), "not one line of JSON"),
        (b"\xff\xfe\n".to_vec(), "not one line of JSON"),
        (too_long, "longer than"),
        (Vec::from(*b"{\"command\":\"gre\xc3\"}\n"), "not one line of JSON"),
    ] {
        let answer = say(&node.socket, garbage).await;
        let event: Event = serde_json::from_str(&answer).unwrap();
        assert!(matches!(event, Event::Error(error) if error.what.contains(expected)), "{answer}");
    }
    let (outcome, _) = ask(&node.socket, "greet", json!({"word": 1})).await.unwrap();
    assert!(outcome.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_are_served_at_once() {
    let meeting = Arc::new(Barrier::new(2));
    let mut router = Router::new();
    router.add("meet", move |_, _| {
        let meeting = Arc::clone(&meeting);
        // Neither returns before both are inside.
        async move {
            meeting.wait().await;
            Ok(Value::Null)
        }
    });
    let node = served(router);
    let (one, two) =
        tokio::join!(ask(&node.socket, "meet", Value::Null), ask(&node.socket, "meet", Value::Null));
    assert!(one.unwrap().0.is_ok() && two.unwrap().0.is_ok());
}

/// A router whose `wait` says when it began and when it was cancelled.
fn waiter() -> (Router, mpsc::UnboundedReceiver<&'static str>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut router = Router::new();
    router.add("wait", move |_, responder| {
        let sender = sender.clone();
        async move {
            sender.send("began").unwrap();
            responder.cancelled().await;
            assert!(responder.is_cancelled());
            sender.send("cancelled").unwrap();
            Err(AdminError::new("cancelled"))
        }
    });
    (router, receiver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_cancels_its_command() {
    let (router, mut told) = waiter();
    let node = served(router);
    let mut stream = UnixStream::connect(&node.socket).unwrap();
    stream.write_all(b"{\"command\":\"wait\"}\n").unwrap();
    assert_eq!(told.recv().await, Some("began"));
    drop(stream);
    assert_eq!(told.recv().await, Some("cancelled"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_cancels_commands_and_takes_no_new_ones() {
    let (router, mut told) = waiter();
    let node = served(router);
    let waiting = ask(&node.socket, "wait", Value::Null);
    assert_eq!(told.recv().await, Some("began"));
    node.trigger.advance(Stage::Draining);
    let (outcome, _) = waiting.await.unwrap();
    assert_eq!(outcome.unwrap_err().to_string(), "cancelled");
    node.server.await.unwrap();
    assert!(!node.socket.exists());
    let (outcome, _) = ask(&node.socket, "wait", Value::Null).await.unwrap();
    assert!(matches!(outcome, Err(CallError::Unreachable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_will_not_end_is_dropped_when_asked_twice() {
    let began = Arc::new(Notify::new());
    let inside = Arc::clone(&began);
    let mut router = Router::new();
    router.add("stubborn", move |_, _| {
        let inside = Arc::clone(&inside);
        async move {
            inside.notify_one();
            std::future::pending().await
        }
    });
    let node = served(router);
    let waiting = ask(&node.socket, "stubborn", Value::Null);
    began.notified().await;
    node.trigger.advance(Stage::Draining);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!node.server.is_finished());
    node.trigger.advance(Stage::Now);
    node.server.await.unwrap();
    assert!(matches!(waiting.await.unwrap().0, Err(CallError::Lost)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_clients_than_there_is_room_for_are_turned_away() {
    let (router, mut told) = waiter();
    let node = served(router);
    let mut inside = Vec::new();
    for _ in 0..super::server::CLIENTS_MAX {
        let mut stream = UnixStream::connect(&node.socket).unwrap();
        stream.write_all(b"{\"command\":\"wait\"}\n").unwrap();
        assert_eq!(told.recv().await, Some("began"));
        inside.push(stream);
    }
    let (outcome, _) = ask(&node.socket, "wait", Value::Null).await.unwrap();
    assert!(matches!(outcome, Err(CallError::Refused(error)) if error.what.contains("already")));
    inside.pop();
    assert_eq!(told.recv().await, Some("cancelled"));
}

fn digester() -> Router {
    let mut router = Router::new();
    router.add("digest", |mut request, _| async move {
        let (mut hash, mut length) = (Sha256::new(), 0);
        while let Some(chunk) = request.body.chunk().await? {
            hash.update(&chunk);
            length += chunk.len();
        }
        Ok(json!({"length": length, "sha256": hex::encode(hash.finalize())}))
    });
    router.add("first-bytes", |mut request, _| async move {
        request.body.chunk().await?;
        Err(AdminError::new("that is no FHIR Bundle"))
    });
    router
}

fn digest_of(bytes: &[u8]) -> Value {
    json!({"length": bytes.len(), "sha256": hex::encode(Sha256::digest(bytes))})
}

/// Uploads on a thread of its own.
fn send(
    socket: &Path,
    command: &'static str,
    file: impl Read + Send + 'static,
) -> JoinHandle<Result<Value, CallError>> {
    let socket = socket.to_owned();
    spawn_blocking(move || {
        let asked = Call { socket: &socket, command, arguments: Value::Null, staff: None };
        upload(&asked, file, &mut |_| {})
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_arrives_byte_for_byte() {
    let node = served(digester());
    for length in [0, 1, 48 * 1024, 48 * 1024 + 1, 3_000_000] {
        let file: Vec<u8> = (0_u32..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let expected = digest_of(&file);
        assert_eq!(send(&node.socket, "digest", Cursor::new(file)).await.unwrap().unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_refusal_ends_the_upload() {
    let node = served(digester());
    // Far more than all buffers between the two hold.
    let endless = std::io::repeat(7).take(200_000_000);
    let outcome = send(&node.socket, "first-bytes", endless).await.unwrap();
    assert!(matches!(outcome, Err(CallError::Refused(error)) if error.what.contains("FHIR")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_file_is_never_taken_for_the_whole() {
    struct Breaks(usize);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            if self.0 > 3 { Err(std::io::Error::other("disk error")) } else { Ok(buffer.len()) }
        }
    }
    let node = served(digester());
    let outcome = send(&node.socket, "digest", Breaks(0)).await.unwrap();
    assert!(matches!(outcome, Err(CallError::Upload(_))), "{outcome:?}");

    let head = b"{\"command\":\"digest\",\"body\":true}\n{\"data\":\"AAAA\"}\n".to_vec();
    for (tail, expected) in [
        (&b"{\"data\":\"A?AA\"}\n"[..], "garbled"),
        (b"nonsense\n", "garbled"),
        (b"{\"end\":false}\n", "garbled"),
        (&vec![b'"'; REQUEST_LINE_MAX_BYTES + 1], "garbled"),
    ] {
        let answer = say(&node.socket, [&head, tail].concat()).await;
        assert!(answer.starts_with("{\"error\":") && answer.contains(expected), "{answer}");
    }
    let answer = say(&node.socket, [&head[..], b"{\"end\":true}\n"].concat()).await;
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["result"], digest_of(&[0, 0, 0]));
}
