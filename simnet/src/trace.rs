//! What happened, boiled down to numbers that two runs can be compared by.
//!
//! Owns the counts and the running hashes; must not keep contents.

use crate::fate::mix;

/// Everything a world's datagrams did. Two runs with equal `exact` did the same, byte for byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trace {
    /// Datagrams handed to the world.
    pub sent: u64,
    /// Datagrams that the link's chance took.
    pub lost: u64,
    /// Datagrams a fault took: a cut, a crashed or absent receiver, a full inbox or queue, an MTU.
    pub blocked: u64,
    /// Datagrams that arrived twice.
    pub duplicated: u64,
    /// Datagrams put into an inbox, copies included.
    pub delivered: u64,
    /// Payload bytes handed to the world.
    pub bytes: u64,
    /// Hash over (time, from, to, verdict) of every event.
    pub timing: u64,
    /// The same with every length.
    pub shape: u64,
    /// The same with every payload byte.
    pub exact: u64,
}

/// What is noted about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Lost = 1,
    Blocked = 2,
    OnItsWay = 3,
    Delivered = 4,
}

impl Trace {
    /// Notes an event at `micros` of virtual time between two socket numbers.
    pub(crate) fn note(&mut self, micros: u64, from: u64, to: u64, verdict: Verdict, payload: &[u8]) {
        let length = payload.len() as u64;
        let event = [micros, from, to, verdict as u64];
        self.timing = event.iter().fold(self.timing, |so_far, number| mix(so_far ^ number).wrapping_add(1));
        self.shape = mix(self.shape ^ self.timing ^ mix(length));
        self.exact = hash(self.exact ^ self.shape, payload);
        match verdict {
            Verdict::Lost => self.lost += 1,
            Verdict::Blocked => self.blocked += 1,
            Verdict::OnItsWay => {}
            Verdict::Delivered => self.delivered += 1,
        }
    }
}

fn hash(start: u64, data: &[u8]) -> u64 {
    let mut so_far = start ^ 0xcbf2_9ce4_8422_2325;
    for chunk in data.chunks(8) {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        so_far = mix(so_far ^ u64::from_le_bytes(bytes)).wrapping_add(chunk.len() as u64);
    }
    so_far
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(events: &[(u64, Verdict, &[u8])]) -> Trace {
        let mut trace = Trace::default();
        for (micros, verdict, payload) in events {
            trace.note(*micros, 1, 2, *verdict, payload);
        }
        trace
    }

    #[test]
    fn each_hash_sees_what_it_should() {
        let base = noted(&[(5, Verdict::OnItsWay, b"abcdefghi"), (9, Verdict::Delivered, b"abcdefghi")]);
        assert_eq!(
            base,
            noted(&[(5, Verdict::OnItsWay, b"abcdefghi"), (9, Verdict::Delivered, b"abcdefghi")])
        );
        let other_byte =
            noted(&[(5, Verdict::OnItsWay, b"abcdefghj"), (9, Verdict::Delivered, b"abcdefghi")]);
        assert_eq!((base.timing, base.shape), (other_byte.timing, other_byte.shape));
        assert_ne!(base.exact, other_byte.exact);
        let longer = noted(&[(5, Verdict::OnItsWay, b"abcdefghi\0"), (9, Verdict::Delivered, b"abcdefghi")]);
        assert_eq!(base.timing, longer.timing);
        assert!(base.shape != longer.shape && base.exact != longer.exact);
        let later = noted(&[(6, Verdict::OnItsWay, b"abcdefghi"), (9, Verdict::Delivered, b"abcdefghi")]);
        assert!(base.timing != later.timing && base.exact != later.exact);
        let swapped = noted(&[(9, Verdict::Delivered, b"abcdefghi"), (5, Verdict::OnItsWay, b"abcdefghi")]);
        assert_ne!(base.timing, swapped.timing);
    }
}
