//! All of it, in order: commit, load, ask and break, measure, gather, capture, leak, judge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::gather::{self, Depth};
use super::guardian::Guardian;
use super::people::{self, Settled};
use super::volume::{self, Effort};
use super::workload::{self, Happened, Wanted};
use super::{Trouble, canary, mutants, second, traffic};
use crate::clock;
use crate::disk::Disk;
use crate::house::House;
use crate::town::{Settings, Town, staff};

/// What is ordered.
pub struct Order {
    /// Where town and artefacts go; must be empty or absent.
    pub out: PathBuf,
    /// Views that must come together.
    pub views: u64,
    /// Canaries of every institution.
    pub canaries: usize,
    /// Families.
    pub families: usize,
    /// The seed of everything drawn here.
    pub seed: u64,
    /// The measurement of volume; without one the report says that it is missing.
    pub volume: Option<Effort>,
    /// Which mutants run.
    pub mutants: bool,
}

/// What the auditor said.
pub struct Verdict {
    /// Everything asked was shown.
    pub passed: bool,
    /// Its words.
    pub said: String,
    /// The folder of artefacts.
    pub artefacts: PathBuf,
    /// What happened.
    pub happened: Happened,
}

/// Runs the proof; `told` hears of each step.
///
/// # Errors
/// The run broke off. What the auditor finds is no error.
pub fn run(order: &Order, told: &mut dyn FnMut(&str)) -> Result<Verdict, Trouble> {
    let artefacts = gather::make(&order.out.join("artefacts"))?;
    let started = clock::now();
    told("eight institutions start");
    let disk = Disk::make(&order.out, GATEWAY_DISK_MIB);
    let settings = Settings {
        // A disk of its own for the gateway: what was deleted on it is looked at, too.
        data_dir: disk.as_ref().map(|disk| (House::CityHall, disk.folder().join("data"))),
        houses: &House::EIGHT,
        // A checkpoint rewrites the last tiles, up to 40 KiB of them: the fewer, the quieter the measurement of volume.
        checkpoint_seconds: 15,
        // The loudest log: what it could give away is looked for.
        more: House::EIGHT.map(|house| (house, "[log]\nlevel = \"trace\"\n".to_owned())).to_vec(),
        ..Settings::default()
    };
    let mut town = Town::found(&order.out.join("town"), &settings, &mut |_| {})?;

    told("canaries are drawn and committed to, before any record is loaded");
    let planted = plant(&town, order, &artefacts)?;
    let canaries = canary::read(&planted)?;
    let settled = people::settle(order.families, &canaries, order.seed, clock::today());
    told("records are loaded");
    town.load(&settled.people, &mut |_| {})?;
    let mut guardians = enrol(&mut town, &settled, &settled.guardians)?;
    for guardian in guardians.iter_mut().take(WITH_RECEIPTS) {
        guardian.receipts = Some(artefacts.join("receipts"));
    }
    let heavy = enrol(&mut town, &settled, &[settled.small.clone(), settled.large.clone()])?;

    told("guardians look, and things break");
    let happened = look_and_break(&mut town, order, &settled, &guardians, told)?;

    if let ([small, large], Some(effort)) = (heavy.as_slice(), order.volume) {
        told("volume: the same number of views with small records and with large ones");
        let measured = volume::measure(&town, small, large, effort)?;
        let folder = gather::make(&artefacts.join("members").join(House::CityHall.slug()))?;
        gather::write(&folder.join("volume.json"), &json!(measured).to_string())?;
    }

    told("artefacts are gathered");
    gather::memory(&town, House::CityHall, &artefacts)?;
    for house in House::EIGHT {
        town.node_mut(house).stop()?;
    }
    gather::trust(&town, &artefacts)?;
    for house in House::EIGHT {
        gather::member(&town, house, Depth::Opened, &artefacts)?;
    }
    let mut limits: Vec<&str> = LIMITS.to_vec();
    if !matches!(&disk, Some(disk) if second::unallocated(disk, &artefacts)?) {
        limits.push("What the gateway's file system had let go of was not searched: no disk of its own, or no Sleuth Kit.");
    }
    if !second::yara(&canaries, &artefacts)? {
        limits.push("No second scanner searched: yara is not installed.");
    }
    // What comes after is in no ledger that was gathered.
    guardians.iter_mut().for_each(|guardian| guardian.receipts = None);
    told("what travels is captured and decrypted");
    let records = records_of(&settled.people.archives[&House::Hospital].ndjson);
    limits.push(traffic::run(&mut town, &guardians, order.mutants.then_some(&records[..]), &artefacts)?);
    let text = run_json(&town, order, &happened, started.0, &limits)?;
    gather::write(&artefacts.join("run.json"), &text)?;

    if order.mutants {
        for house in town.others() {
            town.launch(house)?;
        }
        let Some(guardian) = guardians.first() else {
            return Err(Trouble::Machine("no family, no mutants".into()));
        };
        mutants::run(&mut town, guardian, &records, &artefacts, &mut |way| {
            told(&format!("mutant: a gateway that {}", way.what));
        })?;
    }
    drop(town);

    told("the auditor judges");
    let (passed, said) = judge(&order.out, &artefacts)?;
    Ok(Verdict { passed, said, artefacts, happened })
}

