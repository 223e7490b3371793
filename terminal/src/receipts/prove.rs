//! Fetching proofs with the card, in rounds over everything that lacks one.
//!
//! Every round asks every institution for its next few; what cannot be proved is asked for once like everything
//! else and comes last, so that it keeps nothing from its turn. An institution that has nothing to prove is asked
//! the question without an answer, as in every act, so that the gateway does not learn who was asked before.

use std::collections::{BTreeMap, VecDeque};

use hibiki_protocol::act::Act;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::receipt::{LeafProof, LeafStanding, PromisedLeaf, ProofPage, ProveReceipts};
use hibiki_protocol::session::AttestedSubject;

use super::folder::Folder;
use super::kept::{Denial, KeptReceipt};
use super::lists::Lists;
use super::verdict::{Fault, Judged, Verdict, judge};
use crate::clock;
use crate::federation::Federation;
use crate::history::COVER;
use crate::question::Question;
use crate::round::{self, Ended, Settled};
use crate::session::Session;
use crate::trouble::Trouble;

/// Rounds in which an institution may stay silent before it is asked no more.
const SILENCES_MAX: u32 = 2;

/// What is still to be asked, by institution.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    queues: BTreeMap<MemberId, Queue>,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    waiting: VecDeque<KeptReceipt>,
    silences: u32,
}

impl Plan {
    /// Everything that is believed to be promised and lacks a proof. `turn` is any number, another one each time:
    /// it says where in each queue to begin, so that runs that are cut short get round to everything. What was
    /// denied before comes last.
    pub fn new(judged: Vec<Judged>, turn: u64) -> Self {
        let mut plan = Self::default();
        let mut denied = Vec::new();
        for judged in judged.into_iter().filter(|judged| judged.copy_of.is_none()) {
            let Some(receipt) = judged.receipt else { continue };
            match judged.verdict {
                Verdict::Promised(_) | Verdict::KeysUnknown { .. } if receipt.denied.is_none() => {
                    plan.queues.entry(receipt.member.clone()).or_default().waiting.push_back(receipt);
                }
                // The promise is good, whatever became of it: it is asked for again.
                Verdict::Promised(_)
                | Verdict::KeysUnknown { .. }
                | Verdict::Broken(_)
                | Verdict::Wrong(Fault::Proof | Fault::Checkpoint) => denied.push(receipt),
                Verdict::Proved { .. } | Verdict::Wrong(_) | Verdict::Unreadable(_) => {}
            }
        }
        for queue in plan.queues.values_mut() {
            let length = queue.waiting.len().max(1) as u64;
            queue.waiting.rotate_left(usize::try_from(turn % length).unwrap_or(0));
        }
        for receipt in denied {
            plan.queues.entry(receipt.member.clone()).or_default().waiting.push_back(receipt);
        }
        plan
    }

    /// How many receipts wait for their turn.
    pub fn waiting(&self) -> usize {
        self.queues.values().map(|queue| queue.waiting.len()).sum()
    }

    /// Takes the next few of every institution; empty once nobody is left to be asked.
    pub fn next_round(&mut self) -> BTreeMap<MemberId, Vec<KeptReceipt>> {
        let take = |queue: &mut Queue| -> Vec<KeptReceipt> {
            let few = queue.waiting.len().min(limits::PROOFS_MAX);
            queue.waiting.drain(..few).collect()
        };
        let asked = self.queues.iter_mut().filter(|(_, queue)| queue.silences < SILENCES_MAX);
        asked.map(|(id, queue)| (id.clone(), take(queue))).filter(|(_, few)| !few.is_empty()).collect()
    }

    /// Puts back what there was no room for, to be asked for next.
    fn back(&mut self, id: &MemberId, left: Vec<KeptReceipt>) {
        let queue = self.queues.entry(id.clone()).or_default();
        left.into_iter().rev().for_each(|receipt| queue.waiting.push_front(receipt));
    }

    /// Puts back everything an institution did not say anything about.
    fn silent(&mut self, id: &MemberId, asked: Vec<KeptReceipt>) {
        let queue = self.queues.entry(id.clone()).or_default();
        queue.silences += 1;
        queue.waiting.extend(asked);
    }
}

/// What came of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proving {
    /// Proofs that came and verify.
    pub proved: usize,
    /// Leaves that no checkpoint covers yet.
    pub not_yet: usize,
    /// Leaves the institution denies, or does not prove where it says it does.
    pub denied: usize,
    /// Answers that cannot be judged: a proof that is by no key that is known.
    pub unusable: usize,
    /// Receipts nobody said anything about, by institution, and what became of asking it last. Without an
    /// outcome, it is no longer asked: it has left the federation.
    pub unanswered: BTreeMap<MemberId, (usize, Option<Outcome>)>,
    /// The gateway was lost on the way: what had come is kept, and the rest was not asked.
    pub gateway_lost: bool,
}

