//! The road between parties: QUIC with mutual TLS 1.3, peers known by exact public key.
//!
//! Node and terminal travel the same road. This crate owns
//!
//! - the [`Identity`] of a party (an Ed25519 key and the certificate that carries it),
//! - the judgement of a peer at every handshake ([`Directory`]: the trust list's answer, asked anew each time),
//! - the [`Endpoint`] (one UDP socket, every link of this party), its [`Link`]s and their [`Exchange`]s,
//! - the framing of an exchange (a four byte length, then that many bytes) and every bound on it ([`Limits`]).
//!
//! It must not know what is carried: no message, no session, no person, no record. It holds no clock
//! and no socket of its own: time and datagrams come in through [`TimeSource`], [`Runtime`] and
//! [`AsyncUdpSocket`], so that a simulated world can stand in for the real one without a branch here.
//!
//! # What a link proves, and what it does not
//!
//! Both ends have proved possession of the private key behind [`Peer::key`] in *this* handshake
//! (RFC 8446 section 4.4.3), and the directory has admitted that key. Nothing is ever resumed: no
//! tickets, no 0-RTT, so no earlier judgement can be reused. The certificate itself is worth nothing
//! here: its names and dates are not read.
//!
//! In TLS 1.3 the dialling side finishes *before* the listening side has judged its certificate
//! (RFC 8446 section 4.4.4), so [`Endpoint::connect`] may return a link that is refused a moment later.
//! **A link counts as up only after the application's first answer (the hello) has arrived on it.**
#![forbid(unsafe_code)]

mod assembler;
mod code;
mod connect;
mod directory;
mod endpoint;
mod exchange;
mod identity;
mod inbound;
mod key;
pub mod laboratory;
mod limits;
mod link;
mod roll;
mod tls;

pub use code::Code;
pub use connect::ConnectError;
pub use directory::{Admission, Directory, Peer};
pub use endpoint::{Endpoint, EndpointError};
pub use exchange::{Exchange, ExchangeError, Receiver, Sender};
pub use identity::{Identity, IdentityError};
pub use key::{KeyFormatError, PeerKey};
pub use limits::Limits;
pub use link::{Closed, ExportError, Link};
pub use tls::ALPN;

pub use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, StdSystemTime, TimeSource, TokioRuntime, UdpPoller};
