//! A card used the way its holder, an authority and a thief use it: as a file and a program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use hibiki_simcard::{CardError, CardFile, KeySlot, PASSWORD_TRIES, PIN_TRIES, Pin, PinError};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A folder with a card whose PIN is 1234.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let (_, request) =
            CardFile::create(world.card(), Some("00000001SIMCARD13000001A"), &pin("1234")).unwrap();
        fs::write(world.path("card.csr"), request).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn card(&self) -> PathBuf {
        self.path("card.json")
    }

    fn open(&self) -> CardFile {
        CardFile::open(self.card()).unwrap()
    }

    fn secret(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn program(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hibiki-simcard"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn openssl(&self, arguments: &[&str]) -> String {
        let out = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "openssl {arguments:?}: {error}");
        String::from_utf8_lossy(&out.stdout).into_owned() + &error
    }
}

fn pin(text: &str) -> Pin {
    Pin::parse(text).unwrap()
}

fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// Whether the oracle is here; says so loudly if not.
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

mod authority {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
        PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm,
    };
    use x509_parser::certification_request::X509CertificationRequest;

    struct RequestKey(Vec<u8>);

    impl PublicKeyData for RequestKey {
        fn der_bytes(&self) -> &[u8] {
            &self.0
        }
        fn algorithm(&self) -> &'static SignatureAlgorithm {
            &PKCS_RSA_SHA256
        }
    }

    /// Certificate for the card's request and the authority's own, both PEM.
    pub(super) fn issue(request: &Path, organisation: &str) -> (String, String) {
        let (_, request) = x509_parser::pem::parse_x509_pem(&fs::read(request).unwrap()).unwrap();
        let (_, request) = X509CertificationRequest::from_der(&request.contents).unwrap();
        request.verify_signature().expect("proof of possession");
        let key = RequestKey(request.certification_request_info.subject_pki.subject_public_key.data.to_vec());

        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::default();
        ca.distinguished_name = DistinguishedName::new();
        ca.distinguished_name.push(DnType::OrganizationName, organisation);
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let certificate =
            CertificateParams::default().signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
        (certificate.pem(), ca_certificate.pem())
    }
}

#[test]
fn signs_behind_the_pin_with_the_key_of_its_certificate() {
    let world = World::new();
    let (certificate, ca) = authority::issue(&world.path("card.csr"), "SIMULATED-JPKI");
    let mut card = world.open();
    assert!(matches!(card.certificate_der(), Err(CardError::NoCertificate { .. })));
    card.install(certificate.as_bytes(), ca.as_bytes()).unwrap();

    let mut card = world.open();
    let der = card.certificate_der().unwrap().to_vec();
    let signature = card.verify_pin(&pin("1234")).unwrap().sign(b"statement").unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let key = &certificate.public_key().subject_public_key.data;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref());
    key.verify(b"statement", &signature).expect("the certificate's key made it");
    assert!(key.verify(b"statemenT", &signature).is_err());
}

#[test]
fn three_wrong_pins_block_and_only_the_office_unblocks() {
    let world = World::new();
    let mut card = world.open();
    for expected in [2, 1, 0] {
        let refused = card.verify_pin(&pin("4321")).unwrap_err();
        assert!(matches!(refused, PinError::Wrong { tries_left } if tries_left == expected), "{refused}");
        assert_eq!(refused.status_word(), Some(0x63C0 + u16::from(expected)));
        assert_eq!(world.open().tries_left().unwrap(), expected, "the disk knows");
    }
    for text in ["1234", "4321"] {
        let refused = world.open().verify_pin(&pin(text)).unwrap_err();
        assert!(matches!(refused, PinError::Blocked), "{refused}");
        assert_eq!(refused.status_word(), Some(0x6984));
    }
    assert!(world.program(&["unblock", "card.json"]).status.success());
    card.verify_pin(&pin("1234")).expect("the PIN stayed what it was");
}

#[test]
fn the_right_pin_gives_the_tries_back() {
    let world = World::new();
    let mut card = world.open();
    card.verify_pin(&pin("0000")).unwrap_err();
    card.verify_pin(&pin("0001")).unwrap_err();
    assert_eq!(card.tries_left().unwrap(), 1);
    card.verify_pin(&pin("1234")).unwrap();
    assert_eq!(card.tries_left().unwrap(), PIN_TRIES);
}

