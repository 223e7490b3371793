//! The federation in one process, in virtual time, from a seed: see docs/simulation.md.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use hibiki_tests::rehearsal::{Plan, Report, rehearse};

fn once(seed: u64, plan: &Plan) -> Report {
    let report = rehearse(seed, plan).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    println!("{report}");
    if !report.broken.is_empty() {
        panic!("{}\n{report}", report.chronicle.join("\n"));
    }
    report
}

#[test]
fn without_troubles_every_view_is_complete() {
    let report = once(1, &Plan::calm(4, 2));
    println!("{}", report.chronicle.join("\n"));
    assert!(report.tally.views > 4);
    assert_eq!((report.tally.complete, report.tally.refused), (report.tally.views, 0));
}
