//! Power cuts at every byte, full disks and lying disks: whatever was acknowledged is there, whatever was not is
//! either whole or gone, and the ledger verifies.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use hibiki_protocol::tlog::Hash;
use proptest::prelude::*;

use super::entry::Prepared;
use super::faulty::FaultyStorage;
use super::journal::Urgency;
use super::tests::{ORIGIN, release, setup};
use super::writer::{Order, Writer};
use super::*;

/// One thing that a node does.
#[derive(Clone, Debug)]
enum Step {
    /// A group of so many entries, each with padding.
    Append(u8, u16),
    Checkpoint,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_u8..6, 0_u16..900).prop_map(|(count, padding)| Step::Append(count, padding)),
        1 => Just(Step::Checkpoint),
    ];
    proptest::collection::vec(step, 1..14)
}

fn orders(count: u8, padding: u16, setup: &Setup) -> Vec<Order> {
    let order = |n: u8| {
        let details = details::Staff { by: "x".repeat(padding.into()), action: format!("{n}") };
        let entry = Entry::new(u64::from(n), Some([n; 16]), &details).unwrap();
        let entry = Prepared::new(&entry, ORIGIN, setup.entropy.as_ref(), setup.sealer.as_ref()).unwrap();
        (entry, Urgency::Ordinary)
    };
    (0..count).map(order).collect()
}

/// Does the steps until the power goes; returns the leaves that were acknowledged, by number.
fn run(writer: &mut Writer, steps: &[Step], setup: &Setup) -> Vec<(u64, Hash)> {
    let mut acknowledged = Vec::new();
    for step in steps {
        match step {
            Step::Append(count, padding) => {
                for receipt in writer.append(&orders(*count, *padding, setup)).into_iter().flatten() {
                    acknowledged.push((receipt.index, receipt.leaf_hash));
                }
            }
            Step::Checkpoint => drop(writer.checkpoint()),
        }
    }
    acknowledged
}

/// Opens what is left and checks the promises. Returns the storage for the next round.
fn check_recovered(
    storage: Arc<FaultyStorage>,
    setup: &Setup,
    acknowledged: &[(u64, Hash)],
) -> Result<(), String> {
    let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
    let ledger = Ledger::inline(as_storage, setup.clone(), 99).map_err(|error| error.to_string())?;
    for (index, leaf) in acknowledged {
        let entry = ledger.read(*index..*index + 1).map_err(|error| format!("entry {index}: {error}"))?;
        if entry.first().map(|entry| hibiki_protocol::tlog::leaf_hash(&entry.leaf_bytes)) != Some(*leaf) {
            return Err(format!("entry {index} is another one"));
        }
    }
    let report = ledger.verify(true).map_err(|error| error.to_string())?;
    if report.passed() { Ok(()) } else { Err(format!("{report:?}")) }
}

#[test]
fn power_cut_at_every_byte() {
    let (setup, _) = setup();
    let steps =
        [Step::Append(2, 10), Step::Checkpoint, Step::Append(3, 300), Step::Append(1, 0), Step::Checkpoint];
    let whole = |fuse: u64| {
        let storage = Arc::new(FaultyStorage::new());
        storage.set_fuse(fuse);
        let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
        let acknowledged = match open::open(&as_storage, &setup, 1) {
            Ok((mut writer, _)) => run(&mut writer, &steps, &setup),
            Err(_) => Vec::new(),
        };
        (storage, acknowledged)
    };
    let (storage, acknowledged) = whole(u64::from(u32::MAX));
    let total = u64::from(u32::MAX) - storage.fuse();
    assert!(acknowledged.len() == 6 && total > 3_000, "{total}");
    for fuse in 0..total {
        let (storage, acknowledged) = whole(fuse);
        let storage = Arc::new(storage.after_power_cut(fuse, 8));
        if let Err(problem) = check_recovered(storage, &setup, &acknowledged) {
            panic!("power cut after {fuse} of {total}: {problem}");
        }
    }
}

#[test]
fn a_disk_that_lies_is_found_out() {
    // The control of the tests here: where `sync` does nothing, acknowledged entries must get lost.
    let (setup, _) = setup();
    let lost = (0..20).filter(|seed| {
        let storage = Arc::new(FaultyStorage::new());
        let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
        let (mut writer, _) = open::open(&as_storage, &setup, 1).unwrap();
        storage.lie();
        let acknowledged = run(&mut writer, &[Step::Append(5, 100)], &setup);
        assert_eq!(acknowledged.len(), 5);
        check_recovered(Arc::new(storage.after_power_cut(*seed, 64)), &setup, &acknowledged).is_err()
    });
    assert!(lost.count() > 15);
}

