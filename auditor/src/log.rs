//! Verifying a copied ledger folder: the files `checkpoint`, `checkpoints`, `cosigned` and `tile/` and nothing else.
//!
//! Every leaf is hashed again from the entry bundles, every tile compared, the root compared with the signed
//! head, and every older head with the tree as it then was. Must not know what stands sealed behind a leaf.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use hibiki_protocol::tlog::{
    Checkpoint, FULL_TILE, Hash, Leaf, NoteSignature, SignedNote, Tile, TileEdge, VerifierKey, decode_bundle,
    leaf_hash, split_notes, tiles_of,
};
use serde::Serialize;

use crate::artefacts::{FILE_MAX, read};
use crate::strand::Strand;

/// Bytes of the longest history of checkpoints: some three years of one a minute.
const HISTORY_MAX: u64 = 512 << 20;
/// The file with the newest checkpoint that enough witnesses cosigned.
const COSIGNED: &str = "cosigned";
/// The most bytes of a note that a crash may have torn.
const MAX_TORN: usize = 4096;

/// What the verification of one ledger found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was counted, and what is wrong.
    #[serde(flatten)]
    pub strand: Strand,
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
    /// Time of the first and last entry, in milliseconds since the Unix epoch, by the clock of the institution.
    pub times_ms: Option<(u64, u64)>,
    /// Entries with an earlier time than the entry before them: a clock was set back.
    pub backwards: u64,
    /// What this verification cannot say.
    pub not_checked: Vec<&'static str>,
    /// The leaves, as far as they could be read.
    #[serde(skip)]
    pub leaves: Vec<Leaf>,
}

/// For people, line by line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger   {}\nentries  {}\nroot     {}\n", self.origin, self.size, self.root)?;
        if let Some((first, last)) = self.times_ms {
            writeln!(f, "times    {first} to {last} ms since 1970, {} steps backwards", self.backwards)?;
        }
        for (name, time) in &self.witnesses {
            writeln!(f, "witness  {name} at {time} s since 1970")?;
        }
        self.not_checked.iter().try_for_each(|what| writeln!(f, "not checked: {what}"))?;
        self.strand.fmt(f)
    }
}

/// Verifies the ledger in a folder against the key of the log. Checkpoints of the same ledger that the auditor
/// kept from earlier visits (`earlier`, whole notes) must be prefixes of it.
#[must_use]
pub fn verify(folder: &Path, key: &VerifierKey, witnesses: &[VerifierKey], earlier: &[Vec<u8>]) -> Report {
    let strand = Strand::new("ledger");
    let mut report = Report { strand, origin: key.name().to_owned(), ..Report::default() };
    report.not_checked = vec![
        "what stands sealed behind the leaves: only the institution can open it",
        "whether a newer checkpoint exists elsewhere: compare with witnesses, receipts and earlier visits",
        "whether everything that happened was logged: reconcile with the other party's ledger",
    ];
    if witnesses.is_empty() {
        report.not_checked.push("cosignatures: no witness key was given");
    }
    let (heads, edge) = (BTreeMap::new(), TileEdge::new());
    let mut ledger = Ledger { folder, key, witnesses, heads, edge, report };
    if let Some((head, _)) = ledger.newest("checkpoint") {
        ledger.grown_to(&head, earlier);
    }
    let mut report = ledger.report;
    report.strand = report.strand.done();
    report
}

/// A ledger while it is verified.
struct Ledger<'a> {
    folder: &'a Path,
    key: &'a VerifierKey,
    witnesses: &'a [VerifierKey],
    /// The roots that any signed checkpoint states, by size: from the folder's own history and from earlier visits.
    heads: BTreeMap<u64, Hash>,
    /// The tree as it is built up again.
    edge: TileEdge,
    report: Report,
}

