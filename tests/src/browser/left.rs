//! What is left of a browser that has ended: its disk, and whom it called.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hibiki_audit::scan::{Needle, Scanner};
use serde_json::Value;

use super::{BrowserError, process, watch};

/// Everything it wrote. Dropping it removes all.
pub struct Left {
    folder: tempfile::TempDir,
}

/// Something that was found on its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What was looked for.
    pub needle: String,
    /// In which file, below the browser's home.
    pub file: PathBuf,
    /// In which form, such as `utf-16le`.
    pub form: String,
}

impl Left {
    pub(super) fn new(folder: tempfile::TempDir) -> Self {
        Self { folder }
    }

    /// Its home: profile, caches, temporary files.
    pub fn home(&self) -> PathBuf {
        process::home(self.folder.path())
    }

    /// Searches everything the browser wrote, names of files too, for these strings of at least 6 bytes: as UTF-8,
    /// UTF-16, CP932, JSON escapes, percent-encoding, hexadecimal, base64, and all these in gzip, zlib and deflate.
    /// The search proves itself on planted needles first.
    ///
    /// What it cannot find: what is encrypted (cookies), compressed with brotli, or by snappy after the first
    /// time a string stands in a block.
    ///
    /// # Errors
    /// There is nothing to look for, a needle is too short, or something could not be searched.
    pub fn traces<'a>(&self, needles: impl IntoIterator<Item = &'a str>) -> Result<Vec<Trace>, BrowserError> {
        let failed = |said: String| BrowserError::Program { program: "the search of the profile", said };
        let needles = needles.into_iter().map(|text| Needle { owner: String::new(), text: text.to_owned() });
        let scanner = Scanner::new(needles.collect()).map_err(|error| failed(error.to_string()))?;
        let (planted, found) = scanner.control();
        if planted == 0 || planted != found {
            return Err(failed(format!("it found {found} of {planted} needles that were planted")));
        }
        let home = self.home();
        let findings = scanner.scan_path(&home);
        if !findings.unread.is_empty() || findings.bombs > 0 || findings.files == 0 {
            return Err(failed(format!("not everything was searched: {:?}", findings.unread)));
        }
        let trace = |finding: hibiki_audit::scan::Finding| Trace {
            needle: scanner
                .needles()
                .get(finding.needle)
                .map(|needle| needle.text.clone())
                .unwrap_or_default(),
            file: Path::new(&finding.path)
                .strip_prefix(&home)
                .map_or_else(|_| PathBuf::new(), Path::to_owned),
            form: finding.form,
        };
        Ok(findings.found.into_iter().map(trace).collect())
    }

    /// Whom pages of this machine made the browser call, beside this machine, by the browser's own log of its
    /// connections: also what no request shows, such as a connection made ahead.
    ///
    /// # Errors
    /// There is no log.
    pub fn reached_for(&self) -> Result<BTreeSet<String>, BrowserError> {
        let text = std::fs::read_to_string(process::net_log(self.folder.path()))
            .map_err(|error| BrowserError::System("reading the log of connections", error))?;
        let events = events(&text);
        if events.is_empty() {
            return Err(BrowserError::Answer("a log of connections"));
        }
        Ok(events.iter().filter_map(|event| reached(&event["params"])).collect())
    }
}

/// The events of a log: one a line, also where its end is missing because the browser was killed.
fn events(text: &str) -> Vec<Value> {
    let lines = text.lines().skip_while(|line| !line.starts_with("\"events\""));
    lines.filter_map(|line| serde_json::from_str(line.trim_end_matches(',')).ok()).collect()
}

/// Whom this event is about, where a page of ours is behind it: a request, a connection, or a name looked up.
fn reached(said: &Value) -> Option<String> {
    let word = |name: &str| said[name].as_str().unwrap_or_default();
    // A group of connections is named `where <for which site>`.
    let (group, site) = word("group_id").split_once(" <").unwrap_or_default();
    let keys = [word("network_isolation_key"), word("network_anonymization_key"), word("initiator"), site];
    if !keys.iter().any(|key| key.starts_with("http://127.0.0.1")) {
        return None;
    }
    if word("host").ends_with(process::NOWHERE) {
        return Some("a host whose name was looked up".to_owned());
    }
    [word("url"), word("host"), group].into_iter().find(|place| watch::is_foreign(place)).map(str::to_owned)
}
