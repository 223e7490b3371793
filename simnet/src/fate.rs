//! What becomes of a datagram: a pure function of the seed, its link and its number on that link.
//!
//! Owns the draw; must not know time, queues or who is cut off.

use std::net::SocketAddr;
use std::time::Duration;

/// How a link behaves, in one direction. Chances are in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkOptions {
    /// The least time a datagram takes.
    pub delay: Duration,
    /// Every pair of sockets is further apart than `delay` by a constant of up to this, drawn once.
    pub spread: Duration,
    /// Every datagram takes up to this longer. It delays the ones behind it: a link is a queue (FIFO),
    /// because independent jitter would reorder every flight, which real links rarely do.
    pub jitter: Duration,
    /// Datagrams that vanish.
    pub loss_ppm: u32,
    /// Datagrams that arrive twice.
    pub duplicate_ppm: u32,
    /// Datagrams that are held back by up to `reorder_by` and overtaken meanwhile.
    pub reorder_ppm: u32,
    /// See `reorder_ppm`.
    pub reorder_by: Duration,
    /// The longest UDP payload that passes, in bytes.
    pub mtu: usize,
    /// Bytes of UDP payload that fit through in a second; 0 for as many as there are.
    pub bytes_per_second: u64,
    /// A datagram that would wait longer than this for its turn is dropped (tail drop). Counts only where
    /// `bytes_per_second` does.
    pub queue: Duration,
}

impl Default for LinkOptions {
    /// A city: 2 to 40 ms one way, up to 4 ms of jitter, nothing lost, Ethernet (1500 less IPv4 and UDP).
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(2),
            spread: Duration::from_millis(38),
            jitter: Duration::from_millis(4),
            loss_ppm: 0,
            duplicate_ppm: 0,
            reorder_ppm: 0,
            reorder_by: Duration::from_millis(20),
            mtu: 1472,
            bytes_per_second: 0,
            queue: Duration::from_millis(200),
        }
    }
}

impl LinkOptions {
    /// A link that takes exactly `delay` and does nothing else.
    pub fn steady(delay: Duration) -> Self {
        Self { delay, spread: Duration::ZERO, jitter: Duration::ZERO, ..Self::default() }
    }

    /// The same link, losing this many datagrams in a million.
    #[must_use]
    pub fn losing(self, ppm: u32) -> Self {
        Self { loss_ppm: ppm, ..self }
    }

    /// The same link, delivering this many datagrams in a million twice.
    #[must_use]
    pub fn duplicating(self, ppm: u32) -> Self {
        Self { duplicate_ppm: ppm, ..self }
    }

    /// The same link, so narrow.
    #[must_use]
    pub fn narrow(self, bytes_per_second: u64) -> Self {
        Self { bytes_per_second, ..self }
    }

    /// The same link, holding back this many datagrams in a million by up to `by`.
    #[must_use]
    pub fn reordering(self, ppm: u32, by: Duration) -> Self {
        Self { reorder_ppm: ppm, reorder_by: by, ..self }
    }
}

/// What becomes of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It vanishes.
    Lost,
    /// It arrives.
    Arrives {
        /// After how long, before it queues behind those ahead of it.
        after: Duration,
        /// It was held back: it neither queues nor delays others.
        held_back: bool,
        /// A second copy arrives after this long.
        again: Option<Duration>,
    },
}