/// Asks for the proof of everything in the plan, and keeps what comes in the folder at once.
///
/// # Errors
/// A round was refused as a whole, or the folder cannot be written. What has come is kept.
pub async fn prove(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    (folder, lists): (&Folder, &Lists),
    mut plan: Plan,
    deadline_millis: Option<u64>,
) -> Result<Proving, Trouble> {
    let mut proving = Proving::default();
    let mut last: BTreeMap<MemberId, Outcome> = BTreeMap::new();
    folder.save_list(federation.accepted())?;
    while !proving.gateway_lost {
        let mut asked = plan.next_round();
        asked.retain(|id, few| {
            let answers = federation.answers(id).is_ok();
            if !answers {
                plan.silent(id, std::mem::take(few));
            }
            answers
        });
        if asked.is_empty() {
            if plan.queues.values().all(|queue| queue.waiting.is_empty() || queue.silences >= SILENCES_MAX) {
                break;
            }
            continue;
        }
        let act = |id: &MemberId| asked.get(id).map_or(COVER, |few| wanted(few));
        let question = Question::prepare_acts(session, federation, subject, &act, clock::now())?;
        let mut pages = BTreeMap::new();
        let ended = round::ask(session, federation, question, deadline_millis, &mut |member, settled| {
            let Settled { standing, answer } = settled;
            last.insert(member.id.clone(), standing.outcome);
            if let Some(page) = answer.and_then(|answer| answer.proofs) {
                pages.insert(member.id.clone(), page);
            }
        })
        .await?;
        proving.gateway_lost = ended == Ended::GatewayLost;
        for (id, few) in asked {
            match pages.remove(&id) {
                None => plan.silent(&id, few),
                Some(page) => {
                    let (told, left) = laid_beside(few, &page);
                    if told.is_empty() {
                        plan.silent(&id, left);
                    } else {
                        plan.back(&id, left);
                    }
                    for (receipt, proof) in told {
                        let settled = settle(&receipt, &page, proof, lists);
                        proving.count(&settled);
                        if let Some(changed) = settled.changed(receipt) {
                            folder.save(&changed)?;
                        }
                    }
                }
            }
        }
    }
    for (id, queue) in plan.queues.into_iter().filter(|(_, queue)| !queue.waiting.is_empty()) {
        let outcome = last.get(&id).copied();
        proving.unanswered.insert(id, (queue.waiting.len(), outcome));
    }
    Ok(proving)
}

fn wanted(few: &[KeptReceipt]) -> Act {
    let leaf = |receipt: &KeptReceipt| {
        let promised = &receipt.promise.receipt;
        PromisedLeaf { index: promised.index, leaf_hash: promised.leaf_hash }
    };
    ProveReceipts { leaves: few.iter().map(leaf).collect() }.into()
}

/// Each receipt with the word that was given for it: words come in the order of the question, and the last ones may
/// be missing.
fn laid_beside(
    few: Vec<KeptReceipt>,
    page: &ProofPage,
) -> (Vec<(KeptReceipt, &LeafProof)>, Vec<KeptReceipt>) {
    let (mut told, mut left) = (Vec::new(), Vec::new());
    let mut proofs = page.proofs.iter();
    let mut in_order = true;
    for receipt in few {
        let proof = proofs.next().filter(|_| in_order);
        match proof.filter(|proof| proof.index == receipt.promise.receipt.index) {
            Some(proof) => told.push((receipt, proof)),
            None => {
                in_order = false;
                left.push(receipt);
            }
        }
    }
    (told, left)
}

/// What an institution's word about a receipt makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    Proved(String),
    NotYet,
    Denied(Denial),
    Unusable,
}

impl Settlement {
    /// The receipt as it is to be kept now; `None` if nothing was learnt.
    fn changed(self, receipt: KeptReceipt) -> Option<KeptReceipt> {
        match self {
            Self::Proved(proof) => Some(KeptReceipt { proof: Some(proof), denied: None, ..receipt }),
            Self::Denied(denial) => Some(KeptReceipt { proof: None, denied: Some(denial), ..receipt }),
            Self::NotYet | Self::Unusable => None,
        }
    }
}

impl Proving {
    fn count(&mut self, settled: &Settlement) {
        let count = match settled {
            Settlement::Proved(_) => &mut self.proved,
            Settlement::NotYet => &mut self.not_yet,
            Settlement::Denied(_) => &mut self.denied,
            Settlement::Unusable => &mut self.unusable,
        };
        *count += 1;
    }
}

/// Judges an institution's word. A proof that does not lead from the leaf to a checkpoint of its own, which covers
/// the place, is a denial: it could not do better.
pub(super) fn settle(
    receipt: &KeptReceipt,
    page: &ProofPage,
    proof: &LeafProof,
    lists: &Lists,
) -> Settlement {
    let denial = |checkpoint: Option<String>| {
        let denied = Denial { checkpoint };
        let kept = KeptReceipt { proof: None, denied: Some(denied.clone()), ..receipt.clone() };
        match judge(&kept, lists) {
            Verdict::Wrong(_) => Settlement::Unusable,
            _ => Settlement::Denied(denied),
        }
    };
    match (proof.standing, page.bundle(proof)) {
        (LeafStanding::NotYet, _) => Settlement::NotYet,
        (LeafStanding::Unknown, _) => denial(page.newest().cloned()),
        (LeafStanding::Proved, None) => Settlement::Unusable,
        (LeafStanding::Proved, Some(bundle)) => {
            let text = bundle.to_string();
            let kept = KeptReceipt { proof: Some(text.clone()), denied: None, ..receipt.clone() };
            match judge(&kept, lists) {
                Verdict::Proved { .. } => Settlement::Proved(text),
                Verdict::Wrong(Fault::Proof) => denial(Some(bundle.checkpoint)),
                // Its keys are not known yet: the proof is kept until they are.
                Verdict::KeysUnknown { .. } => Settlement::Proved(text),
                _ => Settlement::Unusable,
            }
        }
    }
}
