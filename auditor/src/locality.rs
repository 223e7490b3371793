//! Data locality: is anything of one institution at another, and does a gateway keep anything of what it
//! relays? Four questions, each able to fail by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::EntryKind;
use hibiki_protocol::trust::Role;

use crate::artefacts::{Artefacts, folder};
use crate::evidence::Evidence;
use crate::scan::walk;
use crate::search;
use crate::strand::Strand;
use crate::traffic;

/// What of a member is searched, where it is there.
const SEARCHED: [&str; 6] =
    ["disk", "disk.img", "unallocated.img", "memory.img", "store.ndjson", "openings.ndjson"];
/// Bytes a destroyed key may have sealed, for every erasure in the ledger.
const ERASED_MAX: u64 = 256 << 10;
/// What a gateway may write more for larger records: this, and a hundredth of what was added. The system counts whole
/// pages, and a ledger that is written a little more often in smaller groups fills more of them.
const WRITTEN_MAX: u64 = 64 << 10;
/// What a gateway may hold in memory more, whatever was added: buffers that were needed once, by four views.
const MEMORY_MAX: u64 = 48 << 20;
/// Where staff's commands reach a running node.
const SOCKET: &str = "data/admin.sock";
/// The space a node keeps aside for a full disk: zeros, a good place to hide something.
const RESERVE: &str = "data/store/reserve";

/// Every canary is at home, and nowhere else.
pub fn canaries(evidence: &Evidence, strand: &mut Strand) {
    let Some(scanner) = strand.need(evidence.search()) else { return };
    search::control(scanner, 40, strand);
    let mut at_home = BTreeSet::new();
    for member in evidence.responders() {
        let (id, own) = (&member.id, folder(&member.id));
        let has = |name: &str| evidence.artefacts.has(&format!("{own}/{name}"));
        strand.wants(has("disk") || has("disk.img"), || format!("{own}/disk: what {id} wrote"));
        let remembered = !member.has_role(Role::Gateway) || has("memory.img");
        strand.wants(remembered, || format!("{own}/memory.img: the memory of {id}, which relays"));
        at_home.extend(canaries_of(evidence, &own, id, strand));
    }
    let planted = scanner.needles().len();
    strand.count("canaries planted", planted as u64);
    strand.count("canaries found at home", at_home.len() as u64);
    strand.must(at_home.len() == planted, || {
        format!("{} canaries were not found at home: the search is void", planted - at_home.len())
    });
}

fn canaries_of(evidence: &Evidence, own: &str, owner: &MemberId, strand: &mut Strand) -> BTreeSet<usize> {
    let names = SEARCHED.iter().map(|name| format!("{own}/{name}"));
    let there = names.filter(|name| evidence.artefacts.has(name));
    there.flat_map(|name| evidence.searched(&name, Some(owner), strand)).collect()
}

/// What other scanners found, which the inspector ran: their word, which this tool cannot compute again.
pub fn second_opinion(evidence: &Evidence, strand: &mut Strand) {
    let opinions = strand.need(evidence.artefacts.json("second-opinion.json")).unwrap_or_default();
    for opinion in opinions.as_array().into_iter().flatten() {
        let tool = opinion["tool"].as_str().unwrap_or_default();
        for member in opinion["members"].as_array().into_iter().flatten() {
            let figures = ["planted", "found_at_home", "found_abroad"];
            let [planted, home, abroad] = figures.map(|name| member[name].as_u64().unwrap_or_default());
            strand.count(&format!("{tool}: found at home"), home);
            strand.count(&format!("{tool}: found abroad"), abroad);
            strand.must(planted > 0 && home == planted && abroad == 0, || {
                format!("{tool} at {}: {home} of {planted} at home, {abroad} abroad", member["member"])
            });
        }
    }
}

/// Every row of every store belongs to a table of the node.
pub fn rows(evidence: &Evidence, strand: &mut Strand) {
    for member in evidence.responders() {
        let entries = evidence.ledgers.get(&member.id).into_iter().flatten();
        let erasures = entries.filter(|entry| entry.leaf.kind == EntryKind::Erase).count() as u64;
        rows_of(&evidence.artefacts, &folder(&member.id), erasures, strand);
    }
}

fn rows_of(artefacts: &Artefacts, own: &str, erasures: u64, strand: &mut Strand) {
    let (mut classes, mut erased): (BTreeMap<String, u64>, u64) = (BTreeMap::new(), 0);
    let read = artefacts.inspected(&format!("{own}/store.ndjson"), |row| {
        let class = row["class"].as_str().unwrap_or("unknown");
        *classes.entry(class.to_owned()).or_default() += 1;
        if class == "erased" {
            erased = erased.saturating_add(row["value_bytes"].as_u64().unwrap_or(u64::MAX));
        }
    });
    strand.need(read);
    let unknown = classes.get("unknown").copied().unwrap_or_default();
    strand.count("rows", classes.values().sum());
    strand.count("rows that belong to no table", unknown);
    strand.must(unknown == 0, || format!("{own}: {unknown} rows belong to no table"));
    strand.must(erased <= erasures.saturating_mul(ERASED_MAX), || {
        format!("{own}: {erased} bytes are sealed under keys that are not there")
    });
    let usual = classes.contains_key("trust list");
    strand.wants(usual, || format!("{own}/store.ndjson: the rows every store has"));
}

