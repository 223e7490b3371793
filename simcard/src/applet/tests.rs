//! The card at the level of bytes: what is known of the real one, and what must never happen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod behaviour;
mod properties;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use hibiki_certs::card_authority::{CardAuthority, Usage};
use hibiki_protocol::time::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::*;
use crate::Pin;

const PIN: &str = "1234";
const PASSWORD: &str = "ABC123";
const SELECT_JPKI: [u8; 15] =
    [0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];

/// A card on a scratch folder, with what a client does to it.
struct Bench {
    folder: tempfile::TempDir,
    applet: Applet,
}

impl Bench {
    /// A grown-up's card: two keys, two certificates.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut card, requests) = CardFile::create_with_signature(
            folder.path().join("card.json"),
            None,
            &Pin::parse(PIN).unwrap(),
            &Pin::parse_for(KeySlot::Signature, PASSWORD).unwrap(),
        )
        .unwrap();
        let now = Timestamp(1_795_305_600_000);
        let mut authority = CardAuthority::init(&folder.path().join("ca"), "Bench", now).unwrap();
        for (slot, usage, request) in [
            (KeySlot::Authentication, Usage::Authentication, requests.authentication),
            (KeySlot::Signature, Usage::Signature, requests.signature),
        ] {
            let issued = authority.issue_for(usage, request.as_bytes(), 365, now).unwrap();
            card.install_for(slot, &issued.der, authority.certificate_der()).unwrap();
        }
        Self { folder, applet: Applet::new(card) }
    }

    /// The same in the application, where almost everything happens.
    fn in_jpki() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.status(&SELECT_JPKI), 0x9000);
        bench
    }

    /// A child's card: no signature key.
    fn child() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.json");
        let (card, _) = CardFile::create(path, None, &Pin::parse(PIN).unwrap()).unwrap();
        let mut bench = Self { folder, applet: Applet::new(card) };
        assert_eq!(bench.status(&SELECT_JPKI), 0x9000);
        bench
    }

    fn send(&mut self, apdu: &[u8]) -> (Vec<u8>, u16) {
        let answer = self.applet.transmit(apdu);
        let (data, status) = answer.split_last_chunk::<2>().expect("a status word");
        (data.to_vec(), u16::from_be_bytes(*status))
    }

    fn status(&mut self, apdu: &[u8]) -> u16 {
        let (data, status) = self.send(apdu);
        assert!(data.is_empty(), "{apdu:02X?} gave {} bytes", data.len());
        status
    }

    fn data(&mut self, apdu: &[u8]) -> Vec<u8> {
        let (data, status) = self.send(apdu);
        assert_eq!(status, 0x9000, "{apdu:02X?}");
        data
    }

    fn select(&mut self, id: u16) -> u16 {
        let [high, low] = id.to_be_bytes();
        self.status(&[0x00, 0xA4, 0x02, 0x0C, 0x02, high, low])
    }

    fn verify(&mut self, file: u16, pin: &str) -> u16 {
        assert_eq!(self.select(file), 0x9000);
        self.status(&command(0x00, 0x20, 0x00, 0x80, pin.as_bytes()))
    }

    fn read_whole(&mut self, file: u16) -> Vec<u8> {
        assert_eq!(self.select(file), 0x9000);
        let mut all = Vec::new();
        loop {
            let [high, low] = u16::try_from(all.len()).unwrap().to_be_bytes();
            match self.send(&[0x00, 0xB0, high, low, 0x00]) {
                (chunk, 0x9000) => all.extend(chunk),
                (_, 0x6B00) => return all,
                (_, other) => panic!("{other:04X}"),
            }
        }
    }

    fn certificate(&self, slot: KeySlot) -> Vec<u8> {
        self.applet.card().certificate_der_of(slot).unwrap().to_vec()
    }

    fn tries(&self, slot: KeySlot) -> u8 {
        self.applet.card().tries_left_of(slot).unwrap()
    }
}

fn command(class: u8, instruction: u8, p1: u8, p2: u8, data: &[u8]) -> Vec<u8> {
    let mut apdu = vec![class, instruction, p1, p2, u8::try_from(data.len()).unwrap()];
    apdu.extend_from_slice(data);
    apdu
}

fn sign_command(p1: u8, data: &[u8]) -> Vec<u8> {
    let mut apdu = command(0x80, 0x2A, p1, 0x80, data);
    apdu.push(0);
    apdu
}

/// DigestInfo of SHA-256 (RFC 8017 section 9.2, note 1).
fn digest_info(message: &[u8]) -> Vec<u8> {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
    let head = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    [head.as_slice(), hash.as_ref()].concat()
}

/// Whether the other library accepts a signature as this certificate's.
fn verifies(certificate: &[u8], pss: bool, message: &[u8], signature: &[u8]) -> bool {
    let (_, certificate) = X509Certificate::from_der(certificate).unwrap();
    let algorithm: &'static dyn VerificationAlgorithm =
        if pss { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
    let key = &certificate.public_key().subject_public_key.data;
    UnparsedPublicKey::new(algorithm, key.as_ref()).verify(message, signature).is_ok()
}
