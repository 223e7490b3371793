//! The artefacts: what an inspector would carry away from every institution.
//!
//! The layout is that of `docs/regulator.md`; `hibiki-audit` reads nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::Trouble;
use crate::evidence;
use crate::house::House;
use crate::town::Town;

/// What is taken of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything it wrote.
    Disk,
    /// The same, and what its own keys open: the store row by row, the ledger entry by entry.
    Opened,
}

/// The council's root and every trust list.
///
/// # Errors
/// A file cannot be copied.
pub fn trust(town: &Town, out: &Path) -> Result<(), Trouble> {
    let (council, trust) = (town.folder().join("council"), make(&out.join("trust"))?);
    copy(&council.join("root.cbor"), &trust.join("root.pub"))?;
    let lists = council.join("lists");
    for entry in fs::read_dir(&lists).map_err(|source| Trouble::file(&lists, source))? {
        let from = entry.map_err(|source| Trouble::file(&lists, source))?.path();
        let stem = from.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        copy(&from, &trust.join(format!("{}.list", stem.trim_start_matches('0'))))?;
    }
    Ok(())
}

/// The memory of a running member, frozen meanwhile.
///
/// # Errors
/// It is not running, or not ours to read.
pub fn memory(town: &Town, house: House, out: &Path) -> Result<u64, Trouble> {
    let folder = make(&out.join("members").join(house.slug()))?;
    let node = town.node(house);
    let pid = node.pid().ok_or_else(|| Trouble::Machine(format!("{house} is not running")))?;
    node.freeze();
    let dumped = evidence::dump_memory(pid.as_raw_nonzero().get(), &folder.join("memory.img"));
    node.thaw();
    dumped.map_err(|error| Trouble::Machine(format!("the memory of {house}: {error} (run as root)")))
}

/// A stopped member.
///
/// # Errors
/// Its folder cannot be copied, or it cannot be inspected.
pub fn member(town: &Town, house: House, depth: Depth, out: &Path) -> Result<(), Trouble> {
    let folder = make(&out.join("members").join(house.slug()))?;
    let roles: &[&str] =
        if house == House::CityHall { &["gateway", "registry", "responder"] } else { &["responder"] };
    write(&folder.join("member.json"), &json!({ "member": house.id(), "roles": roles }).to_string())?;
    let node = town.node(house);
    run(Command::new("cp").args(["-a", "--sparse=always"]).arg(node.folder()).arg(folder.join("disk")))?;
    if !node.data().starts_with(node.folder()) {
        run(Command::new("cp")
            .args(["-a", "--sparse=always"])
            .arg(node.data())
            .arg(folder.join("disk/data")))?;
    }
    let witnessed = node.data().join("witnessed");
    if witnessed.is_dir() {
        run(Command::new("cp").arg("-a").arg(&witnessed).arg(folder.join("witnessed")))?;
    }
    if depth == Depth::Opened {
        let mut inspect = Command::new(town.programs().path("hibiki-node"));
        inspect.args(["inspect", "--config", node.config_text()]);
        inspect.arg("--openings").arg(folder.join("openings.ndjson"));
        inspect.arg("--store").arg(folder.join("store.ndjson"));
        inspect.arg("--ledger").arg(folder.join("ledger"));
        // What it cannot explain is for the auditor to judge; without its outputs there is nothing to judge.
        let refused = run(&mut inspect).err().filter(|_| !folder.join("store.ndjson").exists());
        refused.map_or(Ok(()), Err)?;
    }
    Ok(())
}

/// The public part of a stopped member's ledger, and nothing else.
///
/// # Errors
/// It cannot be copied.
pub fn ledger(town: &Town, house: House, out: &Path) -> Result<(), Trouble> {
    let folder = make(&out.join("members").join(house.slug()))?;
    let mut inspect = Command::new(town.programs().path("hibiki-node"));
    inspect.args(["inspect", "--config", town.node(house).config_text()]);
    run(inspect.arg("--ledger").arg(folder.join("ledger"))).map(drop)
}

/// A folder that is there from now on.
///
/// # Errors
/// It cannot be made.
pub fn make(folder: &Path) -> Result<PathBuf, Trouble> {
    fs::create_dir_all(folder).map_err(|source| Trouble::file(folder, source))?;
    Ok(folder.to_owned())
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    fs::write(path, text).map_err(|source| Trouble::file(path, source))
}

fn copy(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::copy(from, to).map(drop).map_err(|source| Trouble::file(from, source))
}

/// Runs a program that must succeed; its standard output.
///
/// # Errors
/// It does not.
pub fn run(command: &mut Command) -> Result<String, Trouble> {
    let name = format!("{command:?}");
    let output = command.output().map_err(|source| Trouble::file(Path::new(&name), source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Trouble::Machine(format!("{name} failed: {}", said.trim())))
}
