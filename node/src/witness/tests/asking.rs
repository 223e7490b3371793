//! The ledger that is witnessed: quorum, silence, lies, older copies, clocks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::tlog::{Checkpoint, KeyAlgorithm, NoteSigner, SignedNote};
use hibiki_protocol::witnessing::{Cosigned, WitnessRefusal, Witnessed};

use super::net::{Mood, Net, kept, log};
use crate::env::{Clock, Env};
use crate::institution::Means;
use crate::institution::town::{Hands, id};
use crate::ledger::{CheckpointFailure, Entry, Ledger, MemoryStorage, NotLogged, OpenError, details};
use crate::links::fixtures::until;
use crate::observe::board::Witnessing;
use crate::shutdown;

fn release() -> Entry {
    Entry::new(1, None, &details::Release::default()).unwrap()
}

fn hold() -> Entry {
    let details = details::Hold {
        event: "received".to_owned(),
        against: String::new(),
        by: "maebashi/city-hall".to_owned(),
        basis: String::new(),
    };
    Entry::new(1, None, &details).unwrap()
}

/// Names of the witnesses under the cosigned checkpoint, and its size.
fn cosigned(net: &Net, ledger: &Ledger) -> (u64, usize) {
    let trust = net.town.trust();
    let own = id("clinic");
    let keys: Vec<_> = trust.list().witnesses_for(&own).into_iter().map(|(_, key)| key).collect();
    let note = ledger.cosigned().unwrap();
    let (checkpoint, by) = Checkpoint::open(note.as_bytes(), ledger.verifier_key(), &keys).unwrap();
    (checkpoint.size, by.len())
}

#[tokio::test]
async fn the_ledger_is_cosigned_again_and_again_directly_and_through_the_gateway() {
    let net = Net::new();
    net.set("observer", Mood::Behind);
    let means = net.town.means("clinic");
    let asking = net.asking("clinic", means.clone());
    let (trigger, shutdown) = shutdown::channel();
    let running = tokio::spawn(asking.clone().run(shutdown));
    let reached = async |size: u64| {
        let kept = || means.ledger.cosigned().is_some() && cosigned(&net, &means.ledger).0 == size;
        until("cosignatures", kept).await;
    };
    reached(1).await;
    assert_eq!(cosigned(&net, &means.ledger), (1, 3));
    until("a good standing", || asking.stands() == Witnessing::Fine).await;
    log(&means.ledger, 1_000).await;
    reached(1_001).await;
    log(&means.ledger, 1).await;
    net.town.clock.advance(60_000);
    reached(1_002).await;
    log(&means.ledger, 1).await;
    trigger.ask();
    running.await.unwrap();
    asking.farewell().await;
    assert_eq!(cosigned(&net, &means.ledger), (1_003, 3), "it stops");
    asking.show();
    let status = net.party("clinic").board.snapshot(0);
    let witnesses = status.witnesses.unwrap();
    assert_eq!((witnesses.possible, witnesses.quorum, witnesses.cosigned), (3, 2, 3));
    assert!(status.problems.is_empty(), "{:?}", status.problems);
    assert!(asking.seen().iter().all(|(_, _, seen)| seen.since.is_some() && seen.size == 1_003));
}

#[tokio::test]
async fn one_that_sleeps_changes_nothing_and_two_stop_the_releases_after_their_time() {
    let net = Net::new();
    let means = net.town.means("clinic");
    let asking = net.asking("clinic", means.clone());
    let minutes = async |minutes: u64| {
        net.town.clock.advance(minutes * 60_000);
        asking.round().await;
        asking.show();
    };
    net.set("observer", Mood::Asleep);
    minutes(1).await;
    assert_eq!((asking.stands(), cosigned(&net, &means.ledger)), (Witnessing::Fine, (1, 2)));
    let failures: Vec<_> = asking.seen().into_iter().filter_map(|(_, _, seen)| seen.failure).collect();
    assert_eq!(failures, ["the member did not answer in time"]);

    net.set("school", Mood::Asleep);
    minutes(14).await;
    assert_eq!(asking.stands(), Witnessing::Below);
    assert!(net.party("clinic").board.snapshot(0).problems.is_empty());
    means.ledger.append(release()).await.unwrap();
    minutes(1).await;
    assert_eq!(asking.stands(), Witnessing::Alarm);
    assert!(net.party("clinic").board.snapshot(0).problems["witnesses"].contains("fewer than 2 of 3"));
    means.ledger.append(release()).await.unwrap();
    minutes(224).await;
    assert_eq!(asking.stands(), Witnessing::Alarm);
    minutes(1).await;
    assert_eq!(asking.stands(), Witnessing::Stopped);
    assert_eq!(means.ledger.append(release()).await, Err(NotLogged::Unwitnessed));
    means.ledger.append_reserved(hold()).await.unwrap();
    log(&means.ledger, 1).await;
    assert_eq!(cosigned(&net, &means.ledger).0, 1, "a checkpoint without quorum is not kept as cosigned");

    net.set("school", Mood::Awake);
    minutes(0).await;
    assert_eq!(asking.stands(), Witnessing::Fine);
    means.ledger.append(release()).await.unwrap();
    assert!(net.party("clinic").board.snapshot(0).problems.is_empty());
}