/// Every file a node wrote is one that a node writes.
pub fn files(evidence: &Evidence, strand: &mut Strand) {
    for member in evidence.responders() {
        files_of(&evidence.artefacts, &format!("{}/disk", folder(&member.id)), strand);
    }
}

fn files_of(artefacts: &Artefacts, disk: &str, strand: &mut Strand) {
    if !artefacts.has(disk) {
        return strand.missing(format!("{disk}: the files, one by one"));
    }
    let (root, before) = (artefacts.path(disk), strand.figure("files"));
    walk(&root, &mut |path, kind| {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy();
        let known = match kind {
            Err(error) => return strand.missing(format!("{}: {error}", path.display())),
            Ok(kind) if kind.is_dir() => return,
            Ok(kind) if kind.is_socket() => name == SOCKET,
            Ok(kind) => kind.is_file() && (name == RESERVE || explained(&name)),
        };
        strand.count("files", u64::from(known));
        strand.must(known, || format!("{disk}: nobody knows the file {name}"));
        let hides = known && name == RESERVE && !empty(path);
        strand.must(!hides, || format!("{disk}: the space kept aside, {name}, is not empty"));
    });
    let found = strand.figure("files") > before;
    strand.wants(found, || format!("{disk}: the files every node has"));
}

/// Whether a file is zeros alone.
fn empty(path: &Path) -> bool {
    let zero = |byte: io::Result<u8>| byte.is_ok_and(|byte| byte == 0);
    File::open(path).is_ok_and(|file| BufReader::new(file).bytes().all(zero))
}

/// What a node writes, by where it writes it.
fn explained(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let tile = |parts: &[&str]| {
        let number = |part: &&str| number(part.trim_start_matches('x').trim_end_matches(".p"));
        !parts.is_empty() && parts.iter().all(number)
    };
    match *name.split('/').collect::<Vec<_>>() {
        ["node.toml" | "node.log" | "member.request"] => true,
        ["data", "admin.sock.lock"] | ["data", "keys", _] | ["data", "keys", "sealing", _] => true,
        ["data", "ledger", "checkpoint" | "checkpoints" | "cosigned" | "lock"] => true,
        ["data", "ledger", "journal", name] => number(name),
        ["data", "ledger", "tile", "entries", ref parts @ ..] => tile(parts),
        ["data", "ledger", "tile", ref parts @ ..] => tile(parts),
        ["data", "ledger" | "witnessed", "tmp", name] => number(name),
        ["data", "revocation", list] => list.ends_with(".crl"),
        ["data", "store", "commits"] | ["data", "store", "sled", "conf" | "db"] => true,
        ["data", "store", "sled", "blobs", name] => number(name),
        ["data", "store", "sled", snapshot] => snapshot
            .strip_prefix("snap.")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit())),
        ["data", "witnessed", kept] => kept == "lock" || kept.ends_with(".checkpoint"),
        ["data", "witnessed", "forks", fork] => fork.ends_with(".json"),
        _ => false,
    }
}

/// The gateway writes and keeps no more for larger records.
pub fn volume(evidence: &Evidence, strand: &mut Strand) {
    for member in evidence.gateways() {
        volume_of(&evidence.artefacts, &folder(&member.id), strand);
    }
}

fn volume_of(artefacts: &Artefacts, own: &str, strand: &mut Strand) {
    let Some(figures) = strand.need(artefacts.json(&format!("{own}/volume.json"))) else { return };
    let more = |what: &str| {
        let [small, large] = ["small", "large"].map(|which| figures[which][what].as_u64());
        Some(large?.saturating_sub(small?))
    };
    let (Some(added), Some(written), Some(held)) = (more("payload"), more("written"), more("memory")) else {
        return strand.missing(format!("{own}/volume.json: payload, written and memory, small and large"));
    };
    strand.count("payload added", added);
    strand.count("written more", written);
    strand.count("held more", held);
    strand.wants(added >= 2 * MEMORY_MAX.min(16 << 20), || {
        format!("{own}/volume.json: {added} bytes of added payload are too few to show anything")
    });
    let allowed = WRITTEN_MAX + added / 100;
    strand.must(written <= allowed, || {
        format!("{own}: {written} bytes more were written; {allowed} are allowed")
    });
    strand.must(held <= MEMORY_MAX, || format!("{own}: {held} bytes more are held in memory"));
}

/// Whether a strand fails on a leaking node's artefacts, which stand below `place`; what it said.
pub fn catches(evidence: &Evidence, place: &str, strand: &str) -> Option<String> {
    let Evidence { artefacts, .. } = evidence;
    let mut caught = Strand::new(strand);
    if strand == "traffic" {
        traffic::searched(evidence, &format!("{place}/"), &mut caught);
    }
    for id in evidence.responders().map(|member| &member.id) {
        let own = format!("{place}/{}", folder(id));
        match strand {
            _ if !artefacts.has(&own) => {}
            "canaries" => drop(canaries_of(evidence, &own, id, &mut caught)),
            "rows" => rows_of(artefacts, &own, 0, &mut caught),
            "files" => files_of(artefacts, &format!("{own}/disk"), &mut caught),
            "volume" => volume_of(artefacts, &own, &mut caught),
            _ => {}
        }
    }
    caught.problems.into_iter().next()
}
