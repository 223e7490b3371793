//! Somebody else's reader of tlog-tiles (Cloudflare's `tlog_tiles`, a port of Go's `sumdb/tlog`) on our ledgers: what
//! it accepts and refuses, we did not make up.

use std::fs;
use std::path::PathBuf;

use hibiki_protocol::tlog::{SignedNote, decode_bundle, split_notes, tiles_of};
use tlog_tiles::{
    Checkpoint, Error, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree,
    record_hash, tree_hash,
};

use crate::federation::*;

fn unread(error: std::io::Error) -> Error {
    Error::InvalidInput(error.to_string())
}

/// A ledger's folder.
struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        // Its own paths name the height of tiles first, as Go's do; tlog-tiles leaves that out.
        let ours = |tile: &Tile| tile.path().replacen("tile/8/", "tile/", 1);
        tiles.iter().map(|tile| fs::read(self.0.join(ours(tile))).map_err(unread)).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

impl Folder {
    fn head(&self, note: &[u8]) -> Checkpoint {
        let note = SignedNote::parse(note).unwrap();
        Checkpoint::from_bytes(note.text().as_bytes()).unwrap()
    }

    fn newest(&self) -> Checkpoint {
        self.head(&fs::read(self.0.join("checkpoint")).unwrap())
    }
}

#[test]
fn it_reads_our_ledgers_as_we_do() {
    let mut town = Town::described();
    // Several full tiles, and a second level.
    (1_000..1_200).for_each(|number| town.view(number, NOON + 30 * MINUTE + number, 0));
    town.write();
    for slug in ALL {
        let folder = Folder(town.path(&format!("members/{slug}/ledger")));
        let head = folder.newest();
        assert_eq!(head.origin(), format!("maebashi/{slug}/ledger"));
        let size = head.size();
        assert_eq!(size, town.houses[slug].entries.len() as u64);
        let reader = TileHashReader::new(size, *head.hash(), &folder);
        assert_eq!(tree_hash(size, &reader).unwrap(), *head.hash());
        // Every entry, by the hash of its own bytes.
        let mut number = 0;
        for tile in tiles_of(size).filter(|tile| tile.level() == 0) {
            let bundle = fs::read(folder.0.join(tile.entries_path())).unwrap();
            for entry in decode_bundle(&bundle, tile.width()).unwrap() {
                if number % 37 == 0 || number + 1 == size {
                    let proof = prove_record(size, number, &reader).unwrap();
                    check_record(&proof, size, *head.hash(), number, record_hash(entry)).unwrap();
                    assert!(check_record(&proof, size, *head.hash(), number, record_hash(b"other")).is_err());
                }
                number += 1;
            }
        }
        assert_eq!(number, size);
        // Every head that was ever signed is a beginning of the newest.
        let history = fs::read(folder.0.join("checkpoints")).unwrap();
        let (notes, _) = split_notes(&history);
        assert!(notes.len() >= 2);
        for note in notes {
            let earlier = folder.head(note);
            let proof = prove_tree(size, earlier.size(), &reader).unwrap();
            check_tree(&proof, size, *head.hash(), earlier.size(), *earlier.hash()).unwrap();
        }
    }
    assert!(town.path("members/city-hall/ledger/tile/1/000.p/4").exists(), "a second level was needed");
}

#[test]
fn it_refuses_what_we_refuse() {
    let town = Town::honest();
    let folder = Folder(town.path("members/city-hall/ledger"));
    let head = folder.newest();
    let bundle = fs::read(folder.0.join("tile/entries/000")).unwrap();
    let entry = decode_bundle(&bundle, 256).unwrap()[1].to_vec();
    let tiles: Vec<_> = tiles_of(head.size()).collect();
    assert_eq!(tiles.len(), 3, "two of hashes of entries, and one above");
    for tile in tiles {
        let name = format!("members/city-hall/ledger/{}", tile.path());
        town.alter(&name, |bytes| bytes[5] ^= 1);
        let reader = TileHashReader::new(head.size(), *head.hash(), &folder);
        let entry = record_hash(&entry);
        let checked = prove_record(head.size(), 1, &reader)
            .and_then(|proof| check_record(&proof, head.size(), *head.hash(), 1, entry));
        assert!(checked.is_err(), "{name}");
        assert!(!town.evidence().0.passed, "{name}");
        town.write();
    }
}
