//! Four members with witness keys, and a road between them on which a test decides what arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};
use hibiki_protocol::trust::{Member, Role};
use hibiki_protocol::witnessing::{CheckpointOffer, ForkEvidence, WitnessRefusal, Witnessed};
use tokio::sync::watch;

use crate::institution::Means;
use crate::institution::town::{Town, id};
use crate::ledger::{Entry, EntrySealer, Ledger, MemoryStorage, Setup, Sizes, Storage, details};
use crate::links::Failure;
use crate::observe::board::StatusBoard;
use crate::services::{Pending, Witness as _};
use crate::witness::standing::Patience;
use crate::witness::{Asking, Forks, Road, Service, Settings, Shelf};

pub(super) const NAMES: [&str; 4] = ["city-hall", "clinic", "school", "observer"];

/// What becomes of offers to a member.
#[derive(Clone)]
pub(super) enum Mood {
    /// They are judged.
    Awake,
    /// They are not answered in time.
    Asleep,
    /// There is no link to it from anybody but city hall.
    Behind,
    /// This is answered instead.
    Says(Witnessed),
}

/// One member.
pub(super) struct Party {
    pub(super) means: Means,
    pub(super) service: Arc<Service>,
    pub(super) forks: Forks,
    pub(super) board: StatusBoard,
    pub(super) storage: Arc<MemoryStorage>,
}

/// The federation.
pub(super) struct Net {
    pub(super) town: Town,
    pub(super) parties: BTreeMap<&'static str, Party>,
    moods: Arc<Mutex<BTreeMap<MemberId, Mood>>>,
    services: Arc<Mutex<BTreeMap<MemberId, Arc<Service>>>>,
}

impl Net {
    pub(super) fn new() -> Self {
        let town = Town::new(Vec::new());
        let keys = |name: &str| town.means(name).keys.witness().unwrap().verifying_key();
        town.next_list(|list| {
            for member in &mut list.members {
                let name = member.id.as_str().rsplit('/').next().unwrap().to_owned();
                member.roles.push(Role::Witness);
                member.witness_key = Some(keys(&name));
            }
        });
        let mut net =
            Self { town, parties: BTreeMap::new(), moods: Arc::default(), services: Arc::default() };
        for name in NAMES {
            let means = net.town.means(name);
            net.join(name, means, Arc::default());
        }
        net
    }

    /// A member begins, or begins again with what lies in `storage`.
    pub(super) fn join(&mut self, name: &'static str, means: Means, storage: Arc<MemoryStorage>) {
        let board = StatusBoard::new();
        let shelf = Arc::new(Shelf::new(Arc::clone(&storage) as Arc<dyn Storage>, means.env.clone()));
        let forks = Forks::open(means.clone(), Arc::clone(&shelf), board.clone()).unwrap();
        let service = Service::new(means.clone(), shelf, forks.clone(), self.road(name), true).unwrap();
        let service = Arc::new(service);
        self.services.lock().unwrap().insert(id(name), Arc::clone(&service));
        self.parties.insert(name, Party { means, service, forks, board, storage });
    }

    pub(super) fn party(&self, name: &str) -> &Party {
        &self.parties[name]
    }

    pub(super) fn road(&self, name: &str) -> Arc<dyn Road> {
        let (services, moods) = (Arc::clone(&self.services), Arc::clone(&self.moods));
        Arc::new(NetRoad { own: id(name), services, moods, changes: watch::Sender::new(0) })
    }

    pub(super) fn set(&self, name: &str, mood: Mood) {
        self.moods.lock().unwrap().insert(id(name), mood);
    }

    /// The asking side of a member, with the ledger in `means`.
    pub(super) fn asking(&self, name: &str, means: Means) -> Asking {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let patience = Patience { alarm: minutes(15), stop: minutes(240) };
        let party = self.party(name);
        let settings = Settings { quorum: None, patience };
        Asking::new(means, self.road(name), party.board.clone(), party.forks.clone(), settings)
    }

    /// What `to` answers to `from`, without a road between them.
    pub(super) async fn offer(&self, from: &str, to: &str, offer: CheckpointOffer) -> Witnessed {
        self.party(to).service.offer(&id(from), offer).await
    }

    /// Another ledger with the name and the key of this member's.
    pub(super) fn other_ledger(&self, name: &str) -> Ledger {
        self.ledger_on(name, Arc::new(MemoryStorage::new()))
    }

