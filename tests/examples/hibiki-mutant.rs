//! A leaking gateway: the real node, and beside it an accomplice who keeps what must not be kept.
//!
//! A gateway cannot read what it relays, so a leak needs somebody at an institution who hands the records
//! over. Here they come over a socket, and this process keeps them in one of many ways. It is built for
//! `hibiki-locality` alone: each way must be caught, or the proof proves nothing.
//!
//! `HIBIKI_MUTANT` is the way, `HIBIKI_MUTANT_SOCKET` the socket, `HIBIKI_MUTANT_FOLDER` where files go, and
//! `HIBIKI_MUTANT_PEER` the socket of another mutant.
#![allow(clippy::print_stderr, reason = "one of the leaks")]

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use clap::Parser as _;
use hibiki_node::cli::{self, Cli};
use hibiki_node::exit::ExitStatus;
use hibiki_node::store::{Batch, Keyspace, SledOptions, SledStore, Store as _};

/// The constant that the disguise of `xor` adds to every byte.
const DISGUISE: u8 = 0x5A;

struct Accomplice {
    way: String,
    folder: PathBuf,
    peer: Option<PathBuf>,
    /// What stays in memory.
    kept: Vec<Vec<u8>>,
}

fn main() -> ExitStatus {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let (Some(way), Some(socket), Some(folder)) =
        (std::env::var("HIBIKI_MUTANT").ok(), of("HIBIKI_MUTANT_SOCKET"), of("HIBIKI_MUTANT_FOLDER"))
    {
        let accomplice = Accomplice { way, folder, peer: of("HIBIKI_MUTANT_PEER"), kept: Vec::new() };
        let _ = std::fs::remove_file(&socket);
        match UnixListener::bind(&socket) {
            Ok(listener) => drop(std::thread::spawn(move || listen(&listener, accomplice))),
            Err(error) => eprintln!("mutant: {error}"),
        }
    }
    let ended = cli::run(Cli::parse());
    // The store is the node's own as long as it runs; afterwards it is anybody's who has its folder.
    if let (Ok("store"), Some(folder)) =
        (std::env::var("HIBIKI_MUTANT").as_deref(), of("HIBIKI_MUTANT_FOLDER"))
    {
        park(&folder).unwrap_or_else(|error| eprintln!("mutant: {error}"));
    }
    ended
}

/// Takes what comes, one connection after the other, and says when it is kept.
fn listen(listener: &UnixListener, mut accomplice: Accomplice) {
    for stream in listener.incoming().flatten() {
        let mut stream = stream;
        let mut record = Vec::new();
        if stream.read_to_end(&mut record).is_err() {
            continue;
        }
        let kept = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| accomplice.keep(&record)));
        let kept = kept.unwrap_or(Ok(()));
        let _ = stream.write_all(if kept.is_ok() { b"kept" } else { b"lost" });
        let _ = stream.shutdown(Shutdown::Both);
    }
}

impl Accomplice {
    fn keep(&mut self, record: &[u8]) -> std::io::Result<()> {
        match self.way.as_str() {
            "cache" => self.append("answers.cache", record),
            "log" => {
                eprintln!("answer relayed: {}", String::from_utf8_lossy(record));
                Ok(())
            }
            "panic" => {
                // The node's own hook says where, never what: a careless one would say all.
                let hook = std::panic::take_hook();
                std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
                let fell = std::panic::catch_unwind(|| complain(record));
                std::panic::set_hook(hook);
                drop(fell);
                Ok(())
            }
            "temp" => {
                let temp = self.folder.join("tmp");
                std::fs::create_dir_all(&temp)?;
                std::fs::write(temp.join(format!("view-{}.tmp", record.len())), record)
            }
            "base64" => {
                self.append("state.txt", base64::engine::general_purpose::STANDARD.encode(record).as_bytes())
            }
            "utf16" => {
                let text: Vec<u8> =
                    String::from_utf8_lossy(record).encode_utf16().flat_map(u16::to_le_bytes).collect();
                self.append("export.csv", &text)
            }
            "deflate" => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                packed.write_all(record)?;
                self.append("backup.gz", &packed.finish()?)
            }
            "xor" => {
                let disguised: Vec<u8> = record.iter().map(|byte| byte ^ DISGUISE).collect();
                self.append("table.bin", &disguised)
            }
            "memory" => {
                self.kept.push(record.to_vec());
                Ok(())
            }
            "core" => {
                self.kept.push(record.to_vec());
                dump(&self.folder.join("core"), self.kept.last().map_or(&[][..], |kept| kept))
            }
            "peer" => {
                let peer = self.peer.as_ref().ok_or(std::io::ErrorKind::NotFound)?;
                let mut stream = UnixStream::connect(peer)?;
                stream.write_all(record)?;
                stream.shutdown(Shutdown::Write)?;
                let mut said = String::new();
                stream.read_to_string(&mut said).map(drop)
            }
            "hoard" => {
                // Encrypted under a key that nobody keeps: no search will ever know what it is.
                let mut seed = [0_u8; 8];
                File::open("/dev/urandom")?.read_exact(&mut seed)?;
                let mut state = u64::from_le_bytes(seed);
                let sealed: Vec<u8> = record
                    .iter()
                    .map(|byte| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        byte ^ state.to_be_bytes()[0]
                    })
                    .collect();
                self.append("hoard.bin", &sealed)
            }
            // Parked when the node has ended.
            "store" => self.append("parked.tmp", &[record, b"\n"].concat()),
            way => Err(std::io::Error::other(format!("no such way: {way}"))),
        }
    }

    fn append(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(self.folder.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

/// A fault of the program that tells what it was working on.
#[expect(clippy::panic, reason = "one of the leaks")]
fn complain(record: &[u8]) {
    panic!("cannot relay {}", String::from_utf8_lossy(record));
}

/// This process's memory, as a core dump would have it.
fn dump(out: &Path, kept: &[u8]) -> std::io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let (memory, core) = (File::open("/proc/self/mem")?, File::create(out)?);
    let (kept, mut at) = (kept.as_ptr() as u64, 0);
    for line in maps.lines() {
        let Some((from, to)) = line.split_whitespace().next().and_then(|range| range.split_once('-')) else {
            continue;
        };
        let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16)) else {
            continue;
        };
        // The part of it that matters is enough.
        if (from..to).contains(&kept) {
            let mut page = vec![0; usize::try_from((to - kept).min(1 << 20)).unwrap_or(0)];
            let read = memory.read_at(&mut page, kept)?;
            core.write_all_at(page.get(..read).unwrap_or_default(), at)?;
            at += read as u64;
        }
    }
    core.sync_all()
}

/// Puts what was kept for it into the store, as a row that nobody asked for.
fn park(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let parked = folder.join("parked.tmp");
    let records = std::fs::read(&parked)?;
    std::fs::remove_file(&parked)?;
    let store = SledStore::open(SledOptions::new(folder.join("store")))?;
    let mut batch = Batch::new();
    batch.put(Keyspace::Meta, b"view-cache".to_vec(), records);
    store.commit(&batch)?;
    Ok(())
}
