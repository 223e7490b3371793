//! How rows lie in sled's one tree.
//!
//! One tree, because a sled batch is atomic within a tree only. A row's key is its keyspace byte followed
//! by the key. A value longer than [`PIECE_BYTES`] is cut into pieces under `0xff | keyspace | key | index`
//! and its row keeps only length and number of pieces: a leaf page of sled holds up to 17 values, and a page
//! over a quarter of a segment would go to a file in `blobs/`, which sled never makes durable.

use std::collections::BTreeMap;

use crate::store::Keyspace;

/// Longest value piece in one sled entry: 17 of them stay well below a quarter of a segment.
pub(super) const PIECE_BYTES: usize = 32 << 10;
/// First byte of the keys of pieces. Keyspace bytes are below 0x80.
pub(super) const PIECES: u8 = 0xff;
/// Key of the row that names the format. Keyspace bytes start at 1.
pub(super) const FORMAT_KEY: [u8; 1] = [0x00];
/// Key of the row that counts commits and rows; it changes with every commit.
pub(super) const TALLY_KEY: [u8; 2] = [0x00, b't'];
/// Value of the row that names the format, in this version.
pub(super) const FORMAT: &[u8] = b"hibiki store 1";

const WHOLE: u8 = 0;
const IN_PIECES: u8 = 1;

/// Physical changes: sled key to new entry, `None` removes.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What a row's entry says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// The value itself.
    Whole(&'a [u8]),
    /// The value lies in pieces.
    Pieces {
        /// Bytes of the whole value.
        bytes: usize,
        /// Number of pieces.
        pieces: u32,
    },
}

impl<'a> Head<'a> {
    /// Reads a row's entry; `None` when it is none.
    pub(super) fn parse(entry: &'a [u8]) -> Option<Self> {
        match entry.split_first()? {
            (&WHOLE, value) => Some(Self::Whole(value)),
            (&IN_PIECES, rest) => {
                let bytes = usize::try_from(u64::from_be_bytes(rest.try_into().ok()?)).ok()?;
                Some(Self::Pieces { bytes, pieces: u32::try_from(bytes.div_ceil(PIECE_BYTES)).ok()? })
            }
            _ => None,
        }
    }
}

pub(super) fn row_key(keyspace: Keyspace, key: &[u8]) -> Vec<u8> {
    [&[keyspace.byte()], key].concat()
}

pub(super) fn piece_key(keyspace: Keyspace, key: &[u8], index: u32) -> Vec<u8> {
    [&[PIECES, keyspace.byte()], key, &index.to_be_bytes()].concat()
}

/// Adds what must be written so that `key` has `value`, given the row's present entry.
pub(super) fn plan(
    writes: &mut Writes,
    keyspace: Keyspace,
    key: &[u8],
    value: Option<&[u8]>,
    present: Option<&[u8]>,
) {
    if let Some(Head::Pieces { pieces, .. }) = present.and_then(Head::parse) {
        for index in 0..pieces {
            writes.insert(piece_key(keyspace, key, index), None);
        }
    }
    let entry = match value {
        None => None,
        Some(value) if value.len() <= PIECE_BYTES => Some([&[WHOLE], value].concat()),
        Some(value) => {
            for (index, piece) in (0_u32..).zip(value.chunks(PIECE_BYTES)) {
                writes.insert(piece_key(keyspace, key, index), Some(piece.to_vec()));
            }
            Some([&[IN_PIECES], (value.len() as u64).to_be_bytes().as_slice()].concat())
        }
    };
    writes.insert(row_key(keyspace, key), entry);
}

/// Reads a value through `fetch`, which reads sled entries. `None` means damage: the row is no row, or it
/// and its pieces contradict each other.
pub(super) fn assemble<E>(
    keyspace: Keyspace,
    key: &[u8],
    entry: &[u8],
    mut fetch: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    match Head::parse(entry) {
        None => Ok(None),
        Some(Head::Whole(value)) => Ok(Some(value.to_vec())),
        Some(Head::Pieces { bytes, pieces }) => {
            let mut value = Vec::new();
            for index in 0..pieces {
                match fetch(&piece_key(keyspace, key, index))? {
                    Some(piece) => value.extend_from_slice(&piece),
                    None => return Ok(None),
                }
            }
            Ok((value.len() == bytes).then_some(value))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::convert::Infallible;

    use super::*;

    fn roundtrip(len: usize) -> (Writes, Option<Vec<u8>>) {
        let value: Vec<u8> = (0..len).map(|i| (i / 251) as u8 ^ i as u8).collect();
        let mut writes = Writes::new();
        plan(&mut writes, Keyspace::Records, b"key", Some(&value), None);
        let entry = writes[&row_key(Keyspace::Records, b"key")].clone().unwrap();
        let read = assemble(Keyspace::Records, b"key", &entry, |key| {
            Ok::<_, Infallible>(writes.get(key).cloned().flatten())
        });
        assert_eq!(read.unwrap().as_deref(), Some(value.as_slice()));
        (writes, Some(entry))
    }

    #[test]
    fn values_around_the_piece_size_come_back() {
        for (len, entries) in [
            (0, 1),
            (1, 1),
            (PIECE_BYTES, 1),
            (PIECE_BYTES + 1, 3),
            (2 * PIECE_BYTES, 3),
            (2 * PIECE_BYTES + 1, 4),
        ] {
            assert_eq!(roundtrip(len).0.len(), entries, "{len} bytes");
        }
    }

    #[test]
    fn overwriting_a_long_value_removes_its_pieces() {
        let (_, entry) = roundtrip(3 * PIECE_BYTES);
        let mut writes = Writes::new();
        plan(&mut writes, Keyspace::Records, b"key", Some(b"short"), entry.as_deref());
        assert_eq!(writes.values().filter(|write| write.is_none()).count(), 3);
        let mut writes = Writes::new();
        plan(&mut writes, Keyspace::Records, b"key", Some(&vec![0; PIECE_BYTES + 1]), entry.as_deref());
        assert_eq!(writes.values().filter(|write| write.is_none()).count(), 1, "two of three are replaced");
    }

    #[test]
    fn a_missing_or_short_piece_is_noticed() {
        let (mut writes, entry) = roundtrip(2 * PIECE_BYTES);
        let entry = entry.unwrap();
        writes.insert(piece_key(Keyspace::Records, b"key", 1), Some(vec![0; 5]));
        let read = |writes: &Writes| {
            assemble(Keyspace::Records, b"key", &entry, |key| {
                Ok::<_, Infallible>(writes.get(key).cloned().flatten())
            })
            .unwrap()
        };
        assert_eq!(read(&writes), None);
        writes.remove(&piece_key(Keyspace::Records, b"key", 1));
        assert_eq!(read(&writes), None);
    }
}
