//! Cards as they come to the counter: good ones, and every way one can be bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use hibiki_certs::card_authority::Reason;
use hibiki_protocol::session::SessionRefusal;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::CardAuthority;
use proptest::prelude::*;
use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyUsagePurpose, RevokedCertParams,
    SerialNumber,
};

use super::revocation::{GRACE_MILLIS, InstallFault};
use super::samples::{Bend, DAY, Forge, NOW, Office, Plastic, instant};
use super::*;

const MESSAGE: &[u8] = b"hibiki/1/session-statement\0statement";
const HOUR: u64 = 3600 * 1000;

fn check(
    office: &Office,
    card: &mut Plastic,
    authorities: &[CardAuthority],
    now: Timestamp,
) -> Result<VerifiedCard, SessionRefusal> {
    let signature = card.sign(MESSAGE);
    let lists = RevocationFolder::new(office.lists(), GRACE_MILLIS);
    verify(&card.certificate, MESSAGE, &signature, authorities, &lists, now)
}

#[test]
fn a_good_card_is_known_by_its_key() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 365, NOW);
    let verified = check(&office, &mut card, &[office.entry()], NOW).unwrap();
    assert!(verified.simulated);
    let mut second = office.card("b", 365, NOW);
    let other = check(&office, &mut second, &[office.entry()], NOW).unwrap();
    assert_ne!(verified.key, other.key);
}

#[test]
fn a_foreign_authority_is_refused_whatever_its_name() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 365, NOW);
    let stranger = Office::new("Simulated authority").entry();
    assert_eq!(check(&office, &mut card, &[], NOW), Err(SessionRefusal::ForeignCard));
    assert_eq!(
        check(&office, &mut card, std::slice::from_ref(&stranger), NOW),
        Err(SessionRefusal::ForeignCard)
    );
    assert!(check(&office, &mut card, &[stranger, office.entry()], NOW).is_ok(), "two generations, one name");
}

#[test]
fn dates_are_those_of_the_certificate() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 2, NOW);
    let before = Timestamp(NOW.0 - 1000);
    assert_eq!(check(&office, &mut card, &[office.entry()], before), Err(SessionRefusal::ForeignCard));
    office.publish(24, NOW.plus(2 * DAY));
    assert!(
        check(&office, &mut card, &[office.entry()], NOW.plus(2 * DAY)).is_ok(),
        "the last second counts"
    );
    let after = NOW.plus(2 * DAY + 1000);
    assert_eq!(check(&office, &mut card, &[office.entry()], after), Err(SessionRefusal::CardExpired));
}

#[test]
fn revoked_and_suspended_cards_are_refused_until_resumed() {
    let mut office = Office::new("Simulated authority");
    let (mut lost, mut gone) = (office.card("a", 365, NOW), office.card("b", 365, NOW));
    office.authority.suspend(&lost.serial, NOW).unwrap();
    office.authority.revoke(&gone.serial, Reason::KeyCompromise, NOW).unwrap();
    assert!(check(&office, &mut lost, &[office.entry()], NOW).is_ok(), "not yet published");
    office.publish(24, NOW.plus(HOUR));
    let now = NOW.plus(HOUR);
    assert_eq!(check(&office, &mut lost, &[office.entry()], now), Err(SessionRefusal::CardRevoked));
    assert_eq!(check(&office, &mut gone, &[office.entry()], now), Err(SessionRefusal::CardRevoked));
    office.authority.resume(&lost.serial).unwrap();
    office.publish(24, NOW.plus(2 * HOUR));
    let now = NOW.plus(2 * HOUR);
    assert!(check(&office, &mut lost, &[office.entry()], now).is_ok());
    assert_eq!(check(&office, &mut gone, &[office.entry()], now), Err(SessionRefusal::CardRevoked));
}

