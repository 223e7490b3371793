//! The public part of a live ledger, as c2sp.org/tlog-tiles lays it out: heads, hashes, leaves. Never the journal,
//! and nothing that the newest signed head does not cover.

use std::io::{self, ErrorKind};

use hibiki_protocol::tlog::{FULL_TILE, TILE_HEIGHT, Tile, decode_bundle, encode_entry};

use super::{Ledger, read_lock};

impl Ledger {
    /// The hashes of a tile; `None` where the newest checkpoint does not cover it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn published_hashes(&self, tile: Tile) -> io::Result<Option<Vec<u8>>> {
        if !self.covers(tile) {
            return Ok(None);
        }
        match self.tile(tile) {
            // A width that no head ever had.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// The bundle of the leaves under a tile of level 0; `None` where the newest checkpoint does not cover it. A
    /// leaf is a kind, a time, a salted commitment and public digests: it names nobody.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn published_entries(&self, tile: Tile) -> io::Result<Option<Vec<u8>>> {
        if tile.level() != 0 || !self.covers(tile) {
            return Ok(None);
        }
        if let Some(bytes) = self.inner.storage.read(&tile.entries_path())? {
            return Ok(Some(bytes));
        }
        // A partial bundle may meanwhile have given way to the full one.
        let full = Tile::full(0, tile.index());
        let Some(bytes) = self.inner.storage.read(&full.entries_path())? else { return Ok(None) };
        let leaves = decode_bundle(&bytes, FULL_TILE).map_err(io::Error::other)?;
        let mut bundle = Vec::new();
        for leaf in leaves.into_iter().take(tile.width()) {
            encode_entry(&mut bundle, leaf).map_err(io::Error::other)?;
        }
        Ok(Some(bundle))
    }

    /// Whether every leaf under the tile is in the tree of the newest checkpoint.
    fn covers(&self, tile: Tile) -> bool {
        let signed = read_lock(&self.inner.index).head.as_ref().map_or(0, |head| head.checkpoint.size);
        let leaves_per_hash = 1_u64.checked_shl(u32::from(tile.level()) * u32::from(TILE_HEIGHT));
        let hashes = tile.index().checked_mul(FULL_TILE as u64);
        let hashes = hashes.and_then(|before| before.checked_add(tile.width() as u64));
        let leaves = hashes.zip(leaves_per_hash).and_then(|(hashes, each)| hashes.checked_mul(each));
        leaves.is_some_and(|leaves| leaves <= signed)
    }
}
