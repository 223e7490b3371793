//! The trust list in force at this node, and nothing but the list in force.
//!
//! Owns: the chain of accepted lists from the anchor on, the rule "durable before used", refusal of
//! rollback and gaps, evidence of two lists of one epoch, and the answer to "who holds this key"
//! ([`Roster`]). Must not know: links, requests, persons.
//!
//! Everybody else reads [`Membership::current`] anew for each decision, or [`Membership::subscribe`]s.

mod archive;
mod command;
mod evidence;
mod files;
mod kept;
mod roster;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hibiki_protocol::limits;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Accepted, Decision, Refused, RootAnchor, SignedTrustList, Standing};
use tokio::sync::{Mutex, watch};

pub use archive::{Archive, ArchiveError, MemoryArchive};
pub use command::register;
pub use evidence::{EvidenceFolder, EvidenceKeeper};
pub use files::{FileError, read_anchor, read_lists};
pub use kept::StoreArchive;
pub use roster::{Roster, Strangers};

use crate::env::Env;
use crate::observe::board::{StatusBoard, TrustListStatus};
use crate::observe::metrics;

/// The list in force as every subscriber sees it.
pub type InForce = Arc<Roster>;

/// The trust list in force. Cheap to clone; clones are one membership.
#[derive(Clone)]
pub struct Membership(Arc<Inner>);

struct Inner {
    env: Env,
    board: StatusBoard,
    archive: Arc<dyn Archive>,
    evidence: Arc<dyn EvidenceKeeper>,
    strangers: Strangers,
    /// Held from the decision to the switch: two offers at once cannot both follow the same list.
    installing: Mutex<()>,
    in_force: watch::Sender<InForce>,
}

/// Why a node cannot start with a trust list.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// The stored lists cannot be read, or the first one not stored.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// No list is stored and none was given.
    #[error("there is no trust list yet; put the council's newest list where `trust-list` points")]
    NoList,
    /// The first list does not verify against the anchor.
    #[error("the first trust list is refused: {0}; check the federation's root file and the list")]
    First(Refused),
    /// The stored lists do not form a chain from the anchor.
    #[error(
        "the stored trust list of epoch {epoch} does not follow from the federation's root: {refused}; \
         if the root file was changed by mistake, put the former one back"
    )]
    BrokenArchive {
        /// Epoch of the list that does not follow.
        epoch: u64,
        /// The rule it breaks.
        refused: Refused,
    },
}

/// What came of offered lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    /// Epochs installed now, in order.
    pub installed: Vec<u64>,
    /// The rule that the first refused list broke. Lists known already are not refused.
    pub refused: Option<Refused>,
}

/// Offered lists could not be dealt with.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The next list could not be made durable, so it is not used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// What a membership is opened with.
pub struct Opening<'a> {
    /// The federation's name and root, given out of band.
    pub anchor: &'a RootAnchor,
    /// Lists given by configuration; at least one where none is stored.
    pub given: &'a [SignedTrustList],
    /// Where accepted lists are kept.
    pub archive: Arc<dyn Archive>,
    /// Where evidence against the council is kept.
    pub evidence: Arc<dyn EvidenceKeeper>,
    /// What to think of keys the list does not name.
    pub strangers: Strangers,
}

impl Membership {
    /// Walks the stored chain from the anchor, then takes the given lists; stores the first one where
    /// nothing was stored.
    ///
    /// Given lists that cannot follow (a gap, an older file) do not hinder the start: they are reported
    /// on the board, and the missing ones come from other members.
    ///
    /// # Errors
    /// There is no list to start with, or the stored ones do not follow from the anchor.
    pub async fn open(env: Env, board: StatusBoard, opening: Opening<'_>) -> Result<Self, MembershipError> {
        let stored = opening.archive.load().await?;
        let accepted = match walk(opening.anchor, &stored)? {
            Some(accepted) => accepted,
            None => {
                let first = opening.given.first().ok_or(MembershipError::NoList)?;
                let accepted = Accepted::first(opening.anchor, first).map_err(MembershipError::First)?;
                opening.archive.keep(accepted.list().epoch, accepted.signed()).await?;
                accepted
            }
        };
        let roster = Arc::new(Roster::new(accepted, opening.strangers));
        let membership = Self(Arc::new(Inner {
            env,
            board,
            archive: opening.archive,
            evidence: opening.evidence,
            strangers: opening.strangers,
            installing: Mutex::new(()),
            in_force: watch::Sender::new(roster),
        }));
        membership.announce();
        membership.recall();
        if let Err(OfferError::Archive(error)) = membership.offer(opening.given).await {
            membership.0.board.raise("trust-list-storage", error.to_string());
        }
        Ok(membership)
    }