#[test]
fn what_was_refused_is_not_there() {
    let (setup, _) = setup();
    for reached in (0..1_500).step_by(50) {
        let storage = Arc::new(FaultyStorage::new());
        let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
        let (mut writer, _) = open::open(&as_storage, &setup, 1).unwrap();
        // Five entries of one length are refused with the first of them written, then two others go in.
        storage.set_treacherous(Some(reached));
        let refused = writer.append(&orders(5, 10, &setup));
        storage.set_treacherous(None);
        let accepted = writer.append(&orders(2, 10, &setup));
        assert!(accepted.iter().all(Result::is_ok));
        drop(writer);
        let ledger = Ledger::inline(as_storage, setup.clone(), 2).unwrap();
        let expected = if refused[0].is_ok() { 9 } else { 4 };
        assert_eq!(ledger.size(), expected, "refused after {reached} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Several lives of one ledger, each ended by a power cut anywhere.
    #[test]
    fn acknowledged_entries_survive_power_cuts(
        lives in proptest::collection::vec((steps(), 0_u64..40_000, any::<u64>()), 1..4),
        grain in prop_oneof![Just(1_usize), Just(8), Just(512), Just(4096)],
    ) {
        let (setup, _) = setup();
        let mut storage = Arc::new(FaultyStorage::new());
        let mut acknowledged = Vec::new();
        for (steps, fuse, seed) in lives {
            storage.set_fuse(fuse);
            let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
            if let Ok((mut writer, _)) = open::open(&as_storage, &setup, 1) {
                acknowledged.extend(run(&mut writer, &steps, &setup));
            }
            storage = Arc::new(storage.after_power_cut(seed, grain));
            let checked = check_recovered(Arc::clone(&storage), &setup, &acknowledged);
            prop_assert!(checked.is_ok(), "{checked:?}");
        }
    }

    /// Space comes and goes, and the file system itself breaks its promise about reserved blocks.
    #[test]
    fn full_disks_pass_by_themselves(
        rounds in proptest::collection::vec(
            (1_u8..6, prop_oneof![Just(10_u16), Just(500)], 0_u8..4, 0_usize..30_000, 0_usize..2_000),
            1..12,
        ),
        seed in any::<u64>(),
    ) {
        let (setup, _) = setup();
        let storage = Arc::new(FaultyStorage::new());
        let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
        let (mut writer, _) = open::open(&as_storage, &setup, 1).unwrap();
        let mut acknowledged = Vec::new();
        for (count, padding, fault, free, after) in rounds {
            storage.set_free((fault & 1 == 1).then_some(free));
            storage.set_treacherous((fault & 2 == 2).then_some(after));
            for answer in writer.append(&orders(count, padding, &setup)) {
                match answer {
                    Ok(receipt) => acknowledged.push((receipt.index, receipt.leaf_hash)),
                    Err(error) => prop_assert_eq!(error, NotLogged::NoSpace),
                }
            }
            drop(writer.checkpoint());
        }
        // Space is back: the same writer goes on.
        storage.set_free(None);
        storage.set_treacherous(None);
        for answer in writer.append(&orders(3, 10, &setup)) {
            let receipt = answer.unwrap();
            acknowledged.push((receipt.index, receipt.leaf_hash));
        }
        prop_assert!(writer.checkpoint().is_ok());
        let numbers: Vec<u64> = acknowledged.iter().map(|(index, _)| *index).collect();
        prop_assert_eq!(numbers, (1..=acknowledged.len() as u64).collect::<Vec<_>>());
        let storage = Arc::new(storage.after_power_cut(seed, 512));
        let checked = check_recovered(Arc::clone(&storage), &setup, &acknowledged);
        prop_assert!(checked.is_ok(), "{checked:?}");
        // What was refused is not there: only what was acknowledged, and the two starts before and one now.
        let as_storage: Arc<dyn Storage> = storage;
        let ledger = Ledger::inline(as_storage, setup, 1).unwrap();
        prop_assert_eq!(ledger.size(), acknowledged.len() as u64 + 3);
    }
}

fn hold(n: u64) -> Entry {
    let details = details::Hold { event: "set".into(), ..details::Hold::default() };
    Entry::new(n, Some([1; 16]), &details).unwrap()
}

/// Fills the ledger's own space with ordinary entries; returns how many went in.
async fn fill(ledger: &Ledger) -> u64 {
    for n in 0.. {
        match ledger.append(release(n, 1)).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, NotLogged::NoSpace);
                return n;
            }
        }
    }
    0
}

