//! The admin command `import`: a file streamed by the command line, or one that the node may read itself.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hibiki_records::ingest::Format;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::importer::{Failed, Importer, Job, Origin};
use super::notice::Notice;
use super::run::Watcher;
use super::tally::Tally;
use crate::admin::{AdminError, Request, Responder, Router};

/// Name of the command.
pub const COMMAND: &str = "import";

/// Bytes read from a file at a time.
pub(super) const READ_BYTES: usize = 128 * 1024;

/// How the file is said to be laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Hint {
    /// Decided by the first lines.
    #[default]
    Auto,
    /// One JSON document: a FHIR Bundle or a single resource.
    Bundle,
    /// One FHIR resource per line.
    Ndjson,
}

impl From<Hint> for Format {
    fn from(hint: Hint) -> Self {
        match hint {
            Hint::Auto => Self::Auto,
            Hint::Bundle => Self::FhirBundle,
            Hint::Ndjson => Self::FhirNdjson,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    format: Hint,
    /// Bytes of the body, if the client knows.
    bytes_total: Option<u64>,
    /// A file that the node reads itself; otherwise the file is the body.
    path: Option<PathBuf>,
}

/// Registers `import`.
///
/// It gives rows `{"rejected": {…}}` with place and reason, and after each durable batch a row
/// `{"kept": {…}}` with everything counted so far; the result is the last count.
pub fn register(router: &mut Router, importer: Importer) {
    router.add(COMMAND, move |request, responder| import(importer.clone(), request, responder));
}

async fn import(importer: Importer, request: Request, responder: Responder) -> Result<Value, AdminError> {
    let arguments: Arguments = request.parse()?;
    let by = match request.staff.as_deref().map(str::trim) {
        Some(staff) if !staff.is_empty() => staff.to_owned(),
        _ => format!("account {}", request.peer.uid),
    };
    let (input, bytes_total): (Box<dyn BufRead + Send>, _) = match &arguments.path {
        Some(path) => {
            let (file, length) = open(path)?;
            (Box::new(BufReader::with_capacity(READ_BYTES, file)), Some(length))
        }
        None => {
            let reader = BufReader::with_capacity(READ_BYTES, request.body.into_reader());
            (Box::new(reader), arguments.bytes_total)
        }
    };
    let job = Job { origin: Origin::Admin, by, format: arguments.format.into(), bytes_total };
    let tally = importer.import(job, input, Speaker(responder)).await.map_err(refused)?;
    serde_json::to_value(tally)
        .map_err(|error| AdminError::new(format!("the counts cannot be written: {error}")))
}

/// Opens a regular file; a pipe or a device could keep the import waiting for ever.
pub(super) fn open(path: &Path) -> Result<(File, u64), AdminError> {
    let fail = |what: String| {
        AdminError::new(what)
            .at("argument \"path\"")
            .next("name a file that the node's account may read, or let the command line send it")
    };
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened = File::options().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| fail(format!("the file cannot be opened: {}", error.kind())))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok((file, metadata.len())),
        Ok(_) => Err(fail("this is no file".to_owned())),
        Err(error) => Err(fail(format!("the file cannot be looked at: {}", error.kind()))),
    }
}

fn refused(failed: Failed) -> AdminError {
    AdminError::new(failed.to_string()).next(failed.why.next())
}

/// Tells the client.
struct Speaker(Responder);

impl Watcher for Speaker {
    fn kept(&mut self, tally: &Tally) {
        match tally.bytes {
            // A bundle is one document: what counts on the way is records.
            0 => self.0.progress("importing", tally.records(), None, "records"),
            bytes => self.0.progress("importing", bytes, tally.bytes_total, "bytes"),
        }
        self.0.row_blocking(json!({ "kept": tally }));
    }

    fn rejected(&mut self, notice: &Notice) {
        self.0.row_blocking(json!({ "rejected": notice }));
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
