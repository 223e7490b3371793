//! Data locality: is anything of one institution at another, and does a gateway keep anything of what it
//! relays? Four questions, each able to fail by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::EntryKind;
use hibiki_protocol::trust::{Role, TrustList};
use serde_json::Value;

use crate::artefacts::{Artefacts, folder, responders};
use crate::canary;
use crate::ledgers::Ledgers;
use crate::scan::{Needle, Scanner};
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

/// The search for all revealed canaries, or why there is none.
///
/// # Errors
/// They are missing, or not to be searched for.
pub fn search_for(artefacts: &Artefacts) -> Result<Scanner, String> {
    let canaries = canary::revealed(artefacts)?;
    let needles = canaries.into_iter().map(|it| Needle { owner: it.member, text: it.text }).collect();
    Scanner::new(needles).map_err(|error| error.to_string())
}

/// Every canary is at home, and nowhere else.
pub fn canaries(artefacts: &Artefacts, list: &TrustList, search: &Result<Scanner, String>) -> Strand {
    let mut strand = Strand::new(
        "canaries",
        "各施設の記録に入れた目印は、その施設だけにあり、ほかの施設や中継者のディスク・メモリにないか。",
        "Is every canary at its own institution, and on no other's disk or in no relay's memory?",
    );
    let Some(scanner) = strand.need(search.as_ref().map_err(Clone::clone)) else { return strand.done() };
    let planted = scanner.needles().len();
    search::control(scanner, 40, &mut strand);
    let mut at_home: BTreeSet<usize> = BTreeSet::new();
    for member in responders(list) {
        let own = folder(&member.id);
        let paths: Vec<String> =
            SEARCHED.iter().map(|name| format!("{own}/{name}")).filter(|path| artefacts.has(path)).collect();
        if !paths.iter().any(|path| path.contains("/disk")) {
            strand.missing(format!("{own}/disk: what {} wrote", member.id));
        }
        if member.has_role(Role::Gateway) && !artefacts.has(&format!("{own}/memory.img")) {
            strand.missing(format!("{own}/memory.img: the memory of {}, which relays", member.id));
        }
        for path in paths {
            at_home.extend(searched(scanner, artefacts, &path, &member.id, &mut strand));
        }
    }
    strand.count("canaries planted", planted as u64);
    strand.count("canaries found at home", at_home.len() as u64);
    if at_home.len() != planted {
        strand.problem(format!(
            "{} canaries were not found at home: the search is void",
            planted - at_home.len()
        ));
    }
    strand.done()
}

/// What other scanners found, which the inspector ran: their word, which this tool cannot compute again.
pub fn second_opinion(artefacts: &Artefacts) -> Strand {
    let mut strand = Strand::new(
        "second-opinion",
        "ほかの人が作った検索ソフトも、同じ結果を出したか。",
        "Do scanners that nobody here wrote say the same?",
    );
    let opinions = strand.need(artefacts.json("second-opinion.json")).unwrap_or_default();
    for opinion in opinions.as_array().into_iter().flatten() {
        let tool = opinion["tool"].as_str().unwrap_or_default();
        for member in opinion["members"].as_array().into_iter().flatten() {
            let figure = |name: &str| member[name].as_u64().unwrap_or_default();
            let (planted, home, abroad) =
                (figure("planted"), figure("found_at_home"), figure("found_abroad"));
            strand.count(&format!("{tool}: found at home"), home);
            strand.count(&format!("{tool}: found abroad"), abroad);
            if planted == 0 || home != planted || abroad != 0 {
                strand.problem(format!(
                    "{tool} at {}: {home} of {planted} at home, {abroad} abroad",
                    member["member"]
                ));
            }
        }
    }
    strand.done()
}

fn searched(
    scanner: &Scanner,
    artefacts: &Artefacts,
    path: &str,
    owner: &MemberId,
    strand: &mut Strand,
) -> BTreeSet<usize> {
    search::place(scanner, &artefacts.path(""), &artefacts.path(path), Some(owner.as_str()), strand)
}

