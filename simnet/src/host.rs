//! A machine in the world: an address, sockets, tasks, a clock; it can crash and come back.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use quinn::{AsyncUdpSocket, Runtime, TimeSource};

use crate::clock::HostClock;
use crate::fabric::Fabric;
use crate::runtime::{HostRuntime, Life};
use crate::socket::HostSocket;

/// A machine. Cloning gives another handle.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    ip: Ipv4Addr,
    fabric: Arc<Fabric>,
    clock: Arc<HostClock>,
    life: Mutex<Arc<Life>>,
}

impl Host {
    pub(crate) fn new(name: &str, ip: Ipv4Addr, fabric: &Arc<Fabric>) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            ip,
            fabric: fabric.clone(),
            clock: Arc::new(HostClock::new(fabric.clone())),
            life: Mutex::default(),
        }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its address.
    pub fn ip(&self) -> IpAddr {
        IpAddr::V4(self.0.ip)
    }

    /// Its address with a port.
    pub fn addr(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip(), port)
    }

    /// Binds a datagram socket.
    ///
    /// # Errors
    /// `AddrInUse` while another socket of this host has the port.
    pub fn socket(&self, port: u16) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(HostSocket::bind(&self.0.fabric, self.addr(port))?))
    }

    fn life(&self) -> Arc<Life> {
        self.0.life.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The runtime of the host's present life. Whatever is started through it ends with that life.
    pub fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(HostRuntime(self.life()))
    }

    /// Starts a task of this host, which ends when the host crashes.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.life().spawn(task);
    }

    /// The clock on its wall.
    pub fn clock(&self) -> Arc<dyn TimeSource> {
        self.0.clock.clone()
    }

    /// Sets its clock ahead of the world by so many milliseconds (negative: behind).
    pub fn set_skew(&self, millis: i64) {
        self.0.clock.set_skew(millis);
    }

    /// The power goes: every task of this host ends where it stands, quinn's included; its sockets are
    /// gone and nothing more is sent, not even a farewell. Datagrams already on their way still travel.
    /// The host is up again at once, empty: bind and start anew.
    pub fn crash(&self) {
        let ended = {
            let mut life = self.0.life.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *life)
        };
        self.0.fabric.unbind_host(self.ip());
        ended.end();
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({}, {})", self.0.name, self.0.ip)
    }
}
