//! News of trust lists: whoever is connected is told of a newer list until it is known to have it.
//!
//! One greeting is not enough: it may be lost while the link lives on, or have left before the list was there. A
//! member that stays behind refuses everything that refers to the newer list. Must not know: what is in a list.

use std::time::Duration;

use hibiki_protocol::ids::MemberId;
use hibiki_transport::Link;

use super::Links;
use super::back_off::BackOff;

/// A member that is behind is greeted again after this long, …
const AGAIN_MIN: Duration = Duration::from_secs(1);
/// … and at least this often: it may have no disk to keep the list on.
const AGAIN_MAX: Duration = Duration::from_secs(60);

impl Links {
    /// Greets `member` over `link` whenever it is behind this node's list, until the link closes. `knows` is the
    /// epoch it last spoke of.
    pub(super) async fn keep_informed(self, member: MemberId, link: Link, mut knows: u64) {
        let mut told = self.0.membership.subscribe();
        let mut back_off = BackOff::new(AGAIN_MIN, AGAIN_MAX);
        loop {
            let epoch = told.borrow_and_update().accepted().list().epoch;
            if knows < epoch {
                match self.greet(&member, &link).await {
                    Ok(theirs) => knows = theirs,
                    Err(failure) => tracing::debug!(%member, %failure, "a new trust list was not announced"),
                }
            }
            let up_to_date = knows >= epoch;
            if up_to_date {
                back_off.succeeded();
            }
            tokio::select! {
                biased;
                _ = link.closed() => return,
                changed = told.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(back_off.failed(u32::from_be_bytes(self.0.env.random()))),
                    if !up_to_date => {}
            }
        }
    }
}
