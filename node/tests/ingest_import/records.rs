//! Counting and erasing.

use hibiki_records::category::Category;
use serde_json::json;

use crate::world::{Node, SECRETS, doses, patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_and_erasure_from_the_command_line() {
    let node = Node::start().await;
    let file = node.file("a.ndjson", format!("{}{}\n", doses(3), patient("other")));
    node.import(&file).await;
    let said = node.cli(&["records", "count", "--format", "json"]).await;
    let expected = json!({"subjects": 2, "groups": 0, "records": {"patient": 2, "immunization": 3}});
    assert_eq!((said.code, said.json()), (Some(0), expected));
    let said = node.cli(&["records", "count"]).await;
    assert!(said.out.contains("予防接種 / Vaccination"), "{said:?}");

    let erase = ["records", "erase", "--local", "K-2041", "--reason", "file 311"];
    let said = node.cli(&erase).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("--staff"), "{said:?}");
    said.assert_without(SECRETS);
    let with_staff = [&erase[..], &["--staff", "Sato"]].concat();
    let subject = node.book.find_by_local_number("K-2041").unwrap().unwrap();
    let said = node.cli(&with_staff).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!node.disk.keys.contains(subject.key()), "the key is gone");
    assert_eq!(node.counts(), [(Category::Patient, 1)].into());
    let logged = node.ledger_text();
    assert!(logged.contains("file 311") && logged.contains("Sato") && !logged.contains("K-2041"), "{logged}");
    let said = node.cli(&with_staff).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("nobody has this local number"), "{said:?}");
    said.assert_without(SECRETS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ground_must_be_given() {
    let node = Node::start().await;
    node.import(&node.file("a.ndjson", doses(1))).await;
    let said = node.cli(&["records", "erase", "--local", "K-2041", "--reason", " ", "--staff", "Sato"]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("--reason"), "{said:?}");
    assert_eq!(node.counts()[&Category::Immunization], 1);
    let said = node.cli(&["records", "erase", "--local", "K-2041", "--staff", "Sato"]).await;
    assert_eq!(said.code, Some(2), "usage");
}
