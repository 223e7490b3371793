//! The ledger's commands, on a running node and on a stopped one.

use std::sync::Arc;

use hibiki_node::env::SystemEntropy;
use hibiki_node::ledger::{Entry, EntrySealer, Ledger, Setup, Sizes, details};
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};

use crate::world::{Node, ORIGIN, doses};

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
