//! The witness: what it cosigns, what it refuses, and what it has kept when the power goes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hibiki_protocol::ids::Digest;
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::tlog::{Checkpoint, KeyAlgorithm, NoteSigner};
use hibiki_protocol::witnessing::{CheckpointOffer, WitnessRefusal, Witnessed};

use super::net::{Net, kept, log, offer_of, refusal};
use crate::institution::town::id;
use crate::ledger::{Ledger, MemoryStorage, Setup, Storage};
use crate::services::Witness as _;
use crate::witness::{Forks, Service, Shelf};

fn question(ledger: &Ledger, to: &str) -> CheckpointOffer {
    CheckpointOffer {
        audience: id(to),
        origin: ledger.origin().to_owned(),
        checkpoint: None,
        old_size: 0,
        old_root: Digest::ZERO,
        proof: Vec::new(),
    }
}

#[tokio::test]
async fn what_has_grown_is_cosigned_and_kept_with_both_signatures() {
    let net = Net::new();
    let ledger = net.party("clinic").means.ledger.clone();
    let first = offer_of(&ledger, "school", 0).await;
    let asked = net.offer("clinic", "school", question(&ledger, "school")).await;
    assert_eq!((refusal(&asked), kept(&asked)), (Some(WitnessRefusal::Conflict), None));
    let Witnessed::Cosigned(cosigned) = net.offer("clinic", "school", first.clone()).await else {
        panic!("not cosigned")
    };
    let witness = net.town.trust().list().member(&id("school")).unwrap().witness_verifier().unwrap();
    let note = format!("{}{}", first.checkpoint.as_ref().unwrap(), cosigned.signature);
    let (_, by) = Checkpoint::open(note.as_bytes(), ledger.verifier_key(), &[witness]).unwrap();
    assert_eq!(by[0].time, Some(net.town.means("school").env.now() / 1000));

    log(&ledger, 300).await;
    let second = offer_of(&ledger, "school", 1).await;
    assert_eq!(refusal(&net.offer("clinic", "school", second.clone()).await), None);
    // Brought twice, by anybody: the same once more, and nothing else changes.
    assert_eq!(refusal(&net.offer("city-hall", "school", second.clone()).await), None);
    let again = net.offer("clinic", "school", first).await;
    assert_eq!((refusal(&again), kept(&again)), (Some(WitnessRefusal::Stale), Some(301)));
    let name = format!("maebashi+clinic.{:08x}.checkpoint", ledger.verifier_key().id());
    let file = net.party("school").storage.read(&name).unwrap().unwrap();
    let keys = [net.town.trust().list().member(&id("school")).unwrap().witness_verifier().unwrap()];
    let (checkpoint, by) = Checkpoint::open(&file, ledger.verifier_key(), &keys).unwrap();
    assert_eq!((checkpoint.size, by.len()), (301, 1), "the file is the newest note, cosigned");
    let asked = net.offer("clinic", "school", question(&ledger, "school")).await;
    assert_eq!(kept(&asked), Some(301));
    let Witnessed::NotCosigned(not) = asked else { panic!() };
    assert_eq!(not.kept.unwrap().lines().filter(|line| line.starts_with("— ")).count(), 2);
}

