//! The records of this institution: subjects, groups and what is known of them, sealed at rest.
//!
//! Owns: how records lie in the store, idempotent putting, reading for an answer, erasing. Must not know:
//! file formats, who may read (the responder decides), pseudonyms and links of the federation.
//!
//! What stands on disk: random ids, category names and counts in the clear; facts, local numbers, class
//! names, dates and contents only sealed under the key of their subject or group; local numbers, class names
//! and source ids besides as keyed digests, to find them again.
//!
//! Ids of subjects are the ids of their keys. Rows of other parts of the node that belong to a subject
//! (links, consents, ledger entries) are sealed under the same key or hold its random id only, so that
//! erasing the key erases them, too; deleting those rows is their owners' work.

mod codec;
mod erase;
mod error;
mod inspect;
mod layout;
mod plan;
mod read;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use hibiki_records::{
    category::Category,
    ingest::{IngestRecord, Item},
    person::PatientFacts,
};
use tokio::sync::Mutex;

pub(crate) use self::inspect::{BookRow, attribute};
pub use self::{
    error::BookError,
    read::{ReadLimit, Reading, StoredRecord},
};
use self::{
    layout::{Counter, Kind},
    plan::Planner,
};
use crate::{
    keyring::{KeyId, KeyRing},
    store::{Batch, Committer, Keyspace, Store, StoreError},
};

/// Result of an operation on the record book.
pub type Result<T> = std::result::Result<T, BookError>;

/// Most entries of one [`RecordBook::put_batch`]; each member of a group counts as one.
pub const PUT_ENTRIES_MAX: usize = 2_000;
/// Most content bytes of one [`RecordBook::put_batch`].
pub const PUT_BYTES_MAX: usize = 16 << 20;
/// Longest content of one record.
pub const CONTENT_BYTES_MAX: usize = 8 << 20;
/// Longest local number, group id or record id, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;

/// How often a plan is made anew when another process changed what it was based on.
const CONFLICT_TRIES: u32 = 5;

/// A person this institution keeps records of. Random; never leaves the institution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId(KeyId);

impl SubjectId {
    /// The subject with this id. Whether there is one is seen when it is used.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(KeyId::from_bytes(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The key under which everything of this subject is sealed.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.0
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectId(***)")
    }
}

/// Something to put into the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Who a local number stands for.
    Person(PatientFacts),
    /// A group and its complete list of members, by local number.
    Group {
        /// The institution's id of the group.
        id: String,
        /// Local numbers of everybody in it.
        members: Vec<String>,
    },
    /// A record about a person or a group. Whoever it names and nobody knows yet is entered without facts.
    Record(IngestRecord),
}

impl Entry {
    /// What to put for one item of an imported file: nothing, one or two entries.
    #[must_use]
    pub fn from_item(item: Item) -> Vec<Self> {
        match item {
            Item::Record(record) => vec![Self::Record(record)],
            Item::Patient { facts, record } => vec![Self::Person(facts), Self::Record(record)],
            Item::Group { id, members } => vec![Self::Group { id, members }],
            Item::Skipped { .. } => vec![],
        }
    }
}

/// What putting an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It was not there.
    Added,
    /// Something else was there under the same id.
    Replaced,
    /// Exactly this was there.
    Unchanged,
    /// What was there is newer, by the source's own time; it stays.
    Older,
    /// It cannot be kept. The other entries of the batch are not affected.
    Refused(Refusal),
}

/// Why an entry cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The content exceeds [`CONTENT_BYTES_MAX`].
    #[error("the content is larger than 8 MiB")]
    ContentTooLarge,
    /// A local number, group id or record id is empty or exceeds [`NAME_BYTES_MAX`].
    #[error("an id is empty or longer than 1024 bytes")]
    BadId,
    /// A record of this category is about one person, not about a group.
    #[error("a record of this category cannot be addressed to a group")]
    NotForGroups,
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Persons.
    pub subjects: u64,
    /// Groups.
    pub groups: u64,
    /// Records by category; categories without records are left out.
    pub records: BTreeMap<Category, u64>,
}

/// The records of this institution.
pub struct RecordBook {
    store: Arc<dyn Store>,
    committer: Committer,
    keys: Arc<KeyRing>,
    /// Held from reading what a change depends on until the change is durable, so that nothing is called
    /// unchanged on the strength of something that might still be lost.
    writing: Mutex<()>,
}

impl RecordBook {
    /// Opens the book and finishes erasures that were interrupted.
    ///
    /// # Errors
    /// [`BookError::OtherKeyRing`] when the store was filled under another keyring; otherwise when the store
    /// or the keyring cannot be used.
    pub async fn open(store: Arc<dyn Store>, committer: Committer, keys: Arc<KeyRing>) -> Result<Self> {
        let book = Self { store, committer, keys, writing: Mutex::new(()) };
        book.recognise_keys().await?;
        let writing = book.writing.lock().await;
        book.finish_erasures().await?;
        drop(writing);
        Ok(book)
    }

