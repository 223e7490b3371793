//! Bugs planted on purpose, each of which a rehearsal must find: see `tests/planted`. Run by `make planted`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// What is planted, and where.
const PATCH: &str = include_str!("../planted/bugs.patch");
/// Within so many seeds each must be found.
const SEEDS: u64 = 120;
/// Seeds lived through with nothing planted: the patch alone breaks nothing.
const CONTROLS: u64 = 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of the bugs, from the places where they are planted.
fn bugs() -> BTreeSet<&'static str> {
    let planted = PATCH.lines().filter(|line| line.starts_with('+'));
    let named = planted.flat_map(|line| line.split("planted(\"").skip(1));
    named.filter_map(|rest| rest.split('"').next()).collect()
}

/// Lives through a seed; what was broken first, if anything was.
fn live(program: &Path, bug: &str, seed: u64) -> Option<String> {
    let run = ["run", "--seed", &seed.to_string()];
    let output = Command::new(program).args(run).env("HIBIKI_PLANTED", bug).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let broken = told.lines().find_map(|line| line.split_once("BROKEN: "));
    let told = broken.map(|(_, what)| what.to_owned());
    told.or_else(|| (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn the_bugs_can_still_be_planted() {
    assert!(bugs().len() >= 8, "{:?}", bugs());
    let apply = ["apply", "--check", "tests/planted/bugs.patch"];
    let output = Command::new("git").args(apply).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "builds the node a second time, with bugs in it: make planted"]
fn every_planted_bug_is_found() {
    let built = Command::new("sh").arg("tests/planted/build").current_dir(root()).status().unwrap();
    assert!(built.success());
    let program = root().join("target/planted/build/debug/hibiki-simnet");
    for seed in 1..=CONTROLS {
        assert_eq!(live(&program, "", seed), None, "nothing is planted, seed {seed}");
    }
    let (todo, missed) = (Mutex::new(bugs()), Mutex::new(Vec::new()));
    let next = || todo.lock().unwrap().pop_first();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(bug) = next() {
                    let found = (1..=SEEDS).find_map(|seed| Some((seed, live(&program, bug, seed)?)));
                    match found {
                        Some((seed, what)) => println!("{bug}: found by seed {seed}: {what}"),
                        None => missed.lock().unwrap().push(bug),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
