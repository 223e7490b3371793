//! Parties for the tests: an identity, a trust list that can be changed, an endpoint on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hibiki_transport::{
    Admission, Code, Directory, Endpoint, Exchange, Identity, Limits, Link, PeerKey, StdSystemTime,
};

pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The longest frame these tests let through.
pub(crate) const MAX: usize = 1 << 20;

/// No step of these tests may take longer, even on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A trust list in memory. Counts how often it was asked.
#[derive(Default)]
pub(crate) struct List {
    members: Mutex<BTreeMap<PeerKey, String>>,
    guests: bool,
    asked: AtomicUsize,
}

impl List {
    pub(crate) fn of(members: &[(&str, &Identity)]) -> Arc<Self> {
        let list = Self::default();
        for (name, identity) in members {
            list.put(name, identity);
        }
        Arc::new(list)
    }

    /// A list of nobody that lets everybody in as a guest.
    pub(crate) fn open_door() -> Arc<Self> {
        Arc::new(Self { guests: true, ..Self::default() })
    }

    pub(crate) fn put(&self, name: &str, identity: &Identity) {
        self.members.lock().unwrap().insert(identity.key(), name.to_owned());
    }

    pub(crate) fn remove(&self, identity: &Identity) {
        self.members.lock().unwrap().remove(&identity.key());
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Directory for List {
    fn admit(&self, key: &PeerKey) -> Admission {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.members.lock().unwrap().get(key) {
            Some(name) => Admission::member(name.as_str()),
            None if self.guests => Admission::Guest,
            None => Admission::Refused,
        }
    }
}

/// One party: its key, its list, its endpoint.
pub(crate) struct Party {
    pub(crate) identity: Identity,
    pub(crate) list: Arc<List>,
    pub(crate) endpoint: Endpoint,
}

impl Party {
    pub(crate) fn new(identity: &Identity, list: &Arc<List>) -> Self {
        Self::with(identity, list, Limits::default())
    }

    pub(crate) fn with(identity: &Identity, list: &Arc<List>, limits: Limits) -> Self {
        let endpoint =
            Endpoint::bind(LOOPBACK, identity, list.clone(), limits, Arc::new(StdSystemTime)).unwrap();
        Self { identity: identity.clone(), list: list.clone(), endpoint }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }

    /// Dials another party, expecting its present key.
    pub(crate) async fn dial(&self, other: &Self) -> Link {
        within(self.endpoint.connect(other.addr(), &[other.identity.key()])).await.unwrap()
    }

    /// Answers every frame with itself, on every exchange of every link.
    pub(crate) fn echo(&self) {
        let endpoint = self.endpoint.clone();
        tokio::spawn(async move {
            while let Some(link) = endpoint.accept().await {
                tokio::spawn(echo_link(link));
            }
        });
    }
}

pub(crate) async fn echo_link(link: Link) {
    while let Some(exchange) = link.accept().await {
        tokio::spawn(echo_exchange(exchange));
    }
}

async fn echo_exchange(mut exchange: Exchange) {
    while let Ok(Some(frame)) = exchange.recv(MAX).await {
        if exchange.send(&frame).await.is_err() {
            return;
        }
    }
    let _ = exchange.finish();
}

/// Asks and reads one answer: what shows that a link is up.
pub(crate) async fn ask(link: &Link, question: &[u8]) -> Result<Vec<u8>, String> {
    let mut exchange = link.open().await.map_err(|e| e.to_string())?;
    exchange.send(question).await.map_err(|e| e.to_string())?;
    exchange.finish().map_err(|e| e.to_string())?;
    let answer = exchange.recv_within(MAX, PATIENCE).await.map_err(|e| e.to_string())?;
    answer.ok_or_else(|| "no answer".to_owned())
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("took too long")
}

/// Two members that know each other; the second one echoes.
pub(crate) fn pair() -> (Party, Party) {
    let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let (of_a, of_b) = (List::of(&[("city/b", &b)]), List::of(&[("city/a", &a)]));
    let (a, b) = (Party::new(&a, &of_a), Party::new(&b, &of_b));
    b.echo();
    (a, b)
}

/// A link of `a` to `b` and `b`'s end of it.
pub(crate) async fn linked(a: &Party, b: &Party) -> (Link, Link) {
    let (dialled, accepted) = within(async { tokio::join!(a.dial(b), b.endpoint.accept()) }).await;
    (dialled, accepted.unwrap())
}

/// Two members that know each other, linked; nobody echoes.
pub(crate) async fn two() -> (Party, Party, Link, Link) {
    let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let list = List::of(&[("city/a", &a), ("city/b", &b)]);
    let (a, b) = (Party::new(&a, &list), Party::new(&b, &list));
    let (dialled, accepted) = linked(&a, &b).await;
    (a, b, dialled, accepted)
}

pub(crate) fn is_reset(error: &hibiki_transport::ExchangeError, code: Code) -> bool {
    *error == hibiki_transport::ExchangeError::Reset { code }
}
