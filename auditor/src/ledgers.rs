//! The ledgers of all members, each verified, each entry opened with what its institution laid open.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::history::HistoryEntry;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits::CLOCK_SKEW_MILLIS;
use hibiki_protocol::tlog::{DigestKind, EntryKind, Leaf, VerifierKey};
use hibiki_protocol::witnessing::quorum_default;
use serde_json::Value;

use crate::artefacts::{folder, ledger_key};
use crate::evidence::Evidence;
use crate::strand::Strand;
use crate::{log, witnessed};

/// An entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub index: u64,
    /// The public leaf.
    pub leaf: Leaf,
    /// What it says in full, if it was laid open and is not erased: `subject` and `details`.
    pub full: Option<Value>,
}

impl Entry {
    /// A public digest.
    pub fn digest(&self, kind: DigestKind) -> Option<&[u8; 32]> {
        self.leaf.digests.iter().find(|(own, _)| *own == kind).map(|(_, digest)| digest)
    }

    /// A field of the details, as text; empty where there is none.
    pub fn says(&self, field: &str) -> &str {
        self.full.as_ref().and_then(|full| full["details"][field].as_str()).unwrap_or_default()
    }

    /// Whom it is about, by the random key of its own institution.
    pub fn subject(&self) -> String {
        self.full.as_ref().map(|full| full["subject"].to_string()).unwrap_or_default()
    }
}

/// The ledgers.
pub type Ledgers = BTreeMap<MemberId, Vec<Entry>>;

/// Entries of some kinds, in the ledgers of all members.
pub fn entries<'l>(
    ledgers: &'l Ledgers,
    kinds: &'l [EntryKind],
) -> impl Iterator<Item = (&'l MemberId, &'l Entry)> {
    let all = ledgers.iter().flat_map(|(member, entries)| entries.iter().map(move |entry| (member, entry)));
    all.filter(|(_, entry)| kinds.contains(&entry.leaf.kind))
}

/// Verifies every member's ledger and reads it.
pub fn read(evidence: &Evidence) -> (Strand, Ledgers) {
    let mut strand = Strand::new("log");
    let kept = witnessed::read(evidence, &mut strand);
    let mut ledgers = Ledgers::new();
    for member in evidence.responders() {
        let (id, own) = (&member.id, folder(&member.id));
        if !evidence.artefacts.has(&format!("{own}/ledger")) {
            strand.missing(format!("{own}/ledger: the ledger of {id}"));
            continue;
        }
        let Some(key) = strand.need(ledger_key(member)) else { continue };
        let witnesses: Vec<VerifierKey> =
            evidence.list.witnesses_for(id).into_iter().map(|(_, key)| key).collect();
        let kept = kept.get(id).map(Vec::as_slice).unwrap_or_default();
        let place = evidence.artefacts.path(&format!("{own}/ledger"));
        let report = log::verify(&place, &key, &witnesses, kept);
        strand.blame(id.as_str(), &report.strand);
        strand.count("entries", report.size);
        strand.count("signed checkpoints", report.strand.figure("checkpoint signatures"));
        cosigned(id, &report, witnesses.len(), &mut strand);
        clocks(id, &report, &mut strand);
        let entries = report.leaves.into_iter().zip(0..);
        let mut entries: Vec<_> = entries.map(|(leaf, index)| Entry { index, leaf, full: None }).collect();
        opened(evidence, id, &mut entries, &mut strand);
        ledgers.insert(id.clone(), entries);
    }
    strand.count("ledgers", ledgers.len() as u64);
    (strand.done(), ledgers)
}

