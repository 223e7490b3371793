//! Promises in every answer, and the proofs of them: for whoever was promised, and nobody learns anything else.

use std::time::Duration;

use hibiki_protocol::act::{Act, AskHistory, ShowConsent};
use hibiki_protocol::answer::Answer;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::ids::Digest;
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::policy::Hold;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::receipt::{LeafStanding, PromisedLeaf, ProofPage, ProveReceipts, Receipt};
use hibiki_protocol::tlog::Hash;

use super::acts::{ask, asked_by, lock};
use crate::responder::scene::{Scene, member};
use crate::services::Responder as _;

fn scene() -> Scene {
    Scene::with_floor(Duration::from_millis(2))
}

fn leaf(receipt: &Receipt) -> PromisedLeaf {
    PromisedLeaf { index: receipt.index, leaf_hash: receipt.leaf_hash }
}

fn prove(leaves: Vec<PromisedLeaf>) -> Act {
    ProveReceipts { leaves }.into()
}

/// The receipt of an answer, which its promise repeats under the institution's own key.
fn promised(scene: &Scene, answer: &Answer) -> Receipt {
    let own = scene.accepted.list().member(&member("maebashi/chuo-hospital")).unwrap();
    let promise = answer.promise.as_ref().expect("a promise").verify(&own.signing_key).unwrap();
    assert_eq!((Some(&promise.receipt), promise.at), (answer.receipt.as_ref(), answer.as_of));
    promise.receipt
}

fn standings(scene: &Scene, page: &ProofPage, asked: &[PromisedLeaf]) -> Vec<LeafStanding> {
    let own = scene.accepted.list().member(&member("maebashi/chuo-hospital")).unwrap();
    let key = own.ledger_verifier().unwrap();
    for (proof, leaf) in page.proofs.iter().zip(asked) {
        assert_eq!(proof.index, leaf.index);
        if let Some(bundle) = page.bundle(proof) {
            bundle.verify(&Hash(leaf.leaf_hash.0), &key, &[]).unwrap();
        }
    }
    page.proofs.iter().map(|proof| proof.standing).collect()
}

#[tokio::test]
async fn every_answer_is_promised_and_every_promise_is_proved_whatever_was_answered() {
    let scene = scene();
    let mut receipts = Vec::new();
    for act in [None, Some(AskHistory { before: None }.into()), Some(ShowConsent { version: 1 }.into())] {
        let answer = ask(&scene, "mother", act).await;
        assert_eq!(answer.outcome, Outcome::Data);
        receipts.push(promised(&scene, &answer));
    }
    lock(&scene).holds.push(Hold { guardian: None });
    let withheld = ask(&scene, "mother", None).await;
    assert_eq!(withheld.outcome, Outcome::NothingToShow);
    receipts.push(promised(&scene, &withheld));
    lock(&scene).child = None;
    receipts.push(promised(&scene, &ask(&scene, "mother", None).await));
    let mut unauthorized = asked_by(&scene, "mother", Basis::ParentalJoint, None);
    unauthorized.grant_signer = hibiki_protocol::signing::SigningKey::from_seed(&[99; 32]);
    let refused = scene.answer(unauthorized).await.unwrap();
    assert_eq!(refused.refusal, Some(Refusal::Unauthorized));
    receipts.push(promised(&scene, &refused));
    // The child is held, unlinked and unknown by now; the promises stay what they are.
    let leaves: Vec<PromisedLeaf> = receipts.iter().map(leaf).collect();
    let answer = ask(&scene, "mother", Some(prove(leaves.clone()))).await;
    assert_eq!(answer.outcome, Outcome::Data);
    let page = answer.proofs.clone().unwrap();
    assert_eq!(standings(&scene, &page, &leaves), [LeafStanding::Proved; 6]);
    // The act itself is logged and promised, too, and in nobody's history.
    let own = promised(&scene, &answer);
    assert_eq!(own.index + 1, scene.ledger.size());
    let entry = &scene.ledger.read(own.index..own.index + 1).unwrap()[0];
    let details = entry.details::<crate::ledger::details::Release>().unwrap();
    assert_eq!((details.act.as_str(), details.records), ("receipts", 6));
    assert!(entry.subject.is_none() && entry.told.is_none());
}

#[tokio::test]
async fn nothing_can_be_fished_for_and_nothing_is_told_of_a_child() {
    let scene = scene();
    let receipt = promised(&scene, &ask(&scene, "mother", None).await);
    let other = promised(&scene, &ask(&scene, "father", None).await);
    let guessed = vec![
        PromisedLeaf { leaf_hash: Digest::ZERO, ..leaf(&receipt) },
        PromisedLeaf { index: other.index, ..leaf(&receipt) },
        PromisedLeaf { index: u64::MAX, ..leaf(&receipt) },
        leaf(&receipt),
    ];
    let mut sizes = Vec::new();
    for known in [true, false] {
        if !known {
            lock(&scene).child = None;
        }
        let act = Some(prove(guessed.clone()));
        let mut asked = asked_by(&scene, "mother", Basis::ParentalJoint, act);
        let (part, to) = scene.seal(&mut asked);
        let answered = scene.responder.ask(&member("maebashi/city-hall"), scene.ask(part)).await.unwrap();
        sizes.push(answered.answer.0.ciphertext.len());
        let own = member("maebashi/chuo-hospital");
        let key = scene.accepted.list().member(&own).unwrap().signing_key;
        let answer = answered.answer.open(&own, &key, &to, &asked.secret).unwrap();
        let page = answer.proofs.unwrap();
        let unknown = LeafStanding::Unknown;
        assert_eq!(
            standings(&scene, &page, &guessed),
            [unknown, unknown, unknown, LeafStanding::Proved],
            "known here: {known}"
        );
    }
    assert_eq!(sizes[0], sizes[1]);
    let look = ask(&scene, "mother", None).await;
    assert_eq!(look.records, Vec::new(), "and a look shows what it would");
}

#[tokio::test]
async fn sixteen_at_once_and_no_more() {
    let scene = scene();
    let receipt = promised(&scene, &ask(&scene, "mother", None).await);
    let most = vec![leaf(&receipt); limits::PROOFS_MAX];
    let page = ask(&scene, "mother", Some(prove(most.clone()))).await.proofs.unwrap();
    assert_eq!(standings(&scene, &page, &most), [LeafStanding::Proved; limits::PROOFS_MAX]);
    for leaves in [vec![leaf(&receipt); limits::PROOFS_MAX + 1], Vec::new()] {
        let answer = ask(&scene, "mother", Some(prove(leaves))).await;
        assert_eq!((answer.refusal, answer.proofs.is_none()), (Some(Refusal::Malformed), true));
    }
}

#[tokio::test]
async fn what_cannot_be_logged_is_neither_proved_nor_promised() {
    let scene = scene();
    let receipt = promised(&scene, &ask(&scene, "mother", None).await);
    scene.low_space.store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = ask(&scene, "mother", Some(prove(vec![leaf(&receipt)]))).await;
    assert_eq!((answer.outcome, answer.proofs.is_none()), (Outcome::NotLogged, true));
    assert!(answer.receipt.is_none() && answer.promise.is_none());
}
