//! This node's ledger and its witnesses: asks them, joins their cosignatures, and says how the ledger stands.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::tlog::{Checkpoint, VerifierKey};
use hibiki_protocol::witnessing::quorum_default;
use tokio::time::timeout;

use super::asked::{Asked, Cosignature, Failed, Head};
use super::pace::Pace;
use super::standing::{CLOCK_ASTRAY_SECONDS, Patience, clock_off, standing};
use super::{Forks, Road};
use crate::institution::{Means, all};
use crate::ledger::{CheckpointFailure, details};
use crate::observe::board::{StatusBoard, WitnessesStatus, Witnessing};
use crate::observe::metrics;
use crate::shutdown::Shutdown;

/// How often the loop looks whether anything is due.
const LOOK: Duration = Duration::from_secs(1);
/// A witness must have answered one exchange within this: on a slow line, and through a gateway.
const EXCHANGE: Duration = Duration::from_secs(10);
/// A node that stops gives its witnesses so long.
const FAREWELL: Duration = Duration::from_secs(2);
/// The board's keys.
const PROBLEM: &str = "witnesses";
const HALTED: &str = "ledger-halted";
const CLOCK: &str = "clock";

/// How many must cosign, and what happens if they do not.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Cosignatures that make a checkpoint count; none: [`quorum_default`].
    pub quorum: Option<usize>,
    /// When what happens.
    pub patience: Patience,
}

/// What is known of one witness. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Size it keeps, as far as we know.
    known: Option<u64>,
    /// Size it cosigned last; 0 if never.
    pub(super) size: u64,
    /// When that was, by its own clock.
    pub(super) time: u64,
    /// Since when it has cosigned every time it was asked.
    pub(super) since: Option<u64>,
    /// Why it did not the last time.
    pub(super) failure: Option<String>,
}

struct State {
    seen: BTreeMap<MemberId, Seen>,
    /// Whether enough have cosigned in the newest round.
    enough: bool,
    /// When enough last had, in this run or an earlier one; before they ever had, when they could first be asked.
    since: u64,
    /// Size of the newest checkpoint that counts, and when it came to count.
    counted: (u64, u64),
    /// Size offered in the newest round.
    offered: u64,
    cosigned: usize,
    clock_off: Option<i64>,
}

/// The asking side. Cheap to clone.
#[derive(Clone)]
pub struct Asking(Arc<Inner>);

/// The digest of a list, and the witnesses it gives this node.
type Chosen = (Digest, Vec<(MemberId, VerifierKey)>);

struct Inner {
    means: Means,
    road: Arc<dyn Road>,
    board: StatusBoard,
    forks: Forks,
    settings: Settings,
    started: u64,
    state: Mutex<State>,
    witnesses: Mutex<Option<Chosen>>,
    /// One round at a time.
    round: tokio::sync::Mutex<()>,
}

