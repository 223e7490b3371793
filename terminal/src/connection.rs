//! The link to the gateway: who it is by exact key, which version, which trust list, what time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{FetchTrustLists, Hello, Reply, Request};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::time::Timestamp;
use hibiki_transport::{Admission, Endpoint, Exchange, Identity, Limits, Link, PeerKey};

use crate::federation::{Federation, wire_keys};
use crate::road::Road;
use crate::trouble::Trouble;

/// How long one control exchange may take.
const EXCHANGE: Duration = Duration::from_secs(5);

/// A live connection to a gateway, up and in step with its trust list.
pub struct Connection {
    link: Link,
    gateway: MemberId,
    // Dropping the endpoint closes the link.
    _endpoint: Endpoint,
}

impl Connection {
    /// Connects to `gateway` at `address` (or where the trust list says), says hello and catches up
    /// with the trust list.
    ///
    /// # Errors
    /// It cannot be reached, is not who it should be, or clocks differ by more than five minutes.
    pub async fn open(
        federation: &mut Federation,
        gateway: &MemberId,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        Self::open_over(&Road::system(), federation, gateway, address, now).await
    }

    /// The same over any road.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub async fn open_over(
        road: &Road,
        federation: &mut Federation,
        gateway: &MemberId,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let member = federation.gateway(gateway)?.clone();
        let keys = wire_keys(&member);
        let address = address.or_else(|| member.addresses.first().map(String::as_str));
        let unreachable = |reason: String| Trouble::GatewayUnreachable { gateway: gateway.clone(), reason };
        let address = address.ok_or_else(|| unreachable("the trust list names no address".to_owned()))?;
        let mut resolved =
            tokio::net::lookup_host(address).await.map_err(|error| unreachable(error.to_string()))?;
        let address = resolved.next().ok_or_else(|| unreachable("the name has no address".to_owned()))?;
        let endpoint = dialler(road, address, keys.clone())?;
        let link = endpoint.connect(address, &keys).await.map_err(|error| unreachable(error.to_string()))?;
        let connection = Self { link, gateway: gateway.clone(), _endpoint: endpoint };
        connection.greet(federation, now).await?;
        Ok(connection)
    }

    /// The link itself: what a session is bound to.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Who is at the other end.
    pub fn gateway(&self) -> &MemberId {
        &self.gateway
    }

    async fn greet(&self, federation: &mut Federation, now: Timestamp) -> Result<(), Trouble> {
        let list = federation.accepted().list();
        let hello = Hello {
            version_min: limits::VERSION_MIN,
            version_max: limits::VERSION_MAX,
            federation: list.federation.clone(),
            epoch: list.epoch,
        };
        let Reply::Welcome(welcome) = self.call(hello.into()).await? else {
            return Err(Trouble::Protocol("a hello was not answered by a welcome"));
        };
        if welcome.member != self.gateway || welcome.version != limits::VERSION_MAX {
            return Err(Trouble::Protocol("the welcome is not this gateway's, or of another version"));
        }
        let difference = welcome.now.since(now).max(now.since(welcome.now));
        if difference > limits::CLOCK_SKEW_MILLIS {
            return Err(Trouble::Clock { seconds: difference / 1000 });
        }
        self.catch_up(federation, welcome.epoch, now).await
    }

    async fn catch_up(&self, federation: &mut Federation, epoch: u64, now: Timestamp) -> Result<(), Trouble> {
        while federation.accepted().list().epoch < epoch {
            let after = federation.accepted().list().epoch;
            let Reply::TrustLists(answer) = self.call(FetchTrustLists { after }.into()).await? else {
                return Err(Trouble::Protocol("a fetch of trust lists was not answered by trust lists"));
            };
            if !federation.take(&answer.lists, now)? {
                return Err(Trouble::Protocol("the gateway names an epoch it does not show"));
            }
        }
        Ok(())
    }

    /// One request, one reply.
    ///
    /// # Errors
    /// The link is lost, or the reply is none.
    pub async fn call(&self, request: Request) -> Result<Reply, Trouble> {
        let mut exchange = self.begin(&request).await?;
        let frame = exchange.recv_within(limits::FRAME_BYTES_MAX, EXCHANGE).await;
        let frame = frame.map_err(|error| self.lost(&error))?;
        let frame = frame.ok_or(Trouble::Protocol("the exchange ended without a reply"))?;
        cbor::decode(&frame).map_err(|_| Trouble::Protocol("a reply is not well-formed"))
    }

    /// Opens an exchange with its request; replies are read by the caller.
    ///
    /// # Errors
    /// The link is lost.
    pub async fn begin(&self, request: &Request) -> Result<Exchange, Trouble> {
        let mut exchange = self.link.open().await.map_err(|error| self.lost(&error))?;
        exchange.send_within(&cbor::encode(request), EXCHANGE).await.map_err(|error| self.lost(&error))?;
        exchange.finish().map_err(|error| self.lost(&error))?;
        Ok(exchange)
    }

    fn lost(&self, error: &dyn std::fmt::Display) -> Trouble {
        Trouble::GatewayUnreachable { gateway: self.gateway.clone(), reason: error.to_string() }
    }
}

/// An endpoint that only dials, with a key made for this connection alone, admitting `keys` alone.
fn dialler(road: &Road, towards: SocketAddr, keys: Vec<PeerKey>) -> Result<Endpoint, Trouble> {
    let machine = |error: &dyn std::fmt::Display| Trouble::Machine(error.to_string());
    let identity = Identity::generate().map_err(|error| machine(&error))?;
    let directory = move |key: &PeerKey| {
        if keys.contains(key) { Admission::member("gateway") } else { Admission::Refused }
    };
    road.endpoint(towards, &identity, Arc::new(directory), Limits::dial_only())
        .map_err(|error| machine(&error))
}
