//! Only the laboratory node can write the secrets of TLS down: what does it is in no program that people use, and none of
//! them opens a laboratory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use hibiki_tests::town::Programs;

/// What is said where secrets cannot be written; a program that cannot write them does not know these words.
const WORDS: &str = "the laboratory's key log is not written";

#[test]
fn no_program_that_people_use_can_log_the_secrets_of_tls() {
    let programs = Programs::find().unwrap();
    let knows =
        |program: &str| String::from_utf8_lossy(&fs::read(programs.path(program)).unwrap()).contains(WORDS);
    assert!(knows("examples/hibiki-laboratory"), "the search finds what is there");
    for program in ["hibiki-node", "hibiki-terminal", "hibiki-certs", "hibiki-audit", "hibiki-simcard"] {
        assert!(!knows(program), "{program}");
    }
}

#[test]
fn nobody_but_the_proof_opens_a_laboratory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let names = |folder: &str| -> Vec<PathBuf> {
        let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
        sources(&root.join(folder)).into_iter().filter(|path| text(path).contains("laboratory::")).collect()
    };
    assert!(!names("tests/src/locality").is_empty(), "the search finds what is there");
    for folder in ["node/src", "terminal/src", "certs/src", "auditor/src", "simcard/src", "records/src"] {
        assert_eq!(names(folder), Vec::<PathBuf>::new());
    }
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|name| name == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}
