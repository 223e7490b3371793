//! The road out of this terminal: where its datagrams go and come from, who runs what waits for them, and which
//! clock certificates are judged by.
//!
//! Must not know: who is at the other end.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use hibiki_transport::{
    AsyncUdpSocket, Directory, Endpoint, EndpointError, Identity, Limits, Runtime, StdSystemTime, TimeSource,
    TokioRuntime,
};

/// Opens a datagram socket for a peer at the address.
pub type Sockets = Arc<dyn Fn(SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> + Send + Sync>;

/// A way into the network. Cheap to clone.
#[derive(Clone)]
pub struct Road {
    runtime: Arc<dyn Runtime>,
    sockets: Sockets,
    clock: Arc<dyn TimeSource>,
}

impl Road {
    /// A road made of the given parts: a rehearsal has its own.
    pub fn new(runtime: Arc<dyn Runtime>, sockets: Sockets, clock: Arc<dyn TimeSource>) -> Self {
        Self { runtime, sockets, clock }
    }

    /// This machine's network.
    pub fn system() -> Self {
        Self::new(Arc::new(TokioRuntime), Arc::new(kernel_socket), Arc::new(StdSystemTime))
    }

    /// An endpoint with a socket of its own.
    pub(crate) fn endpoint(
        &self,
        towards: SocketAddr,
        identity: &Identity,
        directory: Arc<dyn Directory>,
        limits: Limits,
    ) -> Result<Endpoint, EndpointError> {
        let socket = (self.sockets)(towards).map_err(EndpointError::Socket)?;
        Endpoint::new(Arc::clone(&self.runtime), socket, identity, directory, limits, Arc::clone(&self.clock))
    }
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Road").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

/// A socket at any port of the peer's family.
fn kernel_socket(towards: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let local: SocketAddr = if towards.is_ipv6() { ([0; 8], 0).into() } else { ([0; 4], 0).into() };
    TokioRuntime.wrap_udp_socket(UdpSocket::bind(local)?)
}
