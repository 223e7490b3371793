//! What a receipt is worth, offline: from its file, and from trust lists that were verified. Pure.

use std::collections::{BTreeMap, BTreeSet};

use hibiki_protocol::ids::Digest;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{Checkpoint, Hash, LogProof, VerifierKey};

use super::folder::Found;
use super::kept::{Denial, KeptReceipt, Unreadable};
use super::lists::Lists;

/// What one receipt is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The leaf is in the ledger, by a checkpoint of this many entries.
    Proved {
        /// Entries of the checkpoint.
        size: u64,
    },
    /// Promised, and not yet proved.
    Promised(Waiting),
    /// The trust list by which it was believed is not at hand: nothing can be said.
    KeysUnknown {
        /// Epoch of that list.
        epoch: u64,
    },
    /// The institution has broken its promise.
    Broken(Breach),
    /// A signature or a proof is not what it claims to be.
    Wrong(Fault),
    /// The file is no receipt.
    Unreadable(Unreadable),
}

/// Why there is no proof yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It was not asked for, or no checkpoint covered the leaf.
    Proof,
    /// The institution denied the leaf, but under another ledger than the one that promised it: its ledger was
    /// begun anew since. The institution has to lay open the old one.
    OtherLedger,
}

impl Waiting {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proof => "no_proof_yet",
            Self::OtherLedger => "ledger_replaced",
        }
    }
}

/// How a promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A checkpoint that covers the place was signed, and the leaf is not there.
    NotIncluded,
    /// The institution denies the leaf, and its ledger does not even reach to its place.
    Denied,
    /// Two different leaves were promised at one place of one ledger.
    TwoLeaves,
}

impl Breach {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotIncluded => "not_included",
            Self::Denied => "denied",
            Self::TwoLeaves => "two_leaves",
        }
    }
}

/// What does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The promise is not signed by the institution.
    Signature,
    /// The ledger's key is not the institution's.
    LedgerKey,
    /// The proof is of another leaf, place or ledger, or was changed.
    Proof,
    /// The checkpoint that came with a denial is not the ledger's.
    Checkpoint,
}

impl Fault {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::LedgerKey => "ledger_key",
            Self::Proof => "proof",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl Verdict {
    /// Stable name for JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Proved { .. } => "proved",
            Self::Promised(_) => "promised",
            Self::KeysUnknown { .. } => "keys_unknown",
            Self::Broken(_) => "broken",
            Self::Wrong(_) => "wrong",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// More about it, a stable word.
    pub const fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Promised(waiting) => Some(waiting.as_str()),
            Self::Broken(breach) => Some(breach.as_str()),
            Self::Wrong(fault) => Some(fault.as_str()),
            Self::Proved { .. } | Self::KeysUnknown { .. } | Self::Unreadable(_) => None,
        }
    }
}

/// Judges one receipt by itself.
pub fn judge(receipt: &KeptReceipt, lists: &Lists) -> Verdict {
    let at_hand = lists.knows(receipt.epoch);
    let unknown_or = |fault| {
        if at_hand { Verdict::Wrong(fault) } else { Verdict::KeysUnknown { epoch: receipt.epoch } }
    };
    if !lists.signing_keys(&receipt.member).any(|key| receipt.signed.verify(&key).is_ok()) {
        return unknown_or(Fault::Signature);
    }
    let ledgers = lists.ledger_keys(&receipt.member);
    if !ledgers.contains(&receipt.ledger) {
        return unknown_or(Fault::LedgerKey);
    }
    match (&receipt.proof, &receipt.denied) {
        (Some(proof), _) => proved(receipt, proof, &ledgers),
        (None, Some(denial)) => denied(receipt, denial, &ledgers),
        (None, None) => Verdict::Promised(Waiting::Proof),
    }
}

fn proved(receipt: &KeptReceipt, proof: &str, ledgers: &[VerifierKey]) -> Verdict {
    let (promised, wrong) = (&receipt.promise.receipt, Verdict::Wrong(Fault::Proof));
    let Ok(proof) = LogProof::parse(proof) else { return wrong };
    if proof.index != promised.index {
        return wrong;
    }
    let leaf = Hash(promised.leaf_hash.0);
    let verified = ledgers.iter().find_map(|key| proof.verify(&leaf, key, &[]).ok());
    verified.map_or(wrong, |(checkpoint, _)| Verdict::Proved { size: checkpoint.size })
}

fn denied(receipt: &KeptReceipt, denial: &Denial, ledgers: &[VerifierKey]) -> Verdict {
    let Some(note) = &denial.checkpoint else { return Verdict::Broken(Breach::Denied) };
    let by = |key: &VerifierKey| Checkpoint::open(note.as_bytes(), key, &[]).ok();
    match by(&receipt.ledger) {
        Some((head, _)) if head.size > receipt.promise.receipt.index => Verdict::Broken(Breach::NotIncluded),
        Some(_) => Verdict::Broken(Breach::Denied),
        None if ledgers.iter().any(|key| by(key).is_some()) => Verdict::Promised(Waiting::OtherLedger),
        None => Verdict::Wrong(Fault::Checkpoint),
    }
}

