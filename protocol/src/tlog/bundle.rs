//! Entry bundles of c2sp.org/tlog-tiles: entries one after another, each behind its length as a big-endian
//! u16. Knows nothing of what an entry means.

/// Why bytes are not an entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry is longer than a bundle can say.
    #[error("an entry of {0} bytes does not fit a bundle: at most 65535")]
    TooLong(usize),
    /// The bytes end inside an entry.
    #[error("entry {0} of the bundle is cut short")]
    Truncated(usize),
    /// The bundle holds another number of entries than its name says.
    #[error("the bundle holds {found} entries where its name says {expected}")]
    Count {
        /// Entries by the name.
        expected: usize,
        /// Entries in the bytes.
        found: usize,
    },
}

/// Appends one entry to a bundle.
///
/// # Errors
/// [`BundleError::TooLong`] above 65,535 bytes.
pub fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let len = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong(entry.len()))?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle that must hold exactly `count`.
///
/// # Errors
/// [`BundleError`] if the bytes do not divide into exactly that many entries.
pub fn decode_bundle(mut bytes: &[u8], count: usize) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::with_capacity(count.min(super::tile::FULL_TILE));
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk::<2>().ok_or(BundleError::Truncated(entries.len()))?;
        let (entry, rest) = rest
            .split_at_checked(usize::from(u16::from_be_bytes(*len)))
            .ok_or(BundleError::Truncated(entries.len()))?;
        entries.push(entry);
        bytes = rest;
    }
    if entries.len() == count {
        Ok(entries)
    } else {
        Err(BundleError::Count { expected: count, found: entries.len() })
    }
}