#[test]
fn a_stale_or_missing_or_foreign_list_is_doubt() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 365, NOW);
    let last = NOW.plus(24 * HOUR + GRACE_MILLIS);
    assert!(check(&office, &mut card, &[office.entry()], last).is_ok(), "a feed that is late by a day");
    let unknown = Err(SessionRefusal::RevocationUnknown);
    assert_eq!(check(&office, &mut card, &[office.entry()], last.plus(1)), unknown);
    for entry in fs::read_dir(office.lists()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!(check(&office, &mut card, &[office.entry()], NOW), unknown);
    let foreign = Office::new("Simulated authority").authority.crl(24, NOW).unwrap();
    fs::write(office.lists().join("foreign.crl"), foreign).unwrap();
    assert_eq!(check(&office, &mut card, &[office.entry()], NOW), unknown, "signed by another key");
    fs::write(office.lists().join("rubbish.crl"), b"0rubbish").unwrap();
    assert_eq!(check(&office, &mut card, &[office.entry()], NOW), unknown);
    office.publish(24, NOW.plus(DAY));
    assert_eq!(check(&office, &mut card, &[office.entry()], NOW), unknown, "a list from the future");
}

#[test]
fn a_list_is_read_again_when_the_file_changes() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 365, NOW);
    let lists = RevocationFolder::new(office.lists(), GRACE_MILLIS);
    let signature = card.sign(MESSAGE);
    let authorities = [office.entry()];
    let ask = |now| verify(&card.certificate, MESSAGE, &signature, &authorities, &lists, now);
    assert!(ask(NOW).is_ok());
    office.authority.revoke(&card.serial, Reason::KeyCompromise, NOW).unwrap();
    office.publish(24, NOW.plus(1000));
    assert_eq!(ask(NOW.plus(1000)), Err(SessionRefusal::CardRevoked));
}

#[test]
fn a_bent_signature_is_no_signature() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 365, NOW);
    let mut other = office.card("b", 365, NOW);
    let lists = RevocationFolder::new(office.lists(), GRACE_MILLIS);
    let authorities = [office.entry()];
    let ask = |signature: &[u8]| verify(&card.certificate, MESSAGE, signature, &authorities, &lists, NOW);
    let refused = Err(SessionRefusal::CardSignature);
    assert_eq!(ask(&other.sign(MESSAGE)), refused, "no PIN of this card: another key signed");
    assert_eq!(ask(&[]), refused);
    assert_eq!(ask(&[0; 256]), refused);
    let good = Plastic::sign(&mut card, MESSAGE);
    for bit in [0, 7, 1000, 2047] {
        let mut bent = good.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            verify(&card.certificate, MESSAGE, &bent, &authorities, &lists, NOW),
            refused,
            "bit {bit} of the signature"
        );
    }
    assert_eq!(verify(&card.certificate, b"another statement", &good, &authorities, &lists, NOW), refused);
}

#[test]
fn a_signature_certificate_opens_no_session() {
    let mut office = Office::new("Simulated authority");
    let (certificate, signature) = office.signature_card(MESSAGE);
    let lists = RevocationFolder::new(office.lists(), GRACE_MILLIS);
    // Not even where a council accepted the policy of signatures by mistake.
    for entry in [office.entry(), office.entry_for_signatures()] {
        let judged = CardCertificate::verify(&certificate, std::slice::from_ref(&entry), NOW).map(|_| ());
        assert_eq!(judged, Err(CardFault::Usage));
        let refused = verify(&certificate, MESSAGE, &signature, &[entry], &lists, NOW);
        assert_eq!(refused, Err(SessionRefusal::ForeignCard), "though its key did sign");
    }
    let nonrepudiation = Bend {
        usages: vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment],
        ..Bend::default()
    };
    let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
    let der = forge.leaf(&nonrepudiation);
    let judged = CardCertificate::verify(&der, std::slice::from_ref(&forge.entry), NOW).map(|_| ());
    assert_eq!(judged, Err(CardFault::Usage), "nor where nothing else is wrong with it");
}

#[test]
fn the_profile_is_exact() {
    let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
    let judge = |bend: &Bend| {
        let der = forge.leaf(bend);
        CardCertificate::verify(&der, std::slice::from_ref(&forge.entry), NOW).map(|_| ())
    };
    assert_eq!(judge(&Bend::default()), Ok(()));
    assert_eq!(
        judge(&Bend { extended: Vec::new(), ..Bend::default() }),
        Ok(()),
        "no extended key usage is fine"
    );
    let policy = |policies| judge(&Bend { policies, ..Bend::default() });
    assert_eq!(policy(vec![]), Err(CardFault::Policy));
    assert_eq!(policy(vec!["1.3.6.1.4.1.32473.2"]), Err(CardFault::Policy));
    assert_eq!(policy(vec!["1.3.6.1.4.1.32473.1", "1.3.6.1.4.1.32473.2"]), Err(CardFault::Policy));
    let usages = |usages| judge(&Bend { usages, ..Bend::default() });
    assert_eq!(usages(vec![]), Err(CardFault::Usage));
    assert_eq!(usages(vec![KeyUsagePurpose::KeyEncipherment]), Err(CardFault::Usage));
    assert_eq!(
        usages(vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign]),
        Err(CardFault::Usage)
    );
    let server = Bend { extended: vec![ExtendedKeyUsagePurpose::ServerAuth], ..Bend::default() };
    assert_eq!(judge(&server), Err(CardFault::Usage));
    let ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    assert_eq!(judge(&Bend { is_ca: ca, ..Bend::default() }), Err(CardFault::Usage));
    let future = Bend { from: NOW.plus(DAY), ..Bend::default() };
    assert_eq!(judge(&future), Err(CardFault::Dates));
}

