//! What a session is answered with, and every reason it is refused.

use hibiki_certs::card_authority::Reason;
use hibiki_protocol::grant::VerifiedGrant;
use hibiki_protocol::session::Relation;
use hibiki_protocol::token::AudienceKey;

use super::*;
use crate::institution::town::DAY;
use crate::ledger::{DigestKind, details};

const OWN: &str = "1990-04-01";
const DAUGHTER: &str = "2018-04-02";
const SON: &str = "2008-11-25";

fn acts_for(all: &[&str]) -> Vec<(String, usize)> {
    all.iter().map(|birth| ((*birth).to_owned(), 3)).collect()
}

#[tokio::test]
async fn each_institution_gets_its_own_names_and_all_of_it_is_logged_first() {
    let mut world = World::new().await;
    world.guardian("M", "D").await;
    let request = Request::new(&world.town, &mut world.mother);
    let before = world.town.house("city-hall").means.ledger.size();
    let opened = request.ask(&world.registry).await.unwrap();
    let attestation = request.open_answer(&world.town, &opened);
    assert!(attestation.simulated);
    let relations: Vec<_> = attestation.subjects.iter().map(|subject| subject.relation).collect();
    assert_eq!(relations, [Relation::Oneself, Relation::Child]);
    assert_eq!(attestation.subjects[1].name, "前橋 さくら");

    let (trust, now) = (world.town.trust(), Timestamp(NOW));
    let mut seen = std::collections::BTreeSet::new();
    for subject in &attestation.subjects {
        for signed in &subject.grants {
            let audience = signed.claimed().unwrap().audience;
            let verified = VerifiedGrant::verify(signed, &audience, trust.list(), now).unwrap();
            let grant = verified.grant();
            let key = request.keys.iter().find(|(member, _)| *member == audience).unwrap();
            assert_eq!(grant.session_key, key.1.verifying_key());
            assert_eq!(grant.expires, opened.not_after);
            assert!(grant.simulated && grant.categories.is_empty());
            let name = audience.as_str().split_once('/').unwrap().1;
            let keys = world.town.means(name).keys;
            let token =
                grant.token.open(&grant.registry, &audience, keys.sealing(grant.token_key).unwrap()).unwrap();
            let child = subject.relation == Relation::Child;
            let expected = AudienceKey::derive(&[9; 32], &audience);
            assert_eq!(token.pseudonym, expected.pseudonym(if child { "D" } else { "M" }));
            assert_eq!(grant.guardian, expected.alias("M"));
            assert!(seen.insert(token.pseudonym.0), "no name is used twice");
            assert_eq!(grant.basis, if child { Basis::ParentalSole } else { Basis::Oneself });
        }
    }
    assert_eq!(seen.len(), 6, "two persons at three institutions that hold records");

    let logged = world.town.house("city-hall").means.ledger.read(before..before + 7).unwrap();
    let session: details::Session = logged[0].details().unwrap();
    assert_eq!(session.event, "begun");
    for (entry, signed) in
        logged[1..].iter().zip(attestation.subjects.iter().flat_map(|subject| &subject.grants))
    {
        assert_eq!(entry.leaf.digests, [(DigestKind::Grant, signed.digest().0)]);
        let details: details::Grant = entry.details().unwrap();
        let salt: [u8; 32] = hex::decode(details.evidence_salt).unwrap().try_into().unwrap();
        let claimed = signed.claimed().unwrap();
        let shown = OpenSession {
            statement: hex::decode(&session.statement).unwrap(),
            card_signature: hex::decode(&session.card_signature).unwrap(),
            certificate: hex::decode(&session.certificate).unwrap(),
            keys: Vec::new(),
        };
        assert_eq!(
            claimed.evidence,
            super::super::grants::evidence(&salt, &shown),
            "a forged access is provable"
        );
    }
}

#[tokio::test]
async fn two_sessions_have_nothing_in_common_but_the_stable_names() {
    let mut world = World::new().await;
    let (first, second) = (world.attest().await.unwrap(), world.attest().await.unwrap());
    for (one, other) in first.subjects[0].grants.iter().zip(&second.subjects[0].grants) {
        let (one, other) = (one.claimed().unwrap(), other.claimed().unwrap());
        assert_ne!(one.id, other.id);
        assert_ne!(one.token, other.token);
        assert_ne!(one.evidence, other.evidence);
        assert_eq!(one.guardian, other.guardian);
    }
}

#[tokio::test]
async fn only_what_two_clerks_agreed_on_counts_and_only_in_its_time() {
    let mut world = World::new().await;
    assert_eq!(world.may_act_for().await, acts_for(&[OWN]));
    let entered = world
        .registry
        .enter_guardianship(&number("M"), &number("D"), proposal(Basis::ParentalJoint), "Sato")
        .await
        .unwrap();
    assert_eq!(world.may_act_for().await, acts_for(&[OWN]), "one clerk is not enough");
    world.registry.approve_guardianship(&entered.id, "Tanaka").await.unwrap();
    assert_eq!(world.may_act_for().await, acts_for(&[OWN, DAUGHTER]));
    world.registry.end_guardianship(&entered.id, "Sato").await.unwrap();
    assert_eq!(world.may_act_for().await, acts_for(&[OWN]));
}

