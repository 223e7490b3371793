//! A stopped node laid open, as an inspector gets it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Town, TownError, text};
use crate::house::House;

/// What `hibiki-node inspect` wrote.
pub struct Inspected {
    /// Everything was explained: exit status 0.
    pub explained: bool,
    /// What the person was told.
    pub said: String,
    /// The ledger, entry by entry.
    pub openings: Vec<Value>,
    /// The store, row by row.
    pub rows: Vec<Value>,
    /// The public part of the ledger.
    pub ledger: PathBuf,
}

impl Inspected {
    /// How many rows there are of each class.
    pub fn classes(&self) -> BTreeMap<&str, usize> {
        let mut classes = BTreeMap::new();
        for row in &self.rows {
            *classes.entry(row["class"].as_str().unwrap_or_default()).or_default() += 1;
        }
        classes
    }
}

/// Inspects a stopped node into a new folder.
///
/// # Errors
/// The program cannot be run. What it refuses is in [`Inspected::said`].
pub fn inspect(town: &Town, house: House, out: &Path) -> Result<Inspected, TownError> {
    super::make_folder(out)?;
    let (openings, rows, ledger) =
        (out.join("openings.ndjson"), out.join("store.ndjson"), out.join("ledger"));
    let (o, s, l) = (text(&openings), text(&rows), text(&ledger));
    let config = town.node(house).config_text();
    let words = ["inspect", "--config", config, "--openings", &o, "--store", &s, "--ledger", &l];
    let output = town.programs().run("hibiki-node", &words)?;
    let lines = |path: &Path| -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        lines.filter(|line: &Value| line["complete"].is_null()).collect()
    };
    Ok(Inspected {
        explained: output.status.success(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        openings: lines(&openings),
        rows: lines(&rows),
        ledger,
    })
}
