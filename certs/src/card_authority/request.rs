//! A card's certificate request: only its key and its opaque identifier are taken from it.

use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::error::RequestError;

const MODULUS_BITS: usize = 2048;
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A request that was checked: the key is the sender's own, and the subject says nothing of a person.
pub(crate) struct CardRequest {
    pub(crate) holder_id: String,
    /// RSAPublicKey (RFC 8017 §A.1.1), DER.
    key: Vec<u8>,
}

impl CardRequest {
    /// Reads and checks PEM or DER.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, RequestError> {
        let pem;
        let der = if bytes.first() == Some(&0x30) {
            bytes
        } else {
            pem = x509_parser::pem::parse_x509_pem(bytes).map_err(|_| RequestError::Unreadable)?.1;
            &pem.contents
        };
        let Ok(([], request)) = X509CertificationRequest::from_der(der) else {
            return Err(RequestError::Unreadable);
        };
        let info = &request.certification_request_info;
        match info.subject_pki.parsed() {
            Ok(PublicKey::RSA(rsa)) => {
                let exponent: Vec<u8> = rsa.exponent.iter().copied().skip_while(|byte| *byte == 0).collect();
                if rsa.key_size() != MODULUS_BITS || exponent != EXPONENT {
                    return Err(RequestError::Key);
                }
            }
            _ => return Err(RequestError::Key),
        }
        request.verify_signature().map_err(|_| RequestError::Signature)?;
        let holder_id = opaque_id(info.subject.iter_attributes().collect::<Vec<_>>().as_slice())?;
        Ok(Self { holder_id, key: info.subject_pki.subject_public_key.data.to_vec() })
    }
}

fn opaque_id(subject: &[&x509_parser::x509::AttributeTypeAndValue<'_>]) -> Result<String, RequestError> {
    let [country, name] = subject else { return Err(RequestError::Subject) };
    let (Ok(country_text), Ok(id)) = (country.as_str(), name.as_str()) else {
        return Err(RequestError::Subject);
    };
    let shape = country.attr_type() == &OID_X509_COUNTRY_NAME
        && country_text == "JP"
        && name.attr_type() == &OID_X509_COMMON_NAME
        && (8..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // Twelve digits would be a My Number: refused, whatever was meant.
    let my_number = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    if shape && !my_number { Ok(id.to_owned()) } else { Err(RequestError::Subject) }
}

impl PublicKeyData for CardRequest {
    fn der_bytes(&self) -> &[u8] {
        &self.key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}
