//! Parties made by hand on quinn and rustls, each able to break one rule.

use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hibiki_transport::{Identity, PeerKey};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime, UdpPoller};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use crate::party::{LOOPBACK, within};

/// Believes everything.
#[derive(Debug)]
struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Gullible {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// A key pair whose halves this file can tear apart.
pub(crate) struct Loose {
    pair: rcgen::KeyPair,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Loose {
    pub(crate) fn new() -> Self {
        Self::of(&rcgen::PKCS_ED25519)
    }

    pub(crate) fn of(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let params = rcgen::CertificateParams::new(vec!["anything".to_owned()]).unwrap();
        let certificate = params.self_signed(&pair).unwrap().der().clone();
        Self { pair, certificate }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pkcs8(self.pair.serialized_der()).unwrap()
    }

    pub(crate) fn key(&self) -> PeerKey {
        use rcgen::PublicKeyData;
        PeerKey::of_spki(&self.pair.subject_public_key_info())
    }

    /// Shows this certificate and signs with the key of `signer`.
    pub(crate) fn signed_by(&self, signer: &Self) -> Arc<SingleCertAndKey> {
        self.shown(&[&self.certificate], signer)
    }

    pub(crate) fn shown(&self, chain: &[&CertificateDer<'static>], signer: &Self) -> Arc<SingleCertAndKey> {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signer.pair.serialize_der()));
        let key = default_provider().key_provider.load_private_key(der).unwrap();
        let chain = chain.iter().map(|certificate| (*certificate).clone()).collect();
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
    }
}

pub(crate) fn client_tls(shown: Option<Arc<SingleCertAndKey>>, alpn: &[&[u8]]) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible));
    let mut config = match shown {
        Some(shown) => builder.with_client_cert_resolver(shown),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.resumption = Resumption::disabled();
    config
}

pub(crate) fn quic(tls: ClientConfig) -> quinn::ClientConfig {
    quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

pub(crate) fn raw_client() -> quinn::Endpoint {
    quinn::Endpoint::client(LOOPBACK).unwrap()
}

/// Dials by hand and asks the echo; `Err` with what stood in the way.
pub(crate) async fn knock(tls: ClientConfig, address: SocketAddr) -> Result<(), String> {
    let endpoint = raw_client();
    let knocking = async {
        let connecting = endpoint.connect_with(quic(tls), address, "anything").map_err(|e| e.to_string())?;
        let connection = connecting.await.map_err(|e| e.to_string())?;
        let (mut send, mut recv) = connection.open_bi().await.map_err(|e| e.to_string())?;
        send.write_all(b"\0\0\0\x02hi").await.map_err(|e| e.to_string())?;
        let mut answer = [0; 6];
        recv.read_exact(&mut answer).await.map_err(|e| e.to_string())?;
        assert_eq!(&answer, b"\0\0\0\x02hi");
        Ok(())
    };
    within(knocking).await
}

/// A server made by hand that lets every client in and keeps its connections.
pub(crate) fn raw_server(shown: Arc<SingleCertAndKey>, alpn: &[u8], tickets: usize) -> quinn::Endpoint {
    let mut tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(Gullible))
        .with_cert_resolver(shown);
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.send_tls13_tickets = tickets;
    let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let endpoint = quinn::Endpoint::server(config, LOOPBACK).unwrap();
    let accepting = endpoint.clone();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Some(incoming) = accepting.accept().await {
            kept.push(incoming.await);
        }
    });
    endpoint
}

/// A socket that hears nothing: every handshake it begins stays half open.
#[derive(Debug)]
struct Deaf(Arc<dyn AsyncUdpSocket>);

impl AsyncUdpSocket for Deaf {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.0.clone().create_io_poller()
    }
    fn try_send(&self, transmit: &Transmit<'_>) -> std::io::Result<()> {
        self.0.try_send(transmit)
    }
    fn poll_recv(
        &self,
        _: &mut Context<'_>,
        _: &mut [IoSliceMut<'_>],
        _: &mut [RecvMeta],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Pending
    }
    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// An endpoint that speaks and hears nothing.
pub(crate) fn deaf_client() -> quinn::Endpoint {
    let runtime = Arc::new(quinn::TokioRuntime);
    let socket = runtime.wrap_udp_socket(std::net::UdpSocket::bind(LOOPBACK).unwrap()).unwrap();
    quinn::Endpoint::new_with_abstract_socket(Default::default(), None, Arc::new(Deaf(socket)), runtime)
        .unwrap()
}
