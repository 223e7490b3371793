#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicBool, Ordering};

use hibiki_protocol::cbor;
use hibiki_transport::{Admission, PeerKey};

use super::fixtures::{Council, DAY, id, member};
use super::*;
use crate::services::Pending;

fn key(n: u8) -> PeerKey {
    PeerKey::from_bytes([n; 32])
}

fn members(names: &[(&str, u8)]) -> Vec<hibiki_protocol::trust::Member> {
    names.iter().map(|(name, n)| member(name, key(*n), &[], &[])).collect()
}

struct World {
    env: Env,
    council: Council,
    archive: MemoryArchive,
    folder: tempfile::TempDir,
    board: StatusBoard,
}

impl World {
    fn new() -> Self {
        Self {
            env: Env::system(),
            council: Council::new(),
            archive: MemoryArchive::new(),
            folder: tempfile::tempdir().unwrap(),
            board: StatusBoard::new(),
        }
    }

    fn now(&self) -> u64 {
        self.env.now()
    }

    async fn open(&self, given: &[SignedTrustList]) -> Result<Membership, MembershipError> {
        self.open_over(Arc::new(self.archive.clone()), given).await
    }

    async fn open_over(
        &self,
        archive: Arc<dyn Archive>,
        given: &[SignedTrustList],
    ) -> Result<Membership, MembershipError> {
        let opening = Opening {
            anchor: &self.council.anchor(),
            given,
            archive,
            evidence: Arc::new(EvidenceFolder::new(self.folder.path().join("evidence"))),
            strangers: Strangers::Refused,
        };
        Membership::open(self.env.clone(), self.board.clone(), opening).await
    }

    fn problem(&self, name: &str) -> Option<String> {
        self.board.snapshot(0).problems.get(name).cloned()
    }
}

#[tokio::test]
async fn the_chain_is_walked_stored_and_walked_again() {
    let mut world = World::new();
    let now = world.now();
    let first = world.council.publish(now - 3, members(&[("city", 1)]));
    let membership = world.open(std::slice::from_ref(&first)).await.unwrap();
    let mut told = membership.subscribe();
    let second = world.council.publish(now - 2, members(&[("city", 1), ("clinic", 2)]));
    let third = world.council.publish(now - 1, members(&[("city", 1), ("clinic", 3)]));
    let offered = membership.offer(&[first.clone(), second, third]).await.unwrap();
    assert_eq!(offered, Offered { installed: vec![2, 3], refused: None });
    assert!(told.has_changed().unwrap());
    assert_eq!(told.borrow_and_update().admit(&key(3)), Admission::member("maebashi/clinic"));
    let directory = membership.directory();
    assert_eq!(directory.admit(&key(2)), Admission::Refused, "the old key of the clinic");
    drop(membership);
    // After a restart the stored chain decides, whatever older file configuration names.
    let membership = world.open(&[first]).await.unwrap();
    assert_eq!(membership.current().list().epoch, 3);
    assert_eq!(membership.lists_after(1).await.unwrap().len(), 2);
    assert_eq!(membership.lists_after(3).await.unwrap().len(), 0);
}

#[tokio::test]
async fn going_back_and_gaps_are_refused() {
    let mut world = World::new();
    let now = world.now();
    let first = world.council.publish(now - 3, members(&[("city", 1), ("clinic", 2)]));
    let second = world.council.publish(now - 2, members(&[("city", 1)]));
    let third = world.council.publish(now - 1, members(&[("city", 1), ("school", 4)]));
    let membership = world.open(std::slice::from_ref(&first)).await.unwrap();
    let gap = membership.offer(std::slice::from_ref(&third)).await.unwrap();
    assert_eq!(gap.refused, Some(Refused::Gap { from: 2, to: 2 }));
    assert_eq!(membership.offer(&[second, third]).await.unwrap().installed, [2, 3]);
    // The very list that was in force then is merely old; it changes nothing and alarms nobody.
    assert_eq!(membership.offer(&[first]).await.unwrap(), Offered::default());
    assert_eq!(membership.current().list().epoch, 3);
    assert_eq!(world.problem("trust-list-fork"), None);
}

