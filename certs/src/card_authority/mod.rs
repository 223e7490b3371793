//! A card authority for rehearsals: issues and revokes the certificates of simulated cards.
//!
//! Everything it signs says that it is simulated, in the organisation's name and in the policy. It
//! must not know who a holder is: requests name opaque identifiers, the register keeps serials only.
//!
//! A folder holds it: `ca.key` (0600), `ca.crt`, `register.json` (0600).

mod error;
mod profile;
mod register;
mod request;

use std::fs::File;
use std::path::{Path, PathBuf};

use hibiki_protocol::time::Timestamp;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, PKCS_RSA_SHA256,
    RevocationReason, RevokedCertParams, RsaKeySize, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::files::{self, Secrecy};
pub use error::{CardAuthorityError, RequestError};
pub use profile::{SIMULATED_ORGANISATION, SIMULATED_POLICY, SIMULATED_SIGNATURE_POLICY, Usage};
use profile::{Span, instant};
use register::Register;
pub use register::{Entry, Reason, Serial, State};
use request::CardRequest;

const KEY_FILE: &str = "ca.key";
const CERTIFICATE_FILE: &str = "ca.crt";
const REGISTER_FILE: &str = "register.json";

const DAY_SECONDS: u64 = 86_400;
/// Days a card certificate is valid at most: to the fifth birthday after issue, as JPKI's.
pub const CARD_DAYS_MAX: u64 = 1_827;
/// Hours until the next revocation list at most.
pub const CRL_HOURS_MAX: u64 = 31 * 24;

/// A card authority in its folder, held by this process alone.
pub struct CardAuthority {
    folder: PathBuf,
    key: KeyPair,
    params: CertificateParams,
    certificate: Vec<u8>,
    /// Last second of the authority's own certificate, seconds since 1970 UTC.
    not_after: u64,
    register: Register,
    _turn: File,
}

/// A certificate just issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// The same, PEM.
    pub pem: String,
    /// Its serial number.
    pub serial: Serial,
}

