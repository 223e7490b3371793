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

/// Residents and guardianships.
pub(super) fn register(town: &Town, people: &Population) -> Result<(), TownError> {
    let residents = scratch(town, "residents.csv", &people.residents_csv())?;
    at(town, House::CityHall, &["resident", "import", &text(&residents)], CLERKS[0])?;
    for care in &people.guardianships {
        let words = [
            "guardianship",
            "propose",
            "--guardian",
            &care.guardian,
            "--child",
            &care.child,
            "--basis",
            "parental-authority",
        ];
        let proposed = at(town, House::CityHall, &words, CLERKS[0])?;
        let id = proposed["id"].as_str().unwrap_or_default().to_owned();
        at(town, House::CityHall, &["guardianship", "confirm", &id], CLERKS[1])?;
    }
    Ok(())
}

/// Enrols a card for a resident.
pub(super) fn enrol_card(town: &Town, card: &Card, resident: &str) -> Result<(), TownError> {
    let certificate = text(&card.certificate);
    at(town, House::CityHall, &["card", "enrol", "--resident", resident, &certificate], CLERKS[0])?;
    Ok(())
}

/// Hands over a revocation list.
pub(super) fn revocations(town: &Town, list: &Path) -> Result<(), TownError> {
    at(town, House::CityHall, &["card", "crl", &text(list)], CLERKS[0])?;
    Ok(())
}

/// Imports an institution's export.
pub(super) fn import(town: &Town, house: House, ndjson: &str) -> Result<Value, TownError> {
    let file = scratch(town, &format!("{house}.ndjson"), ndjson)?;
    at(town, house, &["import", &text(&file)], CLERKS[0])
}

/// Tokens for one institution, and its links from them.
pub(super) fn link(town: &Town, house: House) -> Result<Value, TownError> {
    let tokens = town.folder().join("inbox").join(format!("{house}.tokens"));
    at(town, House::CityHall, &["link", "export", "--for", house.id(), "--out", &text(&tokens)], CLERKS[0])?;
    at(town, house, &["link", "import", &text(&tokens)], CLERKS[0])
}
