//! Evidence of a fork convinces whoever has the ledger's key, and nothing else does.

use hibiki_protocol::ids::Digest;
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner, VerifierKey};
use hibiki_protocol::trust::{Member, Role};
use hibiki_protocol::witnessing::{ForkEvidence, NoFork, quorum_default};

use crate::fixture::*;
use crate::samples::*;
use crate::small_ledger::small_ledger;

fn key() -> VerifierKey {
    hospital().ledger_verifier().unwrap()
}

#[test]
fn two_histories_prove_themselves() {
    let evidence = fork_evidence();
    assert_eq!(evidence.claimed_origin(), Member::ledger_origin(&id("chuo-hospital")));
    let fork = evidence.verify(&key()).unwrap();
    assert_eq!((fork.first.size, fork.second.size), (4, 7));
    let bare = evidence.bare(&key()).unwrap();
    assert_ne!(bare, evidence, "the witness's own signature is not part of the evidence");
    assert_eq!(bare.verify(&key()).unwrap(), fork);
    assert_eq!(bare.bare(&key()).unwrap(), bare);
    assert_eq!(ForkEvidence::of(&fork, bare.first.clone(), bare.second.clone()), bare);
}

#[test]
fn nothing_else_proves_a_fork() {
    let checkpoint = small_ledger().checkpoint;
    let root = hibiki_protocol::tlog::Checkpoint::open(checkpoint.as_bytes(), &key(), &[]).unwrap().0.root;
    let same = ForkEvidence {
        first: checkpoint.clone(),
        second: checkpoint,
        prefix_root: Digest(root.0),
        proof: Vec::new(),
    };
    assert_eq!(same.verify(&key()), Err(NoFork::Agree));
    let evidence = fork_evidence();
    let changed: [fn(&mut ForkEvidence); 6] = [
        |evidence| evidence.prefix_root = Digest([7; 32]),
        |evidence| evidence.proof.truncate(evidence.proof.len().saturating_sub(1)),
        |evidence| evidence.proof.push(Digest([7; 32])),
        |evidence| std::mem::swap(&mut evidence.first, &mut evidence.second),
        |evidence| evidence.first = evidence.first.replacen("\n4\n", "\n5\n", 1),
        |evidence| evidence.second.push_str(&" ".repeat(10_000)),
    ];
    for (number, change) in changed.into_iter().enumerate() {
        let mut evidence = evidence.clone();
        change(&mut evidence);
        assert!(evidence.verify(&key()).is_err(), "change {number}");
    }
    assert!(evidence.verify(&school().ledger_verifier().unwrap()).is_err());
    // The ledger's key was changed in the list: what the old one signed no longer counts.
    let origin = Member::ledger_origin(&id("chuo-hospital"));
    let next = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &[99; 32]).unwrap();
    assert!(evidence.verify(next.verifier_key()).is_err());
}

#[test]
fn a_witness_is_who_has_the_role_and_a_key() {
    let mut list = list();
    assert_eq!(list.witnesses_for(&id("chuo-hospital")).len(), 0);
    for member in &mut list.members {
        if member.id == id("dai-ichi-school") {
            *member = witness();
        }
    }
    let hospital = id("chuo-hospital");
    let names = list.witnesses_for(&hospital);
    assert_eq!(names.len(), 1);
    assert_eq!(
        (names[0].0.as_str(), names[0].1.name()),
        ("maebashi/dai-ichi-school", "maebashi/dai-ichi-school/witness")
    );
    assert_eq!(names[0].1.algorithm(), KeyAlgorithm::CosignatureV1);
    assert_eq!(list.witnesses_for(&id("dai-ichi-school")).len(), 0, "nobody witnesses for itself");
    assert_eq!(list.fault(), None);
    assert!(Member { roles: vec![Role::Responder], ..witness() }.witness_verifier().is_none());
    for member in &mut list.members {
        member.witness_key = witness().witness_key;
    }
    assert_eq!(list.fault(), Some("two members share a witness key"));
    assert_eq!(list.member_of_ledger("maebashi/chuo-hospital/ledger").unwrap().id, id("chuo-hospital"));
    assert!(list.member_of_ledger("maebashi/chuo-hospital").is_none());
}

/// Of many members each ledger has five witnesses, by names alone: the same for everybody who looks, and none
/// has to vouch for all the others.
#[test]
fn of_many_five_are_a_ledgers_witnesses_and_the_work_is_shared() {
    let mut list = list();
    list.members = (0..60_u8)
        .map(|number| Member {
            id: id(&format!("school-{number}")),
            witness_key: Some(signing(number + 100).verifying_key()),
            ..witness()
        })
        .collect();
    let mut work = std::collections::BTreeMap::new();
    for member in &list.members {
        let witnesses = list.witnesses_for(&member.id);
        assert_eq!(witnesses.len(), 5);
        assert!(witnesses.iter().all(|(witness, _)| **witness != member.id));
        for (witness, _) in witnesses {
            *work.entry(witness.clone()).or_insert(0) += 1;
        }
    }
    assert!(work.len() > 50 && work.values().all(|ledgers| *ledgers < 20), "{work:?}");
    let mut reversed = list.clone();
    reversed.members.reverse();
    for member in &list.members {
        assert_eq!(list.witnesses_for(&member.id), reversed.witnesses_for(&member.id));
    }
}

#[test]
fn three_but_never_more_than_half() {
    let quorums: Vec<usize> = (0..=8).map(quorum_default).collect();
    assert_eq!(quorums, [0, 1, 1, 2, 2, 3, 3, 3, 3]);
}
