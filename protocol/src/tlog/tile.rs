//! Tiles by the letter of c2sp.org/tlog-tiles: coordinates, paths, and single hashes out of tiles.
//! Knows where a hash stands, not where a tile is kept: bytes come from a function of the caller.

use std::fmt;
use std::str::FromStr;

use super::edge::subtree;
use super::hash::Hash;
use super::proof::HashReader;

/// How many tree levels one tile covers.
pub const TILE_HEIGHT: u8 = 8;
/// How many hashes a full tile holds.
pub const FULL_TILE: usize = 256;
/// The largest level the specification names.
const MAX_LEVEL: u8 = 63;

/// The coordinates of a tile of hashes: level, number in the level, and width if it is partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    /// 0 = full.
    partial: u8,
}

/// Why a text is not the path of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tile path of c2sp.org/tlog-tiles: expected tile/<L>/<N>[.p/<W>]")]
pub struct TilePathError;

impl Tile {
    /// A full tile of 256 hashes.
    #[must_use]
    pub const fn full(level: u8, index: u64) -> Self {
        Self { level, index, partial: 0 }
    }

    /// A partial tile; a width of 0 means the full tile.
    #[must_use]
    pub const fn partial(level: u8, index: u64, width: u8) -> Self {
        Self { level, index, partial: width }
    }

    /// The level: at level 0 a hash is a leaf, at level L it stands for 256^L leaves.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// The number of the tile in its level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes the tile holds.
    #[must_use]
    pub const fn width(&self) -> usize {
        if self.partial == 0 { FULL_TILE } else { self.partial as usize }
    }

    /// Whether the tile holds fewer than 256 hashes.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.partial != 0
    }

    /// The path of the tile of hashes, such as `tile/0/x001/234.p/8`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.number())
    }

    /// The path of the bundle with the entries under this tile (level 0 only), such as `tile/entries/000`.
    #[must_use]
    pub fn entries_path(&self) -> String {
        format!("tile/entries/{}", self.number())
    }

    /// `<N>[.p/<W>]`: groups of three digits, all but the last after an `x`.
    fn number(&self) -> String {
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        if self.partial == 0 { number } else { format!("{number}.p/{}", self.partial) }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl FromStr for Tile {
    type Err = TilePathError;

    fn from_str(path: &str) -> Result<Self, TilePathError> {
        let (level, number) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(TilePathError)?;
        let level = canonical(level).filter(|level| *level <= u64::from(MAX_LEVEL)).ok_or(TilePathError)?;
        let (number, partial) = match number.split_once(".p/") {
            None => (number, 0),
            Some((number, width)) => {
                (number, canonical(width).filter(|w| (1..256).contains(w)).ok_or(TilePathError)?)
            }
        };
        let tile = Self {
            level: u8::try_from(level).map_err(|_| TilePathError)?,
            index: parse_number(number)?,
            partial: u8::try_from(partial).map_err(|_| TilePathError)?,
        };
        // One spelling only: whatever does not print back the same was not canonical.
        if tile.path() == path { Ok(tile) } else { Err(TilePathError) }
    }
}

/// A decimal number without leading zeroes.
fn canonical(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

/// The number in `x001/x234/067`.
fn parse_number(text: &str) -> Result<u64, TilePathError> {
    text.split('/').try_fold(0_u64, |number, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let value: u64 = digits.parse().map_err(|_| TilePathError)?;
        if digits.len() != 3 {
            return Err(TilePathError);
        }
        number.checked_mul(1000).and_then(|n| n.checked_add(value)).ok_or(TilePathError)
    })
}

/// Every tile of a log of this size that no other tile of the same log makes superfluous: all full tiles and
/// the partial ones on the right edge.
pub fn tiles_of(size: u64) -> impl Iterator<Item = Tile> {
    let mut levels = Vec::new();
    let mut in_level = size;
    let mut level = 0_u8;
    while in_level > 0 {
        levels.push((level, in_level));
        in_level /= FULL_TILE as u64;
        level += 1;
    }
    levels.into_iter().flat_map(|(level, hashes)| {
        let full = hashes / FULL_TILE as u64;
        let width = u8::try_from(hashes % FULL_TILE as u64).unwrap_or_default();
        (0..full)
            .map(move |index| Tile::full(level, index))
            .chain((width > 0).then_some(Tile::partial(level, full, width)))
    })
}

/// Reads single hashes of a log of a given size out of its tiles.
pub struct TileReader<F> {
    size: u64,
    fetch: F,
}

impl<F, E> TileReader<F>
where
    F: FnMut(Tile) -> Result<Vec<u8>, E>,
{
    /// A reader of the log with `size` leaves whose tile bytes `fetch` returns.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch }
    }
}

impl<F, E> HashReader for TileReader<F>
where
    F: FnMut(Tile) -> Result<Vec<u8>, E>,
{
    type Error = E;

    fn node(&mut self, level: u8, index: u64) -> Result<Option<Hash>, E> {
        let tile_level = level / TILE_HEIGHT;
        let inside = level % TILE_HEIGHT;
        let first = index << inside;
        let number = first / FULL_TILE as u64;
        let hashes_in_level = self.size.checked_shr(u32::from(tile_level * TILE_HEIGHT)).unwrap_or(0);
        let width = hashes_in_level.saturating_sub(number * FULL_TILE as u64).min(FULL_TILE as u64);
        let tile = match u8::try_from(width) {
            Ok(0) => return Ok(None),
            Ok(width) => Tile::partial(tile_level, number, width),
            Err(_) => Tile::full(tile_level, number),
        };
        let bytes = (self.fetch)(tile)?;
        let start = usize::try_from(first % FULL_TILE as u64).unwrap_or_default() * Hash::LEN;
        let len = (1_usize << inside) * Hash::LEN;
        let Some(part) = bytes.get(start..start + len).filter(|_| bytes.len() == tile.width() * Hash::LEN)
        else {
            return Ok(None);
        };
        let row: Vec<Hash> = part.chunks_exact(Hash::LEN).filter_map(Hash::from_slice).collect();
        Ok(Some(subtree(&row)))
    }
}