#[tokio::test]
async fn a_list_of_nobody_and_a_forged_list_are_refused() {
    let mut world = World::new();
    let now = world.now();
    assert!(matches!(world.open(&[]).await, Err(MembershipError::NoList)));
    let mut first = world.council.publish(now - 1, members(&[("city", 1)]));
    let forged = {
        let mut forged = first.clone();
        forged.signatures.clear();
        forged
    };
    let refused = world.open(&[forged]).await.unwrap_err();
    assert!(matches!(refused, MembershipError::First(Refused::Threshold { .. })), "{refused}");
    assert!(world.archive.load().await.unwrap().is_empty(), "nothing refused is stored");
    first.payload.push(0);
    assert!(matches!(world.open(&[first]).await, Err(MembershipError::First(Refused::Decode(_)))));
}

#[tokio::test]
async fn two_lists_of_one_epoch_are_kept_as_evidence() {
    let mut world = World::new();
    let now = world.now();
    let first = world.council.publish(now - 3, members(&[("city", 1)]));
    let (other, _) = world.council.draft(now - 1, members(&[("city", 1), ("intruder", 9)]));
    let second = world.council.publish(now - 2, members(&[("city", 1), ("clinic", 2)]));
    let membership = world.open(&[first, second.clone()]).await.unwrap();
    let refused = membership.offer(std::slice::from_ref(&other)).await.unwrap().refused;
    assert_eq!(refused, Some(Refused::Equivocation { epoch: 2 }));
    assert_eq!(membership.current().signed(), &second, "the list installed first stays in force");
    assert!(world.problem("trust-list-fork").unwrap().contains("epoch 2"));
    let evidence = || -> Vec<SignedTrustList> {
        let files = std::fs::read_dir(world.folder.path().join("evidence")).unwrap();
        files.map(|file| cbor::decode(&std::fs::read(file.unwrap().path()).unwrap()).unwrap()).collect()
    };
    assert_eq!(evidence().len(), 2);
    assert!(evidence().contains(&other) && evidence().contains(&second));
    // Found late, when both are history, it is evidence all the same.
    let third = world.council.publish(now - 1, members(&[("city", 1)]));
    membership.offer(&[third]).await.unwrap();
    std::fs::remove_dir_all(world.folder.path().join("evidence")).unwrap();
    world.board.clear("trust-list-fork");
    let late = membership.offer(std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(late.refused, Some(Refused::Rollback { installed: 3, offered: 2 }));
    assert_eq!(evidence().len(), 2);
    assert!(world.problem("trust-list-fork").is_some());
    // The alarm outlives a restart; it ends when the evidence has been taken away.
    for left in [true, false] {
        world.board.clear("trust-list-fork");
        if !left {
            std::fs::remove_dir_all(world.folder.path().join("evidence")).unwrap();
        }
        world.open(&[]).await.unwrap();
        assert_eq!(world.problem("trust-list-fork").is_some(), left);
    }
}

/// An archive whose disk is full.
#[derive(Clone, Default)]
struct FullArchive(MemoryArchive, Arc<AtomicBool>);

impl Archive for FullArchive {
    fn load(&self) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>> {
        self.0.load()
    }
    fn after(&self, epoch: u64, limit: usize) -> Pending<'_, Result<Vec<SignedTrustList>, ArchiveError>> {
        self.0.after(epoch, limit)
    }
    fn keep<'a>(&'a self, epoch: u64, list: &'a SignedTrustList) -> Pending<'a, Result<(), ArchiveError>> {
        if self.1.load(Ordering::SeqCst) {
            return Box::pin(async { Err(ArchiveError { doing: "written", cause: "disk full".into() }) });
        }
        self.0.keep(epoch, list)
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_stored_is_not_used() {
    let mut world = World::new();
    let now = world.now();
    let archive = FullArchive::default();
    let first = world.council.publish(now - 2, members(&[("city", 1)]));
    let membership = world.open_over(Arc::new(archive.clone()), &[first]).await.unwrap();
    let second = world.council.publish(now - 1, members(&[("city", 1), ("clinic", 2)]));
    archive.1.store(true, Ordering::SeqCst);
    assert!(membership.offer(std::slice::from_ref(&second)).await.is_err());
    assert_eq!(membership.current().list().epoch, 1);
    archive.1.store(false, Ordering::SeqCst);
    assert_eq!(membership.offer(&[second]).await.unwrap().installed, [2]);
}

#[tokio::test]
async fn an_expired_list_warns_and_then_ends() {
    let mut world = World::new();
    let issued = world.now() - 31 * DAY;
    let list = world.council.publish(issued, members(&[("city", 1)]));
    let membership = world.open(&[list]).await.unwrap();
    assert_eq!(membership.report_standing(2 * DAY), Standing::Grace);
    assert!(world.problem("trust-list-expired").is_some());
    assert_eq!(membership.report_standing(0), Standing::Expired);
    let next = world.council.publish(world.now() - 1, members(&[("city", 1)]));
    membership.offer(&[next]).await.unwrap();
    assert_eq!(membership.report_standing(0), Standing::Current);
    assert_eq!(world.problem("trust-list-expired"), None);
}

#[tokio::test]
async fn a_stored_chain_that_was_tampered_with_stops_the_start() {
    let mut world = World::new();
    let now = world.now();
    let first = world.council.publish(now - 3, members(&[("city", 1)]));
    let second = world.council.publish(now - 2, members(&[("city", 1), ("clinic", 2)]));
    world.open(&[first, second.clone()]).await.unwrap();
    let mut tampered = second;
    tampered.signatures.clear();
    world.archive.keep(2, &tampered).await.unwrap();
    let error = world.open(&[]).await.unwrap_err();
    assert!(matches!(error, MembershipError::BrokenArchive { epoch: 2, .. }), "{error}");
}

#[tokio::test]
async fn the_store_keeps_the_chain_over_restarts_and_a_full_disk() {
    use crate::store::{Batch, Committer, Keyspace, MemoryStore, Store};

    let mut world = World::new();
    let now = world.now();
    for age in (1..=150).rev() {
        world.council.publish(now - age, members(&[("city", 1)]));
    }
    let store = MemoryStore::new();
    let archive = || {
        let store: Arc<dyn Store> = Arc::new(store.clone());
        Arc::new(StoreArchive::new(store.clone(), Committer::inline(store)))
    };
    // Something else of this keyspace is no list.
    let mut other = Batch::new();
    other.put(Keyspace::TrustLists, *b"note", *b"not a list");
    store.commit(&other).unwrap();
    world.open_over(archive(), &world.council.lists[..149]).await.unwrap();
    store.set_low_space(true);
    let membership = world.open_over(archive(), &world.council.lists[149..]).await.unwrap();
    assert_eq!(membership.current().list().epoch, 150);
    assert_eq!(membership.lists_after(100).await.unwrap(), world.council.lists[100..116]);
    assert_eq!(membership.lists_after(148).await.unwrap(), world.council.lists[148..]);
    assert!(membership.lists_after(150).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_admin_command_shows_and_installs() {
    use crate::admin::{Body, Request, Responder, Router};
    use serde_json::json;

    let mut world = World::new();
    let now = world.now();
    let first = world.council.publish(now - 3, members(&[("city", 1)]));
    let membership = world.open(&[first]).await.unwrap();
    let mut router = Router::new();
    register(&mut router, membership.clone());
    let run = async |arguments, body: Vec<u8>| {
        let mut request = Request::local("trust-list", arguments, None);
        request.body = Body::of(body);
        let (responder, _events, _cancel) = Responder::channel();
        router.dispatch(request, responder).await
    };
    let shown = run(json!({"action": "show"}), vec![]).await.unwrap();
    assert_eq!(shown["epoch"], 1);
    let second = world.council.publish(now - 2, members(&[("city", 1), ("clinic", 2)]));
    let installed = run(json!({"action": "install"}), cbor::encode(&second)).await.unwrap();
    assert_eq!(installed["installed"], json!([2]));
    assert_eq!(membership.roster().member(&id("clinic")).unwrap().id, id("clinic"));
    let (fourth, _) = {
        world.council.publish(now - 1, members(&[("city", 1)]));
        world.council.draft(now, vec![])
    };
    let refused = run(json!({"action": "install"}), cbor::encode(&fourth)).await.unwrap_err();
    assert!(refused.what.contains("missing"), "{refused}");
    assert!(run(json!({"action": "install"}), b"garbage".to_vec()).await.is_err());
}
