//! Proofs that acknowledged means durable, by things that really happen to a node: `kill -9`, a power cut, a
//! full disk, a damaged file.
//!
//! The power cut and the full disk need root, loop devices and `mkfs.ext4`; without them these tests say
//! `SKIPPED` on stderr and prove nothing. `HIBIKI_POWERCUT_TRIALS=50` runs the long form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for real processes and disks")]

mod damage;
mod disk_full;
mod image;
mod kill;
mod power_cut;
mod workload;
mod writer;

use std::io::Write as _;

/// Says something that the test runner does not swallow.
fn say(words: &str) {
    _ = writeln!(std::io::stderr().lock(), "{words}");
}

/// A reproducible sequence of numbers (SplitMix64), for delays, sizes and contents.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
