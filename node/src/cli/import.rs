//! `hibiki-node import`: sends files to a running node and follows what becomes of them.
//!
//! The files are read here and streamed: the node's account need not be able to read them. Must not know:
//! what is in them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{complain, count, print, printable};
use super::progress::Reporter;
use crate::admin::Event;
use crate::admin::client::{Call, CallError, upload};
use crate::ingest::{COMMAND, Hint, Tally};

/// Refusals shown on stderr for one file; the others are counted, and all of them stand in the report.
const SHOWN_MAX: u64 = 20;

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hibiki-node import --staff Sato patients.ndjson vaccinations.ndjson\n  \
    hibiki-node import --report refused.jsonl --format json bundle.json\n  \
    gunzip -c records.ndjson.gz | hibiki-node import -\n\n\
    A file may be imported again at any time: what is there already stays unchanged. What could not be taken \
    is reported with its place and does not keep the rest out; the exit status is 1 then."
)]
pub struct Arguments {
    /// FHIR R4 files: Bundles, or NDJSON with one resource per line; `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the files are laid out, where their first lines would mislead.
    #[arg(long, value_enum, default_value_t)]
    format_hint: Hint,
    /// Write every refusal to this file, one JSON object per line: file, place and reason, no content.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The file as it was named.
    pub file: String,
    /// What is durable of it.
    pub tally: Tally,
    /// Why it did not come to its end, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Outcome {
    /// Whether all of it was accepted.
    pub fn is_whole(&self) -> bool {
        self.error.is_none() && self.tally.rejected == 0
    }
}

/// Imports and prints.
///
/// # Errors
/// A file cannot be opened, the node cannot be reached, or something was not accepted; the rest is imported.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    let connection = &arguments.connection;
    let socket = connection.socket()?;
    let mut report = arguments.report.as_deref().map(Report::create).transpose()?;
    let mut outcomes = Vec::new();
    let mut reachable = true;
    for file in &arguments.files {
        let (input, bytes_total) = open(file)?;
        let asked = Call {
            socket: &socket,
            command: COMMAND,
            arguments: json!({ "format": arguments.format_hint, "bytes_total": bytes_total }),
            staff: connection.staff.as_deref(),
        };
        let (outcome, lost) = send(&asked, file, input, report.as_mut())?;
        outcomes.push(outcome);
        if lost {
            // The other files would meet the same.
            reachable = false;
            break;
        }
    }
    if let Some(report) = report {
        report.finish()?;
    }
    let whole = reachable && outcomes.iter().all(Outcome::is_whole);
    let value = json!({ "whole": whole, "files": outcomes });
    print(connection.format, &value, |_| describe(&outcomes, arguments.report.as_deref()))?;
    if whole { Ok(()) } else { Err(CliError::Said) }
}

/// Sends one file. `true`: the node is not there any more.
fn send(
    asked: &Call<'_>,
    file: &Path,
    input: impl Read + Send,
    report: Option<&mut Report>,
) -> Result<(Outcome, bool), CliError> {
    let name = file.display().to_string();
    let mut follower = Follower {
        name: &name,
        reporter: Reporter::new(),
        tally: Tally::default(),
        shown: 0,
        report,
        broken: None,
    };
    let result = upload(asked, input, &mut |event| follower.hear(event));
    follower.reporter.finish();
    let Follower { mut tally, shown, broken, .. } = follower;
    if let Some(error) = broken {
        return Err(error.into());
    }
    if shown > SHOWN_MAX {
        let more = count(shown - SHOWN_MAX);
        complain(&format!("{name}: ほか {more} 件 / and {more} more; --report FILE lists all"));
    }
    let (mut error, mut lost) = (None, false);
    match result {
        Ok(value) => tally = serde_json::from_value(value)?,
        Err(problem) => {
            lost = matches!(problem, CallError::Unreachable { .. } | CallError::Lost | CallError::Garbled);
            error = Some(problem.to_string());
        }
    }
    Ok((Outcome { file: name, tally, error }, lost))
}

/// Listens to one import.
struct Follower<'a> {
    name: &'a str,
    reporter: Reporter,
    /// The last count the node acknowledged.
    tally: Tally,
    shown: u64,
    report: Option<&'a mut Report>,
    broken: Option<io::Error>,
}

