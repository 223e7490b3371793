#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_protocol::policy::Consent;

use super::*;
use crate::linkage::tests::{Clinic, facts};

fn category(name: &str) -> Category {
    Category::new(name).unwrap()
}

async fn linked() -> (Clinic, Consents, Pseudonym) {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    let key = clinic.patient("1", hana.clone());
    clinic.import(&[clinic.line("R1", &hana)]).await;
    let persons: Arc<dyn Persons> = Arc::clone(&clinic.people) as Arc<dyn Persons>;
    let consents = Consents::new(clinic.town.means("clinic"), persons, Arc::clone(&clinic.linkage));
    let pseudonym = clinic.linkage.pseudonyms(&key).unwrap()[0];
    (clinic, consents, pseudonym)
}

#[tokio::test]
async fn what_is_denied_stays_denied_until_the_same_is_permitted() {
    let (clinic, consents, pseudonym) = linked().await;
    assert!(consents.for_subject(&pseudonym).unwrap().is_empty());
    let growth = Scope { category: Some(category("growth")), guardian: None };
    let one = Scope { category: None, guardian: Some(GuardianAlias([5; 16])) };
    consents.deny("1", &growth, "Ito").await.unwrap();
    consents.deny("1", &growth, "Ito").await.unwrap();
    consents.deny("1", &one, "Ito").await.unwrap();
    let denial = |scope: &Scope| Consent {
        guardian: scope.guardian,
        category: scope.category.clone(),
        permit: false,
        made_by: None,
    };
    let mut all = consents.for_subject(&pseudonym).unwrap();
    all.sort_by_key(|consent| consent.category.is_none());
    assert_eq!(all, [denial(&growth), denial(&one)]);
    assert_eq!(consents.list("1").unwrap().len(), 2);
    let everything = consents.permit("1", &Scope::default(), None, "Ito").await.unwrap_err();
    assert_eq!(everything, ConsentError::NothingDenied, "another scope is another choice");
    consents.permit("1", &growth, None, "Ito").await.unwrap();
    assert_eq!(consents.for_subject(&pseudonym).unwrap(), [denial(&one)]);
    let entries: Vec<details::Consent> =
        clinic.house().logged().iter().filter_map(crate::ledger::Logged::details).collect();
    assert_eq!(entries.len(), 4, "every word of staff is in the ledger");
    assert_eq!(entries[0].categories, ["growth"]);
}

#[tokio::test]
async fn only_a_linked_person_has_choices() {
    let (clinic, consents, _) = linked().await;
    clinic.patient("2", facts("2021-01-01", "male", "ケン"));
    let refused = consents.deny("2", &Scope::default(), "Ito").await.unwrap_err();
    assert_eq!(refused, ConsentError::Link(LinkError::NotLinked));
    let unknown = consents.list("3").unwrap_err();
    assert_eq!(unknown, ConsentError::Link(LinkError::NoSuchPerson));
}

#[tokio::test]
async fn a_denial_is_taken_on_a_full_disk() {
    let (clinic, consents, pseudonym) = linked().await;
    clinic.house().store.set_low_space(true);
    consents.deny("1", &Scope::default(), "Ito").await.unwrap();
    assert_eq!(consents.for_subject(&pseudonym).unwrap().len(), 1);
    assert!(consents.permit("1", &Scope::default(), None, "Ito").await.is_err(), "permitting can wait");
}

/// A row as a guardian's choice leaves it.
async fn chosen_by(clinic: &Clinic, consents: &Consents, key: [u8; 16], who: GuardianAlias, scope: &Scope) {
    let names = clinic.linkage.pseudonyms(&key).unwrap();
    let mut change = clinic.house().means.vault.change();
    consents.put(&mut change, key, &names, &consents.row(scope, "", Some(who))).unwrap();
    change.commit().await.unwrap();
}

#[tokio::test]
async fn staff_see_a_guardians_choice_as_hers_and_undo_it_only_knowingly() {
    let (clinic, consents, pseudonym) = linked().await;
    let key = consents.key("1").unwrap().unwrap();
    let (growth, mother) =
        (Scope { category: Some(category("growth")), guardian: None }, GuardianAlias([5; 16]));
    chosen_by(&clinic, &consents, key, mother, &growth).await;
    consents.deny("1", &growth, "Ito").await.unwrap();
    let listed = consents.list("1").unwrap();
    let mut made: Vec<(Option<String>, String)> =
        listed.into_iter().map(|listed| (listed.made_by, listed.by)).collect();
    made.sort();
    assert_eq!(made, [(None, "Ito".to_owned()), (Some(hex::encode([5; 16])), String::new())]);
    consents.permit("1", &growth, None, "Ito").await.unwrap();
    let left = consents.for_subject(&pseudonym).unwrap();
    assert_eq!(left.iter().map(|consent| consent.made_by).collect::<Vec<_>>(), [Some(mother)]);
    let other = consents.permit("1", &growth, Some(GuardianAlias([6; 16])), "Ito").await.unwrap_err();
    assert_eq!(other, ConsentError::NothingDenied);
    consents.permit("1", &growth, Some(mother), "Ito").await.unwrap();
    assert!(consents.for_subject(&pseudonym).unwrap().is_empty());
    let told = clinic.house().logged().into_iter().filter_map(|entry| entry.told?.disclosed());
    let told: Vec<_> = told.map(|told| told.event).collect();
    assert_eq!(
        told,
        [hibiki_protocol::history::Event::Linked],
        "what staff enter about consent nobody is told"
    );
}

#[test]
fn a_row_of_the_time_before_guardians_chose_is_one_of_staff() {
    let old = r#"{"category":"growth","guardian":null,"by":"Ito","at":1}"#;
    let row: ConsentRow = serde_json::from_str(old).unwrap();
    assert_eq!(row.made_by, None);
    assert_eq!(serde_json::to_string(&row).unwrap(), old, "and the version before reads what staff write");
}
