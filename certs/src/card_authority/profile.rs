//! The certificate profile: the shape of the real JPKI certificates, with names and policies that
//! can never be taken for J-LIS's.
//!
//! Shape after the published JPKI-TEST certificates: subject `C=JP, CN=opaque id`, RSA-2048,
//! keyUsage (critical), certificatePolicies (critical), CRL distribution point by directory name,
//! authority and subject key identifiers, no basicConstraints. User authentication has
//! digitalSignature and the extended key usage clientAuth; digital signature has digitalSignature
//! and nonRepudiation and no extended key usage. The real signature certificate also names its
//! holder and address; this one does not.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use time::OffsetDateTime;

use super::error::CardAuthorityError;

/// The O= of every simulated card authority. Verifiers and cards recognise a simulated card by it.
pub const SIMULATED_ORGANISATION: &str = "SIMULATED-JPKI";

/// The OU= beside it, for people who read certificates.
const SIMULATED_UNIT: &str = "Simulated cards for user authentication, not J-LIS";

/// The certificate policy of simulated user-authentication certificates: the tail of the real one
/// (1.2.392.200149.8.5.1.3.30) under the enterprise number reserved for examples (RFC 5612).
pub const SIMULATED_POLICY: &str = "1.3.6.1.4.1.32473.8.5.1.3.30";

/// The certificate policy of simulated digital-signature certificates: the tail of the real one
/// (1.2.392.200149.8.5.1.1.20) under the same enterprise number.
pub const SIMULATED_SIGNATURE_POLICY: &str = "1.3.6.1.4.1.32473.8.5.1.1.20";

const POLICY_ARCS: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 8, 5, 1, 3, 30];
const SIGNATURE_POLICY_ARCS: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 8, 5, 1, 1, 20];
/// The practice statement of a simulation; `.invalid` never resolves (RFC 2606).
const PRACTICE_STATEMENT: &str = "https://simulated-card.invalid/cps.html";
const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];
const CRL_DISTRIBUTION_POINTS: &[u64] = &[2, 5, 29, 31];
const CERTIFICATE_POLICIES: &[u64] = &[2, 5, 29, 32];
/// id-qt-cps (RFC 5280 §4.2.1.4).
const QUALIFIER_CPS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 2, 1];

/// Seconds a simulated authority's own certificate is valid: ten years.
pub(crate) const CA_SECONDS: u64 = 3_652 * 86_400;

/// What a card's certificate is for: a card has one key for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// User authentication (利用者証明用): opens a session.
    Authentication,
    /// Digital signature (署名用): signs documents, and never opens a session.
    Signature,
}

impl Usage {
    fn key_usages(self) -> Vec<KeyUsagePurpose> {
        match self {
            Self::Authentication => vec![KeyUsagePurpose::DigitalSignature],
            Self::Signature => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment],
        }
    }

    fn extended_key_usages(self) -> Vec<ExtendedKeyUsagePurpose> {
        match self {
            Self::Authentication => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Self::Signature => Vec::new(),
        }
    }

    fn policy(self) -> &'static [u64] {
        match self {
            Self::Authentication => POLICY_ARCS,
            Self::Signature => SIGNATURE_POLICY_ARCS,
        }
    }
}

/// From the first to the last second of a certificate, seconds since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// The authority's own certificate, and the issuer under which it signs.
pub(crate) fn authority(name: &str, span: Span) -> Result<CertificateParams, CardAuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = authority_name(name)?;
    (params.not_before, params.not_after) = (instant(span.from), instant(span.to));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = KeyIdMethod::Sha256;
    Ok(params)
}

/// A card's certificate.
pub(crate) fn card(
    usage: Usage,
    holder_id: &str,
    authority: &str,
    key: &impl PublicKeyData,
    serial: &[u8],
    span: Span,
) -> Result<CertificateParams, CardAuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, country()?);
    params.distinguished_name.push(DnType::CommonName, holder_id);
    (params.not_before, params.not_after) = (instant(span.from), instant(span.to));
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.key_usages = usage.key_usages();
    params.extended_key_usages = usage.extended_key_usages();
    params.use_authority_key_identifier_extension = true;
    params.custom_extensions = vec![
        policies(usage.policy()),
        CustomExtension::from_oid_content(CRL_DISTRIBUTION_POINTS, distribution_point(authority)),
        // rcgen writes this one only beside basicConstraints, which the real profile lacks.
        CustomExtension::from_oid_content(SUBJECT_KEY_IDENTIFIER, tlv(0x04, &key_identifier(key))),
    ];
    Ok(params)
}

