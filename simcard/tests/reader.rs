//! The running card, met by a reader this test plays: the wire, insertion and removal, and what is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use hibiki_simcard::applet::CONTACT_ATR;
use hibiki_simcard::{CardFile, Pin};

const SELECT_JPKI: &[u8] = b"\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01";
/// How long this test's reader waits for a card.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    folder: tempfile::TempDir,
    listener: TcpListener,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        CardFile::create(folder.path().join("card.json"), None, &Pin::parse("9182").unwrap()).unwrap();
        Self { folder, listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn reader(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hibiki-simcard"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn program(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run(&self, more: &[&str]) -> Running {
        let reader = self.reader();
        let arguments = [&["run", "card.json", "--reader", &reader], more].concat();
        let mut child = self.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Running { child, said }
    }

    fn socket_mode(&self) -> Option<u32> {
        let about = fs::metadata(self.folder.path().join("card.json.sock")).ok()?;
        Some(about.permissions().mode() & 0o777)
    }
}

struct Running {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Running {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Ends it as Ctrl-C does; the rest of what it said.
    fn end(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "a clean exit");
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The reader's end of the wire.
struct Slot(TcpStream);

impl Slot {
    fn with_card(world: &World) -> Self {
        let (stream, _) = world.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// As the driver of vsmartcard 3.3 does: length and content apart.
    fn tell(&mut self, message: &[u8]) {
        self.0.write_all(&u16::try_from(message.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(message).unwrap();
    }

    fn ask(&mut self, message: &[u8]) -> Vec<u8> {
        self.tell(message);
        let mut length = [0; 2];
        self.0.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u16::from_be_bytes(length).into()];
        self.0.read_exact(&mut answer).unwrap();
        answer
    }

    fn is_empty(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&[out.stdout.as_slice(), &out.stderr].concat()).into_owned()
}

#[test]
fn a_card_is_inserted_when_the_reader_has_seen_it_and_removed_when_told() {
    let world = World::new();
    let mut running = world.run(&[]);
    let mut slot = Slot::with_card(&world);
    assert_eq!(slot.ask(&[4]), CONTACT_ATR);
    assert_eq!(running.line(), format!("inserted card.json into {}", world.reader()));
    assert_eq!(world.socket_mode(), Some(0o600));
    slot.tell(&[1]);
    assert_eq!(slot.ask(SELECT_JPKI), [0x90, 0x00]);
    slot.tell(&[2]);
    assert_eq!(slot.ask(&[5]), [0x67, 0x00], "one byte that is no control");

    let told = world.program(&["remove", "card.json"]);
    assert!(told.status.success(), "{}", said(&told));
    assert_eq!(said(&told), "removed card.json\n");
    assert!(slot.is_empty());
    assert_eq!(running.line(), format!("removed card.json from {}", world.reader()));
    assert!(world.program(&["remove", "card.json"]).status.success(), "removing it twice is no error");

    let insert = world.command(&["insert", "card.json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut slot = Slot::with_card(&world);
    slot.ask(&[4]);
    assert_eq!(said(&insert.wait_with_output().unwrap()), "inserted card.json\n");
    running.line();
    // The reader goes away and comes back: the card comes back by itself.
    drop(slot);
    assert!(running.line().contains("went away; trying again"));
    let mut slot = Slot::with_card(&world);
    slot.ask(&[4]);
    assert!(running.line().starts_with("inserted "));
    running.end();
    assert!(slot.is_empty());
    assert_eq!(world.socket_mode(), None, "its socket is gone");
    let refused = world.program(&["insert", "card.json"]);
    assert!(!refused.status.success() && said(&refused).contains("is not running"), "{}", said(&refused));
}

#[test]
fn a_card_may_start_removed_and_says_when_there_is_no_reader() {
    let world = World::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut child =
        world.command(&["run", "card.json", "--reader", &nobody]).stdout(Stdio::piped()).spawn().unwrap();
    let said_by = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running { child, said: said_by };
    assert!(running.line().contains(&format!("no virtual reader at {nobody}")));
    drop(running);

    let running = world.run(&["--removed"]);
    world.listener.set_nonblocking(true).unwrap();
    while world.socket_mode().is_none() {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    std::thread::park_timeout(Duration::from_millis(300));
    assert!(world.listener.accept().is_err(), "nothing was inserted");
    assert_eq!(running.end(), "");
}

#[test]
fn one_card_runs_once_and_a_stale_socket_is_no_obstacle() {
    let world = World::new();
    let path = world.folder.path().join("card.json.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind by a killed process");
    let mut running = world.run(&[]);
    let mut slot = Slot::with_card(&world);
    slot.ask(&[4]);
    running.line();
    let second = world.program(&["run", "card.json", "--reader", &world.reader()]);
    assert!(!second.status.success() && said(&second).contains("is running already"), "{}", said(&second));
    assert!(path.exists(), "the first one keeps its socket");
    running.end();
    fs::write(&path, "not a socket").unwrap();
    let refused = world.program(&["run", "card.json", "--reader", &world.reader()]);
    assert!(said(&refused).contains("is no socket: move it away"), "{}", said(&refused));
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a socket");
}

#[test]
fn a_trace_shows_everything_but_the_pin() {
    let world = World::new();
    let mut running = world.run(&["--trace"]);
    let mut slot = Slot::with_card(&world);
    slot.ask(&[4]);
    running.line();
    slot.tell(&[1]);
    slot.ask(SELECT_JPKI);
    slot.ask(b"\x00\xA4\x02\x0C\x02\x00\x18");
    assert_eq!(slot.ask(b"\x00\x20\x00\x80\x049183"), [0x63, 0xC2]);
    assert_eq!(slot.ask(b"\x00\x20\x00\x80\x049182"), [0x90, 0x00]);
    assert_eq!(slot.ask(b"\x00\x24\x01\x80\x045566"), [0x90, 0x00]);
    assert_eq!(slot.ask(b"\x00\x20\x00\x805566"), [0x67, 0x00], "the length was forgotten");
    let log = running.end();
    assert!(log.contains("card.json > 00A404") && log.contains("card.json < 63C2"), "{log}");
    assert!(log.contains("00200080 04 *** (4 bytes masked)"), "{log}");
    for secret in ["9182", "9183", "5566", "39313832", "39313833", "35353636"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn a_contactless_card_takes_its_time() {
    let world = World::new();
    let mut running = world.run(&["--delay", "60", "--atr", "contactless"]);
    let mut slot = Slot::with_card(&world);
    assert_eq!(slot.ask(&[4]).len(), 13);
    running.line();
    slot.tell(&[1]);
    #[expect(clippy::disallowed_methods, reason = "this is about elapsed time")]
    let before = std::time::Instant::now();
    for _ in 0..3 {
        slot.ask(SELECT_JPKI);
    }
    assert!(before.elapsed() >= Duration::from_millis(180));
}
