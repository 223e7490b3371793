#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use hibiki_protocol::answer::Answer;
use hibiki_protocol::cbor;
use hibiki_protocol::history::HistoryEntry as Told;
use hibiki_protocol::ids::QueryId;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::signing::VerifyingKey;
use hibiki_protocol::tlog::{Hash, KeyAlgorithm, Leaf, NoteSigner, leaf_hash, node_hash};
use hibiki_protocol::trust::{MemberKind, TlsKey};

use super::*;
use crate::words;

pub(crate) const MOTHER: GuardianAlias = GuardianAlias([1; 16]);
const FATHER: GuardianAlias = GuardianAlias([2; 16]);

fn signer() -> NoteSigner {
    let origin = Member::ledger_origin(&hospital([0; 32]).id);
    NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &[7; 32]).unwrap()
}

fn hospital(ledger_key: [u8; 32]) -> Member {
    Member {
        id: MemberId::new("maebashi/chuo-hospital").unwrap(),
        kind: MemberKind::Hospital,
        name_ja: "中央病院".into(),
        name_en: "Chuo Hospital".into(),
        roles: Vec::new(),
        addresses: Vec::new(),
        tls_key: TlsKey([0; 32]),
        tls_key_next: None,
        signing_key: VerifyingKey([0; 32]),
        sealing_keys: Vec::new(),
        ledger_key: VerifyingKey(ledger_key),
        registry_area: None,
        witness_key: None,
    }
}

/// The hospital as the trust list has it.
pub(crate) fn member() -> Member {
    hospital(*signer().verifier_key().public_key().as_bytes())
}

pub(crate) fn disclosed(event: Event, actor: Actor, alias: Option<GuardianAlias>) -> Disclosed {
    Disclosed {
        event,
        actor,
        alias,
        purpose: None,
        categories: vec![Category::new("growth").unwrap()],
        count: Some(3),
        basis: None,
        via: None,
        reach: Some(Reach::EveryGuardian),
        simulated: true,
    }
}

fn told(index: u64, disclosed: &Disclosed) -> Told {
    let (bytes, house) = (cbor::encode(disclosed), Digest([9; 32]));
    let commitment = Leaf::commit(&[8; 32], &Told::committed(&bytes, &house));
    let leaf = Leaf { kind: disclosed.event.kind(), time_ms: 1000 + index, commitment, digests: Vec::new() };
    Told { index, leaf: leaf.encode(), salt: [8; 32], disclosed: bytes, house, path: None }
}

/// A ledger of these two entries, with a checkpoint over both.
pub(crate) fn page(first: &Disclosed, second: &Disclosed) -> HistoryPage {
    let mut entries = vec![told(0, first), told(1, second)];
    let [left, right] = [leaf_hash(&entries[0].leaf), leaf_hash(&entries[1].leaf)];
    entries[0].path = Some(vec![Digest(right.0)]);
    entries[1].path = Some(vec![Digest(left.0)]);
    let origin = signer().verifier_key().name().to_owned();
    let checkpoint = Checkpoint { origin, size: 2, root: node_hash(&left, &right) };
    let checkpoint = Some(checkpoint.sign(&signer()).unwrap().to_string());
    HistoryPage { entries, older: None, checkpoint }
}

fn honest() -> HistoryPage {
    page(
        &disclosed(Event::Linked, Actor::Staff, None),
        &disclosed(Event::RecordsShown, Actor::Guardian, Some(MOTHER)),
    )
}

fn judged_by(member: &Member, page: HistoryPage) -> HistoryPart {
    let standing = Standing {
        institution: member.id.clone(),
        kind: member.kind,
        name: (member.name_ja.clone(), member.name_en.clone()),
        outcome: Outcome::Data,
        detail: None,
        retry_after_millis: None,
        as_of: None,
    };
    let answer = Answer {
        version: 1,
        query_id: QueryId([0; 16]),
        query_digest: Digest::ZERO,
        institution: member.id.clone(),
        outcome: Outcome::Data,
        retry_after_millis: None,
        records: Vec::new(),
        as_of: Timestamp(0),
        policy_version: 1,
        receipt: None,
        simulated: true,
        refusal: None,
        kept_since: None,
        history: Some(page),
        consent: None,
        registration: None,
        promise: None,
        proofs: None,
    };
    part(member, Some(MOTHER), Settled { standing, answer: Some(answer) })
}

fn proofs(page: HistoryPage) -> Vec<Proof> {
    judged_by(&member(), page).entries.iter().map(|entry| entry.proof).collect()
}