/// Eleven hours without witnesses before a restart are not forgotten by it.
#[tokio::test]
async fn a_restart_is_no_way_around_missing_witnesses() {
    let net = Net::new();
    let storage = Arc::new(MemoryStorage::new());
    let means = Means { ledger: net.ledger_on("clinic", Arc::clone(&storage)), ..net.town.means("clinic") };
    net.asking("clinic", means.clone()).round().await;
    net.town.clock.advance(11 * 3_600_000);
    let again = Means { ledger: net.ledger_on("clinic", storage), ..means };
    let asking = net.asking("clinic", again.clone());
    assert_eq!(asking.stands(), Witnessing::Alarm);
    net.town.clock.advance(15 * 60_000);
    assert_eq!(asking.stands(), Witnessing::Stopped);
    asking.round().await;
    assert_eq!(asking.stands(), Witnessing::Fine);
}

#[tokio::test]
async fn lies_neither_count_nor_halt() {
    let net = Net::new();
    let means = net.town.means("clinic");
    log(&means.ledger, 5).await;
    let head = means.ledger.checkpoint().await.unwrap();
    let witness = |seed: u8| {
        NoteSigner::from_seed("maebashi/school/witness", KeyAlgorithm::CosignatureV1, &[seed; 32]).unwrap()
    };
    let text = SignedNote::parse(head.as_bytes()).unwrap().text().to_owned();
    let wrong_key = witness(1).sign(&text, 5).to_string();
    let school = net.town.means("school").keys.witness().unwrap().seed();
    let school =
        NoteSigner::from_seed("maebashi/school/witness", KeyAlgorithm::CosignatureV1, &school).unwrap();
    // A true cosignature, under another checkpoint.
    let another = school.sign(&text.replacen("\n6\n", "\n7\n", 1), 5).to_string();
    let two_lines = format!("{}{}", school.sign(&text, 5), school.sign(&text, 6));
    let forged = |size: u64| {
        let stranger = NoteSigner::from_seed(means.ledger.origin(), KeyAlgorithm::Ed25519, &[3; 32]).unwrap();
        let root = means.ledger.root_at(1).unwrap();
        let checkpoint = Checkpoint { origin: means.ledger.origin().to_owned(), size, root };
        Some(checkpoint.sign(&stranger).unwrap().to_string())
    };
    for lie in [
        Cosigned { signature: wrong_key }.into(),
        Cosigned { signature: another }.into(),
        Cosigned { signature: two_lines }.into(),
        Cosigned { signature: "nonsense".to_owned() }.into(),
        WitnessRefusal::Stale.with(forged(99)),
        WitnessRefusal::Stale.with(None),
        WitnessRefusal::Fork.with(Some("nonsense".to_owned())),
        // What it keeps is right, and it does not cosign.
        WitnessRefusal::Conflict.with(Some(head.clone())),
        WitnessRefusal::Conflict.with(None),
        WitnessRefusal::Unavailable.with(None),
    ] {
        let lie: Witnessed = lie;
        net.set("school", Mood::Says(lie.clone()));
        let asking = net.asking("clinic", means.clone());
        asking.round().await;
        assert_eq!(asking.stands(), Witnessing::Fine, "two others are enough: {lie:?}");
        assert_eq!(means.ledger.halted(), None, "{lie:?}");
        assert_eq!(cosigned(&net, &means.ledger), (6, 2));
        let seen = asking.seen();
        let (_, _, liar) = seen.iter().find(|(member, ..)| *member == id("school")).unwrap();
        assert!(liar.failure.is_some() && liar.since.is_none(), "{lie:?}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() { copy(&source, &target) } else { assert!(std::fs::copy(source, target).is_ok()) }
    }
}

/// A disk restored from a backup: `cosigned` is as old as the rest, and only the witnesses know better.
#[tokio::test]
async fn an_older_copy_halts_at_its_first_asking_and_does_not_open_again() {
    let base = tempfile::tempdir().unwrap();
    let folder = |name: &str| base.path().join(name);
    for (later, after_restart) in [(50, 0), (50, 50), (50, 80), (0, 5)] {
        let name = format!("ledger-{later}-{after_restart}");
        let net = Net::new();
        let open = |name: &str| Ledger::open(&folder(name), net.setup("clinic"), 7);
        let ledger = open(&name).unwrap();
        let means = Means { ledger: ledger.clone(), ..net.town.means("clinic") };
        log(&ledger, 20).await;
        net.asking("clinic", means.clone()).round().await;
        assert_eq!(ledger.halted(), None);
        let old = format!("{name}-old");
        copy(&folder(&name), &folder(&old));
        log(&ledger, later).await;
        net.asking("clinic", means.clone()).round().await;
        assert_eq!(ledger.halted(), None);

        let restored = open(&old).unwrap();
        let means = Means { ledger: restored.clone(), ..means };
        log(&restored, after_restart).await;
        let asking = net.asking("clinic", means.clone());
        asking.round().await;
        if later == 0 {
            // The copy was of the very end: nothing is lost, and it goes on.
            assert_eq!((asking.stands(), restored.halted()), (Witnessing::Fine, None));
            continue;
        }
        asking.show();
        assert_eq!(asking.stands(), Witnessing::Halted, "{name}");
        let reason = &net.party("clinic").board.snapshot(0).problems["ledger-halted"];
        assert!(reason.contains("restore the newest copy"), "{reason}");
        assert_eq!(restored.append(release()).await, Err(NotLogged::Halted));
        restored.append_reserved(hold()).await.unwrap();
        assert!(matches!(restored.checkpoint().await, Err(CheckpointFailure::Halted)));
        // Nothing was shown to anybody: an operator's mistake is no fork.
        assert!(net.party("school").forks.origins().is_empty());
        let _ = restored.close(9, "test").await;
        drop((asking, means, restored));
        // Whoever starts it again is told at once.
        let mut opened = open(&old);
        for _ in 0..100 {
            if !matches!(opened, Err(OpenError::Locked)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            opened = open(&old);
        }
        let refused = opened.expect_err("an older copy must not open");
        assert!(matches!(refused, OpenError::Shorter { .. } | OpenError::Differs { .. }), "{refused}");
        assert!(refused.to_string().contains("estore the"), "{refused}");
    }
}

/// An hour off: said on the board, and gone when it is right again. A witness whose own clock is wrong moves
/// nothing.
#[tokio::test]
async fn a_clock_an_hour_off_is_noticed_by_the_witnesses_times() {
    #[derive(Debug)]
    struct Off(Hands, i64);
    impl Clock for Off {
        fn now(&self) -> u64 {
            self.0.now().saturating_add_signed(self.1)
        }
    }
    let mut net = Net::new();
    let with_clock = |net: &Net, name: &str, seconds: i64| {
        let means = net.town.means(name);
        let clock = Arc::new(Off(net.town.clock.clone(), seconds * 1000));
        let (entropy, runtime) = (Arc::clone(means.env.entropy()), means.env.runtime());
        #[derive(Debug)]
        struct NoSockets;
        impl crate::env::Sockets for NoSockets {
            fn bind(&self, _: std::net::SocketAddr) -> std::io::Result<Arc<dyn quinn::AsyncUdpSocket>> {
                Err(std::io::ErrorKind::Unsupported.into())
            }
        }
        Means { env: Env::new(clock, entropy, Arc::new(NoSockets), runtime), ..means }
    };
    let school = with_clock(&net, "school", 3_600);
    net.join("school", school, Arc::default());
    for (seconds, said) in [
        (0, None),
        (59, None),
        (3_600, Some("3600 s ahead of the median of 3 witnesses")),
        (-3_600, Some("3600 s behind")),
        (0, None),
    ] {
        let asking = net.asking("clinic", with_clock(&net, "clinic", seconds));
        asking.round().await;
        asking.show();
        let status = net.party("clinic").board.snapshot(0);
        assert_eq!(status.witnesses.unwrap().clock_off, Some(seconds));
        match said {
            Some(said) => assert!(status.problems["clock"].contains(said), "{:?}", status.problems),
            None => assert!(!status.problems.contains_key("clock"), "{:?}", status.problems),
        }
    }
}

#[tokio::test]
async fn without_a_witness_in_the_list_nothing_is_asked_and_nothing_stops() {
    let net = Net::new();
    net.town.next_list(|list| list.members.iter_mut().for_each(|member| member.witness_key = None));
    let means = net.town.means("clinic");
    let asking = net.asking("clinic", means.clone());
    net.town.clock.advance(24 * 3_600_000);
    asking.round().await;
    asking.show();
    assert_eq!(asking.stands(), Witnessing::Alone);
    means.ledger.append(release()).await.unwrap();
    let question = hibiki_protocol::witnessing::CheckpointOffer {
        audience: id("school"),
        origin: means.ledger.origin().to_owned(),
        checkpoint: None,
        old_size: 0,
        old_root: hibiki_protocol::ids::Digest::ZERO,
        proof: Vec::new(),
    };
    assert_eq!(kept(&net.offer("clinic", "school", question).await), None);
}
