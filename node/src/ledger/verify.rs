//! `hibiki-node ledger verify`: everything that can be checked about a ledger by its owner, who alone can also
//! open the entries.

use std::collections::BTreeMap;
use std::path::Path;

use hibiki_protocol::tlog::{Hash, Leaf, VerifierKey, split_notes};
use serde::Serialize;

use super::disk::DiskStorage;
use super::entry::{Content, Unopened, open_sealed};
use super::error::OpenError;
use super::head::{self, HISTORY, read_heads};
use super::record::Record;
use super::replay::{Extent, replay};
use super::seal::EntrySealer;
use super::storage::Storage;
use super::tiles::Tiles;
use super::{Ledger, read_lock};

/// The most findings that a report lists per check; the rest are only counted.
const LISTED: usize = 20;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Checked, and right.
    Passed,
    /// Checked, and wrong.
    Failed,
    /// Not checked.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub what: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// How many things were compared.
    pub count: u64,
    /// What is wrong, or why it was not checked. No personal data: places and reasons.
    pub findings: Vec<String>,
}

impl Check {
    const fn new(what: &'static str) -> Self {
        Self { what, outcome: Outcome::Passed, count: 0, findings: Vec::new() }
    }

    fn skipped(what: &'static str, why: &str) -> Self {
        Self { outcome: Outcome::Skipped, findings: vec![why.to_owned()], ..Self::new(what) }
    }

    fn compare(&mut self, right: bool, finding: impl FnOnce() -> String) {
        self.count += 1;
        if right {
            return;
        }
        self.outcome = Outcome::Failed;
        if self.findings.len() < LISTED {
            self.findings.push(finding());
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The name of the ledger.
    pub origin: String,
    /// How many entries were read.
    pub entries: u64,
    /// The root over them, in base64.
    pub root: String,
    /// The size of the newest checkpoint.
    pub signed: u64,
    /// How many entries opened to what their leaf commits to.
    pub opened: u64,
    /// How many cannot be opened because their subject was erased.
    pub erased: u64,
    /// Everything that was checked.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Failed)
    }
}

impl Ledger {
    /// Verifies the ledger on disk up to the entries that are durable now. `deep` also compares every tile,
    /// verifies every checkpoint ever signed, and opens every entry.
    ///
    /// # Errors
    /// [`OpenError`] if the journal cannot be read to its end: that is damage, and the report would be empty.
    pub fn verify(&self, deep: bool) -> Result<Report, OpenError> {
        let (until, signed) = {
            let index = read_lock(&self.inner.index);
            (index.size(), index.head.clone())
        };
        let signed = signed.map(|head| (head.checkpoint.size, head.checkpoint.root));
        let sealer = deep.then_some(self.inner.setup.sealer.as_ref());
        let storage = self.inner.storage.as_ref();
        Verification::new(storage, self.verifier_key(), signed, deep, sealer).run(until)
    }
}

/// Verifies the folder of a ledger that no node has open. Entries are opened if there is a `sealer`.
///
/// # Errors
/// [`OpenError`] if the ledger would not open.
pub fn verify_folder(
    folder: &Path,
    key: &VerifierKey,
    sealer: Option<&dyn EntrySealer>,
) -> Result<Report, OpenError> {
    let storage = DiskStorage::read_only(folder);
    let signed = read_heads(&storage, key)?.newest;
    let signed = signed.map(|head| (head.checkpoint.size, head.checkpoint.root));
    Verification::new(&storage, key, signed, true, sealer).run(u64::MAX)
}

/// A verification at work.
struct Verification<'a> {
    storage: &'a dyn Storage,
    key: &'a VerifierKey,
    signed: Option<(u64, Hash)>,
    deep: bool,
    sealer: Option<&'a dyn EntrySealer>,
    tiles: Tiles,
    /// Roots by size, from every checkpoint ever signed.
    heads: BTreeMap<u64, Hash>,
    leaves: Check,
    files: Check,
    consistency: Check,
    sealed: Check,
    opened: u64,
    erased: u64,
}

