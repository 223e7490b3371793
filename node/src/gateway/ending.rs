//! How a session ends before its time: by the card, with its link, or with this node. Whatever works for it
//! is cancelled, and every institution is told.
//!
//! Must not know: what is inside the ends that are told.

use std::collections::BTreeSet;
use std::time::Duration;

use hibiki_protocol::frames::{Declined, LeaveSessionEnds, Reply, SessionClosed, SessionEndsKept};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Role;
use hibiki_transport::{Exchange, Link};
use tokio::time::timeout;

use super::{Gateway, Inner, send};
use crate::observe::metrics;

/// Who takes the card away is told how far it got within this: with the ways there and back less than half
/// a second.
const CONFIRMED_WITHIN: Duration = Duration::from_millis(400);

/// A node that stops waits so long for institutions to confirm the ends of its sessions.
const FAREWELL: Duration = Duration::from_secs(2);

/// A gateway without room for more ends asks to be asked again after this many milliseconds.
const RETRY_AFTER_MILLIS: u64 = 1000;

impl Gateway {
    /// Ends every session because this node stops, and tells the institutions, as far as they confirm within
    /// two seconds. Call it while the links are still up.
    pub async fn farewell(&self) {
        let left = self.0.sessions().close_all(self.0.now());
        self.0.count_sessions();
        self.0.courier.tell(left);
        self.0.courier.all_told(FAREWELL).await;
    }
}

impl Inner {
    pub(super) async fn keep_ends(&self, leave: LeaveSessionEnds, exchange: Exchange) {
        let (result, reply) = match self.keep(exchange.link(), leave) {
            Ok(kept) => {
                ("kept", Reply::SessionEndsKept(SessionEndsKept { version: limits::VERSION_MAX, kept }))
            }
            Err(refusal) => {
                let result = match refusal {
                    Refusal::Busy => "busy",
                    Refusal::Malformed => "malformed",
                    _ => "refused",
                };
                let retry_after_millis = (refusal == Refusal::Busy).then_some(RETRY_AFTER_MILLIS);
                (result, Reply::Declined(Declined { refusal, retry_after_millis }))
            }
        };
        metrics::count_result(metrics::SESSION_ENDS_LEFT, result);
        self.courier.show();
        send(exchange, &reply).await;
    }

    /// Keeps what may be kept, and says how many that is.
    fn keep(&self, link: &Link, LeaveSessionEnds { mut ends }: LeaveSessionEnds) -> Result<u64, Refusal> {
        let now = self.now();
        self.sessions().live(link.id(), now)?;
        check(&ends)?;
        let roster = self.base.links.membership().roster();
        ends.retain(|end| roster.has_role(&end.audience, Role::Responder));
        let kept = ends.len();
        let room = self.courier.room_for(kept).ok_or(Refusal::Busy)?;
        self.sessions().leave(link.id(), ends, room, now)?;
        if link.close_reason().is_some() {
            // It closed meanwhile, and may have been forgotten before the ends were there.
            self.left(link);
        }
        Ok(kept as u64)
    }

    pub(super) async fn close_session(&self, exchange: Exchange) {
        let left = self.sessions().close(exchange.link().id(), self.now());
        self.count_sessions();
        let mut told = self.courier.tell(left);
        let _ = timeout(CONFIRMED_WITHIN, told.wait_for(super::courier::Told::is_settled)).await;
        let told = *told.borrow();
        let closed = SessionClosed {
            version: limits::VERSION_MAX,
            confirmed: Some(told.confirmed as u64),
            outstanding: Some(told.institutions.saturating_sub(told.confirmed) as u64),
        };
        send(exchange, &Reply::SessionClosed(closed)).await;
    }

    /// The link is closed, or as good as closed.
    pub(super) fn left(&self, link: &Link) {
        self.challenges().forget(link.id());
        let left = self.sessions().close(link.id(), self.now());
        self.count_sessions();
        self.courier.tell(left);
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.base.env.now())
    }
}

/// At most so many, one for each institution, all of the one size: more a gateway cannot see.
fn check(ends: &[SealedSessionEnd]) -> Result<(), Refusal> {
    let audiences: BTreeSet<&MemberId> = ends.iter().map(|end| &end.audience).collect();
    let right = ends.len() <= limits::VIEW_PARTS_MAX
        && audiences.len() == ends.len()
        && ends.iter().all(SealedSessionEnd::has_common_size);
    if right { Ok(()) } else { Err(Refusal::Malformed) }
}
