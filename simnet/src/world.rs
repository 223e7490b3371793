//! A world: its hosts, its network, its faults, its time.
//!
//! Owns one run from its seed to its trace; must not know what the hosts are for.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::fabric::Fabric;
use crate::trace::Trace;
use crate::{Host, LinkOptions, entropy};

/// The longest a scenario may last, in virtual time: one that waits for something that cannot come ends
/// here instead of never.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);

/// A simulated world. Cloning gives another handle.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    seed: u64,
    fabric: Arc<Fabric>,
    hosts: Mutex<BTreeMap<String, Host>>,
    has_run: AtomicBool,
    exact: AtomicBool,
}

/// A run that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A world has one life.
    #[error("this world has run already; make a new one with the same seed")]
    HasRun,
    /// The machine gave no thread or no runtime.
    #[error("cannot start the world: {0}")]
    Start(#[from] io::Error),
    /// Something is awaited that never comes.
    #[error("the scenario of seed {seed} still waits after {} virtual days", LONGEST.as_secs() / 86_400)]
    Stuck {
        /// The seed that leads there.
        seed: u64,
    },
}

impl World {
    /// A world that `seed` decides, all of whose links behave as `options` say.
    pub fn new(seed: u64, options: LinkOptions) -> Self {
        Self(Arc::new(Inner {
            seed,
            fabric: Arc::new(Fabric::new(seed, options)),
            hosts: Mutex::default(),
            has_run: AtomicBool::new(false),
            exact: AtomicBool::new(false),
        }))
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Lives the scenario to its end on a fresh thread, in virtual time, and returns what it returns. A
    /// panic in it (a failed assertion) goes on here, after the seed has been printed.
    ///
    /// # Errors
    /// When the world has run before, or the scenario waits for something that never comes.
    pub fn run<T, S, F>(&self, scenario: S) -> Result<T, RunError>
    where
        S: FnOnce(Self) -> F + Send,
        F: Future<Output = T>,
        T: Send,
    {
        if self.0.has_run.swap(true, Ordering::SeqCst) {
            return Err(RunError::HasRun);
        }
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name(format!("world {}", self.0.seed));
            let life = thread.spawn_scoped(scope, || self.live(scenario))?;
            life.join().unwrap_or_else(|panic| {
                eprintln!("the world of seed {} failed after {:?}: {:?}", self.0.seed, self.trace(), self);
                resume_unwind(panic)
            })
        })
    }

    fn live<T, S, F>(&self, scenario: S) -> Result<T, RunError>
    where
        S: FnOnce(Self) -> F,
        F: Future<Output = T>,
    {
        // Before anything on this thread can have asked for randomness.
        self.0.exact.store(entropy::pin(self.0.seed), Ordering::SeqCst);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            self.0.fabric.begin();
            tokio::spawn(self.0.fabric.clone().drive());
            tokio::time::timeout(LONGEST, scenario(self.clone()))
                .await
                .map_err(|_| RunError::Stuck { seed: self.0.seed })
        })
    }

    /// Whether all randomness in this run comes from the seed, so that the whole trace can be compared.
    /// Known once the run has begun; false on platforms where the system's source cannot be replaced.
    pub fn is_exact(&self) -> bool {
        self.0.exact.load(Ordering::SeqCst)
    }

    /// The host of this name; made, with the next address of 10.0.0.0/8, when there is none.
    pub fn host(&self, name: &str) -> Host {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(hosts.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
        let ip = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)) + number);
        hosts.entry(name.to_owned()).or_insert_with(|| Host::new(name, ip, &self.0.fabric)).clone()
    }

    /// Nothing passes between the two any more, not even what is on its way.
    pub fn cut(&self, a: &Host, b: &Host) {
        self.cut_one_way(a, b);
        self.cut_one_way(b, a);
    }

    /// Nothing passes from `from` to `to` any more; the other direction is untouched.
    pub fn cut_one_way(&self, from: &Host, to: &Host) {
        self.0.fabric.with_faults(|faults| faults.cut(from.ip(), to.ip()));
    }

    /// Undoes the cuts between the two.
    pub fn heal(&self, a: &Host, b: &Host) {
        self.0.fabric.with_faults(|faults| {
            faults.heal(a.ip(), b.ip());
            faults.heal(b.ip(), a.ip());
        });
    }

    /// Cuts a host off from every other.
    pub fn isolate(&self, host: &Host) {
        self.0.fabric.with_faults(|faults| faults.isolate(host.ip()));
    }

    /// Undoes [`World::isolate`].
    pub fn rejoin(&self, host: &Host) {
        self.0.fabric.with_faults(|faults| faults.rejoin(host.ip()));
    }

    /// Undoes every cut and every isolation.
    pub fn heal_all(&self) {
        self.0.fabric.with_faults(crate::faults::Faults::heal_all);
    }

    /// Undoes every cut, every isolation and every [`Self::set_link`]; from now on all links behave as `options` say.
    pub fn calm(&self, options: LinkOptions) {
        self.0.fabric.with_faults(|faults| faults.calm(options));
    }

    /// From now on datagrams from `from` to `to` travel as `options` say.
    pub fn set_link(&self, from: &Host, to: &Host, options: LinkOptions) {
        self.0.fabric.with_faults(|faults| faults.set_link(from.ip(), to.ip(), options));
    }

    /// See [`Host::crash`].
    pub fn crash(&self, host: &Host) {
        host.crash();
    }

    /// Virtual time since the beginning. Zero outside of [`World::run`].
    pub fn elapsed(&self) -> Duration {
        self.0.fabric.elapsed()
    }

    /// Lets so much virtual time pass.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// What has happened so far.
    pub fn trace(&self) -> Trace {
        self.0.fabric.trace()
    }

    /// The hash over everything that happened, every byte of every datagram included. Two runs of one
    /// seed agree in it where [`World::is_exact`].
    pub fn trace_hash(&self) -> u64 {
        self.trace().exact
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("World")
            .field("seed", &self.0.seed)
            .field("hosts", &hosts.values())
            .finish_non_exhaustive()
    }
}
