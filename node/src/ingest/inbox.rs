//! The watched folder: a file dropped into it is imported and moved to `done/` or `failed/`.
//!
//! Owns: when a file counts as complete (same size and time for two seconds), where it goes, and the report
//! beside it. `done/` means that every resource was taken or is none of ours; in `failed/` lies a file of
//! which something was refused, with `NAME.report.jsonl` beside it saying what and where. A file that cannot be
//! imported at this moment (no space, no ledger, the node is stopping) stays where it is and is tried again.
//!
//! File names are other people's and may name a person: they enter no log.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hibiki_records::ingest::Format;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use super::command::READ_BYTES;
use super::importer::{Failed, Importer, Job, Origin, Stop};
use super::notice::Notice;
use super::run::Watcher;
use super::tally::Tally;
use crate::env::Env;
use crate::observe::board::StatusBoard;
use crate::shutdown::Shutdown;

/// How long a file must not change before it counts as complete.
const SETTLE: Duration = Duration::from_secs(2);
/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long to wait before trying again what could not be imported.
const REST: Duration = Duration::from_secs(30);
/// What the inbox is called on the status board.
const PROBLEM: &str = "inbox";
/// Added to a file's name for its report.
const REPORT: &str = ".report.jsonl";

/// The watched folder.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    importer: Importer,
    env: Env,
    board: StatusBoard,
}

/// By what a file is recognised as unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let changed = (metadata.mtime(), metadata.mtime_nsec());
        Self { inode: metadata.ino(), length: metadata.len(), changed }
    }
}

impl Inbox {
    /// Prepares the folder, with `done/` and `failed/` in it.
    ///
    /// # Errors
    /// The folders cannot be made.
    pub fn open(folder: PathBuf, importer: Importer, env: Env, board: StatusBoard) -> io::Result<Self> {
        for name in ["done", "failed"] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join(name))?;
        }
        Ok(Self { folder, importer, env, board })
    }

    /// Watches until the process drains.
    pub async fn watch(self, shutdown: Shutdown) {
        let (mut settling, mut stop) = (Settling::default(), shutdown.clone());
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! { biased;
                () = stop.draining() => return,
                _ = looks.tick() => {}
            }
            let folder = self.folder.clone();
            let seen = self.env.blocking(move || look(&folder)).await;
            let seen = match seen {
                Some(Ok(seen)) => seen,
                Some(Err(error)) => {
                    self.board.raise(PROBLEM, format!("the inbox cannot be read: {}", error.kind()));
                    continue;
                }
                None => continue,
            };
            for (name, stamp) in settling.ready(seen, Instant::now()) {
                if !shutdown.is_running() {
                    return;
                }
                match self.take(&name, stamp, &shutdown).await {
                    Ok(()) => self.board.clear(PROBLEM),
                    Err(reason) => {
                        tracing::warn!(%reason, "a file in the inbox waits");
                        self.board.raise(PROBLEM, reason);
                        settling.rest(name, Instant::now() + REST);
                    }
                }
            }
        }
    }

    /// Imports one file and moves it. An error: it stays.
    async fn take(&self, name: &OsStr, stamp: Stamp, shutdown: &Shutdown) -> Result<(), String> {
        let path = self.folder.join(name);
        let unable = |what: &str, error: &io::Error| format!("{what}: {}", error.kind());
        let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let file = match File::options().read(true).custom_flags(flags).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unable("a file in the inbox cannot be opened", &error)),
        };
        let report = added(&added(&self.folder.join("failed").join(name), REPORT), ".part");
        let watcher = Clerk { path: report.clone(), report: None, broken: None, shutdown: shutdown.clone() };
        let job = Job {
            origin: Origin::Inbox,
            by: "inbox".to_owned(),
            format: Format::Auto,
            bytes_total: Some(stamp.length),
        };
        let input = BufReader::with_capacity(READ_BYTES, file);
        let (outcome, rejected) = match self.importer.import(job, input, watcher).await {
            Ok(tally) => (Ok(()), tally.rejected),
            Err(Failed { why, tally }) => (Err(why), tally.rejected),
        };
        let reason = match outcome {
            Ok(()) => None,
            Err(stop) if stop.passes() => {
                // The report of the next try is a new one.
                let _ = fs::remove_file(&report);
                return Err(format!("{stop} ({})", stop.next()));
            }
            Err(stop) => Some(stop),
        };
        let (folder, name) = (self.folder.clone(), name.to_owned());
        let filing = move || file_away(&folder, &name, stamp, rejected > 0, reason.as_ref(), &report);
        match self.env.blocking(filing).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(unable("an imported file cannot be moved out of the inbox", &error)),
            None => Err("the file could not be filed away".to_owned()),
        }
    }
}

/// Moves a file to where it belongs, and its report beside it.
fn file_away(
    folder: &Path,
    name: &OsStr,
    stamp: Stamp,
    rejected: bool,
    reason: Option<&Stop>,
    report: &Path,
) -> io::Result<()> {
    let from = folder.join(name);
    if Stamp::of(&fs::symlink_metadata(&from)?) != stamp {
        // Another file came under its name meanwhile: it is not the one that was imported.
        return Ok(());
    }
    let whole = !rejected && reason.is_none();
    let to = vacant(&folder.join(if whole { "done" } else { "failed" }).join(name))?;
    if let Some(reason) = reason {
        let mut file = new_file(report, true)?;
        let line = json!({ "place": null, "resource_type": null, "reason": "stopped", "message": reason.to_string() });
        writeln!(file, "{line}")?;
    }
    fs::rename(&from, &to)?;
    if whole { Ok(()) } else { fs::rename(report, added(&to, REPORT)) }
}

