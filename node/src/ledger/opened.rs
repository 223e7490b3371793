//! The entries of a ledger that no node has open, as its owner's keys open them: for an inspection.

use std::collections::BTreeSet;
use std::path::Path;

use hibiki_protocol::tlog::{Leaf, VerifierKey};
use zeroize::Zeroizing;

use super::disk::DiskStorage;
use super::entry::{Content, Unopened, aad, open_sealed};
use super::error::OpenError;
use super::head::read_heads;
use super::journal::segment_path;
use super::record::{ALIGN, OriginTag, RECORD_HEADER, Record, read_record};
use super::replay::{Extent, replay, segment_numbers};
use super::seal::{EntrySealer, SubjectKey};
use super::storage::Storage;

/// An entry, opened.
pub enum OpenedEntry {
    /// What was sealed beside the leaf: the salt, then the full entry in one of its two forms.
    Plain(Zeroizing<Vec<u8>>),
    /// The subject was erased.
    Erased,
    /// It does not open, or not to what its leaf commits to.
    Damaged(&'static str),
}

/// Hands every entry of the ledger in `folder` to `each`, in order. Where the journal is damaged, what does not read is
/// handed over as damaged by its number, and it goes on with the next entry that does.
///
/// # Errors
/// The heads or the journal cannot be read at all.
pub fn open_entries(
    folder: &Path,
    key: &VerifierKey,
    sealer: &dyn EntrySealer,
    each: &mut dyn FnMut(u64, OpenedEntry),
) -> Result<(), OpenError> {
    walk(folder, key, &mut |index, record| {
        let entry = record.map_or_else(OpenedEntry::Damaged, |record| opened(key.name(), record, sealer));
        each(index, entry);
    })
}

/// The key of every person whom the ledger in `folder` has an entry about, erased or not.
///
/// # Errors
/// As [`open_entries`].
pub fn subjects(folder: &Path, key: &VerifierKey) -> Result<BTreeSet<SubjectKey>, OpenError> {
    let mut subjects = BTreeSet::new();
    walk(folder, key, &mut |_, record| subjects.extend(record.ok().and_then(|record| record.subject)))?;
    Ok(subjects)
}

/// What stands under a number: a record, or what is wrong there.
type Found<'a, 'b> = Result<&'a Record<'b>, &'static str>;

/// Reads the journal to its end, whatever it is like.
fn walk(folder: &Path, key: &VerifierKey, each: &mut dyn FnMut(u64, Found<'_, '_>)) -> Result<(), OpenError> {
    let storage = DiskStorage::read_only(folder);
    let signed = read_heads(&storage, key)?.newest.map_or(0, |head| head.checkpoint.size);
    let (origin, extent) = (key.name(), Extent { signed, until: u64::MAX });
    // Read twice: an end that a crash tore is told from damage before anything is said.
    match replay(&storage, origin, extent, |_, _| ()) {
        Ok(_) => replay(&storage, origin, extent, |_, record| each(record.index, Ok(record))).map(|_| ()),
        Err(OpenError::Damaged { .. } | OpenError::Shorter { .. }) => salvage(&storage, key, signed, each),
        Err(error) => Err(error),
    }
}

/// Looks for records wherever they may begin.
fn salvage(
    storage: &dyn Storage,
    key: &VerifierKey,
    signed: u64,
    each: &mut dyn FnMut(u64, Found<'_, '_>),
) -> Result<(), OpenError> {
    let (tag, mut next, mut room) = (OriginTag::of(key.name()), 0, 0_u64);
    for number in segment_numbers(storage)? {
        let path = segment_path(number);
        let bytes = storage.read(&path).map_err(OpenError::io(&path))?.unwrap_or_default();
        // No journal of this length has more entries: a number beyond it is made up.
        room = room.max(next) + (bytes.len() / RECORD_HEADER) as u64;
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match read_record(tag, rest).filter(|record| (next..room.max(signed)).contains(&record.index)) {
                Some(record) => {
                    (next..record.index).for_each(|lost| each(lost, Err("does not read")));
                    each(record.index, Ok(&record));
                    next = record.index + 1;
                    at += record.len;
                }
                None => at += ALIGN,
            }
        }
    }
    (next..signed).for_each(|lost| each(lost, Err("is missing")));
    Ok(())
}

