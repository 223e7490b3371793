//! The one shape of certificate that opens a session: a leaf directly under an accepted card authority.
//!
//! There is no path building and no leniency: version 3, issuer and key identifier of one authority on the
//! trust list, its signature, dates, `digitalSignature`, `clientAuth` where an extended key usage stands,
//! exactly that authority's policy, and no critical extension that is not understood here (RFC 5280 section
//! 4.2). Must not know: revocation, enrolment.

use hibiki_protocol::ids::Digest;
use hibiki_protocol::session::SessionRefusal;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::CardAuthority;
use x509_parser::certificate::{Validity, X509Certificate};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension, X509Extension};
use x509_parser::oid_registry::{
    OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_CERTIFICATE_POLICIES,
    OID_X509_EXT_CRL_DISTRIBUTION_POINTS, OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_SUBJECT_KEY_IDENTIFIER, Oid,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Version;

use super::algorithm::{CardAlgorithm, authority_may_use};

/// Bytes of a card certificate, at most. Real ones have about 1,600.
const CERTIFICATE_BYTES_MAX: usize = 8 * 1024;

/// Critical extensions that are understood here, and therefore checked.
const CRITICAL_KNOWN: [Oid<'static>; 4] = [
    OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_EXTENDED_KEY_USAGE,
    OID_X509_EXT_CERTIFICATE_POLICIES,
    OID_X509_EXT_BASIC_CONSTRAINTS,
];

/// Why a certificate opens nothing. For the registry's own log; the guardian hears [`SessionRefusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardFault {
    /// Not one DER certificate of version 3.
    #[error("the card's certificate is not a readable X.509 version 3 certificate")]
    Unreadable,
    /// No accepted authority issued it.
    #[error("the card's certificate was not issued by an accepted card authority")]
    Issuer,
    /// The authority's own certificate is out of its dates or no authority's.
    #[error("the card authority's own certificate is not valid; the council must renew it")]
    Authority,
    /// Not yet or no longer valid.
    #[error("the card's certificate is outside its dates")]
    Dates,
    /// Key usage, extended key usage or basic constraints are not those of a user-authentication card.
    #[error("the card's certificate is not meant for user authentication")]
    Usage,
    /// Another policy.
    #[error("the card's certificate does not assert the authority's policy")]
    Policy,
    /// A critical extension nobody here understands, or one that stands twice.
    #[error("the card's certificate has an extension that must be understood and is not")]
    Extension,
    /// A kind of key no card has.
    #[error("the card's key is of a kind that is not accepted")]
    Key,
}

impl From<CardFault> for SessionRefusal {
    fn from(fault: CardFault) -> Self {
        match fault {
            CardFault::Unreadable => Self::Malformed,
            CardFault::Dates => Self::CardExpired,
            CardFault::Issuer
            | CardFault::Authority
            | CardFault::Usage
            | CardFault::Policy
            | CardFault::Extension
            | CardFault::Key => Self::ForeignCard,
        }
    }
}

/// A card's certificate that came through every check of this module.
#[derive(Clone, Debug)]
pub struct CardCertificate<'a> {
    certificate: X509Certificate<'a>,
    algorithm: CardAlgorithm,
    authority: &'a CardAuthority,
}

impl<'a> CardCertificate<'a> {
    /// Verifies a DER certificate against the accepted authorities at `now`.
    ///
    /// # Errors
    /// The first check it fails.
    pub fn verify(
        der: &'a [u8],
        authorities: &'a [CardAuthority],
        now: Timestamp,
    ) -> Result<Self, CardFault> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CardFault::Unreadable);
        }
        let certificate = read(der)?;
        let authority = issuer_of(&certificate, authorities, now)?;
        if !within(certificate.validity(), now) {
            return Err(CardFault::Dates);
        }
        check_usage(&certificate)?;
        check_policy(&certificate, &authority.policy)?;
        let unknown =
            |extension: &X509Extension<'_>| extension.critical && !CRITICAL_KNOWN.contains(&extension.oid);
        if certificate.iter_extensions().any(unknown) {
            return Err(CardFault::Extension);
        }
        let algorithm = CardAlgorithm::of(certificate.public_key()).ok_or(CardFault::Key)?;
        Ok(Self { certificate, algorithm, authority })
    }

    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fn key(&self) -> Digest {
        Digest::of(&[self.certificate.public_key().raw])
    }

    /// The content of the public key's bit string.
    pub fn public_key(&self) -> &[u8] {
        &self.certificate.public_key().subject_public_key.data
    }

    /// How the card signs.
    pub fn algorithm(&self) -> CardAlgorithm {
        self.algorithm
    }

    /// The authority that issued it.
    pub fn authority(&self) -> &CardAuthority {
        self.authority
    }

    /// Its serial number, without leading zeros.
    pub fn serial(&self) -> &[u8] {
        trim(self.certificate.raw_serial())
    }

    /// The names of its revocation distribution points (RFC 5280 section 4.2.1.13).
    pub fn distribution_points(&self) -> Vec<&[u8]> {
        let Ok(Some(extension)) =
            self.certificate.get_extension_unique(&OID_X509_EXT_CRL_DISTRIBUTION_POINTS)
        else {
            return Vec::new();
        };
        let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else {
            return Vec::new();
        };
        points.iter().filter_map(|point| point.distribution_point.as_ref()).flat_map(point_names).collect()
    }
}