/// The path itself, or with a number added if something is there already. Nothing is overwritten.
fn vacant(path: &Path) -> io::Result<PathBuf> {
    let mut candidate = path.to_owned();
    for number in 2_u64.. {
        match fs::symlink_metadata(&candidate) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(candidate),
            Err(error) => return Err(error),
            Ok(_) => candidate = added(path, &format!(".{number}")),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn new_file(path: &Path, append: bool) -> io::Result<File> {
    File::options().create(true).write(true).truncate(!append).append(append).mode(0o600).open(path)
}

/// The files in the folder that may be imported, in order of their names.
fn look(folder: &Path) -> io::Result<BTreeMap<OsString, Stamp>> {
    let mut seen = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let bytes = name.as_bytes();
        if bytes.starts_with(b".") || bytes.ends_with(b".part") {
            continue;
        }
        // A file that is gone again is nobody's concern; a link is not followed.
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            seen.insert(name, Stamp::of(&metadata));
        }
    }
    Ok(seen)
}

/// Since when each file has not changed.
#[derive(Debug, Default)]
struct Settling(BTreeMap<OsString, (Stamp, Instant)>);

impl Settling {
    /// Files that have not changed for long enough; the others are remembered.
    fn ready(&mut self, seen: BTreeMap<OsString, Stamp>, now: Instant) -> Vec<(OsString, Stamp)> {
        self.0.retain(|name, _| seen.contains_key(name));
        let mut ready = Vec::new();
        for (name, stamp) in seen {
            let (known, due) = *self.0.entry(name.clone()).or_insert((stamp, now + SETTLE));
            if known != stamp {
                self.0.insert(name, (stamp, now + SETTLE));
            } else if due <= now {
                ready.push((name, stamp));
            }
        }
        ready
    }

    /// Leaves a file alone until `due`, unless it changes.
    fn rest(&mut self, name: OsString, due: Instant) {
        if let Some((_, known)) = self.0.get_mut(&name) {
            *known = due;
        }
    }
}

/// Writes the report; the file appears with the first refusal.
struct Clerk {
    path: PathBuf,
    report: Option<BufWriter<File>>,
    broken: Option<io::ErrorKind>,
    shutdown: Shutdown,
}

impl Clerk {
    fn write(&mut self, notice: &Notice) -> io::Result<()> {
        let report = match &mut self.report {
            Some(report) => report,
            None => self.report.insert(BufWriter::new(new_file(&self.path, false)?)),
        };
        serde_json::to_writer(&mut *report, notice)?;
        report.write_all(b"\n")
    }
}

impl Watcher for Clerk {
    fn kept(&mut self, _tally: &Tally) {
        if let Some(report) = &mut self.report
            && let Err(error) = report.flush()
        {
            self.broken = Some(error.kind());
        }
    }

    fn rejected(&mut self, notice: &Notice) {
        if let Err(error) = self.write(notice) {
            self.broken = Some(error.kind());
        }
    }

    fn is_cancelled(&self) -> bool {
        // Without a report nobody would learn what was refused: better to try again later.
        self.broken.is_some() || !self.shutdown.is_running()
    }
}

/// The path with something added to its name: `a.json` becomes `a.json.report.jsonl`.
fn added(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn stamp(length: u64) -> Stamp {
        Stamp { inode: 1, length, changed: (0, 0) }
    }

    fn seen(length: u64) -> BTreeMap<OsString, Stamp> {
        BTreeMap::from([("a".into(), stamp(length))])
    }

    #[test]
    fn a_file_is_ready_once_it_stops_growing() {
        let (mut settling, start) = (Settling::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert!(settling.ready(seen(1), at(0)).is_empty());
        assert!(settling.ready(seen(2), at(1_900)).is_empty(), "it grew");
        assert!(settling.ready(seen(2), at(3_800)).is_empty(), "not yet two seconds since it grew");
        assert_eq!(settling.ready(seen(2), at(3_900)), [("a".into(), stamp(2))]);
        settling.rest("a".into(), at(9_000));
        assert!(settling.ready(seen(2), at(8_999)).is_empty());
        assert_eq!(settling.ready(seen(2), at(9_000)).len(), 1);
        assert!(settling.ready(BTreeMap::new(), at(9_001)).is_empty());
        assert!(settling.ready(seen(2), at(9_002)).is_empty(), "a new file under an old name settles anew");
    }

    #[test]
    fn hidden_partial_and_linked_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".hidden", "b.json.part", "c.ndjson"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("done")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let names: Vec<OsString> = look(folder.path()).unwrap().into_keys().collect();
        assert_eq!(names, ["c.ndjson"]);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        assert_eq!(vacant(&path).unwrap(), path);
        fs::write(&path, "1").unwrap();
        assert_eq!(vacant(&path).unwrap(), folder.path().join("a.json.2"));
        fs::write(folder.path().join("a.json.2"), "2").unwrap();
        assert_eq!(vacant(&path).unwrap(), folder.path().join("a.json.3"));
    }
}