#[test]
fn each_key_has_its_own_tries_and_certificate() {
    let world = World::new();
    let (mut card, requests) = CardFile::create_with_signature(
        world.path("both.json"),
        None,
        &pin("1234"),
        &Pin::parse_for(KeySlot::Signature, "ABC123").unwrap(),
    )
    .unwrap();
    fs::write(world.path("a.csr"), &requests.authentication).unwrap();
    fs::write(world.path("s.csr"), &requests.signature).unwrap();
    let (first, first_ca) = authority::issue(&world.path("a.csr"), "SIMULATED-JPKI");
    let (second, second_ca) = authority::issue(&world.path("s.csr"), "SIMULATED-JPKI");
    let swapped = card.install(second.as_bytes(), second_ca.as_bytes()).unwrap_err().to_string();
    assert!(swapped.contains("not this card's key"), "{swapped}");
    card.install(first.as_bytes(), first_ca.as_bytes()).unwrap();
    card.install_for(KeySlot::Signature, second.as_bytes(), second_ca.as_bytes()).unwrap();

    let wrong = Pin::parse_for(KeySlot::Signature, "ABC124").unwrap();
    for expected in (0..PASSWORD_TRIES).rev() {
        let refused = card.verify_pin(&wrong).unwrap_err();
        assert!(matches!(refused, PinError::Wrong { tries_left } if tries_left == expected), "{refused}");
    }
    assert!(matches!(card.verify_pin(&wrong).unwrap_err(), PinError::Blocked));
    assert_eq!(card.tries_left().unwrap(), PIN_TRIES, "the other key's tries are its own");
    card.unblock_key(KeySlot::Signature).unwrap();

    let mut card = CardFile::open(world.path("both.json")).unwrap();
    let password = Pin::parse_for(KeySlot::Signature, "ABC123").unwrap();
    let signature = card.verify_pin(&password).unwrap().sign(b"document").unwrap();
    let der = card.certificate_der_of(KeySlot::Signature).unwrap();
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let key = &certificate.public_key().subject_public_key.data;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref());
    key.verify(b"document", &signature).expect("the signature key made it");
}

#[test]
fn a_card_without_a_signature_key_says_so() {
    let world = World::new();
    let mut card = world.open();
    let password = Pin::parse_for(KeySlot::Signature, "ABC123").unwrap();
    let refused = card.verify_pin(&password).unwrap_err();
    assert!(matches!(refused, PinError::Card(CardError::NoSignatureKey { .. })), "{refused}");
    assert!(matches!(card.tries_left_of(KeySlot::Signature), Err(CardError::NoSignatureKey { .. })));
    assert!(!card.has(KeySlot::Signature) && card.has(KeySlot::Authentication));
    assert!(matches!(card.change_pin(&pin("1234"), &password), Err(PinError::Malformed)));
    assert_eq!(card.tries_left().unwrap(), PIN_TRIES, "a mistaken call costs no try");
}

#[test]
fn a_card_of_an_earlier_version_is_refused_with_what_to_do() {
    let world = World::new();
    world.secret(
        "old.json",
        r#"{"card": {"format": "hibiki-simcard-1", "simulated": true, "holder_id": "X", "tries_left": 3}, "sha256": ""}"#,
    );
    let refused = CardFile::open(world.path("old.json")).unwrap_err();
    assert!(matches!(refused, CardError::OldFormat { .. }), "{refused}");
    assert!(refused.to_string().contains("make a new card (hibiki-simcard new)"), "{refused}");
}

#[test]
fn the_program_looks_after_both_keys() {
    let world = World::new();
    for (name, content) in
        [("pin", "1234"), ("password", "ABC123\n"), ("new", "NEWPASSWORD9\n"), ("bad", "abc123")]
    {
        world.secret(name, content);
    }
    let made = world.program(&[
        "new",
        "--out",
        "b.json",
        "--request",
        "a.csr",
        "--pin-file",
        "pin",
        "--signature-request",
        "s.csr",
        "--signature-password-file",
        "password",
    ]);
    assert!(made.status.success() && String::from_utf8_lossy(&made.stdout).contains("--usage signature"));
    let (certificate, ca) = authority::issue(&world.path("s.csr"), "SIMULATED-JPKI");
    fs::write(world.path("s.crt"), certificate).unwrap();
    fs::write(world.path("ca.crt"), ca).unwrap();
    let installed =
        world.program(&["install", "b.json", "--signature-certificate", "s.crt", "--ca", "ca.crt"]);
    assert!(installed.status.success(), "{}", stderr(&installed));
    let change = |old: &str, new: &str| {
        world.program(&["change-pin", "b.json", "--signature", "--pin-file", old, "--new-pin-file", new])
    };
    let lower = change("bad", "new");
    assert!(stderr(&lower).contains("upper case"), "{}", stderr(&lower));
    assert!(change("password", "new").status.success());
    assert!(stderr(&change("password", "new")).contains("4 tries left"));
    let status = world.program(&["status", "b.json", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&json["tries_left"], &json["signature"]["tries_left"]), (&3.into(), &4.into()));
    assert!(json["certificate"].is_null() && json["signature"]["certificate"]["serial"].is_string());
    assert!(world.program(&["unblock", "b.json", "--signature"]).status.success());
    let words = String::from_utf8_lossy(&world.program(&["status", "b.json"]).stdout).into_owned();
    assert!(words.contains("5 of 5") && words.contains("3 of 3"), "{words}");
    let none = world.program(&["unblock", "card.json", "--signature"]);
    assert!(stderr(&none).contains("has no signature key"), "{}", stderr(&none));
    let alone = ["new", "--out", "c.json", "--request", "c.csr", "--signature-password-file", "password"];
    assert_eq!(world.program(&alone).status.code(), Some(2), "a password without a key");
}

