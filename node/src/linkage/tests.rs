//! Links made at a clinic from the registry's tokens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::{Arc, Mutex};

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::policy::Withheld;
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::token::{AudienceKey, IdentityFacts, LinkToken, PairwiseToken};

use super::token::{OpenedToken, TokenFault, TokenLine, read_line};
use super::*;
use crate::institution::town::{DAY, House, NOW, Town, id};
use crate::ledger::details;

const MASTER: [u8; 32] = [9; 32];

/// Whoever the test puts there.
#[derive(Default)]
pub(crate) struct People(pub(crate) Mutex<Vec<LocalPerson>>);

impl Persons for People {
    fn all(&self) -> Result<Vec<LocalPerson>, LinkError> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn by_number(&self, number: &str) -> Result<Option<LocalPerson>, LinkError> {
        Ok(self.all()?.into_iter().find(|person| person.number == number))
    }
    fn by_key(&self, key: &[u8; 16]) -> Result<Option<LocalPerson>, LinkError> {
        Ok(self.all()?.into_iter().find(|person| person.key == *key))
    }
}

pub(crate) struct Clinic {
    pub(crate) town: Town,
    pub(crate) people: Arc<People>,
    pub(crate) linkage: Arc<Linkage>,
}

pub(crate) fn facts(birth: &str, sex: &str, kana: &str) -> IdentityFacts {
    IdentityFacts { birth_date: birth.into(), sex: sex.into(), kana: kana.into() }
}

impl Clinic {
    pub(crate) fn new() -> Self {
        let town = Town::new(Vec::new());
        let people = Arc::new(People::default());
        let persons: Arc<dyn Persons> = Arc::clone(&people) as Arc<dyn Persons>;
        let linkage = Arc::new(Linkage::new(town.means("clinic"), persons));
        Self { town, people, linkage }
    }

    pub(crate) fn house(&self) -> &House {
        self.town.house("clinic")
    }

    /// A patient with a key of her own.
    pub(crate) fn patient(&self, number: &str, facts: IdentityFacts) -> [u8; 16] {
        let key = *self.house().means.vault.keys().create().unwrap().as_bytes();
        self.people.0.lock().unwrap().push(LocalPerson { key, number: number.into(), facts });
        key
    }

    fn correct(&self, number: &str, facts: IdentityFacts) {
        let mut people = self.people.0.lock().unwrap();
        people.iter_mut().find(|person| person.number == number).unwrap().facts = facts;
    }

    /// A token as the registry exports it.
    pub(crate) fn line(&self, resident: &str, facts: &IdentityFacts) -> String {
        self.line_with(resident, facts, |_| {}, None)
    }

    fn line_with(
        &self,
        resident: &str,
        facts: &IdentityFacts,
        bend: impl FnOnce(&mut LinkToken),
        signer: Option<&SigningKey>,
    ) -> String {
        let (registry, own, trust) = (id("city-hall"), id("clinic"), self.town.trust());
        let to = trust.list().member(&own).unwrap().sealing_key_at(Timestamp(NOW)).unwrap().public;
        let token = AudienceKey::derive(&MASTER, &own).token(&registry, &own, &to, resident, facts).unwrap();
        let mut link = LinkToken {
            registry,
            audience: own.clone(),
            key_id: to.id(),
            token,
            issued: Timestamp(NOW),
            expires: Timestamp(NOW + 14 * DAY),
        };
        bend(&mut link);
        let keys = self.town.means("city-hall").keys;
        let signed = Signed::sign(&link, signer.unwrap_or_else(|| keys.signing()));
        serde_json::to_string(&TokenLine::new(&cbor::encode(&signed), &own, link.expires)).unwrap()
    }

    /// The token as it comes with a query.
    fn token(&self, resident: &str, facts: &IdentityFacts) -> PairwiseToken {
        self.read(&self.line(resident, facts)).unwrap().token
    }

    fn read(&self, line: &str) -> Result<OpenedToken, TokenFault> {
        let means = &self.house().means;
        let now = Timestamp(crate::env::Clock::now(&self.town.clock));
        read_line(line, &means.own, &means.keys, self.town.trust().list(), now)
    }

