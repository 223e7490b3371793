//! Ledgers with two histories: the evidence is kept for the regulator, the alarm stands until somebody has
//! taken the evidence away, and everybody is told (`spread`).
//!
//! A ledger that merely looks wrong — its owner offers less than it once had, or proofs that prove nothing — is
//! kept and alarmed here, too, but not told on: nothing of that convinces anybody who was not there.
//!
//! Must not know: how offers are judged, how news travels.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hibiki_protocol::cbor;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::tlog::VerifierKey;
use hibiki_protocol::witnessing::{ForkEvidence, WitnessRefusal};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::shelf::Shelf;
use super::stem;
use crate::institution::Means;
use crate::ledger::details;
use crate::observe::board::StatusBoard;
use crate::observe::metrics;

/// The folder of evidence.
const FOLDER: &str = "forks";
/// Pieces of evidence kept about one ledger and key: who has a ledger's key can make as many as he likes.
const KEPT_MAX: usize = 8;

/// A file of evidence, for people and for the auditor's program.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Filed {
    /// `fork`, `rollback` or `unproved`.
    kind: String,
    /// The ledger.
    origin: String,
    /// Its verifier key, as one line.
    key: String,
    /// The earlier checkpoint, a signed note; of a rollback the one this node keeps.
    first: String,
    /// The later one; of a rollback the one that was offered.
    second: String,
    /// `prefix_root` and `proof` of the evidence as it travels, in hexadecimal.
    prefix_root: String,
    proof: Vec<String>,
    /// Who brought it.
    from: String,
    /// When, in milliseconds since the Unix epoch.
    at_ms: u64,
}

/// One known fork.
struct Known {
    origin: String,
    /// What is told on; none if one of this ledger is told on already.
    evidence: Option<ForkEvidence>,
    told: BTreeSet<MemberId>,
}

/// The book of forks. Cheap to clone; clones are one book.
#[derive(Clone)]
pub struct Forks(Arc<Inner>);

struct Inner {
    means: Means,
    shelf: Arc<Shelf>,
    board: StatusBoard,
    /// By file name.
    book: Mutex<BTreeMap<String, Known>>,
    /// Held from the look into the book to the file on disk.
    filing: tokio::sync::Mutex<()>,
    news: watch::Sender<u64>,
}

impl Forks {
    /// The book of what lies in the folder; the alarms of earlier runs are raised again.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(means: Means, shelf: Arc<Shelf>, board: StatusBoard) -> io::Result<Self> {
        let mut book = BTreeMap::new();
        for name in shelf.list(FOLDER)?.into_iter().filter(|name| name.ends_with(".json")) {
            let bytes = shelf.read(&format!("{FOLDER}/{name}"))?.unwrap_or_default();
            // A file that does not read is evidence still: it stands in the way until somebody looks.
            let filed: Option<Filed> = serde_json::from_slice(&bytes).ok();
            let origin = filed.as_ref().map_or_else(|| name.clone(), |filed| filed.origin.clone());
            let evidence = filed.filter(|filed| filed.kind == "fork").and_then(|filed| evidence_of(&filed));
            book.insert(name, Known { origin, evidence, told: BTreeSet::new() });
        }
        let forks = Self(Arc::new(Inner {
            means,
            shelf,
            board,
            book: Mutex::new(book),
            filing: tokio::sync::Mutex::new(()),
            news: watch::Sender::new(0),
        }));
        for origin in forks.origins() {
            forks.raise(&origin, "an earlier run of this node kept");
        }
        Ok(forks)
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledgers about which there is evidence.
    pub fn origins(&self) -> BTreeSet<String> {
        self.book().values().map(|known| known.origin.clone()).collect()
    }

    /// Names of the files of evidence.
    pub fn files(&self) -> Vec<String> {
        self.book().keys().map(|name| format!("{FOLDER}/{name}")).collect()
    }