#[test]
fn an_honest_page_is_proven_newest_first_and_in_words() {
    let part = judged_by(&member(), honest());
    let seen: Vec<(u64, Proof, Option<Who>)> = part
        .entries
        .iter()
        .map(|entry| (entry.index, entry.proof, entry.said.as_ref().map(|said| said.who)))
        .collect();
    assert_eq!(seen, [(1, Proof::Proven, Some(Who::You)), (0, Proof::Proven, Some(Who::Staff))]);
    assert_eq!(part.head.as_ref().map(|head| head.checkpoint.size), Some(2));
    let said: Vec<String> =
        part.entries.iter().map(|entry| words::history::entry(entry, &part.standing.name).ja).collect();
    assert_eq!(said[0], "あなたが記録を見ました（身体計測、3 件）【模擬カード】");
    assert!(said[1].starts_with("中央病院 の職員が"), "{}", said[1]);
}

#[test]
fn who_is_seen_from_the_one_who_asks() {
    let who = |actor, alias| {
        let shown = disclosed(Event::RecordsShown, actor, alias);
        Said::new(shown, Some(MOTHER)).who
    };
    assert_eq!(who(Actor::Guardian, Some(MOTHER)), Who::You);
    assert_eq!(who(Actor::Guardian, Some(FATHER)), Who::Guardian);
    assert_eq!(who(Actor::Subject, Some(FATHER)), Who::Subject);
    assert_eq!(who(Actor::Guardian, None), Who::Guardian, "nobody without an alias is the one who asks");
    // Staff are staff, whatever alias an institution writes beside them.
    assert_eq!(who(Actor::Staff, Some(MOTHER)), Who::Staff);
}

#[test]
fn what_does_not_verify_is_shown_and_marked() {
    let bend = |bend: &dyn Fn(&mut HistoryPage)| {
        let mut page = honest();
        bend(&mut page);
        // The entry that was bent is the second of the ledger, hence the first shown.
        let part = judged_by(&member(), page);
        let bent = part.entries.into_iter().find(|entry| entry.index != 0).expect("shown");
        (bent.proof, bent.said.is_some())
    };
    let forged = cbor::encode(&disclosed(Event::RecordsShown, Actor::Guardian, Some(FATHER)));
    let unproven = |doubt| Proof::Unproven(doubt);
    assert_eq!(bend(&|_| {}), (Proof::Proven, true));
    assert_eq!(bend(&|page| page.entries[1].path = None), (Proof::Pending, true));
    assert_eq!(
        bend(&|page| page.entries[1].disclosed = forged.clone()),
        (unproven(Doubt::Commitment), false)
    );
    assert_eq!(bend(&|page| page.entries[1].salt = [0; 32]), (unproven(Doubt::Commitment), false));
    assert_eq!(bend(&|page| page.entries[1].leaf.truncate(20)), (unproven(Doubt::Leaf), false));
    assert_eq!(bend(&|page| page.entries[1].index = 7), (unproven(Doubt::NotIncluded), true));
    assert_eq!(bend(&|page| page.entries[1].path = Some(Vec::new())), (unproven(Doubt::NotIncluded), true));
    assert_eq!(bend(&|page| page.checkpoint = None), (unproven(Doubt::Checkpoint), true));
    let leaf = |page: &mut HistoryPage| {
        page.entries[1] = told(1, &disclosed(Event::RecordsShown, Actor::Guardian, Some(FATHER)));
    };
    assert_eq!(bend(&leaf), (Proof::Pending, true), "another entry has no path");
    // A whole other ledger, proven in itself, under a key that is not in the trust list.
    let foreign = judged_by(&hospital([3; 32]), honest());
    assert!(foreign.head.is_none());
    assert!(foreign.entries.iter().all(|entry| entry.proof == unproven(Doubt::Checkpoint)));
}

#[test]
fn a_forged_entry_makes_no_other_doubtful() {
    let mut page = honest();
    page.entries[1].salt = [0; 32];
    assert_eq!(proofs(page), [Proof::Unproven(Doubt::Commitment), Proof::Proven]);
}

#[test]
fn a_receipt_of_before_is_kept_or_the_promise_is_broken() {
    let part = judged_by(&member(), honest());
    let promised = |index, leaf_hash| Receipt { origin: "any".into(), index, leaf_hash };
    let own = part.entries[0].leaf_hash;
    assert_eq!(part.keeps(&promised(1, own)), Kept::Yes);
    assert_eq!(part.keeps(&promised(1, Digest::ZERO)), Kept::No, "another entry in its place");
    assert_eq!(part.keeps(&promised(2, own)), Kept::NotYet);
    let mut gap = part.clone();
    gap.entries[0].index = 5;
    assert_eq!(gap.keeps(&promised(3, own)), Kept::No, "left out between two that are told");
    let mut page = honest();
    page.entries[1].path = None;
    assert_eq!(judged_by(&member(), page).keeps(&promised(1, own)), Kept::NotYet);
}

#[test]
fn a_proof_to_keep_convinces_without_us() {
    let (page, member) = (honest(), member());
    let head = head(&member, page.checkpoint.clone().unwrap()).unwrap();
    let file = proof_file(&page.entries[1], &head).unwrap();
    let leaf = Hash(page.entries[1].leaf_hash().0);
    LogProof::parse(&file).unwrap().verify(&leaf, &member.ledger_verifier().unwrap(), &[]).unwrap();
}