    /// The list in force.
    pub fn current(&self) -> Arc<Accepted> {
        self.0.in_force.borrow().accepted()
    }

    /// The list in force, indexed by key. It is also the directory of the transport: see
    /// [`Self::directory`].
    pub fn roster(&self) -> InForce {
        self.0.in_force.borrow().clone()
    }

    /// Tells of every list that comes into force.
    pub fn subscribe(&self) -> watch::Receiver<InForce> {
        self.0.in_force.subscribe()
    }

    /// The transport's directory: always asks the list in force.
    pub fn directory(&self) -> Arc<dyn hibiki_transport::Directory> {
        let in_force = self.0.in_force.subscribe();
        Arc::new(move |key: &hibiki_transport::PeerKey| in_force.borrow().admit(key))
    }

    /// Whether the list in force is still current, given `grace_millis` of grace after its expiry.
    pub fn standing(&self, now: Timestamp, grace_millis: u64) -> Standing {
        self.current().standing(now, grace_millis)
    }

    /// Lists after `epoch`, oldest first: as many as one frame may carry.
    ///
    /// # Errors
    /// The stored lists cannot be read.
    pub async fn lists_after(&self, epoch: u64) -> Result<Vec<SignedTrustList>, ArchiveError> {
        if epoch >= self.current().list().epoch {
            return Ok(Vec::new());
        }
        let mut bytes = 0;
        let mut lists = self.0.archive.after(epoch, limits::TRUST_LISTS_PER_FRAME_MAX).await?;
        let fits = |list: &SignedTrustList| {
            bytes += list.payload.len() + list.signatures.len() * 128 + 64;
            bytes <= limits::FRAME_BYTES_MAX - 1024
        };
        let keep = lists.iter().map(fits).take_while(|fits| *fits).count();
        lists.truncate(keep.max(1));
        Ok(lists)
    }

    /// Takes lists one by one: each that truly follows is stored durably, then used. Known ones are
    /// passed over; the first that breaks a rule ends the walk. A second list of an epoch is kept as
    /// evidence and raises an alarm.
    ///
    /// # Errors
    /// A list could not be stored; those before it are in force.
    pub async fn offer(&self, lists: &[SignedTrustList]) -> Result<Offered, OfferError> {
        let _installing = self.0.installing.lock().await;
        let mut offered = Offered::default();
        for list in lists {
            let current = self.current();
            let now = Timestamp(self.0.env.now());
            match current.consider(list, now) {
                Ok(Decision::Same) => {}
                Ok(Decision::Install(next)) => {
                    let epoch = next.list().epoch;
                    self.0.archive.keep(epoch, next.signed()).await?;
                    self.0.in_force.send_replace(Arc::new(Roster::new(*next, self.0.strangers)));
                    self.announce();
                    offered.installed.push(epoch);
                }
                Err(Refused::Rollback { offered: epoch, .. }) if self.is_known(epoch, list).await => {}
                Err(refused) => {
                    self.refuse(list, &refused).await;
                    offered.refused = Some(refused);
                    break;
                }
            }
        }
        Ok(offered)
    }

    /// Whether an older list is the very one that was in force then. A different one with valid
    /// signatures is evidence, found late.
    async fn is_known(&self, epoch: u64, list: &SignedTrustList) -> bool {
        let Ok(kept) = self.0.archive.after(epoch.saturating_sub(1), 1).await else { return false };
        let Some(kept) = kept.first() else { return false };
        if kept.digest() == list.digest() {
            return true;
        }
        if evidence::is_second_list(kept, list, epoch) {
            self.alarm(epoch, kept, list).await;
        }
        false
    }