/// Mixes 64 bits (the finaliser of SplitMix64): every output bit depends on every input bit.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Mixes a list of numbers, order included.
pub(crate) fn mix_all(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0x9e37_79b9_7f4a_7c15, |so_far, number| {
        mix(so_far.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ mix(number.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    })
}

/// A number for a socket address.
pub(crate) fn address_number(address: SocketAddr) -> u64 {
    let ip = match address.ip() {
        std::net::IpAddr::V4(ip) => u64::from(u32::from(ip)),
        std::net::IpAddr::V6(ip) => {
            let [high, low] = [64, 0].map(|shift| (u128::from(ip) >> shift) as u64);
            mix_all(&[high, low])
        }
    };
    mix_all(&[ip, u64::from(address.port())])
}

/// Draws the fate of datagram number `index` from `from` to `to`.
pub(crate) fn draw(seed: u64, from: SocketAddr, to: SocketAddr, index: u64, link: &LinkOptions) -> Fate {
    let (from, to) = (address_number(from), address_number(to));
    let roll = mix_all(&[seed, from, to, index]);
    let die = |question: u64| mix_all(&[roll, question]);
    let chance = |question, ppm| die(question) % 1_000_000 < u64::from(ppm);
    if chance(1, link.loss_ppm) {
        return Fate::Lost;
    }
    // Both directions of a pair are equally long.
    let distance = fraction(link.spread, mix_all(&[seed, from.min(to), from.max(to)]));
    let travel = |question| link.delay + distance + fraction(link.jitter, die(question));
    let held_back = chance(2, link.reorder_ppm);
    let hold = if held_back { fraction(link.reorder_by, die(3)) } else { Duration::ZERO };
    let again = chance(4, link.duplicate_ppm).then(|| travel(5) + fraction(link.reorder_by, die(6)));
    Fate::Arrives { after: travel(7) + hold, held_back, again }
}

impl LinkOptions {
    /// How long it takes to put so many bytes on the link.
    pub(crate) fn transmission(&self, bytes: usize) -> Duration {
        match self.bytes_per_second {
            0 => Duration::ZERO,
            rate => Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / rate),
        }
    }
}

/// The part of `whole` that a roll of the die stands for, in whole microseconds.
fn fraction(whole: Duration, die: u64) -> Duration {
    let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(if micros == 0 { 0 } else { die % (micros + 1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], 4433))
    }

    fn share(link: LinkOptions, test: impl Fn(Fate) -> bool) -> f64 {
        let hits = (0..20_000).filter(|index| test(draw(1, address(1), address(2), *index, &link))).count();
        hits as f64 / 20_000.0
    }

    #[test]
    fn chances_come_out_as_asked() {
        let link = LinkOptions::default().losing(100_000);
        assert!((share(link, |fate| fate == Fate::Lost) - 0.1).abs() < 0.01);
        let link = LinkOptions::default().duplicating(250_000);
        let twice = |fate| matches!(fate, Fate::Arrives { again: Some(_), .. });
        assert!((share(link, twice) - 0.25).abs() < 0.015);
        let link = LinkOptions::default().reordering(50_000, Duration::from_millis(9));
        let late = |fate| matches!(fate, Fate::Arrives { held_back: true, .. });
        assert!((share(link, late) - 0.05).abs() < 0.008);
        assert_eq!(share(LinkOptions::default(), |fate| fate == Fate::Lost), 0.0);
    }

    #[test]
    fn a_pair_is_equally_far_both_ways_and_pairs_differ() {
        let link = LinkOptions { jitter: Duration::ZERO, ..LinkOptions::default() };
        let after = |from, to, index| match draw(5, address(from), address(to), index, &link) {
            Fate::Arrives { after, .. } => after,
            Fate::Lost => panic!("nothing is lost here"),
        };
        assert_eq!(after(1, 2, 1), after(2, 1, 9));
        let distances: std::collections::BTreeSet<_> = (2..50).map(|to| after(1, to, 1)).collect();
        assert!(distances.len() > 40, "{}", distances.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_fate_keeps_within_its_options(
            seed: u64, index: u64, delay in 0u64..100, spread in 0u64..100, jitter in 0u64..100,
        ) {
            let ms = Duration::from_millis;
            let link = LinkOptions {
                delay: ms(delay), spread: ms(spread), jitter: ms(jitter), ..LinkOptions::default()
            }.duplicating(500_000);
            let Fate::Arrives { after, held_back, again } = draw(seed, address(1), address(2), index, &link)
            else { return Err(TestCaseError::fail("lost")) };
            prop_assert!(!held_back && after >= ms(delay) && after <= ms(delay + spread + jitter));
            prop_assert!(again.is_none_or(|again| again >= ms(delay)));
        }
    }
}
