//! A small federation for tests: a city hall, a clinic and a school, each with keys, tables and ledger of its
//! own in memory, under one trust list and one clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hibiki_protocol::ids::{Digest, FederationId, MemberId};
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};
use hibiki_protocol::trust::{
    Accepted, CardAuthority, Member, MemberKind, Role, Root, RootAnchor, SignedTrustList, TrustList,
};
use tempfile::TempDir;

use super::{Means, Trust};
use crate::env::{Clock, Env};
use crate::keyring::KeyRing;
use crate::keys::NodeKeys;
use crate::ledger::{EntrySealer, Ledger, Logged, MemoryStorage, Setup, Sizes};
use crate::store::{Committer, MemoryStore, Store};
use crate::vault::Vault;

/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: u64 = 1_795_305_600_000;
pub(crate) const DAY: u64 = 24 * 3600 * 1000;

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub(crate) struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Hands {
    pub(crate) fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody sets the clock back.
    pub(crate) fn set_back(&self, millis: u64) {
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }
}

/// One member: what its services work with, and its store, to play a full disk.
pub(crate) struct House {
    pub(crate) means: Means,
    pub(crate) store: MemoryStore,
    pub(crate) ring: Arc<KeyRing>,
    _keys: TempDir,
}

impl House {
    /// What stands in the ledger, details included.
    pub(crate) fn logged(&self) -> Vec<Logged> {
        self.means.ledger.read(0..self.means.ledger.size()).unwrap()
    }
}

/// The federation.
pub(crate) struct Town {
    pub(crate) clock: Hands,
    pub(crate) houses: BTreeMap<&'static str, House>,
    trust: Arc<Mutex<Arc<Accepted>>>,
    root: SigningKey,
}

impl Town {
    /// City hall (registry, gateway, responder), clinic and school (responders), and an observer.
    pub(crate) fn new(card_authorities: Vec<CardAuthority>) -> Self {
        let clock = Hands(Arc::new(AtomicU64::new(NOW)));
        let env = Env::new(
            Arc::new(clock.clone()),
            Arc::clone(Env::system().entropy()),
            Arc::new(NoSockets),
            Env::system().runtime(),
        );
        let root = SigningKey::from_seed(&[1; 32]);
        let mut keys = BTreeMap::new();
        let mut members = Vec::new();
        for (name, roles) in ROLES {
            let folder = tempfile::tempdir().unwrap();
            let own = NodeKeys::create(&folder.path().join("keys"), &env).unwrap();
            members.push(member(name, roles, &own, &env));
            keys.insert(*name, (folder, own));
        }
        let list = trust_list(1, Digest::ZERO, &root, members, card_authorities);
        let mut signed = SignedTrustList::unsigned(&list);
        signed.sign(&root);
        let anchor = RootAnchor { federation: list.federation.clone(), root: list.root.clone() };
        let trust = Arc::new(Mutex::new(Arc::new(Accepted::first(&anchor, &signed).unwrap())));
        let house = |(name, (folder, keys)): (&'static str, (TempDir, NodeKeys))| {
            let trust = Arc::clone(&trust);
            let trust: Trust = Arc::new(move || Arc::clone(&trust.lock().unwrap()));
            (name, house(name, folder, keys, trust, env.clone()))
        };
        let houses = keys.into_iter().map(house).collect();
        Self { clock, houses, trust, root }
    }

    pub(crate) fn house(&self, name: &str) -> &House {
        &self.houses[name]
    }

    pub(crate) fn means(&self, name: &str) -> Means {
        self.house(name).means.clone()
    }

    pub(crate) fn trust(&self) -> Arc<Accepted> {
        Arc::clone(&self.trust.lock().unwrap())
    }

    /// Puts the next trust list into force.
    pub(crate) fn next_list(&self, change: impl FnOnce(&mut TrustList)) {
        let mut place = self.trust.lock().unwrap();
        let mut list = place.list().clone();
        (list.epoch, list.previous) = (list.epoch + 1, place.digest());
        change(&mut list);
        let mut signed = SignedTrustList::unsigned(&list);
        signed.sign(&self.root);
        let decision = place.consider(&signed, Timestamp(self.clock.now())).unwrap();
        let hibiki_protocol::trust::Decision::Install(next) = decision else { panic!("a true successor") };
        *place = Arc::new(*next);
    }
}

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(&format!("maebashi/{name}")).unwrap()
}

const ROLES: &[(&str, &[Role])] = &[
    ("city-hall", &[Role::Registry, Role::Gateway, Role::Responder]),
    ("clinic", &[Role::Responder]),
    ("school", &[Role::Responder]),
    ("observer", &[Role::Observer]),
];

fn member(name: &str, roles: &[Role], keys: &NodeKeys, env: &Env) -> Member {
    let stub = Member {
        id: id(name),
        kind: MemberKind::CityHall,
        name_ja: name.to_owned(),
        name_en: name.to_owned(),
        roles: roles.to_vec(),
        addresses: Vec::new(),
        tls_key: hibiki_protocol::trust::TlsKey([0; 32]),
        tls_key_next: None,
        signing_key: keys.signing().verifying_key(),
        sealing_keys: Vec::new(),
        ledger_key: keys.ledger().verifying_key(),
        registry_area: roles.contains(&Role::Registry).then(|| "10201".to_owned()),
        witness_key: None,
    };
    let federation = FederationId::new("maebashi").unwrap();
    let request = keys.request(federation, stub, Timestamp(env.now()));
    request.verify(&keys.signing().verifying_key()).unwrap().member
}

fn trust_list(
    epoch: u64,
    previous: Digest,
    root: &SigningKey,
    members: Vec<Member>,
    card_authorities: Vec<CardAuthority>,
) -> TrustList {
    TrustList {
        version: 1,
        federation: FederationId::new("maebashi").unwrap(),
        epoch,
        previous,
        issued: Timestamp(NOW),
        expires: Timestamp(NOW + 30 * DAY),
        root: Root { keys: vec![root.verifying_key()], threshold: 1, removal_threshold: 1 },
        members,
        card_authorities,
    }
}

fn house(name: &str, folder: TempDir, keys: NodeKeys, trust: Trust, env: Env) -> House {
    let store = MemoryStore::new();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let ring = Arc::new(KeyRing::in_memory(Arc::clone(env.entropy())));
    let origin = format!("maebashi/{name}/ledger");
    let signer = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &keys.ledger().seed()).unwrap();
    let setup = Setup {
        signer: Arc::new(signer),
        sealer: Arc::clone(&ring) as Arc<dyn EntrySealer>,
        entropy: Arc::clone(env.entropy()),
        sizes: Sizes::default(),
    };
    let ledger = Ledger::inline(Arc::new(MemoryStorage::new()), setup, env.now()).unwrap();
    let vault = Vault::new(Arc::clone(&shared), Committer::inline(shared), Arc::clone(&ring));
    House { means: Means { own: id(name), keys, trust, vault, ledger, env }, store, ring, _keys: folder }
}

/// Nothing here opens a socket.
#[derive(Debug)]
struct NoSockets;

impl crate::env::Sockets for NoSockets {
    fn bind(&self, _: SocketAddr) -> std::io::Result<Arc<dyn quinn::AsyncUdpSocket>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
