//! The council's decisions, judged by what a node accepts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod node;

use hibiki_certs::card_authority::{CardAuthority, SIMULATED_POLICY};
use hibiki_certs::council::{Change, Council, CouncilError, Decision, Enrolled, RequestFault};
use hibiki_protocol::signing::{Signed, SigningKey, VerifyingKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{
    Accepted, Decision as Follows, MemberRequest, Refused, Role, Root, SignedTrustList, TlsKey,
};
use node::{DAY, NOW, Node, federation, id};
use proptest::prelude::*;

fn root_keys(count: u8) -> Vec<SigningKey> {
    (0..count).map(|number| SigningKey::from_seed(&[200 + number; 32])).collect()
}

fn public(keys: &[SigningKey]) -> Vec<VerifyingKey> {
    keys.iter().map(SigningKey::verifying_key).collect()
}

/// A council of `count` keys with thresholds for adding and removing, and these members in force.
fn council(count: u8, add: u64, remove: u64, members: &[Node]) -> (Council, Vec<SigningKey>) {
    let keys = root_keys(count);
    let mut council = Council::create(federation("maebashi"), &public(&keys), add, remove).unwrap();
    for member in members {
        council.enrol(&member.request(), &Decision::ANYTHING, NOW).unwrap();
    }
    council.publish_with(&keys, 30, NOW).unwrap();
    (council, keys)
}

fn enrol(council: &mut Council, request: &Signed<MemberRequest>) -> Result<Enrolled, CouncilError> {
    council.enrol(request, &Decision::default(), NOW)
}

fn signed_by(council: &Council, keys: &[&SigningKey], now: Timestamp) -> SignedTrustList {
    let mut proposal = council.propose(30, now).unwrap();
    keys.iter().for_each(|key| proposal.sign(key));
    proposal
}

#[test]
fn a_pilots_list_is_what_a_node_accepts() {
    let keys = root_keys(1);
    let mut council = Council::create(federation("maebashi"), &public(&keys), 1, 1).unwrap();
    let hospital = Node::responder("hospital", 1);
    assert_eq!(enrol(&mut council, &hospital.request()).unwrap(), Enrolled::Added(id("hospital")));
    assert_eq!(council.changes(), [Change::Added(id("hospital"))]);
    let first = council.publish_with(&keys, 30, NOW).unwrap().clone();
    assert_eq!(council.changes(), []);

    let node = Accepted::first(council.anchor(), first.signed()).unwrap();
    assert_eq!(node.list().epoch, 1);
    assert_eq!(node.list().members, [hospital.member]);
    assert_eq!(node.list().expires, NOW.plus(30 * DAY));

    let clinic = Node::responder("clinic", 2);
    enrol(&mut council, &clinic.request()).unwrap();
    council.rename(&id("hospital"), None, Some("Chuo Hospital")).unwrap();
    let second = council.publish_with(&keys, 30, NOW.plus(DAY)).unwrap().clone();
    let Follows::Install(node) = node.consider(second.signed(), NOW.plus(DAY)).unwrap() else {
        panic!("a new list")
    };
    assert_eq!(node.list().epoch, 2);
    assert_eq!(node.list().previous, first.digest());
    assert_eq!(
        node.list().members.iter().map(|m| m.id.clone()).collect::<Vec<_>>(),
        [id("clinic"), id("hospital")]
    );
}

#[test]
fn k_of_n_different_keys_must_sign() {
    let (mut council, keys) = council(3, 2, 1, &[]);
    enrol(&mut council, &Node::responder("hospital", 1).request()).unwrap();
    let [one, two, _three] = keys.as_slice() else { panic!("three keys") };
    let foreign = SigningKey::from_seed(&[9; 32]);
    for (signers, valid) in [(vec![], 0), (vec![one], 1), (vec![one, one], 1), (vec![one, &foreign], 1)] {
        let proposal = signed_by(&council, &signers, NOW);
        let refused = council.clone().publish(&proposal, NOW).unwrap_err();
        assert!(
            matches!(refused, CouncilError::Missing { valid: v, needed: 2 } if v == valid),
            "{valid}: {refused}"
        );
        assert_eq!(council.signatures(&proposal, NOW).unwrap(), (valid, 2));
    }
    assert!(council.publish_with(std::slice::from_ref(&foreign), 30, NOW).is_err());
    let proposal = signed_by(&council, &[one, two], NOW);
    assert_eq!(council.signatures(&proposal, NOW).unwrap(), (2, 2));
    council.publish(&proposal, NOW).unwrap();
}

#[test]
fn a_pure_removal_needs_fewer_signatures_and_nothing_slips_in_with_it() {
    let members = [Node::responder("hospital", 1), Node::responder("clinic", 2)];
    let (mut council, keys) = council(3, 2, 1, &members);
    let one = keys.first().unwrap();

    let mut pure = council.clone();
    pure.remove(&id("hospital")).unwrap();
    let proposal = signed_by(&pure, &[one], NOW);
    assert_eq!(pure.signatures(&proposal, NOW).unwrap(), (1, 1));
    pure.publish(&proposal, NOW).expect("one key puts a stolen node out");

    council.remove(&id("hospital")).unwrap();
    council.readdress(&id("clinic"), vec!["elsewhere.example:1".to_owned()]).unwrap();
    let proposal = signed_by(&council, &[one], NOW);
    let refused = council.publish(&proposal, NOW).unwrap_err();
    assert!(matches!(refused, CouncilError::Missing { valid: 1, needed: 2 }), "{refused}");
    assert!(matches!(council.remove(&id("hospital")), Err(CouncilError::NoMember(_))));
}

#[test]
fn a_request_needs_the_key_it_names() {
    let (mut council, _) = council(1, 1, 1, &[]);
    let node = Node::responder("hospital", 1);
    let claim =
        MemberRequest { federation: federation("maebashi"), member: node.member.clone(), issued: NOW };
    let thief = Signed::sign(&claim, &SigningKey::from_seed(&[2; 32]));
    let refused = enrol(&mut council, &thief).unwrap_err();
    assert!(matches!(refused, CouncilError::Request(RequestFault::Possession(_))), "{refused}");

    let whole = hibiki_protocol::cbor::encode(&node.request());
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        *bent.get_mut(at).unwrap() ^= 0x10;
        if let Ok(request) = hibiki_protocol::cbor::decode::<Signed<MemberRequest>>(&bent) {
            assert!(enrol(&mut council, &request).is_err(), "bit at byte {at}");
        }
    }
    assert_eq!(council.changes(), []);
    enrol(&mut council, &node.request()).unwrap();
}

