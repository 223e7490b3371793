//! A capture laid open by tshark, which nobody here wrote: what every stream carried, in order.
//!
//! Owns the reading of what tshark prints, and putting streams together; must not know what is looked for in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

use super::{Trouble, gather};

/// What tshark is asked to print of every datagram, in this order.
const FIELDS: [&str; 12] = [
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "quic.connection.number",
    "quic.header_form",
    "quic.packet_number",
    "quic.decryption_failed",
    "quic.frame_type",
    "quic.stream.stream_id",
    "quic.stream.offset",
    "quic.stream.length",
    "quic.stream_data",
];
/// The length of a datagram of one byte: a node knocks with it at a port, to hear whether it is closed.
const KNOCK: u64 = 9;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// QUIC packets; a datagram may carry several.
    pub packets: u64,
    /// Of them, those that were decrypted.
    pub decrypted: u64,
    /// Packets and datagrams that could not be decrypted, or were not understood.
    pub not_decrypted: u64,
    /// Datagrams of one byte, which are no packets.
    pub knocks: u64,
    /// Streams, each direction by itself.
    pub streams: u64,
    /// Bytes they carried.
    pub bytes: u64,
    /// Bytes of streams that were never seen.
    pub lost: u64,
}

/// A stream in one direction: connection, stream, from, to.
type Way = (u64, u64, String, String);

/// Streams as they are put together: pieces by their offset.
#[derive(Debug, Default)]
struct Streams {
    tally: Tally,
    pieces: BTreeMap<Way, BTreeMap<u64, Vec<u8>>>,
}

/// Decrypts a capture; one file for every stream and direction goes below `out`. `parties` are who listens at which port.
///
/// # Errors
/// tshark cannot be run, or a file cannot be written.
pub fn decrypt(
    capture: &Path,
    keys: &Path,
    parties: &BTreeMap<u16, &str>,
    out: &Path,
) -> Result<Tally, Trouble> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-n").arg("-r").arg(capture).arg("-o").arg(format!("tls.keylog_file:{}", keys.display()));
    for port in parties.keys() {
        tshark.arg("-d").arg(format!("udp.port=={port},quic"));
    }
    tshark.args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]);
    tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let mut streams = Streams::default();
    gather::run(&mut tshark)?.lines().for_each(|line| streams.take(line, parties));
    gather::make(out)?;
    let mut tally = streams.tally;
    for ((connection, stream, from, to), pieces) in streams.pieces {
        let (bytes, lost) = joined(&pieces);
        tally.streams += 1;
        tally.bytes += bytes.len() as u64;
        tally.lost += lost;
        let file =
            gather::make(&out.join(format!("{connection:04}")))?.join(format!("{stream:06}-{from}-{to}.bin"));
        std::fs::write(&file, bytes).map_err(|source| Trouble::file(&file, source))?;
    }
    Ok(tally)
}

impl Streams {
    /// Takes one datagram as tshark printed it.
    fn take(&mut self, line: &str, parties: &BTreeMap<u16, &str>) {
        let fields: Vec<Vec<&str>> = line
            .split('\t')
            .map(|field| field.split(',').filter(|value| !value.is_empty()).collect())
            .collect();
        let [from, to, length, connection, forms, numbers, failed, types, ids, offsets, lengths, data] =
            fields.as_slice()
        else {
            self.tally.not_decrypted += 1;
            return;
        };
        if forms.is_empty() {
            let knock = length.first().and_then(|length| length.parse().ok()) == Some(KNOCK);
            if knock {
                self.tally.knocks += 1;
            } else {
                self.tally.not_decrypted += 1;
            }
            return;
        }
        // A packet whose header could not be opened has no number.
        let closed = (forms.len().saturating_sub(numbers.len()) + failed.len()).min(forms.len());
        self.tally.packets += forms.len() as u64;
        self.tally.decrypted += (forms.len() - closed) as u64;
        self.tally.not_decrypted += closed as u64;
        let party = |port: &[&str]| {
            let port = port.first().and_then(|port| port.parse().ok());
            port.and_then(|port: u16| parties.get(&port)).map_or("caller", |party| party).to_owned()
        };
        let connection =
            connection.first().and_then(|connection| connection.parse().ok()).unwrap_or(u64::MAX);
        match frames(types, ids, offsets, lengths, data) {
            Some(frames) => {
                for (stream, offset, bytes) in frames {
                    let way = (connection, stream, party(from), party(to));
                    let pieces = self.pieces.entry(way).or_default();
                    // Sent again: the longer piece has all of the shorter.
                    let kept = pieces.entry(offset).or_default();
                    if bytes.len() > kept.len() {
                        *kept = bytes;
                    }
                }
            }
            None => self.tally.not_decrypted += 1,
        }
    }
}

/// A STREAM frame: stream, offset, bytes.
type Frame = (u64, u64, Vec<u8>);

