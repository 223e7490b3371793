//! What goes wrong in a town, and what to do next.

use std::path::{Path, PathBuf};

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum TownError {
    /// A program is not there.
    #[error("{0} is missing; build everything first: make build")]
    NoProgram(PathBuf),
    /// No port could be had.
    #[error("no free UDP port on 127.0.0.1: {0}")]
    Port(std::io::Error),
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program refused.
    #[error("`{command}` failed:\n{output}")]
    Command {
        /// What was run.
        command: String,
        /// What it said.
        output: String,
    },
    /// A program's answer is not what it should be.
    #[error("`{command}` answered something unexpected: {output}")]
    Answer {
        /// What was run.
        command: String,
        /// What it said.
        output: String,
    },
    /// A node did not come up.
    #[error("{house} did not start; the end of {log}:\n{end}")]
    NotStarted {
        /// Which.
        house: String,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        end: String,
    },
    /// A node did not stop.
    #[error("{0} did not stop within its time")]
    NotStopped(String),
    /// Connections are missing.
    #[error("city hall is not connected to {0}; see `hibiki-node status --config …/city-hall/node.toml`")]
    NoLink(String),
    /// Connections are there that should not be.
    #[error("city hall still is connected to a node that was stopped")]
    StillLinked,
    /// The council's office.
    #[error(transparent)]
    Council(#[from] hibiki_certs::council::CouncilError),
    /// The card authority.
    #[error(transparent)]
    CardAuthority(#[from] hibiki_certs::card_authority::CardAuthorityError),
    /// A card.
    #[error(transparent)]
    Card(#[from] hibiki_simcard::CardError),
    /// A PIN.
    #[error(transparent)]
    Pin(#[from] hibiki_simcard::PinError),
    /// A resident has no card.
    #[error("no card was issued to this resident")]
    NoCard,
}

impl TownError {
    /// About a file.
    pub fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
