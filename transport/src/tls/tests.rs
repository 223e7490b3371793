//! The TLS configurations themselves, without a network: two ends in memory.

use std::sync::Arc;

use quinn::StdSystemTime;
use rustls::quic::{ClientConnection, ServerConnection, Version};
use rustls::{NamedGroup, ProtocolVersion};

use super::*;

struct Ends {
    client: ClientConfig,
    server: ServerConfig,
}

/// Two parties that trust each other.
fn ends() -> Ends {
    let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let (of_a, of_b) = (a.key(), b.key());
    let only = |welcome: PeerKey| -> Arc<dyn Directory> {
        Arc::new(
            move |key: &PeerKey| {
                if *key == welcome { Admission::member("other") } else { Admission::Refused }
            },
        )
    };
    let judge = Arc::new(Judge::of_server(only(of_b), &[of_b]));
    Ends {
        client: client(Arc::new(Presented::new(&a)), judge, Arc::new(StdSystemTime)).unwrap(),
        server: server(Arc::new(Presented::new(&b)), only(of_a), Arc::new(StdSystemTime)).unwrap(),
    }
}

/// The same, the client with these key exchange groups only.
fn with_groups(groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>) -> Ends {
    let Ends { client, server } = ends();
    let provider = CryptoProvider { kx_groups: groups, ..aws_lc_rs::default_provider() };
    let mut old = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_client_cert_resolver(client.client_auth_cert_resolver);
    old.alpn_protocols = vec![ALPN.to_vec()];
    Ends { client: old, server }
}

fn dial(config: ClientConfig) -> ClientConnection {
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    ClientConnection::new(Arc::new(config), Version::V1, name, b"parameters".to_vec()).unwrap()
}

fn listen(config: ServerConfig) -> ServerConnection {
    ServerConnection::new(Arc::new(config), Version::V1, b"parameters".to_vec()).unwrap()
}

/// Carries handshake bytes between both until neither has more to say.
fn shake(ends: Ends) -> Result<(ClientConnection, ServerConnection), Error> {
    let (mut client, mut server) = (dial(ends.client), listen(ends.server));
    loop {
        let mut silent = true;
        // One epoch of keys at a time: QUIC would carry each in packets of its own (RFC 9001 section 4.1.3).
        loop {
            let mut bytes = Vec::new();
            let next_epoch = client.write_hs(&mut bytes).is_some();
            silent &= bytes.is_empty();
            server.read_hs(&bytes)?;
            if !next_epoch {
                break;
            }
        }
        loop {
            let mut bytes = Vec::new();
            let next_epoch = server.write_hs(&mut bytes).is_some();
            silent &= bytes.is_empty();
            client.read_hs(&bytes)?;
            if !next_epoch {
                break;
            }
        }
        if silent {
            return Ok((client, server));
        }
    }
}

fn group(connection: &rustls::quic::Connection) -> Option<NamedGroup> {
    connection.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name)
}

#[test]
fn the_key_exchange_is_post_quantum_without_a_second_round() {
    let (client, server) = shake(ends()).unwrap();
    assert!(!client.is_handshaking() && !server.is_handshaking());
    assert_eq!(client.handshake_kind(), Some(rustls::HandshakeKind::Full), "no HelloRetryRequest");
    assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    for connection in [client.into(), rustls::quic::Connection::from(server)] {
        assert_eq!(group(&connection), Some(NamedGroup::X25519MLKEM768));
    }
}

#[test]
fn a_peer_without_post_quantum_cryptography_gets_x25519() {
    let ends = with_groups(vec![aws_lc_rs::kx_group::X25519]);
    let (client, _server) = shake(ends).unwrap();
    assert_eq!(group(&client.into()), Some(NamedGroup::X25519));
}

#[test]
fn other_groups_are_not_spoken() {
    let ends = with_groups(vec![aws_lc_rs::kx_group::SECP256R1]);
    let error = shake(ends).map(drop).unwrap_err();
    assert_eq!(error, Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon));
}

/// A hello that offers TLS 1.2 and nothing else: `supported_versions` (RFC 8446 section 4.2.1) rewritten
/// in a genuine one, and, once more, left out by renaming the extension.
#[test]
fn a_client_that_offers_tls_1_2_only_is_refused() {
    let offer_13 = [0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04];
    for offer_12 in [[0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x03], [0xff, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04]] {
        let Ends { client, server } = ends();
        let (mut client, mut server) = (dial(client), listen(server));
        let mut hello = Vec::new();
        while client.write_hs(&mut hello).is_some() {}
        let at = hello.windows(7).position(|window| window == offer_13).expect("offers TLS 1.3");
        hello[at..at + 7].copy_from_slice(&offer_12);
        let error = server.read_hs(&hello).unwrap_err();
        assert!(matches!(error, Error::PeerIncompatible(_)), "{error:?}");
        assert!(server.alert().is_some());
    }
}

#[test]
fn nothing_that_could_resume_a_session_is_on() {
    let Ends { client, server } = ends();
    assert_eq!((server.send_tls13_tickets, server.max_tls13_tickets, server.max_early_data_size), (0, 0, 0));
    assert!(!server.session_storage.can_cache() && !server.ticketer.enabled());
    assert!(!client.enable_early_data && !client.enable_sni);
}

#[test]
fn a_tls_1_2_signature_proves_nothing() {
    let judge = Judge::of_clients(Arc::new(|_: &PeerKey| Admission::Guest));
    assert_eq!(ClientCertVerifier::supported_verify_schemes(&judge), [SignatureScheme::ED25519]);
    assert_eq!(ServerCertVerifier::supported_verify_schemes(&judge), [SignatureScheme::ED25519]);
    assert!(judge.client_auth_mandatory() && judge.offer_client_auth());
    assert!(no_tls12().is_err());
}

/// A certificate of a fresh key of this kind.
fn certificate(kind: &'static rcgen::SignatureAlgorithm) -> CertificateDer<'static> {
    let pair = rcgen::KeyPair::generate_for(kind).unwrap();
    rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap().der().clone()
}

#[test]
fn only_ed25519_keys_have_a_name() {
    assert!(key_of(&certificate(&rcgen::PKCS_ED25519)).is_ok());
    assert!(key_of(&certificate(&rcgen::PKCS_ECDSA_P256_SHA256)).is_err());
    let mut cut = certificate(&rcgen::PKCS_ED25519).to_vec();
    cut.pop();
    assert!(key_of(&cut.into()).is_err());
}

#[test]
fn exactly_one_certificate_is_judged() {
    let judge = Judge::of_clients(Arc::new(|_: &PeerKey| Admission::Guest));
    let [end, other] = [(); 2].map(|()| certificate(&rcgen::PKCS_ED25519));
    assert_eq!(judge.judge(&end, &[]), Ok(()));
    assert!(judge.judge(&end, &[other]).is_err());
}

/// Takes any server at its word; only for clients that this file makes by hand.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
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
        no_tls12()
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
