//! A growing tree remembered by its right edge alone: the roots of its complete subtrees, largest first.
//! Enough to append for ever and to state the root; knows no leaf that went by.

use super::hash::{Hash, empty_root, leaf_hash, node_hash};

/// The size of a log and the roots of the complete subtrees that cover it, one per set bit of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry and returns the hash of its leaf.
    pub fn append(&mut self, entry: &[u8]) -> Hash {
        let leaf = leaf_hash(entry);
        self.append_leaf(leaf);
        leaf
    }

    /// Adds a leaf by its hash.
    pub fn append_leaf(&mut self, leaf: Hash) {
        let mut carry = leaf;
        // Every trailing one bit of the size is a complete subtree that the new leaf completes a pair with.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                carry = node_hash(&left, &carry);
            }
        }
        self.peaks.push(carry);
        self.size += 1;
    }

    /// The Merkle tree hash of everything appended so far (RFC 6962 section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}
