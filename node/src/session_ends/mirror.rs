//! The table in memory: what a query is compared with, and how much room is left.
//!
//! Pure: time is a parameter. Must not know: how rows are stored.

use std::collections::BTreeMap;

use crate::vault::Index;

/// Which sessions have ended, each with when it may be forgotten (milliseconds since the Unix epoch).
pub(super) struct Mirror {
    in_force: BTreeMap<Index, u64>,
    /// Ends that are being made durable.
    coming: usize,
    room: usize,
}

impl Mirror {
    /// An empty table with room for so many.
    pub(super) const fn with_room(room: usize) -> Self {
        Self { in_force: BTreeMap::new(), coming: 0, room }
    }

    /// Whether the session of this key has ended. One that may be forgotten counts until it is.
    pub(super) fn contains(&self, index: &Index) -> bool {
        self.in_force.contains_key(index)
    }

    pub(super) fn len(&self) -> usize {
        self.in_force.len()
    }

    /// Sets room aside for one more; give it back with [`Self::release`] once it is here or failed.
    pub(super) fn reserve(&mut self) -> bool {
        let fits = self.in_force.len() + self.coming < self.room;
        self.coming += usize::from(fits);
        fits
    }

    pub(super) fn release(&mut self) {
        self.coming = self.coming.saturating_sub(1);
    }

    /// The session has ended, durably. A later time to forget it wins over an earlier one.
    pub(super) fn enter(&mut self, index: Index, until: u64) {
        let known = self.in_force.entry(index).or_default();
        *known = until.max(*known);
    }

    /// At most `count` of those that may be forgotten at `now`.
    pub(super) fn over(&self, now: u64, count: usize) -> Vec<Index> {
        let over = self.in_force.iter().filter(|(_, until)| **until <= now);
        over.take(count).map(|(index, _)| *index).collect()
    }

    pub(super) fn forget(&mut self, over: &[Index]) {
        for index in over {
            self.in_force.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coming_takes_up_room() {
        let mut mirror = Mirror::with_room(2);
        mirror.enter([1; 16], 10);
        assert!(mirror.reserve());
        assert!(!mirror.reserve(), "one is here, one is coming");
        mirror.release();
        assert!(mirror.reserve(), "the one that was coming failed");
        mirror.enter([2; 16], 20);
        mirror.release();
        assert!(!mirror.reserve(), "two are here");
        assert_eq!(mirror.over(9, 9), Vec::<Index>::new());
        assert_eq!(mirror.over(10, 9), [[1; 16]]);
        assert!(mirror.contains(&[1; 16]), "until it is forgotten");
        mirror.forget(&[[1; 16]]);
        assert!(!mirror.contains(&[1; 16]) && mirror.contains(&[2; 16]) && mirror.reserve());
    }

    #[test]
    fn an_end_is_never_shortened() {
        let mut mirror = Mirror::with_room(2);
        mirror.enter([1; 16], 20);
        mirror.enter([1; 16], 10);
        assert_eq!((mirror.over(19, 9).len(), mirror.over(20, 9).len(), mirror.len()), (0, 1, 1));
    }
}
