//! Nothing is released to a guardian against whom a hold stands.
//!
//! At the registry: no grant for that child and that guardian after the hold was set. At every institution: no
//! release under an earlier grant once grants of that time have ended, ten minutes later; and none at all once
//! the institution itself has received the hold.

use std::collections::BTreeMap;

use hibiki_protocol::limits::SESSION_MILLIS_MAX;
use hibiki_protocol::tlog::{DigestKind, EntryKind};

use crate::evidence::Evidence;
use crate::ledgers::{Entry, entries};
use crate::strand::Strand;

/// The word for a hold against whoever asks.
const EVERYBODY: &str = "every guardian";

/// Looks at every hold.
pub fn look(evidence: &Evidence, strand: &mut Strand) {
    let mut releases: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (member, entry) in entries(&evidence.ledgers, &[EntryKind::Release]) {
        let grant = entry.digest(DigestKind::Grant);
        grant.into_iter().for_each(|grant| releases.entry(grant).or_default().push((member, entry)));
    }
    for entries in evidence.ledgers.values() {
        strand.count("entries looked at", entries.len() as u64);
    }
    for (member, hold) in entries(&evidence.ledgers, &[EntryKind::Hold]) {
        match hold.says("event") {
            "set" => strand.count("holds set", 1),
            "received" => strand.count("holds received", 1),
            _ => continue,
        }
        let of_hold = |entry: &&Entry| entry.subject() == hold.subject();
        let own = || evidence.ledgers.get(member).into_iter().flatten().filter(of_hold);
        let whom = hold.says("against");
        let lifted = own().find(|entry| {
            (entry.leaf.kind, entry.says("event"), entry.says("against")) == (EntryKind::Hold, "lifted", whom)
                && entry.index > hold.index
        });
        let stands = |entry: &&Entry| lifted.is_none_or(|lifted| entry.index < lifted.index);
        let held = |guardian: &str| whom == EVERYBODY || guardian == whom;
        for entry in own().take_while(stands) {
            let after = entry.index > hold.index;
            let place = format!("{member}, entry {}", entry.index);
            match entry.leaf.kind {
                EntryKind::Release if held(entry.says("guardian")) => {
                    strand.must(!after, || format!("{place}: a release to a held guardian"));
                }
                EntryKind::Grant if held(entry.says("holder")) && entry.says("outcome") == "granted" => {
                    strand.must(!after, || format!("{place}: a grant to a held guardian"));
                    strand.count("grants under holds", 1);
                    let late = entry.digest(DigestKind::Grant).and_then(|grant| releases.get(grant));
                    for (member, release) in late.into_iter().flatten() {
                        let at = release.leaf.time_ms;
                        let ended = hold.leaf.time_ms.saturating_add(SESSION_MILLIS_MAX) <= at;
                        strand.must(!ended || lifted.is_some_and(|lifted| at >= lifted.leaf.time_ms), || {
                            let place = format!("{member}, entry {}", release.index);
                            format!("{place}: a release more than ten minutes after a hold")
                        });
                    }
                }
                _ => {}
            }
        }
    }
}
