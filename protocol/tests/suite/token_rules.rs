//! How the registry names a subject to one institution and to nobody else.

use hibiki_protocol::cbor;
use hibiki_protocol::ids::Pseudonym;
use hibiki_protocol::token::{AudienceKey, IdentityFacts, IdentityMatch, PairwiseToken, SealedToken};

use crate::fixture::*;

const MASTER: [u8; 32] = [0xb1; 32];
const RESIDENT: &str = "10201-00042";

fn facts() -> IdentityFacts {
    IdentityFacts {
        birth_date: "2020-02-29".to_owned(),
        sex: "female".to_owned(),
        kana: "マエバシ ハナコ".to_owned(),
    }
}

fn key(name: &str) -> AudienceKey {
    AudienceKey::derive(&MASTER, &id(name))
}

fn token(name: &str, seed: u8) -> SealedToken {
    key(name).token(&id("city-hall"), &id(name), &sealing(seed).public(), RESIDENT, &facts()).unwrap()
}

fn opened(name: &str, seed: u8) -> PairwiseToken {
    token(name, seed).open(&id("city-hall"), &id(name), &sealing(seed)).unwrap()
}

#[test]
fn two_institutions_know_one_subject_by_names_that_have_nothing_in_common() {
    let (hospital, school) = (opened("chuo-hospital", HOSPITAL), opened("dai-ichi-school", SCHOOL));
    assert_ne!(hospital.pseudonym, school.pseudonym);
    assert_ne!(hospital.digest_key, school.digest_key);
    assert_ne!(hospital.birth_date, school.birth_date);
    assert_ne!(hospital.sex, school.sex);
    assert_ne!(hospital.kana, school.kana);
    assert_ne!(key("chuo-hospital").alias(RESIDENT), key("dai-ichi-school").alias(RESIDENT));
}

#[test]
fn one_institution_knows_one_subject_by_one_name() {
    let (first, second) = (token("chuo-hospital", HOSPITAL), token("chuo-hospital", HOSPITAL));
    assert_ne!(cbor::encode(&first), cbor::encode(&second), "what travels is different each time");
    assert_ne!(first.0.encapsulated, second.0.encapsulated);
    let open =
        |token: &SealedToken| token.open(&id("city-hall"), &id("chuo-hospital"), &sealing(HOSPITAL)).unwrap();
    assert_eq!(open(&first), open(&second));
    assert_eq!(open(&first).pseudonym, key("chuo-hospital").pseudonym(RESIDENT));
}

#[test]
fn names_of_a_person_as_subject_and_as_guardian_are_unrelated() {
    let key = key("chuo-hospital");
    assert_ne!(key.pseudonym(RESIDENT).0, key.alias(RESIDENT).0);
    assert_ne!(key.pseudonym(RESIDENT), key.pseudonym("10201-00043"));
    assert_ne!(
        key.pseudonym(RESIDENT),
        AudienceKey::derive(&[0xb2; 32], &id("chuo-hospital")).pseudonym(RESIDENT)
    );
}

/// HKDF-SHA256 and HMAC-SHA256 computed by another implementation (Python's `hmac` and `hashlib`):
/// every link of a town hangs on these bytes.
#[test]
fn pseudonym_and_alias_are_the_documented_function() {
    let key = key("chuo-hospital");
    assert_eq!(hex::encode(key.pseudonym(RESIDENT).0), "e326285432e8773db26580d1117b3298");
    assert_eq!(hex::encode(key.alias(RESIDENT).0), "29cc48682f10fec4ca9fcbde9e0374ac");
    assert_eq!(
        hex::encode(opened("chuo-hospital", HOSPITAL).digest_key),
        "89b0b60a063eb17f337f9483d7135e16687a7d0cb5ec11f8442c682127725008"
    );
    assert_eq!(hex::encode(opened("chuo-hospital", HOSPITAL).birth_date), "7b7a6dd95744ee9949a2e399f27b7f69");
}

#[test]
fn a_token_opens_for_its_audience_from_its_registry_only() {
    let token = token("chuo-hospital", HOSPITAL);
    let (registry, own) = (id("city-hall"), id("chuo-hospital"));
    assert!(token.open(&registry, &own, &sealing(HOSPITAL)).is_ok());
    assert!(token.open(&registry, &own, &sealing(SCHOOL)).is_err());
    assert!(token.open(&registry, &id("dai-ichi-school"), &sealing(HOSPITAL)).is_err());
    assert!(token.open(&id("other-city"), &own, &sealing(HOSPITAL)).is_err());
}

#[test]
fn each_fact_that_differs_is_seen_by_itself() {
    let token = opened("chuo-hospital", HOSPITAL);
    let all = IdentityMatch { birth_date: true, sex: true, kana: true };
    assert_eq!(token.compare(&facts()), all);
    assert!(all.complete());
    let cases = [
        (
            IdentityFacts { birth_date: "2020-02-28".to_owned(), ..facts() },
            IdentityMatch { birth_date: false, ..all },
        ),
        (IdentityFacts { sex: "male".to_owned(), ..facts() }, IdentityMatch { sex: false, ..all }),
        (IdentityFacts { kana: "マエバシ ハナ".to_owned(), ..facts() }, IdentityMatch { kana: false, ..all }),
        (IdentityFacts { kana: String::new(), ..facts() }, IdentityMatch { kana: false, ..all }),
    ];
    for (local, expected) in cases {
        assert_eq!(token.compare(&local), expected);
        assert!(!expected.complete());
    }
    // One fact in the place of another is no match.
    let exchanged =
        IdentityFacts { birth_date: "female".to_owned(), sex: "2020-02-29".to_owned(), ..facts() };
    assert_eq!(token.compare(&exchanged), IdentityMatch { birth_date: false, sex: false, ..all });
}

#[test]
fn nothing_personal_prints_itself() {
    let printed = [
        format!("{:?}", facts()),
        format!("{:?}", opened("chuo-hospital", HOSPITAL)),
        format!("{:?}", crate::samples::attested_subject()),
        format!("{:?}", crate::samples::attestation()),
        format!("{:?}", crate::samples::open_session()),
        format!("{:?}", crate::samples::record()),
        format!("{:?}", query()),
        format!("{:?}", day("2020-02-29")),
        format!("{:?} {:?}", signing(1), sealing(1)),
    ];
    for text in printed {
        for secret in ["2020", "マエバシ", "前橋", "female", "Immunization", "0101010101"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(format!("{:?}", Pseudonym([3; 16])), "Pseudonym(***)");
}
