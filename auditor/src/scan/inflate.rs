//! Compressed streams inside other bytes: gzip (RFC 1952), zlib (RFC 1950) and raw deflate (RFC 1951), found
//! by trying wherever one may begin.
//!
//! A raw stream has no mark. A cheap look at its first bits rules out nearly every place; what remains is
//! inflated, and whatever comes out is searched, whether or not the stream ends well.

use std::io::Write as _;

use flate2::{Compression, Decompress, FlushDecompress, Status};

use super::fixed;

/// The most that is taken out of one marked stream.
const MAX_CONTENT: usize = 64 << 20;
/// The most that is taken out of one raw stream: false starts inside a real stream inflate, too.
const MAX_RAW: usize = 4 << 20;
/// The most that all raw streams of a window may give: this, and 16 times the length of the window.
const RAW_BUDGET: usize = 32 << 20;
/// Room for a first try; most places that are no streams fail within it.
const FIRST: usize = 4096;
/// Streams with less in them hold no needle.
const MIN_CONTENT: usize = super::MIN_PATTERN;

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

/// All streams that begin in the first `own` bytes.
pub(super) struct Streams<'b> {
    bytes: &'b [u8],
    own: usize,
    at: usize,
    /// The body of the marked stream that was reported last: not to be reported as a raw one, too.
    body: usize,
    /// What raw streams may still give.
    budget: usize,
    raw: Decompress,
    content: Vec<u8>,
}

impl<'b> Streams<'b> {
    pub(super) fn new(bytes: &'b [u8], own: usize) -> Self {
        let budget = RAW_BUDGET + 16 * bytes.len();
        Self { bytes, own, at: 0, body: 0, budget, raw: Decompress::new(false), content: Vec::new() }
    }

    /// The next stream from which anything came out. Marked streams are found at their mark; the raw stream
    /// inside them is not reported a second time.
    pub(super) fn next(&mut self) -> Option<Stream<'_>> {
        loop {
            let at = self.at;
            if at >= self.own {
                return None;
            }
            self.at += 1;
            let rest = self.bytes.get(at..)?;
            let (kind, body, most) = match marked(rest) {
                Some((kind, body)) => (kind, body, MAX_CONTENT),
                None if self.budget > 0
                    && (at == 0 || at != self.body)
                    && may_begin(rest)
                    && !filler(rest) =>
                {
                    ("deflate", 0, MAX_RAW)
                }
                None => continue,
            };
            let Some(mut cut) = self.inflate(rest.get(body..)?, most) else { continue };
            if body > 0 {
                self.body = at + body;
            } else {
                self.budget = self.budget.saturating_sub(self.content.len());
                // A raw stream that goes on is most often a false start; what matters is that every start is tried.
                cut = self.budget == 0;
            }
            return Some(Stream { at, kind, content: &self.content, cut });
        }
    }

    /// Inflates what begins here into `content`; `None` if nothing worth searching comes out.
    fn inflate(&mut self, input: &[u8], most: usize) -> Option<bool> {
        self.raw.reset(false);
        self.content.clear();
        self.content.reserve(FIRST);
        loop {
            let consumed = usize::try_from(self.raw.total_in()).ok()?;
            let rest = input.get(consumed..)?;
            let before = (self.raw.total_in(), self.content.len());
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
                    return (self.content.len() >= MIN_CONTENT).then_some(cut);
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
        2 if first >> 3 <= 29 && second & 31 <= 29 => {
            let mut head = [0_u8; 16];
            let len = bytes.len().min(head.len());
            if let (Some(to), Some(from)) = (head.get_mut(..len), bytes.get(..len)) {
                to.copy_from_slice(from);
            }
            whole_code(u128::from_le_bytes(head) >> 13)
        }
        _ => false,
    }
}

/// Whether the code lengths of the code lengths (section 3.2.7) make a whole code: neither too many nor too few.
fn whole_code(bits: u128) -> bool {
    let count = (bits & 15) + 4;
    let weight: u32 = (0..count)
        .map(|n| bits >> (4 + 3 * n) & 7)
        .map(|len| if len == 0 { 0 } else { 128_u32 >> len })
        .sum();
    weight == 128
}

/// Bytes bare and in every kind of stream that is looked for, with the name of the kind.
pub(super) fn wrappings(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut gzip = flate2::write::GzEncoder::new(b"before".to_vec(), Compression::default());
    let mut zlib = flate2::write::ZlibEncoder::new(b"before".to_vec(), Compression::default());
    let mut raw = flate2::write::DeflateEncoder::new(b"before".to_vec(), Compression::default());
    let written = gzip
        .write_all(bytes)
        .and_then(|()| gzip.finish())
        .and_then(|gzip| zlib.write_all(bytes).and_then(|()| zlib.finish()).map(|zlib| (gzip, zlib)))
        .and_then(|(gzip, zlib)| {
            raw.write_all(bytes).and_then(|()| raw.finish()).map(|raw| (gzip, zlib, raw))
        });
    let mut all = vec![("", bytes.to_vec())];
    // Writing to memory does not fail; if it did, the control would come out short and say so.
    if let Ok((gzip, zlib, raw)) = written {
        all.extend([("gzip", gzip), ("zlib", zlib), ("deflate", raw)]);
    }
    all
}