    async fn refuse(&self, list: &SignedTrustList, refused: &Refused) {
        if let Refused::Equivocation { epoch } = refused {
            self.alarm(*epoch, self.current().signed(), list).await;
        } else {
            tracing::warn!(%refused, "an offered trust list is not used");
        }
    }

    async fn alarm(&self, epoch: u64, ours: &SignedTrustList, other: &SignedTrustList) {
        tracing::error!(epoch, "two trust lists of one epoch carry valid signatures");
        metrics::trust_list_fork();
        let kept = match self.0.evidence.keep(epoch, ours, other).await {
            Ok(place) => format!("both are kept as evidence in {place}"),
            Err(error) => format!("the evidence could not be kept: {error}"),
        };
        let text = format!(
            "two different trust lists of epoch {epoch} carry the council's signatures; {kept}; \
             the list installed first stays in force; call the council and the regulator"
        );
        self.0.board.raise("trust-list-fork", text);
    }

    /// An alarm of an earlier run stands until somebody has taken the evidence away.
    fn recall(&self) {
        if let Some(place) = self.0.evidence.kept() {
            let text = format!(
                "two different trust lists of one epoch carried the council's signatures; both are kept as \
                 evidence in {place}; call the council and the regulator, and move the files away when it is \
                 settled"
            );
            self.0.board.raise("trust-list-fork", text);
        }
    }

    /// Puts the list in force on the board and into the metrics.
    fn announce(&self) {
        let accepted = self.current();
        let list = accepted.list();
        metrics::trust_list(list.epoch, list.expires.0);
        tracing::info!(epoch = list.epoch, members = list.members.len(), "trust list in force");
        self.0.board.set_trust_list(TrustListStatus {
            epoch: list.epoch,
            issued: list.issued.0,
            expires: list.expires.0,
            members: list.members.len() as u64,
        });
    }

    /// Says on the board how the list in force stands; call it from time to time.
    pub fn report_standing(&self, grace_millis: u64) -> Standing {
        let standing = self.standing(Timestamp(self.0.env.now()), grace_millis);
        match standing {
            Standing::Current => self.0.board.clear("trust-list-expired"),
            Standing::Grace => self.0.board.raise(
                "trust-list-expired",
                "the trust list has expired and works on for its days of grace; install the council's next list",
            ),
            Standing::Expired => self.0.board.raise(
                "trust-list-expired",
                "the trust list has expired beyond its grace: no sessions are opened; install the council's next list",
            ),
        }
        standing
    }
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Membership")
            .field("epoch", &self.current().list().epoch)
            .finish_non_exhaustive()
    }
}

/// The newest of `stored` lists, if each follows from the one before and the first from the anchor.
///
/// Lists before the first one that the anchor vouches for are passed over: the operator may have
/// replaced an anchor by that of a later root. The rule about the future was applied when each list was
/// accepted; a clock that was set back since then must not lock a node out.
fn walk(anchor: &RootAnchor, stored: &[SignedTrustList]) -> Result<Option<Accepted>, MembershipError> {
    let mut refusal = None;
    let mut lists = stored.iter();
    let mut accepted = loop {
        let Some(list) = lists.next() else {
            return match refusal {
                Some(refused) => Err(MembershipError::First(refused)),
                None => Ok(None),
            };
        };
        match Accepted::first(anchor, list) {
            Ok(accepted) => break accepted,
            Err(refused) => refusal = Some(refused),
        }
    };
    for list in lists {
        let epoch = accepted.list().epoch + 1;
        match accepted.consider(list, Timestamp(u64::MAX)) {
            Ok(Decision::Same) => {}
            Ok(Decision::Install(next)) => accepted = *next,
            Err(refused) => return Err(MembershipError::BrokenArchive { epoch, refused }),
        }
    }
    Ok(Some(accepted))
}
