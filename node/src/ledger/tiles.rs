//! The public face of the ledger in memory: the right edge of the tree, and the tiles and entry bundles that
//! the next checkpoint must put on disk. Knows leaves, not what is sealed beside them.

use hibiki_protocol::tlog::{FULL_TILE, Hash, Tile, TileEdge, encode_entry, leaf_hash};

/// Tiles and bundles not yet on disk.
#[derive(Default)]
pub(super) struct Tiles {
    edge: TileEdge,
    /// The entries of the bundle that is not full.
    bundle: Vec<u8>,
    /// Files that are complete: path and bytes.
    full: Vec<(String, Vec<u8>)>,
    /// Folders of partial tiles that a full one has made superfluous.
    superfluous: Vec<String>,
}

impl Tiles {
    /// The number of leaves.
    pub(super) const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over all leaves.
    pub(super) fn root(&self) -> Hash {
        self.edge.root()
    }

    /// How many complete files wait.
    pub(super) fn waiting(&self) -> usize {
        self.full.len()
    }

    /// Adds a leaf. A journal record holds no leaf that a bundle could not, so that nothing is refused here.
    pub(super) fn append(&mut self, leaf: &[u8]) -> Hash {
        let hash = leaf_hash(leaf);
        let encoded = encode_entry(&mut self.bundle, leaf);
        debug_assert!(encoded.is_ok(), "the length of a leaf is a u16 in its record, too");
        let Self { edge, bundle, full, superfluous } = self;
        edge.append_leaf(hash, |tile, bytes| {
            superfluous.push(format!("{}.p", tile.path()));
            full.push((tile.path(), bytes));
            if tile.level() == 0 {
                superfluous.push(format!("{}.p", tile.entries_path()));
                full.push((tile.entries_path(), std::mem::take(bundle)));
            }
        });
        hash
    }

    /// The complete files that wait, taken out.
    pub(super) fn take_full(&mut self) -> Vec<(String, Vec<u8>)> {
        self.superfluous.clear();
        std::mem::take(&mut self.full)
    }

    /// Every file that a checkpoint of the present size needs and that is not on disk.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = self.full.clone();
        files.extend(self.partial());
        files
    }

    /// The partial tiles and the partial bundle of the present size.
    pub(super) fn partial(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = self.edge.partial_tiles().map(|(tile, bytes)| (tile.path(), bytes)).collect();
        let in_bundle = FULL_TILE as u64;
        if let Ok(width @ 1..) = u8::try_from(self.size() % in_bundle) {
            let tile = Tile::partial(0, self.size() / in_bundle, width);
            files.push((tile.entries_path(), self.bundle.clone()));
        }
        files
    }

    /// Everything is on disk. Returns the folders of partial tiles that may go.
    pub(super) fn published(&mut self) -> Vec<String> {
        self.full.clear();
        std::mem::take(&mut self.superfluous)
    }
}
