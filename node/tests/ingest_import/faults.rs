//! What goes wrong half-way: nothing acknowledged is lost, nothing unacknowledged is claimed, and the same
//! file again completes the import.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hibiki_node::admin::client::{Call, CallError, upload};
use hibiki_node::env::Env;
use hibiki_node::ingest::{Failed, Importer, Job, Notice, Origin, Stop, Tally, Watcher};
use hibiki_node::recordbook::BookError;
use hibiki_node::store::{
    Batch, Capabilities, MemoryStore, Snapshot, Store, StoreError, StoreStats, VerifyReport,
};
use hibiki_records::category::Category;
use hibiki_records::ingest::Format;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{Disk, Node, doses};

/// A store whose power goes at a commit: it is wholly there or wholly absent, and nothing comes after it.
struct Mortal {
    inner: MemoryStore,
    commits_left: AtomicU64,
    last_one_lands: bool,
}

impl Store for Mortal {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let left = self.commits_left.load(Ordering::SeqCst);
        if left > 1 {
            self.commits_left.store(left - 1, Ordering::SeqCst);
            return self.inner.commit(batch);
        }
        if left == 1 {
            self.commits_left.store(0, Ordering::SeqCst);
            if self.last_one_lands {
                self.inner.commit(batch)?;
            }
        }
        Err(StoreError::Closed)
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.inner.snapshot()
    }
    fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.inner.verify()
    }
    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

/// Remembers what was acknowledged.
#[derive(Clone, Default)]
struct Listener {
    kept: Arc<Mutex<Vec<Tally>>>,
    cancel_after: Option<usize>,
}

impl Watcher for Listener {
    fn kept(&mut self, tally: &Tally) {
        self.kept.lock().unwrap().push(tally.clone());
    }
    fn rejected(&mut self, _notice: &Notice) {}
    fn is_cancelled(&self) -> bool {
        self.cancel_after.is_some_and(|after| self.kept.lock().unwrap().len() >= after)
    }
}

fn job() -> Job {
    Job { origin: Origin::Admin, by: "test".into(), format: Format::Auto, bytes_total: None }
}

async fn stored(disk: &Disk) -> BTreeMap<Category, u64> {
    disk.book(Arc::new(disk.store.clone())).await.counts().unwrap().records
}

