//! The simulated card authority, judged by x509-parser and, where it is installed, by openssl.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use hibiki_certs::FileError;
use hibiki_certs::card_authority::{
    CARD_DAYS_MAX, CardAuthority, CardAuthorityError, Reason, RequestError, SIMULATED_ORGANISATION,
    SIMULATED_POLICY, SIMULATED_SIGNATURE_POLICY, Serial, Usage,
};
use hibiki_protocol::time::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::revocation_list::CertificateRevocationList;

const HOLDER: &str = "00000001SIMCARD13000001A";

struct World {
    folder: tempfile::TempDir,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        // openssl judges dates by the clock, so these tests live at the present.
        #[expect(clippy::disallowed_methods, reason = "openssl compares with the machine's clock")]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), now: Timestamp(now.as_secs() * 1000) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ca(&self) -> PathBuf {
        self.path("ca")
    }

    fn program(&self, arguments: &[&str]) -> (bool, String) {
        let out = Command::new(env!("CARGO_BIN_EXE_hibiki-certs"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    }

    fn openssl(&self, arguments: &[&str]) -> (bool, String) {
        let out = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    }
}

fn subject(parts: &[(DnType, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, text) in parts {
        let value = match kind {
            DnType::CountryName => DnValue::PrintableString((*text).try_into().unwrap()),
            _ => DnValue::Utf8String((*text).to_owned()),
        };
        params.distinguished_name.push(kind.clone(), value);
    }
    params
}

fn card_subject() -> CertificateParams {
    subject(&[(DnType::CountryName, "JP"), (DnType::CommonName, HOLDER)])
}

fn request() -> String {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    card_subject().serialize_request(&key).unwrap().pem().unwrap()
}

fn openssl_is_here(test: &str) -> bool {
    let here = Command::new("openssl").arg("version").output().is_ok_and(|out| out.status.success());
    if !here {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED {test}: openssl is not installed, nothing was compared with it\n"),
        );
    }
    here
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_card_certificate_has_the_shape_of_the_real_ones() {
    let world = World::new();
    let mut authority = CardAuthority::init(&world.ca(), "Rehearsal", world.now).unwrap();
    let issued = authority.issue(request().as_bytes(), 1_826, world.now).unwrap();
    let (_, ca) = X509Certificate::from_der(authority.certificate_der()).unwrap();
    let (_, card) = X509Certificate::from_der(&issued.der).unwrap();

    card.verify_signature(Some(ca.public_key())).unwrap();
    assert_eq!(card.issuer().as_raw(), ca.subject().as_raw());
    assert_eq!(card.subject().to_string(), format!("C=JP, CN={HOLDER}"));
    assert_eq!(card.issuer().iter_organization().next().unwrap().as_str().unwrap(), SIMULATED_ORGANISATION);
    assert_eq!(card.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.11");
    assert_eq!(card.raw_serial().len(), 16);
    assert_eq!(issued.serial.to_string(), card.raw_serial_as_string().replace(':', ""));
    assert_eq!(card.validity().not_before.timestamp() as u64, world.now.0 / 1000);
    assert_eq!(card.validity().not_after.timestamp() as u64, world.now.0 / 1000 + 1_826 * 86_400);

    let usage = card.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(usage.value.flags, 1, "digitalSignature and nothing else");
    let extended = card.extended_key_usage().unwrap().unwrap();
    assert!(!extended.critical && extended.value.client_auth && extended.value.other.is_empty());
    assert!(card.basic_constraints().unwrap().is_none() && !card.is_ca());
    assert!(card.subject_alternative_name().unwrap().is_none(), "no name, no address");

    let extension = |id: &str| {
        let found: Vec<_> = card.extensions().iter().filter(|e| e.oid.to_id_string() == id).collect();
        assert_eq!(found.len(), 1, "{id}");
        *found.first().unwrap()
    };
    let policies = extension("2.5.29.32");
    assert!(policies.critical);
    match policies.parsed_extension() {
        x509_parser::extensions::ParsedExtension::CertificatePolicies(list) => {
            assert_eq!(
                list.iter().map(|p| p.policy_id.to_id_string()).collect::<Vec<_>>(),
                [SIMULATED_POLICY]
            );
        }
        other => panic!("{other:?}"),
    }
    for id in ["2.5.29.14", "2.5.29.31", "2.5.29.35"] {
        assert!(!extension(id).critical, "{id}");
    }
    assert_eq!(card.extensions().len(), 6);
}

#[test]
fn a_signature_certificate_is_for_documents_and_not_for_logging_in() {
    let world = World::new();
    let mut authority = CardAuthority::init(&world.ca(), "Rehearsal", world.now).unwrap();
    let issued = authority.issue_for(Usage::Signature, request().as_bytes(), 365, world.now).unwrap();
    let (_, card) = X509Certificate::from_der(&issued.der).unwrap();
    let usage = card.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(usage.value.flags, 0b11, "digitalSignature and nonRepudiation");
    assert!(card.extended_key_usage().unwrap().is_none());
    assert!(card.subject_alternative_name().unwrap().is_none(), "no name, no address");
    assert_eq!(card.subject().to_string(), format!("C=JP, CN={HOLDER}"));
    let policies = card.extensions().iter().find(|e| e.oid.to_id_string() == "2.5.29.32").unwrap();
    assert!(policies.critical);
    match policies.parsed_extension() {
        x509_parser::extensions::ParsedExtension::CertificatePolicies(list) => {
            let asserted: Vec<_> = list.iter().map(|p| p.policy_id.to_id_string()).collect();
            assert_eq!(asserted, [SIMULATED_SIGNATURE_POLICY]);
        }
        other => panic!("{other:?}"),
    }
    authority.revoke(&issued.serial, Reason::Superseded, world.now).expect("it is in the register");
}

#[test]
fn the_program_issues_for_either_key() {
    let world = World::new();
    fs::write(world.path("sig.csr"), request()).unwrap();
    assert!(world.program(&["card-ca", "init", "ca"]).0);
    let issue =
        ["card-ca", "issue", "ca", "--request", "sig.csr", "--out", "sig.crt", "--usage", "signature"];
    let (ok, said) = world.program(&issue);
    assert!(ok && said.contains("--signature-certificate sig.crt"), "{said}");
    let (_, pem) = x509_parser::pem::parse_x509_pem(&fs::read(world.path("sig.crt")).unwrap()).unwrap();
    let (_, card) = X509Certificate::from_der(&pem.contents).unwrap();
    assert!(card.key_usage().unwrap().unwrap().value.non_repudiation());
}

#[test]
fn nothing_but_a_cards_request_gets_a_certificate() {
    let world = World::new();
    let mut authority = CardAuthority::init(&world.ca(), "Rehearsal", world.now).unwrap();
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let long = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).unwrap();
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let with =
        |key: &KeyPair, params: CertificateParams| params.serialize_request(key).unwrap().der().to_vec();
    let mut forged = with(&rsa, card_subject());
    *forged.last_mut().unwrap() ^= 1;
    let person = |name| subject(&[(DnType::CountryName, "JP"), (DnType::CommonName, name)]);
    let cases = [
        (b"-----BEGIN nothing".to_vec(), RequestError::Unreadable),
        ([with(&rsa, card_subject()), vec![0]].concat(), RequestError::Unreadable),
        (forged, RequestError::Signature),
        (with(&long, card_subject()), RequestError::Key),
        (with(&ed25519, card_subject()), RequestError::Key),
        (with(&rsa, person("山田花子")), RequestError::Subject),
        (with(&rsa, person("YAMADA HANAKO")), RequestError::Subject),
        (with(&rsa, person("123456789012")), RequestError::Subject),
        (with(&rsa, subject(&[(DnType::CommonName, HOLDER)])), RequestError::Subject),
        (
            with(
                &rsa,
                subject(&[
                    (DnType::CountryName, "JP"),
                    (DnType::CommonName, HOLDER),
                    (DnType::LocalityName, "Maebashi"),
                ]),
            ),
            RequestError::Subject,
        ),
    ];
    for (bytes, expected) in cases {
        match authority.issue(&bytes, 30, world.now) {
            Err(CardAuthorityError::Request(refused)) => assert_eq!(refused, expected),
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    for days in [0, CARD_DAYS_MAX + 1, u64::MAX] {
        let refused = authority.issue(request().as_bytes(), days, world.now);
        assert!(matches!(refused, Err(CardAuthorityError::Lifetime)), "{days}");
    }
    let late = world.now.plus(3_000 * 86_400_000);
    let beyond = authority.issue(request().as_bytes(), CARD_DAYS_MAX, late);
    assert!(matches!(beyond, Err(CardAuthorityError::Lifetime)), "longer than the authority itself");
    assert_eq!(authority.issued().count(), 0, "nothing was recorded");
}

#[test]
fn revocation_is_final_and_suspension_is_not() {
    let world = World::new();
    let mut authority = CardAuthority::init(&world.ca(), "Rehearsal", world.now).unwrap();
    let lost = authority.issue(request().as_bytes(), 30, world.now).unwrap().serial;
    let found = authority.issue(request().as_bytes(), 30, world.now).unwrap().serial;
    let good = authority.issue(request().as_bytes(), 30, world.now).unwrap().serial;
    authority.revoke(&lost, Reason::KeyCompromise, world.now).unwrap();
    authority.suspend(&found, world.now).unwrap();
    drop(authority);

    let mut authority = CardAuthority::open(&world.ca()).unwrap();
    let listed = |authority: &mut CardAuthority| {
        let der = authority.crl(24, world.now).unwrap();
        let (_, crl) = CertificateRevocationList::from_der(&der).unwrap();
        let (_, ca) = X509Certificate::from_der(authority.certificate_der()).unwrap();
        crl.verify_signature(ca.public_key()).unwrap();
        let seconds = crl.next_update().unwrap().timestamp() - crl.last_update().timestamp();
        assert_eq!(seconds, 24 * 3600);
        let number = crl.crl_number().unwrap().to_string();
        let mut serials: Vec<_> =
            crl.iter_revoked_certificates().map(|entry| format!("{:x}", entry.user_certificate)).collect();
        serials.sort();
        (number, serials)
    };
    let mut both = vec![lost.to_string(), found.to_string()];
    both.sort();
    assert_eq!(listed(&mut authority), ("1".to_owned(), both));
    authority.resume(&found).unwrap();
    assert_eq!(listed(&mut authority), ("2".to_owned(), vec![lost.to_string()]));
    assert!(matches!(authority.resume(&lost), Err(CardAuthorityError::Revoked(_))));
    assert!(matches!(authority.suspend(&lost, world.now), Err(CardAuthorityError::Revoked(_))));
    let unknown: Serial = "00:11:22".parse().unwrap();
    let refused = authority.revoke(&unknown, Reason::Unspecified, world.now);
    assert!(matches!(refused, Err(CardAuthorityError::UnknownSerial(_))));
    assert!("".parse::<Serial>().is_err() && "xyz".parse::<Serial>().is_err());
    assert_eq!(good.to_string().to_uppercase().parse::<Serial>().unwrap(), good);
    for hours in [0, 31 * 24 + 1] {
        assert!(matches!(authority.crl(hours, world.now), Err(CardAuthorityError::CrlLifetime)));
    }
}

#[test]
fn an_authority_is_its_owners_alone_and_never_overwritten() {
    let world = World::new();
    drop(CardAuthority::init(&world.ca(), "Rehearsal", world.now).unwrap());
    assert_eq!(mode(&world.ca().join("ca.key")), 0o600);
    assert_eq!(mode(&world.ca().join("register.json")), 0o600);
    let key = fs::read(world.ca().join("ca.key")).unwrap();
    let again = CardAuthority::init(&world.ca(), "Rehearsal", world.now).unwrap_err();
    assert!(matches!(again, CardAuthorityError::File(FileError::Exists { .. })), "{again}");
    assert_eq!(fs::read(world.ca().join("ca.key")).unwrap(), key);
    fs::set_permissions(world.ca().join("ca.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = CardAuthority::open(&world.ca()).unwrap_err();
    assert!(exposed.to_string().contains("chmod 600"), "{exposed}");

    fs::set_permissions(world.ca().join("ca.key"), fs::Permissions::from_mode(0o600)).unwrap();
    drop(CardAuthority::init(&world.path("other"), "Rehearsal", world.now).unwrap());
    fs::copy(world.path("other/ca.key"), world.ca().join("ca.key")).unwrap();
    let mixed = CardAuthority::open(&world.ca()).unwrap_err();
    assert!(mixed.to_string().contains("ca.key is not the key of ca.crt"), "{mixed}");
    let none = CardAuthority::open(&world.path("nowhere")).unwrap_err();
    assert!(none.to_string().contains("card-ca init"), "{none}");
}

#[test]
fn openssl_accepts_what_is_issued_until_it_is_revoked() {
    if !openssl_is_here("openssl_accepts_what_is_issued_until_it_is_revoked") {
        return;
    }
    let world = World::new();
    fs::write(world.path("card.csr"), request()).unwrap();
    let run = |arguments: &[&str]| {
        let (ok, said) = world.program(arguments);
        assert!(ok, "{arguments:?}: {said}");
        said
    };
    run(&["card-ca", "init", "ca"]);
    run(&["card-ca", "issue", "ca", "--request", "card.csr", "--out", "card.crt"]);
    run(&["card-ca", "crl", "ca", "--out", "crl.der"]);
    let (_, text) = world.openssl(&["x509", "-in", "card.crt", "-noout", "-text"]);
    for line in [
        "Signature Algorithm: sha256WithRSAEncryption",
        "O = SIMULATED-JPKI",
        &format!("Subject: C = JP, CN = {HOLDER}"),
        "Public-Key: (2048 bit)",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "X509v3 Certificate Policies: critical",
        &format!("Policy: {SIMULATED_POLICY}\n"),
        "CPS: https://simulated-card.invalid/cps.html",
        "DirName:C = JP, O = SIMULATED-JPKI",
        "X509v3 Authority Key Identifier",
        "X509v3 Subject Key Identifier",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    let verify = || {
        let pem = world.openssl(&["crl", "-in", "crl.der", "-inform", "DER", "-out", "crl.pem"]);
        assert!(pem.0, "{}", pem.1);
        world.openssl(&[
            "verify",
            "-x509_strict",
            "-explicit_policy",
            "-policy",
            SIMULATED_POLICY,
            "-crl_check",
            "-CRLfile",
            "crl.pem",
            "-purpose",
            "sslclient",
            "-CAfile",
            "ca/ca.crt",
            "card.crt",
        ])
    };
    let (ok, said) = verify();
    assert!(ok && said.contains("card.crt: OK"), "{said}");

    let (_, serial) = world.openssl(&["x509", "-in", "card.crt", "-noout", "-serial"]);
    let serial = serial.trim().strip_prefix("serial=").unwrap().to_owned();
    run(&["card-ca", "revoke", "ca", "--serial", &serial, "--reason", "key-compromise"]);
    run(&["card-ca", "crl", "ca", "--out", "crl.der"]);
    let (ok, said) = verify();
    assert!(!ok && said.contains("certificate revoked"), "{said}");
    let (_, text) = world.openssl(&["crl", "-in", "crl.der", "-inform", "DER", "-noout", "-text"]);
    assert!(text.contains("Key Compromise") && text.contains("Next Update"), "{text}");
    let listed: serde_json::Value =
        serde_json::from_str(&run(&["card-ca", "list", "ca", "--format", "json"])).unwrap();
    assert_eq!(listed["issued"][0]["state"]["is"], "revoked");

    let (ok, said) = world.program(&["card-ca", "issue", "ca", "--request", "card.csr", "--out", "card.crt"]);
    assert!(!ok && said.contains("not overwritten"), "{said}");
}