    pub(crate) async fn import(&self, lines: &[String]) -> Summary {
        self.linkage.import(&lines.join("\n"), "Ito", |_, _| {}, |_| {}).await.unwrap()
    }

    fn resolve(&self, resident: &str, facts: &IdentityFacts) -> Result<[u8; 16], Withheld> {
        let found = self.linkage.resolve(&id("city-hall"), &self.token(resident, facts)).unwrap();
        found.map(|subject| subject.key)
    }
}

#[tokio::test]
async fn whoever_agrees_is_linked_once() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    let key = clinic.patient("1", hana.clone());
    clinic.patient("2", facts("2021-05-05", "male", "ケン"));
    let lines = [clinic.line("R1", &hana), clinic.line("R9", &facts("2019-01-01", "male", "ソト"))];
    let first = clinic.import(&lines).await;
    assert_eq!((first.linked, first.not_ours, first.quarantined, first.refused), (1, 1, 0, 0));
    assert_eq!(clinic.resolve("R1", &hana), Ok(key));
    assert_eq!(clinic.resolve("R9", &hana), Err(Withheld::NotLinked));
    let size = clinic.house().means.ledger.size();
    let again = clinic.import(&lines).await;
    assert_eq!((again.linked, again.unchanged), (0, 1));
    assert_eq!(clinic.house().means.ledger.size(), size, "the same file twice leaves no trace");
    assert_eq!(clinic.linkage.pseudonyms(&key).unwrap().len(), 1);
    assert_eq!(clinic.linkage.list(Some("1")).unwrap()[0].local, "1");
    assert!(clinic.linkage.quarantine().unwrap().is_empty());
}

#[tokio::test]
async fn twins_are_linked_each_to_her_own() {
    let clinic = Clinic::new();
    let (hana, yuki) = (facts("2020-01-01", "female", "ハナ"), facts("2020-01-01", "female", "ユキ"));
    let (one, other) = (clinic.patient("1", hana.clone()), clinic.patient("2", yuki.clone()));
    let summary = clinic.import(&[clinic.line("R1", &hana), clinic.line("R2", &yuki)]).await;
    assert_eq!((summary.linked, summary.quarantined), (2, 0));
    assert_eq!((clinic.resolve("R1", &hana), clinic.resolve("R2", &yuki)), (Ok(one), Ok(other)));
}

#[tokio::test]
async fn a_twin_whose_sister_alone_is_ours_is_no_patient() {
    let clinic = Clinic::new();
    let (hana, yuki) = (facts("2020-01-01", "female", "ハナ"), facts("2020-01-01", "female", "ユキ"));
    clinic.patient("1", hana.clone());
    let summary = clinic.import(&[clinic.line("R2", &yuki), clinic.line("R1", &hana)]).await;
    assert_eq!((summary.linked, summary.quarantined, summary.not_ours), (1, 0, 1));
    let alone = Clinic::new();
    alone.patient("1", hana);
    let summary = alone.import(&[alone.line("R2", &yuki)]).await;
    assert_eq!((summary.linked, summary.quarantined), (0, 1), "unless nobody else explains her");
}

#[tokio::test]
async fn what_agrees_only_in_part_waits_and_shows_nothing() {
    let clinic = Clinic::new();
    let (here, registered) = (facts("2020-01-01", "female", "ハナ"), facts("2020-01-01", "female", "ハナコ"));
    let key = clinic.patient("1", here);
    assert_eq!(clinic.import(&[clinic.line("R1", &registered)]).await.quarantined, 1);
    assert_eq!(clinic.resolve("R1", &registered), Err(Withheld::Quarantined));
    let waiting = clinic.linkage.quarantine().unwrap();
    assert_eq!((waiting[0].reason.as_str(), waiting[0].candidates[0].local.as_str()), ("partly", "1"));
    assert_eq!(waiting[0].candidates[0].disagree, ["kana"]);
    let refused = clinic.linkage.resolve_to(&waiting[0].id, "1", "Ito").await.unwrap_err();
    assert_eq!(refused, LinkError::Mismatch("kana".into()), "nobody can talk the digests round");
    clinic.correct("1", registered.clone());
    assert_eq!(clinic.linkage.resolve_to(&waiting[0].id, "1", "Ito").await.unwrap(), Made::Linked);
    assert_eq!(clinic.resolve("R1", &registered), Ok(key));
    assert!(clinic.linkage.quarantine().unwrap().is_empty());
    assert_eq!(clinic.linkage.discard(&waiting[0].id, "Ito").await.unwrap_err(), LinkError::NoSuchId);
}