impl CardAuthority {
    /// Makes an authority in `folder`, which is made if need be; never over another.
    ///
    /// # Errors
    /// There is one already, or a file cannot be written.
    pub fn init(folder: &Path, name: &str, now: Timestamp) -> Result<Self, CardAuthorityError> {
        if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(CardAuthorityError::Name);
        }
        files::make_folder(folder)?;
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let from = now.0 / 1000;
        let params = profile::authority(name, Span { from, to: from + profile::CA_SECONDS })?;
        let certificate = params.self_signed(&key)?;
        let key_pem = zeroize::Zeroizing::new(key.serialize_pem());
        files::create(&folder.join(KEY_FILE), key_pem.as_bytes(), Secrecy::Private)?;
        files::create(&folder.join(CERTIFICATE_FILE), certificate.pem().as_bytes(), Secrecy::Public)?;
        files::create(&folder.join(REGISTER_FILE), &Register::new(name).encode()?, Secrecy::Private)?;
        Self::open(folder)
    }

    /// Opens an authority and waits until no other process holds it.
    ///
    /// # Errors
    /// The folder holds none, or its key is open to others.
    pub fn open(folder: &Path) -> Result<Self, CardAuthorityError> {
        let broken = |what| CardAuthorityError::NotAnAuthority { folder: folder.to_owned(), what };
        if !folder.join(KEY_FILE).exists() {
            return Err(broken("there is no ca.key in it"));
        }
        let turn = files::lock_folder(folder)?;
        let key_pem = files::read_secret(&folder.join(KEY_FILE))?;
        let key_pem = std::str::from_utf8(&key_pem).map_err(|_| broken("ca.key is not PEM"))?;
        let key = KeyPair::from_pem_and_sign_algo(key_pem, &PKCS_RSA_SHA256)
            .map_err(|_| broken("ca.key is not an RSA key"))?;
        let register: Register = serde_json::from_slice(&files::read(&folder.join(REGISTER_FILE))?)
            .map_err(|_| broken("register.json is damaged"))?;
        if register.format != register::FORMAT {
            return Err(broken("register.json is of another version"));
        }
        let certificate = CertificateDer::from_pem_slice(&files::read(&folder.join(CERTIFICATE_FILE))?)
            .map_err(|_| broken("ca.crt is not PEM"))?
            .to_vec();
        let (own_key, from, to) = own(&certificate).ok_or_else(|| broken("ca.crt is not a certificate"))?;
        if own_key != rcgen::PublicKeyData::subject_public_key_info(&key) {
            return Err(broken("ca.key is not the key of ca.crt"));
        }
        let params = profile::authority(&register.name, Span { from, to })?;
        Ok(Self { folder: folder.to_owned(), key, params, certificate, not_after: to, register, _turn: turn })
    }

    /// The authority's own certificate, DER: what a trust list accepts.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The authority's name.
    pub fn name(&self) -> &str {
        &self.register.name
    }

    /// Every certificate it issued, by serial.
    pub fn issued(&self) -> impl Iterator<Item = (&Serial, &Entry)> {
        self.register.issued.iter()
    }

    /// Issues a user-authentication certificate, valid for `days` from `now`, for a card's request
    /// (PKCS#10, PEM or DER). The register has it before it is returned.
    ///
    /// # Errors
    /// The request or the lifetime does not fit the profile.
    pub fn issue(
        &mut self,
        request: &[u8],
        days: u64,
        now: Timestamp,
    ) -> Result<IssuedCertificate, CardAuthorityError> {
        self.issue_for(Usage::Authentication, request, days, now)
    }

    /// Issues a certificate for a use: as [`Self::issue`], whose certificates are for authentication.
    ///
    /// # Errors
    /// The request or the lifetime does not fit the profile.
    pub fn issue_for(
        &mut self,
        usage: Usage,
        request: &[u8],
        days: u64,
        now: Timestamp,
    ) -> Result<IssuedCertificate, CardAuthorityError> {
        let request = CardRequest::read(request)?;
        let from = now.0 / 1000;
        let to = from.saturating_add(days.saturating_mul(DAY_SECONDS));
        if !(1..=CARD_DAYS_MAX).contains(&days) || to > self.not_after {
            return Err(CardAuthorityError::Lifetime);
        }
        let serial = Serial::random()?;
        let params = profile::card(
            usage,
            &request.holder_id,
            &self.register.name,
            &request,
            &serial.bytes(),
            Span { from, to },
        )?;
        let certificate = params.signed_by(&request, &self.issuer())?;
        self.register.issued.insert(serial.clone(), Entry { not_after: to, state: State::Good });
        self.save()?;
        Ok(IssuedCertificate { der: certificate.der().to_vec(), pem: certificate.pem(), serial })
    }

    /// Revokes a certificate for good. It counts for others with the next [`Self::crl`].
    ///
    /// # Errors
    /// Not issued here, or revoked before.
    pub fn revoke(
        &mut self,
        serial: &Serial,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), CardAuthorityError> {
        self.change(serial, State::Revoked { at: now.0 / 1000, reason })
    }

    /// Suspends a certificate until it is resumed (a card reported lost, 一時停止).
    ///
    /// # Errors
    /// Not issued here, or revoked.
    pub fn suspend(&mut self, serial: &Serial, now: Timestamp) -> Result<(), CardAuthorityError> {
        self.change(serial, State::Suspended { at: now.0 / 1000 })
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// Not issued here, or revoked.
    pub fn resume(&mut self, serial: &Serial) -> Result<(), CardAuthorityError> {
        self.change(serial, State::Good)
    }

    /// A new revocation list (RFC 5280 §5), DER, to be replaced within `hours`.
    ///
    /// # Errors
    /// The lifetime is out of bounds, or the register cannot be written.
    pub fn crl(&mut self, hours: u64, now: Timestamp) -> Result<Vec<u8>, CardAuthorityError> {
        if !(1..=CRL_HOURS_MAX).contains(&hours) {
            return Err(CardAuthorityError::CrlLifetime);
        }
        self.register.crl_number += 1;
        self.save()?;
        let seconds = now.0 / 1000;
        let params = CertificateRevocationListParams {
            this_update: instant(seconds),
            next_update: instant(seconds + hours * 3600),
            crl_number: SerialNumber::from_slice(&self.register.crl_number.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: self.issued().filter_map(|(serial, entry)| revoked(serial, entry.state)).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer())?.der().to_vec())
    }

    fn change(&mut self, serial: &Serial, state: State) -> Result<(), CardAuthorityError> {
        self.register.change(serial, state)?;
        self.save()
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn save(&self) -> Result<(), CardAuthorityError> {
        let path = self.folder.join(REGISTER_FILE);
        Ok(files::replace(&path, &self.register.encode()?, Secrecy::Private)?)
    }
}

impl std::fmt::Debug for CardAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardAuthority").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn revoked(serial: &Serial, state: State) -> Option<RevokedCertParams> {
    let (at, reason) = match state {
        State::Good => return None,
        State::Suspended { at } => (at, RevocationReason::CertificateHold),
        State::Revoked { at, reason } => (
            at,
            match reason {
                Reason::Unspecified => RevocationReason::Unspecified,
                Reason::KeyCompromise => RevocationReason::KeyCompromise,
                Reason::Superseded => RevocationReason::Superseded,
                Reason::CessationOfOperation => RevocationReason::CessationOfOperation,
            },
        ),
    };
    Some(RevokedCertParams {
        serial_number: SerialNumber::from_slice(&serial.bytes()),
        revocation_time: instant(at),
        reason_code: Some(reason),
        invalidity_date: None,
    })
}

/// Public key (SubjectPublicKeyInfo), first and last second of a DER certificate.
fn own(der: &[u8]) -> Option<(Vec<u8>, u64, u64)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let from = u64::try_from(validity.not_before.timestamp()).ok()?;
    let to = u64::try_from(validity.not_after.timestamp()).ok()?;
    Some((certificate.public_key().raw.to_vec(), from, to))
}
