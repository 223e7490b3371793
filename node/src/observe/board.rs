//! The status board: what `hibiki-node status` shows.
//!
//! Owns the latest word of every part of the node about itself. Each part writes its own line whenever it
//! changes; nobody reads it to decide anything. Must not know: how the parts work, nor any person.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Everything on the board at one moment. All times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Member id, such as `maebashi/chuo-hospital`.
    pub id: String,
    /// Kind of institution, such as `hospital`.
    pub kind: String,
    /// Roles this process plays: `responder`, `gateway`, `registry`.
    pub roles: Vec<String>,
    /// Version of the program.
    pub version: String,
    /// When the process started.
    pub started: u64,
    /// When this snapshot was taken; the reader computes ages from it.
    pub now: u64,
    /// What the process is doing.
    pub phase: Phase,
    /// Address the QUIC endpoint really listens on, once it does.
    pub listening: Option<String>,
    /// The trust list in force.
    pub trust_list: Option<TrustListStatus>,
    /// Connection to every member this node keeps one with, by member id.
    pub links: BTreeMap<String, LinkStatus>,
    /// The record store.
    pub store: Option<StoreStatus>,
    /// The ledger.
    pub ledger: Option<LedgerStatus>,
    /// Who vouches for the ledger.
    pub witnesses: Option<WitnessesStatus>,
    /// Since when it keeps which category, as it tells everybody; empty where it says nothing.
    pub kept_since: BTreeMap<String, String>,
    /// Sessions that ended before their time.
    pub session_ends: SessionEndsStatus,
    /// Things an operator must look at, by a stable key; gone once solved.
    pub problems: BTreeMap<String, String>,
}

/// Stages of the process's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Opening the store, checking the ledger, binding.
    #[default]
    Starting,
    /// Answering.
    Running,
    /// Finishing what was begun; takes nothing new.
    Draining,
}

/// The trust list in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustListStatus {
    /// Number of the list.
    pub epoch: u64,
    /// When it was signed.
    pub issued: u64,
    /// When it expires.
    pub expires: u64,
    /// Members on it.
    pub members: u64,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Up, down or being dialled.
    pub state: LinkState,
    /// Who dialled.
    pub direction: Direction,
    /// Since when it is in this state; of a member that is connected, since when the newest link is up.
    pub since: u64,
    /// Smoothed round trip in microseconds while up.
    pub rtt_us: Option<u64>,
    /// Why it is down, in words for the operator.
    pub reason: Option<String>,
}

/// State of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Established and authenticated.
    Up,
    /// Not connected; waiting to try again, or to be dialled.
    Down,
    /// A handshake is under way.
    Dialling,
}

/// Who opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// This node dialled.
    Out,
    /// The other member dialled this node.
    In,
}

/// The record store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Engine name.
    pub engine: String,
    /// Bytes the store takes on disk, where it is known.
    pub size_bytes: Option<u64>,
    /// Bytes still free on its file system, where it is known.
    pub free_bytes: Option<u64>,
    /// Set while space is too low for releases and imports.
    pub low_space: bool,
}

/// The ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerStatus {
    /// Entries so far.
    pub entries: u64,
    /// Entries covered by the last signed checkpoint.
    pub checkpoint_entries: u64,
    /// When that checkpoint was signed; 0 before the first.
    pub checkpoint_time: u64,
    /// Why the ledger takes no entries, if it does not: then nothing is released either.
    pub halted: Option<String>,
}

/// How the ledger stands with its witnesses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witnessing {
    /// The trust list has no witness for it.
    #[default]
    Alone,
    /// Enough have cosigned in the newest round.
    Fine,
    /// Too few have.
    Below,
    /// Too few for so long that somebody must look.
    Alarm,
    /// Too few for so long that nothing is released.
    Stopped,
    /// They know another ledger: nothing is signed or released.
    Halted,
}

/// Who vouches for the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WitnessesStatus {
    /// How it stands.
    pub standing: Witnessing,
    /// Witnesses by the trust list.
    pub possible: u64,
    /// Cosignatures that make a checkpoint count.
    pub quorum: u64,
    /// Witnesses that cosigned in the newest round.
    pub cosigned: u64,
    /// Entries under the newest checkpoint that counts.
    pub entries: u64,
    /// When it came to count; 0 before the first.
    pub time: u64,
    /// Seconds our clock is ahead of the median of theirs (negative: behind), once they have cosigned.
    pub clock_off: Option<i64>,
}