#[test]
fn extensions_that_must_be_understood_are() {
    let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
    let judge = |critical: bool, arcs: &[u64]| {
        let mut extra = CustomExtension::from_oid_content(arcs, vec![0x05, 0x00]);
        extra.set_criticality(critical);
        let der = forge.leaf(&Bend { extra: vec![extra], ..Bend::default() });
        CardCertificate::verify(&der, std::slice::from_ref(&forge.entry), NOW).map(|_| ())
    };
    assert_eq!(judge(false, &[1, 3, 6, 1, 4, 1, 32473, 9]), Ok(()));
    assert_eq!(judge(true, &[1, 3, 6, 1, 4, 1, 32473, 9]), Err(CardFault::Extension));
    assert_eq!(judge(true, &[2, 5, 29, 30]), Err(CardFault::Extension), "name constraints");
}

#[test]
fn an_authority_out_of_its_dates_vouches_for_nobody() {
    let forge = Forge::new("Forge", NOW, NOW.plus(DAY));
    let der = forge.leaf(&Bend::default());
    let judge = |now| CardCertificate::verify(&der, std::slice::from_ref(&forge.entry), now).map(|_| ());
    assert_eq!(judge(NOW.plus(DAY)), Ok(()));
    assert_eq!(judge(NOW.plus(DAY + 1000)), Err(CardFault::Authority));
}

#[test]
fn kinds_of_keys_no_card_has_are_refused() {
    let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let der = forge.leaf(&Bend { key, ..Bend::default() });
        let judged = CardCertificate::verify(&der, std::slice::from_ref(&forge.entry), NOW).map(|_| ());
        assert_eq!(judged, Err(CardFault::Key));
    }
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
    let der = forge.leaf(&Bend { key, ..Bend::default() });
    let judged = CardCertificate::verify(&der, std::slice::from_ref(&forge.entry), NOW).map(|_| ());
    assert_eq!(judged, Err(CardFault::Key));
}

#[test]
fn a_list_an_operator_hands_over_is_checked_before_it_counts() {
    let mut office = Office::new("Simulated authority");
    let mut card = office.card("a", 365, NOW);
    let authorities = [office.entry()];
    let folder = tempfile::tempdir().unwrap();
    let lists = RevocationFolder::new(folder.path().join("new"), GRACE_MILLIS);
    let signature = card.sign(MESSAGE);
    let ask = |now| verify(&card.certificate, MESSAGE, &signature, &authorities, &lists, now).map(|_| ());
    let first = office.authority.crl(24, NOW).unwrap();
    assert_eq!(ask(NOW), Err(SessionRefusal::RevocationUnknown));
    let installed = lists.install(first.clone(), &authorities, NOW).unwrap();
    assert_eq!((installed.revoked, installed.issued, installed.next), (0, NOW.0, NOW.0 + DAY));
    assert_eq!(ask(NOW), Ok(()));
    office.authority.revoke(&card.serial, Reason::KeyCompromise, NOW).unwrap();
    let later = NOW.plus(HOUR);
    let second = office.authority.crl(24, later).unwrap();
    let pem = format!(
        "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &second)
    );
    assert_eq!(lists.install(pem.into_bytes(), &authorities, later).unwrap().revoked, 1);
    assert_eq!(ask(later), Err(SessionRefusal::CardRevoked));
    assert_eq!(lists.install(first.clone(), &authorities, later), Err(InstallFault::Older));
    assert_eq!(ask(later), Err(SessionRefusal::CardRevoked), "an old list does not bring a card back");
    let future = office.authority.crl(24, NOW.plus(2 * DAY)).unwrap();
    let mut bent = second;
    *bent.last_mut().unwrap() ^= 1;
    for (list, fault) in [
        (b"rubbish".to_vec(), InstallFault::NotAList),
        (bent, InstallFault::NotAList),
        (Office::new("Simulated authority").authority.crl(24, NOW).unwrap(), InstallFault::NotAList),
        (future, InstallFault::Stale),
    ] {
        assert_eq!(lists.install(list, &authorities, later), Err(fault));
    }
    let late = NOW.plus(DAY + GRACE_MILLIS + 1);
    assert_eq!(lists.install(first, &authorities, late), Err(InstallFault::Stale));
}

