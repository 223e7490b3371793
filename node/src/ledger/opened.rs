//! The entries of a ledger that no node has open, as its owner's keys open them: for an inspection.

use std::path::Path;

use hibiki_protocol::tlog::{Leaf, VerifierKey};
use zeroize::Zeroizing;

use super::disk::DiskStorage;
use super::entry::{Content, Unopened, aad, open_sealed};
use super::error::OpenError;
use super::replay::{Extent, replay};
use super::seal::EntrySealer;

/// An entry, opened.
pub enum OpenedEntry {
    /// What was sealed beside the leaf: the salt, then the full entry in one of its two forms.
    Plain(Zeroizing<Vec<u8>>),
    /// The subject was erased.
    Erased,
    /// It does not open, or not to what its leaf commits to.
    Damaged(&'static str),
}

/// Hands every entry of the ledger in `folder` to `each`, in order.
///
/// # Errors
/// The journal cannot be read to its end; the entries before were handed over.
pub fn open_entries(
    folder: &Path,
    key: &VerifierKey,
    sealer: &dyn EntrySealer,
    each: &mut dyn FnMut(u64, OpenedEntry),
) -> Result<(), OpenError> {
    let storage = DiskStorage::read_only(folder);
    let (origin, extent) = (key.name(), Extent { signed: 0, until: u64::MAX });
    replay(&storage, origin, extent, |_, record| {
        let opened = match Leaf::decode(record.leaf) {
            Err(_) => OpenedEntry::Damaged("no leaf"),
            Ok(leaf) => {
                let fits = open_sealed(origin, &leaf, record.leaf, record.subject, record.sealed, sealer);
                match fits {
                    Ok((Content::Erased, _)) => OpenedEntry::Erased,
                    Ok((Content::Details(_), _)) => sealer
                        .open(record.subject, &aad(origin, record.leaf), record.sealed)
                        .map_or(OpenedEntry::Damaged("does not open"), |plain| {
                            OpenedEntry::Plain(Zeroizing::new(plain))
                        }),
                    Err(Unopened::Seal(_)) => OpenedEntry::Damaged("does not open"),
                    Err(Unopened::Commitment) => {
                        OpenedEntry::Damaged("opens to something else than its leaf commits to")
                    }
                }
            }
        };
        each(record.index, opened);
    })?;
    Ok(())
}
