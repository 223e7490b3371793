//! A node with its records and its ledger in memory, behind a real admin socket.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use hibiki_node::admin::{self, AdminSocket, Router};
use hibiki_node::env::{Env, SystemEntropy};
use hibiki_node::ingest::{self, Importer};
use hibiki_node::keyring::KeyRing;
use hibiki_node::ledger::{
    Content, EntrySealer, Ledger, Logged, MemoryStorage, Setup, Sizes, Storage, details,
};
use hibiki_node::recordbook::{BookError, RecordBook};
use hibiki_node::shutdown::{self, ShutdownTrigger};
use hibiki_node::store::{Committer, MemoryStore, Store};
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};
use hibiki_records::category::Category;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

pub(crate) const ORIGIN: &str = "maebashi/clinic/ledger";

/// A ledger's disk that can be full.
#[derive(Default)]
pub(crate) struct FullStorage {
    inner: MemoryStorage,
    full: Mutex<bool>,
}

impl FullStorage {
    pub(crate) fn set_full(&self, full: bool) {
        *self.full.lock().unwrap() = full;
    }
}

impl Storage for FullStorage {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.inner.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.inner.read_at(path, offset, len)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.inner.list(folder)
    }
    fn allocate(&self, path: &str, len: u64) -> io::Result<()> {
        match *self.full.lock().unwrap() {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => self.inner.allocate(path, len),
        }
    }
    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_at(path, offset, bytes)
    }
    fn sync(&self, path: &str) -> io::Result<()> {
        self.inner.sync(path)
    }
    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        self.inner.truncate(path, len)
    }
    fn publish(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        self.inner.publish(files)
    }
    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        self.inner.remove_folder(folder)
    }
}

/// The parts of a node that outlive a crash.
#[derive(Clone)]
pub(crate) struct Disk {
    pub(crate) store: MemoryStore,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) ledger: Arc<FullStorage>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let keys = Arc::new(KeyRing::in_memory(Arc::new(SystemEntropy)));
        Self { store: MemoryStore::new(), keys, ledger: Arc::default() }
    }

    pub(crate) async fn book(&self, store: Arc<dyn Store>) -> Arc<RecordBook> {
        self.try_book(store).await.unwrap()
    }

    pub(crate) async fn try_book(&self, store: Arc<dyn Store>) -> Result<Arc<RecordBook>, BookError> {
        let committer = Committer::start(Arc::clone(&store)).unwrap();
        RecordBook::open(store, committer, Arc::clone(&self.keys)).await.map(Arc::new)
    }

    pub(crate) fn open_ledger(&self) -> Ledger {
        let setup = Setup {
            signer: Arc::new(NoteSigner::from_seed(ORIGIN, KeyAlgorithm::Ed25519, &[7; 32]).unwrap()),
            sealer: Arc::clone(&self.keys) as Arc<dyn EntrySealer>,
            entropy: Arc::new(SystemEntropy),
            sizes: Sizes { segment_bytes: 8 * 1024, reserve_bytes: 2 * 1024 },
        };
        Ledger::inline(Arc::clone(&self.ledger) as Arc<dyn Storage>, setup, 1_000).unwrap()
    }
}

/// A running node.
pub(crate) struct Node {
    pub(crate) disk: Disk,
    pub(crate) book: Arc<RecordBook>,
    pub(crate) ledger: Ledger,
    pub(crate) importer: Importer,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) trigger: ShutdownTrigger,
    pub(crate) shutdown: shutdown::Shutdown,
}

impl Node {
    pub(crate) async fn start() -> Self {
        let disk = Disk::new();
        let store: Arc<dyn Store> = Arc::new(disk.store.clone());
        Self::on(disk, store).await
    }

    pub(crate) async fn on(disk: Disk, store: Arc<dyn Store>) -> Self {
        let env = Env::system();
        let (book, ledger) = (disk.book(store).await, disk.open_ledger());
        let importer = Importer::new(Arc::clone(&book), ledger.clone(), env.clone());
        let mut router = Router::new();
        ingest::register(&mut router, importer.clone());
        let deps = admin::records::Deps { book: Arc::clone(&book), ledger: ledger.clone(), env: env.clone() };
        admin::records::register(&mut router, deps);
        admin::ledger::register(&mut router, &ledger, &env);
        let folder = tempfile::tempdir().unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let socket = AdminSocket::bind(&folder.path().join("admin.sock")).unwrap();
        tokio::spawn(admin::serve(socket, router, shutdown.clone()));
        Self { disk, book, ledger, importer, folder, trigger, shutdown }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command line, as staff type it.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> Said {
        self.cli_with_input(arguments, Vec::new()).await
    }

    pub(crate) async fn cli_with_input(&self, arguments: &[&str], input: Vec<u8>) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hibiki-node"));
        command.args(arguments).arg("--socket").arg(self.socket());
        let output = spawn_blocking(move || {
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let feeding = std::thread::spawn(move || stdin.write_all(&input));
            let output = child.wait_with_output().unwrap();
            let _ = feeding.join().unwrap();
            output
        });
        Said::from(output.await.unwrap())
    }

    /// Imports one file as JSON and returns what was said about it.
    pub(crate) async fn import(&self, file: &Path) -> (Said, Value) {
        let said = self.cli(&["import", "--format", "json", file.to_str().unwrap()]).await;
        let value = said.json()["files"][0].clone();
        (said, value)
    }

    pub(crate) fn counts(&self) -> BTreeMap<Category, u64> {
        self.book.counts().unwrap().records
    }

    /// The import entries of the ledger: accepted, unchanged, refused.
    pub(crate) fn logged(&self) -> Vec<(u64, u64, u64)> {
        let entries = self.ledger.read(0..self.ledger.size()).unwrap();
        let imports = entries.iter().filter_map(Logged::details::<details::Import>);
        imports.map(|import| (import.accepted, import.unchanged, import.refused)).collect()
    }

    /// Everything in the ledger, in the clear.
    pub(crate) fn ledger_text(&self) -> String {
        let entries = self.ledger.read(0..self.ledger.size()).unwrap();
        let text = |entry: &Logged| match &entry.content {
            Content::Details(details) => details.get().to_owned(),
            Content::Erased => String::new(),
        };
        entries.iter().map(text).collect()
    }
}

/// What the command line said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Nothing that was said holds any of these.
    pub(crate) fn assert_without(&self, secrets: &[&str]) {
        for secret in secrets {
            assert!(!self.out.contains(secret) && !self.err.contains(secret), "{secret}: {self:?}");
        }
    }
}

/// Personal data of the made-up people below.
pub(crate) const SECRETS: &[&str] = &["花子", "ハナコ", "Hanako", "K-2041", "2020-05-06", "MR-vaccine"];

pub(crate) fn patient(number: &str) -> String {
    json!({"resourceType": "Patient", "id": number, "birthDate": "2020-05-06", "gender": "female",
        "name": [{"text": "前橋 花子"}, {"text": "マエバシ ハナコ"}]})
    .to_string()
}

pub(crate) fn dose(id: usize, number: &str) -> String {
    json!({"resourceType": "Immunization", "id": format!("dose-{id}"), "status": "completed",
        "vaccineCode": {"text": "MR-vaccine"}, "patient": {"reference": format!("Patient/{number}")},
        "occurrenceDateTime": "2021-05-06"})
    .to_string()
}

/// A file of one person with so many doses, a line each.
pub(crate) fn doses(count: usize) -> String {
    let mut lines = vec![patient("K-2041")];
    lines.extend((0..count).map(|id| dose(id, "K-2041")));
    lines.join("\n") + "\n"
}