#[test]
fn killing_the_program_gives_no_free_try() {
    let world = World::new();
    world.secret("wrong.pin", "9999\n");
    world.secret("new.pin", "5678\n");
    let guess = ["change-pin", "card.json", "--pin-file", "wrong.pin", "--new-pin-file", "new.pin"];
    let (mut judged, mut killed_after_the_try, mut rounds) = (0, 0, 0);
    while world.open().tries_left().unwrap() > 0 {
        let before = world.open().tries_left().unwrap();
        let mut child = world.command(&guess).stderr(Stdio::piped()).spawn().unwrap();
        // 0, 4, 8 … ms: before, during and after the try.
        std::thread::park_timeout(Duration::from_millis(4 * (rounds % 40)));
        child.kill().ok();
        let out = child.wait_with_output().unwrap();
        let after = world.open().tries_left().unwrap();
        if stderr(&out).contains("wrong PIN;") {
            judged += 1;
            assert_eq!(after, before - 1, "a judged PIN is a counted PIN");
        } else if after < before {
            killed_after_the_try += 1;
        }
        assert!(after + 1 >= before, "one process, one try");
        rounds += 1;
        assert!(rounds < 2_000, "the card blocks in the end");
    }
    assert_eq!(judged + killed_after_the_try, u64::from(PIN_TRIES));
    world.secret("right.pin", "1234\n");
    let right = ["change-pin", "card.json", "--pin-file", "right.pin", "--new-pin-file", "new.pin"];
    assert!(stderr(&world.program(&right)).contains("blocked"), "even the right PIN is too late");
}

#[test]
fn processes_share_the_three_tries() {
    let world = World::new();
    world.secret("wrong.pin", "9999");
    world.secret("new.pin", "5678");
    let guess = ["change-pin", "card.json", "--pin-file", "wrong.pin", "--new-pin-file", "new.pin"];
    let children: Vec<_> =
        (0..6).map(|_| world.command(&guess).stderr(Stdio::piped()).spawn().unwrap()).collect();
    let said: Vec<_> = children.into_iter().map(|child| stderr(&child.wait_with_output().unwrap())).collect();
    assert_eq!(said.iter().filter(|text| text.contains("wrong PIN;")).count(), 3, "{said:#?}");
    assert_eq!(said.iter().filter(|text| text.contains("is blocked after")).count(), 3, "{said:#?}");
}

#[test]
fn the_pin_can_be_changed() {
    let world = World::new();
    world.secret("old.pin", "1234\n");
    world.secret("new.pin", "5678\r\n");
    let out =
        world.program(&["change-pin", "card.json", "--pin-file", "old.pin", "--new-pin-file", "new.pin"]);
    assert!(out.status.success(), "{}", stderr(&out));
    let mut card = world.open();
    card.verify_pin(&pin("5678")).unwrap();
    card.verify_pin(&pin("1234")).unwrap_err();
}

#[test]
fn a_changed_card_file_is_refused() {
    let world = World::new();
    let whole = fs::read_to_string(world.card()).unwrap();
    world.open().verify_pin(&pin("9999")).unwrap_err();
    let used = fs::read_to_string(world.card()).unwrap();
    let forged = used.replace("\"tries_left\": 2", "\"tries_left\": 3");
    assert_ne!(used, forged);
    let cases = [
        forged,
        whole.replace("00000001SIMCARD13000001A", "00000001SIMCARD13000001B"),
        whole.replace("\"simulated\": true", "\"simulated\": false"),
        whole.get(..whole.len() / 2).unwrap().to_owned(),
        whole.replacen('{', "{\"name\": \"x\",", 1),
        String::new(),
        "x".repeat(100_000),
    ];
    for case in cases {
        world.secret("card.json", &case);
        let refused = CardFile::open(world.card()).unwrap_err();
        assert!(matches!(refused, CardError::Damaged { .. }), "{refused}");
    }
    world.secret("card.json", &whole);
    CardFile::open(world.card()).expect("the whole one opens");
}

