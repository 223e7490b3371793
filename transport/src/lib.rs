//! The road between parties: QUIC with mutual TLS 1.3, peers known by exact public key.
#![forbid(unsafe_code)]
