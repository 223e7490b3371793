//! Nothing is released to a guardian against whom a hold stands.
//!
//! At the registry: no grant for that child and that guardian after the hold was set. At every institution: no
//! release under an earlier grant once grants of that time have ended, ten minutes later; and none at all once
//! the institution itself has received the hold.

use std::collections::BTreeMap;

use hibiki_protocol::limits::SESSION_MILLIS_MAX;
use hibiki_protocol::tlog::{DigestKind, EntryKind};

use crate::ledgers::{Entry, Ledgers};
use crate::strand::Strand;

/// The word for a hold against whoever asks.
const EVERYBODY: &str = "every guardian";

/// Looks at every hold.
pub fn look(ledgers: &Ledgers) -> Strand {
    let mut strand = Strand::new(
        "holds",
        "支援措置のあと、対象の保護者に何も開示されていないか。",
        "Was nothing released to a guardian after a protective hold?",
    );
    let by_grant = releases(ledgers);
    for (member, entries) in ledgers {
        strand.count("entries looked at", entries.len() as u64);
        let holds = entries.iter().filter(|entry| entry.leaf.kind == EntryKind::Hold);
        for hold in holds.filter(|entry| ["set", "received"].contains(&entry.says("event"))) {
            strand.count(if hold.says("event") == "set" { "holds set" } else { "holds received" }, 1);
            let lifted = |entry: &&Entry| {
                entry.leaf.kind == EntryKind::Hold
                    && entry.says("event") == "lifted"
                    && entry.index > hold.index
                    && (entry.subject(), entry.says("against")) == (hold.subject(), hold.says("against"))
            };
            let lifted = entries.iter().find(lifted);
            let (since, whom) = (hold.leaf.time_ms, hold.says("against"));
            let held = |entry: &&Entry, guardian: &str| {
                entry.subject() == hold.subject() && (whom == EVERYBODY || entry.says(guardian) == whom)
            };
            for entry in
                entries.iter().take_while(|entry| lifted.is_none_or(|lifted| entry.index < lifted.index))
            {
                let after = entry.index > hold.index;
                match entry.leaf.kind {
                    EntryKind::Release if after && held(&entry, "guardian") => strand
                        .problem(format!("{member}, entry {}: a release to a held guardian", entry.index)),
                    EntryKind::Grant if held(&entry, "holder") && entry.says("outcome") == "granted" => {
                        if after {
                            strand.problem(format!(
                                "{member}, entry {}: a grant to a held guardian",
                                entry.index
                            ));
                        }
                        strand.count("grants under holds", 1);
                        let late = entry.digest(DigestKind::Grant).and_then(|grant| by_grant.get(grant));
                        for (at, place) in late.into_iter().flatten() {
                            let ended = since.saturating_add(SESSION_MILLIS_MAX) <= *at;
                            if ended && lifted.is_none_or(|lifted| *at < lifted.leaf.time_ms) {
                                strand.problem(format!(
                                    "{place}: a release more than ten minutes after a hold"
                                ));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    strand.done()
}

/// Releases by their grant: when and where.
fn releases(ledgers: &Ledgers) -> BTreeMap<[u8; 32], Vec<(u64, String)>> {
    let mut by_grant: BTreeMap<[u8; 32], Vec<(u64, String)>> = BTreeMap::new();
    for (member, entries) in ledgers {
        for entry in entries.iter().filter(|entry| entry.leaf.kind == EntryKind::Release) {
            if let Some(grant) = entry.digest(DigestKind::Grant) {
                let place = format!("{member}, entry {}", entry.index);
                by_grant.entry(*grant).or_default().push((entry.leaf.time_ms, place));
            }
        }
    }
    by_grant
}
