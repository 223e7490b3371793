//! Counting, so that a loss is noticed.
//!
//! Sled recovers what it can read of a damaged log and opens with the rest missing, without a word. So each
//! commit writes its number and the number of rows into the database, and then, outside of it, its number
//! into the file `commits`. A database that is behind this file has lost something; one whose rows do not
//! add up has, too. The file is not synced: after a power cut it may be behind the database, which is no
//! sign of anything.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use crate::store::{Result, StoreError};

const FILE: &str = "commits";

/// What has happened to a database so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Commits that changed something.
    pub(super) commits: u64,
    /// Rows of all keyspaces; pieces of long values do not count.
    pub(super) rows: u64,
}

impl Tally {
    pub(super) fn parse(entry: &[u8]) -> Option<Self> {
        let (commits, rows) = entry.split_first_chunk()?;
        Some(Self { commits: u64::from_be_bytes(*commits), rows: u64::from_be_bytes(rows.try_into().ok()?) })
    }

    pub(super) fn entry(self) -> Vec<u8> {
        [self.commits.to_be_bytes(), self.rows.to_be_bytes()].concat()
    }
}

/// The file outside the database.
pub(super) struct Witness {
    file: File,
}

impl Witness {
    /// Opens the file in the store's folder and compares it with what the database says.
    pub(super) fn open(dir: &Path, tally: Tally) -> Result<Self> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file =
            options.open(&path).map_err(|error| StoreError::io("open the count of commits", &error))?;
        let mut bytes = [0; 16];
        let said = file.read_exact_at(&mut bytes, 0).ok().and_then(|()| parse(&bytes));
        if let Some(missing) = said.and_then(|said| said.checked_sub(tally.commits)).filter(|lost| *lost > 0)
        {
            let what = format!(
                "its last {missing} acknowledged commits are missing; if an older copy was put back on \
                 purpose, remove {} to accept that",
                path.display()
            );
            return Err(StoreError::Damaged { path: dir.to_owned(), what });
        }
        Ok(Self { file })
    }

    /// Notes a durable commit. Failing to is no failure of the commit: it only weakens the next check.
    pub(super) fn note(&self, tally: Tally) {
        if let Err(error) = self.file.write_all_at(&bytes(tally.commits), 0) {
            tracing::debug!(%error, "the count of commits could not be noted");
        }
    }
}

fn bytes(commits: u64) -> [u8; 16] {
    let number = commits.to_be_bytes();
    let mut bytes = [0; 16];
    let check = Sha256::digest(number);
    bytes.iter_mut().zip(number.iter().chain(&check)).for_each(|(to, from)| *to = *from);
    bytes
}

fn parse(read: &[u8; 16]) -> Option<u64> {
    let commits = u64::from_be_bytes(*read.first_chunk()?);
    (bytes(commits) == *read).then_some(commits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::fs;

    use super::*;

    fn at(commits: u64) -> Tally {
        Tally { commits, rows: 3 }
    }

    #[test]
    fn a_database_behind_its_witness_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        Witness::open(dir.path(), at(0)).unwrap().note(at(7));
        let error = Witness::open(dir.path(), at(5)).err().unwrap().to_string();
        assert!(error.contains("last 2 acknowledged commits"), "{error}");
        Witness::open(dir.path(), at(7)).unwrap();
        Witness::open(dir.path(), at(8)).unwrap();
        fs::remove_file(dir.path().join(FILE)).unwrap();
        Witness::open(dir.path(), at(5)).unwrap();
    }

    #[test]
    fn a_witness_that_cannot_be_read_accuses_nobody() {
        let dir = tempfile::tempdir().unwrap();
        for content in [vec![], vec![0xff; 16], vec![0xff; 7], b"0123456789012345".to_vec()] {
            fs::write(dir.path().join(FILE), content).unwrap();
            Witness::open(dir.path(), at(0)).unwrap();
        }
    }

    #[test]
    fn a_tally_comes_back() {
        assert_eq!(Tally::parse(&at(9).entry()), Some(at(9)));
        assert_eq!(Tally::parse(b"short"), None);
    }
}
