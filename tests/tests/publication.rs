//! A live node's ledger, fetched by a plain HTTP client and verified by the auditor, who trusts nobody but the
//! key in the trust list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use hibiki_audit::log;
use hibiki_protocol::cbor;
use hibiki_protocol::tlog::{Checkpoint, VerifierKey, tiles_of};
use hibiki_protocol::trust::SignedTrustList;
use hibiki_tests::clock;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::town::{Settings, Town};
use ureq::Agent;

const TOKEN: &str = "b1d4c0ffee5eed0123456789abcdef42b1d4c0ffee5eed0123456789abcdef42";

/// A regulator's program.
struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    fn ask(&self, path: &str, token: Option<&str>) -> (u16, Vec<u8>) {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = match token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        };
        let mut response = request.call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
    }

    fn fetch(&self, path: &str) -> Vec<u8> {
        let (status, body) = self.ask(path, Some(TOKEN));
        assert_eq!(status, 200, "{path}");
        body
    }

    /// Mirrors what the newest checkpoint covers, as any tlog-tiles client does, and keeps the heads it has seen.
    /// Returns the size.
    fn mirror(&self, key: &VerifierKey, seen: &[Vec<u8>], to: &Path) -> u64 {
        let save = |path: &str, bytes: &[u8]| {
            let file = to.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        };
        let note = self.fetch("/checkpoint");
        let (checkpoint, _) = Checkpoint::open(&note, key, &[]).unwrap();
        save("checkpoint", &note);
        let history: Vec<u8> =
            seen.iter().chain([&note]).flat_map(|note| [note.as_slice(), b"\n"].concat()).collect();
        save("checkpoints", &history);
        for tile in tiles_of(checkpoint.size) {
            save(&tile.path(), &self.fetch(&format!("/{}", tile.path())));
            if tile.level() == 0 {
                save(&tile.entries_path(), &self.fetch(&format!("/{}", tile.entries_path())));
            }
        }
        checkpoint.size
    }
}

#[test]
fn a_regulator_follows_a_live_ledger_and_learns_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("publish.token");
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // These lines follow those of `[ledger]`.
    let more = format!("publish = \"127.0.0.1:{port}\"\npublish-token-file = \"{}\"", token.display());
    let settings = Settings { more: vec![(House::Clinic, more)], ..Settings::default() };
    let mut town = Town::found(&folder.path().join("t"), &settings, &mut |_| {}).unwrap();
    let agent = Agent::new_with_config(
        Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(10)))
            .build(),
    );
    let client = Client { agent, base: format!("http://127.0.0.1:{port}") };
    let (people, family) = family::found(31, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let card = town.issue_card(&family.mother).unwrap();

    // The key comes from the trust list, the list from anywhere.
    let list: SignedTrustList = cbor::decode(&client.fetch("/trust-list")).unwrap();
    let list: hibiki_protocol::trust::TrustList = cbor::decode(&list.payload).unwrap();
    let clinic = list.members.iter().find(|member| member.id.as_str() == House::Clinic.id()).unwrap();
    let key = clinic.ledger_verifier().unwrap();
    assert_eq!(key.to_string(), town.node(House::Clinic).ledger_key().unwrap());

    let mut sizes = Vec::new();
    let mut heads = Vec::new();
    for round in 0..2 {
        assert!(town.view(&card, 1, &[]).unwrap().into_view().is_ok());
        let before = sizes.last().copied().unwrap_or_default();
        let grown = || {
            let (checkpoint, _) = Checkpoint::open(&client.fetch("/checkpoint"), &key, &[]).unwrap();
            checkpoint.size > before
        };
        assert!(clock::wait_until(Duration::from_secs(20), grown), "a look at records becomes a leaf");
        let mirror = folder.path().join(format!("mirror-{round}"));
        sizes.push(client.mirror(&key, &heads, &mirror));
        // Each mirror verifies alone, and is a continuation of the one before.
        let report = log::verify(&mirror, &key, &[], &heads);
        assert!(report.strand.passed, "{:?}", report.strand.problems);
        assert_eq!(report.size, sizes[round]);
        heads.push(fs::read(mirror.join("checkpoint")).unwrap());
    }
    assert!(sizes[1] > sizes[0]);
    assert_no_names(&folder.path().join("mirror-1"), &people);

    for path in ["/checkpoint", "/tile/entries/000", "/journal/00000001"] {
        assert_eq!(client.ask(path, None).0, 401, "{path}");
        assert_eq!(client.ask(path, Some("0123456789abcdef0123456789abcdef")).0, 401, "{path}");
    }
    for path in [
        "/journal/00000001",
        "/tile/..%2fjournal/00000001",
        "/checkpoints",
        "/../node.toml",
        "/tile/0/999",
        "/",
    ] {
        let (status, body) = client.ask(path, Some(TOKEN));
        assert!(status == 404 && body.len() < 200, "{path}: {status}");
    }
    // Its witnesses' signatures come with it.
    let witnesses: Vec<_> = list.witnesses_for(&clinic.id).into_iter().map(|(_, key)| key).collect();
    let (_, cosigned) = Checkpoint::open(&client.fetch("/cosigned"), &key, &witnesses).unwrap();
    assert!(!cosigned.is_empty());
    let metrics = town.node(House::Clinic).status().unwrap();
    assert_eq!(metrics["phase"], "running", "{metrics}");

    town.node_mut(House::Clinic).stop().unwrap();
    assert!(client.agent.get(format!("{}/checkpoint", client.base)).call().is_err());
}

/// Neither names nor numbers of anybody are in what was fetched.
fn assert_no_names(mirror: &Path, people: &hibiki_tests::population::Population) {
    let mut fetched = Vec::new();
    let mut folders = vec![mirror.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { fetched.extend(fs::read(path).unwrap()) }
        }
    }
    assert!(fetched.len() > 1000);
    for local in people.archives[&House::Clinic].numbers.values() {
        let found = fetched.windows(local.len()).any(|part| part == local.as_bytes());
        assert!(!found, "a number of the clinic is in what it publishes");
    }
}
