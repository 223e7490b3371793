//! The seam to the world: everything a node takes from outside itself that is not a file of keys, a list or a
//! configuration.
//!
//! Owns the wall clock, the monotonic clock, randomness, the task spawner, threads that may block, the UDP
//! socket and the disks. Production uses [`Env::system`]; a simulation builds its own [`Env`] and so runs a
//! whole federation in virtual time without a test-only branch anywhere in the node.
//!
//! Must not know: what a node does with any of it.
//!
//! Sleeping is not here: tasks use `tokio::time`, which a simulation pauses.

mod disks;
mod threads;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};
use tokio::sync::oneshot;

pub use disks::{Disks, SystemDisks};
pub use threads::{Awaited, SystemThreads, Threads, Work};

/// Tells the wall time.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Milliseconds since the Unix epoch, UTC.
    fn now(&self) -> u64;
}

/// Gives randomness fit for keys and nonces.
pub trait Entropy: Send + Sync + fmt::Debug + 'static {
    /// Fills `buffer` entirely. An implementation that cannot do so must not return.
    fn fill(&self, buffer: &mut [u8]);
}

/// Opens UDP sockets.
pub trait Sockets: Send + Sync + fmt::Debug + 'static {
    /// Binds a socket to `address`; port 0 lets the system choose.
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// Whether the host at `address` says that nobody receives there (ICMP port unreachable). `false`
    /// where nothing is said within a moment, which proves nothing: this is the answer by default.
    fn is_closed(&self, address: SocketAddr) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        let _ = address;
        Box::pin(async { false })
    }
}

/// The world as one node sees it. Cheap to clone; clones share the same world.
#[derive(Clone, Debug)]
pub struct Env {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sockets: Arc<dyn Sockets>,
    runtime: Arc<dyn Runtime>,
    threads: Arc<dyn Threads>,
    disks: Arc<dyn Disks>,
}

impl Env {
    /// A world made of the given parts, with this machine's threads and disks.
    pub fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        sockets: Arc<dyn Sockets>,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        let (threads, disks) = (Arc::new(SystemThreads), Arc::new(SystemDisks));
        Self { clock, entropy, sockets, runtime, threads, disks }
    }

    /// The same world with other threads for work that blocks.
    #[must_use]
    pub fn with_threads(self, threads: Arc<dyn Threads>) -> Self {
        Self { threads, ..self }
    }

    /// The same world with other disks.
    #[must_use]
    pub fn with_disks(self, disks: Arc<dyn Disks>) -> Self {
        Self { disks, ..self }
    }

    /// The real world: system clock, the kernel's randomness, tokio tasks and kernel sockets.
    ///
    /// Spawning and binding need a running tokio runtime; making the value does not.
    pub fn system() -> Self {
        Self::new(
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            Arc::new(SystemSockets),
            Arc::new(TokioRuntime),
        )
    }

    /// The wall time in milliseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// The clock itself, for parts that need nothing else of the world.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Fills `buffer` with randomness fit for keys.
    pub fn fill(&self, buffer: &mut [u8]) {
        self.entropy.fill(buffer);
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// The source of randomness itself, for parts that need nothing else of the world.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// Binds a UDP socket for QUIC.
    pub fn bind_udp(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        self.sockets.bind(address)
    }

    /// Whether the host at `address` says that nobody receives there; see [`Sockets::is_closed`].
    pub async fn is_closed(&self, address: SocketAddr) -> bool {
        self.sockets.is_closed(address).await
    }

    /// The runtime handed to quinn.
    pub fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::clone(&self.runtime)
    }

    /// Runs a task in the background until it ends by itself, or until this node's world ends (a simulated
    /// crash drops every task of that node, and of that node only).
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(Box::pin(task));
    }

    /// Does work that blocks (a disk, a slow reader, much cryptography) on a thread that may, and returns
    /// what it comes to; `None` if it panicked or the runtime is ending. Once begun it is not interrupted,
    /// even if nobody waits any more.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (done, outcome) = oneshot::channel();
        self.threads.run(Box::new(move || {
            // Nobody may wait any more.
            _ = done.send(work());
        }));
        outcome.await.ok()
    }

    /// Called by work that blocks: waits for what a task would await.
    #[expect(clippy::expect_used, reason = "what is waited for has come when the wait is over")]
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let mut outcome = None;
        {
            let awaited = pin!(async { outcome = Some(future.await) });
            self.threads.wait(awaited);
        }
        outcome.expect("an outcome")
    }

    /// The disks, where what lasts is opened.
    pub fn disks(&self) -> &Arc<dyn Disks> {
        &self.disks
    }
}