    /// Tells whenever there is something new to tell on.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.0.news.subscribe()
    }

    /// Looks at evidence that `from` brings. Whether it proves a fork by the list in force.
    pub(super) async fn hear(&self, from: &MemberId, evidence: &ForkEvidence) -> bool {
        let trust = (self.0.means.trust)();
        let member = trust.list().member_of_ledger(evidence.claimed_origin());
        let Some((member, log)) = member.and_then(|member| Some((&member.id, member.ledger_verifier()?)))
        else {
            return false;
        };
        match evidence.verify(&log).and_then(|_| evidence.bare(&log)) {
            Ok(bare) => {
                self.keep(member, &log, bare, (from, true)).await;
                true
            }
            Err(error) => {
                tracing::warn!(member = %from, %error, "what a member says of a fork proves none");
                false
            }
        }
    }

    /// Keeps evidence that is known to hold, and sees to it that everybody is told; all but who brought it, if it
    /// `knows` what it brought.
    pub(super) async fn keep(
        &self,
        member: &MemberId,
        log: &VerifierKey,
        evidence: ForkEvidence,
        (from, knows): (&MemberId, bool),
    ) {
        let stem = stem(member, log);
        let digest = Digest::of(&[&cbor::encode(&evidence)]).hex();
        let name = format!("{stem}.{}.json", digest.get(..16).unwrap_or(&digest));
        let filed = Filed {
            kind: "fork".to_owned(),
            origin: log.name().to_owned(),
            key: log.to_string(),
            first: evidence.first.clone(),
            second: evidence.second.clone(),
            prefix_root: evidence.prefix_root.hex(),
            proof: evidence.proof.iter().map(Digest::hex).collect(),
            from: from.to_string(),
            at_ms: self.0.means.env.now(),
        };
        let others = {
            let book = self.book();
            book.iter().any(|(name, known)| name.starts_with(&stem) && known.evidence.is_some())
        };
        let told = knows.then(|| from.clone()).into_iter().collect();
        let known = Known { origin: log.name().to_owned(), evidence: (!others).then_some(evidence), told };
        if !self.file(&stem, name, &filed, known).await {
            return;
        }
        metrics::count(metrics::LEDGER_FORKS);
        tracing::error!(%member, peer = %from, "the ledger of this member has two histories");
        self.raise(log.name(), "this node keeps");
        self.enter(format!("evidence that the ledger {} has two histories", log.name())).await;
        if member == &self.0.means.own {
            let reason = "somebody else has signed another history with this ledger's key: the key, or a copy \
                of this node, is in other hands; stop the node, tell the council and the regulator, and join \
                again with new keys";
            self.0.means.ledger.halt(reason);
        }
        self.0.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Keeps what an owner itself offered and could not be right: less than it once had, or a proof of nothing.
    pub(super) async fn suspect(
        &self,
        member: &MemberId,
        log: &VerifierKey,
        why: WitnessRefusal,
        (kept, offered): (String, String),
    ) {
        let kind = if why == WitnessRefusal::Stale { "rollback" } else { "unproved" };
        let stem = stem(member, log);
        let filed = Filed {
            kind: kind.to_owned(),
            origin: log.name().to_owned(),
            key: log.to_string(),
            first: kept,
            second: offered,
            prefix_root: String::new(),
            proof: Vec::new(),
            from: member.to_string(),
            at_ms: self.0.means.env.now(),
        };
        let known = Known { origin: log.name().to_owned(), evidence: None, told: BTreeSet::new() };
        if self.file(&stem, format!("{stem}.{kind}.json"), &filed, known).await {
            tracing::error!(%member, kind, "the ledger of this member is not what it was");
            self.raise(log.name(), "this node keeps");
            self.enter(format!("the ledger {} is not what it was ({kind})", log.name())).await;
        }
    }

    /// Puts evidence into the folder and the book; whether it is new.
    async fn file(&self, stem: &str, name: String, filed: &Filed, known: Known) -> bool {
        let _filing = self.0.filing.lock().await;
        {
            let book = self.book();
            let about = book.keys().filter(|name| name.starts_with(stem)).count();
            if book.contains_key(&name) || about >= KEPT_MAX {
                return false;
            }
        }
        let bytes = serde_json::to_vec_pretty(filed).unwrap_or_default();
        if let Err(error) = self.0.shelf.put(format!("{FOLDER}/{name}"), bytes).await {
            // Told and alarmed all the same: the others keep it.
            tracing::error!(%error, file = name, "evidence about a ledger could not be kept");
        }
        self.book().insert(name, known);
        true
    }

    fn raise(&self, origin: &str, who: &str) {
        let text = format!(
            "the ledger {origin} has two histories, or is not what it was; {who} the evidence in \
             witnessed/{FOLDER}; call the council and the regulator, and move the files away when it is settled"
        );
        self.0.board.raise(format!("fork:{origin}"), text);
    }

    async fn enter(&self, what: String) {
        let entry =
            details::Administration { by: "witness".to_owned(), action: what, outcome: "kept".to_owned() };
        if let Err(error) = self.0.means.log_protection(None, &entry).await {
            tracing::error!(%error, "an alarm about a ledger is not in our own");
        }
    }

    /// Evidence and to whom it is still to be told, of these members.
    pub(super) fn untold(&self, members: &[MemberId]) -> Vec<(String, ForkEvidence, Vec<MemberId>)> {
        let book = self.book();
        let known = book.iter().filter_map(|(name, known)| {
            let evidence = known.evidence.clone()?;
            let left: Vec<_> =
                members.iter().filter(|member| !known.told.contains(member)).cloned().collect();
            (!left.is_empty()).then(|| (name.clone(), evidence, left))
        });
        known.collect()
    }

    /// Notes that a member was told.
    pub(super) fn was_told(&self, name: &str, member: &MemberId) {
        if let Some(known) = self.book().get_mut(name) {
            known.told.insert(member.clone());
        }
    }
}

fn evidence_of(filed: &Filed) -> Option<ForkEvidence> {
    let digest = |text: &String| Some(Digest(hex::decode(text).ok()?.try_into().ok()?));
    Some(ForkEvidence {
        first: filed.first.clone(),
        second: filed.second.clone(),
        prefix_root: digest(&filed.prefix_root)?,
        proof: filed.proof.iter().map(digest).collect::<Option<Vec<_>>>()?,
    })
}
