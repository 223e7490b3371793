//! What travels, without TLS: for a while all institutions are laboratory nodes, every datagram is captured, and tshark
//! decrypts what the gateway, which relays, received and sent.
//!
//! The nodes are the same code (`tests/examples/hibiki-laboratory.rs`); they log their TLS secrets, and send every
//! datagram by itself. Guardians sit in this process, which does the same from then on. Must not judge.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hibiki_transport::{Admission, Endpoint, Identity, Limits, PeerKey, StdSystemTime};
use serde_json::json;

use super::capture::Capture;
use super::decrypt::decrypt;
use super::guardian::Guardian;
use super::workload::{self, Wanted};
use super::{Trouble, gather, key_log, second};
use crate::house::House;
use crate::town::Town;

/// Views that are captured.
pub const VIEWS: u64 = 24;
/// Where this lies, in the artefacts and in a mutant's.
const FOLDER: &str = "traffic";
/// The mutant that is not told by its disk.
const CLEAR: &str = "clear";
/// What is said where nothing can be captured or decrypted.
const NOTHING: &str =
    "What travels was not decrypted and searched: tcpdump and tshark are needed, and the right to capture.";
/// What is said where it could.
const LABORATORY: &str = "What travels was decrypted of laboratory nodes, for a few views without faults: the same code as that of the programs, \
     but with its TLS secrets logged and every datagram sent by itself. What streams carried was searched; handshakes and the \
     reasons of closing were not.";

/// Runs the leg on a stopped town and leaves it stopped, its own programs in place; with `records`, an institution
/// tells the gateway of them in the clear of TLS afterwards, as a control. Returns what was not shown.
///
/// # Errors
/// The town does not run, or what was captured cannot be decrypted.
pub fn run(
    town: &mut Town,
    guardians: &[Guardian],
    records: Option<&[String]>,
    artefacts: &Path,
) -> Result<&'static str, Trouble> {
    if !second::there("tcpdump") || !second::there("tshark") {
        return Ok(NOTHING);
    }
    let folder = gather::make(&artefacts.join(FOLDER))?;
    // The nodes run in folders of their own.
    let folder = fs::canonicalize(&folder).map_err(|source| Trouble::file(&folder, source))?;
    let keys = folder.join("keys.log");
    let parties = parties(town)?;
    let Some(capture) = start(&parties, &folder)? else { return Ok(NOTHING) };
    key_log::open(&keys)?;
    let environment = [format!("HIBIKI_LABORATORY_KEYS={}", keys.display())];
    for house in House::EIGHT {
        town.node_mut(house).replace_program("examples/hibiki-laboratory", &environment);
    }
    town.start_all()?;
    // Two of them: a session is twelve views, and more than are wanted would come together.
    let guardians = guardians.get(..2).unwrap_or(guardians);
    workload::work(town, guardians, &Wanted { views: VIEWS, seed: 0, faults: false }, &mut |_| {})?;
    for house in House::EIGHT {
        town.node_mut(house).stop()?;
    }
    end(capture, &parties, &keys, &folder)?;
    gather::ledger(town, House::CityHall, &folder)?;
    if let Some(records) = records {
        leak(town, records, &parties, &keys, &artefacts.join("mutants").join(CLEAR))?;
    }
    for house in House::EIGHT {
        town.node_mut(house).replace_program("hibiki-node", &[]);
    }
    Ok(LABORATORY)
}

/// Who listens at which port.
fn parties(town: &Town) -> Result<BTreeMap<u16, &'static str>, Trouble> {
    let of = |house: House| {
        let address = town.node(house).address();
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
        port.map(|port| (port, house.slug()))
            .ok_or_else(|| Trouble::Machine(format!("{address} has no port")))
    };
    House::EIGHT.into_iter().map(of).collect()
}

fn start(parties: &BTreeMap<u16, &'static str>, folder: &Path) -> Result<Option<Capture>, Trouble> {
    let ports: Vec<u16> = parties.keys().copied().collect();
    Capture::start(&ports, &folder.join("capture.pcap"))
}

/// Ends a capture and decrypts it.
fn end(
    capture: Capture,
    parties: &BTreeMap<u16, &'static str>,
    keys: &Path,
    folder: &Path,
) -> Result<(), Trouble> {
    let dropped = capture.end()?;
    let tally = decrypt(&folder.join("capture.pcap"), keys, parties, &folder.join("decrypted"))?;
    let version = gather::run(Command::new("tshark").arg("--version"))?;
    let version = version.lines().next().unwrap_or_default().trim();
    let story =
        json!({ "tool": "tshark", "version": version, "dropped": dropped, "ports": parties, "found": tally });
    gather::write(&folder.join("traffic.json"), &story.to_string())
}

/// The control: an institution whose accomplice connects to the gateway under its key and says what is in its records.
fn leak(
    town: &mut Town,
    records: &[String],
    parties: &BTreeMap<u16, &'static str>,
    keys: &Path,
    out: &Path,
) -> Result<(), Trouble> {
    let folder = gather::make(&out.join(FOLDER))?;
    let story = json!({
        "name": CLEAR, "what": "is told records by an institution, in the clear of TLS", "strand": "traffic",
    });
    gather::write(&out.join("mutant.json"), &story.to_string())?;
    let capture = start(parties, &folder)?;
    let capture = capture.ok_or_else(|| Trouble::Machine("tcpdump may not capture any more".into()))?;
    town.launch(House::CityHall)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::Machine(error.to_string()))?;
    let told = runtime.block_on(tell(town, records));
    town.node_mut(House::CityHall).stop()?;
    told.map_err(|error| Trouble::Machine(format!("the mutant `{CLEAR}` does not leak: {error}")))?;
    end(capture, parties, keys, &folder)
}

/// Sends the gateway a frame of records, under the hospital's key.
async fn tell(town: &Town, records: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let key = |house: House| Identity::load(&town.node(house).data().join("keys/tls.pem"));
    let (own, gateway) = (key(House::Hospital)?, key(House::CityHall)?.key());
    let directory = move |key: &PeerKey| {
        if *key == gateway { Admission::member("gateway") } else { Admission::Refused }
    };
    let here = ([127, 0, 0, 1], 0).into();
    let endpoint =
        Endpoint::bind(here, &own, Arc::new(directory), Limits::dial_only(), Arc::new(StdSystemTime))?;
    let link = endpoint.connect(town.node(House::CityHall).address().parse()?, &[gateway]).await?;
    let mut exchange = link.open().await?;
    exchange.send_within(records.join("\n").as_bytes(), Duration::from_secs(5)).await?;
    exchange.finish()?;
    // The gateway reads it, and says that it is no request.
    let _ = exchange.recv_within(1 << 16, Duration::from_secs(5)).await;
    drop(exchange);
    endpoint.shutdown(Duration::from_secs(1)).await;
    Ok(())
}
