//! What staff do at the counters, through `hibiki-node`'s own commands.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Card, Town, TownError, text};
use crate::house::House;
use crate::population::Population;

/// Two clerks: what needs four eyes is proposed by the first and confirmed by the second.
const CLERKS: [&str; 2] = ["clerk-1", "clerk-2"];

/// Runs a command on a node.
fn at(town: &Town, house: House, words: &[&str], staff: &str) -> Result<Value, TownError> {
    let config = town.node(house).config_text();
    let mut arguments = words.to_vec();
    arguments.extend(["--config", config, "--staff", staff, "--format", "json"]);
    town.programs().node_json(&arguments)
}

/// A file for a command to read.
fn scratch(town: &Town, name: &str, content: &str) -> Result<PathBuf, TownError> {
    let folder = town.folder().join("inbox");
    super::make_folder(&folder)?;
    let path = folder.join(name);
    fs::write(&path, content).map_err(|source| TownError::file(&path, source))?;
    Ok(path)
}

/// What staff of an institution do with a command of its node; its answer.
///
/// # Errors
/// The node refuses.
pub fn command(town: &Town, house: House, words: &[&str]) -> Result<Value, TownError> {
    at(town, house, words, CLERKS[0])
}

/// The same with a file that the command reads as its last word.
///
/// # Errors
/// The node refuses.
pub fn command_with(
    town: &Town,
    house: House,
    words: &[&str],
    name: &str,
    file: &str,
) -> Result<Value, TownError> {
    let path = text(&scratch(town, name, file)?);
    let mut words = words.to_vec();
    words.push(&path);
    at(town, house, &words, CLERKS[0])
}

/// Residents and guardianships.
///
/// # Errors
/// The registry refuses.
pub fn register(town: &Town, people: &Population) -> Result<(), TownError> {
    let residents = scratch(town, "residents.csv", &people.residents_csv())?;
    at(town, House::CityHall, &["resident", "import", &text(&residents)], CLERKS[0])?;
    for care in &people.guardianships {
        let shared = people.guardianships.iter().filter(|other| other.child == care.child).count() > 1;
        let mut words = vec!["guardianship", "propose", "--guardian", &care.guardian, "--child", &care.child];
        if shared {
            words.extend(["--basis", "parental-joint", "--document", "戸籍全部事項証明書"]);
        } else {
            words.extend(["--basis", "parental-sole"]);
        }
        let proposed = at(town, House::CityHall, &words, CLERKS[0])?;
        let id = proposed["id"].as_str().unwrap_or_default().to_owned();
        at(town, House::CityHall, &["guardianship", "confirm", &id], CLERKS[1])?;
    }
    Ok(())
}

/// Enrols a card for a resident.
///
/// # Errors
/// The registry refuses.
pub fn enrol_card(town: &Town, card: &Card, resident: &str) -> Result<(), TownError> {
    let certificate = text(&card.certificate);
    at(town, House::CityHall, &["card", "enrol", "--resident", resident, &certificate], CLERKS[0])?;
    Ok(())
}

/// Hands over a revocation list.
///
/// # Errors
/// The registry refuses.
pub fn revocations(town: &Town, list: &Path) -> Result<(), TownError> {
    at(town, House::CityHall, &["card", "crl", &text(list)], CLERKS[0])?;
    Ok(())
}

/// What became of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Everything was taken.
    pub whole: bool,
    /// What the node acknowledged, in its own words.
    pub tally: Value,
    /// Why it did not come to its end, if so.
    pub error: Option<String>,
    /// What was refused, one JSON object each: place and reason.
    pub refused: Vec<Value>,
    /// Everything the command printed.
    pub said: String,
}

impl Imported {
    /// Records the node acknowledged as durable, in the order of the file.
    pub fn acknowledged(&self) -> u64 {
        ["added", "replaced", "unchanged", "older"].iter().filter_map(|name| self.tally[*name].as_u64()).sum()
    }
}

/// Imports an institution's export; what became of it, good or bad.
///
/// # Errors
/// The command cannot be run, or prints something else than its report.
pub fn import(town: &Town, house: House, ndjson: &str) -> Result<Imported, TownError> {
    let file = scratch(town, &format!("{house}.ndjson"), ndjson)?;
    let report = file.with_extension("refused");
    let (config, file, list) = (town.node(house).config_text(), text(&file), text(&report));
    let words =
        ["import", &file, "--report", &list, "--config", config, "--staff", CLERKS[0], "--format", "json"];
    let output = town.programs().run("hibiki-node", &words)?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let odd = |_| TownError::Answer { command: words.join(" "), output: said.clone() };
    let value: Value = serde_json::from_slice(&output.stdout).map_err(odd)?;
    let refused = fs::read_to_string(&report).unwrap_or_default();
    Ok(Imported {
        whole: output.status.success(),
        tally: value["files"][0]["tally"].clone(),
        error: value["files"][0]["error"].as_str().map(str::to_owned),
        refused: refused.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        said,
    })
}

/// Tokens for one institution, and its links from them; the node's report.
///
/// # Errors
/// Registry or institution refuse.
pub fn link(town: &Town, house: House) -> Result<Value, TownError> {
    let tokens = town.folder().join("inbox").join(format!("{house}.tokens"));
    at(
        town,
        House::CityHall,
        &["resident", "tokens", "--member", house.id(), "--all", "--out", &text(&tokens)],
        CLERKS[0],
    )?;
    at(town, house, &["link", "import", &text(&tokens)], CLERKS[0])
}

/// What is denied about a person at an institution, as its staff see it.
///
/// # Errors
/// The institution refuses.
pub fn consents(town: &Town, house: House, local: &str) -> Result<Value, TownError> {
    at(town, house, &["consent", "list", "--local", local], CLERKS[0])
}

/// Installs a trust list at a node.
///
/// # Errors
/// It is refused.
pub fn install_list(town: &Town, house: House, list: &Path) -> Result<Value, TownError> {
    at(town, house, &["trust-list", "install", &text(list)], CLERKS[0])
}

/// Signs the present state of a node's ledger, and verifies every entry of it.
///
/// # Errors
/// It does not verify.
pub fn verify_ledger(town: &Town, house: House) -> Result<Value, TownError> {
    at(town, house, &["ledger", "checkpoint"], CLERKS[0])?;
    at(town, house, &["ledger", "verify", "--deep"], CLERKS[0])
}
