//! The ledger's commands, on a running node and on a stopped one.

use std::os::unix::fs::DirBuilderExt as _;
use std::process::Command;
use std::sync::Arc;

use hibiki_node::cli::init::{KEYRING, NODE_KEY};
use hibiki_node::env::{Env, SystemEntropy};
use hibiki_node::keyring::{self, KeyRing};
use hibiki_node::keys::NodeKeys;
use hibiki_node::ledger::{Entry, EntrySealer, Ledger, Setup, Sizes, details};
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};

use serde_json::json;

use crate::world::{Node, ORIGIN, Said, doses};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_verifies_shows_and_signs() {
    let node = Node::start().await;
    node.import(&node.file("a.ndjson", doses(1))).await;
    let said = node.cli(&["ledger", "status"]).await;
    assert!(said.out.contains("なし / none") && said.out.contains(ORIGIN), "{said:?}");
    let said = node.cli(&["ledger", "checkpoint"]).await;
    assert!(said.out.starts_with(&format!("{ORIGIN}\n3\n")), "{said:?}");
    let said = node.cli(&["ledger", "status", "--format", "json"]).await;
    assert_eq!((said.json()["entries"].as_u64(), said.json()["signed"].as_u64()), (Some(3), Some(3)));

    for deep in [false, true] {
        let arguments: &[&str] = if deep { &["ledger", "verify", "--deep"] } else { &["ledger", "verify"] };
        let said = node.cli(arguments).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.contains("正常 / nothing is wrong"), "{said:?}");
        assert_eq!(said.out.contains("開封 / opened 3"), deep, "{said:?}");
    }

    let said = node.cli(&["ledger", "show", "--last", "2"]).await;
    assert_eq!(said.code, Some(1), "looking is an act of staff");
    assert!(said.err.contains("--staff"), "{said:?}");
    let said = node.cli(&["ledger", "show", "--last", "2", "--staff", "Sato"]).await;
    assert_eq!(said.out.lines().count(), 2, "{said:?}");
    assert!(said.out.contains("import (admin)") && said.out.contains("accepted=2"), "{said:?}");
    assert!(node.ledger_text().contains("ledger show --last 2"));
    let said = node.cli(&["ledger", "show", "--last", "100000", "--staff", "Sato"]).await;
    assert!(said.err.contains("choose from 1 to 1000"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_node_s_folder_is_verified_without_it() {
    let node = Node::start().await;
    let folder = node.folder.path().join("ledger");
    let signer = Arc::new(NoteSigner::from_seed(ORIGIN, KeyAlgorithm::Ed25519, &[7; 32]).unwrap());
    let key = signer.verifier_key().to_string();
    let setup = Setup {
        signer,
        sealer: Arc::clone(&node.disk.keys) as Arc<dyn EntrySealer>,
        entropy: Arc::new(SystemEntropy),
        sizes: Sizes { segment_bytes: 64 * 1024, reserve_bytes: 4 * 1024 },
    };
    let ledger = Ledger::open(&folder, setup, 1_000).unwrap();
    for at in 0..300 {
        let entry = Entry::new(at, None, &details::Staff { by: "Sato".into(), action: "x".into() });
        ledger.append(entry.unwrap()).await.unwrap();
    }
    ledger.close(9_000, "test").await.unwrap();
    drop(ledger);
    let folder = folder.to_str().unwrap();
    let arguments = ["ledger", "verify", "--folder", folder, "--key", &key, "--format", "json"];
    let said = node.cli(&arguments).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.json()["entries"], 302);

    // One bit of one tile.
    let tile = std::path::Path::new(folder).join("tile/0/000");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    let said = node.cli(&arguments).await;
    assert_eq!((said.code, said.json()["passed"].as_bool()), (Some(1), Some(false)), "{said:?}");

    let said = node.cli(&["ledger", "verify", "--folder", "/does/not/exist", "--key", &key]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("no such folder"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_node_s_own_keys_open_its_entries() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, path) = (folder.path().join("data/keys"), folder.path().join("data/ledger"));
    let config = folder.path().join("node.toml");
    let text = "[node]\nid = \"maebashi/clinic\"\nname-ja = \"医院\"\nname-en = \"Clinic\"\nkind = \"clinic\"\n\
        data-dir = \"data\"\n[federation]\nroot = \"root\"\ntrust-list = \"list\"\n";
    std::fs::write(&config, text).unwrap();
    let env = Env::system();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).unwrap();
    let own = NodeKeys::create(&keys, &env).unwrap();
    keyring::create_node_key(&keys.join(NODE_KEY), &SystemEntropy).unwrap();
    let node_key = keyring::load_node_key(&keys.join(NODE_KEY)).unwrap();
    let ring = Arc::new(KeyRing::open(&keys.join(KEYRING), &node_key, Arc::new(SystemEntropy)).unwrap());
    let setup = Setup {
        signer: Arc::new(NoteSigner::from_seed(ORIGIN, KeyAlgorithm::Ed25519, &own.ledger().seed()).unwrap()),
        sealer: Arc::clone(&ring) as Arc<dyn EntrySealer>,
        entropy: Arc::new(SystemEntropy),
        sizes: Sizes { segment_bytes: 64 * 1024, reserve_bytes: 4 * 1024 },
    };
    let (erased, kept) = (ring.create().unwrap(), ring.create().unwrap());
    let ledger = Ledger::open(&path, setup, 1_000).unwrap();
    for subject in [erased, kept] {
        let details = details::Release::default();
        ledger.append(Entry::new(2_000, Some(*subject.as_bytes()), &details).unwrap()).await.unwrap();
    }
    ledger.close(9_000, "test").await.unwrap();
    ring.destroy(erased).unwrap();
    let verify = |deep: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hibiki-node"));
        command.args(["ledger", "verify", "--format", "json", "--config"]).arg(&config);
        command.arg("--folder").arg(&path).args(deep.then_some("--deep"));
        Said::from(command.output().unwrap())
    };
    let said = verify(true);
    assert_eq!(said.code, Some(1), "the keys are in use by a node: {said:?}");
    assert!(said.err.contains("in use"), "{said:?}");
    drop((ledger, ring));
    let said = verify(true);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!((&said.json()["opened"], &said.json()["erased"]), (&json!(3), &json!(1)));
    let said = verify(false);
    assert_eq!((said.code, &said.json()["opened"]), (Some(0), &json!(0)));
}
