//! Chance from a seed: the same seed always makes the same town.
//!
//! SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): for stories, never for secrets.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// One of these.
    ///
    /// # Panics
    /// There is none.
    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let place = self.below(choices.len() as u64) as usize;
        &choices[place]
    }

    /// A number between -1 and 1, small ones more often.
    pub fn around_zero(&mut self) -> f64 {
        let mut unit = || (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        unit() + unit() - 1.0
    }

    /// Twelve hexadecimal digits.
    pub fn id(&mut self) -> String {
        format!("{:012x}", self.next() >> 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs for seed 1234567, from the authors' reference implementation.
        let mut chance = Chance::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| chance.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn bounds_hold() {
        let mut chance = Chance::new(1);
        assert!((0..1000).all(|_| chance.below(7) < 7 && chance.around_zero().abs() <= 1.0));
        assert_eq!(chance.below(0), 0);
    }
}
