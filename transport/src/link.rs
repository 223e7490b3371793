//! One connection between two parties who have proved their keys.
//!
//! Owns the connection; must not know what its exchanges are about.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::exchange::Exchange;
use crate::roll::{Roll, UnderWay};
use crate::{Code, Peer};

/// A connection to one peer. Either side may open exchanges on it, whoever dialled.
///
/// Cloning gives another handle. The connection closes ([`Code::DONE`]) when the last handle and the
/// last of its exchanges are gone; what was still on its way is then lost, so keep a handle, or wait
/// for [`Sender::delivered`](crate::Sender::delivered), until the peer has had its answer.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

pub(crate) struct Inner {
    connection: quinn::Connection,
    peer: Peer,
    id: u64,
    roll: Arc<Roll>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.connection.close(Code::DONE.varint(), b"");
        self.roll.leave(self.id);
    }
}

impl Link {
    pub(crate) fn new(connection: quinn::Connection, peer: Peer, id: u64, roll: Arc<Roll>) -> Self {
        Self(Arc::new(Inner { connection, peer, id, roll }))
    }

    /// The other end: its proved key, and who the directory said that is.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// A number of this link, unique within its endpoint's life. For logs.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Where the peer's datagrams come from at the moment. It may change (a router's new binding).
    pub fn remote_address(&self) -> SocketAddr {
        self.0.connection.remote_address()
    }

    /// What carries this link.
    pub fn carrier(&self) -> &'static str {
        "quic"
    }

    /// Opens an exchange; waits while the peer's allowance is used up. The peer notices it with the
    /// first frame sent.
    ///
    /// # Errors
    /// When the link is closed, or this endpoint is shutting down.
    pub async fn open(&self) -> Result<Exchange, Closed> {
        if self.0.roll.is_draining() {
            return Err(Closed::Here);
        }
        let under_way = UnderWay::new(self.0.roll.clone());
        let (send, recv) = self.0.connection.open_bi().await?;
        Ok(Exchange::new(send, recv, self.clone(), under_way))
    }

    /// The next exchange the peer opens, or `None` when the link is closed. While this endpoint shuts
    /// down, newcomers are turned away here ([`Code::SHUTTING_DOWN`]), so keep calling until `None`.
    pub async fn accept(&self) -> Option<Exchange> {
        loop {
            let (mut send, mut recv) = self.0.connection.accept_bi().await.ok()?;
            if !self.0.roll.is_draining() {
                let under_way = UnderWay::new(self.0.roll.clone());
                return Some(Exchange::new(send, recv, self.clone(), under_way));
            }
            let code = Code::SHUTTING_DOWN.varint();
            // Either fails only where the peer has given the exchange up already.
            let _ = (send.reset(code), recv.stop(code));
        }
    }

    /// 32 bytes that both ends of this link can compute and nobody else (RFC 8446 section 7.5). With the
    /// label `EXPORTER-Channel-Binding` and no context it is the channel binding of RFC 9266.
    ///
    /// # Errors
    /// When the link has closed.
    pub fn export_key(&self, label: &[u8], context: &[u8]) -> Result<[u8; 32], ExportError> {
        let mut out = [0; 32];
        self.0.connection.export_keying_material(&mut out, label, context).map_err(|_| ExportError)?;
        Ok(out)
    }

    /// Closes the link at once, in the middle of whatever travels. `reason` is shown to the peer.
    pub fn close(&self, code: Code, reason: &str) {
        self.0.connection.close(code.varint(), reason.as_bytes());
    }

    /// Waits until the link is closed and tells why.
    pub async fn closed(&self) -> Closed {
        self.0.connection.closed().await.into()
    }

    /// Why the link is closed, if it is.
    pub fn close_reason(&self) -> Option<Closed> {
        self.0.connection.close_reason().map(Closed::from)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("id", &self.0.id).field("peer", &self.0.peer).finish_non_exhaustive()
    }
}

/// Keying material was asked of a link that cannot give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link cannot export a key; open a new link")]
pub struct ExportError;

/// Why a link is no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The peer closed it and said why.
    #[error("the peer closed the link: {code}{}", if reason.is_empty() { String::new() } else { format!(" ({reason})") })]
    ByPeer {
        /// The peer's code.
        code: Code,
        /// The peer's words: at most 64 characters, none of them able to act on a terminal or a log.
        reason: String,
    },
    /// The peer did not accept our proof or our protocol (TLS alert, RFC 8446 section 6).
    #[error(
        "the peer refused this party's key or protocol (TLS alert {alert}); is this party in the peer's trust list?"
    )]
    RefusedByPeer {
        /// The alert: 42 to 49 concern the certificate, 116 its absence, 120 the protocol.
        alert: u8,
    },
    /// The peer has too many handshakes or does not take any.
    #[error("the peer takes no more links now; try again later")]
    Busy,
    /// This side closed it.
    #[error("the link was closed on this side")]
    Here,
    /// Nothing was heard for too long.
    #[error("the peer fell silent")]
    Silent,
    /// The peer has restarted and no longer knows the link.
    #[error("the peer has restarted; open a new link")]
    Forgotten,
    /// The connection broke in another way.
    #[error("the link broke: {detail}")]
    Broken {
        /// What QUIC said.
        detail: String,
    },
}

/// Text of a peer, cut and made harmless.
fn tame(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).chars().take(64).collect();
    text.escape_debug().to_string()
}

impl From<quinn::ConnectionError> for Closed {
    fn from(error: quinn::ConnectionError) -> Self {
        use quinn::ConnectionError as E;
        match error {
            E::ApplicationClosed(close) => {
                Self::ByPeer { code: close.error_code.into(), reason: tame(&close.reason) }
            }
            E::ConnectionClosed(close) => match u64::from(close.error_code) {
                // CONNECTION_REFUSED: RFC 9000 section 20.1.
                0x02 => Self::Busy,
                // CRYPTO_ERROR carries the TLS alert in its low byte: RFC 9001 section 4.8.
                code @ 0x100..=0x1ff => Self::RefusedByPeer { alert: (code & 0xff) as u8 },
                code => Self::Broken { detail: format!("QUIC error 0x{code:x} from the peer") },
            },
            E::TimedOut => Self::Silent,
            E::Reset => Self::Forgotten,
            E::LocallyClosed => Self::Here,
            E::TransportError(error) => Self::Broken { detail: tame(error.to_string().as_bytes()) },
            E::VersionMismatch => Self::Broken { detail: "no common version of QUIC".to_owned() },
            E::CidsExhausted => Self::Broken { detail: "out of connection ids".to_owned() },
        }
    }
}
