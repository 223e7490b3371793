//! Leaking gateways: each keeps what it must not keep in one way, and the auditor's named strand must say so.
//!
//! They take city hall's place one after the other, after the honest run was gathered. Whatever one of them
//! left is removed before the next begins, so that each is caught for its own leak alone.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::Trouble;
use super::gather::{self, Depth};
use super::guardian::{self, Guardian};
use super::volume::{Measured, Volume};
use crate::clock;
use crate::house::House;
use crate::town::Town;

/// One way of leaking.
pub struct Way {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    /// The strand of the auditor that must catch it.
    pub strand: &'static str,
    /// Files and folders it leaves in the node's data folder.
    leaves: &'static [&'static str],
}

const fn way(
    name: &'static str,
    what: &'static str,
    strand: &'static str,
    leaves: &'static [&'static str],
) -> Way {
    Way { name, what, strand, leaves }
}

/// Every way. The one that changes the store comes last, for nothing takes that back.
pub const WAYS: [Way; 13] = [
    way("cache", "keeps answers in a file", "canaries", &["answers.cache"]),
    way("log", "writes answers into its log", "canaries", &[]),
    way("panic", "panics, and tells what it was working on", "canaries", &[]),
    way("temp", "leaves temporary files", "canaries", &["tmp"]),
    way("base64", "keeps answers in base64", "canaries", &["state.txt"]),
    way("utf16", "keeps answers in UTF-16", "canaries", &["export.csv"]),
    way("deflate", "keeps answers compressed", "canaries", &["backup.gz"]),
    way("xor", "keeps answers disguised by a constant", "canaries", &["table.bin"]),
    way("memory", "keeps answers in memory", "canaries", &[]),
    way("core", "leaves a core dump", "canaries", &["core"]),
    way("peer", "passes answers to another institution, which keeps them", "canaries", &["answers.cache"]),
    way("hoard", "keeps answers encrypted under a key of its own", "volume", &["hoard.bin"]),
    way("store", "parks answers in its own store", "rows", &[]),
];

/// Runs every way and gathers what it leaves.
///
/// # Errors
/// A mutant does not run, or does not leak: then nothing would be proved.
pub fn run(
    town: &mut Town,
    guardian: &Guardian,
    records: &[String],
    out: &Path,
    told: &mut dyn FnMut(&Way),
) -> Result<(), Trouble> {
    for way in &WAYS {
        told(way);
        one(town, guardian, records, way, &out.join("mutants").join(way.name))?;
    }
    Ok(())
}

fn one(town: &mut Town, asker: &Guardian, records: &[String], way: &Way, out: &Path) -> Result<(), Trouble> {
    gather::make(out)?;
    let story = json!({ "name": way.name, "what": way.what, "strand": way.strand });
    gather::write(&out.join("mutant.json"), &story.to_string())?;
    let socket = replace(town, House::CityHall, way.name, Some(House::School))?;
    if way.name == "peer" {
        replace(town, House::School, "cache", None)?;
        town.launch(House::School)?;
    }
    town.start(House::CityHall)?;
    if way.name == "hoard" {
        let volume = hoarded(town, &socket)?;
        let folder = gather::make(&out.join("members").join(House::CityHall.slug()))?;
        gather::write(&folder.join("volume.json"), &json!(volume).to_string())?;
    }
    for record in records {
        hand_over(&socket, record.as_bytes())?;
    }
    // It goes on relaying: nobody would notice from outside.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::Machine(error.to_string()))?;
    if runtime.block_on(asker.visit(1, guardian::AT_ONCE))?.views == 0 {
        return Err(Trouble::Terminal(format!("the mutant `{}` does not relay", way.name)));
    }
    if way.name == "memory" {
        gather::memory(town, House::CityHall, out)?;
    }
    let leaking: &[House] = if way.name == "peer" { &[House::School] } else { &[House::CityHall] };
    for house in [House::CityHall].iter().chain(leaking.iter().filter(|house| **house != House::CityHall)) {
        town.node_mut(*house).stop()?;
    }
    let depth = if way.name == "store" { Depth::Opened } else { Depth::Disk };
    for house in leaking {
        gather::member(town, *house, depth, out)?;
        for left in way.leaves {
            let left = town.node(*house).data().join(left);
            let _ = if left.is_dir() { fs::remove_dir_all(&left) } else { fs::remove_file(&left) };
        }
        let log = town.node(*house).log_file();
        fs::remove_file(&log).map_err(|source| Trouble::file(&log, source))?;
        town.node_mut(*house).replace_program("hibiki-node", &[]);
    }
    if way.name == "peer" {
        town.launch(House::School)?;
    }
    Ok(())
}

/// Puts a mutant in a stopped node's place; the socket of its accomplice.
fn replace(town: &mut Town, house: House, way: &str, peer: Option<House>) -> Result<PathBuf, Trouble> {
    let sockets = gather::make(&town.folder().join("mutants"))?;
    let socket = sockets.join(house.slug());
    let node = town.node_mut(house);
    if node.is_running() {
        node.stop()?;
    }
    let folder = node.data().display().to_string();
    let mut environment = vec![
        format!("HIBIKI_MUTANT={way}"),
        format!("HIBIKI_MUTANT_SOCKET={}", socket.display()),
        format!("HIBIKI_MUTANT_FOLDER={folder}"),
    ];
    if let Some(peer) = peer {
        environment.push(format!("HIBIKI_MUTANT_PEER={}", sockets.join(peer.slug()).display()));
    }
    node.replace_program("examples/hibiki-mutant", &environment);
    Ok(socket)
}

/// Hands a record to the accomplice and waits until it is kept.
fn hand_over(socket: &Path, record: &[u8]) -> Result<(), Trouble> {
    let broken = |source| Trouble::file(socket, source);
    let mut stream = UnixStream::connect(socket).map_err(broken)?;
    stream.write_all(record).and_then(|()| stream.shutdown(Shutdown::Write)).map_err(broken)?;
    let mut said = String::new();
    stream.read_to_string(&mut said).map_err(broken)?;
    if said == "kept" { Ok(()) } else { Err(Trouble::Machine(format!("a mutant does not leak: {said}"))) }
}

/// The volume of a gateway that hoards: equally many records, small ones first.
fn hoarded(town: &Town, socket: &Path) -> Result<Volume, Trouble> {
    const RECORDS: u64 = 40;
    let measure = |bytes: usize| -> Result<Measured, Trouble> {
        let before = super::volume::now(town)?;
        for _ in 0..RECORDS {
            hand_over(socket, &vec![b'x'; bytes])?;
        }
        clock::pause(Duration::from_millis(500));
        let after = super::volume::now(town)?;
        Ok(Measured { payload: RECORDS * bytes as u64, written: after.0 - before.0, memory: after.1 })
    };
    Ok(Volume { small: measure(super::people::SMALL_BYTES)?, large: measure(super::people::LARGE_BYTES)? })
}
