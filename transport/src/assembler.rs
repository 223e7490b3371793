//! Frames out of a stream of bytes: a four byte big-endian length, then that many bytes.
//!
//! Pure: owns the half-read frame, must not know where bytes come from. A length is judged before
//! anything is reserved for it, and memory grows only with bytes that really arrived.

/// The most that is taken from the stream at a time, in bytes.
const PIECE: usize = 64 << 10;

/// Bytes of the length in front of every frame.
pub(crate) const HEAD: usize = 4;

/// A frame in the making.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    head: [u8; HEAD],
    head_read: usize,
    body: Vec<u8>,
}

/// What must happen next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Give me at least one and at most this many bytes.
    Need(usize),
    /// A frame is complete.
    Frame(Vec<u8>),
    /// The frame announces `length` bytes, more than the reader allows.
    TooLong {
        /// The announced length, in bytes.
        length: u64,
    },
}

impl Assembler {
    /// Judges what has arrived; `max` is the longest frame the reader allows now, in bytes.
    pub(crate) fn step(&mut self, max: usize) -> Step {
        if self.head_read < HEAD {
            return Step::Need(HEAD - self.head_read);
        }
        let length = u32::from_be_bytes(self.head);
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= max) else {
            return Step::TooLong { length: u64::from(length) };
        };
        if self.body.len() < length {
            return Step::Need((length - self.body.len()).min(PIECE));
        }
        self.head_read = 0;
        Step::Frame(std::mem::take(&mut self.body))
    }

    /// Takes bytes that arrived: never more than the last [`Step::Need`] asked for.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let to_head = bytes.len().min(HEAD - self.head_read);
        let (head, body) = bytes.split_at(to_head);
        for (slot, byte) in self.head.iter_mut().skip(self.head_read).zip(head) {
            *slot = *byte;
        }
        self.head_read += to_head;
        self.body.extend_from_slice(body);
    }

    /// Whether the stream may end here without cutting a frame.
    pub(crate) fn between_frames(&self) -> bool {
        self.head_read == 0
    }
}

/// The bytes of one frame on the wire, or `None` if four bytes cannot say its length.
pub(crate) fn framed(payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok()?;
    let mut out = Vec::with_capacity(HEAD + payload.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `wire` in pieces of the given sizes (cyclically) and collects the frames.
    fn assemble(wire: &[u8], sizes: &[usize], max: usize) -> (Vec<Vec<u8>>, Assembler, Option<u64>) {
        let (mut assembler, mut frames, mut at, mut turn) = (Assembler::default(), Vec::new(), 0, 0);
        loop {
            match assembler.step(max) {
                Step::Frame(frame) => frames.push(frame),
                Step::TooLong { length } => return (frames, assembler, Some(length)),
                Step::Need(most) => {
                    let size = most.min(sizes[turn % sizes.len()]).min(wire.len() - at);
                    if size == 0 {
                        return (frames, assembler, None);
                    }
                    assembler.push(&wire[at..at + size]);
                    assert!(assembler.body.capacity() <= 2 * (at + size).max(64), "memory ahead of data");
                    (at, turn) = (at + size, turn + 1);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_cutting_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..6),
            sizes in prop::collection::vec(1usize..2000, 1..8),
        ) {
            let wire: Vec<u8> = frames.iter().flat_map(|f| framed(f).unwrap()).collect();
            let (got, rest, too_long) = assemble(&wire, &sizes, 3000);
            prop_assert_eq!(got, frames);
            prop_assert!(rest.between_frames());
            prop_assert_eq!(too_long, None);
        }

        #[test]
        fn a_cut_frame_is_noticed(body in prop::collection::vec(any::<u8>(), 0..200), cut in 1usize..100) {
            let wire = framed(&body).unwrap();
            let kept = wire.len().saturating_sub(cut).max(1).min(wire.len() - 1);
            let (got, rest, _) = assemble(&wire[..kept], &[7], 3000);
            prop_assert!(got.is_empty());
            prop_assert!(!rest.between_frames());
        }
    }

    #[test]
    fn a_hostile_length_reserves_nothing() {
        let mut wire = u32::MAX.to_be_bytes().to_vec();
        wire.extend_from_slice(&[1; 100]);
        let (frames, assembler, _) = assemble(&wire, &[64], usize::MAX);
        assert!(frames.is_empty());
        assert!(assembler.body.capacity() <= 256, "{}", assembler.body.capacity());
    }

    #[test]
    fn the_limit_is_exact() {
        let wire = framed(&[9; 10]).unwrap();
        assert_eq!(assemble(&wire, &[99], 10).0, vec![vec![9; 10]]);
        assert_eq!(assemble(&wire, &[99], 9).2, Some(10));
    }
}