/// What a record opens to.
fn opened(origin: &str, record: &Record<'_>, sealer: &dyn EntrySealer) -> OpenedEntry {
    let Ok(leaf) = Leaf::decode(record.leaf) else { return OpenedEntry::Damaged("has no leaf") };
    match open_sealed(origin, &leaf, record.leaf, record.subject, record.sealed, sealer) {
        Ok((Content::Erased, _)) => OpenedEntry::Erased,
        Ok((Content::Details(_), _)) => {
            let plain = sealer.open(record.subject, &aad(origin, record.leaf), record.sealed);
            plain.map_or(OpenedEntry::Damaged("does not open"), |plain| {
                OpenedEntry::Plain(Zeroizing::new(plain))
            })
        }
        Err(Unopened::Seal(_)) => OpenedEntry::Damaged("does not open"),
        Err(Unopened::Commitment) => OpenedEntry::Damaged("opens to something else than its leaf commits to"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::fs;

    use super::super::Ledger;
    use super::super::tests::{release, setup};
    use super::*;

    /// What each entry was handed over as: `+` opened, `-` erased, the reason where damaged.
    fn inspect(folder: &Path) -> Vec<(u64, String)> {
        let (setup, sealer) = setup();
        let mut entries = Vec::new();
        open_entries(folder, setup.signer.verifier_key(), &*sealer, &mut |index, opened| {
            let word = match opened {
                OpenedEntry::Plain(_) => "+",
                OpenedEntry::Erased => "-",
                OpenedEntry::Damaged(why) => why,
            };
            entries.push((index, word.to_owned()));
        })
        .unwrap();
        entries
    }

    #[tokio::test]
    async fn what_is_damaged_is_named_and_the_rest_is_read_on() {
        let folder = tempfile::tempdir().unwrap();
        let (setup, _) = setup();
        let ledger = Ledger::open(folder.path(), setup, 1_000).unwrap();
        for n in 1..=60 {
            ledger.append(release(n, 1)).await.unwrap();
        }
        ledger.close(2_000, "test").await.unwrap();
        drop(ledger);
        let whole = inspect(folder.path());
        assert_eq!(whole.len(), 62);
        assert!((0..).zip(&whole).all(|(at, (index, word))| at == *index && word == "+"));

        let journal = folder.path().join("journal");
        let first = journal.join("00000001");
        let kept = fs::read(&first).unwrap();
        // A flipped bit anywhere costs one entry, or none where nothing stands.
        for at in (64..kept.len()).step_by(97) {
            let mut bytes = kept.clone();
            bytes[at] ^= 1;
            fs::write(&first, bytes).unwrap();
            let found = inspect(folder.path());
            assert_eq!(found.len(), 62, "bit at {at}");
            assert!(found.iter().filter(|(_, word)| word != "+").count() <= 1, "bit at {at}: {found:?}");
            assert!((0..).zip(&found).all(|(place, (index, _))| place == *index));
        }
        // A whole segment that is gone is counted, entry by entry; so is the end.
        let last = fs::read_dir(&journal).unwrap().count();
        assert!(last >= 3);
        fs::write(&first, &kept[..64]).unwrap();
        let found = inspect(folder.path());
        assert_eq!(found.len(), 62);
        assert_eq!((found[0].1.as_str(), found[61].1.as_str()), ("does not read", "+"));
        fs::write(&first, &kept).unwrap();
        for number in 2..=last {
            fs::remove_file(journal.join(format!("{number:08}"))).unwrap();
        }
        let found = inspect(folder.path());
        assert_eq!(found.len(), 62);
        assert_eq!((found[0].1.as_str(), found[61].1.as_str()), ("+", "is missing"));
    }
}
