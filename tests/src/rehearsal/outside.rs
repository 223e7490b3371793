//! The world as a node in a rehearsal sees it: a simulated machine's clock, sockets and tasks, and what outlives it.
//!
//! Randomness is the system's, which a world replaces by its seed's. Must not know: what a node does.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hibiki_node::config;
use hibiki_node::env::{Awaited, Clock, Disks, Env, Sockets, SystemEntropy, Threads, Work};
use hibiki_node::ledger::{Ledger, MemoryStorage, OpenError, Setup, Storage};
use hibiki_node::store::{Committer, MemoryStore, Store, StoreError};
use hibiki_simnet::Host;
use hibiki_transport::{AsyncUdpSocket, TimeSource};

/// The world of the present life of a machine; what lasts lies in its cellar.
pub(super) fn env(host: &Host, cellar: &Cellar) -> Env {
    let (clock, sockets) = (Arc::new(Wall(host.clone())), Arc::new(Plugs(host.clone())));
    Env::new(clock, Arc::new(SystemEntropy), sockets, host.runtime())
        .with_threads(Arc::new(Hands { host: host.clone(), condition: cellar.condition() }))
        .with_disks(Arc::new(cellar.clone()))
}

/// A machine's wall clock, for whoever wants either form.
#[derive(Debug)]
pub(super) struct Wall(pub(super) Host);

impl Clock for Wall {
    fn now(&self) -> u64 {
        let since = self.0.clock().now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl TimeSource for Wall {
    fn now(&self) -> SystemTime {
        self.0.clock().now()
    }
}

/// A machine's sockets.
#[derive(Debug)]
struct Plugs(Host);

impl Sockets for Plugs {
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        self.0.socket(address.port())
    }
}

/// Work that blocks is done where it is asked for: it costs no virtual time, and its place among everything else
/// is always the same. On a slow disk it is done that much later, if the machine still runs.
#[derive(Debug)]
struct Hands {
    host: Host,
    condition: Arc<Condition>,
}

impl Threads for Hands {
    fn run(&self, work: Work) {
        match self.condition.slow_ms.load(Ordering::SeqCst) {
            0 => work(),
            millis => self.host.spawn(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                work();
            }),
        }
    }

    fn wait(&self, awaited: Awaited<'_>) {
        // Nothing else can run meanwhile: stores and ledgers in memory answer at once, or never.
        let mut awaited = std::pin::pin!(tokio::task::unconstrained(awaited));
        let answer = awaited.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(answer.is_ready(), "work that blocks waits for a task, which cannot run before it ends");
    }
}

/// How a machine's disks are.
#[derive(Debug, Default)]
struct Condition {
    full: AtomicBool,
    slow_ms: AtomicU64,
}

/// A folder on a disk that may be full: what is there can be overwritten, nothing can become longer.
struct Shelf {
    files: MemoryStorage,
    condition: Arc<Condition>,
}

impl Shelf {
    fn room(&self) -> io::Result<()> {
        if self.condition.full.load(Ordering::SeqCst) { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Storage for Shelf {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.files.read(path)
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.files.read_at(path, offset, len)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.files.list(folder)
    }

    fn allocate(&self, path: &str, len: u64) -> io::Result<()> {
        self.room()?;
        self.files.allocate(path, len)
    }

    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let last = offset.saturating_add(bytes.len() as u64).saturating_sub(1);
        let fits = || self.files.read_at(path, last, 1).is_ok_and(|byte| !byte.is_empty());
        self.room().or_else(|full| if fits() { Ok(()) } else { Err(full) })?;
        self.files.write_at(path, offset, bytes)
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        self.files.sync(path)
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        self.files.truncate(path, len)
    }

    fn publish(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        self.room()?;
        self.files.publish(files)
    }

    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        self.files.remove_folder(folder)
    }
}

/// What a machine keeps through a crash: its store, its ledger, its small folders. Clones are the same cellar.
#[derive(Clone, Default)]
pub struct Cellar(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    store: MemoryStore,
    folders: BTreeMap<PathBuf, Arc<Shelf>>,
    ledger: Option<Ledger>,
    condition: Arc<Condition>,
}

impl Cellar {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record store.
    pub fn store(&self) -> MemoryStore {
        self.kept().store.clone()
    }

    /// The ledger the node has open; none while it does not run.
    pub fn ledger(&self) -> Option<Ledger> {
        self.kept().ledger.clone()
    }

    /// The node is gone: with the ledger would go on what it seals with, and the keyring takes one node at a time.
    pub(super) fn close(&self) {
        self.kept().ledger = None;
    }

    fn condition(&self) -> Arc<Condition> {
        Arc::clone(&self.kept().condition)
    }

    /// The disks are full, or no longer: what must be kept may still go where room is reserved.
    pub fn set_full(&self, full: bool) {
        let kept = self.kept();
        kept.condition.full.store(full, Ordering::SeqCst);
        kept.store.set_low_space(full);
    }

    /// Work that needs a disk takes so many milliseconds.
    pub fn set_slow(&self, millis: u64) {
        self.kept().condition.slow_ms.store(millis, Ordering::SeqCst);
    }

    fn storage(&self, folder: &Path) -> Arc<Shelf> {
        let mut kept = self.kept();
        let condition = Arc::clone(&kept.condition);
        let new = || Arc::new(Shelf { files: MemoryStorage::new(), condition });
        Arc::clone(kept.folders.entry(folder.to_owned()).or_insert_with(new))
    }
}

impl fmt::Debug for Cellar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cellar").field(&self.kept().folders.keys()).finish()
    }
}

impl Disks for Cellar {
    fn store(&self, _: &config::Store) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Self::store(self)))
    }

    fn committer(&self, store: Arc<dyn Store>) -> io::Result<Committer> {
        Ok(Committer::inline(store))
    }

    fn ledger(&self, folder: &Path, setup: Setup, now: u64) -> Result<Ledger, OpenError> {
        let ledger = Ledger::inline(self.storage(folder), setup, now)?;
        self.kept().ledger = Some(ledger.clone());
        Ok(ledger)
    }

    fn folder(&self, folder: &Path) -> io::Result<Arc<dyn Storage>> {
        Ok(self.storage(folder))
    }
}
