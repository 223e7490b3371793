//! A batch: the unit of atomicity and of durability.

use std::collections::BTreeMap;

use super::{Keyspace, Result, StoreError};

/// Longest key, in bytes. Keys are ids, dates and digests; nothing needs more.
pub const KEY_BYTES_MAX: usize = 512;
/// Largest value, in bytes: one sealed record. Engines split it as they need.
pub const VALUE_BYTES_MAX: usize = 16 << 20;
/// Most operations and requirements in one batch, so that no commit holds the others up for long.
pub const BATCH_OPS_MAX: usize = 16_384;
/// Most key and value bytes in one batch.
pub const BATCH_BYTES_MAX: usize = 32 << 20;
/// Most rows in one page of a scan.
pub const SCAN_ROWS_MAX: usize = 1_024;

/// Where an operation applies.
pub(super) type Place = (Keyspace, Vec<u8>);

/// Changes that happen together or not at all. Of several changes to one key the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    changes: BTreeMap<Place, Option<Vec<u8>>>,
    requirements: Vec<(Place, Option<Vec<u8>>)>,
    bytes: usize,
    urgent: bool,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value.
    pub fn put(
        &mut self,
        keyspace: Keyspace,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> &mut Self {
        self.change((keyspace, key.into()), Some(value.into()))
    }

    /// Removes a value; removing what is not there is no error.
    pub fn delete(&mut self, keyspace: Keyspace, key: impl Into<Vec<u8>>) -> &mut Self {
        self.change((keyspace, key.into()), None)
    }

    /// Makes the whole batch fail with [`StoreError::Conflict`] unless `key` has exactly this value
    /// (`None`: is absent) when the batch is applied. This is how read-modify-write stays right when
    /// several writers, or several node processes over one database, are at work.
    pub fn require(
        &mut self,
        keyspace: Keyspace,
        key: impl Into<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> &mut Self {
        let key = key.into();
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.requirements.push(((keyspace, key), value));
        self
    }

    /// Marks the batch as one that protects somebody (a hold, a revocation): it is accepted from the
    /// reserve when the disk is nearly full and everything else is refused.
    pub fn urgent(&mut self) -> &mut Self {
        self.urgent = true;
        self
    }

    /// Whether the batch may use the reserve.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.requirements.is_empty()
    }

    /// Number of changes and requirements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len() + self.requirements.len()
    }

    /// Key and value bytes in it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Checks every limit.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] naming the first limit exceeded.
    pub fn check(&self) -> Result<()> {
        StoreError::check_size("batch, in operations,", self.len(), BATCH_OPS_MAX)?;
        StoreError::check_size("batch, in bytes,", self.bytes, BATCH_BYTES_MAX)?;
        let changes = self.changes.iter();
        for (place, value) in changes.chain(self.requirements.iter().map(|(place, value)| (place, value))) {
            StoreError::check_size("key, in bytes,", place.1.len(), KEY_BYTES_MAX)?;
            StoreError::check_size("value, in bytes,", value.as_ref().map_or(0, Vec::len), VALUE_BYTES_MAX)?;
        }
        Ok(())
    }

    /// The changes in order of keyspace and key; `None` removes. For engines.
    pub fn changes(&self) -> impl Iterator<Item = (Keyspace, &[u8], Option<&[u8]>)> {
        self.changes.iter().map(|((keyspace, key), value)| (*keyspace, key.as_slice(), value.as_deref()))
    }

    /// The requirements. For engines.
    pub fn requirements(&self) -> impl Iterator<Item = (Keyspace, &[u8], Option<&[u8]>)> {
        self.requirements.iter().map(|((keyspace, key), value)| (*keyspace, key.as_slice(), value.as_deref()))
    }

    /// Whether `other` may be appended without changing what either means or passing a limit.
    pub(super) fn can_absorb(&self, other: &Self) -> bool {
        self.urgent == other.urgent
            && self.len() + other.len() <= BATCH_OPS_MAX
            && self.bytes + other.bytes <= BATCH_BYTES_MAX
            && other.requirements.iter().all(|(place, _)| !self.changes.contains_key(place))
    }

    /// Appends `other`, whose changes come later.
    pub(super) fn absorb(&mut self, other: &Self) {
        for ((keyspace, key), value) in &other.changes {
            self.change((*keyspace, key.clone()), value.clone());
        }
        self.requirements.extend(other.requirements.iter().cloned());
        self.bytes += other.requirements.iter().map(cost).sum::<usize>();
    }

    fn change(&mut self, place: Place, value: Option<Vec<u8>>) -> &mut Self {
        let key_len = place.1.len();
        self.bytes += key_len + value.as_ref().map_or(0, Vec::len);
        if let Some(old) = self.changes.insert(place, value) {
            self.bytes -= key_len + old.map_or(0, |old| old.len());
        }
        self
    }
}

fn cost((place, value): &(Place, Option<Vec<u8>>)) -> usize {
    place.1.len() + value.as_ref().map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn last_change_counts_and_bytes_follow() {
        let mut batch = Batch::new();
        batch.put(Keyspace::Meta, *b"k", vec![0; 100]);
        batch.put(Keyspace::Meta, *b"k", vec![1; 10]);
        assert_eq!((batch.len(), batch.bytes()), (1, 11));
        batch.delete(Keyspace::Meta, *b"k");
        assert_eq!((batch.len(), batch.bytes()), (1, 1));
    }

    #[test]
    fn limits_are_inclusive() {
        let mut batch = Batch::new();
        batch.put(Keyspace::Meta, vec![7; KEY_BYTES_MAX], vec![0; VALUE_BYTES_MAX]);
        batch.check().unwrap();
        batch.put(Keyspace::Meta, vec![7; KEY_BYTES_MAX + 1], vec![]);
        assert!(matches!(batch.check(), Err(StoreError::TooLarge { limit: KEY_BYTES_MAX, .. })));
        let mut batch = Batch::new();
        batch.put(Keyspace::Meta, *b"k", vec![0; VALUE_BYTES_MAX + 1]);
        assert!(matches!(batch.check(), Err(StoreError::TooLarge { limit: VALUE_BYTES_MAX, .. })));
    }

    #[test]
    fn a_requirement_on_a_changed_key_is_not_merged() {
        let mut first = Batch::new();
        first.put(Keyspace::Meta, *b"k", *b"1");
        let mut second = Batch::new();
        second.require(Keyspace::Meta, *b"k", None).put(Keyspace::Meta, *b"other", *b"1");
        assert!(!first.can_absorb(&second), "the requirement speaks about the state after the first batch");
        assert!(second.can_absorb(&first));
        let mut urgent = Batch::new();
        urgent.urgent();
        assert!(!first.can_absorb(&urgent));
    }

    #[test]
    fn absorbing_keeps_the_account() {
        let mut first = Batch::new();
        first.put(Keyspace::Meta, *b"k", *b"12345");
        let mut second = Batch::new();
        second.put(Keyspace::Meta, *b"k", *b"1").require(Keyspace::Holds, *b"h", Some(b"xy".to_vec()));
        first.absorb(&second);
        assert_eq!((first.len(), first.bytes()), (2, 2 + 3));
    }
}