    /// Refuses another keyring than the one the store was filled under: with it nothing would open, nobody
    /// would be found, and an import would enter everybody a second time.
    async fn recognise_keys(&self) -> Result<()> {
        let ours = self.keys.index("keyring of this store", b"");
        let known = || -> Result<bool> {
            match self.store.snapshot()?.get(Keyspace::Meta, layout::KEYRING)? {
                Some(known) if known == ours => Ok(true),
                Some(_) => Err(BookError::OtherKeyRing),
                None => Ok(false),
            }
        };
        if known()? {
            return Ok(());
        }
        let mut first = Batch::new();
        first
            .require(Keyspace::Meta, layout::KEYRING, None)
            .put(Keyspace::Meta, layout::KEYRING, ours)
            .urgent();
        match self.committer.commit(first).await {
            // Somebody else opened the new store in this moment: with these keys or with others.
            Err(StoreError::Conflict) if known()? => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    /// Puts all entries in one durable commit, in order; the outcomes are in the same order. Putting the
    /// same again changes nothing, so an interrupted import is simply repeated.
    ///
    /// A record is the same as an earlier one when person or group, category and source id agree. If the
    /// caller gives up waiting, the entries may be put all the same.
    ///
    /// # Errors
    /// [`BookError::TooMuch`] beyond [`PUT_ENTRIES_MAX`] or [`PUT_BYTES_MAX`], [`BookError::Store`],
    /// [`BookError::Keys`]. Nothing was put then, except after the store's own doubtful errors, which
    /// repeating resolves.
    pub async fn put_batch(&self, entries: Vec<Entry>) -> Result<Vec<PutOutcome>> {
        check_amount(&entries)?;
        let _writing = self.writing.lock().await;
        // What is half erased must not be met by a plan: its key is gone and its number is still taken.
        self.finish_erasures().await?;
        let mut spare = Vec::new();
        let mut tries = 1;
        let done = loop {
            let plan = match Planner::plan(self, &entries, &mut spare) {
                Ok(plan) => plan,
                Err(error) => break Err(error),
            };
            if plan.batch.is_empty() {
                break Ok(plan.outcomes);
            }
            let error = match self.committer.commit(plan.batch).await {
                Ok(()) => {
                    spare.retain(|key| !plan.used_keys.contains(key));
                    break Ok(plan.outcomes);
                }
                Err(error) => error,
            };
            if error != StoreError::Conflict {
                if self.may_be_entered(&error, &plan.used_keys) {
                    spare.retain(|key| !plan.used_keys.contains(key));
                }
                break Err(error.into());
            }
            if tries == CONFLICT_TRIES {
                break Err(error.into());
            }
            tries += 1;
        };
        self.keys.destroy_many(&spare)?;
        done
    }

    /// Whether a commit that failed with `error` may have entered the persons and groups with these keys all
    /// the same. Their keys must stay then; otherwise they would pile up while a full disk makes an import
    /// try again and again.
    fn may_be_entered(&self, error: &StoreError, keys: &BTreeSet<KeyId>) -> bool {
        let Some(key) = keys.first() else { return false };
        if matches!(error, StoreError::Closed) {
            return true;
        }
        let is_there = |kind: Kind| -> Result<bool> {
            Ok(self.store.snapshot()?.get(kind.keyspace(), &kind.row(*key))?.is_some())
        };
        // A batch is there as a whole or not at all, so one of them speaks for all.
        [Kind::Person, Kind::Group].into_iter().any(|kind| is_there(kind).unwrap_or(true))
    }

    /// How much there is.
    ///
    /// # Errors
    /// [`BookError::Store`].
    pub fn counts(&self) -> Result<Counts> {
        let view = self.store.snapshot()?;
        let count = |counter: Counter| -> Result<u64> {
            layout::parse_count(view.get(Keyspace::Meta, &counter.key())?.as_deref())
        };
        let mut counts = Counts {
            subjects: count(Counter::Subjects)?,
            groups: count(Counter::Groups)?,
            records: BTreeMap::new(),
        };
        for category in Category::ALL {
            match count(Counter::Records(category))? {
                0 => {}
                records => _ = counts.records.insert(category, records),
            }
        }
        Ok(counts)
    }
}

fn check_amount(entries: &[Entry]) -> Result<()> {
    let (mut count, mut bytes) = (0, 0);
    for entry in entries {
        match entry {
            Entry::Person(_) => count += 1,
            Entry::Group { members, .. } => count += 1 + members.len(),
            Entry::Record(record) => {
                count += 1;
                // What is refused for its size takes no room.
                bytes += Some(record.content.len()).filter(|len| *len <= CONTENT_BYTES_MAX).unwrap_or(0);
            }
        }
    }
    if count > PUT_ENTRIES_MAX || bytes > PUT_BYTES_MAX {
        return Err(BookError::TooMuch { entries: count, bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
