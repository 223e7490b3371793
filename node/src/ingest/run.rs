//! The loop of one import: read a lot, put it, tell.
//!
//! Blocking: it runs on a thread that may wait for the client's next bytes and for the disk. Must not know:
//! where the bytes come from, who watches.

use std::io::BufRead;

use super::importer::Stop;
use super::lot::{Lot, Lots};
use super::notice::Notice;
use super::tally::Tally;
use crate::recordbook::{BookError, Entry, PutOutcome};
use crate::store::{Retry, StoreError};

/// How often a batch is put again after somebody else was faster.
const TRIES: u32 = 5;

/// Whoever follows an import. Called from the import's own thread; may block it.
pub trait Watcher: Send + 'static {
    /// Everything counted here is durable.
    fn kept(&mut self, tally: &Tally);

    /// A resource was not taken.
    fn rejected(&mut self, notice: &Notice);

    /// Whether to stop before the next batch.
    fn is_cancelled(&self) -> bool;
}

/// Imports all lots. `tally` counts what is durable, also when this fails.
pub(super) fn run<R: BufRead>(
    lots: Lots<R>,
    mut put: impl FnMut(Vec<Entry>) -> Result<Vec<PutOutcome>, BookError>,
    watcher: &mut impl Watcher,
    tally: &mut Tally,
) -> Result<(), Stop> {
    for mut lot in lots {
        if watcher.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let outcomes = keep(&mut lot, &mut put)?;
        let cut = lot.cut;
        for notice in tally.count(lot, &outcomes) {
            watcher.rejected(&notice);
        }
        watcher.kept(tally);
        if let Some(kind) = cut {
            return Err(if watcher.is_cancelled() { Stop::Cancelled } else { Stop::Cut(kind) });
        }
    }
    Ok(())
}

/// Puts a lot's entries, leaving the rest of it.
fn keep(
    lot: &mut Lot,
    put: &mut impl FnMut(Vec<Entry>) -> Result<Vec<PutOutcome>, BookError>,
) -> Result<Vec<PutOutcome>, Stop> {
    if lot.entries.is_empty() {
        return Ok(Vec::new());
    }
    let entries = std::mem::take(&mut lot.entries);
    let mut tries = 1;
    loop {
        match put(entries.clone()) {
            Err(BookError::Store(error)) if again(&error) && tries < TRIES => tries += 1,
            outcome => return Ok(outcome?),
        }
    }
}

fn again(error: &StoreError) -> bool {
    error.retry() == Retry::Now
}
