//! The right edge of a log in tiles: what is not yet a full tile, level by level. Appending a leaf hands
//! out every tile it completed. Knows neither entries nor where tiles are kept.

use super::hash::{Hash, empty_root, node_hash};
use super::tile::{FULL_TILE, Tile};

/// The partial tiles of a growing log, lowest level first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileEdge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl TileEdge {
    /// The edge of the log without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, levels: Vec::new() }
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash; gives `full` every tile that this leaf completed, with its bytes.
    pub fn append_leaf(&mut self, leaf: Hash, mut full: impl FnMut(Tile, Vec<u8>)) {
        self.size += 1;
        let mut carry = leaf;
        let mut level = 0_u8;
        let mut in_tile = self.size;
        loop {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::with_capacity(FULL_TILE));
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { return };
            hashes.push(carry);
            if hashes.len() < FULL_TILE {
                return;
            }
            in_tile /= FULL_TILE as u64;
            full(Tile::full(level, in_tile - 1), bytes_of(hashes));
            carry = subtree(hashes);
            hashes.clear();
            level += 1;
        }
    }

    /// Every partial tile of the log at its present size, with its bytes; levels with nothing are left out.
    pub fn partial_tiles(&self) -> impl Iterator<Item = (Tile, Vec<u8>)> + '_ {
        let mut in_level = self.size;
        self.levels.iter().zip(0_u8..).filter_map(move |(hashes, level)| {
            let width = u8::try_from(in_level % FULL_TILE as u64).unwrap_or_default();
            in_level /= FULL_TILE as u64;
            (width > 0).then(|| (Tile::partial(level, in_level, width), bytes_of(hashes)))
        })
    }

    /// The Merkle tree hash of everything appended so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut edge: Option<Hash> = None;
        for hashes in &self.levels {
            let mut row: Vec<Hash> = hashes.clone();
            row.extend(edge.take());
            edge = (!row.is_empty()).then(|| subtree(&row));
        }
        edge.unwrap_or_else(empty_root)
    }
}

/// The hashes one after another, as a tile is stored.
fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The Merkle tree hash over subtrees of one height, the last of which may be smaller.
pub(super) fn subtree(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                rest => rest.first().copied().unwrap_or_else(empty_root),
            })
            .collect();
    }
    row.first().copied().unwrap_or_else(empty_root)
}