async fn killed_at(commits: u64, lands: bool, count: usize) {
    let disk = Disk::new();
    let inner = disk.store.clone();
    let mortal = Mortal { inner, commits_left: AtomicU64::new(commits), last_one_lands: lands };
    let listener = Listener::default();
    let outcome = match disk.try_book(Arc::new(mortal)).await {
        Ok(book) => {
            let importer = Importer::new(book, disk.open_ledger(), Env::system());
            importer.import(job(), Cursor::new(doses(count)), listener.clone()).await
        }
        // The power went before the import began.
        Err(error) => Err(Failed { why: Stop::Book(error), tally: Tally::default() }),
    };
    let acknowledged = listener.kept.lock().unwrap().last().cloned().unwrap_or_default();
    let here: u64 = stored(&disk).await.values().sum();
    let whole = count as u64 + 1;
    match outcome {
        Ok(tally) => assert_eq!((tally.added, here), (whole, whole)),
        Err(failed) => {
            assert_eq!(failed.why, Stop::Book(BookError::Store(StoreError::Closed)));
            assert_eq!(failed.tally, acknowledged);
        }
    }
    assert!(
        here >= acknowledged.records(),
        "{here} records are there, {} were promised",
        acknowledged.records()
    );

    let book = disk.book(Arc::new(disk.store.clone())).await;
    let importer = Importer::new(Arc::clone(&book), disk.open_ledger(), Env::system());
    let again = importer.import(job(), Cursor::new(doses(count)), Listener::default()).await.unwrap();
    assert_eq!((again.added, again.unchanged), (whole - here, here), "what was there is not taken twice");
    let subject = book.find_by_local_number("K-2041").unwrap().unwrap();
    let read = book.read(subject, &[Category::Immunization], None, Default::default()).unwrap();
    assert_eq!(read.records.len(), count);
    // After a doubtful commit the book keeps the key it may have used: at most one too many.
    assert!((1..=2).contains(&disk.keys.counts().0), "one person, and one doubtful commit");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn killed_anywhere_nothing_promised_is_lost(commits in 0..8_u64, lands: bool, count in 1..1_200_usize) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(killed_at(commits, lands, count));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_stops_after_the_batch_and_keeps_it() {
    let disk = Disk::new();
    let book = disk.book(Arc::new(disk.store.clone())).await;
    let ledger = disk.open_ledger();
    let importer = Importer::new(book, ledger.clone(), Env::system());
    let listener = Listener { cancel_after: Some(2), ..Listener::default() };
    let failed = importer.import(job(), Cursor::new(doses(2_000)), listener.clone()).await.unwrap_err();
    assert_eq!(failed.why, Stop::Cancelled);
    let here: u64 = stored(&disk).await.values().sum();
    assert_eq!(here, failed.tally.records());
    assert!((256..=1_024).contains(&here), "{here}");
    assert_eq!(listener.kept.lock().unwrap().last(), Some(&failed.tally));
    let entries = ledger.read(0..ledger.size()).unwrap();
    let import = entries.last().unwrap().details::<hibiki_node::ledger::details::Import>().unwrap();
    assert_eq!(import.accepted, here, "the ledger tells what went in before it was stopped");
}

/// A file that ends in an error after its content.
struct Torn(Cursor<Vec<u8>>);

impl Read for Torn {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            count => Ok(count),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_leaves_only_whole_lines() {
    let node = Node::start().await;
    // The last line is cut off in the middle of a record that would read as another one.
    let text = doses(1_000) + "{\"resourceType\":\"Patient\"";
    let socket = node.socket();
    let outcome = tokio::task::spawn_blocking(move || {
        let asked = Call { socket: &socket, command: "import", arguments: json!({}), staff: None };
        upload(&asked, Torn(Cursor::new(text.into_bytes())), &mut |_| {})
    });
    assert!(matches!(outcome.await.unwrap(), Err(CallError::Upload(_))));
    // The node notices by itself; its entry is the sign that it has finished.
    for _ in 0..200 {
        if !node.logged().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let logged = node.logged();
    assert_eq!(logged.len(), 1);
    let here: u64 = node.counts().values().sum();
    assert_eq!(logged[0], (here, 0, 0), "what was cut off is neither stored nor called refused");
    let (said, value) = node.import(&node.file("again.ndjson", doses(1_000))).await;
    assert_eq!(said.code, Some(0));
    assert_eq!(value["tally"]["added"].as_u64().unwrap() + here, 1_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_space_the_import_stops_and_says_why() {
    let node = Node::start().await;
    node.disk.store.set_low_space(true);
    let file = node.file("a.ndjson", doses(700));
    let (said, value) = node.import(&file).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    let error = value["error"].as_str().unwrap();
    assert!(error.contains("no space") && error.contains("0 records of the file are stored"), "{error}");
    assert!(error.contains("import the same file again"), "{error}");
    assert_eq!((node.counts(), value["tally"]["added"].as_u64()), ([].into(), Some(0)));
    node.disk.store.set_low_space(false);
    let (said, _) = node.import(&file).await;
    assert_eq!(said.code, Some(0));
    assert_eq!(node.counts()[&Category::Immunization], 700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_logged_is_not_imported() {
    let node = Node::start().await;
    node.disk.ledger.set_full(true);
    let (file, mut runs) = (node.file("a.ndjson", doses(1)), 0);
    let refused = loop {
        // The segments at hand are used up first.
        let (said, value) = node.import(&file).await;
        if said.code == Some(1) {
            break value["error"].as_str().unwrap().to_owned();
        }
        runs += 1;
        assert!(runs < 200, "the ledger never filled up");
    };
    assert!(refused.contains("not logged"), "{refused}");
    let other = node.file("b.ndjson", doses(2));
    let (said, value) = node.import(&other).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(value["error"].as_str().unwrap().contains("nothing was imported"), "{value}");
    assert_eq!(node.counts()[&Category::Immunization], 1, "nothing of the second file went in");
    let said = node.cli(&["records", "erase", "--local", "K-2041", "--reason", "x", "--staff", "Sato"]).await;
    assert_eq!(said.code, Some(0), "an erasure may use the reserve: {said:?}");
    node.disk.ledger.set_full(false);
    assert_eq!(node.import(&other).await.0.code, Some(0));
}
