//! Whole audits of a small synthetic federation: the honest one passes, and every wrong it can do is found by
//! the strand that is there for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod federation;
mod hostile;
mod ledgers;
mod locality;
mod parties;
mod reports;

use hibiki_audit::artefacts::Artefacts;
use hibiki_audit::report::{Report, audit};

use federation::Federation;

/// Writes a federation after it was changed, and audits it.
pub(crate) fn audited(change: impl FnOnce(&mut Federation)) -> Report {
    audited_after(change, |_| {})
}

/// The same, with the files changed after they were written.
pub(crate) fn audited_after(change: impl FnOnce(&mut Federation), spoil: impl FnOnce(&Federation)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let mut federation = Federation::honest(folder.path());
    change(&mut federation);
    federation.write();
    spoil(&federation);
    audit(&Artefacts::open(folder.path()).unwrap(), &mut |_| {})
}

/// The strands that did not pass.
pub(crate) fn failed(report: &Report) -> Vec<&str> {
    assert_eq!(report.passed, report.strands.iter().all(|strand| strand.passed));
    report.strands.iter().filter(|strand| !strand.passed).map(|strand| strand.name.as_str()).collect()
}

/// What a strand complains of.
pub(crate) fn said(report: &Report, name: &str) -> String {
    let strand = report.strands.iter().find(|strand| strand.name == name).unwrap();
    [strand.problems.join("\n"), strand.missing.join("\n")].join("\n")
}

#[test]
fn the_honest_federation_passes() {
    let report = audited(|_| {});
    assert_eq!(failed(&report), Vec::<&str>::new(), "{report:#?}");
    assert!(report.passed);
}
