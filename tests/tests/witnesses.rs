//! Witnesses between the real processes: every ledger is cosigned, an older copy of a disk is found out, and
//! a second history of a ledger is known to everybody.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hibiki_node::env::Env;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Hello, Reply, Request};
use hibiki_protocol::ids::{Digest, FederationId};
use hibiki_protocol::limits;
use hibiki_protocol::tlog::{Checkpoint, Hash, KeyAlgorithm, NoteSigner, VerifierKey};
use hibiki_protocol::trust::{Member, SignedTrustList, TrustList};
use hibiki_protocol::witnessing::{CheckpointOffer, WitnessRefusal, Witnessed};
use hibiki_tests::clock;
use hibiki_tests::house::House;
use hibiki_tests::town::{Node, Settings, Town};
use hibiki_transport::{Admission, Endpoint, Identity, Limits, Link, PeerKey, TimeSource};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);
const QUORUM: usize = 3;

/// The trust list in force.
fn list(town: &Town) -> TrustList {
    let bytes = fs::read(town.folder().join("trust-list.cbor")).unwrap();
    let signed: SignedTrustList = cbor::decode(&bytes).unwrap();
    cbor::decode(&signed.payload).unwrap()
}

/// The newest checkpoint of a node that witnesses have cosigned, and how many of them, by the trust list alone.
fn cosigned(town: &Town, house: House) -> Option<(Checkpoint, usize)> {
    let list = list(town);
    let log = list.member(&house.member()).unwrap().ledger_verifier().unwrap();
    let own = house.member();
    let keys: Vec<VerifierKey> = list.witnesses_for(&own).into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys.len(), House::OTHERS.len(), "everybody else is a witness");
    let note = fs::read(town.node(house).data().join("ledger/cosigned")).ok()?;
    let (checkpoint, by) = Checkpoint::open(&note, &log, &keys).unwrap();
    Some((checkpoint, by.len()))
}

fn await_cosigned(town: &Town, house: House, more_than: u64) -> u64 {
    let mut size = 0;
    let done = clock::wait_until(PATIENCE, || {
        cosigned(town, house).is_some_and(|(checkpoint, by)| {
            size = checkpoint.size;
            by >= QUORUM && size > more_than
        })
    });
    assert!(done, "{house}: {:?}\n{}", cosigned(town, house), town.node(house).log());
    size
}

fn status(node: &Node) -> Value {
    node.status().unwrap_or_default()
}

fn copy(from: &Path, to: &Path) {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts a copy in the place of a folder.
fn restore(copied: &Path, folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    copy(copied, folder);
}

#[test]
fn six_nodes_witness_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    for house in House::ALL {
        await_cosigned(&town, house, 0);
        let config = town.node(house).config_text().to_owned();
        let fine = clock::wait_until(PATIENCE, || {
            let told =
                town.programs().node_json(&["ledger", "witnesses", "--config", &config, "--format", "json"]);
            told.is_ok_and(|told| told["standing"] == "fine" && told["quorum"] == QUORUM)
        });
        assert!(fine, "{house}: {}", status(town.node(house)));
    }
    an_older_copy(&mut town, folder.path());
    a_fork(&mut town);
}

/// The hospital's disk is restored from a backup.
fn an_older_copy(town: &mut Town, folder: &Path) {
    let house = House::Hospital;
    let data = town.node(house).data().to_owned();
    town.node_mut(house).stop().unwrap();
    let backup = folder.join("backup");
    copy(&data, &backup);
    let before = cosigned(town, house).unwrap().0.size;
    town.start(house).unwrap();
    let after = await_cosigned(town, house, before + 1);
    town.node_mut(house).stop().unwrap();

    // What it had cosigned itself lies beside the older ledger: it does not start.
    let newest = fs::read(data.join("ledger/cosigned")).unwrap();
    restore(&backup, &data);
    fs::write(data.join("ledger/cosigned"), &newest).unwrap();
    refuses(town, house);

    // Nothing on the disk knows better. Its witnesses do, and tell it at its first asking.
    restore(&backup, &data);
    town.start(house).unwrap();
    let halted = clock::wait_until(PATIENCE, || status(town.node(house))["ledger"]["halted"].is_string());
    assert!(halted, "{}", town.node(house).log());
    let told = status(town.node(house));
    assert_eq!(told["witnesses"]["standing"], "halted");
    let reason = told["problems"]["ledger-halted"].as_str().unwrap();
    assert!(reason.contains("older copy") && reason.contains("restore the newest"), "{reason}");
    // An operator's mistake accuses nobody.
    for house in House::ALL {
        let problems = status(town.node(house))["problems"].to_string();
        assert!(!problems.contains("fork:"), "{house}: {problems}");
    }
    town.node_mut(house).stop().unwrap();
    refuses(town, house);
    assert!(cosigned(town, house).unwrap().0.size >= after, "what the witness keeps lies there now");
}