/// The auditor draws the canaries; city hall's ledger notes the commitment.
fn plant(town: &Town, order: &Order, artefacts: &Path) -> Result<PathBuf, Trouble> {
    let out = artefacts.join("canaries");
    let mut plant = Command::new(town.programs().path("hibiki-audit"));
    plant.args(["canary", "plant", "--count", &order.canaries.to_string()]);
    for house in House::EIGHT {
        plant.args(["--member", house.id()]);
    }
    plant.arg("--out").arg(&out);
    gather::run(&mut plant)?;
    let commitment = out.join("commitment.json").display().to_string();
    staff::command(town, House::CityHall, &["ledger", "note", "--document", &commitment])?;
    Ok(out.join("canaries.ndjson"))
}

/// Cards for guardians, and what their children's views must show.
fn enrol(town: &mut Town, settled: &Settled, guardians: &[String]) -> Result<Vec<Guardian>, Trouble> {
    let config = town.folder().join("terminal.toml");
    let mut enrolled = Vec::new();
    for guardian in guardians {
        let card = town.issue_card(guardian)?;
        let expected = settled.people.expected_of(guardian);
        enrolled.push(Guardian { card, config: config.clone(), expected, receipts: None });
    }
    Ok(enrolled)
}

/// The workload in two halves: between them a guardian is held, and goes on asking.
fn look_and_break(
    town: &mut Town,
    order: &Order,
    settled: &Settled,
    guardians: &[Guardian],
    told: &mut dyn FnMut(&str),
) -> Result<Happened, Trouble> {
    let mut happened = Happened::default();
    for half in 0..2 {
        let views = (order.views / 2).max(1);
        let wanted = Wanted { views, seed: order.seed + half, faults: true };
        let mut before = 0;
        let done = workload::work(town, guardians, &wanted, &mut |now| {
            if now >= before + 250 {
                before = now;
                told(&format!("  {} views", now + half * views));
            }
        })?;
        happened.tally = happened.tally.with(done.tally);
        for (fault, count) in done.faults {
            *happened.faults.entry(fault).or_default() += count;
        }
        if let (0, Some(held)) = (half, settled.guardians.last()) {
            hold(town, settled, held)?;
        }
    }
    Ok(happened)
}

/// A protective hold against a guardian, for the first of her children.
fn hold(town: &Town, settled: &Settled, guardian: &str) -> Result<(), Trouble> {
    let Some(child) = settled.people.children_of(guardian).next() else { return Ok(()) };
    let words = ["hold", "place", "--child", &child.number, "--guardian", guardian];
    let review = clock::today().plus_days(200).map_or_else(String::new, |day| day.to_string());
    let reason = ["--reason-reference", "支援措置 R8-1", "--review-by", &review];
    staff::command(town, House::CityHall, &[&words[..], &reason[..]].concat())?;
    Ok(())
}