#[test]
fn a_card_is_its_owners_alone_and_never_overwritten() {
    let world = World::new();
    let mode = fs::metadata(world.card()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let again = CardFile::create(world.card(), None, &pin("1234")).unwrap_err();
    assert!(matches!(again, CardError::Exists { .. }), "{again}");
    world.open().verify_pin(&pin("1234")).unwrap();
    let mode = fs::metadata(world.card()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "also after it was written anew");
    fs::set_permissions(world.card(), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(CardFile::open(world.card()), Err(CardError::Exposed { mode: 0o640, .. })));
}

#[test]
fn only_its_own_simulated_certificate_is_installed() {
    let world = World::new();
    let other = World::new();
    let mut card = world.open();
    let (own, own_ca) = authority::issue(&world.path("card.csr"), "SIMULATED-JPKI");
    let (foreign, foreign_ca) = authority::issue(&other.path("card.csr"), "SIMULATED-JPKI");
    let (real, real_ca) = authority::issue(&world.path("card.csr"), "JPKI");
    for (certificate, ca, why) in [
        (&foreign, &foreign_ca, "its public key is not this card's key"),
        (&own, &foreign_ca, "not signed by the CA"),
        (&real, &real_ca, "not a simulated authority"),
        (&own_ca, &own_ca, "its public key"),
    ] {
        let refused = card.install(certificate.as_bytes(), ca.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let refused = card.install(b"0garbage", own_ca.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains("not an X.509 certificate"), "{refused}");
    card.install(own.as_bytes(), own_ca.as_bytes()).unwrap();
}

#[test]
fn the_program_never_prints_or_takes_a_pin() {
    let world = World::new();
    world.secret("pin", "8765\n");
    let made = world.program(&["new", "--out", "b.json", "--request", "b.csr", "--pin-file", "pin"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let status = world.program(&["status", "b.json", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(json["simulated"], true);
    assert_eq!(json["tries_left"], 3);
    assert_eq!(json["certificate"], serde_json::Value::Null);
    let human = world.program(&["status", "b.json"]);
    for out in [&made, &status, &human] {
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), stderr(out));
        assert!(!said.contains("8765"), "{said}");
    }
    assert!(!fs::read_to_string(world.path("b.json")).unwrap().contains("8765"));
    assert_eq!(
        world.program(&["change-pin", "b.json", "--pin", "8765"]).status.code(),
        Some(2),
        "no such option"
    );
    assert!(stderr(&world.program(&["request", "b.json", "--request", "x"])).contains("--pin-file"));
    fs::set_permissions(world.path("pin"), fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = world.program(&["request", "b.json", "--request", "x", "--pin-file", "pin"]);
    assert!(stderr(&exposed).contains("chmod 600"), "{}", stderr(&exposed));
}

#[test]
fn openssl_issues_for_it_and_verifies_its_signature() {
    if !openssl_is_here("openssl_issues_for_it_and_verifies_its_signature") {
        return;
    }
    let world = World::new();
    let checked = world.openssl(&["req", "-in", "card.csr", "-verify", "-noout", "-subject"]);
    assert!(checked.contains("OK"), "{checked}");
    assert!(checked.contains("C = JP, CN = 00000001SIMCARD13000001A"), "{checked}");
    world.openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-days",
        "30",
        "-subj",
        "/C=JP/O=SIMULATED-JPKI",
    ]);
    world.openssl(&[
        "x509",
        "-req",
        "-in",
        "card.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "7",
        "-out",
        "card.crt",
    ]);
    let out = world.program(&["install", "card.json", "--certificate", "card.crt", "--ca", "ca.crt"]);
    assert!(out.status.success(), "{}", stderr(&out));
    let status = world.program(&["status", "card.json"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("valid now") && status.contains("simulated"), "{status}");

    let signature = world.open().verify_pin(&pin("1234")).unwrap().sign(b"a statement").unwrap();
    fs::write(world.path("statement"), b"a statement").unwrap();
    fs::write(world.path("signature"), signature).unwrap();
    fs::write(world.path("pub.pem"), world.openssl(&["x509", "-in", "card.crt", "-pubkey", "-noout"]))
        .unwrap();
    let verified =
        world.openssl(&["dgst", "-sha256", "-verify", "pub.pem", "-signature", "signature", "statement"]);
    assert!(verified.contains("Verified OK"), "{verified}");
}
