//! What is looked for where it must not be: personal data in logs and messages, one institution's content at
//! another.
//!
//! Must not know how either would get there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::house::House;
use crate::population::Population;
use crate::town::Town;

/// Everything that identifies somebody of this population: names in kanji and kana, whole and in parts, birth
/// dates, resident numbers and every institution's own numbers.
pub fn personal_data(people: &Population) -> BTreeSet<String> {
    let mut data = BTreeSet::new();
    for resident in &people.residents {
        data.insert(resident.number.clone());
        data.insert(resident.birth.to_string());
        data.insert(resident.birth.to_string().replace('-', ""));
        for name in [&resident.name, &resident.kana] {
            data.insert(name.clone());
            // Single letters and very short names stand in any text.
            data.extend(name.split(' ').filter(|part| part.len() > 5).map(str::to_owned));
        }
    }
    data.extend(people.archives.values().flat_map(|archive| archive.numbers.values().cloned()));
    data
}

/// How much of `text` is personal data: the pieces found.
pub fn found_in<'a>(text: &str, data: &'a BTreeSet<String>) -> Vec<&'a str> {
    data.iter().filter(|piece| text.contains(piece.as_str())).map(String::as_str).collect()
}

/// Personal data and pieces of records in any node's log, as `house: piece`; and an error where a log is empty, for then nothing
/// was proved.
///
/// # Errors
/// A log is empty.
pub fn in_logs(town: &Town, people: &Population) -> Result<Vec<String>, String> {
    let mut data = personal_data(people);
    data.extend(canaries(people).into_values().flatten());
    let mut found = Vec::new();
    for house in House::ALL {
        let log = town.node(house).log();
        if log.is_empty() {
            return Err(format!("the log of {house} is empty"));
        }
        found.extend(found_in(&log, &data).into_iter().map(|piece| format!("{house}: {piece}")));
    }
    Ok(found)
}

/// Strings that only one institution's records contain: record ids, lot numbers and its local numbers.
pub fn canaries(people: &Population) -> BTreeMap<House, BTreeSet<String>> {
    let of = |ndjson: &str, numbers: &BTreeMap<String, String>| {
        let mut found: BTreeSet<String> = numbers.values().cloned().collect();
        for line in ndjson.lines() {
            let resource: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            for key in ["id", "lotNumber"] {
                // A class name such as 3-2 stands anywhere.
                found.extend(resource[key].as_str().filter(|text| text.len() >= 6).map(str::to_owned));
            }
        }
        found
    };
    people.archives.iter().map(|(house, archive)| (*house, of(&archive.ndjson, &archive.numbers))).collect()
}

/// Writes everything a process can read of its own memory into a file. Needs the rights of root, for nodes
/// forbid tracing to their own account.
///
/// # Errors
/// The process is gone, or not ours to read.
pub fn dump_memory(pid: i32, out: &Path) -> io::Result<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = fs::File::open(format!("/proc/{pid}/mem"))?;
    let dump = fs::File::create(out)?;
    let mut written = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let Some((from, to)) = range.split_once('-') else { continue };
        let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16)) else {
            continue;
        };
        // What cannot be written holds no data but the program's own.
        if !rights.starts_with("rw") {
            continue;
        }
        written += copy(&memory, from..to, &dump, written)?;
    }
    Ok(written)
}

/// Copies a range; pages that the kernel does not give are left out.
fn copy(memory: &fs::File, range: std::ops::Range<u64>, dump: &fs::File, at: u64) -> io::Result<u64> {
    let mut chunk = vec![0; 1 << 20];
    let (mut from, mut written) = (range.start, 0);
    while from < range.end {
        let want = usize::try_from(range.end - from).unwrap_or(chunk.len()).min(chunk.len());
        let Some(part) = chunk.get_mut(..want) else { break };
        match memory.read_at(part, from) {
            Ok(0) | Err(_) => from += 4096,
            Ok(read) => {
                dump.write_all_at(part.get(..read).unwrap_or_default(), at + written)?;
                written += read as u64;
                from += read as u64;
            }
        }
    }
    Ok(written)
}