impl Asking {
    /// Nothing is asked until [`Self::run`]. What an earlier run had cosigned is read from the ledger.
    pub fn new(
        means: Means,
        road: Arc<dyn Road>,
        board: StatusBoard,
        forks: Forks,
        settings: Settings,
    ) -> Self {
        let started = means.env.now();
        let state = State {
            seen: BTreeMap::new(),
            enough: false,
            since: started,
            counted: (0, 0),
            offered: 0,
            cosigned: 0,
            clock_off: None,
        };
        let (state, round) = (Mutex::new(state), tokio::sync::Mutex::new(()));
        let asking = Self(Arc::new(Inner {
            means,
            road,
            board,
            forks,
            settings,
            started,
            state,
            witnesses: Mutex::default(),
            round,
        }));
        asking.recall();
        asking.show();
        asking
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The witnesses of the list in force, and how many of them must cosign. They are worked out once for each list.
    fn witnesses(&self) -> (Vec<(MemberId, VerifierKey)>, usize) {
        let trust = (self.0.means.trust)();
        let mut known = self.0.witnesses.lock().unwrap_or_else(PoisonError::into_inner);
        let witnesses = match known.as_ref().filter(|(list, _)| *list == trust.digest()) {
            Some((_, witnesses)) => witnesses.clone(),
            None => {
                let witnesses = trust.list().witnesses_for(&self.0.means.own);
                let witnesses: Vec<_> = witnesses.into_iter().map(|(id, key)| (id.clone(), key)).collect();
                *known = Some((trust.digest(), witnesses.clone()));
                witnesses
            }
        };
        let quorum = self.0.settings.quorum.unwrap_or_else(|| quorum_default(witnesses.len()));
        (witnesses, quorum)
    }

    /// Takes up what an earlier run had cosigned: a restart is no way around a missing witness.
    fn recall(&self) {
        let (means, (witnesses, quorum)) = (&self.0.means, self.witnesses());
        let Some(note) = means.ledger.cosigned() else { return };
        let keys: Vec<VerifierKey> = witnesses.iter().map(|(_, key)| key.clone()).collect();
        let log = means.ledger.verifier_key();
        let Ok((checkpoint, cosigned)) = Checkpoint::open(note.as_bytes(), log, &keys) else { return };
        let mut times = Vec::new();
        let mut state = self.state();
        for verified in cosigned {
            let (Some((id, _)), Some(time)) = (witnesses.get(verified.key), verified.time) else { continue };
            let time = time.saturating_mul(1000);
            times.push(time);
            let seen = Seen { size: checkpoint.size, time, ..Seen::default() };
            state.seen.insert(id.clone(), seen);
        }
        times.sort_unstable();
        // Since the quorum was full: the latest of the earliest so many.
        if let Some(full) = quorum.checked_sub(1).and_then(|last| times.get(last)) {
            (state.counted, state.since) = ((checkpoint.size, *full), *full);
        }
    }

    /// Asks until the node drains. Spawn it once.
    pub async fn run(self, mut shutdown: Shutdown) {
        let mut changes = self.0.road.changes();
        let env = self.0.means.env.clone();
        let mut pace = Pace::new(env.now());
        loop {
            let new = self.0.means.ledger.size().saturating_sub(self.state().offered);
            if pace.is_due(env.now(), new) {
                self.round().await;
                let enough = self.state().enough;
                pace.asked(env.now(), enough);
            }
            self.show();
            tokio::select! {
                biased;
                () = shutdown.draining() => return,
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let enough = self.state().enough;
                    pace.links_changed(env.now(), enough);
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// The last round of a node that stops; call it while the links are up.
    pub async fn farewell(&self) {
        if timeout(FAREWELL, self.round()).await.is_err() {
            tracing::warn!("not every witness has answered before the node stopped");
        }
    }

    /// One round: everybody is offered the present state.
    pub(super) async fn round(&self) {
        let _round = self.0.round.lock().await;
        let (witnesses, quorum) = self.witnesses();
        if witnesses.is_empty() || self.0.means.ledger.halted().is_some() {
            return;
        }
        let Some(head) = self.head().await else { return };
        let head = &head;
        let asked = witnesses.iter().map(|(witness, key)| self.ask(witness, key, head));
        let mut cosignatures = Vec::new();
        for cosigned in all(asked).await {
            match cosigned {
                Ok(cosignature) => cosignatures.push(cosignature),
                Err(Failed::For(_)) => {}
                Err(Failed::Astray { note, how }) => return self.halt(note, &how).await,
            }
        }
        self.look_at_clock(&cosignatures);
        let enough = cosignatures.len() >= quorum && self.count(head, &cosignatures).await;
        let mut state = self.state();
        state.seen.retain(|id, _| witnesses.iter().any(|(witness, _)| witness == id));
        (state.offered, state.cosigned) = (head.checkpoint.size, cosignatures.len());
        state.enough = enough;
        if enough {
            let now = self.0.means.env.now();
            (state.counted, state.since) = ((head.checkpoint.size, now), now);
        }
    }

    /// The present state, signed.
    async fn head(&self) -> Option<Head> {
        let ledger = &self.0.means.ledger;
        match ledger.checkpoint().await {
            Ok(note) => Head::of(&note, ledger.verifier_key()),
            Err(CheckpointFailure::Closed | CheckpointFailure::Halted) => None,
            Err(error) => {
                // On a full disk the newest one there is can still be cosigned.
                tracing::warn!(%error, "the state offered to the witnesses is not the newest");
                Head::of(&ledger.newest_checkpoint()?, ledger.verifier_key())
            }
        }
    }

    /// Asks one witness and notes what came of it.
    async fn ask(&self, witness: &MemberId, key: &VerifierKey, head: &Head) -> Result<Cosignature, Failed> {
        let mut known = self.state().seen.get(witness).and_then(|seen| seen.known);
        let (means, road) = (&self.0.means, self.0.road.as_ref());
        let asked = Asked { means, road, witness, key };
        let cosigned = timeout(EXCHANGE, asked.cosign(head, &mut known)).await;
        let cosigned = cosigned.unwrap_or_else(|_| Err(Failed::For("it did not answer in time".to_owned())));
        let mut state = self.state();
        let seen = state.seen.entry(witness.clone()).or_default();
        seen.known = known;
        match &cosigned {
            Ok(cosignature) => {
                (seen.size, seen.time) = (head.checkpoint.size, cosignature.time.saturating_mul(1000));
                seen.since = seen.since.or_else(|| Some(means.env.now()));
                seen.failure = None;
            }
            Err(Failed::For(what) | Failed::Astray { how: what, .. }) => {
                if seen.failure.as_ref() != Some(what) {
                    tracing::info!(member = %witness, reason = what, "a witness has not cosigned");
                }
                (seen.since, seen.failure) = (None, Some(what.clone()));
            }
        }
        cosigned
    }

    /// Joins the cosignatures and keeps them durably; whether they count now.
    async fn count(&self, head: &Head, cosignatures: &[Cosignature]) -> bool {
        let mut note = head.note.clone();
        cosignatures.iter().for_each(|cosignature| note.add(cosignature.line.clone()));
        match self.0.means.ledger.keep_cosigned(note.to_string()).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the cosigned checkpoint could not be kept");
                false
            }
        }
    }

    /// What the witnesses' clocks say about ours.
    fn look_at_clock(&self, cosignatures: &[Cosignature]) {
        let now = i64::try_from(self.0.means.env.now() / 1000).unwrap_or(i64::MAX);
        let off = |cosignature: &Cosignature| {
            now.saturating_sub(i64::try_from(cosignature.time).unwrap_or(i64::MAX))
        };
        let count = cosignatures.len();
        let Some(off) = clock_off(cosignatures.iter().map(off).collect()) else { return };
        self.state().clock_off = Some(off);
        metrics::set_seconds(metrics::CLOCK_OFF, off);
        if off.unsigned_abs() > CLOCK_ASTRAY_SECONDS {
            let way = if off > 0 { "ahead of" } else { "behind" };
            let text = format!(
                "this node's clock is {} s {way} the median of {count} witnesses; check its time service",
                off.unsigned_abs()
            );
            tracing::warn!(reason = text, "the clock differs from the witnesses'");
            self.0.board.raise(CLOCK, text);
        } else {
            self.0.board.clear(CLOCK);
        }
    }

    /// This is not the ledger its witnesses know: nothing more is signed or released, now or after a restart.
    async fn halt(&self, note: String, how: &str) {
        let means = &self.0.means;
        let reason = format!(
            "a witness knows another ledger of this name and key: {how}. Most likely an older copy of the disk \
             was put in place. Nothing is signed or released. Stop the node and restore the newest copy of the \
             ledger's folder; if it is lost for good, keep this folder as evidence, tell the council and the \
             regulator, move it aside whole, run `hibiki-node init --new-ledger-key` and bring a new request to the \
             council (docs/operator.md, \"Witnesses\")"
        );
        tracing::error!(reason, "the ledger is halted");
        // With this beside it the ledger does not open again, whoever restarts the node.
        if let Err(error) = means.ledger.keep_cosigned(note).await {
            tracing::error!(%error, "what the witness keeps could not be kept here");
        }
        means.ledger.halt(&reason);
        let entry = details::Administration {
            by: "witness".to_owned(),
            action: "the ledger is halted".to_owned(),
            outcome: how.to_owned(),
        };
        if let Err(error) = means.log_protection(None, &entry).await {
            tracing::error!(%error, "the halt of the ledger is not in it");
        }
    }

    /// How the ledger stands now.
    pub(super) fn stands(&self) -> Witnessing {
        let (witnesses, quorum) = self.witnesses();
        if self.0.means.ledger.halted().is_some() {
            return Witnessing::Halted;
        }
        if witnesses.is_empty() && quorum == 0 {
            return Witnessing::Alone;
        }
        let up = Duration::from_millis(self.0.means.env.now().saturating_sub(self.0.started));
        standing(self.silent(), up, self.0.settings.patience)
    }

    /// For how long too few have cosigned; none: enough have in the newest round.
    fn silent(&self) -> Option<Duration> {
        let (state, now) = (self.state(), self.0.means.env.now());
        (!state.enough).then(|| Duration::from_millis(now.saturating_sub(state.since)))
    }

    /// Says how the ledger stands: to the ledger itself, on the board, and in the metrics.
    pub(super) fn show(&self) {
        let (witnesses, quorum) = self.witnesses();
        let (stands, silent) = (self.stands(), self.silent());
        if stands == Witnessing::Alone {
            // Once there is somebody to ask, the time counts from then.
            self.state().since = self.0.means.env.now();
        }
        let Inner { means, board, settings, .. } = self.0.as_ref();
        means.ledger.set_unwitnessed(stands == Witnessing::Stopped);
        let silent = silent.unwrap_or_default();
        let minutes = silent.as_secs() / 60;
        let stop = settings.patience.stop.as_secs() / 60;
        let few =
            format!("fewer than {quorum} of {} witnesses have cosigned for {minutes} min", witnesses.len());
        match stands {
            Witnessing::Alarm => board.raise(
                PROBLEM,
                format!("{few}; after {stop} min nothing is released; see `hibiki-node ledger witnesses`"),
            ),
            Witnessing::Stopped => board.raise(
                PROBLEM,
                format!("{few}: NOTHING IS RELEASED until they do; see `hibiki-node ledger witnesses`"),
            ),
            Witnessing::Alone | Witnessing::Fine | Witnessing::Below | Witnessing::Halted => {
                board.clear(PROBLEM);
            }
        }
        if let Some(reason) = means.ledger.halted() {
            board.raise(HALTED, reason);
        }
        let state = self.state();
        let (size, time) = state.counted;
        board.update(|status| {
            status.witnesses = Some(WitnessesStatus {
                standing: stands,
                possible: witnesses.len() as u64,
                quorum: quorum as u64,
                cosigned: state.cosigned as u64,
                entries: size,
                time,
                clock_off: state.clock_off,
            });
        });
        metrics::set_count(metrics::WITNESSES_QUORUM, quorum);
        metrics::set_count(metrics::WITNESSES_COSIGNED, state.cosigned);
        metrics::set_count(metrics::LEDGER_HALTED, usize::from(stands == Witnessing::Halted));
        metrics::set_seconds(metrics::WITNESSES_SILENT, i64::try_from(silent.as_secs()).unwrap_or(i64::MAX));
    }

    /// Every witness of the list in force, and what is known of it.
    pub(super) fn seen(&self) -> Vec<(MemberId, VerifierKey, Seen)> {
        let state = self.state();
        let seen = |(id, key): (MemberId, VerifierKey)| {
            let seen = state.seen.get(&id).cloned().unwrap_or_default();
            (id, key, seen)
        };
        self.witnesses().0.into_iter().map(seen).collect()
    }

    /// The book of forks.
    pub(super) fn forks(&self) -> &Forks {
        &self.0.forks
    }

    /// The quorum, and the newest checkpoint that counts: its size and when it came to count.
    pub(super) fn quorum(&self) -> (usize, u64, u64) {
        let (size, time) = self.state().counted;
        (self.witnesses().1, size, time)
    }

    /// The board it shows itself on.
    pub(super) fn origin(&self) -> &str {
        self.0.means.ledger.origin()
    }
}
