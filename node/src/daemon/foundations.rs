//! What every role stands on: keys, keyring, store, ledger, trust list, books — opened in this order.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};
use hibiki_protocol::trust::Member;
use hibiki_transport::{Endpoint, TimeSource};

use super::{cannot, grace_millis, warn_of};
use crate::cli::init::{KEYRING, NODE_KEY};
use crate::cli::run::{Host, StartError};
use crate::env::Env;
use crate::exit::ExitStatus;
use crate::institution::Means;
use crate::keyring::{self, KeyRing};
use crate::keys::NodeKeys;
use crate::ledger::{Ledger, OpenError, Setup, Sizes};
use crate::links::road_limits;
use crate::membership::{
    EvidenceFolder, Membership, Opening, StoreArchive, Strangers, read_anchor, read_lists,
};
use crate::recordbook::RecordBook;
use crate::store::{Committer, Store};
use crate::vault::Vault;

/// The opened foundations.
pub(super) struct Ground {
    pub(super) store: Arc<dyn Store>,
    pub(super) committer: Committer,
    pub(super) membership: Membership,
    pub(super) means: Means,
    pub(super) book: Arc<RecordBook>,
}

/// Opens everything.
pub(super) async fn lay(host: &Host) -> Result<Ground, StartError> {
    let (config, env) = (&host.config, &host.env);
    let keys = NodeKeys::open(&config.node.keys_dir)
        .map_err(|error| cannot("the node's keys (made by `hibiki-node init`)", &error))?;
    let ring = open_ring(host)?;
    let store = env.disks().store(&config.store).map_err(|error| cannot("the store", &error))?;
    let committer = env.disks().committer(Arc::clone(&store));
    let committer = committer.map_err(|error| cannot("the store's writer", &error))?;
    let ledger = open_ledger(host, &keys, &ring)?;
    let membership = open_membership(host, &store, &committer).await?;
    warn_of(membership.report_standing(grace_millis(config.federation.grace_days)));
    let book = RecordBook::open(Arc::clone(&store), committer.clone(), Arc::clone(&ring)).await;
    let book = Arc::new(book.map_err(|error| cannot("the record book", &error))?);
    let trust = membership.clone();
    let means = Means {
        own: config.node.id.clone(),
        keys,
        trust: Arc::new(move || trust.current()),
        vault: Vault::new(Arc::clone(&store), committer.clone(), ring),
        ledger,
        env: env.clone(),
    };
    Ok(Ground { store, committer, membership, means, book })
}

fn open_ring(host: &Host) -> Result<Arc<KeyRing>, StartError> {
    let folder = &host.config.node.keys_dir;
    let node_key =
        keyring::load_node_key(&folder.join(NODE_KEY)).map_err(|error| cannot("the node key", &error))?;
    let ring = KeyRing::open(&folder.join(KEYRING), &node_key, Arc::clone(host.env.entropy()));
    ring.map(Arc::new).map_err(|error| cannot("the keyring", &error))
}

fn open_ledger(host: &Host, keys: &NodeKeys, ring: &Arc<KeyRing>) -> Result<Ledger, StartError> {
    let origin = Member::ledger_origin(&host.config.node.id);
    let signer = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &keys.ledger().seed());
    let setup = Setup {
        signer: Arc::new(signer.map_err(|error| cannot("the ledger's name", &error))?),
        sealer: Arc::clone(ring) as Arc<dyn crate::ledger::EntrySealer>,
        entropy: Arc::clone(host.env.entropy()),
        sizes: Sizes::default(),
    };
    let ledger = host.env.disks().ledger(&host.config.ledger.path, setup, host.env.now());
    let ledger = ledger.map_err(|error| {
        let status = match &error {
            OpenError::Shorter { .. } | OpenError::Differs { .. } => ExitStatus::Data,
            _ => ExitStatus::Failed,
        };
        StartError::new(status, format!("the ledger: {error}"))
    })?;
    let period = Duration::from_secs(host.config.ledger.checkpoint_seconds);
    let (signing, mut shutdown) = (ledger.clone(), host.shutdown.clone());
    host.env.spawn(async move {
        tokio::select! { biased;
            () = shutdown.draining() => {}
            () = signing.keep_signing(period) => {}
        }
    });
    Ok(ledger)
}

async fn open_membership(
    host: &Host,
    store: &Arc<dyn Store>,
    committer: &Committer,
) -> Result<Membership, StartError> {
    let federation = &host.config.federation;
    let anchor = read_anchor(&federation.root).map_err(|error| cannot("the federation's root", &error))?;
    let given = match read_lists(&federation.trust_list) {
        Ok(lists) => lists,
        Err(error) => {
            tracing::warn!(%error, "the trust list file is not read; the stored list is used");
            Vec::new()
        }
    };
    let opening = Opening {
        anchor: &anchor,
        given: &given,
        archive: Arc::new(StoreArchive::new(Arc::clone(store), committer.clone())),
        evidence: Arc::new(EvidenceFolder::new(host.config.node.data_dir.join("evidence"))),
        strangers: if host.config.roles.gateway { Strangers::Guests } else { Strangers::Refused },
    };
    let membership = Membership::open(host.env.clone(), host.board.clone(), opening).await;
    membership.map_err(|error| cannot("the trust list", &error))
}

/// The endpoint at the configured address.
pub(super) fn endpoint(host: &Host, ground: &Ground) -> Result<Endpoint, StartError> {
    let address = host.config.listen.address;
    let socket = host.env.bind_udp(address).map_err(|error| cannot(&format!("UDP {address}"), &error))?;
    let limits = hibiki_transport::Limits {
        segmentation_offload: host.config.udp.segmentation_offload,
        ..road_limits()
    };
    Endpoint::new(
        host.env.runtime(),
        socket,
        ground.means.keys.identity(),
        ground.membership.directory(),
        limits,
        Arc::new(WallTime(host.env.clone())),
    )
    .map_err(|error| cannot("the QUIC endpoint", &error))
}

/// The world's clock as the transport wants it.
struct WallTime(Env);

impl TimeSource for WallTime {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.now())
    }
}
