//! A card authority as it enters a trust list. "Simulated" is read from the certificate and must
//! agree with the entry: a simulated card is never taken for a real one, nor the other way round.

use hibiki_protocol::trust::CardAuthority;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::error::CouncilError;
use super::request::is_name;
use crate::card_authority::{SIMULATED_ORGANISATION, SIMULATED_POLICY};

/// The arc of J-LIS's policies (住民基本台帳 … 公的個人認証サービス).
const J_LIS_ARC: &str = "1.2.392.200149.";

/// The entry for a certificate (PEM or DER).
pub(crate) fn describe(
    certificate: &[u8],
    name: Option<&str>,
    policy: Option<&str>,
) -> Result<CardAuthority, CouncilError> {
    let der = if certificate.first() == Some(&0x30) {
        certificate.to_vec()
    } else {
        CertificateDer::from_pem_slice(certificate).map_err(|_| NOT_A_CERTIFICATE)?.to_vec()
    };
    let (simulated, common_name) = read(&der)?;
    let policy = match (policy, simulated) {
        (Some(given), _) => given.to_owned(),
        (None, true) => SIMULATED_POLICY.to_owned(),
        (None, false) => {
            return Err(CouncilError::CardAuthority(
                "a real authority needs the policy its cards must assert (give --policy, such as 1.2.392.200149.8.5.1.3.30)",
            ));
        }
    };
    let name = name.map(str::to_owned).or(common_name);
    let name = name.ok_or(CouncilError::CardAuthority("its certificate has no common name: give --name"))?;
    Ok(CardAuthority { name, certificate: der, policy, simulated })
}

/// Whether an entry agrees with its certificate.
pub(crate) fn check(authority: &CardAuthority) -> Result<(), CouncilError> {
    let refuse = |why| Err(CouncilError::CardAuthority(why));
    let (simulated, _) = read(&authority.certificate)?;
    if simulated != authority.simulated {
        return refuse("its certificate and its entry disagree whether it is simulated");
    }
    if !is_policy(&authority.policy) {
        return refuse("its policy is not a dotted object identifier");
    }
    if simulated && authority.policy.starts_with(J_LIS_ARC) {
        return refuse("a simulated authority must not use a policy of J-LIS");
    }
    if is_name(&authority.name) { Ok(()) } else { Err(CouncilError::Name) }
}

const NOT_A_CERTIFICATE: CouncilError =
    CouncilError::CardAuthority("the file is not one X.509 certificate (PEM or DER)");

/// Whether an authority's certificate says that it is simulated, and its common name.
fn read(der: &[u8]) -> Result<(bool, Option<String>), CouncilError> {
    let Ok(([], certificate)) = X509Certificate::from_der(der) else { return Err(NOT_A_CERTIFICATE) };
    if !certificate.is_ca() {
        return Err(CouncilError::CardAuthority(
            "this is not an authority's certificate; give the one the cards' certificates are signed with",
        ));
    }
    let text = |attribute: Option<&x509_parser::x509::AttributeTypeAndValue<'_>>| {
        attribute.and_then(|a| a.as_str().ok()).map(str::to_owned)
    };
    let organisation = text(certificate.subject().iter_organization().next());
    let common_name = text(certificate.subject().iter_common_name().next());
    Ok((organisation.as_deref() == Some(SIMULATED_ORGANISATION), common_name))
}

fn is_policy(text: &str) -> bool {
    let number = |arc: &str| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 128 && text.split('.').count() >= 2 && text.split('.').all(number)
}
