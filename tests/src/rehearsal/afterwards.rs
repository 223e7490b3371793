//! What must hold when all is over: in the ledgers, in the stores, in the lists.

use std::collections::BTreeSet;

use hibiki_node::ledger::{DigestKind, EntryKind, Logged};
use hibiki_node::store::{Keyspace, Store as _};

use super::federation::Federation;
use super::institution::Institution;
use super::judge::Judge;
use super::people;
use super::plan::What;
use super::prefecture::Prefecture;

impl Judge {
    /// When all is over: every promise is still kept, no part was released twice, ledgers verify, and no store
    /// has a record in the clear.
    pub fn close(&self, all: &Prefecture) {
        let (mut answered, mut relayed) = (BTreeSet::new(), Vec::new());
        for (city, institution) in all.institutions() {
            self.grown(institution);
            self.same_list(city, institution);
            let name = &institution.name;
            let Some(ledger) = institution.cellar.ledger() else {
                self.broken(format_args!("{name} does not run at the end"));
                continue;
            };
            let Ok(entries) = ledger.read(0..ledger.size()) else {
                self.broken(format_args!("{name}: an entry of the ledger does not read"));
                continue;
            };
            for (receipt, outcome) in &self.promises_of(name) {
                let entry = usize::try_from(receipt.index).ok().and_then(|index| entries.get(index));
                self.kept(institution, ledger.origin(), entry, receipt, *outcome);
            }
            self.released_once(name, &entries);
            for entry in &entries {
                let Some(part) = digest(entry, DigestKind::Query) else { continue };
                match entry.leaf.kind {
                    EntryKind::Relay if digest(entry, DigestKind::Answer).is_none() => {}
                    EntryKind::Relay => relayed.push((name.clone(), entry.index, part)),
                    _ => _ = answered.insert(part),
                }
            }
            match ledger.verify(true) {
                Ok(report) if report.passed() => {}
                Ok(report) => {
                    self.broken(format_args!("{name}: the ledger does not verify: {:?}", report.checks));
                }
                Err(error) => self.broken(format_args!("{name}: the ledger does not read: {error}")),
            }
            self.at_home(institution);
        }
        // I5: what a gateway passed on, somebody's ledger knows; unless its disk was full and the answer says so.
        if self.plan.troubles.iter().any(|trouble| matches!(trouble.what, What::FullDisk { .. })) {
            relayed.clear();
        }
        for (name, index, _) in relayed.iter().filter(|(.., part)| !answered.contains(part)) {
            self.broken(format_args!("{name} relayed an answer of which no ledger knows (entry {index})"));
        }
    }

    /// When all is over, whoever is a member has the council's last list.
    fn same_list(&self, city: &Federation, institution: &Institution) {
        let (epoch, last) = (institution.epoch(), city.last_epoch());
        if epoch != Some(last) {
            let name = &institution.name;
            self.broken(format_args!("{name} has list {epoch:?} at the end, and the last is {last}"));
        }
    }

    fn released_once(&self, name: &str, entries: &[Logged]) {
        let mut seen = BTreeSet::new();
        for entry in entries.iter().filter(|entry| entry.leaf.kind == EntryKind::Release) {
            if digest(entry, DigestKind::Query).is_some_and(|query| !seen.insert(query)) {
                self.broken(format_args!("{name} released twice for one part (entry {})", entry.index));
            }
        }
    }

    /// I6, as far as bytes can tell: what stands in every record of a house stands in no store in the clear. A sealed
    /// record of another house would not be seen here; what views show is held against what each house holds.
    fn at_home(&self, institution: &Institution) {
        let (store, name) = (institution.cellar.store(), &institution.name);
        let Ok(snapshot) = store.snapshot() else {
            return self.broken(format_args!("{name}: the store does not read"));
        };
        for keyspace in Keyspace::ALL {
            let mut after = None;
            while let Ok(rows) = snapshot.scan(*keyspace, &[], after.as_deref(), 1_000) {
                let Some((last, _)) = rows.last() else { break };
                after = Some(last.clone());
                if rows.iter().any(|(key, value)| marked(key) || marked(value)) {
                    self.broken(format_args!("{name} keeps a record in the clear"));
                }
            }
        }
    }
}

fn digest(entry: &Logged, wanted: DigestKind) -> Option<[u8; 32]> {
    entry.leaf.digests.iter().find(|(kind, _)| *kind == wanted).map(|(_, digest)| *digest)
}

/// Whether a record's mark stands there.
fn marked(bytes: &[u8]) -> bool {
    let mark = people::MARK.as_bytes();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == mark[0]) {
        rest = &rest[at..];
        if rest.starts_with(mark) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}
