//! Which trust list may follow which.

use hibiki_protocol::ids::{Digest, FederationId};
use hibiki_protocol::limits::{CLOCK_SKEW_MILLIS, TRUST_LIST_MILLIS_MAX};
use hibiki_protocol::signing::{Signature, Signed};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::chain::RootSignature;
use hibiki_protocol::trust::{
    Accepted, Decision, MemberRequest, Refused, Role, RootAnchor, SignedTrustList, Standing, TlsKey,
    TrustList,
};

use crate::fixture::*;
use crate::samples::member_request;

/// The list after the fixture's, with nothing changed yet.
fn next() -> TrustList {
    TrustList { epoch: 8, previous: accepted().digest(), issued: NOW, ..list() }
}

fn consider(list: &TrustList, seeds: &[u8]) -> Result<Decision, Refused> {
    accepted().consider(&signed(list, seeds), NOW)
}

fn installs(list: &TrustList, seeds: &[u8]) -> bool {
    matches!(consider(list, seeds), Ok(Decision::Install(next)) if next.list() == list)
}

const TWO: &[u8] = &[0xc1, 0xc3];
const ONE: &[u8] = &[0xc2];

#[test]
fn a_threshold_of_different_root_keys_is_needed() {
    let needed = |valid| Err(Refused::Threshold { valid, needed: 2 });
    assert!(installs(&next(), TWO));
    assert!(installs(&next(), &ROOT));
    assert_eq!(consider(&next(), &[]), needed(0));
    assert_eq!(consider(&next(), ONE), needed(1));
    assert_eq!(consider(&next(), &[0xc1, CITY]), needed(1), "a member's key is no root key");
    assert_eq!(consider(&next(), &[0x01, 0x02, 0x03]), needed(0), "foreign keys count nothing");
}

#[test]
fn one_key_that_signs_twice_counts_once() {
    let mut twice = signed(&next(), ONE);
    twice.signatures.push(twice.signatures[0].clone());
    assert_eq!(accepted().consider(&twice, NOW), Err(Refused::Threshold { valid: 1, needed: 2 }));
    let mut again = signed(&next(), ONE);
    again.sign(&signing(ONE[0]));
    assert_eq!(again.signatures.len(), 1);
}

#[test]
fn a_signature_under_another_name_or_over_other_bytes_counts_nothing() {
    let mut borrowed = signed(&next(), ONE);
    let renamed = RootSignature { key: signing(0xc1).verifying_key(), ..borrowed.signatures[0].clone() };
    borrowed.signatures.push(renamed);
    assert_eq!(accepted().consider(&borrowed, NOW), Err(Refused::Threshold { valid: 1, needed: 2 }));
    let mut moved = signed(&next(), ONE);
    let other = TrustList { expires: Timestamp(NOW.0 + DAY_MILLIS), ..next() };
    moved.signatures.extend(signed(&other, &[0xc1]).signatures);
    assert_eq!(accepted().consider(&moved, NOW), Err(Refused::Threshold { valid: 1, needed: 2 }));
    // The same key signs the same bytes for another purpose: the label separates them.
    let mut relabelled = signed(&next(), ONE);
    let signature = signing(0xc1).sign("hibiki/1/grant", &relabelled.payload);
    relabelled.signatures.push(RootSignature { key: signing(0xc1).verifying_key(), signature });
    assert_eq!(accepted().consider(&relabelled, NOW), Err(Refused::Threshold { valid: 1, needed: 2 }));
}

#[test]
fn more_signatures_than_two_roots_have_keys_are_not_even_verified() {
    let mut stuffed = signed(&next(), TWO);
    let key = signing(0xc1).verifying_key();
    stuffed.signatures.resize(33, RootSignature { key, signature: Signature([1; 64]) });
    assert!(matches!(accepted().consider(&stuffed, NOW), Err(Refused::Fault(_))));
    stuffed.signatures.truncate(32);
    assert!(matches!(accepted().consider(&stuffed, NOW), Ok(Decision::Install(_))));
}

#[test]
fn a_list_that_only_removes_members_needs_fewer_signatures() {
    let mut removal = next();
    removal.members.pop();
    assert!(installs(&removal, ONE));
    let mut also_authority = removal.clone();
    also_authority.card_authorities.clear();
    assert!(installs(&also_authority, ONE), "withdrawing a card authority is removing, too");
}

#[test]
fn a_removal_that_changes_anything_else_needs_the_full_threshold() {
    let removal = || TrustList { members: list().members[..2].to_vec(), ..next() };
    let mut other_key = removal();
    other_key.members[1].signing_key = signing(0x99).verifying_key();
    let mut other_role = removal();
    other_role.members[1].roles.push(Role::Registry);
    other_role.members[1].registry_area = Some("10201".to_owned());
    let mut swapped = next();
    swapped.members[2].id = id("another-school");
    let mut added_authority = removal();
    let twin = added_authority.card_authorities[0].clone();
    added_authority.card_authorities.push(hibiki_protocol::trust::CardAuthority { simulated: false, ..twin });
    let mut lower_threshold = removal();
    lower_threshold.root.threshold = 1;
    for changed in [other_key, other_role, swapped, added_authority, lower_threshold, next()] {
        assert_eq!(consider(&changed, ONE), Err(Refused::Threshold { valid: 1, needed: 2 }));
        assert!(installs(&changed, TWO));
    }
}

