//! Real card certificates for tests: from the simulated authority and the simulated card, and crafted ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use hibiki_certs::card_authority::{self, SIMULATED_POLICY, SIMULATED_SIGNATURE_POLICY, Usage};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::CardAuthority;
use hibiki_simcard::{CardFile, KeySlot, Pin};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384,
};
use tempfile::TempDir;
use time::OffsetDateTime;

/// 2026-11-22T00:00:00Z, a Sunday.
pub(crate) const NOW: Timestamp = Timestamp(1_795_305_600_000);
/// Milliseconds of a day.
pub(crate) const DAY: u64 = 24 * 3600 * 1000;

/// A simulated authority with its folder, and a folder of revocation lists.
pub(crate) struct Office {
    pub(crate) folder: TempDir,
    pub(crate) authority: card_authority::CardAuthority,
    pin: Pin,
}

/// A simulated card with its certificate.
pub(crate) struct Plastic {
    pub(crate) certificate: Vec<u8>,
    pub(crate) serial: card_authority::Serial,
    card: CardFile,
    pin: Pin,
}

impl Office {
    /// An authority, and a list that revokes nobody, valid for a day.
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = card_authority::CardAuthority::init(&folder.path().join("ca"), name, NOW).unwrap();
        fs::create_dir(folder.path().join("crl")).unwrap();
        let mut office = Self { folder, authority, pin: Pin::parse("1234").unwrap() };
        office.publish(24, NOW);
        office
    }

    /// The folder of revocation lists.
    pub(crate) fn lists(&self) -> PathBuf {
        self.folder.path().join("crl")
    }

    /// Publishes the present revocations.
    pub(crate) fn publish(&mut self, hours: u64, now: Timestamp) {
        let list = self.authority.crl(hours, now).unwrap();
        fs::write(self.lists().join(format!("{}.crl", now.0)), list).unwrap();
    }

    /// The entry of the trust list.
    pub(crate) fn entry(&self) -> CardAuthority {
        CardAuthority {
            name: self.authority.name().to_owned(),
            certificate: self.authority.certificate_der().to_vec(),
            policy: SIMULATED_POLICY.to_owned(),
            simulated: true,
        }
    }

    /// The same, mistakenly with the policy of signature certificates.
    pub(crate) fn entry_for_signatures(&self) -> CardAuthority {
        CardAuthority { policy: SIMULATED_SIGNATURE_POLICY.to_owned(), ..self.entry() }
    }

    /// A card's signature certificate and its signature over `message`.
    pub(crate) fn signature_card(&mut self, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let path = self.folder.path().join("with-signature");
        let password = Pin::parse_for(KeySlot::Signature, "ABC123").unwrap();
        let (mut card, requests) = CardFile::create_with_signature(path, None, &self.pin, &password).unwrap();
        let issued =
            self.authority.issue_for(Usage::Signature, requests.signature.as_bytes(), 365, NOW).unwrap();
        (issued.der, card.verify_pin(&password).unwrap().sign(message).unwrap().to_vec())
    }

    /// A new card, valid for `days` from `now`.
    pub(crate) fn card(&mut self, file: &str, days: u64, now: Timestamp) -> Plastic {
        let path = self.folder.path().join(file);
        let (mut card, request) = CardFile::create(path, None, &self.pin).unwrap();
        let issued = self.authority.issue(request.as_bytes(), days, now).unwrap();
        card.install(&issued.der, self.authority.certificate_der()).unwrap();
        Plastic { certificate: issued.der, serial: issued.serial, card, pin: Pin::parse("1234").unwrap() }
    }
}

impl Plastic {
    /// The card's signature over `message`, behind the PIN.
    pub(crate) fn sign(&mut self, message: &[u8]) -> Vec<u8> {
        self.card.verify_pin(&self.pin).unwrap().sign(message).unwrap().to_vec()
    }
}

/// An authority whose leaves can be bent in every way; P-384, as the next generation of cards.
pub(crate) struct Forge {
    key: KeyPair,
    params: CertificateParams,
    pub(crate) entry: CardAuthority,
}

/// What a crafted leaf looks like. The default is acceptable.
pub(crate) struct Bend {
    pub(crate) policies: Vec<&'static str>,
    pub(crate) usages: Vec<KeyUsagePurpose>,
    pub(crate) extended: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) extra: Vec<CustomExtension>,
    pub(crate) is_ca: IsCa,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) key: KeyPair,
}

pub(crate) const FORGE_POLICY: &str = "1.3.6.1.4.1.32473.1";

impl Default for Bend {
    fn default() -> Self {
        Self {
            policies: vec![FORGE_POLICY],
            usages: vec![KeyUsagePurpose::DigitalSignature],
            extended: vec![ExtendedKeyUsagePurpose::ClientAuth],
            extra: Vec::new(),
            is_ca: IsCa::NoCa,
            from: NOW,
            to: NOW.plus(365 * DAY),
            key: KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
        }
    }
}

impl Forge {
    pub(crate) fn new(name: &str, from: Timestamp, to: Timestamp) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = (instant(from), instant(to));
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        let policy = FORGE_POLICY.to_owned();
        let entry = CardAuthority { name: name.to_owned(), certificate, policy, simulated: false };
        Self { key, params, entry }
    }

    /// A leaf of this shape, DER.
    pub(crate) fn leaf(&self, bend: &Bend) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "00000001SIMCARD13000001A");
        params.is_ca = bend.is_ca;
        params.key_usages.clone_from(&bend.usages);
        params.extended_key_usages.clone_from(&bend.extended);
        params.use_authority_key_identifier_extension = true;
        params.custom_extensions.clone_from(&bend.extra);
        if !bend.policies.is_empty() {
            params.custom_extensions.push(policies(&bend.policies));
        }
        (params.not_before, params.not_after) = (instant(bend.from), instant(bend.to));
        params.signed_by(&bend.key, &self.issuer()).unwrap().der().to_vec()
    }

    pub(crate) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

pub(crate) fn instant(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(i64::try_from(at.0 / 1000).unwrap()).unwrap()
}

fn policies(dotted: &[&str]) -> CustomExtension {
    let information = |dotted: &&str| {
        let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
        let mut content = vec![u8::try_from(arcs[0] * 40 + arcs[1]).unwrap()];
        for arc in &arcs[2..] {
            let mut groups = vec![u8::try_from(arc & 0x7f).unwrap()];
            let mut rest = arc >> 7;
            while rest > 0 {
                groups.insert(0, u8::try_from(rest & 0x7f).unwrap() | 0x80);
                rest >>= 7;
            }
            content.extend(groups);
        }
        short(0x30, &short(0x06, &content))
    };
    let all: Vec<u8> = dotted.iter().flat_map(information).collect();
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 32], short(0x30, &all));
    extension.set_criticality(true);
    extension
}

/// A DER element shorter than 128 bytes.
fn short(tag: u8, content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 128);
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}
