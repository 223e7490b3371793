//! A small town for the tests: parties that know each other and answer what they are asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hibiki_simnet::{Host, World};
use hibiki_transport::{Admission, Directory, Endpoint, Identity, Limits, Link, PeerKey};

pub(crate) const PORT: u16 = 4433;

/// Everybody's trust list.
#[derive(Clone, Default)]
pub(crate) struct Members(BTreeMap<PeerKey, Arc<str>>);

impl Directory for Members {
    fn admit(&self, key: &PeerKey) -> Admission {
        self.0.get(key).map_or(Admission::Refused, |name| Admission::Member(name.clone()))
    }
}

/// Hosts and their keys, made in the order of their names.
pub(crate) struct Town {
    world: World,
    members: Members,
    keys: BTreeMap<String, Identity>,
}

impl Town {
    pub(crate) fn new(world: &World, names: &[&str]) -> Self {
        let mut town = Self { world: world.clone(), members: Members::default(), keys: BTreeMap::new() };
        for name in names {
            let identity = Identity::generate().unwrap();
            town.members.0.insert(identity.key(), (*name).into());
            town.keys.insert((*name).to_owned(), identity);
            world.host(name);
        }
        town
    }

    pub(crate) fn host(&self, name: &str) -> Host {
        self.world.host(name)
    }

    pub(crate) fn key(&self, name: &str) -> PeerKey {
        self.keys[name].key()
    }

    /// Starts a party on its host, in the host's present life.
    pub(crate) fn start(&self, name: &str) -> Endpoint {
        let host = self.host(name);
        Endpoint::new(
            host.runtime(),
            host.socket(PORT).unwrap(),
            &self.keys[name],
            Arc::new(self.members.clone()),
            Limits::default(),
            host.clock(),
        )
        .unwrap()
    }

    /// Starts a party that answers every question with itself, `work` later.
    pub(crate) fn start_echo(&self, name: &str, work: Duration) -> Endpoint {
        let (endpoint, host) = (self.start(name), self.host(name));
        let serving = endpoint.clone();
        host.clone().spawn(async move {
            while let Some(link) = serving.accept().await {
                host.clone().spawn(serve(link, host.clone(), work));
            }
        });
        endpoint
    }

    pub(crate) async fn dial(&self, from: &Endpoint, to: &str) -> Result<Link, String> {
        let address = self.host(to).addr(PORT);
        from.connect(address, &[self.key(to)]).await.map_err(|e| e.to_string())
    }
}

async fn serve(link: Link, host: Host, work: Duration) {
    while let Some(mut exchange) = link.accept().await {
        host.spawn(async move {
            while let Ok(Some(question)) = exchange.recv(1 << 20).await {
                tokio::time::sleep(work).await;
                if exchange.send(&question).await.is_err() {
                    return;
                }
            }
            let _ = exchange.finish();
        });
    }
}

/// One question, one answer, within a deadline of virtual time.
pub(crate) async fn ask(link: &Link, question: &[u8], within: Duration) -> Result<Vec<u8>, String> {
    let asking = async {
        let mut exchange = link.open().await.map_err(|e| e.to_string())?;
        exchange.send(question).await.map_err(|e| e.to_string())?;
        exchange.finish().map_err(|e| e.to_string())?;
        let answer = exchange.recv(1 << 20).await.map_err(|e| e.to_string())?;
        answer.ok_or_else(|| "no answer".to_owned())
    };
    tokio::time::timeout(within, asking).await.unwrap_or_else(|_| Err("deadline".to_owned()))
}