/// Sessions that ended before their time: as an institution that was told, and as a gateway that tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionEndsStatus {
    /// Institution: sessions durably ended here and not yet forgotten; nothing is answered under them.
    pub in_force: u64,
    /// Institution: when the newest of them took effect in this run; 0 before the first.
    pub latest: u64,
    /// Gateway: sealed ends that terminals with an open session have left.
    pub kept: u64,
    /// Gateway: sealed ends on their way that their institution has not confirmed yet.
    pub outstanding: u64,
}

/// The shared board. Clones are the same board.
#[derive(Clone, Default)]
pub struct StatusBoard(Arc<Mutex<Status>>);

impl StatusBoard {
    /// An empty board of a process that is starting.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes anything on the board at once.
    pub fn update(&self, change: impl FnOnce(&mut Status)) {
        // A writer that panicked half-way leaves at worst one stale line: showing it beats showing nothing.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The whole board, stamped with `now`.
    pub fn snapshot(&self, now: u64) -> Status {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        status.now = now;
        status
    }

    /// Sets the stage of the process's life.
    pub fn set_phase(&self, phase: Phase) {
        self.update(|status| status.phase = phase);
    }

    /// Sets the trust list in force.
    pub fn set_trust_list(&self, list: TrustListStatus) {
        self.update(|status| status.trust_list = Some(list));
    }

    /// Sets the state of the connection to `member`.
    pub fn set_link(&self, member: impl Into<String>, link: LinkStatus) {
        self.update(|status| {
            status.links.insert(member.into(), link);
        });
    }

    /// Forgets the connection to a member that left the federation.
    pub fn remove_link(&self, member: &str) {
        self.update(|status| {
            status.links.remove(member);
        });
    }

    /// Sets the store's line.
    pub fn set_store(&self, store: StoreStatus) {
        self.update(|status| status.store = Some(store));
    }

    /// Sets the ledger's line.
    pub fn set_ledger(&self, ledger: LedgerStatus) {
        self.update(|status| status.ledger = Some(ledger));
    }

    /// Puts up a problem for the operator under a stable key, such as `trust-list-fork`.
    pub fn raise(&self, key: impl Into<String>, text: impl Into<String>) {
        self.update(|status| {
            status.problems.insert(key.into(), text.into());
        });
    }

    /// Takes a solved problem down.
    pub fn clear(&self, key: &str) {
        self.update(|status| {
            status.problems.remove(key);
        });
    }
}

impl fmt::Debug for StatusBoard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StatusBoard")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn up(since: u64) -> LinkStatus {
        LinkStatus { state: LinkState::Up, direction: Direction::Out, since, rtt_us: Some(900), reason: None }
    }

    #[test]
    fn clones_share_one_board() {
        let board = StatusBoard::new();
        let other = board.clone();
        other.set_link("maebashi/clinic", up(5));
        other.raise("disk", "low");
        let status = board.snapshot(9);
        assert_eq!(status.now, 9);
        assert_eq!(status.links["maebashi/clinic"], up(5));
        assert_eq!(status.problems["disk"], "low");
        board.remove_link("maebashi/clinic");
        board.clear("disk");
        assert!(other.snapshot(10).links.is_empty());
        assert!(other.snapshot(10).problems.is_empty());
    }

    #[test]
    fn a_snapshot_survives_json() {
        let board = StatusBoard::new();
        board.set_phase(Phase::Running);
        board.set_trust_list(TrustListStatus { epoch: 3, issued: 1, expires: 2, members: 6 });
        board.set_link("a/b", up(1));
        board.set_store(StoreStatus { engine: "sled".into(), ..StoreStatus::default() });
        board.set_ledger(LedgerStatus { entries: 4, ..LedgerStatus::default() });
        let status = board.snapshot(77);
        let json = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
        assert!(json.contains(r#""phase":"running""#));
    }

    #[test]
    fn a_panicking_writer_does_not_take_the_board_down() {
        let board = StatusBoard::new();
        let writer = board.clone();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            writer.update(|_| std::panic::resume_unwind(Box::new(())));
        }));
        assert!(panicked.is_err());
        board.set_phase(Phase::Draining);
        assert_eq!(board.snapshot(0).phase, Phase::Draining);
    }
}
