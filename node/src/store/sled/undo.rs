//! Snapshots over an engine that has none.
//!
//! While snapshots exist, each commit first publishes what it is about to overwrite. A snapshot reads the
//! tree and then lets the oldest published value that is younger than itself win. Reading first and looking
//! at the published values afterwards makes this right without any lock that a commit would wait for.
//! Memory is bounded: when too much has been kept, the oldest snapshots end as "too old".

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most bytes of overwritten values kept for snapshots.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// Most commits a snapshot may outlive: every read looks through them.
const KEPT_COMMITS_MAX: usize = 4_096;

/// Sled keys and the entries they had before a commit.
pub(super) type Before = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

#[derive(Default)]
pub(super) struct Undo {
    /// Held while a commit applies its changes, so that no snapshot begins in the middle.
    gate: Mutex<()>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Number of the last commit published.
    last: u64,
    /// Commits before this one are no longer kept.
    oldest: u64,
    commits: VecDeque<(u64, Arc<Before>, usize)>,
    bytes: usize,
    /// Live snapshots: the commit they began after, and how many.
    live: BTreeMap<u64, usize>,
}

/// The snapshot outlived what is kept.
pub(super) struct TooOld;

impl Undo {
    /// Waits for a running commit to have applied its changes and keeps the next one out.
    pub(super) fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a snapshot and returns its place in the order of commits.
    pub(super) fn begin(&self) -> u64 {
        let _gate = self.gate();
        let mut kept = self.kept();
        let at = kept.last;
        *kept.live.entry(at).or_default() += 1;
        at
    }

    /// Ends a snapshot and forgets what only it needed.
    pub(super) fn end(&self, at: u64) {
        let mut kept = self.kept();
        if let Some(count) = kept.live.get_mut(&at) {
            *count -= 1;
            if *count == 0 {
                kept.live.remove(&at);
            }
        }
        let needed_after = kept.live.keys().next().copied().unwrap_or(kept.last);
        while kept.commits.front().is_some_and(|(number, ..)| *number <= needed_after) {
            kept.forget_oldest();
        }
    }

    /// Announces a commit, with the gate held, before its first change. `before` is asked only when a
    /// snapshot needs it.
    pub(super) fn publish<E>(&self, before: impl FnOnce() -> Result<Before, E>) -> Result<(), E> {
        // No snapshot can begin while the gate is held, so the answer stays true while `before` reads.
        let needed = !self.kept().live.is_empty();
        let before = if needed { Some(before()?) } else { None };
        let mut kept = self.kept();
        kept.last += 1;
        if let Some(before) = before {
            let bytes =
                before.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
            let number = kept.last;
            kept.commits.push_back((number, Arc::new(before), bytes));
            kept.bytes += bytes;
            while kept.bytes > KEPT_BYTES_MAX || kept.commits.len() > KEPT_COMMITS_MAX {
                kept.forget_oldest();
            }
        }
        Ok(())
    }

    /// Forgets everything and ends all snapshots: the engine was reopened.
    pub(super) fn clear(&self) {
        let mut kept = self.kept();
        kept.last += 1;
        kept.oldest = kept.last;
        kept.commits.clear();
        kept.bytes = 0;
    }

    /// The published values that a snapshot at `at` must see, oldest commit first.
    pub(super) fn since(&self, at: u64) -> Result<Vec<Arc<Before>>, TooOld> {
        let kept = self.kept();
        if at < kept.oldest {
            return Err(TooOld);
        }
        Ok(kept
            .commits
            .iter()
            .filter(|(number, ..)| *number > at)
            .map(|(_, before, _)| before.clone())
            .collect())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget_oldest(&mut self) {
        if let Some((number, _, bytes)) = self.commits.pop_front() {
            self.bytes -= bytes;
            self.oldest = number;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::convert::Infallible;

    use super::*;

    fn commit(undo: &Undo, key: &[u8], before: Option<Vec<u8>>) {
        let _gate = undo.gate();
        undo.publish(|| Ok::<_, Infallible>(Before::from([(key.to_vec(), before)]))).unwrap();
    }

    fn seen(undo: &Undo, at: u64) -> Option<usize> {
        undo.since(at).ok().map(|befores| befores.len())
    }

    #[test]
    fn nothing_is_kept_without_snapshots() {
        let undo = Undo::default();
        commit(&undo, b"a", None);
        assert_eq!(undo.kept().commits.len(), 0);
        let at = undo.begin();
        assert_eq!(at, 1);
        commit(&undo, b"a", Some(b"1".to_vec()));
        assert_eq!(seen(&undo, at), Some(1));
        undo.end(at);
        assert_eq!(undo.kept().commits.len(), 0);
        assert_eq!(undo.kept().bytes, 0);
    }

    #[test]
    fn a_younger_snapshot_keeps_only_what_it_needs() {
        let undo = Undo::default();
        let old = undo.begin();
        commit(&undo, b"a", None);
        let young = undo.begin();
        commit(&undo, b"a", None);
        assert_eq!((seen(&undo, old), seen(&undo, young)), (Some(2), Some(1)));
        undo.end(old);
        assert_eq!(undo.kept().commits.len(), 1);
        assert_eq!(seen(&undo, young), Some(1));
    }

    #[test]
    fn too_much_kept_ends_the_oldest() {
        let undo = Undo::default();
        let at = undo.begin();
        commit(&undo, b"a", None);
        let later = undo.begin();
        for _ in 0..3 {
            commit(&undo, b"a", Some(vec![0; KEPT_BYTES_MAX / 3]));
        }
        assert_eq!(seen(&undo, at), None);
        assert!(undo.kept().bytes <= KEPT_BYTES_MAX);
        undo.end(at);
        undo.end(later);
        assert_eq!(undo.kept().bytes, 0);
    }

    #[test]
    fn clearing_ends_every_snapshot() {
        let undo = Undo::default();
        let at = undo.begin();
        undo.clear();
        assert_eq!(seen(&undo, at), None);
        let at = undo.begin();
        assert_eq!(seen(&undo, at), Some(0));
    }
}
