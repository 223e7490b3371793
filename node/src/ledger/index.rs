//! Where entries stand, in memory: every sixteenth record's place, the entries of each subject, the newest
//! checkpoint, and which sealed parts were answered just before the start. Rebuilt at every start, so that it can
//! never disagree with the journal.

use std::collections::{BTreeMap, BTreeSet};

use hibiki_protocol::limits::REPLAY_MILLIS;
use hibiki_protocol::tlog::{DigestKind, EntryKind, Leaf};

use super::head::Signed;
use super::journal::Place;
use super::seal::SubjectKey;

/// One place is remembered per so many entries.
pub(super) const STRIDE: u64 = 16;

/// What readers share with the writer.
#[derive(Default)]
pub(super) struct Index {
    size: u64,
    places: Vec<Place>,
    subjects: BTreeMap<SubjectKey, Vec<u64>>,
    /// Sealed parts that were answered in a former run, and so lately that they might be put again.
    answered: BTreeSet<[u8; 32]>,
    /// The newest checkpoint.
    pub(super) head: Option<Signed>,
    /// The newest one that enough witnesses have cosigned.
    pub(super) cosigned: Option<Signed>,
}

impl Index {
    /// Entries that are durable.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The next entry stands at `place` and is about `subject`.
    pub(super) fn push(&mut self, place: Place, subject: Option<SubjectKey>) {
        if self.size.is_multiple_of(STRIDE) {
            self.places.push(place);
        }
        if let Some(subject) = subject {
            self.subjects.entry(subject).or_default().push(self.size);
        }
        self.size += 1;
    }

    /// Remembers the sealed part an entry of a former run is about, if at `now` it might still be put again.
    pub(super) fn note_answered(&mut self, leaf: &[u8], now: u64) {
        let Ok(leaf) = Leaf::decode(leaf) else { return };
        // What was passed on as a gateway was answered by somebody else, or not at all.
        if leaf.kind != EntryKind::Relay && leaf.time_ms.saturating_add(REPLAY_MILLIS) >= now {
            let query = leaf.digests.iter().find(|(kind, _)| *kind == DigestKind::Query);
            self.answered.extend(query.map(|(_, digest)| *digest));
        }
    }

    /// Whether a former run answered this sealed part.
    pub(super) fn has_answered(&self, part: &[u8; 32]) -> bool {
        self.answered.contains(part)
    }

    /// The nearest remembered place at or before an entry, and the number of the entry there.
    pub(super) fn before(&self, index: u64) -> Option<(u64, Place)> {
        let slot = index / STRIDE;
        let place = self.places.get(usize::try_from(slot).ok()?)?;
        (index < self.size).then_some((slot * STRIDE, *place))
    }

    /// The latest `most` entries about a subject before entry `before`, newest first.
    pub(super) fn newest_of(&self, subject: &SubjectKey, before: u64, most: usize) -> Vec<u64> {
        let all = self.subjects.get(subject).map_or(&[] as &[u64], Vec::as_slice);
        let earlier = all.get(..all.partition_point(|index| *index < before)).unwrap_or_default();
        earlier.iter().rev().take(most).copied().collect()
    }

    /// The entries about a subject, oldest first.
    pub(super) fn of(&self, subject: &SubjectKey) -> Vec<u64> {
        self.subjects.get(subject).cloned().unwrap_or_default()
    }
}