/// One file of a folder, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Name of the file.
    pub file: String,
    /// What it holds, where it can be read.
    pub receipt: Option<KeptReceipt>,
    /// What it is worth.
    pub verdict: Verdict,
    /// Another file with the same receipt, which counts instead of this one.
    pub copy_of: Option<String>,
}

impl Judged {
    /// For how long the promise has been waiting, in milliseconds; 0 for one that was made in the future, by a
    /// clock that is not ours.
    pub fn waiting_millis(&self, now: Timestamp) -> Option<u64> {
        let waits = matches!(self.verdict, Verdict::Promised(_) | Verdict::KeysUnknown { .. });
        self.receipt.as_ref().filter(|_| waits).map(|receipt| now.since(receipt.promise.at))
    }
}

/// How many receipts are worth what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Proved.
    pub proved: usize,
    /// Promised only.
    pub promised: usize,
    /// Without the trust list of their time.
    pub keys_unknown: usize,
    /// Promises that were broken.
    pub broken: usize,
    /// Signatures and proofs that do not verify.
    pub wrong: usize,
    /// Files that are no receipts.
    pub unreadable: usize,
    /// Files that hold a receipt another file holds, too; counted in nothing else.
    pub copies: usize,
}

impl Summary {
    /// Counts.
    pub fn of(all: &[Judged]) -> Self {
        let mut summary = Self::default();
        for judged in all {
            let count = match &judged.verdict {
                _ if judged.copy_of.is_some() => &mut summary.copies,
                Verdict::Proved { .. } => &mut summary.proved,
                Verdict::Promised(_) => &mut summary.promised,
                Verdict::KeysUnknown { .. } => &mut summary.keys_unknown,
                Verdict::Broken(_) => &mut summary.broken,
                Verdict::Wrong(_) => &mut summary.wrong,
                Verdict::Unreadable(_) => &mut summary.unreadable,
            };
            *count += 1;
        }
        summary
    }

    /// Whether anything is wrong.
    pub fn alarming(&self) -> bool {
        self.broken + self.wrong + self.unreadable > 0
    }

    /// Whether every receipt is proved.
    pub fn all_proved(&self) -> bool {
        !self.alarming() && self.promised + self.keys_unknown == 0
    }
}

/// Judges the receipts of a folder, each by itself and all beside each other.
pub fn judge_all(found: Vec<Found>, lists: &Lists) -> Vec<Judged> {
    let mut all: Vec<Judged> = found
        .into_iter()
        .map(|(file, read)| match read {
            Ok(receipt) => {
                let verdict = judge(&receipt, lists);
                Judged { file, receipt: Some(receipt), verdict, copy_of: None }
            }
            Err(why) => Judged { file, receipt: None, verdict: Verdict::Unreadable(why), copy_of: None },
        })
        .collect();
    two_leaves(&mut all);
    copies(&mut all);
    all
}

/// What the institution did sign, and nothing less, is laid beside each other.
fn signed(judged: &Judged) -> Option<((String, u64), Digest)> {
    let believed =
        matches!(judged.verdict, Verdict::Proved { .. } | Verdict::Promised(_) | Verdict::Broken(_));
    let receipt = judged.receipt.as_ref().filter(|_| believed)?;
    let promised = &receipt.promise.receipt;
    Some(((receipt.ledger.to_string(), promised.index), promised.leaf_hash))
}

fn two_leaves(all: &mut [Judged]) {
    let mut places: BTreeMap<(String, u64), BTreeSet<[u8; 32]>> = BTreeMap::new();
    for (place, leaf) in all.iter().filter_map(signed) {
        places.entry(place).or_default().insert(leaf.0);
    }
    for judged in all {
        let twice = signed(judged)
            .is_some_and(|(place, _)| places.get(&place).is_some_and(|leaves| leaves.len() > 1));
        // One of the two may be there: what is proved stays proved.
        if twice && !matches!(judged.verdict, Verdict::Proved { .. }) {
            judged.verdict = Verdict::Broken(Breach::TwoLeaves);
        }
    }
}

/// Of several files with one receipt, the best counts: a copy from before the proof came takes nothing away.
fn copies(all: &mut [Judged]) {
    let mut best: BTreeMap<(String, u64, [u8; 32]), (u8, String)> = BTreeMap::new();
    let identity = |judged: &Judged| signed(judged).map(|((ledger, index), leaf)| (ledger, index, leaf.0));
    let rank = |judged: &Judged| match judged.verdict {
        Verdict::Proved { .. } => 0,
        Verdict::Broken(_) => 1,
        _ => 2,
    };
    for judged in all.iter() {
        if let Some(identity) = identity(judged) {
            let candidate = (rank(judged), judged.file.clone());
            let known = best.entry(identity).or_insert_with(|| candidate.clone());
            *known = candidate.min(known.clone());
        }
    }
    for judged in all {
        let counted = identity(judged).and_then(|identity| best.get(&identity));
        judged.copy_of = counted.map(|(_, file)| file.clone()).filter(|file| file != &judged.file);
    }
}
