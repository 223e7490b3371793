//! How long to wait before dialling again. Pure: time and randomness are parameters.

use std::time::Duration;

/// Doubles the wait with every failure, up to a bound, and spreads it so that a restarted gateway is not
/// dialled by everybody in the same instant.
#[derive(Debug, Clone)]
pub(super) struct BackOff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl BackOff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max: max.max(min), failures: 0 }
    }

    /// The wait after one more failure: between half and all of the present step. `random` decides where.
    pub(super) fn failed(&mut self, random: u32) -> Duration {
        let step = self.min.saturating_mul(1 << self.failures.min(20)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        step / 2 + (step / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// A link stayed up: the next failure is a first one again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn waits_stay_within_their_bounds_and_grow(random in prop::collection::vec(any::<u32>(), 1..60)) {
            let (min, max) = (Duration::from_millis(200), Duration::from_secs(5));
            let mut back_off = BackOff::new(min, max);
            for (index, random) in random.into_iter().enumerate() {
                let wait = back_off.failed(random);
                let step = min.saturating_mul(1 << index.min(20)).min(max);
                prop_assert!(step / 2 <= wait && wait <= step, "{wait:?} of {step:?}");
            }
            back_off.succeeded();
            prop_assert!(back_off.failed(u32::MAX) <= min);
        }
    }
}
