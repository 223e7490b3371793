//! How a ledger stands with its witnesses, by how long too few of them have cosigned, and what their clocks
//! say about ours. Pure.

use std::time::Duration;

use crate::observe::board::Witnessing;

/// From this difference on, the clock is said to be astray.
pub const CLOCK_ASTRAY_SECONDS: u64 = 60;

/// When what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// An alarm is raised after this.
    pub alarm: Duration,
    /// Nothing is released after this.
    pub stop: Duration,
}

/// How it stands when too few have cosigned for `silent` (none: enough have, in the last round), in a process
/// that is `up` for so long. After a start nothing stops before the alarm's time has passed: a node that was
/// off overnight has not had a chance to ask.
#[must_use]
pub fn standing(silent: Option<Duration>, up: Duration, patience: Patience) -> Witnessing {
    let Some(silent) = silent else { return Witnessing::Fine };
    if silent >= patience.stop && up >= patience.alarm {
        Witnessing::Stopped
    } else if silent >= patience.alarm {
        Witnessing::Alarm
    } else {
        Witnessing::Below
    }
}

/// How many seconds our clock is ahead of the median of the witnesses' (negative: behind); none without any.
#[must_use]
pub fn clock_off(mut offsets: Vec<i64>) -> Option<i64> {
    offsets.sort_unstable();
    offsets.get(offsets.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gets_worse_with_time_and_a_restart_is_no_way_around() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let patience = Patience { alarm: minutes(15), stop: minutes(240) };
        for (silent, up, expected) in [
            (0, 0, Witnessing::Below),
            (14, 500, Witnessing::Below),
            (15, 500, Witnessing::Alarm),
            (239, 500, Witnessing::Alarm),
            (240, 500, Witnessing::Stopped),
            (240, 15, Witnessing::Stopped),
            // Started again: what it was without witnesses before still counts, once it has asked for a while.
            (300, 0, Witnessing::Alarm),
            (300, 14, Witnessing::Alarm),
            (300, 15, Witnessing::Stopped),
        ] {
            assert_eq!(standing(Some(minutes(silent)), minutes(up), patience), expected, "{silent} {up}");
            assert_eq!(standing(None, minutes(up), patience), Witnessing::Fine);
        }
    }

    #[test]
    fn one_wrong_clock_among_three_moves_nothing() {
        assert_eq!(clock_off(Vec::new()), None);
        assert_eq!(clock_off(vec![3_600]), Some(3_600));
        assert_eq!(clock_off(vec![0, -3_600, 1]), Some(0));
        assert_eq!(clock_off(vec![3_600, 3_601, 0]), Some(3_600));
        assert_eq!(clock_off(vec![i64::MIN, i64::MAX, 2]), Some(2));
    }
}
