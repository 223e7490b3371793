//! Verifying a copied ledger folder: the files `checkpoint`, `checkpoints` and `tile/` and nothing else.
//!
//! Every leaf is hashed again from the entry bundles, every tile compared, the root compared with the signed
//! head, and every older head with the tree as it then was. Must not know what stands sealed behind a leaf.

use std::collections::BTreeMap;
use std::path::Path;

use hibiki_protocol::tlog::{
    Checkpoint, FULL_TILE, Hash, Leaf, NoteSignature, SignedNote, Tile, TileEdge, VerifierKey, decode_bundle,
    leaf_hash, split_notes, tiles_of,
};
use serde::Serialize;

use crate::artefacts::{FILE_MAX, read};

/// Bytes of the longest history of checkpoints: some three years of one a minute.
const HISTORY_MAX: u64 = 512 << 20;
/// The most findings a report lists; the rest are counted.
const LISTED: usize = 50;

/// The file with the newest checkpoint that enough witnesses cosigned.
const COSIGNED: &str = "cosigned";

/// The most bytes of a note that a crash may have torn.
const MAX_TORN: usize = 4096;

/// What the verification of one ledger found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything that was checked is right.
    pub passed: bool,
    /// The name of the ledger.
    pub origin: String,
    /// Leaves by the checkpoint.
    pub size: u64,
    /// The root by the checkpoint, in base64.
    pub root: String,
    /// Names of the witnesses that cosigned, with their times in seconds.
    pub witnesses: Vec<(String, u64)>,
    /// Leaves under the newest checkpoint that witnesses cosigned, as the file `cosigned` keeps it.
    pub cosigned: u64,
    /// Lines under it that neither the ledger nor a known witness has signed.
    pub strangers: u64,
    /// How many things were checked, by what they are.
    pub checked: BTreeMap<&'static str, u64>,
    /// Entries by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Time of the first and last entry, in milliseconds since the Unix epoch, by the clock of the institution.
    pub times_ms: Option<(u64, u64)>,
    /// Entries with an earlier time than the entry before them: a clock was set back.
    pub backwards: u64,
    /// What is wrong.
    pub problems: Vec<String>,
    /// How many problems are not listed.
    pub more_problems: u64,
    /// What this verification cannot say.
    pub not_checked: Vec<&'static str>,
}