#[test]
fn a_new_root_needs_the_signatures_of_the_old_and_of_the_new() {
    let seeds: [u8; 3] = [0xd1, 0xd2, 0xc3];
    let mut changed = next();
    changed.root.keys = seeds.iter().map(|seed| signing(*seed).verifying_key()).collect();
    assert_eq!(consider(&changed, &[0xd1, 0xd2]), Err(Refused::Threshold { valid: 0, needed: 2 }));
    assert_eq!(consider(&changed, &[0xc1, 0xc2]), Err(Refused::Threshold { valid: 0, needed: 2 }));
    assert_eq!(consider(&changed, &[0xc1, 0xc3]), Err(Refused::Threshold { valid: 1, needed: 2 }));
    assert!(installs(&changed, &[0xc1, 0xc2, 0xd1, 0xd2]));
    assert!(installs(&changed, &[0xc1, 0xc3, 0xd1]), "a key in both counts in both");
    // Afterwards only the new root signs.
    let Ok(Decision::Install(in_force)) = consider(&changed, &[0xc1, 0xc2, 0xd1, 0xd2]) else { panic!() };
    let third = TrustList { epoch: 9, previous: in_force.digest(), ..changed };
    assert!(in_force.consider(&signed(&third, &[0xc1, 0xc2]), NOW).is_err());
    assert!(in_force.consider(&signed(&third, &[0xd1, 0xd2]), NOW).is_ok());
}

#[test]
fn epochs_go_neither_back_nor_in_leaps() {
    let previous = TrustList { epoch: 6, ..next() };
    assert_eq!(consider(&previous, TWO), Err(Refused::Rollback { installed: 7, offered: 6 }));
    let leap = TrustList { epoch: 10, ..next() };
    assert_eq!(consider(&leap, TWO), Err(Refused::Gap { from: 8, to: 9 }));
    let far = TrustList { epoch: u64::MAX, ..next() };
    assert_eq!(consider(&far, TWO), Err(Refused::Gap { from: 8, to: u64::MAX - 1 }));
}

#[test]
fn the_last_epoch_of_all_overflows_nothing() {
    let last = TrustList { epoch: u64::MAX, ..list() };
    let in_force = Accepted::first(&anchor(), &signed(&last, TWO)).unwrap();
    let before = in_force.consider(&signed(&next(), TWO), NOW);
    assert_eq!(before, Err(Refused::Rollback { installed: u64::MAX, offered: 8 }));
}

#[test]
fn the_chain_must_hold() {
    let other = TrustList { previous: Digest([9; 32]), ..next() };
    assert_eq!(consider(&other, TWO), Err(Refused::BrokenChain { offered: 8 }));
    let earlier = TrustList { issued: Timestamp(list().issued.0 - 1), ..next() };
    assert_eq!(consider(&earlier, TWO), Err(Refused::BrokenChain { offered: 8 }));
    let future = TrustList { issued: NOW.plus(CLOCK_SKEW_MILLIS + 1), ..next() };
    assert_eq!(consider(&future, TWO), Err(Refused::FromTheFuture));
    assert!(installs(&TrustList { issued: NOW.plus(CLOCK_SKEW_MILLIS), ..next() }, TWO));
    let federation = FederationId::new("takasaki").unwrap();
    let foreign = TrustList { federation, members: Vec::new(), ..next() };
    assert_eq!(consider(&foreign, TWO), Err(Refused::OtherFederation));
}

#[test]
fn two_lists_of_one_epoch_are_evidence_only_when_signed() {
    let twin = TrustList { expires: Timestamp(NOW.0 + DAY_MILLIS), ..list() };
    assert_eq!(consider(&twin, TWO), Err(Refused::Equivocation { epoch: 7 }));
    assert_eq!(consider(&twin, ONE), Err(Refused::Equivocation { epoch: 7 }), "one key may remove");
    assert_eq!(consider(&twin, &[CITY]), Err(Refused::Threshold { valid: 0, needed: 1 }));
    // The list in force with other signatures is no second list.
    assert_eq!(consider(&list(), &[0xc3]), Ok(Decision::Same));
    assert_eq!(consider(&list(), &[]), Ok(Decision::Same));
}

#[test]
fn the_first_list_is_judged_by_what_was_given_out_of_band() {
    let first = |anchor: &RootAnchor, list: &TrustList, seeds: &[u8]| {
        Accepted::first(anchor, &signed(list, seeds)).map(|_| ())
    };
    assert_eq!(first(&anchor(), &list(), TWO), Ok(()));
    assert_eq!(first(&anchor(), &list(), ONE), Err(Refused::Threshold { valid: 1, needed: 2 }));
    let other = RootAnchor { federation: FederationId::new("takasaki").unwrap(), ..anchor() };
    assert_eq!(first(&other, &list(), TWO), Err(Refused::OtherFederation));
    let mut easier = list();
    easier.root.threshold = 1;
    assert_eq!(first(&anchor(), &easier, TWO), Err(Refused::BrokenChain { offered: 7 }));
    let mut own_root = list();
    own_root.root.keys = vec![signing(1).verifying_key(), signing(2).verifying_key()];
    assert_eq!(first(&anchor(), &own_root, &[1, 2]), Err(Refused::BrokenChain { offered: 7 }));
}