#[tokio::test]
async fn somebody_entered_twice_waits_until_staff_decide() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    let (_, second) = (clinic.patient("1", hana.clone()), clinic.patient("2", hana.clone()));
    let line = clinic.line("R1", &hana);
    assert_eq!(clinic.import(std::slice::from_ref(&line)).await.quarantined, 1);
    let waiting = clinic.linkage.quarantine().unwrap();
    assert_eq!((waiting[0].reason.as_str(), waiting[0].candidates.len()), ("several", 2));
    clinic.linkage.resolve_to(&waiting[0].id, "2", "Ito").await.unwrap();
    assert_eq!(clinic.resolve("R1", &hana), Ok(second));
    assert_eq!(clinic.import(&[line]).await.unchanged, 1, "the decision stays");
}

#[tokio::test]
async fn a_person_two_residents_claim_is_nobodys() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    clinic.patient("1", hana.clone());
    let summary = clinic.import(&[clinic.line("R1", &hana), clinic.line("R2", &hana)]).await;
    assert_eq!((summary.linked, summary.quarantined), (0, 2));
    clinic.linkage.add(&clinic.line("R1", &hana), "1", "Ito").await.unwrap();
    assert_eq!(clinic.import(&[clinic.line("R2", &hana)]).await.quarantined, 1);
    assert_eq!(clinic.resolve("R2", &hana), Err(Withheld::Quarantined));
    let refused = clinic.linkage.add(&clinic.line("R2", &hana), "1", "Ito").await.unwrap_err();
    assert_eq!(refused, LinkError::LinkedOtherwise);
}

#[tokio::test]
async fn at_the_counter_a_mismatch_is_refused_and_waits() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    clinic.patient("1", facts("2020-01-02", "female", "ハナ"));
    let line = clinic.line("R1", &hana);
    assert_eq!(
        clinic.linkage.add(&line, "1", "Ito").await.unwrap_err(),
        LinkError::Mismatch("birth_date".into())
    );
    assert_eq!(clinic.resolve("R1", &hana), Err(Withheld::Quarantined));
    assert_eq!(clinic.linkage.add(&line, "7", "Ito").await.unwrap_err(), LinkError::NoSuchPerson);
    let logged: Vec<details::Link> =
        clinic.house().logged().iter().filter_map(crate::ledger::Logged::details).collect();
    assert_eq!(
        (logged[0].event.as_str(), logged[0].mismatch.as_slice()),
        ("quarantined", &["birth_date".to_owned()][..])
    );
    let waiting = clinic.linkage.quarantine().unwrap();
    clinic.linkage.discard(&waiting[0].id, "Ito").await.unwrap();
    assert_eq!(clinic.resolve("R1", &hana), Err(Withheld::NotLinked));
}

#[tokio::test]
async fn facts_that_change_later_hide_the_records_until_both_sides_agree() {
    let clinic = Clinic::new();
    let (before, after) = (facts("2020-01-01", "female", "ハナ"), facts("2020-01-01", "female", "ハナコ"));
    let key = clinic.patient("1", before.clone());
    clinic.import(&[clinic.line("R1", &before)]).await;
    assert_eq!(clinic.resolve("R1", &after), Err(Withheld::Quarantined), "renamed at the registry");
    let waiting = clinic.linkage.quarantine().unwrap();
    assert_eq!(
        (waiting[0].reason.as_str(), waiting[0].candidates[0].disagree.as_slice()),
        ("changed", &["kana".to_owned()][..])
    );
    clinic.correct("1", after.clone());
    assert_eq!(clinic.resolve("R1", &after), Ok(key), "and once more when it is corrected here");
}

