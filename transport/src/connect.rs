//! Dialling: from an address and the keys expected there to a link, or to a reason a person can act on.
//!
//! Owns one attempt; must not know when to try again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{NoneTokenStore, TimeSource, TransportConfig};
use tokio::time::timeout;

use crate::roll::{Roll, TurnedAway};
use crate::tls::{self, Finding, Judge, Presented};
use crate::{Closed, Link, PeerKey, inbound};

/// What every attempt of an endpoint needs.
pub(crate) struct Dialler {
    pub(crate) quic: quinn::Endpoint,
    pub(crate) roll: Arc<Roll>,
    pub(crate) presented: Arc<Presented>,
    pub(crate) transport: Arc<TransportConfig>,
    pub(crate) now: Arc<dyn TimeSource>,
}

impl Dialler {
    pub(crate) async fn dial(&self, address: SocketAddr, expected: &[PeerKey]) -> Result<Link, ConnectError> {
        if self.roll.is_draining() {
            return Err(ConnectError::ShuttingDown);
        }
        if expected.is_empty() {
            return Err(ConnectError::NothingExpected { address });
        }
        let judge = Arc::new(Judge::of_server(self.roll.directory(), expected));
        let config = self.config(judge.clone()).map_err(|detail| ConnectError::Dial { address, detail })?;
        let connecting = self
            .quic
            .connect_with(config, address, tls::SERVER_NAME)
            .map_err(|e| ConnectError::Dial { address, detail: e.to_string() })?;
        let within = self.roll.limits().handshake;
        let connection = match timeout(within, connecting).await {
            Err(_) => return Err(ConnectError::TimedOut { address, after: within }),
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(failed(address, judge.finding(), error.into())),
        };
        let Some(key) = inbound::proved_key(&connection) else {
            connection.close(crate::Code::MALFORMED.varint(), b"");
            return Err(ConnectError::Dial {
                address,
                detail: "the peer speaks another protocol".to_owned(),
            });
        };
        match self.roll.enter(&connection, key) {
            Ok((id, peer)) => Ok(Link::new(connection, peer, id, self.roll.clone())),
            Err(why) => {
                connection.close(why.code().varint(), b"");
                Err(match why {
                    TurnedAway::NotAdmitted => ConnectError::NotAdmitted { address, key },
                    TurnedAway::Busy => {
                        ConnectError::Dial { address, detail: "too many links to it".to_owned() }
                    }
                    TurnedAway::ShuttingDown => ConnectError::ShuttingDown,
                })
            }
        }
    }

    fn config(&self, judge: Arc<Judge>) -> Result<quinn::ClientConfig, String> {
        let tls = tls::client(self.presented.clone(), judge, self.now.clone()).map_err(|e| e.to_string())?;
        let mut config = quinn::ClientConfig::new(tls::quic_client(tls).map_err(|e| e.to_string())?);
        config.transport_config(self.transport.clone());
        // QUIC files address tokens by server name, and all our peers share one.
        config.token_store(Arc::new(NoneTokenStore));
        Ok(config)
    }
}

fn failed(address: SocketAddr, finding: Option<Finding>, closed: Closed) -> ConnectError {
    match (finding, closed) {
        (Some(Finding::Unexpected(shown)), _) => ConnectError::WrongKey { address, shown },
        (Some(Finding::NotAdmitted(key)), _) => ConnectError::NotAdmitted { address, key },
        (None, closed) => ConnectError::Closed { address, closed },
    }
}

/// Why a link could not be made. Names addresses and public keys only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No key was given to compare with.
    #[error("no key is expected at {address}: take the peer's key from the trust list")]
    NothingExpected {
        /// The address dialled.
        address: SocketAddr,
    },
    /// The attempt could not even begin, or ended in a way that is not the network's fault.
    #[error("cannot dial {address}: {detail}")]
    Dial {
        /// The address dialled.
        address: SocketAddr,
        /// What stood in the way.
        detail: String,
    },
    /// Somebody else is at that address, or the peer has changed its key.
    #[error(
        "{address} showed the key {shown}, which is not the one expected; check the address and the trust list"
    )]
    WrongKey {
        /// The address dialled.
        address: SocketAddr,
        /// The key it showed. It has not proved to hold it.
        shown: PeerKey,
    },
    /// The key was expected, and the trust list refuses it.
    #[error("the key {key} at {address} is not admitted by the trust list")]
    NotAdmitted {
        /// The address dialled.
        address: SocketAddr,
        /// The refused key.
        key: PeerKey,
    },
    /// Nobody answered, or not to the end.
    #[error("{address} did not complete the handshake within {} ms", after.as_millis())]
    TimedOut {
        /// The address dialled.
        address: SocketAddr,
        /// The time that was allowed.
        after: Duration,
    },
    /// The handshake broke.
    #[error("no link to {address}: {closed}")]
    Closed {
        /// The address dialled.
        address: SocketAddr,
        /// How it ended.
        closed: Closed,
    },
    /// This endpoint takes its leave.
    #[error("this party is shutting down")]
    ShuttingDown,
}
