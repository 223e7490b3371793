//! A quick look at a block with fixed codes (RFC 1951 section 3.2.6): one place in four of any bytes claims to
//! be one, and nearly all betray themselves within a few symbols. Decodes nothing, only says what cannot be.

/// So many symbols are looked at; a false start survives them about once in a hundred.
const SYMBOLS: usize = 64;

/// The shortest length of codes 257 to 285.
const LENGTH_BASE: [usize; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];

/// Extra bits of length codes 257 to 285.
const LENGTH_EXTRA: [u32; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// Whether a block with fixed codes, the head of which stands in the first three bits, can be one: no code that
/// does not exist, no distance before the beginning, and not an end before there is anything.
pub(super) fn plausible(bytes: &[u8]) -> bool {
    let mut bits = Bits { bytes, at: 3 };
    // How much has come out.
    let mut out = 0_usize;
    for _ in 0..SYMBOLS {
        let Some(window) = bits.peek() else { return out >= super::MIN_PATTERN };
        match symbol(window) {
            (0..=255, len) => {
                bits.at += len;
                out += 1;
            }
            (256, _) => return out >= super::MIN_PATTERN,
            (code @ 257..=285, len) => {
                let extra = LENGTH_EXTRA.get(code - 257).copied().unwrap_or_default();
                let base = LENGTH_BASE.get(code - 257).copied().unwrap_or_default();
                let length = base + (window >> len & ((1 << extra) - 1)) as usize;
                bits.at += len + extra as usize;
                let Some(window) = bits.peek() else { return out >= super::MIN_PATTERN };
                let Some((distance, len)) = distance(window) else { return false };
                if distance > out {
                    return false;
                }
                bits.at += len;
                out += length;
            }
            _ => return false,
        }
    }
    true
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

/// The distance that follows, extra bits and all, and the length of code and extra bits; `None` for a code that
/// does not exist.
fn distance(window: u32) -> Option<(usize, usize)> {
    let code = (window.reverse_bits() >> 27) as usize;
    let extra = if code < 4 { 0 } else { code / 2 - 1 };
    let base = match code {
        0..=3 => code + 1,
        4..=29 => ((2 + code % 2) << extra) + 1,
        _ => return None,
    };
    // The extra bits stand lowest first behind the five bits of the code.
    let more = (window >> 5) as usize & ((1 << extra) - 1);
    Some((base + more, 5 + extra))
}

/// Bits, lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits, at least 24 of them; `None` at the end.
    #[inline]
    fn peek(&self) -> Option<u32> {
        let bytes = self.bytes.get(self.at / 8..)?;
        if let Some(word) = bytes.first_chunk::<8>() {
            return Some((u64::from_le_bytes(*word) >> (self.at % 8)) as u32);
        }
        let (first, rest) = bytes.split_first()?;
        let mut word = u64::from(*first);
        for (byte, place) in rest.iter().take(4).zip(1..) {
            word |= u64::from(*byte) << (8 * place);
        }
        Some((word >> (self.at % 8)) as u32)
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
