//! Being dialled: from a first datagram to a link that waits to be taken.
//!
//! Owns the door: how many may stand in it, who must first prove an address, how long it stays open.
//! Must not know what links are for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quinn::Runtime;
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::roll::Roll;
use crate::tls::{ALPN, key_of};
use crate::{Code, Link, PeerKey};

/// Takes newcomers until the endpoint closes. Each handshake runs as its own task.
pub(crate) async fn receive(
    quic: quinn::Endpoint,
    roll: Arc<Roll>,
    runtime: Arc<dyn Runtime>,
    ready: mpsc::Sender<Link>,
) {
    let door = Arc::new(Door::default());
    while let Some(incoming) = quic.accept().await {
        if roll.is_draining() {
            incoming.refuse();
            continue;
        }
        let unproved = !incoming.remote_address_validated();
        if unproved && door.unproved() >= roll.limits().retry_above {
            // When it cannot be sent, dropping the attempt refuses it.
            let _ = incoming.retry();
            continue;
        }
        let Some(place) = door.enter(incoming.remote_address().ip(), unproved, roll.limits()) else {
            incoming.refuse();
            continue;
        };
        match incoming.accept() {
            Ok(connecting) => {
                runtime.spawn(Box::pin(handshake(connecting, roll.clone(), ready.clone(), place)));
            }
            Err(error) => tracing::debug!(%error, "newcomer's first datagram made no sense"),
        }
    }
}

/// One handshake, to its end or its deadline. The place in the door is kept until the link is taken
/// over, so that an application that takes no links does not collect them either.
async fn handshake(connecting: quinn::Connecting, roll: Arc<Roll>, ready: mpsc::Sender<Link>, place: Place) {
    let connection = match timeout(roll.limits().handshake, connecting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%error, "handshake failed"),
        Err(_) => return tracing::debug!("handshake took too long"),
    };
    let Some(key) = proved_key(&connection) else {
        return connection.close(Code::MALFORMED.varint(), b"");
    };
    match roll.enter(&connection, key) {
        Ok((id, peer)) => {
            // Nobody takes links any more: dropping this one closes it.
            let _ = ready.send(Link::new(connection, peer, id, roll)).await;
        }
        Err(why) => {
            tracing::debug!(?why, %key, "newcomer turned away");
            connection.close(why.code().varint(), b"");
        }
    }
    drop(place);
}

/// The key that a finished handshake proved, if it spoke our protocol and showed one certificate.
pub(crate) fn proved_key(connection: &quinn::Connection) -> Option<PeerKey> {
    let data = connection.handshake_data()?.downcast::<quinn::crypto::rustls::HandshakeData>().ok()?;
    if data.protocol.as_deref() != Some(ALPN) {
        return None;
    }
    let shown = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let [certificate] = shown.as_slice() else { return None };
    key_of(certificate).ok()
}

/// Handshakes under way.
#[derive(Default)]
struct Door(Mutex<Standing>);

#[derive(Default)]
struct Standing {
    all: usize,
    unproved: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

impl Door {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unproved(&self) -> usize {
        self.standing().unproved
    }

    fn enter(self: &Arc<Self>, address: IpAddr, unproved: bool, limits: &crate::Limits) -> Option<Place> {
        let mut standing = self.standing();
        let here = standing.by_address.get(&address).copied().unwrap_or(0);
        if standing.all >= limits.handshakes || here >= limits.handshakes_per_address {
            return None;
        }
        standing.all += 1;
        standing.unproved += usize::from(unproved);
        standing.by_address.insert(address, here + 1);
        Some(Place { door: self.clone(), address, unproved })
    }
}

/// One handshake's place in the door, given back when this is dropped.
struct Place {
    door: Arc<Door>,
    address: IpAddr,
    unproved: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut standing = self.door.standing();
        standing.all -= 1;
        standing.unproved -= usize::from(self.unproved);
        if let Some(here) = standing.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                standing.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn one_address_cannot_fill_the_door() {
        let limits = Limits { handshakes: 4, handshakes_per_address: 2, ..Limits::default() };
        let door = Arc::new(Door::default());
        let [a, b, c] = [1, 2, 3].map(|n| IpAddr::from([10, 0, 0, n]));
        let mut places: Vec<Place> = (0..2).filter_map(|_| door.enter(a, true, &limits)).collect();
        assert_eq!(places.len(), 2);
        assert!(door.enter(a, true, &limits).is_none(), "a third from the same address");
        places.extend(door.enter(b, false, &limits));
        places.extend(door.enter(c, true, &limits));
        assert_eq!((places.len(), door.unproved()), (4, 3));
        assert!(door.enter(b, false, &limits).is_none(), "the door is full");
        drop(places);
        assert_eq!(door.unproved(), 0);
        assert!(door.standing().by_address.is_empty());
        assert!(door.enter(a, true, &limits).is_some());
    }
}