#[tokio::test]
async fn whatever_is_not_an_offer_for_us_is_refused_by_its_name() {
    let mut net = Net::new();
    let ledger = net.party("clinic").means.ledger.clone();
    let good = offer_of(&ledger, "school", 0).await;
    let note = good.checkpoint.clone().unwrap();
    let mut expected = Vec::new();
    for cut in (0..note.len()).filter(|cut| note.is_char_boundary(*cut)).step_by(7) {
        let checkpoint = Some(note[..cut].to_owned());
        expected.push((CheckpointOffer { checkpoint, ..good.clone() }, WitnessRefusal::NotItsCheckpoint));
    }
    let long = Some(format!("{note}{}", "— x AAAAAAAA\n".repeat(1_000)));
    expected.extend([
        (CheckpointOffer { checkpoint: long, ..good.clone() }, WitnessRefusal::NotItsCheckpoint),
        (CheckpointOffer { proof: vec![Digest::ZERO; 66], ..good.clone() }, WitnessRefusal::NotItsCheckpoint),
        (
            CheckpointOffer { origin: "maebashi/nobody/ledger".to_owned(), ..good.clone() },
            WitnessRefusal::UnknownLedger,
        ),
        (
            CheckpointOffer { origin: "maebashi/school/ledger".to_owned(), ..good.clone() },
            WitnessRefusal::NotItsCheckpoint,
        ),
        (CheckpointOffer { old_size: 9, ..good.clone() }, WitnessRefusal::Conflict),
        // The school is no gateway.
        (CheckpointOffer { audience: id("observer"), ..good.clone() }, WitnessRefusal::NoWitness),
    ]);
    for (offer, why) in expected {
        assert_eq!(refusal(&net.offer("clinic", "school", offer).await), Some(why));
    }
    // A gateway passes on what is its sender's own, to who is a witness, and nothing else.
    let through = CheckpointOffer { audience: id("observer"), ..good.clone() };
    assert_eq!(refusal(&net.offer("clinic", "city-hall", through.clone()).await), None);
    let for_another = net.offer("school", "city-hall", through.clone()).await;
    assert_eq!(refusal(&for_another), Some(WitnessRefusal::NoWitness));
    net.town.next_list(|list| {
        for member in list.members.iter_mut().filter(|member| member.id == id("observer")) {
            member.witness_key = None;
        }
    });
    let to_no_witness = net.offer("clinic", "city-hall", through.clone()).await;
    assert_eq!(refusal(&to_no_witness), Some(WitnessRefusal::NoWitness));
    assert_eq!(refusal(&net.offer("clinic", "observer", through).await), Some(WitnessRefusal::NoWitness));
    // Nothing of all this is evidence against anybody, nor was anything kept.
    let asked = net.offer("clinic", "school", question(&ledger, "school")).await;
    assert_eq!(kept(&asked), None);
    assert!(net.party("school").forks.origins().is_empty());
    let means = net.town.means("school");
    net.join("school", means, Arc::default());
    assert_eq!(refusal(&net.offer("clinic", "school", good).await), None);
}

/// The ledger's key was stolen and changed in the list: the thief's checkpoints count for nothing, and the new
/// ledger begins anew.
#[tokio::test]
async fn a_stolen_key_no_longer_counts_once_the_list_has_another() {
    let net = Net::new();
    let stolen = net.party("clinic").means.ledger.clone();
    log(&stolen, 10).await;
    assert_eq!(refusal(&net.offer("clinic", "school", offer_of(&stolen, "school", 0).await).await), None);
    let next = SigningKey::from_seed(&[77; 32]);
    net.town.next_list(|list| {
        for member in list.members.iter_mut().filter(|member| member.id == id("clinic")) {
            member.ledger_key = next.verifying_key();
        }
    });
    log(&stolen, 10).await;
    let offered = net.offer("clinic", "school", offer_of(&stolen, "school", 11).await).await;
    assert_eq!((refusal(&offered), kept(&offered)), (Some(WitnessRefusal::NotItsCheckpoint), None));
    let signer =
        NoteSigner::from_seed("maebashi/clinic/ledger", KeyAlgorithm::Ed25519, &next.seed()).unwrap();
    let setup = Setup { signer: Arc::new(signer), ..net.setup("clinic") };
    let fresh = Ledger::memory(setup, 5).unwrap();
    let asked = net.offer("clinic", "school", question(&fresh, "school")).await;
    assert_eq!(kept(&asked), None, "with another key it is another ledger");
    assert_eq!(refusal(&net.offer("clinic", "school", offer_of(&fresh, "school", 0).await).await), None);
    assert!(net.party("school").forks.origins().is_empty());
}

