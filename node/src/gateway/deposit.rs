//! The sealed ends that terminals leave for the case that their session ends before its time.
//!
//! A renewal makes new keys, and queries signed by the former ones may be under way: the ends of the
//! statement before stay beside the new ones until that statement's own time. A second renewal, or one to
//! an earlier time, sends the oldest out at once: what was left is never lost before its time.
//!
//! Pure: time is a parameter. Must not know: what is inside an end, how it travels.

use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::time::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

/// The ends left under one statement.
pub(super) struct Left {
    /// One for each institution.
    pub(super) ends: Vec<SealedSessionEnd>,
    /// When the session of that statement ends by itself, and these ends are worth nothing any more.
    pub(super) not_after: Timestamp,
    /// The room they take up at this gateway, one permit each.
    pub(super) room: OwnedSemaphorePermit,
}

/// What was left for one session.
#[derive(Default)]
pub(super) struct Deposit {
    current: Option<Left>,
    earlier: Option<Left>,
}

impl Deposit {
    /// Keeps these ends instead of those left before under the same statement.
    pub(super) fn leave(&mut self, left: Left) {
        self.current = Some(left);
    }

    /// The session is renewed until `not_after`; what must go out at once.
    pub(super) fn renew(&mut self, not_after: Timestamp, now: Timestamp) -> Vec<Left> {
        let Some(current) = self.current.take() else { return Vec::new() };
        let mut out = Vec::from_iter(self.earlier.take());
        if current.not_after > not_after {
            // It would outlive the session, and nobody would be left to send it.
            out.push(current);
        } else {
            self.earlier = Some(current);
        }
        still_good(out, now)
    }

    /// The session has ended: everything that is still worth telling.
    pub(super) fn take(self, now: Timestamp) -> Vec<Left> {
        still_good([self.earlier, self.current].into_iter().flatten().collect(), now)
    }
}

fn still_good(mut left: Vec<Left>, now: Timestamp) -> Vec<Left> {
    left.retain(|left| now < left.not_after);
    left
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    pub(in crate::gateway) fn left(room: &Arc<Semaphore>, not_after: u64) -> Left {
        let room = Arc::clone(room).try_acquire_owned().unwrap();
        Left { ends: Vec::new(), not_after: Timestamp(not_after), room }
    }

    fn times(left: &[Left]) -> Vec<u64> {
        left.iter().map(|left| left.not_after.0).collect()
    }

    #[test]
    fn a_second_deposit_replaces_the_first_and_gives_its_room_back() {
        let room = Arc::new(Semaphore::new(4));
        let mut deposit = Deposit::default();
        deposit.leave(left(&room, 10));
        deposit.leave(left(&room, 11));
        assert_eq!(room.available_permits(), 3);
        assert_eq!(times(&deposit.take(Timestamp(0))), [11]);
        assert_eq!(room.available_permits(), 4);
    }

    #[test]
    fn the_ends_of_the_statement_before_stay_and_the_one_before_that_goes_out() {
        let room = Arc::new(Semaphore::new(9));
        let mut deposit = Deposit::default();
        let now = Timestamp(5);
        assert!(deposit.renew(Timestamp(9), now).is_empty(), "nothing was left");
        deposit.leave(left(&room, 10));
        assert!(deposit.renew(Timestamp(20), now).is_empty());
        assert!(deposit.renew(Timestamp(25), now).is_empty(), "nothing was left under the last statement");
        deposit.leave(left(&room, 30));
        assert_eq!(times(&deposit.renew(Timestamp(40), now)), [10]);
        deposit.leave(left(&room, 40));
        assert_eq!(times(&deposit.take(now)), [30, 40]);
    }

    #[test]
    fn a_renewal_to_an_earlier_time_leaves_nothing_behind() {
        let room = Arc::new(Semaphore::new(9));
        let mut deposit = Deposit::default();
        deposit.leave(left(&room, 10));
        assert_eq!(times(&deposit.renew(Timestamp(9), Timestamp(5))), [10]);
        assert!(deposit.take(Timestamp(5)).is_empty());
    }

    #[test]
    fn what_is_over_is_not_told() {
        let room = Arc::new(Semaphore::new(9));
        let mut deposit = Deposit::default();
        deposit.leave(left(&room, 10));
        deposit.renew(Timestamp(20), Timestamp(0));
        deposit.leave(left(&room, 20));
        assert_eq!(times(&deposit.take(Timestamp(10))), [20]);
        assert_eq!(room.available_permits(), 9);
    }
}
