//! The watched folder, with real files and real time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hibiki_node::env::Env;
use hibiki_node::ingest::Inbox;
use hibiki_node::observe::board::StatusBoard;
use hibiki_node::shutdown::Stage;
use hibiki_records::category::Category;
use serde_json::Value;

use crate::world::{Node, SECRETS, doses};

async fn wait_for(what: &str, there: impl Fn() -> bool) {
    for _ in 0..400 {
        if there() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited 20 s in vain for {what}");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_imported_and_filed_away() {
    let node = Node::start().await;
    let (folder, board) = (node.folder.path().join("inbox"), StatusBoard::new());
    let inbox = Inbox::open(folder.clone(), node.importer.clone(), Env::system(), board.clone()).unwrap();
    let watching = tokio::spawn(inbox.watch(node.shutdown.clone()));

    // The disk is full at first: the file waits, and says so on the board.
    node.disk.store.set_low_space(true);
    fs::write(folder.join("K-2041.ndjson"), doses(300)).unwrap();
    fs::write(folder.join("half.ndjson.part"), doses(1)).unwrap();
    wait_for("the problem", || board.snapshot(0).problems.contains_key("inbox")).await;
    let problem = board.snapshot(0).problems["inbox"].clone();
    assert!(
        problem.contains("no space") && SECRETS.iter().all(|secret| !problem.contains(secret)),
        "{problem}"
    );
    assert_eq!(names(&folder), ["K-2041.ndjson", "done", "failed", "half.ndjson.part"]);
    assert_eq!(node.counts(), [].into());

    node.disk.store.set_low_space(false);
    let mixed = doses(2) + "{\"resourceType\":\"Patient\",\"name\":\"Hanako\"}\n";
    fs::write(folder.join("mixed.ndjson"), mixed).unwrap();
    wait_for("the mixed file", || folder.join("failed/mixed.ndjson").exists()).await;
    wait_for("its report", || folder.join("failed/mixed.ndjson.report.jsonl").exists()).await;
    let report = fs::read_to_string(folder.join("failed/mixed.ndjson.report.jsonl")).unwrap();
    let line: Value = serde_json::from_str(report.trim()).unwrap();
    assert_eq!(line["place"]["line"], 4);
    assert!(SECRETS.iter().all(|secret| !report.contains(secret)), "{report}");
    assert_eq!(node.counts()[&Category::Immunization], 2, "the rest of it is in");
    assert_eq!(node.logged().last(), Some(&(3, 0, 1)));

    // Something new under the waiting file's name is looked at afresh.
    fs::write(folder.join("K-2041.ndjson"), doses(301)).unwrap();
    wait_for("the good file", || folder.join("done/K-2041.ndjson").exists()).await;
    assert_eq!(node.counts()[&Category::Immunization], 301);
    assert_eq!(board.snapshot(0).problems.get("inbox"), None);

    // The same name again does not overwrite the first.
    fs::write(folder.join("K-2041.ndjson"), doses(301)).unwrap();
    wait_for("the second file", || folder.join("done/K-2041.ndjson.2").exists()).await;
    assert_eq!(node.logged().last(), Some(&(0, 302, 0)));
    assert_eq!(names(&folder), ["done", "failed", "half.ndjson.part"]);
    assert_eq!(names(&folder.join("failed")), ["mixed.ndjson", "mixed.ndjson.report.jsonl"]);
    node.trigger.advance(Stage::Draining);
    watching.await.unwrap();
}