impl Report {
    fn count(&mut self, what: &'static str) {
        *self.checked.entry(what).or_default() += 1;
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < LISTED {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }

    fn compare(&mut self, what: &'static str, right: bool, problem: impl FnOnce() -> String) {
        self.count(what);
        if !right {
            self.problem(problem());
        }
    }
}

/// Verifies the ledger in a folder against the key of the log. Checkpoints of the same ledger that the auditor
/// kept from earlier visits (`earlier`, whole notes) must be prefixes of it.
#[must_use]
pub fn verify(folder: &Path, key: &VerifierKey, witnesses: &[VerifierKey], earlier: &[Vec<u8>]) -> Report {
    verify_and_read(folder, key, witnesses, earlier).0
}

/// The same, and the leaves as far as they could be read.
#[must_use]
pub fn verify_and_read(
    folder: &Path,
    key: &VerifierKey,
    witnesses: &[VerifierKey],
    earlier: &[Vec<u8>],
) -> (Report, Vec<Leaf>) {
    let mut report = Report { origin: key.name().to_owned(), ..Report::default() };
    report.not_checked = vec![
        "what stands sealed behind the leaves: only the institution can open it",
        "whether a newer checkpoint exists elsewhere: compare with witnesses, receipts and earlier visits",
        "whether everything that happened was logged: reconcile with the other party's ledger",
    ];
    if witnesses.is_empty() {
        report.not_checked.push("cosignatures: no witness key was given");
    }
    let Some((head, _)) = newest(folder, "checkpoint", key, witnesses, &mut report) else {
        return (report, Vec::new());
    };
    if !report.witnesses.is_empty() {
        report.cosigned = head.size;
    }
    let mut earlier = earlier.to_vec();
    if folder.join(COSIGNED).symlink_metadata().is_ok()
        && let Some((cosigned, note)) = newest(folder, COSIGNED, key, witnesses, &mut report)
    {
        report.cosigned = cosigned.size;
        let known = |line: &&NoteSignature| key.made(line) || witnesses.iter().any(|key| key.made(line));
        let lines = SignedNote::parse(&note).map(|note| note.signatures().to_vec()).unwrap_or_default();
        report.strangers = lines.iter().filter(|line| !known(line)).count() as u64;
        earlier.push(note);
    }
    report.size = head.size;
    report.root = head.root.to_string();
    let heads = known_heads(folder, key, &earlier, &head, &mut report);
    let mut tree = Tree { edge: TileEdge::new(), report, folder, heads, last_time: None, leaves: Vec::new() };
    tree.walk(head.size);
    tree.report.compare("root of the newest checkpoint", tree.edge.root() == head.root, || {
        "the entries do not lead to the root that the checkpoint states".to_owned()
    });
    let mut report = std::mem::take(&mut tree.report);
    report.passed = report.problems.is_empty();
    (report, tree.leaves)
}

/// The newest checkpoint, verified, and its note: by the ledger alone, or that witnesses cosigned.
fn newest(
    folder: &Path,
    name: &str,
    key: &VerifierKey,
    witnesses: &[VerifierKey],
    report: &mut Report,
) -> Option<(Checkpoint, Vec<u8>)> {
    let opened = read(&folder.join(name), FILE_MAX).and_then(|note| {
        let (head, seen) = Checkpoint::open(&note, key, witnesses).map_err(|error| error.to_string())?;
        Ok((head, seen, note))
    });
    match opened {
        Ok((head, seen, note)) => {
            report.count("checkpoint signatures");
            for seen in seen {
                report.count("cosignatures");
                let name = witnesses.get(seen.key).map_or("", VerifierKey::name);
                report.witnesses.push((name.to_owned(), seen.time.unwrap_or_default()));
            }
            Some((head, note))
        }
        Err(error) => {
            report.problem(format!("{name}: {error}"));
            None
        }
    }
}

/// The roots that any signed checkpoint states, by size: from the folder's own history and from earlier visits.
fn known_heads(
    folder: &Path,
    key: &VerifierKey,
    earlier: &[Vec<u8>],
    newest: &Checkpoint,
    report: &mut Report,
) -> BTreeMap<u64, Hash> {
    let mut heads = BTreeMap::from([(newest.size, newest.root)]);
    let history = match read(&folder.join("checkpoints"), HISTORY_MAX) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.problem(format!("checkpoints: {error}"));
            Vec::new()
        }
    };
    let (notes, whole) = split_notes(&history);
    // A crash may tear the end; a head that was never published binds nobody.
    let torn = history.len() - whole;
    report.compare("history of checkpoints", torn < MAX_TORN, || {
        format!("checkpoints: {torn} bytes at the end are no notes")
    });
    for note in notes.into_iter().map(<[u8]>::to_vec).chain(earlier.iter().cloned()) {
        match Checkpoint::open(&note, key, &[]) {
            Ok((head, _)) => {
                report.count("checkpoint signatures");
                let known = *heads.entry(head.size).or_insert(head.root);
                report.compare("checkpoints against each other", known == head.root, || {
                    format!("two signed checkpoints of size {} differ: the log was forked", head.size)
                });
                report.compare("checkpoints against the newest", head.size <= newest.size, || {
                    format!("a signed checkpoint of size {} is newer than this ledger: rollback", head.size)
                });
            }
            Err(error) => {
                let text = SignedNote::parse(&note).map(|note| note.text().to_owned()).unwrap_or_default();
                let size = text.lines().nth(1).unwrap_or("?").to_owned();
                report.problem(format!("a checkpoint of size {size} in the history: {error}"));
            }
        }
    }
    heads
}

/// The tree as it is built up again.
struct Tree<'a> {
    edge: TileEdge,
    report: Report,
    folder: &'a Path,
    heads: BTreeMap<u64, Hash>,
    last_time: Option<u64>,
    leaves: Vec<Leaf>,
}