/// Lines of records, without those that only name a person.
fn records_of(ndjson: &str) -> Vec<String> {
    let records = ndjson.lines().filter(|line| !line.contains("\"Patient\"") && line.len() < 10_000);
    records.take(40).map(str::to_owned).collect()
}

fn run_json(
    town: &Town,
    order: &Order,
    happened: &Happened,
    started: u64,
    limits: &[&str],
) -> Result<String, Trouble> {
    let mut programs = Vec::new();
    for name in ["hibiki-node", "hibiki-terminal", "hibiki-audit"] {
        let said = gather::run(Command::new("sha256sum").arg(town.programs().path(name)))?;
        let digest = said.split_whitespace().next().unwrap_or_default().to_owned();
        programs.push(json!({ "name": name, "sha256": digest }));
    }
    let version = |program: &str, words: &[&str]| {
        gather::run(Command::new(program).args(words))
            .map_or_else(|_| "unknown".to_owned(), |said| said.trim().to_owned())
    };
    let value = json!({
        "run": format!("locality-{}", started),
        "seed": order.seed.to_string(),
        "federation": "maebashi",
        "commit": version("git", &["rev-parse", "HEAD"]),
        "rustc": version("rustc", &["--version"]),
        "started_ms": started,
        "ended_ms": clock::now().0,
        "views": happened.tally.views,
        "complete_views": happened.tally.complete,
        "faults": happened.faults.values().sum::<u64>(),
        "fault_kinds": happened.faults,
        "programs": programs,
        "limits": limits,
    });
    Ok(value.to_string())
}

/// Guardians who keep their receipts; enough for thousands of them, and each is a file that is made durable.
const WITH_RECEIPTS: usize = 2;
/// The gateway's disk: room for its reserve and its ledger.
const GATEWAY_DISK_MIB: u64 = 192;

/// What such a run cannot show, whatever comes of it.
const LIMITS: [&str; 5] = [
    "All eight institutions ran on one machine; swap and the page cache of the machine were not searched.",
    "The memory of the gateway was searched once, at the end; that of the other members was not.",
    "A guardian's own terminal may hold what it shows; it was not searched.",
    "Staff who copy by hand what their screens show leave no trace that this proof could find.",
    "The programs were built on this machine; that others run the same ones is shown by their digests alone.",
];

/// The auditor's report, page and verification.
fn judge(out: &Path, artefacts: &Path) -> Result<(bool, String), Trouble> {
    let programs = crate::town::Programs::find()?;
    let audit = |words: &[&std::ffi::OsStr]| {
        let path = programs.path("hibiki-audit");
        let run = Command::new(&path).args(words).output();
        run.map_err(|source| Trouble::file(&path, source))
    };
    let (report, page) = (out.join("report.json"), out.join("report.html"));
    let reported = audit(&[
        "report".as_ref(),
        artefacts.as_os_str(),
        "--out".as_ref(),
        report.as_os_str(),
        "--html".as_ref(),
        page.as_os_str(),
    ])?;
    let mut said = String::from_utf8_lossy(&reported.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&reported.stderr));
    if !report.exists() {
        return Err(Trouble::Machine(format!("the auditor wrote no report: {said}")));
    }
    let verified = audit(&["verify".as_ref(), report.as_os_str(), artefacts.as_os_str()])?;
    said.push_str(&String::from_utf8_lossy(&verified.stdout));
    said.push_str(&String::from_utf8_lossy(&verified.stderr));
    let passed = reported.status.success() && verified.status.success();
    Ok((passed, said))
}

/// What the order's default is for volume: long enough on a slow machine.
pub const VOLUME: Effort = Effort { views: 40, pace: Duration::from_millis(1_300) };

/// Removes what an earlier run left, if it was one of ours.
///
/// # Errors
/// It is somebody else's folder, or cannot be removed.
pub fn clear(out: &Path) -> Result<(), Trouble> {
    if !out.exists() {
        return Ok(());
    }
    if !out.join("artefacts").is_dir() && fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(Trouble::content(out, "was not made by hibiki-locality; name another folder with --out"));
    }
    // A run that was interrupted leaves the gateway's disk mounted.
    Disk::release(out);
    fs::remove_dir_all(out).map_err(|source| Trouble::file(out, source))
}
