//! Reading what a command is given and writing what it says.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hibiki_protocol::cbor::{self, Wire};
use hibiki_protocol::time::Timestamp;

use super::CliError;

/// How a command prints data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}

/// A file or the standard output could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub(crate) struct OutputError {
    path: PathBuf,
    source: io::Error,
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, OutputError> {
    fs::read(path).map_err(|source| OutputError { path: path.to_owned(), source })
}

/// Reads a file that holds one structure of the protocol.
pub(crate) fn decode<T: Wire>(path: &Path, what: &'static str) -> Result<T, CliError> {
    let not_this = |source| CliError::NotThis { path: path.display().to_string(), what, source };
    cbor::decode(&read(path)?).map_err(not_this)
}

/// Writes a public file that may replace an older one, such as a list.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let replaced = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    replaced().map_err(|source| OutputError { path: path.to_owned(), source })
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    opened
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|source| OutputError { path: path.to_owned(), source })
}

pub(crate) fn say(text: &str) -> Result<(), OutputError> {
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|source| OutputError { path: "standard output".into(), source })
}

/// A point in time as RFC 3339 in UTC, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    let seconds = i64::try_from(at.0 / 1000).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    seconds.map_or_else(|| format!("{} ms after 1970", at.0), |t| t.to_string())
}

/// Reads RFC 3339.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let at: jiff::Timestamp = text.parse().map_err(|e: jiff::Error| e.to_string())?;
    u64::try_from(at.as_millisecond()).map(Timestamp).map_err(|_| "before 1970".to_owned())
}

/// The error for a file that is in the way.
pub(crate) fn exists(path: &Path) -> OutputError {
    let source = io::Error::new(
        io::ErrorKind::AlreadyExists,
        "exists already and is not overwritten: choose another name",
    );
    OutputError { path: path.to_owned(), source }
}