impl Follower<'_> {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Progress(progress) => self.reporter.progress(progress),
            Event::Warning(warning) => self.reporter.say(&format!("{}: {}", self.name, warning.what)),
            Event::Row(row) => {
                if let Some(Ok(tally)) = row.get("kept").cloned().map(serde_json::from_value) {
                    self.tally = tally;
                }
                if let Some(notice) = row.get("rejected") {
                    self.refused(notice);
                }
            }
            Event::Result(_) | Event::Error(_) => {}
        }
    }

    fn refused(&mut self, notice: &Value) {
        self.shown += 1;
        if self.shown <= SHOWN_MAX {
            let message = notice.get("message").and_then(Value::as_str).unwrap_or_default();
            self.reporter.say(&format!("{}: {message}", self.name));
        }
        if let Some(report) = &mut self.report
            && let Err(error) = report.line(self.name, notice)
        {
            self.broken = Some(error);
        }
    }
}

/// The file of all refusals.
struct Report(BufWriter<File>);

impl Report {
    fn create(path: &Path) -> Result<Self, CliError> {
        let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(path);
        file.map(|file| Self(BufWriter::new(file))).map_err(failed(path))
    }

    fn line(&mut self, file: &str, notice: &Value) -> io::Result<()> {
        let mut line = notice.clone();
        if let Some(fields) = line.as_object_mut() {
            fields.insert("file".to_owned(), file.into());
        }
        writeln!(self.0, "{line}")
    }

    fn finish(self) -> io::Result<()> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>), CliError> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path).map_err(failed(path))?;
    let metadata = file.metadata().map_err(failed(path))?;
    if metadata.is_dir() {
        return Err(failed(path)(io::ErrorKind::IsADirectory.into()));
    }
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    move |source| CliError::File { path: path.to_owned(), source }
}

/// What is printed for people.
fn describe(outcomes: &[Outcome], report: Option<&Path>) -> String {
    let mut text = String::new();
    for Outcome { file, tally, error } in outcomes {
        let heading = match (error, tally.rejected) {
            (Some(_), _) => "途中で止まりました / stopped",
            (None, 0) => "取り込みました / imported",
            (None, _) => "一部を除いて取り込みました / imported except for what was refused",
        };
        let _ = writeln!(text, "{}: {heading}", printable(file));
        let mut line = |words: &str, number: u64| {
            let _ = writeln!(text, "  {:>12}  {words}", count(number));
        };
        line("新規 / added", tally.added);
        line("更新 / replaced", tally.replaced);
        line("変更なし / unchanged", tally.unchanged);
        for (words, number) in [
            ("登録済みの方が新しい / older than what is there", tally.older),
            ("人の情報を更新 / persons' facts new or changed", tally.people),
            ("グループを更新 / groups new or changed", tally.groups),
            ("受け付けず / refused", tally.rejected),
        ] {
            if number > 0 {
                line(words, number);
            }
        }
        for (kind, number) in &tally.skipped {
            line(&format!("対象外 / passed over: {}", printable(kind)), *number);
        }
        if let Some(error) = error {
            let _ = writeln!(text, "  {}", printable(error));
        }
    }
    if let (Some(report), true) = (report, outcomes.iter().any(|outcome| outcome.tally.rejected > 0)) {
        let _ = writeln!(text, "受け付けなかった理由 / refusals: {}", report.display());
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_summary_reads_in_both_languages() {
        let mut tally = Tally { added: 2_265, unchanged: 3, rejected: 1, ..Tally::default() };
        tally.skipped.insert("Claim: not a kind of record kept here".into(), 12);
        let outcome = Outcome { file: "a.ndjson".into(), tally, error: None };
        assert!(!outcome.is_whole());
        let expected = "\
a.ndjson: 一部を除いて取り込みました / imported except for what was refused
         2,265  新規 / added
             0  更新 / replaced
             3  変更なし / unchanged
             1  受け付けず / refused
            12  対象外 / passed over: Claim: not a kind of record kept here
受け付けなかった理由 / refusals: refused.jsonl
";
        assert_eq!(describe(&[outcome], Some(Path::new("refused.jsonl"))), expected);
    }

    #[test]
    fn what_stopped_says_why() {
        let outcome =
            Outcome { file: "b".into(), tally: Tally::default(), error: Some("no space\x1b[2J".into()) };
        let text = describe(&[outcome], None);
        assert!(text.starts_with("b: 途中で止まりました / stopped\n"), "{text}");
        assert!(text.ends_with("  no space\u{fffd}[2J\n"), "{text}");
    }
}
