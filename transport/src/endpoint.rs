//! One UDP socket and every link of a party.
//!
//! Owns construction, rotation, removal and the end; must not know what links are used for. Tasks are
//! started through the given [`Runtime`] alone, so that a simulated crash takes all of them.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use quinn::{
    AsyncUdpSocket, ConnectionId, ConnectionIdGenerator, EndpointConfig, Runtime, ServerConfig, TimeSource,
    TokioRuntime, TransportConfig, ValidationTokenConfig,
};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::connect::{ConnectError, Dialler};
use crate::roll::Roll;
use crate::tls::{self, Presented};
use crate::{Code, Directory, Identity, Limits, Link, Peer, PeerKey, inbound};

/// How long, at most, the farewell to the peers may take after the exchanges are done.
const FAREWELL: Duration = Duration::from_secs(1);

/// All links of one party over one UDP socket: it dials, it is dialled, it rotates its key and it throws
/// out who is no longer admitted. Cloning gives another handle; when the last one is dropped, every link
/// is closed.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    dialler: Dialler,
    ready: Mutex<mpsc::Receiver<Link>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.dialler.quic.close(Code::SHUTTING_DOWN.varint(), b"");
    }
}

impl Endpoint {
    /// An endpoint on the tokio runtime and a UDP socket bound to `address` (port 0: any).
    ///
    /// # Errors
    /// When the address cannot be bound, or outside of a tokio runtime.
    pub fn bind(
        address: SocketAddr,
        identity: &Identity,
        directory: Arc<dyn Directory>,
        limits: Limits,
        now: Arc<dyn TimeSource>,
    ) -> Result<Self, EndpointError> {
        let bind = |source| EndpointError::Bind { address, source };
        let socket = UdpSocket::bind(address).map_err(bind)?;
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let socket = runtime.wrap_udp_socket(socket).map_err(bind)?;
        Self::new(runtime, socket, identity, directory, limits, now)
    }

    /// An endpoint on any runtime and datagram socket. `now` is the wall clock; monotonic time comes
    /// from the runtime.
    ///
    /// # Errors
    /// When the socket is unusable or the cryptographic library refuses.
    pub fn new(
        runtime: Arc<dyn Runtime>,
        socket: Arc<dyn AsyncUdpSocket>,
        identity: &Identity,
        directory: Arc<dyn Directory>,
        limits: Limits,
        now: Arc<dyn TimeSource>,
    ) -> Result<Self, EndpointError> {
        let transport = limits.transport();
        let presented = Arc::new(Presented::new(identity));
        let server = if limits.listens() {
            Some(server_config(&presented, &directory, &limits, &transport, &now)?)
        } else {
            None
        };
        let quic =
            quinn::Endpoint::new_with_abstract_socket(restartable(identity), server, socket, runtime.clone())
                .map_err(EndpointError::Socket)?;
        let (sender, ready) = mpsc::channel(limits.untaken.max(1));
        let roll = Arc::new(Roll::new(directory, limits));
        let doorkeeper = inbound::receive(quic.clone(), roll.clone(), runtime.clone(), sender);
        runtime.spawn(Box::pin(doorkeeper));
        let dialler = Dialler { quic, roll, presented, transport, now };
        Ok(Self(Arc::new(Inner { dialler, ready: Mutex::new(ready) })))
    }

