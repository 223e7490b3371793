//! The process that is killed: this very test binary, started again with a folder in its environment.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use hibiki_node::{
    env::SystemEntropy,
    keyring::{KeyId, KeyRing},
    store::{Committer, SledStore},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::workload::{self, Keys, LANES};

const FOLDER: &str = "HIBIKI_TEST_WRITER_FOLDER";
const PLAIN_SLED: &str = "HIBIKI_TEST_WRITER_PLAIN_SLED";
/// Marks our lines among those of the test runner.
const MARK: &str = "writer:";

pub(crate) fn ring(folder: &Path) -> KeyRing {
    KeyRing::open(&folder.join("keyring"), &[7; 32], Arc::new(SystemEntropy)).unwrap()
}

/// Not a test: the writer's main function, reached only from [`Writer::start`].
#[test]
#[ignore = "started by the other tests"]
fn writer_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let options = workload::options(folder);
    let store = if std::env::var_os(PLAIN_SLED).is_some() {
        SledStore::open_without_fdatasync_as_negative_control(options).unwrap()
    } else {
        SledStore::open(options).unwrap()
    };
    let store = Arc::new(store);
    let ring = ring(folder);
    let committer = Committer::start(store.clone()).unwrap();
    tell("open");
    thread::scope(|scope| {
        for lane in 0..LANES {
            let (store, committer) = (&store, &committer);
            scope.spawn(move || {
                for number in workload::last(&**store, lane) + 1.. {
                    committer.commit_blocking(workload::batch(lane, number)).unwrap();
                    tell(&format!("done {lane} {number}"));
                }
            });
        }
        scope.spawn(|| {
            let mut alive = Vec::new();
            loop {
                let id = ring.create().unwrap();
                tell(&format!("made {}", hex::encode(id.as_bytes())));
                alive.push(id);
                if alive.len() > 20 {
                    let id: KeyId = alive.remove(7);
                    tell(&format!("destroying {}", hex::encode(id.as_bytes())));
                    assert!(ring.destroy(id).unwrap());
                    tell(&format!("destroyed {}", hex::encode(id.as_bytes())));
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
    });
}

fn tell(words: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{MARK}{words}").unwrap();
    out.flush().unwrap();
}

/// What the writer said so far.
#[derive(Default, Debug)]
pub(crate) struct Told {
    pub(crate) acknowledged: BTreeMap<u32, u64>,
    pub(crate) keys: Keys,
    pub(crate) batches: u64,
}

impl Told {
    fn hear(&mut self, line: &str) {
        let id = |text: &str| hex::decode(text).unwrap().try_into().unwrap();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["done", lane, number] => {
                self.acknowledged.insert(lane.parse().unwrap(), number.parse().unwrap());
                self.batches += 1;
            }
            ["made", key] => self.keys.made.push(id(key)),
            ["destroying", key] => self.keys.doubtful.push(id(key)),
            ["destroyed", key] => self.keys.destroyed.push(id(key)),
            _ => panic!("the writer said {line:?}"),
        }
    }
}

/// A running writer.
pub(crate) struct Writer {
    child: Child,
    told: Arc<Mutex<Told>>,
    reader: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts a writer on `folder` and returns when it has opened its store.
    pub(crate) fn start(folder: &Path, plain_sled: bool, told: Told) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "writer::writer_process", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(FOLDER, folder).env_remove(PLAIN_SLED);
        if plain_sled {
            command.env(PLAIN_SLED, "1");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let told = Arc::new(Mutex::new(told));
        let (opened, wait) = mpsc::channel();
        let heard = Arc::clone(&told);
        let reader = thread::spawn(move || {
            for line in out.split(b'\n') {
                // The last line may be cut off: it acknowledges nothing then.
                let Ok(line) = line else { break };
                let line = String::from_utf8_lossy(&line);
                match line.strip_prefix(MARK) {
                    Some("open") => _ = opened.send(()),
                    Some(line) if is_whole(line) => heard.lock().unwrap().hear(line),
                    _ => {}
                }
            }
        });
        let writer = Self { child, told, reader: Some(reader) };
        wait.recv_timeout(Duration::from_secs(60)).expect("the writer does not open its store");
        writer
    }

    /// Number of batches acknowledged.
    pub(crate) fn batches(&self) -> u64 {
        self.told.lock().unwrap().batches
    }

    /// Stops the process where it stands, without ending it.
    pub(crate) fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
        let state = format!("/proc/{}/task", self.child.id());
        let end = Instant::now() + Duration::from_secs(10);
        let is_stopped = || {
            std::fs::read_dir(&state).unwrap().flatten().all(|task| {
                let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                stat.rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.trim_start().starts_with(['T', 't', 'Z', 'X']))
            })
        };
        while !is_stopped() {
            assert!(Instant::now() < end, "the writer does not stop");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills the process (`kill -9`) and returns everything it had acknowledged.
    pub(crate) fn kill(mut self) -> Told {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A killed writer may leave half a line; ours end with a blank line's newline, so only whole ones parse.
fn is_whole(line: &str) -> bool {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["done", lane, number] => lane.parse::<u32>().is_ok() && number.parse::<u64>().is_ok(),
        [_, key] => key.len() == 32,
        _ => false,
    }
}