impl Tree<'_> {
    /// Reads every bundle in order, then compares the tiles of the right edge.
    fn walk(&mut self, size: u64) {
        for tile in tiles_of(size).filter(|tile| tile.level() == 0) {
            let path = tile.entries_path();
            let bytes = match self.read(&path, &Tile::full(0, tile.index()).entries_path()) {
                Ok((bytes, _)) => bytes,
                Err(problem) => {
                    self.report.problem(problem);
                    return;
                }
            };
            let entries = match entries_of(&bytes, tile.width()) {
                Ok(entries) => entries,
                Err(problem) => {
                    self.report.problem(format!("{path}: {problem}"));
                    return;
                }
            };
            self.report.count("entry bundles");
            for entry in entries {
                self.entry(entry);
            }
        }
        let partial: Vec<_> = self.edge.partial_tiles().collect();
        for (tile, bytes) in partial {
            self.tile(tile, &bytes);
        }
    }

    /// One entry: its form, its hash, the tiles it completes, the heads that end with it.
    fn entry(&mut self, entry: &[u8]) {
        let index = self.edge.size();
        match Leaf::decode(entry) {
            Ok(leaf) => {
                *self.report.kinds.entry(leaf.kind.name()).or_default() += 1;
                if self.last_time.is_some_and(|last| leaf.time_ms < last) {
                    self.report.backwards += 1;
                }
                self.last_time = Some(leaf.time_ms);
                let first = self.report.times_ms.map_or(leaf.time_ms, |(first, _)| first);
                self.report.times_ms = Some((first, leaf.time_ms));
                self.leaves.push(leaf);
            }
            Err(error) => self.report.problem(format!("entry {index}: {error}")),
        }
        self.report.count("leaves");
        let mut full = Vec::new();
        self.edge.append_leaf(leaf_hash(entry), |tile, bytes| full.push((tile, bytes)));
        for (tile, bytes) in full {
            self.tile(tile, &bytes);
        }
        if let Some(root) = self.heads.get(&self.edge.size()) {
            let same = *root == self.edge.root();
            self.report.compare("roots of signed checkpoints", same, || {
                format!("the checkpoint of size {} is not a prefix of this ledger", index + 1)
            });
        }
    }

    /// One tile of hashes on disk against the hashes it must hold.
    fn tile(&mut self, tile: Tile, expected: &[u8]) {
        let full = Tile::full(tile.level(), tile.index()).path();
        match self.read(&tile.path(), &full) {
            Ok((bytes, cut)) => {
                let bytes = if cut { bytes.get(..expected.len()).unwrap_or_default() } else { &bytes };
                self.report.compare("tiles", bytes == expected, || {
                    format!("{}: its hashes are not those of the entries", tile.path())
                });
            }
            Err(problem) => self.report.problem(problem),
        }
    }

    /// A file, or the full one that has replaced it while the copy was made (then `true`).
    fn read(&self, path: &str, full: &str) -> Result<(Vec<u8>, bool), String> {
        match read(&self.folder.join(path), FILE_MAX) {
            Ok(bytes) => Ok((bytes, false)),
            Err(error) if path == full => Err(format!("{path}: {error}")),
            Err(error) => match read(&self.folder.join(full), FILE_MAX) {
                Ok(bytes) => Ok((bytes, true)),
                Err(_) => Err(format!("{path}: {error}")),
            },
        }
    }
}