/// Reads one DER certificate, the public half of an enrolment; nothing about it is judged.
///
/// # Errors
/// [`CardFault::Unreadable`].
pub fn read(der: &[u8]) -> Result<X509Certificate<'_>, CardFault> {
    let Ok(([], certificate)) = X509Certificate::from_der(der) else { return Err(CardFault::Unreadable) };
    if certificate.version() != X509Version::V3 || !is_der(der, &certificate) {
        return Err(CardFault::Unreadable);
    }
    // RFC 5280 section 4.2: no extension stands twice. Looking one up would silently take the first.
    certificate.extensions_map().map_err(|_| CardFault::Extension)?;
    Ok(certificate)
}

/// Whether what is around the signed part is DER (X.690 section 10). The signature does not cover it and the
/// parser is lenient there: one certificate must not have two encodings.
fn is_der(der: &[u8], certificate: &X509Certificate<'_>) -> bool {
    let signed = certificate.tbs_certificate.as_ref();
    let signature = element(0x03, &[&[0][..], &certificate.signature_value.data].concat());
    let Some(content) = der.len().checked_sub(signed.len() + signature.len()).and_then(|rest| {
        // What remains is the outer head and the algorithm, which the signed part repeats.
        let head = der.windows(signed.len()).position(|window| window == signed)?;
        let algorithm = der.get(head + signed.len()..head + signed.len() + rest.checked_sub(head)?)?;
        let repeated = signed.windows(algorithm.len().max(1)).any(|window| window == algorithm);
        repeated.then(|| [signed, algorithm, &signature].concat())
    }) else {
        return false;
    };
    der == element(0x30, &content)
}

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let head = match significant.as_slice() {
        [] => vec![tag, 0],
        [short] if *short < 0x80 => vec![tag, *short],
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap_or(0x7f)], long].concat(),
    };
    [&head, content].concat()
}

/// A serial number without leading zeros, so that two encodings of one number are equal.
pub(super) fn trim(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}

/// The names of a distribution point: directory names as DER, addresses as text.
pub(super) fn point_names<'a>(point: &'a DistributionPointName<'a>) -> Vec<&'a [u8]> {
    match point {
        DistributionPointName::FullName(names) => names
            .iter()
            .filter_map(|name| match name {
                GeneralName::DirectoryName(name) => Some(name.as_raw()),
                GeneralName::URI(address) => Some(address.as_bytes()),
                _ => None,
            })
            .collect(),
        DistributionPointName::NameRelativeToCRLIssuer(_) => Vec::new(),
    }
}

/// Whether `signed_by` names and signed what has this issuer: several generations of an authority share one
/// name, so the key identifier and the signature decide.
fn issued_by(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == authority.subject().as_raw()
        && identifiers_agree(certificate, authority)
        && certificate.tbs_certificate.signature == certificate.signature_algorithm
        && authority_may_use(&certificate.signature_algorithm)
        && certificate.verify_signature(Some(authority.public_key())).is_ok()
}

fn identifiers_agree(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    let named = certificate.get_extension_unique(&OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER).ok().flatten();
    let own = authority.get_extension_unique(&OID_X509_EXT_SUBJECT_KEY_IDENTIFIER).ok().flatten();
    let named = named.and_then(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(identifier) => identifier.key_identifier.as_ref(),
        _ => None,
    });
    let own = own.and_then(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier),
        _ => None,
    });
    match (named, own) {
        (Some(named), Some(own)) => named == own,
        _ => true,
    }
}

fn issuer_of<'a>(
    certificate: &X509Certificate<'_>,
    authorities: &'a [CardAuthority],
    now: Timestamp,
) -> Result<&'a CardAuthority, CardFault> {
    for authority in authorities {
        let Ok(own) = read(&authority.certificate) else { continue };
        if !issued_by(certificate, &own) {
            continue;
        }
        let signs = own.key_usage().ok().flatten().is_some_and(|usage| usage.value.key_cert_sign());
        let usable = own.is_ca() && signs && within(own.validity(), now);
        return if usable { Ok(authority) } else { Err(CardFault::Authority) };
    }
    Err(CardFault::Issuer)
}

fn check_usage(certificate: &X509Certificate<'_>) -> Result<(), CardFault> {
    let usage = certificate.key_usage().map_err(|_| CardFault::Extension)?;
    let extended = certificate.extended_key_usage().map_err(|_| CardFault::Extension)?;
    // nonRepudiation marks the card's other certificate, for signing documents.
    let signs = usage.is_some_and(|usage| {
        let usage = usage.value;
        usage.digital_signature() && !usage.non_repudiation() && !usage.key_cert_sign()
    });
    let authenticates = extended.is_none_or(|extended| extended.value.client_auth);
    if signs && authenticates && !certificate.is_ca() { Ok(()) } else { Err(CardFault::Usage) }
}

/// The certificate must assert exactly this policy: one more would be one nobody here agreed to.
fn check_policy(certificate: &X509Certificate<'_>, policy: &str) -> Result<(), CardFault> {
    let extension = certificate
        .get_extension_unique(&OID_X509_EXT_CERTIFICATE_POLICIES)
        .map_err(|_| CardFault::Extension)?;
    let Some(ParsedExtension::CertificatePolicies(policies)) = extension.map(X509Extension::parsed_extension)
    else {
        return Err(CardFault::Policy);
    };
    match policies.as_slice() {
        [only] if only.policy_id.to_id_string() == policy => Ok(()),
        _ => Err(CardFault::Policy),
    }
}

fn within(validity: &Validity, now: Timestamp) -> bool {
    let seconds = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX);
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&seconds)
}
