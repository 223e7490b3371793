//! A ledger's tiles, read as the C2SP specification lays them out (<https://c2sp.org/tlog-tiles>), without any
//! code of the node: level 0 holds the leaf hashes, 256 to a tile.

use std::fs;
use std::path::{Path, PathBuf};

const HASH: usize = 32;
const WIDTH: u64 = 256;

/// The leaf hash at `index`, if the tiles on disk reach that far. `folder` is the ledger's.
pub fn leaf_hash(folder: &Path, index: u64) -> Option<[u8; HASH]> {
    let tile = folder.join("tile/0").join(tile_path(index / WIDTH));
    let place = usize::try_from(index % WIDTH).ok()? * HASH;
    let bytes = widest(&tile)?;
    bytes.get(place..place + HASH)?.try_into().ok()
}

/// The leaf at `index`, if the bundles on disk reach that far: 256 to a bundle, each with its length before it.
pub fn leaf(folder: &Path, index: u64) -> Option<Vec<u8>> {
    let bundle = widest(&folder.join("tile/entries").join(tile_path(index / WIDTH)))?;
    let mut rest = bundle.as_slice();
    for _ in 0..index % WIDTH {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_be_bytes(*length))..)?;
    }
    let (length, after) = rest.split_first_chunk::<2>()?;
    after.get(..usize::from(u16::from_be_bytes(*length))).map(<[u8]>::to_vec)
}

/// How many leaves the tiles on disk hold.
pub fn leaves(folder: &Path) -> u64 {
    let mut full = 0;
    loop {
        let path = folder.join("tile/0").join(tile_path(full));
        match widest(&path).map(|bytes| (bytes.len() / HASH) as u64) {
            Some(width) if width == WIDTH => full += 1,
            Some(width) => return full * WIDTH + width,
            None => return full * WIDTH,
        }
    }
}

/// `x001/x234/067` for tile 1,234,067.
fn tile_path(number: u64) -> PathBuf {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    PathBuf::from(path)
}

/// The full tile, or the widest partial one.
fn widest(path: &Path) -> Option<Vec<u8>> {
    if let Ok(full) = fs::read(path) {
        return Some(full);
    }
    let partial = path.with_extension("p");
    let widths = fs::read_dir(&partial).ok()?.flatten();
    let widest = widths.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok()).max()?;
    fs::read(partial.join(widest.to_string())).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn tiles_are_where_the_specification_puts_them() {
        assert_eq!(tile_path(5), PathBuf::from("005"));
        assert_eq!(tile_path(1_234_067), PathBuf::from("x001/x234/067"));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!((leaves(folder.path()), leaf_hash(folder.path(), 0)), (0, None));
        let level = folder.path().join("tile/0");
        fs::create_dir_all(level.join("001.p")).unwrap();
        fs::write(level.join("000"), [7; 256 * HASH]).unwrap();
        fs::write(level.join("001.p/2"), [8; 2 * HASH]).unwrap();
        assert_eq!(leaves(folder.path()), 258);
        assert_eq!(leaf_hash(folder.path(), 255), Some([7; HASH]));
        assert_eq!(leaf_hash(folder.path(), 257), Some([8; HASH]));
        assert_eq!(leaf_hash(folder.path(), 258), None);
    }
}
