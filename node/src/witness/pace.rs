//! When the witnesses are asked next. Pure; times are milliseconds of one clock.

/// Everybody is asked this often, in milliseconds.
const PERIOD: u64 = 60_000;
/// And after so many new entries.
const LEAVES: u64 = 1_000;
/// While too few have cosigned, the next round comes after this, each further one after twice as long, up to
/// the period.
const SOON: u64 = 2_000;
/// After a link came up or went down, its hello is given so long.
const SETTLE: u64 = 1_000;

/// When the next round is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    due: u64,
    pause: u64,
}

impl Pace {
    /// The first round is due at once.
    pub(super) const fn new(now: u64) -> Self {
        Self { due: now, pause: SOON }
    }

    /// Whether a round is due; `new` entries came since the last one. A clock that was set back far makes it due.
    pub(super) const fn is_due(&self, now: u64, new: u64) -> bool {
        now >= self.due || new >= LEAVES || self.due - now > PERIOD
    }

    /// A round is over; `enough` have cosigned, or not.
    pub(super) fn asked(&mut self, now: u64, enough: bool) {
        if enough {
            (self.due, self.pause) = (now.saturating_add(PERIOD), SOON);
        } else {
            self.due = now.saturating_add(self.pause);
            self.pause = self.pause.saturating_mul(2).min(PERIOD);
        }
    }

    /// Somebody came or went: where somebody is missing, that is worth a try.
    pub(super) fn links_changed(&mut self, now: u64, enough: bool) {
        if !enough {
            (self.due, self.pause) = (self.due.min(now.saturating_add(SETTLE)), SOON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minute_every_thousand_and_sooner_while_somebody_is_missing() {
        let mut pace = Pace::new(10_000);
        assert!(pace.is_due(10_000, 0));
        pace.asked(10_000, true);
        assert!(!pace.is_due(69_999, 999));
        assert!(pace.is_due(70_000, 0) && pace.is_due(10_001, 1_000));
        // A link that goes while enough cosign hurries nobody.
        pace.links_changed(20_000, true);
        assert!(!pace.is_due(69_999, 0));

        let mut waits = Vec::new();
        let mut now = 70_000;
        for _ in 0..8 {
            pace.asked(now, false);
            let due = (now..).step_by(1_000).find(|now| pace.is_due(*now, 0)).unwrap_or_default();
            waits.push((due - now) / 1_000);
            now = due;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
        pace.asked(now, false);
        pace.links_changed(now + 5_000, false);
        assert!(!pace.is_due(now + 5_999, 0) && pace.is_due(now + 6_000, 0));
        pace.asked(now, true);
        assert!(pace.is_due(0, 0), "the clock was set back");
    }
}
