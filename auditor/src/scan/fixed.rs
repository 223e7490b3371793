//! A quick look at a block with fixed codes (RFC 1951 section 3.2.6): one place in four of any bytes claims to
//! be one, and nearly all betray themselves within a few symbols. Decodes nothing, only says what cannot be.

use super::MIN_PATTERN;

/// So many symbols are looked at; a false start survives them about once in a hundred.
const SYMBOLS: usize = 64;

/// Whether a block with fixed codes, the head of which stands in the first three bits, can be one: no code that
/// does not exist, no distance before the beginning, and not an end before there is anything.
pub(super) fn plausible(bytes: &[u8]) -> bool {
    // How much has come out.
    let (mut at, mut out) = (3, 0_usize);
    for _ in 0..SYMBOLS {
        let Some(window) = peek(bytes, at) else { return out >= MIN_PATTERN };
        let (symbol, bits) = symbol(window);
        at += bits;
        match symbol {
            0..=255 => out += 1,
            256 => return out >= MIN_PATTERN,
            257..=285 => {
                let (length, extra) = length(symbol - 257, window >> bits);
                at += extra;
                let Some(window) = peek(bytes, at) else { return out >= MIN_PATTERN };
                match distance(window) {
                    Some((distance, bits)) if distance <= out => at += bits,
                    _ => return false,
                }
                out += length;
            }
            _ => return false,
        }
    }
    true
}

/// The next bits, lowest first, at least 24 of them; none at the end.
#[inline]
fn peek(bytes: &[u8], at: usize) -> Option<u32> {
    let rest = bytes.get(at / 8..).filter(|rest| !rest.is_empty())?;
    let word = rest.first_chunk::<8>().map_or_else(
        || rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        |word| u64::from_le_bytes(*word),
    );
    Some((word >> (at % 8)) as u32)
}

/// The next symbol of a fixed code and its length in bits. Codes stand with their first bit lowest.
fn symbol(window: u32) -> (usize, usize) {
    let code = (window.reverse_bits() >> 16) as usize;
    let (seven, eight, nine) = (code >> 9, code >> 8, code >> 7);
    match eight {
        0x00..=0x2f => (256 + seven, 7),
        0x30..=0xbf => (eight - 0x30, 8),
        0xc0..=0xc7 => (280 + eight - 0xc0, 8),
        _ => (144 + nine - 0x190, 9),
    }
}

/// The length that a code means, counted from code 257, and how many extra bits stand behind the code.
fn length(code: usize, behind: u32) -> (usize, usize) {
    match code {
        0..=7 => (code + 3, 0),
        28 => (258, 0),
        _ => {
            let extra = code / 4 - 1;
            (((4 + code % 4) << extra) + 3 + (behind as usize & ((1 << extra) - 1)), extra)
        }
    }
}

/// The distance that follows, extra bits and all, and the length of code and extra bits; `None` for a code that
/// does not exist.
fn distance(window: u32) -> Option<(usize, usize)> {
    let code = (window.reverse_bits() >> 27) as usize;
    // The extra bits stand lowest first behind the five bits of the code.
    let behind = (window >> 5) as usize;
    match code {
        0..=3 => Some((code + 1, 5)),
        4..=29 => {
            let extra = code / 2 - 1;
            Some((((2 + code % 2) << extra) + 1 + (behind & ((1 << extra) - 1)), 5 + extra))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Never says no to a real stream with fixed codes.
        #[test]
        fn real_blocks_pass(text in "[a-z0-9 前橋花子]{6,60}", repeat in 1_usize..4) {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.repeat(repeat).as_bytes()).unwrap();
            let bytes = encoder.finish().unwrap();
            if bytes[0] >> 1 & 3 == 1 {
                prop_assert!(super::plausible(&bytes), "{text} {bytes:02x?}");
            }
        }
    }

    #[test]
    fn noise_hardly_ever_passes() {
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .take(200_000)
        .collect();
        let claims = (0..noise.len() - 64).filter(|at| noise[*at] >> 1 & 3 == 1);
        let passed = claims.filter(|at| super::plausible(&noise[*at..])).count();
        assert!(passed < 1_000, "{passed} of some 50,000");
    }
}