/// The operating system's clock: the one place of this program that asks for the wall time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock everybody else must use")]
    fn now(&self) -> u64 {
        // A clock set before 1970 reads as 0: every list, grant and certificate is then "not yet valid",
        // which refuses instead of admitting.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The kernel's random number generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // Going on with a predictable key would be worse than not going on, and no caller could do
            // better: Linux reports this only where the system call itself is forbidden.
            tracing::error!("the kernel gives no randomness; stopping");
            std::process::abort();
        }
    }
}

/// Kernel sockets driven by tokio.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSockets;

impl Sockets for SystemSockets {
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(UdpSocket::bind(address)?)
    }

    fn is_closed(&self, address: SocketAddr) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(knock(address))
    }
}

/// How long a knock waits for the host's word; on the same network it comes within a millisecond.
const KNOCK: Duration = Duration::from_millis(100);

/// Sends one byte, which QUIC discards unread, from a connected socket: only to such a one does the
/// kernel report that the port is closed.
async fn knock(address: SocketAddr) -> bool {
    let local: SocketAddr = if address.is_ipv6() { ([0; 8], 0).into() } else { ([0; 4], 0).into() };
    let refused = async {
        let socket = tokio::net::UdpSocket::bind(local).await?;
        socket.connect(address).await?;
        socket.send(&[0]).await?;
        socket.recv(&mut [0; 1]).await
    };
    match tokio::time::timeout(KNOCK, refused).await {
        Ok(Err(error)) => error.kind() == io::ErrorKind::ConnectionRefused,
        Ok(Ok(_)) | Err(_) => false,
    }
}

/// The monotonic clock outside the runtime, for the command line's own waiting and progress.
#[expect(clippy::disallowed_methods, reason = "this is the one place for the command line's time")]
pub fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Stopped(u64);

    impl Clock for Stopped {
        fn now(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn the_clock_can_be_replaced() {
        let env = Env::new(
            Arc::new(Stopped(1_234)),
            Arc::new(SystemEntropy),
            Arc::new(SystemSockets),
            Arc::new(TokioRuntime),
        );
        assert_eq!(env.now(), 1_234);
        assert_eq!(env.clone().clock().now(), 1_234);
    }

    #[test]
    fn the_system_clock_is_in_this_century() {
        let (year_2025, year_2100) = (1_735_689_600_000, 4_102_444_800_000);
        assert!((year_2025..year_2100).contains(&SystemClock.now()));
    }

    #[test]
    fn randomness_differs() {
        let env = Env::system();
        assert_ne!(env.random::<32>(), env.random::<32>());
    }

    #[tokio::test]
    async fn work_that_blocks_can_wait_for_a_task() {
        let env = Env::system();
        let (sender, receiver) = oneshot::channel();
        let (waiting, world) = (env.clone(), env.clone());
        let work = env.blocking(move || waiting.wait(receiver));
        world.spawn(async move {
            _ = sender.send(7);
        });
        assert_eq!(work.await, Some(Ok(7)));
        assert_eq!(env.blocking(|| panic!("as asked")).await, None::<()>);
    }

    #[tokio::test]
    async fn a_closed_port_is_told_from_a_silent_one() {
        let env = Env::system();
        let silent = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback binds");
        let address = silent.local_addr().expect("bound");
        assert!(!env.is_closed(address).await);
        drop(silent);
        assert!(env.is_closed(address).await);
    }

    #[tokio::test]
    async fn tasks_run_and_sockets_bind() {
        let env = Env::system();
        let socket = env.bind_udp(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback binds");
        assert_ne!(socket.local_addr().expect("bound").port(), 0);
        let (sender, receiver) = oneshot::channel();
        env.spawn(async move {
            let _ = sender.send(7);
        });
        assert_eq!(receiver.await, Ok(7));
    }
}