/// A disk on which the power goes before, or right after, a file is in its place.
struct Cut {
    disk: Arc<MemoryStorage>,
    /// How many further files are written whole, and whether the next one still is before the power goes.
    left: AtomicUsize,
    whole: bool,
}

impl Storage for Cut {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.disk.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.disk.read_at(path, offset, len)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }
    fn allocate(&self, path: &str, len: u64) -> io::Result<()> {
        self.disk.allocate(path, len)
    }
    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write_at(path, offset, bytes)
    }
    fn sync(&self, path: &str) -> io::Result<()> {
        self.disk.sync(path)
    }
    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        self.disk.truncate(path, len)
    }
    fn publish(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        let left = self.left.load(Ordering::SeqCst);
        if left > 0 || self.whole {
            self.disk.publish(files)?;
        }
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        if left > 0 { Ok(()) } else { Err(io::Error::other("power cut")) }
    }
    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        self.disk.remove_folder(folder)
    }
}

#[tokio::test]
async fn whenever_the_power_goes_what_was_answered_is_kept() {
    for (left, whole) in [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)] {
        let mut net = Net::new();
        let ledger = net.party("clinic").means.ledger.clone();
        let (means, disk) = (net.town.means("school"), Arc::new(MemoryStorage::new()));
        let cut = Cut { disk: Arc::clone(&disk), left: AtomicUsize::new(left), whole };
        let shelf = Arc::new(Shelf::new(Arc::new(cut), means.env.clone()));
        let forks =
            Forks::open(means.clone(), Arc::clone(&shelf), net.party("school").board.clone()).unwrap();
        let school = Service::new(means.clone(), shelf, forks, net.road("school"), true).unwrap();
        let (mut answered, mut size) = (0, 0);
        loop {
            let offer = offer_of(&ledger, "school", size).await;
            size = ledger.signed_size();
            let witnessed = school.offer(&id("clinic"), offer).await;
            if refusal(&witnessed).is_some() {
                assert_eq!(refusal(&witnessed), Some(WitnessRefusal::Unavailable));
                break;
            }
            answered = size;
            log(&ledger, 5).await;
        }
        // It comes back with what is on the disk.
        net.join("school", means, disk);
        let asked = net.offer("clinic", "school", question(&ledger, "school")).await;
        let kept = kept(&asked).unwrap_or(0);
        assert!(kept >= answered, "answered {answered}, kept {kept}");
        assert_eq!(kept, if whole { size } else { answered }, "{left} {whole}");
        // And goes on from there: another history of the same length finds no way in.
        let other = net.other_ledger("clinic");
        log(&other, ledger.size() - 1).await;
        let bad = net.offer("clinic", "school", offer_of(&other, "school", 0).await).await;
        assert!(kept == 0 || refusal(&bad).is_some());
        if kept > 0 {
            assert_eq!(
                refusal(&net.offer("clinic", "school", offer_of(&ledger, "school", kept).await).await),
                None
            );
        }
    }
}

#[tokio::test]
async fn a_kept_checkpoint_that_does_not_read_is_not_taken_for_none() {
    let mut net = Net::new();
    let ledger = net.party("clinic").means.ledger.clone();
    let (means, disk) = (net.town.means("school"), Arc::clone(&net.party("school").storage));
    assert_eq!(refusal(&net.offer("clinic", "school", offer_of(&ledger, "school", 0).await).await), None);
    let name = format!("maebashi+clinic.{:08x}.checkpoint", ledger.verifier_key().id());
    let note = disk.read(&name).unwrap().unwrap();
    disk.publish(&[(name, note[..note.len() / 2].to_vec())]).unwrap();
    net.join("school", means, disk);
    let offered = net.offer("clinic", "school", offer_of(&ledger, "school", 0).await).await;
    assert_eq!(refusal(&offered), Some(WitnessRefusal::Unavailable));
}