impl Ledger<'_> {
    /// The newest checkpoint, verified, and its note: by the ledger alone, or that witnesses cosigned.
    fn newest(&mut self, name: &str) -> Option<(Checkpoint, Vec<u8>)> {
        let opened = read(&self.folder.join(name), FILE_MAX).and_then(|note| {
            let opened = Checkpoint::open(&note, self.key, self.witnesses);
            opened.map(|(head, seen)| (head, seen, note)).map_err(|error| error.to_string())
        });
        let opened = opened.map_err(|error| self.report.strand.problem(format!("{name}: {error}")));
        let (head, seen, note) = opened.ok()?;
        self.report.strand.count("checkpoint signatures", 1);
        for seen in seen {
            self.report.strand.count("cosignatures", 1);
            let name = self.witnesses.get(seen.key).map_or("", VerifierKey::name);
            self.report.witnesses.push((name.to_owned(), seen.time.unwrap_or_default()));
        }
        Some((head, note))
    }

    /// Everything under the newest checkpoint.
    fn grown_to(&mut self, head: &Checkpoint, earlier: &[Vec<u8>]) {
        (self.report.size, self.report.root) = (head.size, head.root.to_string());
        if !self.report.witnesses.is_empty() {
            self.report.cosigned = head.size;
        }
        let mut earlier = earlier.to_vec();
        if self.folder.join(COSIGNED).symlink_metadata().is_ok()
            && let Some((cosigned, note)) = self.newest(COSIGNED)
        {
            let known = |line: &&NoteSignature| {
                self.key.made(line) || self.witnesses.iter().any(|witness| witness.made(line))
            };
            let lines = SignedNote::parse(&note).map(|note| note.signatures().to_vec()).unwrap_or_default();
            self.report.strangers = lines.iter().filter(|line| !known(line)).count() as u64;
            self.report.cosigned = cosigned.size;
            earlier.push(note);
        }
        self.heads(head, &earlier);
        self.entries(head.size);
        let same = self.edge.root() == head.root;
        self.compare("root of the newest checkpoint", same, || {
            "the entries do not lead to the root that the checkpoint states".to_owned()
        });
        let Report { leaves, strand, backwards, times_ms, .. } = &mut self.report;
        leaves.iter().for_each(|leaf| strand.count(&format!("entries: {}", leaf.kind.name()), 1));
        let times = || leaves.iter().map(|leaf| leaf.time_ms);
        *backwards = times().zip(times().skip(1)).filter(|(time, next)| next < time).count() as u64;
        *times_ms = times().next().zip(times().next_back());
    }

    fn compare(&mut self, what: &str, right: bool, problem: impl FnOnce() -> String) {
        self.report.strand.count(what, 1);
        self.report.strand.must(right, problem);
    }

    /// Every checkpoint that was ever signed, against the others and the newest.
    fn heads(&mut self, newest: &Checkpoint, earlier: &[Vec<u8>]) {
        self.heads.insert(newest.size, newest.root);
        let history = read(&self.folder.join("checkpoints"), HISTORY_MAX)
            .map_err(|error| self.report.strand.problem(format!("checkpoints: {error}")))
            .unwrap_or_default();
        let (notes, whole) = split_notes(&history);
        // A crash may tear the end; a head that was never published binds nobody.
        let torn = history.len() - whole;
        self.compare("history of checkpoints", torn < MAX_TORN, || {
            format!("checkpoints: {torn} bytes at the end are no notes")
        });
        for note in notes.into_iter().chain(earlier.iter().map(Vec::as_slice)) {
            match Checkpoint::open(note, self.key, &[]) {
                Ok((Checkpoint { size, root, .. }, _)) => {
                    self.report.strand.count("checkpoint signatures", 1);
                    let same = *self.heads.entry(size).or_insert(root) == root;
                    self.compare("checkpoints against each other", same, || {
                        format!("two signed checkpoints of size {size} differ: the log was forked")
                    });
                    self.compare("checkpoints against the newest", size <= newest.size, || {
                        format!("a signed checkpoint of size {size} is newer than this ledger: rollback")
                    });
                }
                Err(error) => {
                    let text = SignedNote::parse(note).map(|note| note.text().to_owned()).unwrap_or_default();
                    let size = text.lines().nth(1).unwrap_or("?");
                    let problem = format!("a checkpoint of size {size} in the history: {error}");
                    self.report.strand.problem(problem);
                }
            }
        }
    }

    /// Reads every bundle in order, then compares the tiles of the right edge.
    fn entries(&mut self, size: u64) {
        for tile in tiles_of(size).filter(|tile| tile.level() == 0) {
            let path = tile.entries_path();
            let (bytes, cut) = match self.read(&path, &Tile::full(0, tile.index()).entries_path()) {
                Ok(read) => read,
                Err(problem) => return self.report.strand.problem(problem),
            };
            match decode_bundle(&bytes, if cut { FULL_TILE } else { tile.width() }) {
                Ok(entries) => entries.into_iter().take(tile.width()).for_each(|entry| self.entry(entry)),
                Err(problem) => return self.report.strand.problem(format!("{path}: {problem}")),
            }
            self.report.strand.count("entry bundles", 1);
        }
        for (tile, bytes) in self.edge.partial_tiles().collect::<Vec<_>>() {
            self.tile(tile, &bytes);
        }
    }

    /// One entry: its form, its hash, the tiles it completes, the heads that end with it.
    fn entry(&mut self, entry: &[u8]) {
        let index = self.edge.size();
        match Leaf::decode(entry) {
            Ok(leaf) => self.report.leaves.push(leaf),
            Err(error) => self.report.strand.problem(format!("entry {index}: {error}")),
        }
        self.report.strand.count("leaves", 1);
        let mut full = Vec::new();
        self.edge.append_leaf(leaf_hash(entry), |tile, bytes| full.push((tile, bytes)));
        full.into_iter().for_each(|(tile, bytes)| self.tile(tile, &bytes));
        if let Some(root) = self.heads.get(&self.edge.size()) {
            let same = *root == self.edge.root();
            self.compare("roots of signed checkpoints", same, || {
                format!("the checkpoint of size {} is not a prefix of this ledger", index + 1)
            });
        }
    }

    /// One tile of hashes on disk against the hashes it must hold.
    fn tile(&mut self, tile: Tile, expected: &[u8]) {
        match self.read(&tile.path(), &Tile::full(tile.level(), tile.index()).path()) {
            Ok((bytes, cut)) => {
                let same = bytes == expected || cut && bytes.starts_with(expected);
                self.compare("tiles", same, || {
                    format!("{}: its hashes are not those of the entries", tile.path())
                });
            }
            Err(problem) => self.report.strand.problem(problem),
        }
    }

    /// A file, or the full one that has replaced it while the copy was made (then `true`).
    fn read(&self, path: &str, full: &str) -> Result<(Vec<u8>, bool), String> {
        read(&self.folder.join(path), FILE_MAX).map(|bytes| (bytes, false)).or_else(|error| {
            let full = read(&self.folder.join(full), FILE_MAX).map(|bytes| (bytes, true));
            full.map_err(|_| format!("{path}: {error}"))
        })
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
        assert!(report.strand.passed, "{report:?}");
        assert_eq!(
            (report.size, report.strand.figures["leaves"], report.strand.figures["tiles"]),
            (600, 600, 4)
        );
        // Kinds take turns, beginning with the release.
        let releases = (0..600).step_by(EntryKind::ALL.len()).count() as u64;
        assert_eq!(
            (report.strand.figures["roots of signed checkpoints"], report.strand.figures["entries: release"]),
            (4, releases)
        );
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
                assert!(!verify_it(folder.path()).strand.passed, "{file} altered at {at}");
            }
            std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
            // The last byte of the history is the empty line after its last note: torn by a crash, that note
            // binds nobody, and it is the newest checkpoint anyway.
            assert_eq!(verify_it(folder.path()).strand.passed, file == "checkpoints", "{file} cut");
            std::fs::remove_file(&path).unwrap();
            assert!(!verify_it(folder.path()).strand.passed, "{file} missing");
            std::fs::write(&path, whole).unwrap();
            assert!(verify_it(folder.path()).strand.passed);
        }
        assert!(!verify(folder.path(), signer(2).verifier_key(), &[], &[]).strand.passed, "another key");
    }

    #[test]
    fn a_rewritten_or_shortened_ledger_is_found_by_an_earlier_visit() {
        let (then, now) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = ledger(then.path(), 400, &[], 1);
        ledger(now.path(), 500, &[], 2);
        assert!(verify_it(now.path()).strand.passed, "in itself the rewritten ledger is consistent");
        let report = verify(now.path(), signer(1).verifier_key(), &[], &kept);
        assert!(!report.strand.passed && report.strand.problems[0].contains("not a prefix"), "{report:?}");
        let shorter = tempfile::tempdir().unwrap();
        ledger(shorter.path(), 300, &[], 1);
        let report = verify(shorter.path(), signer(1).verifier_key(), &[], &kept);
        assert!(!report.strand.passed && report.strand.problems[0].contains("rollback"), "{report:?}");
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
        assert!(report.strand.passed, "{report:?}");
        assert_eq!(report.witnesses, [("takasaki/witness".to_owned(), 1_700_000_000)]);
        assert!(verify_it(folder.path()).witnesses.is_empty());
    }
}