impl<'a> Verification<'a> {
    fn new(
        storage: &'a dyn Storage,
        key: &'a VerifierKey,
        signed: Option<(u64, Hash)>,
        deep: bool,
        sealer: Option<&'a dyn EntrySealer>,
    ) -> Self {
        Self {
            storage,
            key,
            signed,
            deep,
            sealer,
            tiles: Tiles::default(),
            heads: signed.into_iter().collect(),
            leaves: Check::new("every leaf in the journal is well formed"),
            files: Check::new("tiles and entry bundles on disk are those of the journal"),
            consistency: Check::new("every signed checkpoint is a prefix of the journal"),
            sealed: Check::new("every sealed entry opens to what its leaf commits to, or was erased"),
            opened: 0,
            erased: 0,
        }
    }

    fn run(mut self, until: u64) -> Result<Report, OpenError> {
        let signatures = self.signatures()?;
        let signed = self.signed.map_or(0, |(size, _)| size);
        let extent = Extent { signed, until };
        replay(self.storage, self.key.name(), extent, |_, record| self.record(record))?;
        let beyond = self.heads.keys().filter(|size| **size > self.tiles.size()).count();
        self.consistency.compare(beyond == 0, || {
            format!("{beyond} signed checkpoints state more entries than there are")
        });
        let why = "only done by a deep verification, with the keyring";
        let sealed = if self.sealer.is_some() { self.sealed } else { Check::skipped(self.sealed.what, why) };
        let files = if self.deep { self.files } else { Check::skipped(self.files.what, why) };
        Ok(Report {
            origin: self.key.name().to_owned(),
            entries: self.tiles.size(),
            root: self.tiles.root().to_string(),
            signed,
            opened: self.opened,
            erased: self.erased,
            checks: vec![self.leaves, self.consistency, signatures, files, sealed],
        })
    }

    /// Verifies the signature of every checkpoint in the history.
    fn signatures(&mut self) -> Result<Check, OpenError> {
        let what = "every checkpoint is signed by the key of the ledger";
        if !self.deep {
            return Ok(Check::skipped(what, "only the newest one: the rest by a deep verification"));
        }
        let mut check = Check::new(what);
        let history = self.storage.read(HISTORY).map_err(OpenError::io(HISTORY))?.unwrap_or_default();
        let (notes, _) = split_notes(&history);
        for (number, note) in notes.iter().enumerate() {
            match head::open(note, self.key) {
                Ok(signed) => {
                    let known = self.heads.insert(signed.checkpoint.size, signed.checkpoint.root);
                    let same = known.is_none_or(|root| root == signed.checkpoint.root);
                    check.compare(same, || {
                        format!("two checkpoints of {} entries differ: a fork", signed.checkpoint.size)
                    });
                }
                Err(error) => check.compare(false, || format!("checkpoint {number}: {error}")),
            }
        }
        Ok(check)
    }

    /// Looks at one record.
    fn record(&mut self, record: &Record<'_>) {
        let leaf = Leaf::decode(record.leaf);
        self.leaves.compare(leaf.is_ok(), || format!("entry {}: no leaf", record.index));
        self.tiles.append(record.leaf);
        let size = self.tiles.size();
        if let Some(root) = self.heads.get(&size).copied() {
            let same = root == self.tiles.root();
            self.consistency.compare(same, || format!("the checkpoint of {size} entries has another root"));
        }
        let mut files = self.tiles.take_full();
        let signed = self.signed.map_or(0, |(size, _)| size);
        if size == signed {
            files.extend(self.tiles.partial());
        }
        if self.deep && size <= signed {
            for (path, bytes) in files {
                let same = self.storage.read(&path).is_ok_and(|found| found.as_ref() == Some(&bytes));
                self.files.compare(same, || format!("{path} is missing or differs"));
            }
        }
        if let (Some(sealer), Ok(leaf)) = (self.sealer, leaf) {
            self.open(&leaf, record, sealer);
        }
    }

    /// Opens one sealed entry.
    fn open(&mut self, leaf: &Leaf, record: &Record<'_>, sealer: &dyn EntrySealer) {
        let origin = self.key.name();
        let content = open_sealed(origin, leaf, record.leaf, record.subject, record.sealed, sealer);
        match &content {
            Ok((Content::Details(_), _)) => self.opened += 1,
            Ok((Content::Erased, _)) => self.erased += 1,
            Err(_) => {}
        }
        self.sealed.compare(content.is_ok(), || match content {
            Err(Unopened::Seal(error)) => format!("entry {}: {error}", record.index),
            _ => format!("entry {}: it opens to something else than its leaf commits to", record.index),
        });
    }
}
