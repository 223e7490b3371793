//! The hello: the first exchange on a link, and catching up with newer trust lists.
//!
//! A link counts as up only when the hello was answered (TLS 1.3 tells the dialling side of success
//! before the other has judged its certificate). Whoever is behind fetches the missing lists. Must not
//! know: what else links are used for.

use std::time::Duration;

use hibiki_protocol::frames::{FetchTrustLists, Hello, Reply, Request, Welcome};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::SignedTrustList;
use hibiki_transport::Link;

use super::ask::{Trouble, put};
use super::{Links, SMALL_TALK, code};
use crate::shutdown::Shutdown;

/// How often the standing of the trust list is looked at.
const STANDING: Duration = Duration::from_secs(60);

/// Rounds of one catching-up: with sixteen lists each, forty years of monthly lists.
const ROUNDS_MAX: usize = 64;

/// Why a link does not come up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HelloFailure {
    /// No common version, or another federation.
    #[error("no version of the protocol is common; the older side must be updated")]
    Foreign,
    /// Somebody else answers there than the trust list says.
    #[error("another member answers there; check its address in the trust list")]
    SomebodyElse,
    /// The link broke or the answer made no sense.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl Links {
    fn hello(&self) -> Hello {
        let current = self.0.membership.current();
        Hello {
            version_min: limits::VERSION_MIN,
            version_max: limits::VERSION_MAX,
            federation: current.list().federation.clone(),
            epoch: current.list().epoch,
        }
    }

    /// The answer to a hello; `None` where there is no common version or federation.
    pub(super) fn welcome(&self, hello: &Hello) -> Option<Welcome> {
        let current = self.0.membership.current();
        let version = hello.version_max.min(limits::VERSION_MAX);
        let common = version >= limits::VERSION_MIN.max(hello.version_min);
        (common && hello.federation == current.list().federation).then(|| Welcome {
            version,
            member: self.0.settings.own.clone(),
            epoch: current.list().epoch,
            list_digest: current.digest(),
            now: Timestamp(self.0.env.now()),
        })
    }

    /// Says hello to `member` and takes newer trust lists from it; the epoch it had when it answered. Done when a
    /// link is made, and whenever the member is behind (`news`).
    pub(super) async fn greet(&self, member: &MemberId, link: &Link) -> Result<u64, HelloFailure> {
        let asked = self.0.env.now();
        let request = Request::Hello(self.hello());
        let reply = put(link, &request, limits::CONTROL_FRAME_BYTES_MAX);
        let welcome = match within(reply).await {
            Ok(Reply::Welcome(welcome)) => welcome,
            Ok(_) => return Err(Trouble::Nonsense.into()),
            Err(Trouble::Refused(refused)) if refused == code::VERSION => return Err(HelloFailure::Foreign),
            Err(trouble) => return Err(trouble.into()),
        };
        if welcome.member != *member {
            return Err(HelloFailure::SomebodyElse);
        }
        if !(limits::VERSION_MIN..=limits::VERSION_MAX).contains(&welcome.version) {
            return Err(HelloFailure::Foreign);
        }
        let middle = asked.midpoint(self.0.env.now());
        self.0.table.note_clock(member, middle.abs_diff(welcome.now.0));
        let current = self.0.membership.current();
        let epoch = current.list().epoch;
        if welcome.epoch > epoch {
            self.catch_up(link).await;
        } else if welcome.epoch == epoch && welcome.list_digest != current.digest() {
            // Another list of our epoch: what it says is evidence, and the alarm is raised here.
            if let Ok(lists) = self.fetch_lists(link, epoch - 1).await {
                let other: Vec<_> = lists.into_iter().take(1).collect();
                self.take(&other).await;
            }
        }
        Ok(welcome.epoch)
    }

    /// Fetches the lists after ours over `link` and offers them, until nothing new comes.
    pub(super) async fn catch_up(&self, link: &Link) {
        for _ in 0..ROUNDS_MAX {
            let epoch = self.0.membership.current().list().epoch;
            let lists = match self.fetch_lists(link, epoch).await {
                Ok(lists) if lists.is_empty() => return,
                Ok(lists) => lists,
                Err(trouble) => return tracing::warn!(%trouble, "newer trust lists cannot be fetched"),
            };
            if !self.take(&lists).await {
                return;
            }
        }
    }

    /// Offers lists; tells whether the epoch in force moved.
    async fn take(&self, lists: &[SignedTrustList]) -> bool {
        match self.0.membership.offer(lists).await {
            Ok(offered) => !offered.installed.is_empty(),
            Err(error) => {
                self.0.board.raise("trust-list-storage", error.to_string());
                false
            }
        }
    }

    async fn fetch_lists(&self, link: &Link, after: u64) -> Result<Vec<SignedTrustList>, Trouble> {
        let request = Request::FetchTrustLists(FetchTrustLists { after });
        match within(put(link, &request, limits::FRAME_BYTES_MAX)).await? {
            Reply::TrustLists(lists) if lists.lists.len() <= limits::TRUST_LISTS_PER_FRAME_MAX => {
                Ok(lists.lists)
            }
            _ => Err(Trouble::Nonsense),
        }
    }
}

async fn within(asked: impl Future<Output = Result<Reply, Trouble>>) -> Result<Reply, Trouble> {
    tokio::time::timeout(SMALL_TALK, asked).await.unwrap_or(Err(Trouble::Silent))
}

/// Acts on every list that comes into force: who left is disconnected at once. Looks at the list's standing from
/// time to time.
pub(super) async fn follow_trust_list(links: Links, mut shutdown: Shutdown) {
    let mut told = links.0.membership.subscribe();
    let mut members = members_of(&links);
    let mut standing = tokio::time::interval(STANDING);
    loop {
        tokio::select! {
            biased;
            () = shutdown.now() => return,
            changed = told.changed() => {
                if changed.is_err() {
                    return;
                }
                told.borrow_and_update();
                links.0.endpoint.sweep();
                let present = members_of(&links);
                for gone in members.iter().filter(|member| !present.contains(member)) {
                    links.0.table.forget(gone);
                }
                members = present;
                links.0.announce_own_membership();
            }
            _ = standing.tick() => {
                links.0.membership.report_standing(links.0.settings.grace_millis);
            }
        }
    }
}

fn members_of(links: &Links) -> Vec<MemberId> {
    links.0.membership.current().list().members.iter().map(|member| member.id.clone()).collect()
}

impl super::Inner {
    /// A node that is not in its own trust list is told so: nobody will answer it.
    pub(super) fn announce_own_membership(&self) {
        if self.membership.current().list().member(&self.settings.own).is_some() {
            self.board.clear("membership");
        } else {
            self.board.raise(
                "membership",
                "this node is not in the trust list: other members refuse it; ask the council",
            );
        }
    }
}