/// Every row of every store belongs to a table of the node.
pub fn rows(artefacts: &Artefacts, list: &TrustList, ledgers: &Ledgers) -> Strand {
    let mut strand = Strand::new(
        "rows",
        "各施設の記録庫の全行は、その施設自身の表に属するか。",
        "Does every row of every store belong to a table of that institution?",
    );
    for member in responders(list) {
        let erasures = ledgers.get(&member.id).into_iter().flatten();
        let erasures = erasures.filter(|entry| entry.leaf.kind == EntryKind::Erase).count() as u64;
        rows_of(artefacts, &folder(&member.id), erasures, &mut strand);
    }
    strand.done()
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
    let unknown = classes.remove("unknown").unwrap_or_default();
    strand.count("rows", classes.values().sum::<u64>() + unknown);
    strand.count("rows that belong to no table", unknown);
    if unknown > 0 {
        strand.problem(format!("{own}: {unknown} rows belong to no table"));
    }
    if erased > erasures.saturating_mul(ERASED_MAX) {
        strand.problem(format!("{own}: {erased} bytes are sealed under keys that are not there"));
    }
    if !classes.contains_key("trust list") {
        strand.missing(format!("{own}/store.ndjson: the rows every store has"));
    }
}

/// Every file a node wrote is one that a node writes.
pub fn files(artefacts: &Artefacts, list: &TrustList) -> Strand {
    let mut strand = Strand::new(
        "files",
        "各施設のディスクにあるファイルは、すべて説明できるか。",
        "Can every file on every institution's disk be explained?",
    );
    for member in responders(list) {
        files_of(artefacts, &format!("{}/disk", folder(&member.id)), &mut strand);
    }
    strand.done()
}

fn files_of(artefacts: &Artefacts, disk: &str, strand: &mut Strand) {
    if !artefacts.has(disk) {
        return strand.missing(format!("{disk}: the files, one by one"));
    }
    let root = artefacts.path(disk);
    let mut folders = vec![root.clone()];
    let before = strand.figures.get("files").copied().unwrap_or_default();
    while let Some(at) = folders.pop() {
        let Some(entries) =
            strand.need(std::fs::read_dir(&at).map_err(|error| format!("{}: {error}", at.display())))
        else {
            continue;
        };
        for entry in entries.flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            match kind {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() && name == RESERVE => {
                    strand.count("files", 1);
                    if !empty(&path) {
                        strand.problem(format!("{disk}: the space kept aside, {name}, is not empty"));
                    }
                }
                Ok(kind) if kind.is_file() && explained(&name) => strand.count("files", 1),
                Ok(kind) if kind.is_socket() && name == SOCKET => strand.count("files", 1),
                _ => strand.problem(format!("{disk}: nobody knows the file {name}")),
            }
        }
    }
    if strand.figures.get("files").copied().unwrap_or_default() == before {
        strand.missing(format!("{disk}: the files every node has"));
    }
}

/// Where staff's commands reach a running node.
const SOCKET: &str = "data/admin.sock";
/// The space a node keeps aside for a full disk: zeros, a good place to hide something.
const RESERVE: &str = "data/store/reserve";

/// Whether a file is zeros alone.
fn empty(path: &Path) -> bool {
    let Ok(mut file) = std::fs::File::open(path) else { return false };
    let mut bytes = vec![0; 1 << 16];
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return true,
            Ok(read) if bytes.iter().take(read).all(|byte| *byte == 0) => {}
            _ => return false,
        }
    }
}

/// What a node writes, by where it writes it.
fn explained(name: &str) -> bool {
    let within = |folder: &str| name.strip_prefix(folder);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let tile =
        |text: &str| text.split('/').all(|part| number(part.trim_start_matches('x').trim_end_matches(".p")));
    let known = [
        "node.toml",
        "node.log",
        "member.request",
        "data/admin.sock.lock",
        "data/ledger/checkpoint",
        "data/ledger/checkpoints",
        "data/ledger/cosigned",
        "data/ledger/lock",
        "data/store/commits",
        "data/store/sled/conf",
        "data/store/sled/db",
    ];
    known.contains(&name)
        || within("data/keys/").is_some_and(|key| !key.trim_start_matches("sealing/").contains('/'))
        || within("data/revocation/").is_some_and(|list| list.ends_with(".crl"))
        || within("data/ledger/journal/").is_some_and(number)
        || within("data/ledger/tile/entries/").is_some_and(tile)
        || within("data/ledger/tile/").is_some_and(tile)
        || within("data/store/sled/snap.")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || within("data/store/sled/blobs/").is_some_and(number)
        || ["data/ledger/tmp/", "data/witnessed/tmp/"].into_iter().filter_map(within).any(number)
        || within("data/witnessed/").is_some_and(|name| {
            name == "lock"
                || !name.contains('/') && name.ends_with(".checkpoint")
                || name
                    .strip_prefix("forks/")
                    .is_some_and(|fork| !fork.contains('/') && fork.ends_with(".json"))
        })
}

