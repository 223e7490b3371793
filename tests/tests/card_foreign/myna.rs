//! The crate myna-card, made against real cards: it logs in and signs in every way the card has.
//!
//! libpcsclite reads the socket's path from the environment, which a process must not change for itself; so the
//! client is this program once more, as a child.

use std::path::PathBuf;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use hibiki_tests::card_reader::SampleCard;
use myna_card::Pin;
use myna_card::ap::jpki::{JpkiAp, SignatureScheme};
use myna_card::transport::pcsc::{self, Sharing};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::bench::Bench;

const READER: &str = "HIBIKI_TEST_READER";
const CHILD: &str = "myna::the_client";
/// DER of `DigestInfo { sha256, NULL }` up to the digest (RFC 8017 section 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

#[test]
fn myna_card_logs_in_and_signs_with_either_key() {
    let Some(bench) = Bench::new("myna_card_logs_in_and_signs_with_either_key", &[]) else { return };
    let (card, _inserted) = bench.with_card(&[]);
    std::fs::write(bench.path("authentication.der"), &card.authentication).unwrap();
    std::fs::write(bench.path("signature.der"), &card.signature).unwrap();
    std::fs::write(bench.path("authority.der"), &card.authority).unwrap();
    let me = std::env::current_exe().unwrap();
    let mut command = bench.reader.client("timeout");
    command.arg("90").arg(me).args(["--exact", CHILD, "--ignored", "--nocapture"]);
    command.env(READER, bench.reader.reader_name(0)).current_dir(bench.folder.path());
    let said = crate::bench::Said::of(&command.output().unwrap());
    assert!(said.success && said.text.contains("1 passed"), "{}", said.text);
}

#[test]
#[ignore = "run by myna_card_logs_in_and_signs_with_either_key, in a folder with a card's certificates"]
fn the_client() {
    let reader = std::env::var(READER).expect("the reader's name");
    let file = |name: &str| std::fs::read(PathBuf::from(name)).unwrap();
    let mut card = pcsc::connect(&reader, Sharing::Exclusive).unwrap();
    let mut jpki = JpkiAp::select(&mut card).unwrap();

    let token = jpki.read_token_info().unwrap();
    assert_eq!(format!("{:?}", token.token_type), "Card");
    assert_eq!(token.manufacturer_id, "SIMULATED-JPKI");
    let available = jpki.read_certificate_availability().unwrap();
    assert!(available.has_auth_certificate() && available.has_sign_certificate());
    assert_eq!(jpki.read_auth_certificate_der().unwrap(), file("authentication.der"));
    assert_eq!(jpki.read_auth_ca_certificate_der().unwrap(), file("authority.der"));
    assert!(jpki.read_sign_certificate_der().is_err(), "behind the password");
    assert_eq!(format!("{:?}", jpki.auth_pin_retries().unwrap()), "Remaining(3)");
    assert_eq!(format!("{:?}", jpki.sign_pin_retries().unwrap()), "Remaining(5)");
    let message = b"signed through somebody else's client";
    assert!(jpki.sign_with_auth_key(SignatureScheme::Sha256DigestInfo, message).is_err(), "not logged in");

    assert!(jpki.verify_auth_pin(&Pin::numeric("0000").unwrap()).is_err());
    assert_eq!(format!("{:?}", jpki.auth_pin_retries().unwrap()), "Remaining(2)");
    jpki.verify_auth_pin(&Pin::numeric(SampleCard::PIN).unwrap()).unwrap();
    jpki.verify_sign_pin(&Pin::new(SampleCard::PASSWORD).unwrap()).unwrap();
    assert_eq!(jpki.read_sign_certificate_der().unwrap(), file("signature.der"));

    // Checked by a library that is neither the card's nor the client's; the padding of PKCS#1 v1.5 leaves
    // nothing to chance, so that schemes which must agree are held against each other.
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
    let hash = hash.as_ref();
    let digest_info = [&SHA256_DIGEST_INFO, hash].concat();
    let keys = ["authentication.der", "signature.der"].map(|name| {
        let certificate = file(name);
        let (_, certificate) = X509Certificate::from_der(&certificate).unwrap();
        certificate.public_key().subject_public_key.data.to_vec()
    });
    for (slot, key) in keys.iter().enumerate() {
        let mut sign = |scheme, data: &[u8]| {
            let signed = if slot == 0 {
                jpki.sign_with_auth_key(scheme, data)
            } else {
                jpki.sign_with_sign_key(scheme, data)
            };
            signed.unwrap()
        };
        let pkcs1 = sign(SignatureScheme::Sha256DigestInfo, message);
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, &pkcs1).unwrap();
        assert_eq!(sign(SignatureScheme::PreHashedDigestInfo, hash), pkcs1);
        assert_eq!(sign(SignatureScheme::Verbatim, &digest_info), pkcs1);
        assert_eq!(sign(SignatureScheme::Sha256Bare, message), sign(SignatureScheme::Verbatim, hash));
        for pss in [sign(SignatureScheme::PreHashedPss, hash), sign(SignatureScheme::Sha256Pss, message)] {
            UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key).verify(message, &pss).unwrap();
        }
    }

    jpki.change_auth_pin(&Pin::numeric(SampleCard::PIN).unwrap(), &Pin::numeric("2468").unwrap()).unwrap();
    jpki.verify_auth_pin(&Pin::numeric("2468").unwrap()).unwrap();
}