/// Opens the entries. Openings after the newest checkpoint are not in the tiles yet.
fn opened(evidence: &Evidence, id: &MemberId, entries: &mut [Entry], strand: &mut Strand) {
    let (mut seen, mut erased) = (BTreeSet::new(), 0);
    let read = evidence.artefacts.inspected(&format!("{}/openings.ndjson", folder(id)), |line| {
        let index = line["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let Some(entry) = index.and_then(|index| entries.get_mut(index)) else { return };
        seen.insert(entry.index);
        match open(&line, &entry.leaf) {
            Ok(Some(full)) => entry.full = Some(full),
            Ok(None) => erased += 1,
            Err(why) => strand.problem(format!("{id}, entry {}: {why}", entry.index)),
        }
    });
    strand.need(read);
    let closed = entries.len() - seen.len();
    strand.must(closed == 0, || format!("{id}: {closed} entries were not laid open"));
    let explained = erased == 0 || entries.iter().any(|entry| entry.leaf.kind == EntryKind::Erase);
    let said = "entries are said to be erased, and no erasure was logged";
    strand.must(explained, || format!("{id}: {erased} {said}"));
    strand.count("entries erased", erased);
    strand.count("entries opened", entries.iter().filter(|entry| entry.full.is_some()).count() as u64);
}

/// Enough witnesses have cosigned. What came after their newest cosignatures is counted: nobody vouches for it yet.
fn cosigned(id: &MemberId, report: &log::Report, possible: usize, strand: &mut Strand) {
    if possible == 0 {
        return;
    }
    let names: BTreeSet<&str> = report.witnesses.iter().map(|(name, _)| name.as_str()).collect();
    let (found, needed) = (names.len(), quorum_default(possible));
    if found == 0 {
        strand.missing(format!("{}/ledger/cosigned: cosignatures of witnesses", folder(id)));
    } else if found < needed {
        strand.problem(format!("{id}: {found} witnesses cosigned, {needed} are needed"));
    }
    let strangers = report.strangers;
    strand.must(strangers == 0, || format!("{id}: {strangers} cosignatures are of no witness of the list"));
    strand.count("cosignatures", found as u64);
    strand.count("entries after the newest cosignatures", report.size.saturating_sub(report.cosigned));
}

/// The times of a ledger: never back by more than clocks are put right, and not later than its witnesses saw it.
fn clocks(id: &MemberId, report: &log::Report, strand: &mut Strand) {
    let mut latest = 0;
    let back = report.leaves.iter().position(|leaf| {
        latest = latest.max(leaf.time_ms);
        leaf.time_ms.saturating_add(CLOCK_SKEW_MILLIS) < latest
    });
    if let Some(index) = back {
        strand.problem(format!("{id}, entry {index}: the clock was set back by more than five minutes"));
    }
    let mut seen: Vec<u64> = report.witnesses.iter().map(|(_, seconds)| *seconds).collect();
    seen.sort_unstable();
    // The middle one: a single witness whose clock is wrong decides nothing.
    let Some(seconds) = seen.get(seen.len() / 2) else { return };
    let bound = seconds.saturating_mul(1000).saturating_add(CLOCK_SKEW_MILLIS);
    let mut covered = report.leaves.iter().zip(0..report.cosigned);
    if let Some((_, index)) = covered.find(|(leaf, _)| leaf.time_ms > bound) {
        strand.problem(format!("{id}, entry {index}: its time is later than its witnesses saw it"));
    }
}

/// What an opening says, if it is what the leaf commits to; `None` if it was erased.
fn open(line: &Value, leaf: &Leaf) -> Result<Option<Value>, String> {
    if line["erased"] == true {
        return Ok(None);
    }
    if let Some(why) = line["damaged"].as_str() {
        return Err(why.to_owned());
    }
    let plain = line["plain"].as_str().and_then(|plain| STANDARD.decode(plain).ok());
    let plain = plain.ok_or("the opening has no bytes")?;
    let (salt, rest) = plain.split_first_chunk::<32>().ok_or("the opening is too short")?;
    // A full entry in JSON; or, after a 2, what a person may be told of it, with its own salt and the full one.
    let (committed, json) = match rest.split_first() {
        Some((2, rest)) => told(rest).ok_or("the opening is cut short")?,
        _ => (rest.to_vec(), rest),
    };
    if Leaf::commit(salt, &committed) != leaf.commitment {
        return Err("the opening is not what the leaf commits to".into());
    }
    let full: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let kind = full["kind"].as_u64().and_then(|kind| EntryKind::from_byte(u8::try_from(kind).ok()?));
    if kind != Some(leaf.kind) || full["at"].as_u64() != Some(leaf.time_ms) {
        return Err("the opening is of another kind or time than the leaf".into());
    }
    Ok(Some(full))
}

/// What is committed to, and the full entry, of the form that has something told.
fn told(rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (disclosed, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (salt, json) = rest.split_first_chunk::<32>()?;
    Some((HistoryEntry::committed(disclosed, &HistoryEntry::house_digest(salt, json)), json))
}