/// `C=JP, O=SIMULATED-JPKI, OU=…, CN=name`.
fn authority_name(name: &str) -> Result<DistinguishedName, CardAuthorityError> {
    let mut dn = DistinguishedName::new();
    dn.push(DnType::CountryName, country()?);
    dn.push(DnType::OrganizationName, SIMULATED_ORGANISATION);
    dn.push(DnType::OrganizationalUnitName, SIMULATED_UNIT);
    dn.push(DnType::CommonName, name);
    Ok(dn)
}

fn country() -> Result<DnValue, CardAuthorityError> {
    Ok(DnValue::PrintableString("JP".try_into()?))
}

/// certificatePolicies (RFC 5280 §4.2.1.4), critical, one policy with its practice statement.
fn policies(policy: &[u64]) -> CustomExtension {
    let qualifier = tlv(0x30, &[oid(QUALIFIER_CPS), tlv(0x16, PRACTICE_STATEMENT.as_bytes())].concat());
    let information = tlv(0x30, &[oid(policy), tlv(0x30, &qualifier)].concat());
    let mut extension = CustomExtension::from_oid_content(CERTIFICATE_POLICIES, tlv(0x30, &information));
    extension.set_criticality(true);
    extension
}

/// One distribution point with the authority's own directory name (RFC 5280 §4.2.1.13), as JPKI has.
fn distribution_point(authority: &str) -> Vec<u8> {
    let attribute = |arcs: &[u64], tag, value: &str| {
        tlv(0x31, &tlv(0x30, &[oid(arcs), tlv(tag, value.as_bytes())].concat()))
    };
    let name = [
        attribute(&[2, 5, 4, 6], 0x13, "JP"),
        attribute(&[2, 5, 4, 10], 0x0C, SIMULATED_ORGANISATION),
        attribute(&[2, 5, 4, 11], 0x0C, SIMULATED_UNIT),
        attribute(&[2, 5, 4, 3], 0x0C, authority),
    ]
    .concat();
    let full_name = tlv(0xA0, &tlv(0xA4, &tlv(0x30, &name)));
    tlv(0x30, &tlv(0x30, &tlv(0xA0, &full_name)))
}

/// The first 160 bits of the SHA-256 of the public key (RFC 7093 §2, method 1).
fn key_identifier(key: &impl PublicKeyData) -> Vec<u8> {
    digest(&SHA256, key.der_bytes()).as_ref().iter().take(20).copied().collect()
}

/// A point in time as rcgen wants it, from seconds since 1970 UTC.
pub(crate) fn instant(seconds: u64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A DER object identifier of arcs (X.690 §8.19).
fn oid(arcs: &[u64]) -> Vec<u8> {
    let (first, rest) = match arcs {
        [first, second, rest @ ..] => (first * 40 + second, rest),
        _ => return Vec::new(),
    };
    let mut content = Vec::new();
    for arc in std::iter::once(&first).chain(rest) {
        let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let low = u8::try_from((arc >> (7 * group)) & 0x7F).unwrap_or_default();
            content.push(if group == 0 { low } else { low | 0x80 });
        }
    }
    tlv(0x06, &content)
}

/// A DER element of a tag and its content (X.690 §8.1).
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut element = vec![tag];
    match (content.len(), u8::try_from(significant.len())) {
        (0..=0x7F, _) => element.push(content.len().to_le_bytes().first().copied().unwrap_or_default()),
        (_, Ok(count)) => {
            element.push(0x80 | count);
            element.extend_from_slice(&significant);
        }
        (_, Err(_)) => {}
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_are_der() {
        // X.690 §8.19.5, and 1.2.840.113549 of PKCS#1.
        assert_eq!(oid(&[2, 100, 3]), [0x06, 0x03, 0x81, 0x34, 0x03]);
        assert_eq!(oid(&[1, 2, 840, 113_549]), [0x06, 0x06, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D]);
        assert_eq!(oid(&[2, 5, 29, 0]), [0x06, 0x03, 0x55, 0x1D, 0x00]);
        let dotted = |arcs: &[u64]| arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        assert_eq!(dotted(Usage::Authentication.policy()), SIMULATED_POLICY);
        assert_eq!(dotted(Usage::Signature.policy()), SIMULATED_SIGNATURE_POLICY);
    }

    #[test]
    fn lengths_are_der() {
        assert_eq!(tlv(0x04, &[]), [0x04, 0x00]);
        assert_eq!(tlv(0x04, &[0; 127]).get(..2), Some([0x04, 127].as_slice()));
        assert_eq!(tlv(0x04, &[0; 128]).get(..3), Some([0x04, 0x81, 128].as_slice()));
        assert_eq!(tlv(0x04, &[0; 256]).get(..4), Some([0x04, 0x82, 1, 0].as_slice()));
    }
}
