//! What a promise and its proof are worth, and that proofs are asked for and given in the common sizes.

use hibiki_protocol::act::Act;
use hibiki_protocol::answer::Answer;
use hibiki_protocol::ids::Digest;
use hibiki_protocol::limits::{CATEGORIES_MAX, PROOFS_MAX};
use hibiki_protocol::query::{Part, Query};
use hibiki_protocol::receipt::{
    LeafProof, LeafStanding, Promise, PromisedLeaf, ProofPage, ProveReceipts, Receipt,
};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::tlog::{Hash, LogProof};
use proptest::prelude::*;

use crate::any::{Any, Gen};
use crate::fixture::*;
use crate::samples::*;
use crate::small_ledger::small_ledger;

fn proved() -> (LogProof, Hash) {
    let (page, asked) = (proof_page(), prove_receipts());
    (page.bundle(&page.proofs[0]).unwrap(), Hash(asked.leaves[0].leaf_hash.0))
}

#[test]
fn a_proof_leads_from_the_promised_leaf_to_the_ledgers_checkpoint_and_can_be_kept_as_text() {
    let (bundle, leaf) = proved();
    let key = hospital().ledger_verifier().unwrap();
    let kept = LogProof::parse(&bundle.to_string()).unwrap();
    assert_eq!(kept, bundle);
    assert_eq!(kept.verify(&leaf, &key, &[]).unwrap().0.size, 7);
    // Of another leaf, at another place, by another ledger: nothing.
    assert!(kept.verify(&Hash(small_ledger().entries[1].leaf_hash().0), &key, &[]).is_err());
    assert!(LogProof { index: bundle.index - 1, ..bundle.clone() }.verify(&leaf, &key, &[]).is_err());
    assert!(bundle.verify(&leaf, &school().ledger_verifier().unwrap(), &[]).is_err());
}

#[test]
fn what_is_not_proved_has_no_bundle() {
    let page = proof_page();
    assert!(page.consistent());
    assert!(page.proofs[1..].iter().all(|proof| page.bundle(proof).is_none()));
    let [proved, not_yet, _] = &page.proofs[..] else { panic!("three proofs") };
    for wrong in [
        LeafProof { checkpoint: Some(1), ..proved.clone() },
        LeafProof { checkpoint: Some(u64::MAX), ..proved.clone() },
        LeafProof { checkpoint: None, ..proved.clone() },
        LeafProof { path: None, ..proved.clone() },
        LeafProof { standing: LeafStanding::Proved, ..not_yet.clone() },
        LeafProof { standing: LeafStanding::Unknown, ..proved.clone() },
        LeafProof { path: Some(Vec::new()), ..not_yet.clone() },
        LeafProof { checkpoint: Some(0), ..not_yet.clone() },
    ] {
        let page = ProofPage { proofs: vec![wrong.clone()], ..page.clone() };
        assert!(!page.consistent(), "{wrong:?}");
    }
}

#[test]
fn proofs_are_asked_for_as_accesses_and_answered_with_proofs() {
    let act = Act::from(prove_receipts());
    assert!(act.agrees_with(Purpose::AccessHistory));
    assert!(!act.agrees_with(Purpose::FamilyRequest) && !act.agrees_with(Purpose::OwnRequest));
    assert!(told_proofs().answers(Some(&act)) && nothing_to_show().answers(Some(&act)));
    for other in [answer(), told_history(), told_consent(), told_registration()] {
        assert!(!other.answers(Some(&act)));
    }
    for (name, other) in acts().into_iter().filter(|(name, _)| *name != "ProveReceipts") {
        assert!(!told_proofs().answers(Some(&other)), "{name}");
    }
    assert!(!told_proofs().answers(None));
}

/// A ledger of a million entries, sixteen receipts far apart in it, and ten witnesses.
#[test]
fn sixteen_proofs_in_a_ledger_of_a_million_entries_fit_the_common_frame() {
    let mut g = Gen::new(29);
    let mut proof = |number: usize| LeafProof {
        index: 1_000_000 - 40_000 * number as u64,
        standing: LeafStanding::Proved,
        checkpoint: Some((number % 2) as u64),
        // The upper four levels are common to all, and told once by the compression.
        path: Some(
            (0..20).map(|level| if level < 16 { Any::any(&mut g) } else { Digest([level; 32]) }).collect(),
        ),
    };
    let proofs = (0..PROOFS_MAX).map(&mut proof).collect();
    let signature = |g: &mut Gen| hex::encode(g.bytes(50));
    let lines: Vec<String> =
        (0..10).map(|number| format!("— maebashi/witness-{number} {}\n", signature(&mut g))).collect();
    let note = small_ledger().checkpoint;
    let page = ProofPage { checkpoints: vec![format!("{note}{}", lines.concat()), note], proofs };
    assert!(page.consistent());
    let answer = promised(Answer { proofs: Some(page), ..told_proofs() });
    assert!(Answer::fits_the_common_frame(&Signed::sign(&answer, &signing(HOSPITAL))));
}

#[test]
fn a_question_for_sixteen_proofs_fits_a_part_under_the_widest_grant() {
    let mut g = Gen::new(31);
    let grant = hibiki_protocol::grant::Grant {
        categories: vec![category(&"c".repeat(32)); CATEGORIES_MAX],
        ..grant()
    };
    let leaf = PromisedLeaf { index: u64::MAX, leaf_hash: Digest([9; 32]) };
    let leaves = (0..PROOFS_MAX).map(|_| PromisedLeaf { leaf_hash: Any::any(&mut g), ..leaf.clone() });
    let query = Query {
        grant: Signed::sign(&grant, &signing(CITY)),
        purpose: Purpose::AccessHistory,
        categories: Vec::new(),
        since: None,
        act: Some(ProveReceipts { leaves: leaves.collect() }.into()),
        ..query()
    };
    Part::seal(&query, &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
}

proptest! {
    /// A promise is good for its own words under its own institution's key alone.
    #[test]
    fn nothing_of_a_promise_can_be_changed(at in 0_usize..1000, bit in 0_u8..8) {
        let signed = Signed::sign(&promise(), &signing(HOSPITAL));
        let key = signing(HOSPITAL).verifying_key();
        prop_assert_eq!(signed.verify(&key).unwrap(), promise());
        prop_assert!(signed.verify(&signing(SCHOOL).verifying_key()).is_err());
        let mut bytes = hibiki_protocol::cbor::encode(&signed);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let changed = hibiki_protocol::cbor::decode::<Signed<Promise>>(&bytes);
        prop_assert!(changed.is_err() || changed.unwrap().verify(&key).is_err());
    }

    /// Nor does a signature over a receipt of another kind make a promise.
    #[test]
    fn a_proof_holds_for_nothing_but_what_it_was_made_for(seed in any::<u64>()) {
        let (bundle, leaf) = proved();
        let key = hospital().ledger_verifier().unwrap();
        let mut g = Gen::new(seed);
        let mut path = bundle.path.clone();
        let at = usize::try_from(g.next()).unwrap_or(0) % path.len();
        let level = usize::try_from(g.next() % 32).unwrap();
        path[at].0[level] ^= 1 << (g.next() % 8);
        let bent = LogProof { path, ..bundle.clone() };
        prop_assert!(bent.verify(&leaf, &key, &[]).is_err());
        let mut other: Receipt = Any::any(&mut g);
        other.leaf_hash.0[0] = !leaf.0[0];
        prop_assert!(bundle.verify(&Hash(other.leaf_hash.0), &key, &[]).is_err());
    }
}
