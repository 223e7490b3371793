//! A stopped node laid open for an inspector: every entry of its ledger and every row of its store, as its own
//! keys open them.
//!
//! Owns: the attribution of every byte class of the store to the table it belongs to. Whatever does not parse as
//! what its place says it is, is `unknown`: that is what an inspection is for. Changes nothing in the node's
//! folder: the store is opened in a private copy, for opening one writes.
//!
//! Must not know what is to be concluded: `hibiki-audit` judges, from the lines written here.

mod copy;
mod forms;
mod identifiers;
mod rows;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::tlog::VerifierKey;
use serde_json::{Value, json};

use crate::keyring::KeyRing;
use crate::ledger::{OpenError, OpenedEntry, SubjectKey, open_entries};
use crate::store::{Keyspace, SCAN_ROWS_MAX, SledOptions, SledStore, Store as _, StoreError};

pub use copy::PrivateCopy;

/// Memory the copied store may keep.
const CACHE_BYTES: u64 = 64 << 20;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines written.
    pub lines: u64,
    /// Of them, entries that do not open to what their leaf commits to, or rows that belong to no table.
    pub wrong: u64,
}

/// Why an inspection came to its end early.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// The ledger's journal cannot be read to its end.
    #[error("the ledger: {0}")]
    Ledger(#[from] OpenError),
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The output cannot be written.
    #[error("the output: {0}")]
    Output(#[from] io::Error),
}

/// Writes every entry of the ledger in `folder`, one JSON object a line: `index`, and `plain` (base64: what was
/// sealed, salt first), or `erased`, or `damaged` with the reason. The last line says how many there are: `complete`.
///
/// # Errors
/// The journal cannot be read to its end, or the output not written. What was written until then stands.
pub fn entries(
    folder: &Path,
    key: &VerifierKey,
    keys: &KeyRing,
    out: &mut dyn Write,
    told: &mut dyn FnMut(u64),
) -> Result<Tally, InspectionError> {
    let mut tally = Tally::default();
    let mut failed = None;
    open_entries(folder, key, keys, &mut |index, opened| {
        if failed.is_some() {
            return;
        }
        let line = match opened {
            OpenedEntry::Plain(plain) => json!({ "index": index, "plain": STANDARD.encode(&*plain) }),
            OpenedEntry::Erased => json!({ "index": index, "erased": true }),
            OpenedEntry::Damaged(why) => {
                tally.wrong += 1;
                json!({ "index": index, "damaged": why })
            }
        };
        tally.lines += 1;
        told(tally.lines);
        failed = writeln!(out, "{line}").err();
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => finish(tally, out),
    }
}

/// Writes every row of the store in `folder`, one JSON object a line: `keyspace`, `class`, `key_bytes`,
/// `value_bytes`, `identifiers`, and what it says as `text` or `content` (base64). The last line says how many there
/// are: `complete`. Of whoever is erased only the key's name is left, and `gone` has it: whom the ledger has entries about.
///
/// # Errors
/// The store cannot be read to its end, or the output not written.
pub fn rows(
    folder: &Path,
    keys: &Arc<KeyRing>,
    gone: &BTreeSet<SubjectKey>,
    out: &mut dyn Write,
    told: &mut dyn FnMut(u64),
) -> Result<Tally, InspectionError> {
    let options = SledOptions { cache_bytes: CACHE_BYTES, reserve_bytes: 0, ..SledOptions::new(folder) };
    let store = SledStore::open(options)?;
    let snapshot = store.snapshot()?;
    let mut tally = Tally::default();
    for keyspace in Keyspace::ALL {
        let mut last: Option<Vec<u8>> = None;
        loop {
            let page = snapshot.scan(*keyspace, &[], last.as_deref(), SCAN_ROWS_MAX)?;
            let end = page.len() < SCAN_ROWS_MAX;
            for (key, value) in &page {
                let row = rows::attribute(keys, gone, &*snapshot, *keyspace, key, value);
                tally.wrong += u64::from(row.class == rows::UNKNOWN);
                tally.lines += 1;
                writeln!(out, "{}", line(*keyspace, key, value, row))?;
            }
            told(tally.lines);
            last = page.into_iter().last().map(|(key, _)| key);
            if end {
                break;
            }
        }
    }
    finish(tally, out)
}

/// The last line, by which it is seen that nothing is missing.
fn finish(tally: Tally, out: &mut dyn Write) -> Result<Tally, InspectionError> {
    writeln!(out, "{}", json!({ "complete": tally.lines }))?;
    Ok(tally)
}

fn line(keyspace: Keyspace, key: &[u8], value: &[u8], row: rows::Attributed) -> Value {
    let mut line = json!({
        "keyspace": keyspace.name(),
        "class": row.class,
        "key_bytes": key.len(),
        "value_bytes": value.len(),
        "identifiers": row.identifiers,
    });
    let said = match String::from_utf8(row.content) {
        Ok(text) => ("text", text),
        Err(bytes) => ("content", STANDARD.encode(bytes.as_bytes())),
    };
    if let Some(fields) = line.as_object_mut().filter(|_| !said.1.is_empty()) {
        fields.insert(said.0.to_owned(), said.1.into());
    }
    line
}

/// A summary for the person at the counter.
pub fn summary(what: &str, tally: Tally) -> String {
    let mut said = format!("{what}: {} 行 / lines", tally.lines);
    if tally.wrong > 0 {
        let _ =
            write!(said, ", うち {} 件は説明できません / of them {} UNEXPLAINED", tally.wrong, tally.wrong);
    }
    said
}
