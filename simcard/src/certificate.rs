//! The certificates on the card: read, and admitted only where they belong.
//!
//! Judges nothing about trust: whether an authority is accepted is the registry's decision.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::error::CertificateError;

/// The O= of every authority whose certificates a simulated card accepts.
pub const SIMULATED_ORGANISATION: &str = "SIMULATED-JPKI";

/// What a certificate says about itself, for people. Nothing in it names a person.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CertificateInfo {
    /// Subject distinguished name.
    pub subject: String,
    /// Issuer distinguished name.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// First second of validity, seconds since 1970 UTC.
    pub not_before: i64,
    /// Last second of validity, seconds since 1970 UTC.
    pub not_after: i64,
}

impl CertificateInfo {
    /// Reads a DER certificate.
    pub fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = parse(der, "the certificate")?;
        let validity = certificate.validity();
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }

    /// Whether the certificate is within its dates at `now` (seconds since 1970 UTC).
    pub fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// DER of one certificate given as DER or PEM.
pub(crate) fn to_der(bytes: &[u8], which: &'static str) -> Result<Vec<u8>, CertificateError> {
    if bytes.first() == Some(&0x30) {
        return Ok(bytes.to_vec());
    }
    let der = CertificateDer::from_pem_slice(bytes).map_err(|_| CertificateError::Unreadable(which))?;
    Ok(der.to_vec())
}

/// Whether `certificate` may stand on the card that holds `public_key` (SubjectPublicKeyInfo, DER).
pub(crate) fn check(certificate: &[u8], ca: &[u8], public_key: &[u8]) -> Result<(), CertificateError> {
    let certificate = parse(certificate, "the certificate")?;
    let ca = parse(ca, "the CA certificate")?;
    if certificate.public_key().raw != public_key {
        return Err(CertificateError::OtherKey);
    }
    let from_ca = certificate.issuer().as_raw() == ca.subject().as_raw()
        && certificate.verify_signature(Some(ca.public_key())).is_ok();
    if !from_ca {
        return Err(CertificateError::NotFromCa);
    }
    let mut organisations = certificate.issuer().iter_organization();
    let simulated = organisations.next().and_then(|o| o.as_str().ok()) == Some(SIMULATED_ORGANISATION)
        && organisations.next().is_none();
    if simulated { Ok(()) } else { Err(CertificateError::NotSimulated) }
}

fn parse<'a>(der: &'a [u8], which: &'static str) -> Result<X509Certificate<'a>, CertificateError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateError::Unreadable(which)),
    }
}
