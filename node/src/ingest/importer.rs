//! One import from the ledger's first word about it to the last.

use std::fmt;
use std::io::{self, BufRead};
use std::sync::Arc;

use hibiki_records::ingest::Format;
use tokio::sync::Semaphore;

use super::lot::Lots;
use super::run::{self, Watcher};
use super::tally::Tally;
use crate::env::Env;
use crate::ledger::{Details, Entry, Ledger, NotLogged, details};
use crate::observe::metrics;
use crate::recordbook::{BookError, RecordBook};
use crate::store::StoreError;

/// Which way a file came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The admin socket.
    Admin,
    /// The inbox folder.
    Inbox,
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Inbox => "inbox",
        }
    }
}

/// What is imported, and for whom. `Debug` names nobody.
#[derive(Clone)]
pub struct Job {
    /// Which way it came.
    pub origin: Origin,
    /// Who or what brought it, for the ledger.
    pub by: String,
    /// How it is laid out.
    pub format: Format,
    /// Bytes of it, where known; only shown.
    pub bytes_total: Option<u64>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("origin", &self.origin)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Why an import did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The ledger could not log that the import begins: it did not.
    #[error("{0}")]
    NotBegun(NotLogged),
    /// The ledger could not log what was imported.
    #[error("what was imported is stored, but {0}")]
    NotEnded(NotLogged),
    /// Records could not be stored.
    #[error("{0}")]
    Book(#[from] BookError),
    /// The file could not be read to its end.
    #[error("the file could not be read to its end ({0})")]
    Cut(io::ErrorKind),
    /// Nobody waits for it any more, or the node is stopping.
    #[error("the import was stopped")]
    Cancelled,
    /// A fault of this program.
    #[error("the import failed inside the node; look into the node's log")]
    Fault,
}

impl Stop {
    /// What the reader can do.
    #[must_use]
    pub fn next(&self) -> &'static str {
        match self {
            Self::NotBegun(_) => "nothing was imported; import the file again once the ledger takes entries",
            Self::Book(BookError::Store(StoreError::NoSpace { .. })) | Self::NotEnded(_) => {
                "free some space, then import the same file again: what is stored stays, the rest is added"
            }
            _ => "import the same file again: what is stored stays, the rest is added",
        }
    }

    /// Whether the same file may well go through later without anybody touching it.
    #[must_use]
    pub fn passes(&self) -> bool {
        !matches!(self, Self::Cut(_) | Self::Fault)
    }
}

/// An import that did not come to its end, and what of it is durable all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}; {} records of the file are stored", .tally.records())]
pub struct Failed {
    /// Why.
    pub why: Stop,
    /// What is durable.
    pub tally: Tally,
}

/// Imports files into this institution's book, one after the other. Cheap to clone.
#[derive(Clone)]
pub struct Importer {
    book: Arc<RecordBook>,
    ledger: Ledger,
    env: Env,
    turn: Arc<Semaphore>,
}

impl Importer {
    /// An importer; clones of it wait for each other.
    #[must_use]
    pub fn new(book: Arc<RecordBook>, ledger: Ledger, env: Env) -> Self {
        Self { book, ledger, env, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Imports `input` to its end. Reading, sealing and writing happen on a thread that may block; `input`
    /// may block it, too. Dropping the future lets the import stop where the watcher says it is cancelled.
    ///
    /// # Errors
    /// [`Failed`] with what is durable nevertheless.
    pub async fn import(
        &self,
        job: Job,
        input: impl BufRead + Send + 'static,
        watcher: impl Watcher,
    ) -> Result<Tally, Failed> {
        let start = Tally { bytes_total: job.bytes_total, ..Tally::default() };
        // The semaphore is never closed; were it, the imports would only no longer wait for each other.
        let _turn = self.turn.acquire().await;
        let begun = self.log(&begin(&job)).await;
        if let Err(error) = begun {
            return Err(Failed { why: Stop::NotBegun(error), tally: start });
        }
        let format = job.format;
        let (book, env) = (Arc::clone(&self.book), self.env.clone());
        let (tally, outcome) = self
            .env
            .blocking(move || {
                let (mut tally, mut watcher) = (start, watcher);
                let put = |entries| env.wait(book.put_batch(entries));
                let outcome = run::run(Lots::new(input, format), put, &mut watcher, &mut tally);
                (tally, outcome)
            })
            .await
            .unwrap_or_else(|| (Tally::default(), Err(Stop::Fault)));
        count(&tally);
        let logged = self.log(&end(&job, &tally)).await;
        match (outcome, logged) {
            (Err(why), _) => Err(Failed { why, tally }),
            (Ok(()), Err(error)) => Err(Failed { why: Stop::NotEnded(error), tally }),
            (Ok(()), Ok(())) => Ok(tally),
        }
    }

    async fn log<D: Details>(&self, details: &D) -> Result<(), NotLogged> {
        self.ledger.append(Entry::new(self.env.now(), None, details)?).await.map(drop)
    }
}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

fn begin(job: &Job) -> details::Administration {
    let action = format!("import ({})", job.origin.name());
    details::Administration { by: job.by.clone(), action, outcome: "begun".to_owned() }
}

fn end(job: &Job, tally: &Tally) -> details::Import {
    details::Import {
        source: job.origin.name().to_owned(),
        by: job.by.clone(),
        accepted: tally.stored(),
        unchanged: tally.unchanged.saturating_add(tally.older),
        refused: tally.rejected,
    }
}

fn count(tally: &Tally) {
    for (result, count) in [
        ("stored", tally.stored()),
        ("unchanged", tally.unchanged.saturating_add(tally.older)),
        ("refused", tally.rejected),
    ] {
        ::metrics::counter!(metrics::IMPORT_RECORDS, "result" => result).increment(count);
    }
}