/// The gateway writes and keeps no more for larger records.
pub fn volume(artefacts: &Artefacts, list: &TrustList) -> Strand {
    let mut strand = Strand::new(
        "volume",
        "中継者が書く量と保持する量は、記録の大きさによらないか。",
        "Does the gateway write and hold no more when records are larger?",
    );
    for member in list.members.iter().filter(|member| member.has_role(Role::Gateway)) {
        volume_of(artefacts, &folder(&member.id), &mut strand);
    }
    strand.done()
}

fn volume_of(artefacts: &Artefacts, own: &str, strand: &mut Strand) {
    let Some(volume) = strand.need(artefacts.json(&format!("{own}/volume.json"))) else { return };
    let figure = |which: &str, what: &str| volume[which][what].as_u64();
    let all = ["payload", "written", "memory"].map(|what| figure("small", what).zip(figure("large", what)));
    let [Some((small, large)), Some((wrote_small, wrote_large)), Some((held_small, held_large))] = all else {
        return strand.missing(format!("{own}/volume.json: payload, written and memory, small and large"));
    };
    let added = large.saturating_sub(small);
    for (what, figure) in [
        ("payload added", added),
        ("written more", wrote_large.saturating_sub(wrote_small)),
        ("held more", held_large.saturating_sub(held_small)),
    ] {
        strand.count(what, figure);
    }
    if added < 2 * MEMORY_MAX.min(16 << 20) {
        strand.missing(format!(
            "{own}/volume.json: {added} bytes of added payload are too few to show anything"
        ));
    }
    let allowed = WRITTEN_MAX + added / 100;
    if wrote_large.saturating_sub(wrote_small) > allowed {
        strand.problem(format!(
            "{own}: {} bytes more were written; {allowed} are allowed",
            wrote_large - wrote_small
        ));
    }
    if held_large.saturating_sub(held_small) > MEMORY_MAX {
        strand.problem(format!("{own}: {} bytes more are held in memory", held_large - held_small));
    }
}

/// Whether a strand fails on a leaking node's artefacts, which stand below `place`; what it said.
pub fn catches(
    artefacts: &Artefacts,
    place: &str,
    strand: &str,
    list: &TrustList,
    search: &Result<Scanner, String>,
) -> Option<String> {
    let mut caught = Strand::new(strand, "", "");
    if let ("traffic", Ok(scanner)) = (strand, search) {
        traffic::searched(artefacts, place, scanner, &mut caught);
    }
    for member in responders(list) {
        let own = format!("{place}/{}", folder(&member.id));
        if !artefacts.has(&own) {
            continue;
        }
        match (strand, search) {
            ("canaries", Ok(scanner)) => {
                for name in SEARCHED.iter().filter(|name| artefacts.has(&format!("{own}/{name}"))) {
                    searched(scanner, artefacts, &format!("{own}/{name}"), &member.id, &mut caught);
                }
            }
            ("rows", _) => rows_of(artefacts, &own, 0, &mut caught),
            ("files", _) => files_of(artefacts, &format!("{own}/disk"), &mut caught),
            ("volume", _) => volume_of(artefacts, &own, &mut caught),
            _ => {}
        }
    }
    caught.problems.into_iter().next()
}

/// What a mutant's own description says.
pub fn described<'v>(story: &'v Value, field: &str) -> &'v str {
    story[field].as_str().unwrap_or_default()
}
