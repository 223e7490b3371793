//! What findings mean: whose secret lay in whose place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Finding, Findings, Scanner};

/// Which paths are whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Homes {
    /// A path and the owner whose secrets may lie below it.
    pub owned: Vec<(PathBuf, String)>,
    /// Paths where nobody's secrets may lie, such as a relay's memory dump.
    pub nobodys: Vec<PathBuf>,
}

/// How a finding is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In its owner's own place.
    Own,
    /// In the place of somebody else.
    Foreign,
    /// In a place that was not marked as anybody's.
    Unmarked,
}

/// How many of an owner's needles lie in its own place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recall {
    /// Needles of this owner.
    pub needles: u64,
    /// Those that were found in a place marked as this owner's.
    pub found: u64,
}

/// The result of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether no secret lay in a foreign place, everything was read and followed, and the control found all it
    /// planted.
    pub passed: bool,
    /// Forms planted in the control before the scan.
    pub control_planted: u64,
    /// Of them, found again.
    pub control_found: u64,
    /// Findings in the place of somebody else: each one is a leak.
    pub foreign: Vec<Finding>,
    /// Findings in places that were not marked as anybody's.
    pub unmarked: Vec<Finding>,
    /// Findings in the place of their owner.
    pub own: Vec<Finding>,
    /// Per owner: how many of its needles lie in its own place. Encryption at rest makes this small, and is
    /// then meant to.
    pub recall: BTreeMap<String, Recall>,
    /// Files, bytes, and what could not be read.
    pub scanned: Findings,
    /// What such a search cannot find.
    pub limits: Vec<&'static str>,
}

impl Homes {
    /// Judges one finding. The longest marked path above it decides.
    #[must_use]
    pub fn verdict(&self, finding: &Finding) -> Verdict {
        let path = Path::new(&finding.path);
        let owned = self.owned.iter().map(|(home, owner)| (home, Some(owner)));
        let marked = owned.chain(self.nobodys.iter().map(|home| (home, None)));
        let above: Vec<_> = marked.filter(|(home, _)| path.starts_with(home)).collect();
        let Some(longest) = above.iter().map(|(home, _)| home.components().count()).max() else {
            return Verdict::Unmarked;
        };
        let mut nearest = above.iter().filter(|(home, _)| home.components().count() == longest);
        // One place may be marked for several owners: a machine that two members share.
        if nearest.any(|(_, owner)| *owner == Some(&finding.owner)) { Verdict::Own } else { Verdict::Foreign }
    }
}

/// Judges all findings of a scan, with the scanner's own control.
#[must_use]
pub fn judge(scanner: &Scanner, mut findings: Findings, homes: &Homes) -> Report {
    let (control_planted, control_found) = scanner.control();
    let mut report = Report { control_planted, control_found, ..Report::default() };
    let mut at_home = BTreeSet::new();
    for finding in std::mem::take(&mut findings.found) {
        match homes.verdict(&finding) {
            Verdict::Own => {
                at_home.insert(finding.needle);
                report.own.push(finding);
            }
            Verdict::Foreign => report.foreign.push(finding),
            Verdict::Unmarked => report.unmarked.push(finding),
        }
    }
    for (number, needle) in scanner.needles().iter().enumerate() {
        let recall = report.recall.entry(needle.owner.clone()).or_default();
        recall.needles += 1;
        recall.found += u64::from(at_home.contains(&number));
    }
    report.passed = report.foreign.is_empty()
        && findings.unread.is_empty()
        && findings.bombs == 0
        && findings.files > 0
        && control_planted == control_found;
    report.scanned = findings;
    report.limits = vec![
        "encrypted bytes hide everything: a clean result is about what is readable without a key",
        "not searched: zstd, brotli, bzip2 and xz streams, streams within streams, base64 broken into lines, \
         secrets split over two places",
        "a compressed stream is followed through the 8 MiB after it began, and up to 64 MiB of its content (4 MiB \
         for raw deflate, which has no mark)",
    ];
    report
}
