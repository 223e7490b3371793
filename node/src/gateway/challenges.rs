//! One-use challenges, each bound to the link it was given on.
//!
//! Pure: time and randomness are parameters. Must not know: what a challenge is signed with.

use std::collections::BTreeMap;
use std::time::Duration;

use hibiki_protocol::limits;
use tokio::time::Instant;

/// Challenges one link may have open; the oldest gives way.
const PER_LINK_MAX: usize = 4;
/// Challenges open in all: every session that may be opened at once, twice.
const ALL_MAX: usize = 2 * limits::SESSIONS_MAX;

#[derive(Debug, Clone, Copy)]
struct Given {
    challenge: [u8; 32],
    until: Instant,
}

/// The challenges that were given and not used.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    /// By link, oldest first.
    given: BTreeMap<u64, Vec<Given>>,
    count: usize,
}

impl Challenges {
    /// Gives `challenge` to `link`; `false` if there are too many.
    pub(super) fn issue(&mut self, link: u64, challenge: [u8; 32], now: Instant) -> bool {
        if self.count >= ALL_MAX {
            self.purge(now);
        }
        if self.count >= ALL_MAX {
            return false;
        }
        let until = now + Duration::from_millis(limits::CHALLENGE_MILLIS_MAX);
        let open = self.given.entry(link).or_default();
        open.push(Given { challenge, until });
        self.count += 1;
        if open.len() > PER_LINK_MAX {
            open.remove(0);
            self.count -= 1;
        }
        true
    }

    /// Takes a challenge out: `true` once, on the link it was given on, while it is valid.
    pub(super) fn take(&mut self, link: u64, challenge: &[u8; 32], now: Instant) -> bool {
        let Some(open) = self.given.get_mut(&link) else { return false };
        let Some(at) = open.iter().position(|given| given.challenge == *challenge) else { return false };
        let given = open.remove(at);
        self.count -= 1;
        if open.is_empty() {
            self.given.remove(&link);
        }
        now < given.until
    }

    /// Forgets all challenges of a link that is closed.
    pub(super) fn forget(&mut self, link: u64) {
        self.count -= self.given.remove(&link).map_or(0, |open| open.len());
    }

    fn purge(&mut self, now: Instant) {
        self.given.retain(|_, open| {
            open.retain(|given| now < given.until);
            !open.is_empty()
        });
        self.count = self.given.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_challenge_is_used_once_on_its_link_in_time() {
        let (mut challenges, now) = (Challenges::default(), start());
        assert!(challenges.issue(1, [1; 32], now));
        assert!(!challenges.take(2, &[1; 32], now), "another link");
        assert!(!challenges.take(1, &[9; 32], now), "never given");
        assert!(challenges.take(1, &[1; 32], now));
        assert!(!challenges.take(1, &[1; 32], now), "used");
        assert!(challenges.issue(1, [2; 32], now));
        assert!(!challenges.take(1, &[2; 32], now + Duration::from_millis(limits::CHALLENGE_MILLIS_MAX)));
        assert!(challenges.issue(1, [3; 32], now));
        challenges.forget(1);
        assert!(!challenges.take(1, &[3; 32], now));
        assert_eq!(challenges.count, 0);
    }

    #[test]
    fn strangers_cannot_fill_the_table_for_ever() {
        let (mut challenges, now) = (Challenges::default(), start());
        for link in 0..ALL_MAX as u64 {
            assert!(challenges.issue(link, [1; 32], now));
        }
        assert!(!challenges.issue(u64::MAX, [1; 32], now));
        let later = now + Duration::from_millis(limits::CHALLENGE_MILLIS_MAX);
        assert!(challenges.issue(u64::MAX, [1; 32], later));
        assert_eq!(challenges.count, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_count_is_right_and_bounded_per_link(
            steps in prop::collection::vec((0u64..3, 0u8..12, 0u8..3), 1..80),
        ) {
            let (mut challenges, now) = (Challenges::default(), start());
            for (link, n, step) in steps {
                match step {
                    0 => { challenges.issue(link, [n; 32], now); }
                    1 => { challenges.take(link, &[n; 32], now); }
                    _ => challenges.forget(link),
                }
                prop_assert_eq!(challenges.count, challenges.given.values().map(Vec::len).sum::<usize>());
                prop_assert!(challenges.given.values().all(|open| (1..=PER_LINK_MAX).contains(&open.len())));
            }
        }
    }
}
