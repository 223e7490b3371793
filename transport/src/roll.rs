//! The roll of live links: who is connected, who must go.
//!
//! Owns every open connection of an endpoint, the count of exchanges under way and the drain at the
//! end; must not know what travels on them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{Admission, Code, Directory, Limits, Peer, PeerKey};

/// What all links of an endpoint share.
pub(crate) struct Roll {
    directory: Arc<dyn Directory>,
    limits: Limits,
    links: Mutex<Links>,
    draining: AtomicBool,
    exchanges: AtomicUsize,
    quiet: Notify,
}

#[derive(Default)]
struct Links {
    next: u64,
    live: BTreeMap<u64, Entry>,
}

struct Entry {
    connection: quinn::Connection,
    peer: Peer,
}

/// Why a finished handshake does not become a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    NotAdmitted,
    Busy,
    ShuttingDown,
}

impl TurnedAway {
    pub(crate) fn code(self) -> Code {
        match self {
            Self::NotAdmitted => Code::NOT_ADMITTED,
            Self::Busy => Code::BUSY,
            Self::ShuttingDown => Code::SHUTTING_DOWN,
        }
    }
}

impl Roll {
    pub(crate) fn new(directory: Arc<dyn Directory>, limits: Limits) -> Self {
        Self {
            directory,
            limits,
            links: Mutex::default(),
            draining: AtomicBool::new(false),
            exchanges: AtomicUsize::new(0),
            quiet: Notify::new(),
        }
    }

    pub(crate) fn directory(&self) -> Arc<dyn Directory> {
        self.directory.clone()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection whose handshake proved `key`. The directory is asked again under the lock
    /// that a sweep takes: whatever changed during the handshake is seen here or by that sweep.
    pub(crate) fn enter(
        &self,
        connection: &quinn::Connection,
        key: PeerKey,
    ) -> Result<(u64, Peer), TurnedAway> {
        if self.is_draining() {
            return Err(TurnedAway::ShuttingDown);
        }
        let mut links = self.links();
        let admission = self.directory.admit(&key);
        let is_guest = match admission {
            Admission::Refused => return Err(TurnedAway::NotAdmitted),
            Admission::Guest => true,
            Admission::Member(_) => false,
        };
        let count =
            |test: &dyn Fn(&Peer) -> bool| links.live.values().filter(|entry| test(&entry.peer)).count();
        if count(&|peer| peer.key == key) >= self.limits.links_per_key
            || is_guest && count(&|peer| peer.admission == Admission::Guest) >= self.limits.guest_links
        {
            return Err(TurnedAway::Busy);
        }
        let peer = Peer { key, admission };
        links.next += 1;
        let id = links.next;
        links.live.insert(id, Entry { connection: connection.clone(), peer: peer.clone() });
        drop(links);
        if !is_guest {
            connection.set_max_concurrent_bi_streams(quinn::VarInt::from_u32(self.limits.exchanges));
        }
        Ok((id, peer))
    }

    pub(crate) fn leave(&self, id: u64) {
        self.links().live.remove(&id);
    }

    /// The peers of all links that are still open.
    pub(crate) fn peers(&self) -> Vec<Peer> {
        let open = |entry: &&Entry| entry.connection.close_reason().is_none();
        self.links().live.values().filter(open).map(|entry| entry.peer.clone()).collect()
    }

    /// Closes the open links that `code` names a reason for; tells how many.
    pub(crate) fn close_where(&self, code: impl Fn(&Peer) -> Option<Code>) -> usize {
        let mut closed = 0;
        for entry in self.links().live.values() {
            if entry.connection.close_reason().is_some() {
                continue;
            }
            if let Some(code) = code(&entry.peer) {
                entry.connection.close(code.varint(), b"");
                closed += 1;
            }
        }
        closed
    }

    /// Asks the directory about every peer again, and closes the links of those it now refuses or knows
    /// as somebody else.
    pub(crate) fn sweep(&self) -> usize {
        self.close_where(|peer| {
            (self.directory.admit(&peer.key) != peer.admission).then_some(Code::NOT_ADMITTED)
        })
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(crate) fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::SeqCst)
    }

    /// Waits until no exchange is under way.
    pub(crate) async fn quiet(&self) {
        loop {
            let quiet = self.quiet.notified();
            tokio::pin!(quiet);
            quiet.as_mut().enable();
            if self.exchanges() == 0 {
                return;
            }
            quiet.await;
        }
    }
}

/// One exchange under way, for as long as this lives.
pub(crate) struct UnderWay(Arc<Roll>);

impl UnderWay {
    pub(crate) fn new(roll: Arc<Roll>) -> Self {
        roll.exchanges.fetch_add(1, Ordering::SeqCst);
        Self(roll)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.exchanges.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.quiet.notify_waiters();
        }
    }
}
