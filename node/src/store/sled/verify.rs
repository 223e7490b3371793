//! Reading a whole sled store and reporting what is wrong.

use std::ops::Bound;

use super::{
    SledStore, directory,
    layout::{FORMAT_KEY, Head, PIECES, TALLY_KEY, piece_key},
    live::Live,
    snapshot::ReadFailure,
};
use crate::store::{Keyspace, Result, VerifyReport};

/// Entries read under one hold of the state, so that commits are not kept out for long.
const PAGE_ENTRIES: usize = 512;
/// Problems listed; more are only counted.
const PROBLEMS_MAX: usize = 100;

type Page = (Vec<String>, Option<Vec<u8>>);

pub(super) fn verify(store: &SledStore) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    let mut problems = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    let before = store.read(|live| Ok(live.tally()))?;
    loop {
        let read = {
            // Long values and their pieces are compared, so no commit may come between.
            let _gate = store.undo.gate();
            store.try_read(|live| page(live, after.as_deref(), &mut report))
        };
        let (found, next) = read.map_err(|failure| store.fail_read(failure))?;
        problems.extend(found);
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let (counted, after) = (report.rows.values().sum::<u64>(), store.read(|live| Ok(live.tally()))?);
    // Rows counted while others write prove nothing.
    if before == after && counted != after.rows {
        problems.push(format!("{counted} rows were found where {} were committed", after.rows));
    }
    let blobs = directory::blob_files(&directory::database(&store.options.dir));
    if blobs > 0 {
        problems.push(format!(
            "{blobs} file(s) in blobs/, which the engine never makes durable: export, make the store anew, import"
        ));
    }
    let left_out = problems.len().saturating_sub(PROBLEMS_MAX);
    problems.truncate(PROBLEMS_MAX);
    if left_out > 0 {
        problems.push(format!("and {left_out} more"));
    }
    report.problems = problems;
    Ok(report)
}

fn page(
    live: &Live,
    after: Option<&[u8]>,
    report: &mut VerifyReport,
) -> std::result::Result<Page, ReadFailure> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut problems = Vec::new();
    let mut last = None;
    let mut count = 0;
    for item in live.db.range::<&[u8], _>((start, Bound::Unbounded)).take(PAGE_ENTRIES) {
        let (key, entry) = item?;
        count += 1;
        report.bytes += (key.len() + entry.len()) as u64;
        if let Some(problem) = entry_problem(live, &key, &entry, report)? {
            problems.push(problem);
        }
        last = Some(key.to_vec());
    }
    Ok((problems, last.filter(|_| count == PAGE_ENTRIES)))
}

fn entry_problem(
    live: &Live,
    key: &[u8],
    entry: &[u8],
    report: &mut VerifyReport,
) -> std::result::Result<Option<String>, ReadFailure> {
    if key == FORMAT_KEY || key == TALLY_KEY {
        return Ok(None);
    }
    match key.split_first() {
        Some((&PIECES, rest)) => Ok(piece_problem(live, rest)?),
        Some((&byte, key)) => {
            let Some(keyspace) = Keyspace::from_byte(byte) else {
                return Ok(Some(format!("a row of an unknown keyspace {byte:#04x}")));
            };
            *report.rows.entry(keyspace).or_default() += 1;
            match Head::parse(entry) {
                None => Ok(Some(format!("a row of {keyspace} has an unknown form"))),
                Some(Head::Whole(_)) => Ok(None),
                Some(Head::Pieces { bytes, pieces }) => {
                    let mut found = 0;
                    for index in 0..pieces {
                        found += live.db.get(piece_key(keyspace, key, index))?.map_or(0, |piece| piece.len());
                    }
                    Ok((found != bytes)
                        .then(|| format!("a long value of {keyspace} has {found} of its {bytes} bytes")))
                }
            }
        }
        None => Ok(Some("an entry without a key".to_owned())),
    }
}

/// What is wrong with a piece of a long value: it must belong to a row that counts it.
fn piece_problem(live: &Live, rest: &[u8]) -> std::result::Result<Option<String>, ReadFailure> {
    let orphan = || Ok(Some("a piece of a long value belongs to no row".to_owned()));
    let Some((row, index)) = rest.split_last_chunk::<4>() else { return orphan() };
    let Some(entry) = live.db.get(row)? else { return orphan() };
    match Head::parse(&entry) {
        Some(Head::Pieces { pieces, .. }) if u32::from_be_bytes(*index) < pieces => Ok(None),
        _ => orphan(),
    }
}