#[test]
fn requests_out_of_order_are_refused_with_their_reason() {
    let member = Node::responder("clinic", 2);
    let (mut council, keys) = council(1, 1, 1, std::slice::from_ref(&member));
    let root = keys.first().unwrap().verifying_key();
    let hospital = || Node::responder("hospital", 1);
    let other_federation = Signed::sign(
        &MemberRequest { federation: federation("takasaki"), member: hospital().member, issued: NOW },
        &hospital().signing,
    );
    let foreign = "takasaki/hospital".parse().unwrap();
    let cases: Vec<(Signed<MemberRequest>, &str)> = vec![
        (other_federation, "asks to join takasaki"),
        (hospital().with(|m| m.id = foreign).request(), "does not begin with the federation's name"),
        (hospital().request_at(NOW.plus(10 * 60 * 1000)), "in the future"),
        (hospital().request_at(Timestamp(NOW.0 - 31 * DAY)), "more than 30 days ago"),
        (hospital().with(|m| m.name_ja = String::new()).request(), "display name"),
        (hospital().with(|m| m.name_en = "a\u{1b}[2J".to_owned()).request(), "display name"),
        (hospital().with(|m| m.addresses = vec!["nowhere".to_owned()]).request(), "not an address"),
        (hospital().with(|m| m.roles = vec![]).request(), "no role"),
        (hospital().with(|m| m.roles = vec![Role::Responder; 2]).request(), "for one twice"),
        (Node::new("hospital", 1, &[Role::Registry]).request(), "--allow registry"),
        (Node::new("hospital", 1, &[Role::Responder, Role::Gateway]).request(), "--allow gateway"),
        (hospital().with(|m| m.sealing_keys = vec![]).request(), "no sealing key"),
        (
            hospital().with(|m| m.sealing_keys.iter_mut().for_each(|k| k.not_after = NOW)).request(),
            "no sealing key",
        ),
        (
            hospital().with(|m| m.tls_key = member.member.tls_key).request(),
            "TLS key is already maebashi/clinic's",
        ),
        (
            hospital().with(|m| m.tls_key_next = Some(member.member.tls_key)).request(),
            "TLS key is already maebashi/clinic's",
        ),
        (
            hospital().with(|m| m.sealing_keys = member.member.sealing_keys.clone()).request(),
            "sealing key is already maebashi/clinic's",
        ),
        (
            hospital().with(|m| m.ledger_key = member.member.signing_key).request(),
            "ledger key is already maebashi/clinic's",
        ),
        (
            hospital().with(|m| m.witness_key = Some(member.member.signing_key)).request(),
            "witness, signing or ledger key is already maebashi/clinic's",
        ),
        (
            hospital().with(|m| m.witness_key = Some(m.ledger_key)).request(),
            "witness key is already maebashi/hospital's",
        ),
        (hospital().with(|m| m.witness_key = Some(root)).request(), "already the council's"),
        (hospital().with(|m| m.ledger_key = root).request(), "already the council's"),
        (member.request(), "is a member already: add --replace"),
    ];
    for (request, expected) in cases {
        let refused = enrol(&mut council, &request).expect_err(expected).to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    assert_eq!(council.changes(), []);
    let city = Node::new("city", 3, &[Role::Gateway]).with(|m| m.addresses = vec![]);
    let refused = council.enrol(&city.request(), &Decision::ANYTHING, NOW).unwrap_err().to_string();
    assert!(refused.contains("a gateway needs an address"), "{refused}");
    let registry = Node::new("city", 3, &[Role::Registry]).with(|m| m.registry_area = None);
    let refused = council.enrol(&registry.request(), &Decision::ANYTHING, NOW).unwrap_err().to_string();
    assert!(refused.contains("must name the area"), "{refused}");
}

#[test]
fn a_member_changes_its_keys_by_a_new_request() {
    let (mut council, keys) = council(1, 1, 1, &[Node::responder("hospital", 1)]);
    let renewed = Node::responder("hospital", 1).with(|m| {
        m.tls_key_next = Some(TlsKey([77; 32]));
        m.addresses = vec![];
    });
    let decision = Decision { allow: &[], replace: true };
    let became = council.enrol(&renewed.request(), &decision, NOW).unwrap();
    assert_eq!(became, Enrolled::Replaced(id("hospital")));
    assert_eq!(council.changes(), [Change::Changed(id("hospital"), vec!["addresses", "next TLS key"])]);
    let list = council.publish_with(&keys, 30, NOW).unwrap().list();
    assert_eq!(list.members.len(), 1);
    assert_eq!(list.member_by_tls_key(&TlsKey([77; 32])).unwrap().id, id("hospital"));
}

#[test]
fn a_new_root_is_signed_by_the_old_and_the_new() {
    let (mut council, old) = council(1, 1, 1, &[]);
    let node = council.in_force().unwrap().clone();
    let new = vec![SigningKey::from_seed(&[50; 32]), SigningKey::from_seed(&[51; 32])];
    council.change_root(Root { keys: public(&new), threshold: 2, removal_threshold: 1 }).unwrap();
    assert_eq!(council.changes(), [Change::Root]);
    let (old, [first, second]) = (old.first().unwrap(), new.as_slice()) else { panic!("two keys") };
    for signers in [vec![old], vec![first, second], vec![old, first]] {
        let proposal = signed_by(&council, &signers, NOW);
        assert!(matches!(council.clone().publish(&proposal, NOW), Err(CouncilError::Missing { .. })));
    }
    let mut proposal = council.propose(30, NOW).unwrap();
    for key in [old, first, second] {
        council.sign(&mut proposal, key).unwrap();
    }
    council.publish(&proposal, NOW).unwrap();
    assert!(matches!(node.consider(&proposal, NOW), Ok(Follows::Install(_))));
    assert!(council.publish_with(std::slice::from_ref(old), 30, NOW).is_err(), "the old key is out");
    for (threshold, removal) in [(0, 0), (3, 1), (1, 2)] {
        let root = Root { keys: public(&new), threshold, removal_threshold: removal };
        assert!(matches!(council.change_root(root), Err(CouncilError::Root(_))), "{threshold}/{removal}");
    }
    let twice = Root {
        keys: public(&[new, vec![SigningKey::from_seed(&[50; 32])]].concat_keys()),
        threshold: 1,
        removal_threshold: 1,
    };
    assert!(matches!(council.change_root(twice), Err(CouncilError::Root(_))));
}

trait ConcatKeys {
    fn concat_keys(self) -> Vec<SigningKey>;
}

impl ConcatKeys for [Vec<SigningKey>; 2] {
    fn concat_keys(self) -> Vec<SigningKey> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn dates_are_kept() {
    let (mut council, keys) = council(1, 1, 1, &[]);
    assert!(matches!(council.propose(0, NOW), Err(CouncilError::Lifetime)));
    assert!(matches!(council.propose(32, NOW), Err(CouncilError::Lifetime)));
    assert!(matches!(council.propose(u64::MAX, NOW), Err(CouncilError::Lifetime)));
    assert!(matches!(council.propose(30, Timestamp(NOW.0 - 1)), Err(CouncilError::Clock)));
    let forgotten = signed_by(&council, &[keys.first().unwrap()], NOW);
    let late = council.publish(&forgotten, NOW.plus(31 * DAY)).unwrap_err();
    assert!(matches!(late, CouncilError::Stale), "{late}");
    council.publish(&forgotten, NOW.plus(29 * DAY)).unwrap();
    let again = council.publish(&forgotten, NOW.plus(29 * DAY)).unwrap_err();
    assert!(matches!(again, CouncilError::NothingSigned), "{again}");
}

#[test]
fn simulated_and_real_card_authorities_are_never_mixed_up() {
    let folder = tempfile::tempdir().unwrap();
    let authority = CardAuthority::init(&folder.path().join("ca"), "Rehearsal", NOW).unwrap();
    let simulated = authority.certificate_der();
    let (mut council, keys) = council(1, 1, 1, &[]);
    let entry = council.accept_card_certificate(simulated, None, None).unwrap();
    assert!(entry.simulated);
    assert_eq!((entry.name.as_str(), entry.policy.as_str()), ("Rehearsal", SIMULATED_POLICY));

    let mut lying = entry.clone();
    lying.simulated = false;
    assert!(matches!(council.accept_card_authority(lying), Err(CouncilError::CardAuthority(_))));
    let mut pretending = entry.clone();
    pretending.policy = "1.2.392.200149.8.5.1.3.30".to_owned();
    assert!(matches!(council.accept_card_authority(pretending), Err(CouncilError::CardAuthority(_))));
    let mut nonsense = entry;
    nonsense.policy = "one.two".to_owned();
    assert!(matches!(council.accept_card_authority(nonsense), Err(CouncilError::CardAuthority(_))));

    let key = rcgen::KeyPair::generate().unwrap();
    let mut real = rcgen::CertificateParams::default();
    real.distinguished_name = rcgen::DistinguishedName::new();
    real.distinguished_name.push(rcgen::DnType::OrganizationName, "JPKI");
    let leaf = real.self_signed(&key).unwrap();
    assert!(council.accept_card_certificate(leaf.der(), Some("x"), Some("1.2.3")).is_err(), "not a CA");
    real.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let real = real.self_signed(&key).unwrap();
    let refused = council.accept_card_certificate(real.der(), Some("JPKI"), None).unwrap_err().to_string();
    assert!(refused.contains("--policy"), "{refused}");
    let refused = council.accept_card_certificate(real.der(), None, Some("1.2.3")).unwrap_err().to_string();
    assert!(refused.contains("--name"), "{refused}");
    let entry = council
        .accept_card_certificate(real.pem().as_bytes(), Some("JPKI"), Some("1.2.392.200149.8.5.1.3.30"))
        .unwrap();
    assert!(!entry.simulated);
    assert!(council.accept_card_certificate(b"garbage", None, None).is_err());

    let names = |council: &Council| {
        council.draft().card_authorities.iter().map(|ca| ca.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&council), ["JPKI", "Rehearsal"]);
    council.publish_with(&keys, 30, NOW).unwrap();
    council.drop_card_authority("Rehearsal").unwrap();
    assert_eq!(council.changes(), [Change::CardAuthorityDropped("Rehearsal".to_owned())]);
    assert!(matches!(council.drop_card_authority("Rehearsal"), Err(CouncilError::NoCardAuthority(_))));
    council.reset();
    assert_eq!(names(&council), ["JPKI", "Rehearsal"]);
}

#[derive(Clone, Debug)]
enum Step {
    Enrol(u8),
    Remove(u8),
    Rename(u8),
    Readdress(u8),
    Reset,
    Publish { skip: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1u8..6).prop_map(Step::Enrol),
        (1u8..6).prop_map(Step::Remove),
        (1u8..6).prop_map(Step::Rename),
        (1u8..6).prop_map(Step::Readdress),
        Just(Step::Reset),
        any::<bool>().prop_map(|skip| Step::Publish { skip }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the council does, in whatever order: a node that takes every list in turn ends with
    /// the council's list, one that missed some says which, and nobody accepts an older one again.
    #[test]
    fn every_published_list_follows_the_one_before(steps in prop::collection::vec(step(), 1..24)) {
        let (mut council, keys) = council(2, 2, 1, &[]);
        let mut node = council.in_force().unwrap().clone();
        let mut lagging = node.clone();
        let mut missed = false;
        let mut now = NOW;
        for step in steps {
            now = now.plus(60_000);
            let name = |number: u8| format!("m{number}");
            match step {
                Step::Enrol(n) => {
                    let node = Node::responder(&name(n), n);
                    council.enrol(&node.request(), &Decision::ANYTHING, now).unwrap();
                }
                Step::Remove(n) => drop(council.remove(&id(&name(n)))),
                Step::Rename(n) => drop(council.rename(&id(&name(n)), Some("病院"), None)),
                Step::Readdress(n) => drop(council.readdress(&id(&name(n)), vec![])),
                Step::Reset => council.reset(),
                Step::Publish { skip } => {
                    let published = council.publish_with(&keys, 30, now).unwrap().clone();
                    let Ok(Follows::Install(next)) = node.consider(published.signed(), now) else {
                        panic!("a node refuses a published list")
                    };
                    let refused = matches!(next.consider(node.signed(), now), Err(Refused::Rollback { .. }));
                    prop_assert!(refused, "no way back");
                    node = *next;
                    match lagging.consider(published.signed(), now) {
                        Ok(Follows::Install(next)) if !missed && !skip => lagging = *next,
                        Ok(Follows::Install(_)) => { prop_assert!(skip && !missed); missed = true; }
                        Err(Refused::Gap { from, to }) => {
                            prop_assert!(missed);
                            prop_assert_eq!((from, to), (lagging.list().epoch + 1, published.list().epoch - 1));
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
        prop_assert_eq!(node.digest(), council.in_force().unwrap().digest());
        let anchor = Accepted::first(council.anchor(), node.signed());
        prop_assert!(anchor.is_ok(), "a newcomer accepts the newest list");
    }
}
