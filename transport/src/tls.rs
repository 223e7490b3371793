//! How two parties prove themselves: TLS 1.3, one certificate each, judged by exact public key.
//!
//! Owns the only construction of TLS configurations in the tree; must not know addresses or links.
//! What must never happen here: a resumed session (it would skip the judgement), early data, TLS 1.2,
//! a signature left unverified, a name or a date of a certificate believed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use quinn::TimeSource;
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    PeerMisbehaved, ServerConfig, SignatureScheme,
};

use crate::key::is_ed25519_spki;
use crate::{Admission, Directory, Identity, PeerKey, laboratory};

/// The one application protocol spoken (RFC 7301); mandatory on both sides (RFC 9001 section 8.1).
pub const ALPN: &[u8] = b"hibiki/1";

/// TLS wants a name to dial; ours is always this, it is never sent (no SNI) and never looked at.
pub(crate) const SERVER_NAME: &str = "hibiki";

/// Cryptography of every link: aws-lc-rs, post-quantum hybrid first, X25519 for a peer without it.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519];
    Arc::new(provider)
}

/// TLS of the listening side. The identity presented is whatever `presented` holds at each handshake.
pub(crate) fn server(
    presented: Arc<Presented>,
    directory: Arc<dyn Directory>,
    now: Arc<dyn TimeSource>,
) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(Judge::of_clients(directory)))
        .with_cert_resolver(presented);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.time_provider = Arc::new(Clock(now));
    if let Some(log) = laboratory::key_log() {
        config.key_log = log;
    }
    Ok(config)
}

/// TLS of the dialling side, for one attempt: `judge` knows which keys are expected.
pub(crate) fn client(
    presented: Arc<Presented>,
    judge: Arc<Judge>,
    now: Arc<dyn TimeSource>,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(judge)
        .with_client_cert_resolver(presented);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.enable_sni = false;
    config.time_provider = Arc::new(Clock(now));
    if let Some(log) = laboratory::key_log() {
        config.key_log = log;
    }
    Ok(config)
}

pub(crate) fn quic_server(config: ServerConfig) -> Result<Arc<QuicServerConfig>, NoInitialCipherSuite> {
    QuicServerConfig::try_from(config).map(Arc::new)
}

pub(crate) fn quic_client(config: ClientConfig) -> Result<Arc<QuicClientConfig>, NoInitialCipherSuite> {
    QuicClientConfig::try_from(config).map(Arc::new)
}

/// The key a certificate carries, read by the very parser that later checks the signature with it.
/// Only Ed25519 in its one DER form: no second encoding of a key can hash to something else.
pub(crate) fn key_of(certificate: &CertificateDer<'_>) -> Result<PeerKey, Error> {
    let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    if is_ed25519_spki(&spki) {
        Ok(PeerKey::of_spki(&spki))
    } else {
        Err(Error::InvalidCertificate(CertificateError::BadEncoding))
    }
}

/// The identity shown at the next handshake, in either direction. Replaced whole by a rotation.
pub(crate) struct Presented(RwLock<Arc<CertifiedKey>>);

impl Presented {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self(RwLock::new(identity.certified()))
    }

    pub(crate) fn replace(&self, identity: &Identity) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity.certified();
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(***)")
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for Presented {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        schemes.contains(&SignatureScheme::ED25519).then(|| self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Judges the certificate of the other side: exactly one, of an admitted key, of an expected key where
/// we dialled, and with a signature over this very handshake.
pub(crate) struct Judge {
    directory: Arc<dyn Directory>,
    /// The keys the dialled address may show; `None` on the listening side.
    expected: Option<Vec<PeerKey>>,
    /// Why the judgement failed, for a message a person can act on.
    finding: Mutex<Option<Finding>>,
    schemes: Arc<CryptoProvider>,
}

/// What a [`Judge`] held against the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It showed a key that was not expected at this address.
    Unexpected(PeerKey),
    /// It showed the expected key, which the directory refuses.
    NotAdmitted(PeerKey),
}

impl Judge {
    pub(crate) fn of_clients(directory: Arc<dyn Directory>) -> Self {
        Self { directory, expected: None, finding: Mutex::new(None), schemes: provider() }
    }

    pub(crate) fn of_server(directory: Arc<dyn Directory>, expected: &[PeerKey]) -> Self {
        Self { expected: Some(expected.to_vec()), ..Self::of_clients(directory) }
    }

    pub(crate) fn finding(&self) -> Option<Finding> {
        *self.finding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, end: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<(), Error> {
        let refused = || Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        if !others.is_empty() {
            return Err(refused());
        }
        let key = key_of(end)?;
        let finding = if self.expected.as_ref().is_some_and(|expected| !expected.contains(&key)) {
            Finding::Unexpected(key)
        } else if self.directory.admit(&key) == Admission::Refused {
            Finding::NotAdmitted(key)
        } else {
            return Ok(());
        };
        tracing::debug!(?finding, "handshake refused");
        *self.finding.lock().unwrap_or_else(PoisonError::into_inner) = Some(finding);
        Err(refused())
    }

    /// Proof of possession: RFC 8446 section 4.4.3. Skipping this would let anybody who has seen a
    /// certificate, which is public, pose as its owner.
    fn proof(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signature.scheme != SignatureScheme::ED25519 {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.schemes.signature_verification_algorithms,
        )
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("expected", &self.expected).finish_non_exhaustive()
    }
}

/// TLS 1.2 is not compiled in; should that ever change, its signatures still prove nothing here.
fn no_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(PeerIncompatible::Tls13RequiredForQuic.into())
}

impl ClientCertVerifier for Judge {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(end, others).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proof(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end, others).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proof(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// The caller's clock, where TLS asks for the time.
struct Clock(Arc<dyn TimeSource>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.now().duration_since(SystemTime::UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
    }
}

#[cfg(test)]
mod tests;
