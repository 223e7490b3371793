//! The planted texts: drawn and committed to by the auditor, carried by ordinary records.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::Trouble;
use crate::house::House;

/// One planted text.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What it looks like: `latin`, `kana`, `number`, `date`, `attachment`.
    pub kind: String,
    /// The text.
    pub text: String,
}

#[derive(Deserialize)]
struct Line {
    member: String,
    kind: String,
    text: String,
}

/// Reads `canaries.ndjson`: the texts by the house they belong to.
///
/// # Errors
/// The file cannot be read, or names a house this town has not.
pub fn read(path: &Path) -> Result<BTreeMap<House, Vec<Canary>>, Trouble> {
    let text = fs::read_to_string(path).map_err(|source| Trouble::file(path, source))?;
    let mut canaries: BTreeMap<House, Vec<Canary>> = BTreeMap::new();
    for line in text.lines() {
        let Line { member, kind, text } =
            serde_json::from_str(line).map_err(|error| Trouble::content(path, error))?;
        let house = House::of(&member).ok_or_else(|| Trouble::content(path, "a member of no town"))?;
        canaries.entry(house).or_default().push(Canary { kind, text });
    }
    Ok(canaries)
}
