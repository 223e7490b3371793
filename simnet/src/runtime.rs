//! A host's tasks and timers: everything a crash must take, and nothing else.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use quinn::{AsyncTimer, AsyncUdpSocket, Runtime};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// The tasks of one life of a host. After a crash nothing can be started in it any more.
#[derive(Debug, Default)]
pub(crate) struct Life(Mutex<Tasks>);

#[derive(Debug, Default)]
struct Tasks {
    over: bool,
    running: Vec<AbortHandle>,
    /// How many there may be before the finished ones are struck off.
    tidy_at: usize,
}

impl Life {
    /// Starts a task of this host. In a life that is over it is dropped unrun.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.over {
            // Not under the lock: dropping the task may start or end others.
            drop(tasks);
            return drop(task);
        }
        if tasks.running.len() >= tasks.tidy_at {
            tasks.running.retain(|task| !task.is_finished());
            tasks.tidy_at = (2 * tasks.running.len()).max(64);
        }
        tasks.running.push(tokio::spawn(task).abort_handle());
    }

    /// Ends every task where it stands.
    pub(crate) fn end(&self) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.over = true;
        let running = std::mem::take(&mut tasks.running);
        drop(tasks);
        running.iter().for_each(AbortHandle::abort);
    }
}

/// quinn's runtime for one life of a host.
#[derive(Debug)]
pub(crate) struct HostRuntime(pub(crate) Arc<Life>);

impl Runtime for HostRuntime {
    fn new_timer(&self, at: std::time::Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(sleep_until(Instant::from_std(at)))
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.spawn(task);
    }

    fn wrap_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Err(io::Error::other("there are no real sockets in a simulated world: bind one of its host's"))
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}
