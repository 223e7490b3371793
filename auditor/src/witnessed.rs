//! What witnesses keep of other members' ledgers: the newest checkpoint each has cosigned, and evidence of forks.
//!
//! A checkpoint that a witness keeps must be a beginning of the ledger that lies in the artefacts: that is how a
//! ledger exchanged for another, or for an older copy, is found.

use std::collections::BTreeMap;

use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::tlog::{Checkpoint, SignedNote};
use hibiki_protocol::trust::Member;
use hibiki_protocol::witnessing::ForkEvidence;
use serde_json::Value;

use crate::artefacts::{folder, ledger_key};
use crate::evidence::Evidence;
use crate::strand::Strand;

/// Checkpoints by the member whose ledger they are of.
pub type Kept = BTreeMap<MemberId, Vec<Vec<u8>>>;

/// Reads what every witness keeps.
pub fn read(evidence: &Evidence, strand: &mut Strand) -> Kept {
    let Evidence { artefacts, list, lists, .. } = evidence;
    let mut kept = Kept::new();
    for witness in list.members.iter().filter(|member| member.witness_verifier().is_some()) {
        let place = format!("{}/witnessed", folder(&witness.id));
        let whose = &witness.id;
        strand.wants(artefacts.has(&place), || format!("{place}: what {whose} keeps of other ledgers"));
        for name in artefacts.named(&place, ".checkpoint") {
            let Some(note) = strand.need(artefacts.read(&name)) else { continue };
            strand.count("checkpoints kept by witnesses", 1);
            let text = SignedNote::parse(&note).map(|note| note.text().to_owned()).unwrap_or_default();
            let origin = text.lines().next().unwrap_or_default();
            let signed = |owner: &Member| {
                ledger_key(owner).is_ok_and(|key| Checkpoint::open(&note, &key, &[]).is_ok())
            };
            match list.member_of_ledger(origin) {
                Some(owner) if signed(owner) => kept.entry(owner.id.clone()).or_default().push(note),
                // With another key it is another ledger, which ended when the key was changed.
                _ if lists.iter().filter_map(|list| list.member_of_ledger(origin)).any(signed) => {
                    strand.count("checkpoints kept under earlier keys", 1);
                }
                _ => strand.problem(format!("{name}: no key that `{origin}` ever had has signed it")),
            }
        }
        // Evidence is a problem, whatever it proves: somebody must look at it.
        for name in artefacts.named(&format!("{place}/forks"), ".json") {
            let Some(filed) = strand.need(artefacts.json(&name)) else { continue };
            let origin = filed["origin"].as_str().unwrap_or_default();
            let key = list.member_of_ledger(origin).and_then(|member| ledger_key(member).ok());
            let proven = key.zip(fork(&filed)).is_some_and(|(key, fork)| fork.verify(&key).is_ok());
            let said =
                if proven { "it proves that the ledger was forked" } else { "it does not prove itself" };
            strand.problem(format!("{name}: evidence against `{origin}`; {said}"));
        }
    }
    kept
}

fn fork(filed: &Value) -> Option<ForkEvidence> {
    let digest = |value: &Value| Some(Digest(hex::decode(value.as_str()?).ok()?.try_into().ok()?));
    Some(ForkEvidence {
        first: filed["first"].as_str()?.to_owned(),
        second: filed["second"].as_str()?.to_owned(),
        prefix_root: digest(&filed["prefix_root"])?,
        proof: filed["proof"].as_array()?.iter().map(digest).collect::<Option<_>>()?,
    })
}