    /// Where this endpoint receives.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.dialler.quic.local_addr()
    }

    /// Dials `address` and demands that it prove one of the `expected` keys: the present one and, during
    /// a rotation, the next. The directory must admit it, too.
    ///
    /// The link returned is **not up yet**: in TLS 1.3 the peer judges our certificate after this
    /// returns. Only its first answer shows that it stayed.
    ///
    /// # Errors
    /// As [`ConnectError`] tells.
    pub async fn connect(&self, address: SocketAddr, expected: &[PeerKey]) -> Result<Link, ConnectError> {
        self.0.dialler.dial(address, expected).await
    }

    /// The next link somebody made to this endpoint, its handshake complete and its key admitted; `None`
    /// when the endpoint is closed.
    pub async fn accept(&self) -> Option<Link> {
        self.0.ready.lock().await.recv().await
    }

    /// From now on this endpoint proves itself with another key, in both directions. Links that exist
    /// keep the key they were made with and lose nothing.
    pub fn rotate(&self, identity: &Identity) {
        self.0.dialler.presented.replace(identity);
        tracing::info!(key = %identity.key(), "identity rotated");
    }

    /// Closes every link of `key` at once ([`Code::NOT_ADMITTED`]); tells how many there were.
    pub fn close(&self, key: &PeerKey) -> usize {
        self.0.dialler.roll.close_where(|peer| (peer.key == *key).then_some(Code::NOT_ADMITTED))
    }

    /// Asks the directory about the peer of every link again, and closes those it refuses now or knows
    /// as somebody else (the other side may dial again). Call it after installing a trust list. Tells how
    /// many were closed.
    pub fn sweep(&self) -> usize {
        let closed = self.0.dialler.roll.sweep();
        if closed > 0 {
            tracing::info!(closed, "links closed that the trust list no longer admits");
        }
        closed
    }

    /// The peers of all links that are open now, one entry for each link.
    pub fn peers(&self) -> Vec<Peer> {
        self.0.dialler.roll.peers()
    }

    /// Exchanges under way on all links.
    pub fn exchanges(&self) -> usize {
        self.0.dialler.roll.exchanges()
    }

    /// Leaves in good order: no new link, no new exchange; those under way may end within `grace`; then
    /// every link is closed ([`Code::SHUTTING_DOWN`]). Tells how many exchanges were cut off.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        let Dialler { quic, roll, .. } = &self.0.dialler;
        let deadline = Instant::now() + grace;
        roll.drain();
        let cut = match timeout_at(deadline, roll.quiet()).await {
            Ok(()) => 0,
            Err(_) => roll.exchanges(),
        };
        quic.close(Code::SHUTTING_DOWN.varint(), b"");
        // A peer that does not take the farewell will notice by its idle time-out.
        let _ = timeout_at(Instant::now() + FAREWELL, quic.wait_idle()).await;
        cut
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.local_addr().ok()).finish_non_exhaustive()
    }
}

fn server_config(
    presented: &Arc<Presented>,
    directory: &Arc<dyn Directory>,
    limits: &Limits,
    transport: &Arc<TransportConfig>,
    now: &Arc<dyn TimeSource>,
) -> Result<ServerConfig, EndpointError> {
    let tls = tls::server(presented.clone(), directory.clone(), now.clone())
        .map_err(|e| EndpointError::Crypto(e.to_string()))?;
    let tls = tls::quic_server(tls).map_err(|e| EndpointError::Crypto(e.to_string()))?;
    let mut unsent = ValidationTokenConfig::default();
    unsent.sent(0);
    let mut config = ServerConfig::with_crypto(tls);
    config
        .transport_config(transport.clone())
        .max_incoming(limits.waiting)
        .incoming_buffer_size(limits.waiting_bytes.min(64 << 10))
        .incoming_buffer_size_total(limits.waiting_bytes)
        .validation_token_config(unsent)
        .time_source(now.clone());
    Ok(config)
}

/// What outlives a restart: the key of stateless resets (RFC 9000 section 10.3.2) follows from the
/// identity, so that a party that was killed can tell its old peers at once that it has forgotten them.
fn restartable(identity: &Identity) -> EndpointConfig {
    let key = identity.derive(b"hibiki/1 stateless reset");
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key)));
    config.cid_generator(|| Box::new(RandomIds));
    config
}

/// Connection ids of 8 random bytes. (quinn's own can be recognised by the process that made them, and
/// it drops unrecognised ones silently: after a restart no reset would be sent.)
struct RandomIds;

/// Bytes of a connection id.
const ID_BYTES: usize = 8;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID_BYTES];
        // aws-lc aborts rather than fail here; and a repeated id is refused by QUIC itself.
        let _ = rand::fill(&mut id);
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// An endpoint could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address is taken or not ours.
    #[error("cannot receive on {address} (UDP): {source}; is another process using it?")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The socket does not work.
    #[error("cannot use the UDP socket: {0}")]
    Socket(io::Error),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Crypto(String),
}
