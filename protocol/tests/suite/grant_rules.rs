//! What a grant must be before anybody believes it.

use hibiki_protocol::grant::{Grant, GrantFault, VerifiedGrant};
use hibiki_protocol::ids::Digest;
use hibiki_protocol::limits::{CLOCK_SKEW_MILLIS, SESSION_MILLIS_MAX};
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Role, TrustList};

use crate::fixture::*;

fn verify_in(grant: &Grant, seed: u8, list: &TrustList) -> Result<(), GrantFault> {
    let signed = Signed::sign(grant, &signing(seed));
    VerifiedGrant::verify(&signed, &id("chuo-hospital"), list, NOW).map(|_| ())
}

fn verify(grant: &Grant) -> Result<(), GrantFault> {
    verify_in(grant, CITY, &list())
}

#[test]
fn a_right_grant_is_believed() {
    assert_eq!(verify(&grant()), Ok(()));
}

#[test]
fn a_grant_counts_at_its_audience_only() {
    let other = Grant { audience: id("dai-ichi-school"), ..grant() };
    assert_eq!(verify(&other), Err(GrantFault::Audience));
    let unknown = Grant { audience: id("nobody"), ..grant() };
    assert_eq!(verify(&unknown), Err(GrantFault::Audience));
}

#[test]
fn only_a_registry_of_the_list_grants_and_only_with_its_own_key() {
    assert_eq!(verify_in(&grant(), HOSPITAL, &list()), Err(GrantFault::Registry));
    assert_eq!(verify_in(&grant(), ROOT[0], &list()), Err(GrantFault::Registry));
    let by_school = Grant { registry: id("dai-ichi-school"), ..grant() };
    assert_eq!(
        verify_in(&by_school, SCHOOL, &list()),
        Err(GrantFault::Registry),
        "a member, but no registry"
    );
    let by_nobody = Grant { registry: id("nobody"), ..grant() };
    assert_eq!(verify(&by_nobody), Err(GrantFault::Registry));
    let mut second = list();
    second.members[2].roles.push(Role::Registry);
    assert_eq!(verify_in(&by_school, CITY, &second), Err(GrantFault::Registry), "another registry's key");
    assert_eq!(verify_in(&by_school, SCHOOL, &second), Ok(()));
}

#[test]
fn a_signature_for_another_purpose_or_over_other_bytes_is_none() {
    let signed = Signed::sign(&grant(), &signing(CITY));
    let bytes = hibiki_protocol::cbor::encode(&signed);
    let (list, audience) = (list(), id("chuo-hospital"));
    for bit in 0..8 {
        for at in (0..bytes.len()).step_by(7) {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            if let Ok(altered) = hibiki_protocol::cbor::decode::<Signed<Grant>>(&altered) {
                assert!(VerifiedGrant::verify(&altered, &audience, &list, NOW).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn a_grant_lives_ten_minutes_at_most_and_not_before_its_time() {
    let lasting = |issued: u64, expires: u64| {
        verify(&Grant { issued: Timestamp(issued), expires: Timestamp(expires), ..grant() })
    };
    let (now, most) = (NOW.0, SESSION_MILLIS_MAX);
    assert_eq!(lasting(now, now + most), Ok(()));
    assert_eq!(lasting(now, now + most + 1), Err(GrantFault::Time), "too long");
    assert_eq!(lasting(now - 10, now), Err(GrantFault::Time), "just expired");
    assert_eq!(lasting(now - 10, now + 1), Ok(()));
    assert_eq!(lasting(now + CLOCK_SKEW_MILLIS, now + CLOCK_SKEW_MILLIS + 1), Ok(()));
    assert_eq!(lasting(now + CLOCK_SKEW_MILLIS + 1, now + CLOCK_SKEW_MILLIS + 2), Err(GrantFault::Time));
    assert_eq!(lasting(now + 10, now + 10), Err(GrantFault::Time), "no lifetime at all");
    assert_eq!(lasting(now + 20, now + 10), Err(GrantFault::Time), "ends before it begins");
    assert_eq!(lasting(0, u64::MAX), Err(GrantFault::Time));
    assert_eq!(lasting(u64::MAX, u64::MAX), Err(GrantFault::Time));
}

#[test]
fn the_epoch_in_force_and_the_one_before_are_accepted() {
    let at = |epoch| verify(&Grant { epoch, ..grant() });
    assert_eq!((at(7), at(6)), (Ok(()), Ok(())));
    assert_eq!((at(5), at(8)), (Err(GrantFault::Epoch), Err(GrantFault::Epoch)));
    assert_eq!((at(0), at(u64::MAX)), (Err(GrantFault::Epoch), Err(GrantFault::Epoch)));
}

#[test]
fn a_removed_registry_grants_nothing_from_that_moment_on() {
    let mut removed = TrustList { epoch: 8, ..list() };
    removed.members.remove(0);
    assert_eq!(verify_in(&grant(), CITY, &removed), Err(GrantFault::Registry));
    // Neither does a grant that was verified before.
    let signed = Signed::sign(&grant(), &signing(CITY));
    let known = VerifiedGrant::verify(&signed, &id("chuo-hospital"), &list(), NOW).unwrap();
    assert_eq!(known.clone().still_valid(&removed, NOW).unwrap_err(), GrantFault::Registry);
    let mut demoted = TrustList { epoch: 8, ..list() };
    demoted.members[0].roles = vec![Role::Gateway];
    assert_eq!(known.clone().still_valid(&demoted, NOW).unwrap_err(), GrantFault::Registry);
    let later = TrustList { epoch: 9, ..list() };
    assert_eq!(known.clone().still_valid(&later, NOW).unwrap_err(), GrantFault::Epoch);
    let expired = known.clone().still_valid(&list(), grant().expires);
    assert_eq!(expired.unwrap_err(), GrantFault::Time);
    assert!(known.still_valid(&TrustList { epoch: 8, ..list() }, NOW).is_ok());
}

#[test]
fn other_versions_and_endless_categories_are_no_grants() {
    assert_eq!(verify(&Grant { version: 2, ..grant() }), Err(GrantFault::Malformed));
    assert_eq!(verify(&Grant { version: 0, ..grant() }), Err(GrantFault::Malformed));
    let categories = (0..65).map(|index| category(&format!("c{index}"))).collect();
    assert_eq!(verify(&Grant { categories, ..grant() }), Err(GrantFault::Malformed));
}

#[test]
fn a_verified_grant_knows_which_one_it_is() {
    let (signed, own) = (Signed::sign(&grant(), &signing(CITY)), id("chuo-hospital"));
    let known = VerifiedGrant::verify(&signed, &own, &list(), NOW).unwrap();
    assert!(known.is_of(&signed, &own));
    assert!(!known.is_of(&signed, &id("dai-ichi-school")));
    let other = Signed::sign(&Grant { evidence: Digest([1; 32]), ..grant() }, &signing(CITY));
    assert!(!known.is_of(&other, &own));
}
