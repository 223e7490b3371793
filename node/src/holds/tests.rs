#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_protocol::ids::HoldId;
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::token::{AudienceKey, IdentityFacts};

use super::*;
use crate::institution::town::{NOW, Town, id};

const MASTER: [u8; 32] = [9; 32];

/// A notice to the clinic about `resident`, bent and sealed.
fn notice(
    town: &Town,
    resident: &str,
    bend: impl FnOnce(&mut HoldNotice),
    signer: Option<&SigningKey>,
) -> SealedHoldNotice {
    let (registry, own, trust) = (id("city-hall"), id("clinic"), town.trust());
    let to = trust.list().member(&own).unwrap().sealing_key_at(Timestamp(NOW)).unwrap();
    let facts =
        IdentityFacts { birth_date: "2020-01-01".into(), sex: "female".into(), kana: "ハナ".into() };
    let key = AudienceKey::derive(&MASTER, &own);
    let mut notice = HoldNotice {
        version: 1,
        id: HoldId([1; 16]),
        registry: registry.clone(),
        audience: own.clone(),
        token: key.token(&registry, &own, &to.public, resident, &facts).unwrap(),
        token_key: to.public.id(),
        guardian: None,
        state: HoldState::Placed,
        issued: Timestamp(NOW),
        review_by: Timestamp(NOW),
    };
    bend(&mut notice);
    let keys = town.means("city-hall").keys;
    let signed = Signed::sign(&notice, signer.unwrap_or_else(|| keys.signing()));
    SealedHoldNotice::seal(&signed, &own, to).unwrap()
}

fn pseudonym(resident: &str) -> Pseudonym {
    AudienceKey::derive(&MASTER, &id("clinic")).pseudonym(resident)
}

#[tokio::test]
async fn a_notice_counts_once_it_has_its_receipt() {
    let town = Town::new(Vec::new());
    let holds = Holds::new(town.means("clinic"));
    let sealed = notice(&town, "R1", |_| {}, None);
    let receipt = holds.take(&id("city-hall"), &sealed).await.unwrap();
    let key = town.trust().list().member(&id("clinic")).unwrap().signing_key;
    assert_eq!(receipt.verify(&key).unwrap().institution, id("clinic"));
    assert_eq!(holds.for_subject(&pseudonym("R1")).unwrap(), [Hold { guardian: None }]);
    assert!(holds.for_subject(&pseudonym("R2")).unwrap().is_empty());
    let size = town.house("clinic").means.ledger.size();
    town.clock.advance(1000);
    assert_eq!(
        holds.take(&id("city-hall"), &sealed).await.unwrap(),
        receipt,
        "repeated, it has the same receipt"
    );
    assert_eq!(town.house("clinic").means.ledger.size(), size);
    let again = Holds::new(town.means("clinic"));
    assert_eq!(again.count().unwrap(), 1, "a restart forgets nothing");
}

#[tokio::test]
async fn the_later_notice_counts_in_whatever_order_they_come() {
    let town = Town::new(Vec::new());
    let holds = Holds::new(town.means("clinic"));
    let placed = notice(&town, "R1", |_| {}, None);
    let lifted = notice(
        &town,
        "R1",
        |notice| {
            notice.state = HoldState::Lifted;
            notice.issued = Timestamp(NOW + 1);
        },
        None,
    );
    holds.take(&id("city-hall"), &lifted).await.unwrap();
    assert_eq!(holds.take(&id("city-hall"), &placed).await.unwrap_err(), HoldFault::Superseded);
    assert!(holds.for_subject(&pseudonym("R1")).unwrap().is_empty());
    let other = notice(&town, "R1", |notice| notice.id = HoldId([2; 16]), None);
    holds.take(&id("city-hall"), &other).await.unwrap();
    assert_eq!(holds.for_subject(&pseudonym("R1")).unwrap().len(), 1, "another hold stands by itself");
}

#[tokio::test]
async fn only_the_registry_itself_can_order_one() {
    let town = Town::new(Vec::new());
    let holds = Holds::new(town.means("clinic"));
    let stranger = SigningKey::from_seed(&[77; 32]);
    let school = town.means("school").keys;
    let good = notice(&town, "R1", |_| {}, None);
    let cases = [
        (notice(&town, "R1", |_| {}, Some(&stranger)), "city-hall", HoldFault::Unauthorized),
        (
            notice(&town, "R1", |notice| notice.registry = id("school"), Some(school.signing())),
            "school",
            HoldFault::Unauthorized,
        ),
        (good.clone(), "school", HoldFault::Unauthorized),
        (
            notice(&town, "R1", |notice| notice.audience = id("school"), None),
            "city-hall",
            HoldFault::Malformed,
        ),
        (notice(&town, "R1", |notice| notice.version = 2, None), "city-hall", HoldFault::Malformed),
        (notice(&town, "R1", |notice| notice.token_key.0[0] ^= 1, None), "city-hall", HoldFault::Malformed),
        (
            {
                let mut bent = good;
                bent.sealed.ciphertext[0] ^= 1;
                bent
            },
            "city-hall",
            HoldFault::Malformed,
        ),
    ];
    for (sealed, from, fault) in cases {
        assert_eq!(holds.take(&id(from), &sealed).await.unwrap_err(), fault);
    }
    assert_eq!(holds.count().unwrap(), 0);
}

#[tokio::test]
async fn without_a_ledger_there_is_no_receipt() {
    let town = Town::new(Vec::new());
    let holds = Holds::new(town.means("clinic"));
    town.house("clinic").means.ledger.close(NOW, "test").await.unwrap();
    let refused = holds.take(&id("city-hall"), &notice(&town, "R1", |_| {}, None)).await.unwrap_err();
    assert_eq!(Declined::from(refused).refusal, Refusal::NotLogged);
    assert_eq!(holds.count().unwrap(), 0);
}
