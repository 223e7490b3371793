//! Which member is connected over which link, and what the operator is told about it.
//!
//! Owns the links that count as up. Must not know: how they came up, what is asked over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hibiki_protocol::ids::MemberId;
use hibiki_transport::Link;
use tokio::sync::watch;

use super::code;
use super::freshness::FreshnessCell;
use crate::env::Env;
use crate::observe::board::{Direction, LinkState, LinkStatus, StatusBoard};
use crate::observe::metrics;

/// A link that is up.
#[derive(Clone)]
pub(super) struct UpLink {
    pub(super) link: Link,
    pub(super) direction: Direction,
    /// The freshness token that came over this link; it ends with it.
    pub(super) freshness: Arc<FreshnessCell>,
    /// Held while the peer's host is asked whether the peer is still there.
    pub(super) doubt: Arc<tokio::sync::Mutex<()>>,
}

/// The links that are up, by member; the newest of a member is last.
pub(super) struct Table {
    env: Env,
    board: StatusBoard,
    rows: Mutex<Rows>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Rows {
    up: BTreeMap<MemberId, Vec<UpLink>>,
    /// Members whose last hello failed because no version is common.
    foreign: BTreeSet<MemberId>,
    astray: BTreeSet<MemberId>,
}

impl Table {
    pub(super) fn new(env: Env, board: StatusBoard) -> Self {
        Self { env, board, rows: Mutex::default(), changes: watch::Sender::new(0) }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The newest link to `member` that is still open.
    pub(super) fn up(&self, member: &MemberId) -> Option<UpLink> {
        let open = |up: &&UpLink| up.link.close_reason().is_none();
        self.rows().up.get(member)?.iter().rev().find(open).cloned()
    }

    /// Whether `member` is connected by a link in this direction.
    pub(super) fn has(&self, member: &MemberId, direction: Direction) -> bool {
        let open = |up: &UpLink| up.direction == direction && up.link.close_reason().is_none();
        self.rows().up.get(member).is_some_and(|links| links.iter().any(open))
    }

    pub(super) fn members_up(&self) -> Vec<MemberId> {
        let rows = self.rows();
        let open = |links: &[UpLink]| links.iter().any(|up| up.link.close_reason().is_none());
        rows.up.iter().filter(|(_, links)| open(links)).map(|(member, _)| member.clone()).collect()
    }

    /// A link counts as up. An older one that the same side made is forgotten by its maker: it is closed.
    pub(super) fn enter(&self, member: &MemberId, link: &Link, direction: Direction) -> UpLink {
        let up = UpLink { link: link.clone(), direction, freshness: Arc::default(), doubt: Arc::default() };
        {
            let mut rows = self.rows();
            rows.foreign.remove(member);
            let links = rows.up.entry(member.clone()).or_default();
            for older in links.extract_if(.., |older| older.direction == direction) {
                older.link.close(hibiki_transport::Code::DONE, "a newer link took its place");
            }
            links.push(up.clone());
        }
        self.tell(member, LinkState::Up, direction, None);
        tracing::info!(%member, link = link.id(), "link up");
        up
    }

    /// A link is closed.
    pub(super) fn leave(&self, member: &MemberId, link: &Link, reason: &str) {
        let direction = {
            let mut rows = self.rows();
            let Some(links) = rows.up.get_mut(member) else { return };
            let before = links.len();
            let mut direction = Direction::In;
            links.retain(|up| {
                let stays = up.link.id() != link.id();
                if !stays {
                    direction = up.direction;
                }
                stays
            });
            if links.len() == before {
                return;
            }
            if !links.is_empty() {
                drop(rows);
                self.changed();
                return;
            }
            rows.up.remove(member);
            rows.astray.remove(member);
            direction
        };
        tracing::info!(%member, link = link.id(), reason, "link down");
        self.tell(member, LinkState::Down, direction, Some(reason.to_owned()));
    }

    /// Notes what a dial loop does for a member that is not connected.
    pub(super) fn note(&self, member: &MemberId, state: LinkState, reason: Option<String>) {
        if self.up(member).is_none() {
            self.tell(member, state, Direction::Out, reason);
        }
    }

    /// Notes that no version is common with `member`.
    pub(super) fn note_foreign(&self, member: &MemberId) {
        self.rows().foreign.insert(member.clone());
    }

    /// Whether the last hello with `member` failed because no version is common.
    pub(super) fn is_foreign(&self, member: &MemberId) -> bool {
        self.rows().foreign.contains(member)
    }

    /// Notes how far the clock of `member` is from ours.
    pub(super) fn note_clock(&self, member: &MemberId, off_by_millis: u64) {
        let key = format!("clock:{member}");
        let astray = off_by_millis > super::CLOCK_ASTRAY_MILLIS;
        let count = {
            let mut rows = self.rows();
            if astray {
                rows.astray.insert(member.clone());
            } else {
                rows.astray.remove(member);
            }
            rows.astray.len()
        };
        metrics::set_count(metrics::LINKS_CLOCK_ASTRAY, count);
        if astray {
            let seconds = off_by_millis / 1000;
            self.board.raise(
                key,
                format!("the clocks of {member} and this node differ by {seconds} s; check both"),
            );
        } else {
            self.board.clear(&key);
        }
    }

    /// Forgets a member that left the federation, and closes its links.
    pub(super) fn forget(&self, member: &MemberId) {
        let gone = {
            let mut rows = self.rows();
            rows.foreign.remove(member);
            rows.astray.remove(member);
            rows.up.remove(member)
        };
        for up in gone.into_iter().flatten() {
            up.link.close(code::NOT_PERMITTED, "no longer a member");
        }
        self.board.remove_link(member.as_str());
        self.board.clear(&format!("clock:{member}"));
        self.changed();
    }

    fn tell(&self, member: &MemberId, state: LinkState, direction: Direction, reason: Option<String>) {
        let now = self.env.now();
        self.board.update(|status| {
            let known = status.links.get(member.as_str());
            // A link that comes up beside an older one is asked from now on: that one may be of a process that died.
            let goes_on = |line: &&LinkStatus| line.state == state && state != LinkState::Up;
            let since = known.filter(goes_on).map_or(now, |line| line.since);
            // While it is dialled again, the last reason stays to be read.
            let reason = match state {
                LinkState::Dialling => reason.or_else(|| known.and_then(|line| line.reason.clone())),
                LinkState::Up | LinkState::Down => reason,
            };
            let line = LinkStatus { state, direction, since, rtt_us: None, reason };
            status.links.insert(member.as_str().to_owned(), line);
        });
        self.changed();
    }

    fn changed(&self) {
        metrics::set_count(metrics::LINKS_UP, self.members_up().len());
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}