#[tokio::test]
async fn a_full_disk_still_takes_holds_and_recovers_by_itself() {
    let (setup, _) = setup();
    let storage = Arc::new(FaultyStorage::new());
    let as_storage: Arc<dyn Storage> = Arc::clone(&storage) as _;
    let ledger = Ledger::inline(Arc::clone(&as_storage), setup.clone(), 1).unwrap();
    storage.set_free(Some(0));
    assert!(fill(&ledger).await > 5);
    assert!(ledger.checkpoint().await.is_err(), "tiles need space, too");
    assert_eq!(ledger.append(release(1, 1)).await, Err(NotLogged::NoSpace));
    let mut holds = 0;
    while ledger.append_reserved(hold(holds)).await.is_ok() {
        holds += 1;
    }
    assert!((4..20).contains(&holds), "{holds}");
    // A restart on the full disk opens; its start is told as soon as there is space.
    drop(ledger);
    let ledger = Ledger::inline(as_storage, setup, 2).unwrap();
    let before = ledger.size();
    assert_eq!(ledger.append_reserved(hold(9)).await, Err(NotLogged::NoSpace));
    storage.set_free(None);
    assert_eq!(ledger.append(release(1, 1)).await.unwrap().index, before + 1);
    assert!(ledger.read(before..before + 1).unwrap()[0].details::<details::Start>().is_some());
    ledger.checkpoint().await.unwrap();
    assert!(ledger.verify(true).unwrap().passed());
}

/// A small ext4 on a loop device, unmounted at the end.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` where that is not allowed.
    fn new() -> Option<Self> {
        // In memory where there is such a place: what counts is that the disk is small, not that it is slow.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let (image, mount) = (folder.path().join("image"), folder.path().join("mount"));
        std::fs::create_dir(&mount).unwrap();
        std::fs::File::create(&image).unwrap().set_len(4 << 20).unwrap();
        let run = |program: &str, arguments: &[&Path]| {
            let output = Command::new(program).args(arguments).output();
            output.is_ok_and(|output| output.status.success())
        };
        let made = run("mkfs.ext4", &[Path::new("-q"), Path::new("-m0"), &image]);
        let mounted = made && run("mount", &[Path::new("-oloop"), &image, &mount]);
        mounted.then_some(Self { folder })
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("mount")
    }

    /// Takes all the space that there is.
    fn fill(&self) {
        use std::io::Write as _;
        let mut ballast = std::fs::File::create(self.path().join("ballast")).unwrap();
        for len in [65_536, 4_096, 1] {
            while ballast.write_all(&vec![1; len]).is_ok() && ballast.sync_data().is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_really_full_disk() {
    let Some(disk) = SmallDisk::new() else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: a real full disk needs root, mkfs.ext4 and a loop device\n"),
        );
        return;
    };
    let (setup, _) = setup();
    let sizes = Sizes { segment_bytes: 128 * 1024, reserve_bytes: 32 * 1024 };
    let setup = Setup { sizes, ..setup };
    let path = disk.path().join("ledger");
    let ledger = Ledger::open(&path, setup.clone(), 1).unwrap();
    ledger.append(release(1, 1)).await.unwrap();
    disk.fill();
    assert!(fill(&ledger).await > 50);
    for n in 0..30 {
        ledger.append_reserved(hold(n)).await.unwrap();
    }
    assert_eq!(ledger.append(release(1, 1)).await, Err(NotLogged::NoSpace));
    assert!(ledger.checkpoint().await.is_err());
    disk.free();
    ledger.append(release(2, 1)).await.unwrap();
    ledger.checkpoint().await.unwrap();
    // Full again, and restarted while full.
    disk.fill();
    fill(&ledger).await;
    let size = ledger.size();
    drop(ledger);
    let ledger = loop {
        // The writer's thread lets go of the folder a moment after the last handle.
        match Ledger::open(&path, setup.clone(), 2) {
            Err(OpenError::Locked) => tokio::time::sleep(Duration::from_millis(5)).await,
            opened => break opened.unwrap(),
        }
    };
    assert_eq!(ledger.size(), size + 1, "the start went into the reserve");
    ledger.append_reserved(hold(1)).await.unwrap();
    assert_eq!(ledger.append(release(1, 1)).await, Err(NotLogged::NoSpace));
    disk.free();
    ledger.append(release(3, 1)).await.unwrap();
    ledger.close(3, "test").await.unwrap();
    let report = verify_folder(&path, setup.signer.verifier_key(), Some(setup.sealer.as_ref())).unwrap();
    assert!(report.passed(), "{report:?}");
    drop(ledger);
}
