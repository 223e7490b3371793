//! What an institution makes of a part before it decides anything.

use hibiki_protocol::freshness::{FreshnessKey, Stale};
use hibiki_protocol::grant::{Basis, Grant, VerifiedGrant};
use hibiki_protocol::ids::{Category, Digest, QueryId};
use hibiki_protocol::limits::{
    CLOCK_SKEW_MILLIS, FRESHNESS_MILLIS, QUERY_MILLIS_MAX, REPLAY_ENTRIES_MAX, REPLAY_MILLIS,
};
use hibiki_protocol::query::{Part, Query, Refusal};
use hibiki_protocol::replay::{ReplayCache, Seen};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::signing::{Signed, VerifyingKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::TrustList;

use crate::fixture::*;

fn refusal(query: &Query) -> Refusal {
    verify(query).unwrap_err()
}

#[test]
fn a_right_query_is_verified() {
    let verified = verify(&query()).unwrap();
    assert_eq!(verified.query(), &query());
    assert_eq!(verified.grant().grant(), &grant());
    assert_eq!(verified.replay_key(), (signing(SESSION).verifying_key(), QueryId([0x61; 16])));
}

#[test]
fn only_the_holder_of_the_session_key_may_use_the_grant() {
    let (part, _) = Part::seal(&query(), &signing(SESSION + 2), &sealing_key(HOSPITAL)).unwrap();
    let opened = part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap();
    let accepted = accepted();
    let verified = opened.verify(&id("chuo-hospital"), None, accepted.list(), &accepted.digest(), NOW);
    assert_eq!(verified.unwrap_err(), Refusal::Unauthorized);
}

#[test]
fn a_grant_that_is_not_right_makes_the_query_wrong() {
    let cases = [
        (Grant { audience: id("dai-ichi-school"), ..grant() }, Refusal::Unauthorized),
        (Grant { registry: id("dai-ichi-school"), ..grant() }, Refusal::Unauthorized),
        (Grant { version: 2, ..grant() }, Refusal::Unauthorized),
        (Grant { session_key: signing(9).verifying_key(), ..grant() }, Refusal::Unauthorized),
        (Grant { expires: NOW, ..grant() }, Refusal::Expired),
        (Grant { epoch: 5, ..grant() }, Refusal::Expired),
    ];
    for (grant, expected) in cases {
        assert_eq!(refusal(&query_under(&grant)), expected, "{grant:?}");
    }
    let forged = Query { grant: Signed::sign(&grant(), &signing(SESSION)), ..query() };
    assert_eq!(refusal(&forged), Refusal::Unauthorized);
}

#[test]
fn a_query_lives_a_minute_and_clocks_may_differ() {
    let lasting = |issued: u64, expires: u64| {
        verify(&Query { issued: Timestamp(issued), expires: Timestamp(expires), ..query() }).map(|_| ())
    };
    let (now, skew) = (NOW.0, CLOCK_SKEW_MILLIS);
    assert_eq!(lasting(now, now + QUERY_MILLIS_MAX), Ok(()));
    assert_eq!(lasting(now + skew, now + skew + QUERY_MILLIS_MAX), Ok(()));
    assert_eq!(lasting(now - skew - 9, now - skew + 1), Ok(()));
    for (issued, expires) in [
        (now, now + QUERY_MILLIS_MAX + 1),
        (now, now),
        (now + 2, now + 1),
        (now - skew - 9, now - skew),
        (now + skew + 1, now + skew + 2),
        (0, u64::MAX),
    ] {
        assert_eq!(lasting(issued, expires), Err(Refusal::Expired), "{issued} {expires}");
    }
}

#[test]
fn both_ends_must_mean_the_same_trust_list() {
    let with = |epoch, list_digest| verify(&Query { epoch, list_digest, ..query() }).map(|_| ());
    assert_eq!(with(7, accepted().digest()), Ok(()));
    assert_eq!(with(7, Digest([1; 32])), Err(Refusal::Unauthorized));
    // The list in force names the one before: a relay cannot show the terminal another one.
    assert_eq!(with(6, list().previous), Ok(()));
    assert_eq!(with(6, accepted().digest()), Err(Refusal::Unauthorized));
    assert_eq!(with(6, Digest([1; 32])), Err(Refusal::Unauthorized));
    for epoch in [0, 5, 8, u64::MAX] {
        assert_eq!(with(epoch, accepted().digest()), Err(Refusal::Expired), "epoch {epoch}");
    }
}

#[test]
fn versions_are_told_before_anything_else_is() {
    for version in [0, 2, u64::MAX] {
        let (part, _) =
            Part::seal(&Query { version, ..query() }, &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
        assert_eq!(part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap_err(), Refusal::Version);
    }
}

#[test]
fn a_purpose_must_agree_with_the_grants_basis() {
    let asked = |purpose, basis| {
        let grant = Grant { basis, ..grant() };
        verify(&Query { purpose, ..query_under(&grant) }).map(|_| ())
    };
    for basis in Basis::ALL {
        let own = *basis == Basis::Oneself;
        let expected = |allowed: bool| if allowed { Ok(()) } else { Err(Refusal::Unauthorized) };
        assert_eq!(asked(Purpose::OwnRequest, *basis), expected(own), "{basis}");
        assert_eq!(asked(Purpose::FamilyRequest, *basis), expected(!own), "{basis}");
        assert_eq!(asked(Purpose::AccessHistory, *basis), Ok(()), "{basis}");
    }
}

#[test]
fn a_grant_known_from_before_serves_its_own_query_only() {
    let (accepted, own) = (accepted(), id("chuo-hospital"));
    let known = |grant: &Grant| {
        let signed = Signed::sign(grant, &signing(CITY));
        VerifiedGrant::verify(&signed, &own, accepted.list(), NOW).unwrap()
    };
    let ask = |query: &Query, known| {
        opened(query).verify(&own, Some(known), accepted.list(), &accepted.digest(), NOW)
    };
    assert!(ask(&query(), known(&grant())).is_ok());
    // Another grant of the same registry, wider than the query's own, changes nothing.
    let wider = Grant { categories: Vec::new(), ..grant() };
    let verified = ask(&query(), known(&wider)).unwrap();
    assert_eq!(verified.grant().grant(), &grant());
    // And it does not rescue a query whose own grant is forged.
    let forged = Query { grant: Signed::sign(&grant(), &signing(SESSION)), ..query() };
    assert_eq!(ask(&forged, known(&grant())).unwrap_err(), Refusal::Unauthorized);
    // It expires like any other.
    let late = opened(&query()).verify(
        &own,
        Some(known(&grant())),
        accepted.list(),
        &accepted.digest(),
        grant().expires,
    );
    assert_eq!(late.unwrap_err(), Refusal::Expired);
}

#[test]
fn a_query_under_the_list_before_survives_the_removal_of_somebody_else_only() {
    let own = id("chuo-hospital");
    let next = |members| TrustList { epoch: 8, previous: accepted().digest(), members, ..list() };
    let without_school = next(vec![city(), hospital()]);
    let after =
        |list: &TrustList| opened(&query()).verify(&own, None, list, &Digest([8; 32]), NOW).map(|_| ());
    assert_eq!(after(&without_school), Ok(()));
    assert_eq!(after(&next(vec![hospital(), school()])), Err(Refusal::Unauthorized), "the registry is gone");
}

#[test]
fn categories_are_those_both_asked_for_and_granted() {
    let categories = |asked: &[&str], granted: &[&str]| {
        let names = |names: &[&str]| -> Vec<Category> { names.iter().map(|name| category(name)).collect() };
        let grant = Grant { categories: names(granted), ..grant() };
        verify(&Query { categories: names(asked), ..query_under(&grant) }).unwrap().categories()
    };
    assert_eq!(categories(&[], &[]), None);
    assert_eq!(categories(&["a"], &[]), Some(vec![category("a")]));
    assert_eq!(categories(&[], &["b"]), Some(vec![category("b")]));
    assert_eq!(categories(&["a", "b"], &["b", "c"]), Some(vec![category("b")]));
    assert_eq!(categories(&["a"], &["b"]), Some(Vec::new()), "nothing, not everything");
    let many = (0..65).map(|index| category(&format!("c{index}"))).collect();
    assert_eq!(refusal(&Query { categories: many, ..query() }), Refusal::Malformed);
}

#[test]
fn refusals_are_put_into_outcomes_that_say_no_more() {
    use hibiki_protocol::outcome::Outcome;
    for refusal in Refusal::ALL {
        let outcome = Outcome::from(*refusal);
        assert!(!matches!(outcome, Outcome::Data | Outcome::NothingToShow | Outcome::NotAsked), "{refusal}");
    }
}

fn key(number: u64) -> (VerifyingKey, QueryId) {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    (VerifyingKey([7; 32]), QueryId(id))
}

#[test]
fn a_query_counts_once_for_as_long_as_it_could_be_accepted() {
    let mut cache = ReplayCache::default();
    assert_eq!(cache.note(key(1), 1000), Seen::New);
    assert_eq!(cache.note(key(1), 1000), Seen::Replayed);
    assert_eq!(cache.note(key(2), 1000), Seen::New);
    let other_session = (VerifyingKey([8; 32]), key(1).1);
    assert_eq!(cache.note(other_session, 1000), Seen::New, "another session's query of that name");
    // The longest a query's own times let it be accepted: made 5 minutes ahead, taken 5 minutes behind.
    let longest = QUERY_MILLIS_MAX + 2 * CLOCK_SKEW_MILLIS;
    assert_eq!(cache.note(key(1), 1000 + longest), Seen::Replayed);
    assert_eq!(cache.note(key(1), 1000 + REPLAY_MILLIS), Seen::Replayed);
    assert_eq!(cache.note(key(1), 1000 + REPLAY_MILLIS + 1), Seen::New);
    assert_eq!(cache.len(), 1, "what is forgotten takes no room");
    assert_eq!(cache.note(key(1), 0), Seen::Replayed, "time that goes back forgets nothing");
}

#[test]
fn a_full_cache_refuses_rather_than_forgets() {
    let mut cache = ReplayCache::default();
    for number in 0..REPLAY_ENTRIES_MAX as u64 {
        assert_eq!(cache.note(key(number), number / 1000), Seen::New);
    }
    let now = REPLAY_ENTRIES_MAX as u64 / 1000;
    assert_eq!(cache.note(key(u64::MAX), now), Seen::Full);
    assert_eq!(cache.note(key(0), now), Seen::Replayed, "also when full");
    assert_eq!(cache.note(key(u64::MAX), REPLAY_MILLIS + 1), Seen::New, "room again after a while");
    assert!(!cache.is_empty());
}

#[test]
fn a_freshness_token_is_of_this_run_of_this_gateway_and_young() {
    let (key, gateway) = (FreshnessKey::new([1; 32]), id("city-hall"));
    let token = key.issue(&gateway, 5000, [9; 12]);
    assert_eq!(key.check(&token, &gateway, 5000), Ok(()));
    assert_eq!(key.check(&token, &gateway, 5000 + FRESHNESS_MILLIS), Ok(()));
    assert_eq!(key.check(&token, &gateway, 5000 + FRESHNESS_MILLIS + 1), Err(Stale));
    assert_eq!(key.check(&token, &gateway, 4999), Err(Stale), "from the future");
    assert_eq!(key.check(&token, &id("chuo-hospital"), 5000), Err(Stale), "another gateway's");
    let restarted = FreshnessKey::new([2; 32]);
    assert_eq!(restarted.check(&token, &gateway, 5000), Err(Stale), "another run's");
    for at in 0..token.len() {
        let mut altered = token.clone();
        altered[at] ^= 1;
        assert_eq!(key.check(&altered, &gateway, 5000), Err(Stale), "byte {at}");
        assert_eq!(key.check(&token[..at], &gateway, 5000), Err(Stale), "cut at {at}");
    }
    assert_eq!(key.check(&[token.as_slice(), &[0]].concat(), &gateway, 5000), Err(Stale));
    assert_ne!(token, key.issue(&gateway, 5000, [8; 12]));
}
