//! When to try again, and when it is too late. Pure.

use serde::{Deserialize, Serialize};

/// First wait after a failure, in milliseconds.
const FIRST_MS: u64 = 30_000;
/// Longest wait, in milliseconds.
const LONGEST_MS: u64 = 15 * 60_000;
/// No letter waits longer than this, in milliseconds, whatever was decided: one that would was put off by a clock
/// that stood ahead.
pub const WAITS_AT_MOST_MS: u64 = 20 * 60_000;
/// A last attempt this long before it is too late, in milliseconds.
const LAST_MS: u64 = 60_000;
/// A letter that never comes too late is given up after this, in milliseconds: three days.
const GIVEN_UP_MS: u64 = 3 * 24 * 3600 * 1000;

/// Why a letter did not go out. No words of the relay: they repeat addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No connection to the relay.
    Connection,
    /// The relay fell silent.
    Timeout,
    /// TLS could not be agreed on, or the relay's certificate is not right.
    Tls,
    /// The relay does not let us in: user or password.
    LogIn,
    /// The relay does not want us or our sender's address, whatever the letter.
    Refused,
    /// The relay says later (4xx).
    Deferred,
    /// The relay refuses this recipient or this message for good (5xx).
    Rejected,
    /// The address, or the letter, cannot be sent at all.
    Unsendable,
    /// The ledger takes no entry: without one nothing is sent.
    NotLogged,
    /// Our own books do not say whether she may have it.
    Books,
    /// It would have come too late.
    TooLate,
}

impl Fault {
    /// The name in commands and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::LogIn => "log_in",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
            Self::Rejected => "rejected",
            Self::Unsendable => "unsendable",
            Self::NotLogged => "not_logged",
            Self::Books => "books",
            Self::TooLate => "too_late",
        }
    }

    /// Whether it lies with the relay, and not with this one letter.
    #[must_use]
    pub const fn is_the_relays(self) -> bool {
        matches!(self, Self::Connection | Self::Timeout | Self::Tls | Self::LogIn | Self::Refused)
    }

    /// Whether no further attempt can help.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Unsendable | Self::TooLate)
    }
}

/// What is done with a letter after an attempt in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then; milliseconds since the Unix epoch.
    Again(u64),
    /// It is not tried again.
    GiveUp(Fault),
}

/// Decides after attempt number `attempts` (from 1) of a letter queued at `queued` ended with `fault` at `now`.
/// `jitter` is any number: it spreads letters that failed together.
#[must_use]
pub fn after(attempts: u32, fault: Fault, queued: u64, now: u64, send_by: Option<u64>, jitter: u16) -> Next {
    if fault.is_final() {
        return Next::GiveUp(fault);
    }
    let by = send_by.unwrap_or_else(|| queued.saturating_add(GIVEN_UP_MS));
    let doubled = FIRST_MS.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(LONGEST_MS);
    // Up to a quarter more.
    let wait = doubled + doubled / 4 * u64::from(jitter) / u64::from(u16::MAX);
    let next = now.saturating_add(wait);
    let last = by.saturating_sub(LAST_MS);
    if next < by {
        Next::Again(next)
    } else if now < last {
        Next::Again(last)
    } else {
        Next::GiveUp(Fault::TooLate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let wait = |attempts| match after(attempts, Fault::Deferred, 0, 0, None, 0) {
            Next::Again(at) => at / 1000,
            Next::GiveUp(_) => 0,
        };
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 60].map(wait), [30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn what_is_refused_for_good_is_not_tried_again() {
        assert_eq!(after(1, Fault::Rejected, 0, 0, Some(u64::MAX), 0), Next::GiveUp(Fault::Rejected));
    }

    proptest! {
        #[test]
        fn attempts_come_to_an_end_with_one_in_the_last_minute(
            send_by in 120_000..200_000_000_u64,
            jitters in proptest::collection::vec(any::<u16>(), 400),
        ) {
            let (mut now, mut attempts) = (0, 0);
            for jitter in jitters {
                attempts += 1;
                let last_attempt = now;
                match after(attempts, Fault::Connection, 0, now, Some(send_by), jitter) {
                    Next::Again(at) => {
                        prop_assert!(at > now && at < send_by);
                        now = at;
                    }
                    Next::GiveUp(fault) => {
                        prop_assert_eq!(fault, Fault::TooLate);
                        prop_assert!(send_by - last_attempt <= LAST_MS, "the last one was {}", last_attempt);
                        return Ok(());
                    }
                }
            }
            prop_assert!(now + LONGEST_MS * 2 < send_by, "it goes on for ever");
        }
    }
}
