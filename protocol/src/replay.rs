//! Every query counts once: the memory of queries seen.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::QueryId;
use crate::limits::{REPLAY_ENTRIES_MAX, REPLAY_MILLIS};
use crate::signing::VerifyingKey;

/// Queries seen during the last [`REPLAY_MILLIS`], by the institution's own monotonic time.
#[derive(Default)]
pub struct ReplayCache {
    seen: BTreeMap<(VerifyingKey, QueryId), u64>,
    order: VecDeque<(u64, (VerifyingKey, QueryId))>,
}

/// Whether a query may be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// For the first time.
    New,
    /// It was here before.
    Replayed,
    /// The cache is full: refuse as busy rather than forget what was seen.
    Full,
}

impl ReplayCache {
    /// Notes a query at `uptime_millis`.
    pub fn note(&mut self, key: (VerifyingKey, QueryId), uptime_millis: u64) -> Seen {
        while let Some((at, old)) = self.order.front().copied()
            && uptime_millis.saturating_sub(at) > REPLAY_MILLIS
        {
            self.order.pop_front();
            self.seen.remove(&old);
        }
        if self.seen.contains_key(&key) {
            return Seen::Replayed;
        }
        if self.seen.len() >= REPLAY_ENTRIES_MAX {
            return Seen::Full;
        }
        self.seen.insert(key, uptime_millis);
        self.order.push_back((uptime_millis, key));
        Seen::New
    }

    /// Queries remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}
