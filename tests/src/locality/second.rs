//! Second opinions, from software that nobody here wrote: yara searches every disk for everybody's canaries, and
//! the Sleuth Kit takes from the gateway's disk what its file system has let go of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::canary::Canary;
use super::{Trouble, gather};
use crate::disk::Disk;
use crate::house::House;

/// Whether a program is there.
fn there(program: &str) -> bool {
    Command::new(program).arg("-V").output().is_ok()
        || Command::new(program).arg("--version").output().is_ok()
}

/// What the gateway's file system has let go of: deleted files, earlier states of those that were overwritten.
/// `false` where the Sleuth Kit is not installed.
///
/// # Errors
/// The disk cannot be read.
pub fn unallocated(disk: &Disk, artefacts: &Path) -> Result<bool, Trouble> {
    if !there("blkls") {
        return Ok(false);
    }
    let folder = gather::make(&artefacts.join("members").join(House::CityHall.slug()))?;
    gather::run(&mut Command::new("sync"))?;
    let out = folder.join("unallocated.img");
    let file = std::fs::File::create(&out).map_err(|source| Trouble::file(&out, source))?;
    let ran = Command::new("blkls").args(["-f", "ext4"]).arg(disk.image()).stdout(file).status();
    match ran {
        Ok(status) if status.success() => Ok(true),
        _ => Err(Trouble::Machine("blkls cannot read the gateway's disk".into())),
    }
}

/// Has yara search every member, and writes what it found to `second-opinion.json`; `false` where it is not
/// installed.
///
/// # Errors
/// yara fails.
pub fn yara(canaries: &BTreeMap<House, Vec<Canary>>, artefacts: &Path) -> Result<bool, Trouble> {
    if !there("yara") {
        return Ok(false);
    }
    let version = gather::run(Command::new("yara").arg("--version"))?.trim().to_owned();
    let rules = artefacts.join("canaries/second.yar");
    gather::write(&rules, &rules_for(canaries))?;
    let mut members = Vec::new();
    for (house, own) in canaries {
        let folder = artefacts.join("members").join(house.slug());
        let (mut home, mut abroad) = (BTreeSet::new(), BTreeSet::new());
        // The store is encrypted at rest: at home they are found in what its keys open.
        for place in ["disk", "store.ndjson", "openings.ndjson", "memory.img", "unallocated.img"] {
            let place = folder.join(place);
            if !place.exists() {
                continue;
            }
            let mut search = Command::new("yara");
            search.args(["-r", "-w", "-s", "--max-strings-per-rule=100000"]).arg(&rules).arg(&place);
            for found in matches(&gather::run(&mut search)?) {
                if found.starts_with(&format!("{}:", rule_of(*house))) {
                    home.insert(found)
                } else {
                    abroad.insert(found)
                };
            }
        }
        members.push(json!({
            "member": house.id(), "planted": own.len(), "found_at_home": home.len(), "found_abroad": abroad.len(),
        }));
    }
    let opinion: Value = json!([{ "tool": "yara", "version": version, "members": members }]);
    gather::write(&artefacts.join("second-opinion.json"), &opinion.to_string())?;
    Ok(true)
}

fn rule_of(house: House) -> String {
    house.slug().replace('-', "_")
}

/// A rule for every institution: its canaries as they are, and those in ASCII also in UTF-16 and base64.
fn rules_for(canaries: &BTreeMap<House, Vec<Canary>>) -> String {
    let mut rules = String::new();
    for (house, own) in canaries {
        let _ = writeln!(rules, "rule {} {{ strings:", rule_of(*house));
        for (number, canary) in own.iter().enumerate() {
            let text = &canary.text;
            if text.is_ascii() {
                let _ = writeln!(
                    rules,
                    "  $c{number} = \"{text}\" ascii wide\n  $c{number}_b = \"{text}\" base64"
                );
            } else {
                let _ = writeln!(rules, "  $c{number} = {{ {} }}", hex::encode(text));
            }
        }
        rules.push_str("condition: any of them }\n");
    }
    rules
}

/// `rule:canary` of every match in what yara printed.
fn matches(said: &str) -> Vec<String> {
    let mut rule = String::new();
    let mut found = Vec::new();
    for line in said.lines() {
        match line.strip_prefix("0x").and_then(|rest| rest.split(':').nth(1)) {
            Some(name) => found.push(format!("{rule}:{}", name.trim_end_matches("_b"))),
            None => rule = line.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yara_prints_is_read() {
        let said = "momiji_elementary members/x/store.ndjson\n0x1f:$c3: 30 31\n0x2f:$c3_b: 30\nchuo_hospital y\n0x0:$c0: 31\n";
        assert_eq!(matches(said), ["momiji_elementary:$c3", "momiji_elementary:$c3", "chuo_hospital:$c0"]);
    }
}
