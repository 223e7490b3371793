//! Every bound of the road, each with its unit and its reason.
//!
//! Owns the numbers and their translation into QUIC's transport parameters; must not know the limits
//! of messages (those belong to the protocol).

use std::sync::Arc;
use std::time::Duration;

use quinn::{IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt};

use crate::laboratory;

/// Bounds of one [`Endpoint`](crate::Endpoint). The defaults fit a node; see [`Limits::dial_only`] for a terminal.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A link that hears nothing for this long is lost. 15 s: QUIC takes the smaller of both sides'
    /// (RFC 9000 section 10.1), and a person waits no longer for a hospital that vanished.
    pub idle: Duration,
    /// Silence after which a ping is sent. 5 s: a third of `idle`, and below the 20 to 30 s after which
    /// home routers forget a UDP binding. Not derived from `idle` by QUIC: without it warm links die.
    pub keep_alive: Duration,
    /// A handshake, dialled or received, must be complete within this. 5 s: twenty times a slow one.
    pub handshake: Duration,
    /// Round trip assumed before one was measured. 100 ms instead of RFC 9002's 333: inside a city a lost
    /// first datagram then costs 0.3 s, not 1 s.
    pub initial_rtt: Duration,
    /// Bytes a peer may have in flight to us on one exchange. 1 MiB: one large answer in one round trip.
    pub exchange_window: u32,
    /// Bytes a peer may have in flight to us on one link. 8 MiB: bounds what a link can make us hold.
    pub link_window: u32,
    /// Exchanges a member may have open on one link at a time. 64: more wait for credit at the sender.
    pub exchanges: u32,
    /// The same for a guest. 16: one terminal, one view.
    pub guest_exchanges: u32,
    /// Handshakes being received at a time; beyond it they are refused as busy. 1024. **Zero: this
    /// endpoint does not listen at all.**
    pub handshakes: usize,
    /// How many of those may come from one IP address. 512, half of `handshakes`: one address, however
    /// many sockets it opens, cannot keep everybody else out.
    pub handshakes_per_address: usize,
    /// From this many handshakes with an unproved source address on, newcomers must first return a
    /// token (Retry, RFC 9000 section 8.1.2). 64: a forged flood then costs us no state.
    pub retry_above: usize,
    /// Attempts that may wait before this endpoint has looked at them. 1024 instead of 65536.
    pub waiting: usize,
    /// Bytes held for all waiting attempts together. 10 MiB.
    pub waiting_bytes: u64,
    /// Links that may be established and not yet taken by `Endpoint::accept`. 256.
    pub untaken: usize,
    /// Links one key may have open at a time. 64: a member reconnecting wildly harms itself only.
    pub links_per_key: usize,
    /// Links all guests together may have open. 2048.
    pub guest_links: usize,
    /// Let the kernel cut large sends into datagrams (GSO). On; some network cards and virtual machines
    /// answer EIO to it, and then it must be off.
    pub segmentation_offload: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            keep_alive: Duration::from_secs(5),
            handshake: Duration::from_secs(5),
            initial_rtt: Duration::from_millis(100),
            exchange_window: 1 << 20,
            link_window: 8 << 20,
            exchanges: 64,
            guest_exchanges: 16,
            handshakes: 1024,
            handshakes_per_address: 512,
            retry_above: 64,
            waiting: 1024,
            waiting_bytes: 10 << 20,
            untaken: 256,
            links_per_key: 64,
            guest_links: 2048,
            segmentation_offload: true,
        }
    }
}

impl Limits {
    /// The bounds of a party that only dials, as a guardian's terminal: nobody can connect to it.
    pub fn dial_only() -> Self {
        Self { handshakes: 0, ..Self::default() }
    }

    /// Whether this endpoint takes handshakes from others.
    pub fn listens(&self) -> bool {
        self.handshakes > 0
    }

    /// These bounds as QUIC's transport parameters. Every link starts with a guest's allowance.
    pub(crate) fn transport(&self) -> Arc<TransportConfig> {
        let mut config = TransportConfig::default();
        config
            .max_idle_timeout(Some(IdleTimeout::try_from(self.idle).unwrap_or_else(|_| VarInt::MAX.into())))
            .keep_alive_interval(Some(self.keep_alive))
            .initial_rtt(self.initial_rtt)
            .stream_receive_window(VarInt::from_u32(self.exchange_window))
            .receive_window(VarInt::from_u32(self.link_window))
            .send_window(u64::from(self.link_window))
            .max_concurrent_bidi_streams(VarInt::from_u32(self.guest_exchanges.min(self.exchanges)))
            .max_concurrent_uni_streams(VarInt::from_u32(0))
            .datagram_receive_buffer_size(None)
            .mtu_discovery_config(Some(MtuDiscoveryConfig::default()))
            .enable_segmentation_offload(self.segmentation_offload && laboratory::key_log().is_none());
        Arc::new(config)
    }
}