#[tokio::test]
async fn a_link_can_be_undone_and_leaves_an_entry() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    let key = clinic.patient("1", hana.clone());
    clinic.import(&[clinic.line("R1", &hana)]).await;
    assert_eq!(clinic.linkage.remove("1", "Ito").await.unwrap(), 1);
    assert_eq!(clinic.resolve("R1", &hana), Err(Withheld::NotLinked));
    assert_eq!(clinic.linkage.remove("1", "Ito").await.unwrap_err(), LinkError::NotLinked);
    let events: Vec<String> = clinic
        .house()
        .means
        .ledger
        .history(&key, 10)
        .unwrap()
        .iter()
        .filter_map(crate::ledger::Logged::details::<details::Link>)
        .map(|link| link.event)
        .collect();
    assert_eq!(events.len(), 2);
    assert!(events.contains(&"made".to_owned()) && events.contains(&"undone".to_owned()));
}

#[tokio::test]
async fn an_erased_person_is_linked_to_nobody() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    let key = clinic.patient("1", hana.clone());
    clinic.import(&[clinic.line("R1", &hana)]).await;
    clinic.house().means.vault.keys().destroy(crate::keyring::KeyId::from_bytes(key)).unwrap();
    assert_eq!(clinic.resolve("R1", &hana), Err(Withheld::NotLinked));
    assert!(clinic.linkage.list(None).unwrap().is_empty());
}

#[tokio::test]
async fn only_a_registrys_token_for_us_and_in_time_is_taken() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    let stranger = SigningKey::from_seed(&[77; 32]);
    let clinic_key = clinic.town.means("clinic").keys;
    let line = |bend: fn(&mut LinkToken), signer: Option<&SigningKey>| {
        clinic.read(&clinic.line_with("R1", &hana, bend, signer)).unwrap_err()
    };
    assert_eq!(line(|_| {}, Some(&stranger)), TokenFault::Registry);
    assert_eq!(line(|link| link.registry = id("clinic"), Some(clinic_key.signing())), TokenFault::Registry);
    assert_eq!(line(|link| link.registry = id("nobody"), None), TokenFault::Registry);
    assert_eq!(line(|link| link.audience = id("school"), None), TokenFault::Audience);
    assert_eq!(line(|link| link.expires = Timestamp(NOW), None), TokenFault::Time);
    assert_eq!(line(|link| link.issued = Timestamp(NOW + DAY), None), TokenFault::Time);
    assert_eq!(line(|link| link.key_id.0[0] ^= 1, None), TokenFault::Sealed);
    assert_eq!(line(|link| link.token.0.ciphertext[0] ^= 1, None), TokenFault::Sealed);
    for rubbish in ["", "x", "{}", r#"{"token":"?"}"#, r#"{"token":"AAAA"}"#] {
        assert_eq!(clinic.read(rubbish).unwrap_err(), TokenFault::Unreadable);
    }
    clinic.town.clock.advance(14 * DAY);
    assert_eq!(clinic.read(&clinic.line("R1", &hana)).unwrap_err(), TokenFault::Time);
    let mut faults = Vec::new();
    let text = format!("{}\n\nrubbish\n", clinic.line_with("R1", &hana, |_| {}, Some(&stranger)));
    let summary =
        clinic.linkage.import(&text, "Ito", |line, fault| faults.push((line, fault)), |_| {}).await.unwrap();
    assert_eq!(summary.refused, 2);
    assert_eq!(faults, [(1, TokenFault::Registry), (3, TokenFault::Unreadable)]);
}

#[tokio::test]
async fn a_token_of_another_registry_is_not_ours() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    clinic.patient("1", hana.clone());
    clinic.import(&[clinic.line("R1", &hana)]).await;
    let token = clinic.token("R1", &hana);
    let elsewhere = MemberId::new("takasaki/city-hall").unwrap();
    assert_eq!(clinic.linkage.resolve(&elsewhere, &token).unwrap().unwrap_err(), Withheld::NotLinked);
}

#[tokio::test]
async fn nothing_is_linked_that_cannot_be_logged() {
    let clinic = Clinic::new();
    let hana = facts("2020-01-01", "female", "ハナ");
    clinic.patient("1", hana.clone());
    clinic.house().means.ledger.close(NOW, "test").await.unwrap();
    let refused = clinic.linkage.add(&clinic.line("R1", &hana), "1", "Ito").await.unwrap_err();
    assert!(matches!(refused, LinkError::NotLogged(_)));
    assert_eq!(clinic.resolve("R1", &hana), Err(Withheld::NotLinked));
}