    pub(super) fn ledger_on(&self, name: &str, storage: Arc<MemoryStorage>) -> Ledger {
        Ledger::inline(storage, self.setup(name), self.town.means(name).env.now()).unwrap()
    }

    pub(super) fn setup(&self, name: &str) -> Setup {
        let (means, ring) = (self.town.means(name), Arc::clone(&self.town.house(name).ring));
        let origin = Member::ledger_origin(&means.own);
        let signer = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &means.keys.ledger().seed());
        Setup {
            signer: Arc::new(signer.unwrap()),
            sealer: ring as Arc<dyn EntrySealer>,
            entropy: Arc::clone(means.env.entropy()),
            sizes: Sizes::default(),
        }
    }
}

/// Something to log.
pub(super) async fn log(ledger: &Ledger, count: u64) {
    for number in 0..count {
        let details = details::Staff { by: "Sato".to_owned(), action: number.to_string() };
        ledger.append(Entry::new(number, None, &details).unwrap()).await.unwrap();
    }
}

/// What a ledger of this member offers a witness that is thought to keep `old` entries.
pub(super) async fn offer_of(ledger: &Ledger, to: &str, old: u64) -> CheckpointOffer {
    let note = ledger.checkpoint().await.unwrap();
    let size = ledger.signed_size();
    let mut offer = CheckpointOffer {
        audience: id(to),
        origin: ledger.origin().to_owned(),
        checkpoint: Some(note),
        old_size: old,
        old_root: hibiki_protocol::ids::Digest::ZERO,
        proof: Vec::new(),
    };
    if old > 0 {
        let grown = ledger.grown(old, size).unwrap();
        offer.old_root = hibiki_protocol::ids::Digest(grown.old_root.0);
        offer.proof = hibiki_protocol::witnessing::digests(&grown.proof);
    }
    offer
}

pub(super) fn refusal(witnessed: &Witnessed) -> Option<WitnessRefusal> {
    match witnessed {
        Witnessed::Cosigned(_) => None,
        Witnessed::NotCosigned(not) => Some(not.refusal),
    }
}

/// The size that a refusal shows to be kept.
pub(super) fn kept(witnessed: &Witnessed) -> Option<u64> {
    let Witnessed::NotCosigned(not) = witnessed else { return None };
    not.kept.as_ref()?.lines().nth(1)?.parse().ok()
}

struct NetRoad {
    own: MemberId,
    services: Arc<Mutex<BTreeMap<MemberId, Arc<Service>>>>,
    moods: Arc<Mutex<BTreeMap<MemberId, Mood>>>,
    changes: watch::Sender<u64>,
}

impl NetRoad {
    fn service(&self, member: &MemberId) -> Arc<Service> {
        Arc::clone(&self.services.lock().unwrap()[member])
    }

    fn mood(&self, member: &MemberId) -> Mood {
        self.moods.lock().unwrap().get(member).cloned().unwrap_or(Mood::Awake)
    }
}

impl Road for NetRoad {
    fn offer<'a>(&'a self, offer: CheckpointOffer) -> Pending<'a, Result<Witnessed, Failure>> {
        Box::pin(async move {
            let to = offer.audience.clone();
            match self.mood(&to) {
                Mood::Behind if self.own != id("city-hall") => {
                    Ok(self.service(&id("city-hall")).offer(&self.own, offer).await)
                }
                _ => self.offer_directly(offer).await,
            }
        })
    }

    fn offer_directly<'a>(&'a self, offer: CheckpointOffer) -> Pending<'a, Result<Witnessed, Failure>> {
        Box::pin(async move {
            let to = offer.audience.clone();
            match self.mood(&to) {
                Mood::Asleep => Err(Failure::TimedOut),
                Mood::Says(witnessed) => Ok(witnessed),
                Mood::Awake | Mood::Behind => Ok(self.service(&to).offer(&self.own, offer).await),
            }
        })
    }

    fn tell<'a>(
        &'a self,
        member: &'a MemberId,
        evidence: ForkEvidence,
    ) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async move {
            match self.mood(member) {
                Mood::Asleep => Err(Failure::TimedOut),
                _ => Ok(self.service(member).fork(&self.own, evidence).await),
            }
        })
    }

    fn members_up(&self) -> Vec<MemberId> {
        NAMES.map(id).into_iter().filter(|member| *member != self.own).collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
