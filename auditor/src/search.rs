//! Searching places for secrets, and what a find means: a secret lies at its owner's, or it has leaked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::scan::{Finding, Scanner};
use crate::strand::Strand;

/// A place to be searched, and whose it is; nobody's secrets may be at a place of nobody's, such as a relay's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File or folder.
    pub path: PathBuf,
    /// Files below this folder are named from there.
    pub root: PathBuf,
    /// Whose.
    pub owner: Option<String>,
}

/// Is every secret nowhere but at its owner's place?
pub fn secrets(scanner: &Scanner, places: &[Place]) -> Strand {
    let mut strand = Strand::new("scan");
    control(scanner, usize::MAX, &mut strand);
    let mut home = BTreeSet::new();
    places.iter().for_each(|place| home.extend(searched(scanner, place, &mut strand)));
    // Encryption at rest makes this small, and is meant to.
    strand.count("secrets found at home", home.len() as u64);
    strand.count("secrets", scanner.needles().len() as u64);
    if strand.figure("files searched") == 0 {
        strand.missing("files to search");
    }
    strand.done()
}

/// The scanner finds what is planted for it; otherwise its finding nothing means nothing.
pub(crate) fn control(scanner: &Scanner, most: usize, strand: &mut Strand) {
    let (planted, found) = scanner.control_of(most);
    strand.count("control: forms planted", planted);
    strand.count("control: forms found", found);
    strand.must(planted == found, || {
        "the search did not find what was planted for its own control: it proves nothing".to_owned()
    });
}

/// Searches one place; secrets of its owner are returned, those of anybody else are leaks.
pub(crate) fn searched(scanner: &Scanner, place: &Place, strand: &mut Strand) -> BTreeSet<usize> {
    let Place { path, root, owner } = place;
    let findings = scanner.scan_path(path);
    let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    strand.count("files searched", findings.files);
    strand.count("bytes searched", findings.bytes);
    strand.count("bytes inflated", findings.inflated);
    findings.unread.iter().for_each(|unread| strand.missing(format!("not read: {unread}")));
    if findings.bombs > 0 {
        let bombs = format!("{} streams inflate beyond all measure", findings.bombs);
        strand.missing(format!("{}: {bombs}", name(path)));
    }
    let (mut home, mut abroad) = (BTreeSet::new(), BTreeSet::new());
    for Finding { needle, owner: whose, path, form, count, offsets } in findings.found {
        if owner.as_ref() == Some(&whose) {
            home.insert(needle);
            continue;
        }
        abroad.insert(needle);
        let (place, first) = (name(Path::new(&path)), offsets.first().copied().unwrap_or_default());
        let how = format!("{form}, {count} times, first at byte {first}");
        strand.problem(format!("canary {needle} of {whose} lies in {place} ({how})"));
    }
    strand.count("canaries abroad", abroad.len() as u64);
    home
}
