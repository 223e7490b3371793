//! Why a run breaks off. What the auditor finds is no reason: that is the result.

use std::path::{Path, PathBuf};

use crate::town::TownError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The town.
    #[error(transparent)]
    Town(#[from] TownError),
    /// A file or a folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that ought to be there is not what it ought to be.
    #[error("{path}: {what}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The terminal.
    #[error("a guardian's terminal: {0}")]
    Terminal(String),
    /// A view showed something else than what was loaded.
    #[error("a view is wrong: {0}")]
    View(String),
    /// The machine does not let us do what the proof needs.
    #[error("{0}")]
    Machine(String),
}

impl Trouble {
    /// A file.
    pub fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// A file's content.
    pub fn content(path: &Path, what: impl std::fmt::Display) -> Self {
        Self::Content { path: path.to_owned(), what: what.to_string() }
    }
}