/// The STREAM frames of a datagram. Their type says which of them name an offset and a length (RFC 9000 section 19.8);
/// `None` if the lists do not fit each other.
fn frames(
    types: &[&str],
    ids: &[&str],
    offsets: &[&str],
    lengths: &[&str],
    data: &[&str],
) -> Option<Vec<Frame>> {
    let [mut ids, mut offsets, mut lengths, mut data] = [ids, offsets, lengths, data].map(<[_]>::iter);
    let mut frames = Vec::new();
    for kind in types {
        let kind: u64 = kind.parse().ok()?;
        if !(0x08..=0x0f).contains(&kind) {
            continue;
        }
        let stream = ids.next()?.parse().ok()?;
        let offset = if kind & 0x04 == 0 { 0 } else { offsets.next()?.parse().ok()? };
        let length = if kind & 0x02 == 0 { None } else { Some(lengths.next()?.parse::<usize>().ok()?) };
        let bytes = if length == Some(0) { Vec::new() } else { hex::decode(data.next()?).ok()? };
        if length.is_some_and(|length| length != bytes.len()) {
            return None;
        }
        frames.push((stream, offset, bytes));
    }
    let over = [ids, offsets, lengths, data].into_iter().any(|mut list| list.next().is_some());
    (!over).then_some(frames)
}

/// The bytes of a stream in order, and how many in between were never seen.
fn joined(pieces: &BTreeMap<u64, Vec<u8>>) -> (Vec<u8>, u64) {
    let (mut bytes, mut at, mut lost) = (Vec::new(), 0_u64, 0);
    for (offset, piece) in pieces {
        lost += offset.saturating_sub(at);
        let known = usize::try_from(at.saturating_sub(*offset)).unwrap_or(usize::MAX);
        bytes.extend_from_slice(piece.get(known..).unwrap_or_default());
        at = at.max(offset.saturating_add(piece.len() as u64));
    }
    (bytes, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(lines: &[&str]) -> Streams {
        let mut streams = Streams::default();
        lines.iter().for_each(|line| streams.take(line, &BTreeMap::from([(70, "city-hall")])));
        streams
    }

    fn line(types: &str, ids: &str, offsets: &str, lengths: &str, data: &str) -> String {
        format!("9\t70\t300\t3\t0\t5\t\t{types}\t{ids}\t{offsets}\t{lengths}\t{data}")
    }

    #[test]
    fn a_text_split_over_two_packets_is_put_together_whatever_comes_first() {
        let text = "ひびき-7f3a-canary";
        let (first, second) = text.as_bytes().split_at(7);
        let streams = taken(&[
            // The second half first, then the first with an acknowledgement, then the second half again.
            &line("13", "4", "7", "", &hex::encode(second)),
            &line("3,10", "4", "", "7", &hex::encode(first)),
            &line("13,24,8", "4,8", "7", "", &format!("{},{}", hex::encode(second), hex::encode("x"))),
            // An end without bytes.
            &line("15", "4", "24", "0", ""),
        ]);
        assert_eq!(streams.tally, Tally { packets: 4, decrypted: 4, ..Tally::default() });
        let way = |stream| (3, stream, "caller".to_owned(), "city-hall".to_owned());
        assert_eq!(joined(&streams.pieces[&way(4)]), (text.as_bytes().to_vec(), 0));
        assert_eq!(joined(&streams.pieces[&way(8)]), (b"x".to_vec(), 0));
    }

    #[test]
    fn what_was_not_seen_or_not_understood_is_counted() {
        let pieces = BTreeMap::from([(0, b"abc".to_vec()), (2, b"cd".to_vec()), (9, b"z".to_vec())]);
        assert_eq!(joined(&pieces), (b"abcdz".to_vec(), 5));
        let not_decrypted = |line: &str| taken(&[line]).tally.not_decrypted;
        assert_eq!(not_decrypted("9\t70\t300\t3\t0\t5\t1\t\t\t\t\t"), 1, "a packet that did not open");
        assert_eq!(
            not_decrypted("9\t70\t300\t3\t1,0\t5\t\t6\t\t\t\t"),
            1,
            "one of two packets has no number"
        );
        assert_eq!(not_decrypted("9\t70\t300\t\t\t\t\t\t\t\t\t"), 1, "a datagram that is no QUIC");
        assert_eq!(not_decrypted("nonsense"), 1);
        for [types, ids, offsets, lengths, data] in [
            ["8,8", "0", "", "", "00"],
            ["8", "0,4", "", "", "00"],
            ["12", "0", "", "", "00"],
            ["10", "0", "", "2", "00"],
            ["8", "0", "", "", "0g"],
            ["8", "0", "", "", ""],
        ] {
            assert_eq!(not_decrypted(&line(types, ids, offsets, lengths, data)), 1, "{types} {ids} {data}");
        }
        let knock = taken(&["9\t70\t9\t\t\t\t\t\t\t\t\t"]).tally;
        assert_eq!(knock, Tally { knocks: 1, ..Tally::default() });
    }
}
