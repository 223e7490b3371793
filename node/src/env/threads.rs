//! Work that blocks, away from the tasks.
//!
//! Must not know: what the work is.

use std::fmt;
use std::pin::Pin;

use tokio::runtime::Handle;

/// Work as it is handed to a thread.
pub type Work = Box<dyn FnOnce() + Send>;

/// What such work waits for.
pub type Awaited<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Runs work that blocks (a disk, a slow reader, much cryptography) where it keeps no task waiting.
pub trait Threads: Send + Sync + fmt::Debug + 'static {
    /// Runs `work` once, to its end, whoever still waits for it.
    fn run(&self, work: Work);

    /// Called by such work: returns when what it waits for, which tasks could await, is there.
    fn wait(&self, awaited: Awaited<'_>);
}

/// tokio's threads for work that blocks. Both calls need a running runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemThreads;

impl Threads for SystemThreads {
    fn run(&self, work: Work) {
        // Whoever waits is told by the work itself.
        drop(tokio::task::spawn_blocking(work));
    }

    fn wait(&self, awaited: Awaited<'_>) {
        Handle::current().block_on(awaited);
    }
}
