//! What clerks do: residents, guardianships, cards, tokens.

use hibiki_protocol::signing::Signed;
use hibiki_protocol::token::LinkToken;

use super::super::guardianship::Standing;
use super::super::{Entered, RegistryError, csv};
use super::*;
use crate::store::{Keyspace, Store as _};

#[tokio::test]
async fn a_file_twice_changes_nothing() {
    let world = World::new().await;
    let file = "resident_number,name,kana,birth_date,sex\n\
        D,前橋 さくら,マエバシ サクラ,H30.4.2,女\n\
        X1,高崎 次郎,タカサキ ジロウ,2019-05-01,男\n\
        X2,高崎 三郎,タカサキ サブロウ,2021-02-30,男\n";
    let found = csv::read(file.as_bytes()).unwrap();
    let first = world.registry.import(&found, "Sato", |_| {}).await.unwrap();
    assert_eq!((first.new, first.changed, first.unchanged, first.refused), (1, 0, 1, 1));
    let size = world.town.house("city-hall").means.ledger.size();
    let again = world.registry.import(&found, "Sato", |_| {}).await.unwrap();
    assert_eq!((again.new, again.changed, again.unchanged, again.refused), (0, 0, 2, 1));
    assert_eq!(world.town.house("city-hall").means.ledger.size(), size);
    let corrected = resident("X1", "高崎 二郎", "タカサキ ジロウ", "2019-05-01", "男");
    assert_eq!(world.registry.enter(&corrected, "Sato").await.unwrap(), Entered::Changed);
    assert_eq!(world.registry.show(&number("X1"), "Sato").await.unwrap().0, corrected);
}

#[tokio::test]
async fn nothing_personal_lies_in_the_clear() {
    let world = World::new().await;
    world.guardian("M", "D").await;
    let house = world.town.house("city-hall");
    let view = house.store.snapshot().unwrap();
    for table in Keyspace::ALL {
        for (key, value) in view.scan(*table, b"", None, 1000).unwrap() {
            let row = [key, value].concat();
            for clear in ["前橋", "マエバシ", "2018-04-02", "1990-04-01", "戸籍"] {
                let clear = clear.as_bytes();
                assert!(!row.windows(clear.len()).any(|window| window == clear), "{table}");
            }
        }
    }
}

#[tokio::test]
async fn the_same_clerk_twice_is_one_clerk() {
    let world = World::new().await;
    let (mother, child) = (number("M"), number("D"));
    let entered = world
        .registry
        .enter_guardianship(&mother, &child, proposal(Basis::ParentalSole), "Sato Ichiro")
        .await
        .unwrap();
    for same in ["Sato Ichiro", " sato ichiro", "ＳＡＴＯ　Ｉｃｈｉｒｏ"] {
        let refused = world.registry.approve_guardianship(&entered.id, same).await.unwrap_err();
        assert_eq!(refused, RegistryError::SameClerk);
    }
    let twice =
        world.registry.enter_guardianship(&mother, &child, proposal(Basis::ParentalSole), "Ito").await;
    assert!(matches!(twice.unwrap_err(), RegistryError::State(_)), "it is entered already");
    world.registry.approve_guardianship(&entered.id, "Tanaka").await.unwrap();
    assert!(world.registry.approve_guardianship(&entered.id, "Ito").await.is_err());
    let listed = world.registry.list_guardianships(Some(&child)).unwrap();
    assert_eq!(listed.iter().map(|(_, standing)| *standing).collect::<Vec<_>>(), [Standing::InForce]);
    world.registry.end_guardianship(&entered.id, "Sato Ichiro").await.unwrap();
    assert!(world.registry.end_guardianship(&entered.id, "Ito").await.is_err());
    let again =
        world.registry.enter_guardianship(&mother, &child, proposal(Basis::ParentalSole), "Ito").await;
    assert!(again.is_ok(), "after its end it can be entered anew");
    let unknown = world.registry.approve_guardianship("00", "Ito").await.unwrap_err();
    assert!(matches!(unknown, RegistryError::NoSuchId(..)));
}

#[tokio::test]
async fn a_new_card_takes_the_place_of_the_old() {
    let mut world = World::new().await;
    let mut second = world.office.card("second", 365, Timestamp(NOW));
    let taken = world.registry.enrol_card(&number("F"), &world.mother.certificate, "Sato").await.unwrap_err();
    assert!(matches!(taken, RegistryError::State(_)), "a card has one holder");
    assert!(!world.registry.enrol_card(&number("M"), &world.mother.certificate, "Sato").await.unwrap());
    assert!(world.registry.enrol_card(&number("M"), &second.certificate, "Sato").await.unwrap());
    assert_eq!(world.attest().await.unwrap_err(), SessionRefusal::NotEnrolled);
    let request = Request::new(&world.town, &mut second);
    assert!(request.ask(&world.registry).await.is_ok());
    world.registry.remove_card(&number("M"), "Sato").await.unwrap();
    assert_eq!(request.ask(&world.registry).await.unwrap_err(), SessionRefusal::NotEnrolled);
    assert!(world.registry.remove_card(&number("M"), "Sato").await.is_err());
    let mut elsewhere = Office::new("Another");
    let foreign = elsewhere.card("foreign", 365, Timestamp(NOW));
    let refused = world.registry.enrol_card(&number("M"), &foreign.certificate, "Sato").await.unwrap_err();
    assert!(matches!(refused, RegistryError::Card(_)));
}

#[tokio::test]
async fn link_tokens_are_for_one_institution_alone() {
    let world = World::new().await;
    let named = world.registry.export_tokens(&id("clinic"), Some(&[number("D")]), 14, "Sato").await.unwrap();
    assert_eq!(named.tokens.len(), 1);
    let everybody = world.registry.export_tokens(&id("clinic"), None, 14, "Sato").await.unwrap();
    assert_eq!(everybody.tokens.len(), 4);
    let signed: Signed<LinkToken> = cbor::decode(&named.tokens[0]).unwrap();
    let key = world.town.trust().list().member(&id("city-hall")).unwrap().signing_key;
    assert_eq!(signed.verify(&key).unwrap().audience, id("clinic"));
    for (member, days) in [("observer", 14), ("nobody", 14), ("clinic", 0), ("clinic", 91)] {
        assert!(world.registry.export_tokens(&id(member), None, days, "Sato").await.is_err());
    }
    let unknown = world.registry.export_tokens(&id("clinic"), Some(&[number("Z")]), 14, "Sato").await;
    assert!(matches!(unknown.unwrap_err(), RegistryError::NoSuchResident(_)));
}

#[tokio::test]
async fn nothing_is_done_that_cannot_be_logged() {
    let world = World::new().await;
    world.town.house("city-hall").means.ledger.close(NOW, "test").await.unwrap();
    let person = resident("N", "新田 花", "ニッタ ハナ", "2020-01-01", "2");
    assert!(matches!(world.registry.enter(&person, "Sato").await.unwrap_err(), RegistryError::NotLogged(_)));
    assert!(matches!(
        world.registry.show(&number("N"), "Sato").await.unwrap_err(),
        RegistryError::NoSuchResident(_)
    ));
    let hold = super::super::HoldProposal {
        child: number("D"),
        guardian: None,
        reference: "R8-1".into(),
        review_by: day("2027-03-31"),
    };
    assert!(matches!(
        world.registry.place_hold(hold, "Sato").await.unwrap_err(),
        RegistryError::NotLogged(_)
    ));
}