#[test]
fn a_list_expires_by_way_of_grace() {
    let (accepted, expires) = (accepted(), list().expires);
    let standing = |after: u64| accepted.standing(expires.plus(after), DAY_MILLIS);
    assert_eq!(accepted.standing(NOW, DAY_MILLIS), Standing::Current);
    assert_eq!(standing(0), Standing::Current);
    assert_eq!(standing(1), Standing::Grace);
    assert_eq!(standing(DAY_MILLIS), Standing::Grace);
    assert_eq!(standing(DAY_MILLIS + 1), Standing::Expired);
    assert_eq!(accepted.standing(expires.plus(1), 0), Standing::Expired);
    assert_eq!(accepted.standing(Timestamp(u64::MAX), u64::MAX), Standing::Grace, "saturates");
}

#[test]
fn lists_that_make_no_sense_are_refused_however_well_signed() {
    let change = |change: fn(&mut TrustList)| {
        let mut list = next();
        change(&mut list);
        list
    };
    let faulty = [
        change(|list| list.version = 2),
        change(|list| list.expires = list.issued),
        change(|list| list.expires = list.issued.plus(TRUST_LIST_MILLIS_MAX + 1)),
        change(|list| list.root.keys.clear()),
        change(|list| list.root.keys = (0..17).map(|seed| signing(seed).verifying_key()).collect()),
        change(|list| list.root.keys[1] = list.root.keys[0]),
        change(|list| list.root.threshold = 0),
        change(|list| list.root.threshold = 4),
        change(|list| list.root.removal_threshold = 0),
        change(|list| list.root.removal_threshold = 3),
        change(|list| list.members[1].id = list.members[0].id.clone()),
        change(|list| list.members[1].id = hibiki_protocol::ids::MemberId::new("takasaki/school").unwrap()),
        change(|list| list.members[1].tls_key = list.members[0].tls_key),
        change(|list| list.members[1].tls_key_next = list.members[0].tls_key_next),
        change(|list| list.members[1].tls_key_next = Some(list.members[0].tls_key)),
        change(|list| list.members[1].signing_key = list.members[0].signing_key),
        change(|list| list.members[1].name_ja.clear()),
        change(|list| list.members[1].name_en = "x".repeat(257)),
        change(|list| list.members[0].registry_area = None),
    ];
    for (index, list) in faulty.iter().enumerate() {
        assert!(matches!(consider(list, &ROOT), Err(Refused::Fault(_))), "number {index}");
    }
    assert!(matches!(
        Accepted::first(&anchor(), &signed(&TrustList { epoch: 0, ..list() }, TWO)),
        Err(Refused::Fault(_))
    ));
    let rubbish = SignedTrustList { payload: vec![0xff], signatures: Vec::new() };
    assert!(matches!(accepted().consider(&rubbish, NOW), Err(Refused::Decode(_))));
}

#[test]
fn members_are_found_by_either_tls_key_and_by_no_other() {
    let list = list();
    assert_eq!(list.member_by_tls_key(&TlsKey([0x11; 32])).unwrap().id, id("city-hall"));
    assert_eq!(list.member_by_tls_key(&TlsKey([0x12; 32])).unwrap().id, id("city-hall"));
    assert!(list.member_by_tls_key(&TlsKey([0x13; 32])).is_none());
}

#[test]
fn the_newest_sealing_key_in_its_time_is_used() {
    let mut member = hospital();
    let newer = hibiki_protocol::trust::SealingKey {
        not_before: NOW,
        not_after: NOW.plus(90 * DAY_MILLIS),
        ..sealing_key(SCHOOL)
    };
    member.sealing_keys.push(newer.clone());
    assert_eq!(member.sealing_key_at(Timestamp(NOW.0 - 1)), Some(&sealing_key(HOSPITAL)));
    assert_eq!(member.sealing_key_at(NOW), Some(&newer));
    assert_eq!(member.sealing_key_at(NOW.plus(90 * DAY_MILLIS)), Some(&newer));
    assert_eq!(member.sealing_key_at(NOW.plus(91 * DAY_MILLIS)), None);
    assert_eq!(member.sealing_key_at(Timestamp(NOW.0 - 31 * DAY_MILLIS)), None);
    assert_eq!(member.sealing_key(newer.public.id()), Some(&newer));
    assert_eq!(member.sealing_key(sealing(CITY).public().id()), None);
}

#[test]
fn who_asks_to_join_must_hold_the_key_it_names() {
    let request = member_request();
    assert_eq!(MemberRequest::verify(&Signed::sign(&request, &signing(HOSPITAL))), Ok(request.clone()));
    assert!(MemberRequest::verify(&Signed::sign(&request, &signing(SCHOOL))).is_err());
}