/// Started again it ends at once, says why, and that starting again changes nothing.
fn refuses(town: &Town, house: House) {
    let ended = town.programs().run("hibiki-node", &["run", town.node(house).config_text()]).unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(65), "{said}");
    // It went on for a moment before it learnt: then it may be as long, and is another history.
    assert!(said.contains("rollback detected") || said.contains("the ledger was rewritten"), "{said}");
    assert!(said.contains("Restore the") && said.contains("docs/operator.md"), "{said}");
}

/// Somebody has taken the clinic's keys and signs another history with them, before the eyes of the school alone.
fn a_fork(town: &mut Town) {
    let house = House::Clinic;
    town.node_mut(house).stop().unwrap();
    let (kept, _) = cosigned(town, house).unwrap();
    let keys = town.node(house).data().join("keys");
    let seed = hibiki_node::secret_file::read(&keys.join("ledger.key")).unwrap();
    let origin = Member::ledger_origin(&house.member());
    let signer = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &seed).unwrap();
    let other = Checkpoint { origin: origin.clone(), size: kept.size, root: Hash([7; 32]) };
    let offer = CheckpointOffer {
        audience: House::School.member(),
        origin: origin.clone(),
        checkpoint: Some(other.sign(&signer).unwrap().to_string()),
        old_size: 0,
        old_root: Digest::ZERO,
        proof: Vec::new(),
    };
    let identity = Identity::load(&keys.join("tls.pem")).unwrap();
    let city = list(town).member(&House::CityHall.member()).unwrap().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let witnessed = runtime.block_on(offer_as(&identity, &city, offer));
    let Witnessed::NotCosigned(not) = witnessed else { panic!("a fork was cosigned: {witnessed:?}") };
    assert_eq!(not.refusal, WitnessRefusal::Fork);
    // Its own newest checkpoint is what the school keeps.
    assert!(not.kept.unwrap().starts_with(&kept.to_string()));

    let key = format!("fork:{origin}");
    let standing = [House::CityHall, House::HealthCentre, House::Pharmacy, House::School];
    let alarmed = clock::wait_until(PATIENCE, || {
        standing.iter().all(|house| status(town.node(*house))["problems"].get(&key).is_some())
    });
    assert!(alarmed, "{}", town.node(House::School).log());
    for house in standing {
        let forks = town.node(house).data().join("witnessed/forks");
        let files: Vec<_> = fs::read_dir(forks).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{house}");
        let evidence: Value = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
        assert_eq!((&evidence["kind"], &evidence["origin"]), (&"fork".into(), &origin.clone().into()));
    }
    let config = town.node(House::School).config_text().to_owned();
    let told = town.programs().run("hibiki-node", &["ledger", "witnesses", "--config", &config]).unwrap();
    assert_eq!(told.status.code(), Some(1), "an alarm is no success");
    assert!(String::from_utf8_lossy(&told.stdout).contains(&origin));

    // The clinic itself is told as soon as it is back, and signs nothing more under a key that others have.
    town.start(house).unwrap();
    let halted = clock::wait_until(PATIENCE, || status(town.node(house))["ledger"]["halted"].is_string());
    assert!(halted, "{}", town.node(house).log());
}

/// The wall time, for certificates.
struct Wall;

impl TimeSource for Wall {
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_millis(clock::now().0)
    }
}

/// Speaks to city hall with somebody's TLS key.
async fn offer_as(identity: &Identity, city: &Member, offer: CheckpointOffer) -> Witnessed {
    let env = Env::system();
    let socket = env.bind_udp("127.0.0.1:0".parse().unwrap()).unwrap();
    let key = PeerKey::from_bytes(city.tls_key.0);
    let directory =
        Arc::new(
            move |asked: &PeerKey| {
                if *asked == key { Admission::member("maebashi/city-hall") } else { Admission::Refused }
            },
        );
    let endpoint =
        Endpoint::new(env.runtime(), socket, identity, directory, Limits::default(), Arc::new(Wall)).unwrap();
    let link = endpoint.connect(city.addresses[0].parse().unwrap(), &[key]).await.unwrap();
    let hello = Hello {
        version_min: limits::VERSION_MIN,
        version_max: limits::VERSION_MAX,
        federation: FederationId::new("maebashi").unwrap(),
        epoch: 1,
    };
    assert!(matches!(ask(&link, hello.into()).await, Reply::Welcome(_)));
    match ask(&link, offer.into()).await {
        Reply::Witnessed(witnessed) => witnessed,
        other => panic!("not the answer to an offer: {other:?}"),
    }
}

async fn ask(link: &Link, request: Request) -> Reply {
    let mut exchange = link.open().await.unwrap();
    exchange.send(&cbor::encode(&request)).await.unwrap();
    exchange.finish().unwrap();
    cbor::decode(&exchange.recv(limits::FRAME_BYTES_MAX).await.unwrap().unwrap()).unwrap()
}