#[tokio::test]
async fn a_child_that_comes_of_age_is_nobodys_child() {
    let mut world = World::new().await;
    world.guardian("M", "S").await;
    // 2026-11-24T23:59:59 in Japan, the last moment of the seventeenth year.
    world.town.clock.advance(3 * DAY - 9 * 3600 * 1000 - 1000);
    world.office.publish(24, Timestamp(NOW + 2 * DAY));
    assert_eq!(world.may_act_for().await, acts_for(&[OWN, SON]));
    world.town.clock.advance(1000);
    assert_eq!(world.may_act_for().await, acts_for(&[OWN]));
}

#[tokio::test]
async fn a_session_lasts_no_longer_than_ten_minutes_from_now() {
    let mut world = World::new().await;
    let request = Request::new(&world.town, &mut world.mother);
    world.town.clock.advance(60_000);
    let opened = request.ask(&world.registry).await.unwrap();
    assert_eq!(opened.not_after, Timestamp(NOW + 600_000), "the statement ends first");
    world.town.clock.advance(540_000);
    assert_eq!(request.ask(&world.registry).await.unwrap_err(), SessionRefusal::Time);
}

#[tokio::test]
async fn every_refusal_says_what_it_is_and_is_logged() {
    let mut world = World::new().await;
    let mut father = world.office.card("father", 365, Timestamp(NOW));
    let request = Request::new(&world.town, &mut father);
    assert_eq!(request.ask(&world.registry).await.unwrap_err(), SessionRefusal::NotEnrolled);

    let mut bent = Request::new(&world.town, &mut world.mother);
    bent.open.card_signature[7] ^= 1;
    assert_eq!(bent.ask(&world.registry).await.unwrap_err(), SessionRefusal::CardSignature);
    bent.open.card_signature = father.sign(&card_message(&bent.open.statement));
    assert_eq!(
        bent.ask(&world.registry).await.unwrap_err(),
        SessionRefusal::CardSignature,
        "no PIN of this card"
    );

    let mut elsewhere = Office::new("Simulated authority");
    let mut stranger = elsewhere.card("stranger", 365, Timestamp(NOW));
    let foreign = Request::new(&world.town, &mut stranger);
    assert_eq!(foreign.ask(&world.registry).await.unwrap_err(), SessionRefusal::ForeignCard);

    world.office.authority.revoke(&world.mother.serial, Reason::KeyCompromise, Timestamp(NOW)).unwrap();
    world.office.publish(24, Timestamp(NOW + 1000));
    world.town.clock.advance(1000);
    assert_eq!(world.attest().await.unwrap_err(), SessionRefusal::CardRevoked);
    world.town.clock.advance(3 * DAY);
    let stale = Request::new(&world.town, &mut father);
    assert_eq!(stale.ask(&world.registry).await.unwrap_err(), SessionRefusal::RevocationUnknown);

    let house = world.town.house("city-hall");
    let events: Vec<String> = house
        .logged()
        .iter()
        .filter_map(|entry| entry.details::<details::Session>().map(|session| session.event))
        .collect();
    let expected = [
        "not_enrolled",
        "card_signature",
        "card_signature",
        "foreign_card",
        "card_revoked",
        "revocation_unknown",
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn the_question_itself_must_be_right() {
    let mut world = World::new().await;
    let request = Request::new(&world.town, &mut world.mother);
    let bound = request.bound();
    let ask = |gateway: &'static str| {
        let gateway = id(gateway);
        let (registry, request, bound) = (&world.registry, &request, &bound);
        async move {
            services::Registry::attest(registry.as_ref(), &gateway, &request.open, bound).await.map(|_| ())
        }
    };
    assert_eq!(ask("clinic").await, Err(SessionRefusal::NotAGateway));
    assert_eq!(ask("nobody").await, Err(SessionRefusal::NotAGateway));
    assert_eq!(ask("city-hall").await, Ok(()));
    let other = Request::new(&world.town, &mut world.mother);
    let mixed =
        services::Registry::attest(world.registry.as_ref(), &id("city-hall"), &other.open, &bound).await;
    assert_eq!(
        mixed.unwrap_err(),
        SessionRefusal::Malformed,
        "another statement than the one that was bound"
    );
    world.town.next_list(|_| {});
    assert_eq!(request.ask(&world.registry).await.unwrap_err(), SessionRefusal::TrustList);
}

#[tokio::test]
async fn a_trust_list_beyond_its_grace_opens_no_sessions() {
    let mut world = World::new().await;
    world.town.clock.advance(31 * DAY);
    world.office.publish(24, Timestamp(NOW + 31 * DAY));
    assert_eq!(world.attest().await.unwrap_err(), SessionRefusal::MembershipExpired);
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_granted() {
    let mut world = World::new().await;
    world.town.house("city-hall").means.ledger.close(NOW, "test").await.unwrap();
    assert_eq!(world.attest().await.unwrap_err(), SessionRefusal::NotLogged);
}