/// Writes a list of the forge; `revoked` by serial.
fn forge_list(
    forge: &Forge,
    lists: &std::path::Path,
    scope: Option<(&str, Option<CrlScope>)>,
    revoked: &[&[u8]],
) {
    let params = CertificateRevocationListParams {
        this_update: instant(NOW),
        next_update: instant(NOW.plus(DAY)),
        crl_number: SerialNumber::from_slice(&[1]),
        issuing_distribution_point: scope.map(|(uri, scope)| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint { uris: vec![uri.to_owned()] },
            scope,
        }),
        revoked_certs: revoked
            .iter()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: instant(NOW),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    fs::write(lists.join("forge.crl"), params.signed_by(&forge.issuer()).unwrap().der()).unwrap();
}

#[test]
fn the_next_generation_of_cards_signs_with_p384() {
    let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
    let bend = Bend::default();
    let der = forge.leaf(&bend);
    let folder = tempfile::tempdir().unwrap();
    forge_list(&forge, folder.path(), None, &[]);
    let lists = RevocationFolder::new(folder.path(), GRACE_MILLIS);
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &bend.key.serialize_der()).unwrap();
    let signature = key.sign(&SystemRandom::new(), MESSAGE).unwrap();
    let authorities = [forge.entry.clone()];
    let ask = |message: &[u8]| verify(&der, message, signature.as_ref(), &authorities, &lists, NOW);
    assert!(!ask(MESSAGE).unwrap().simulated);
    assert_eq!(ask(b"another"), Err(SessionRefusal::CardSignature));
}

#[test]
fn a_list_of_another_partition_or_scope_says_nothing() {
    let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
    let der = forge.leaf(&Bend::default());
    let folder = tempfile::tempdir().unwrap();
    let authorities = [forge.entry.clone()];
    let standing = || {
        let card = CardCertificate::verify(&der, &authorities, NOW).unwrap();
        RevocationFolder::new(folder.path(), GRACE_MILLIS).standing(&card, NOW)
    };
    forge_list(&forge, folder.path(), None, &[]);
    assert_eq!(standing(), Standing::Good);
    let serial = CardCertificate::verify(&der, &authorities, NOW).unwrap().serial().to_vec();
    forge_list(&forge, folder.path(), None, &[&serial]);
    assert_eq!(standing(), Standing::Revoked);
    forge_list(&forge, folder.path(), Some(("http://crl.invalid/7", None)), &[]);
    assert_eq!(standing(), Standing::Unknown, "the card names no such partition");
    forge_list(&forge, folder.path(), Some(("http://crl.invalid/7", Some(CrlScope::CaCertsOnly))), &[]);
    assert_eq!(standing(), Standing::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No changed bit of a certificate leaves it acceptable.
    #[test]
    fn no_bit_of_a_certificate_may_change(place in 0.0..1.0_f64, bit in 0..8_u8) {
        thread_local! {
            static SAMPLE: (Vec<u8>, CardAuthority) = {
                let forge = Forge::new("Forge", NOW, NOW.plus(3650 * DAY));
                (forge.leaf(&Bend::default()), forge.entry)
            };
        }
        SAMPLE.with(|(der, entry)| {
            let mut bent = der.clone();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let index = (place * der.len() as f64) as usize;
            bent[index] ^= 1 << bit;
            prop_assert!(CardCertificate::verify(&bent, std::slice::from_ref(entry), NOW).is_err());
            Ok(())
        })?;
    }

    /// Rubbish is refused, never a panic.
    #[test]
    fn rubbish_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(CardCertificate::verify(&bytes, &[], NOW).is_err());
    }
}