/// The first `width` entries of a bundle that holds these or, if the full one replaced it, all 256.
fn entries_of(bytes: &[u8], width: usize) -> Result<Vec<&[u8]>, String> {
    match decode_bundle(bytes, width) {
        Ok(entries) => Ok(entries),
        Err(error) => match decode_bundle(bytes, FULL_TILE) {
            Ok(mut entries) => {
                entries.truncate(width);
                Ok(entries)
            }
            Err(_) => Err(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use hibiki_protocol::tlog::{EntryKind, KeyAlgorithm, NoteSigner, encode_entry};

    use super::*;

    fn signer(seed: u8) -> NoteSigner {
        NoteSigner::from_seed("maebashi/clinic/ledger", KeyAlgorithm::Ed25519, &[seed; 32]).unwrap()
    }

    fn write(folder: &Path, path: &str, bytes: &[u8]) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes a ledger of `size` entries as an independent implementation of tlog-tiles would.
    fn ledger(folder: &Path, size: u64, heads: &[u64], salt: u8) -> Vec<Vec<u8>> {
        let signer = signer(1);
        let (mut edge, mut bundle, mut history, mut notes) =
            (TileEdge::new(), Vec::new(), String::new(), Vec::new());
        for n in 0..size {
            let leaf = Leaf {
                kind: EntryKind::ALL[n as usize % EntryKind::ALL.len()],
                time_ms: 1_000 + n,
                commitment: [salt; 32],
                digests: Vec::new(),
            };
            encode_entry(&mut bundle, &leaf.encode()).unwrap();
            edge.append_leaf(leaf_hash(&leaf.encode()), |tile, bytes| {
                write(folder, &tile.path(), &bytes);
                if tile.level() == 0 {
                    write(folder, &tile.entries_path(), &std::mem::take(&mut bundle));
                }
            });
            if heads.contains(&(n + 1)) || n + 1 == size {
                let head =
                    Checkpoint { origin: "maebashi/clinic/ledger".into(), size: n + 1, root: edge.root() };
                let note = head.sign(&signer).unwrap().to_string();
                history += &format!("{note}\n");
                write(folder, "checkpoint", note.as_bytes());
                notes.push(note.into_bytes());
            }
        }
        for (tile, bytes) in edge.partial_tiles() {
            write(folder, &tile.path(), &bytes);
            if tile.level() == 0 {
                write(folder, &tile.entries_path(), &bundle);
            }
        }
        write(folder, "checkpoints", history.as_bytes());
        notes
    }

    fn verify_it(folder: &Path) -> Report {
        verify(folder, signer(1).verifier_key(), &[], &[])
    }

    #[test]
    fn a_whole_ledger_passes() {
        let folder = tempfile::tempdir().unwrap();
        let notes = ledger(folder.path(), 600, &[3, 256, 300], 1);
        let report = verify(folder.path(), signer(1).verifier_key(), &[], &notes);
        assert!(report.passed, "{report:?}");
        assert_eq!((report.size, report.checked["leaves"], report.checked["tiles"]), (600, 600, 4));
        // Kinds take turns, beginning with the release.
        let releases = (0..600).step_by(EntryKind::ALL.len()).count() as u64;
        assert_eq!((report.checked["roots of signed checkpoints"], report.kinds["release"]), (4, releases));
        assert_eq!((report.times_ms, report.backwards), (Some((1_000, 1_599)), 0));
    }

    #[test]
    fn every_altered_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        ledger(folder.path(), 600, &[300], 1);
        let files = [
            "checkpoint",
            "checkpoints",
            "tile/0/000",
            "tile/0/001",
            "tile/0/002.p/88",
            "tile/1/000.p/2",
            "tile/entries/000",
            "tile/entries/001",
            "tile/entries/002.p/88",
        ];
        for file in files {
            let path = folder.path().join(file);
            let whole = std::fs::read(&path).unwrap();
            for at in [0, whole.len() / 3, whole.len() - 3] {
                let mut altered = whole.clone();
                altered[at] ^= 1;
                std::fs::write(&path, altered).unwrap();
                assert!(!verify_it(folder.path()).passed, "{file} altered at {at}");
            }
            std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
            // The last byte of the history is the empty line after its last note: torn by a crash, that note
            // binds nobody, and it is the newest checkpoint anyway.
            assert_eq!(verify_it(folder.path()).passed, file == "checkpoints", "{file} cut");
            std::fs::remove_file(&path).unwrap();
            assert!(!verify_it(folder.path()).passed, "{file} missing");
            std::fs::write(&path, whole).unwrap();
            assert!(verify_it(folder.path()).passed);
        }
        assert!(!verify(folder.path(), signer(2).verifier_key(), &[], &[]).passed, "another key");
    }

    #[test]
    fn a_rewritten_or_shortened_ledger_is_found_by_an_earlier_visit() {
        let (then, now) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = ledger(then.path(), 400, &[], 1);
        ledger(now.path(), 500, &[], 2);
        assert!(verify_it(now.path()).passed, "in itself the rewritten ledger is consistent");
        let report = verify(now.path(), signer(1).verifier_key(), &[], &kept);
        assert!(!report.passed && report.problems[0].contains("not a prefix"), "{report:?}");
        let shorter = tempfile::tempdir().unwrap();
        ledger(shorter.path(), 300, &[], 1);
        let report = verify(shorter.path(), signer(1).verifier_key(), &[], &kept);
        assert!(!report.passed && report.problems[0].contains("rollback"), "{report:?}");
    }

    #[test]
    fn witnesses_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let notes = ledger(folder.path(), 5, &[], 1);
        let witness =
            NoteSigner::from_seed("takasaki/witness", KeyAlgorithm::CosignatureV1, &[9; 32]).unwrap();
        let mut note = SignedNote::parse(&notes[0]).unwrap();
        let cosignature = witness.sign(note.text(), 1_700_000_000);
        note.add(cosignature);
        write(folder.path(), "checkpoint", note.to_string().as_bytes());
        let keys = [witness.verifier_key().clone()];
        let report = verify(folder.path(), signer(1).verifier_key(), &keys, &[]);
        assert!(report.passed, "{report:?}");
        assert_eq!(report.witnesses, [("takasaki/witness".to_owned(), 1_700_000_000)]);
        assert!(verify_it(folder.path()).witnesses.is_empty());
    }
}
