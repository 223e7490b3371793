//! Compressed streams inside other bytes: gzip (RFC 1952), zlib (RFC 1950) and raw deflate (RFC 1951), found
//! by trying wherever one may begin.
//!
//! A raw stream has no mark. A cheap look at its first bits rules out nearly every place; what remains is
//! inflated, and whatever comes out is searched, whether or not the stream ends well.

use std::io::Read;

use flate2::bufread::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, Decompress, FlushDecompress, Status};

use super::{MIN_PATTERN, fixed};

/// The most that is taken out of one marked stream.
const MAX_CONTENT: usize = 64 << 20;
/// The most that is taken out of one raw stream: false starts inside a real stream inflate, too.
const MAX_RAW: usize = 4 << 20;
/// The most that all raw streams of a window may give: this, and 16 times the length of the window.
const RAW_BUDGET: usize = 32 << 20;
/// Room for a first try; most places that are no streams fail within it.
const FIRST: usize = 4096;

/// A stream that was inflated.
pub(super) struct Stream<'a> {
    /// Where it begins.
    pub(super) at: usize,
    /// How it was marked.
    pub(super) kind: &'static str,
    /// What came out.
    pub(super) content: &'a [u8],
    /// Whether more would have come.
    pub(super) cut: bool,
}

/// Hands over all streams that begin in the first `own` bytes and from which anything came out. Marked streams are
/// found at their mark; the raw stream inside them is not reported a second time.
pub(super) fn streams(bytes: &[u8], own: usize, mut each: impl FnMut(Stream<'_>)) {
    let mut inflater = Inflater { raw: Decompress::new(false), content: Vec::new() };
    // What raw streams may still give.
    let mut budget = RAW_BUDGET + 16 * bytes.len();
    // The body of the marked stream that was reported last.
    let mut reported = None;
    for at in 0..own {
        let rest = bytes.get(at..).unwrap_or_default();
        let (kind, body, most) = match marked(rest) {
            Some((kind, body)) => (kind, body, MAX_CONTENT),
            None if budget > 0 && reported != Some(at) && may_begin(rest) && !filler(rest) => {
                ("deflate", 0, MAX_RAW)
            }
            None => continue,
        };
        let Some(mut cut) = inflater.inflate(rest.get(body..).unwrap_or_default(), most) else { continue };
        if body > 0 {
            reported = Some(at + body);
        } else {
            budget = budget.saturating_sub(inflater.content.len());
            // A raw stream that goes on is most often a false start; what matters is that every start is tried.
            cut = budget == 0;
        }
        each(Stream { at, kind, content: &inflater.content, cut });
    }
}

struct Inflater {
    raw: Decompress,
    content: Vec<u8>,
}

impl Inflater {
    /// Inflates what begins here into `content`; `None` if nothing worth searching comes out, and else whether more
    /// would have come.
    fn inflate(&mut self, input: &[u8], most: usize) -> Option<bool> {
        self.raw.reset(false);
        self.content.clear();
        self.content.reserve(FIRST);
        loop {
            let before = (self.raw.total_in(), self.content.len());
            let rest = input.get(usize::try_from(before.0).ok()?..)?;
            let status = self.raw.decompress_vec(rest, &mut self.content, FlushDecompress::None);
            let stuck = before == (self.raw.total_in(), self.content.len());
            let full = self.content.len() == self.content.capacity();
            match status {
                Ok(Status::Ok | Status::BufError) if full && self.content.len() < most => {
                    self.content.reserve(self.content.len());
                }
                Ok(Status::Ok) if !stuck && !full => {}
                // The end, the end of the bytes, or a place where it turns out to be no stream: what came out
                // until then is searched all the same.
                ended => {
                    // Memory that was filled reads as a stream without end, which gives the same bytes for ever.
                    let endless = self.content.len() >= most && filler(self.content.split_at(most / 2).1);
                    let cut = full && !endless && !matches!(ended, Ok(Status::StreamEnd));
                    return (self.content.len() >= MIN_PATTERN).then_some(cut);
                }
            }
        }
    }
}

/// A gzip or zlib head, and where the deflate stream behind it begins.
fn marked(bytes: &[u8]) -> Option<(&'static str, usize)> {
    match bytes {
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Some(("gzip", gzip_head(bytes, *flags)?)),
        // Deflate with a window of at most 32 KiB, no preset dictionary, and the check of the two bytes.
        [cmf, flg, ..]
            if cmf & 0x0f == 8
                && cmf >> 4 <= 7
                && flg & 0x20 == 0
                && (u16::from(*cmf) * 256 + u16::from(*flg)).is_multiple_of(31)
                && may_begin(bytes.get(2..)?) =>
        {
            Some(("zlib", 2))
        }
        _ => None,
    }
}

/// The length of a gzip head with its optional parts.
fn gzip_head(bytes: &[u8], flags: u8) -> Option<usize> {
    let mut at = 10;
    if flags & 4 != 0 {
        let len = bytes.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes(len.try_into().ok()?));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += bytes.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    Some(at + if flags & 2 != 0 { 2 } else { 0 })
}

/// Whether a short pattern repeats here: memory that was filled, in which fixed codes would decode without end.
/// No stream of text begins so.
fn filler(bytes: &[u8]) -> bool {
    bytes.get(..24).is_some_and(|head| {
        [1, 2, 4, 8].into_iter().any(|period| head.iter().zip(head.iter().skip(period)).all(|(a, b)| a == b))
    })
}

/// Whether a deflate stream may begin here (RFC 1951 section 3.2.3). Stored blocks are told by their length
/// and its complement, dynamic ones by their code lengths, which must make a whole code.
fn may_begin(bytes: &[u8]) -> bool {
    let [first, second, ..] = *bytes else { return false };
    match first >> 1 & 3 {
        0 if first >> 3 == 0 => match *bytes {
            [_, a, b, not_a, not_b, ..] => a == !not_a && b == !not_b,
            _ => false,
        },
        1 => fixed::plausible(bytes),
        2 => first >> 3 <= 29 && second & 31 <= 29 && whole_code(bytes),
        _ => false,
    }
}

/// Whether the code lengths of the code lengths (section 3.2.7) make a whole code: neither too many nor too few.
fn whole_code(bytes: &[u8]) -> bool {
    let bits = bytes.iter().take(16).rev().fold(0, |bits, byte| bits << 8 | u128::from(*byte)) >> 13;
    let lengths = (0..(bits & 15) + 4).map(|n| bits >> (4 + 3 * n) & 7);
    lengths.map(|length| if length == 0 { 0 } else { 128_u32 >> length }).sum::<u32>() == 128
}

/// Bytes bare and in every kind of stream that is looked for, with the name of the kind.
pub(super) fn wrappings(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let level = Compression::default();
    let streams: [(&str, Box<dyn Read + '_>); 3] = [
        ("gzip", Box::new(GzEncoder::new(bytes, level))),
        ("zlib", Box::new(ZlibEncoder::new(bytes, level))),
        ("deflate", Box::new(DeflateEncoder::new(bytes, level))),
    ];
    let mut all = vec![("", bytes.to_vec())];
    for (kind, mut stream) in streams {
        let mut whole = b"before".to_vec();
        // Reading from memory does not fail; if it did, the control would come out short and say so.
        let _ = stream.read_to_end(&mut whole);
        all.push((kind, whole));
    }
    all
}
