//! Cards that were made once and for all: RSA keys with their certificates, and the authority that issued them.
//!
//! A card file would spend a rehearsal on looking for primes and on a slow PIN; a card made of plastic does neither.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_certs::card_authority::CardAuthority;
use hibiki_terminal::card::{Awaiting, Card, CardFault, Certificate, Inspection, Pin, Proof};

use super::Stumble;

/// Keys and certificates, in turn.
const CARDS: &str = include_str!("../../rehearsed-cards/cards.pem");
/// The authority's folder.
const AUTHORITY: [(&str, &str); 3] = [
    ("ca.key", include_str!("../../rehearsed-cards/ca.key")),
    ("ca.crt", include_str!("../../rehearsed-cards/ca.crt")),
    ("register.json", include_str!("../../rehearsed-cards/register.json")),
];
/// Wrong PINs a card forgives.
const TRIES: u8 = 3;

/// Lays the authority's folder down and opens it.
pub(super) fn authority(folder: &Path) -> Result<CardAuthority, Stumble> {
    let failed = |error: &dyn std::fmt::Display| Stumble(format!("the card authority: {error}"));
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    for (name, text) in AUTHORITY {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(folder.join(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&error))?;
    }
    CardAuthority::open(folder).map_err(|error| failed(&error))
}

/// A card that lies on its reader for ever.
#[derive(Clone)]
pub(super) struct RehearsedCard {
    key: Arc<KeyPair>,
    certificate: Vec<u8>,
    pem: String,
}

impl RehearsedCard {
    /// The card of this number, counted from zero; there are forty.
    pub(super) fn new(number: usize) -> Result<Self, Stumble> {
        let missing = || Stumble(format!("there is no card {number}"));
        let mut blocks = CARDS.split_inclusive("-----END CERTIFICATE-----\n").skip(number);
        let block = blocks.next().ok_or_else(missing)?;
        let (key, certificate) = block.split_once("-----BEGIN CERTIFICATE-----").ok_or_else(missing)?;
        let key = KeyPair::from_pkcs8(&der(key).ok_or_else(missing)?).map_err(|_| missing())?;
        let pem = format!("-----BEGIN CERTIFICATE-----{certificate}");
        Ok(Self { key: Arc::new(key), certificate: der(&pem).ok_or_else(missing)?, pem })
    }

    /// Its certificate, PEM.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    fn sign(&self, message: &[u8]) -> Result<Proof, CardFault> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| CardFault::Unusable("it does not sign".to_owned()))?;
        Ok(Proof { certificate: self.certificate.clone(), signature, tries_left: TRIES })
    }
}

/// What stands between two lines of dashes.
fn der(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).ok()
}

impl Card for RehearsedCard {
    fn inspect(&mut self) -> Awaiting<'_, Result<Inspection, CardFault>> {
        let certificate = Certificate::read(self.certificate.clone());
        Box::pin(async { Ok(Inspection { certificate: certificate?, tries_left: TRIES, shared: false }) })
    }

    fn prove<'a>(&'a mut self, _: &'a Pin, message: &'a [u8]) -> Awaiting<'a, Result<Proof, CardFault>> {
        Box::pin(async { self.sign(message) })
    }

    fn removed(&self) -> Awaiting<'static, ()> {
        Box::pin(std::future::pending())
    }
}
