//! Everything in this program once more, as a user who may do nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hibiki_tests::card_reader::Unavailable;
use hibiki_tests::town::programs::folder_with;

use crate::bench::{Bench, Said, skipped};

/// The user nobody and the group nogroup.
const NOBODY: &str = "65534";
const TEST: &str = "an_ordinary_user_can_do_all_of_it";

#[test]
fn an_ordinary_user_can_do_all_of_it() {
    if !rustix::process::geteuid().is_root() {
        return skipped(TEST, "not root: every other test here was already run by an ordinary user");
    }
    // The folders of the build may be closed to others: what is needed is copied to where nobody may read.
    let scratch = tempfile::tempdir().unwrap();
    open_to_all(scratch.path());
    let me = std::env::current_exe().unwrap();
    let copy = scratch.path().join("card_foreign");
    fs::copy(&me, &copy).unwrap();
    open_to_all(&copy);
    let card = scratch.path().join("hibiki-simcard");
    fs::copy(folder_with("hibiki-simcard").unwrap().join("hibiki-simcard"), &card).unwrap();
    open_to_all(&card);
    if let Some(unpacked) = me.ancestors().map(|folder| folder.join("vpcd")).find(|folder| folder.is_dir()) {
        copy_folder(&unpacked, &scratch.path().join("vpcd"));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all", "--"]);
    command.arg(&copy).args(["--skip", TEST, "--test-threads", "2"]);
    command.env_remove("TMPDIR").env("HOME", "/nonexistent").current_dir("/").stdin(Stdio::null());
    let said = Said::of(&command.output().unwrap());
    for line in said.text.lines().filter(|line| line.starts_with("SKIPPED")) {
        skipped(TEST, line);
    }
    assert!(said.success && said.text.contains("test result: ok. "), "{}", said.text);
    assert!(!said.text.contains("test result: ok. 0 passed"), "{}", said.text);
}

#[test]
fn a_reader_that_cannot_start_says_why() {
    let Some(bench) = Bench::new("a_reader_that_cannot_start_says_why", &[]) else { return };
    let long = bench.path(&"x".repeat(120));
    match hibiki_tests::card_reader::PrivateReader::start(&long) {
        Err(Unavailable::Failed(why)) => assert!(why.contains("too long"), "{why}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a socket with a path of {} bytes", long.as_os_str().len()),
    }
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    open_to_all(to);
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        // A link to a library becomes the library.
        if fs::metadata(entry.path()).unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            open_to_all(&target);
        }
    }
}
