//! What travels to and from a gateway, as somebody else's program decrypted it: is there anything it could read?
//!
//! Finding nothing in bytes that were not decrypted is easy. So everything the gateway's own ledger says it relayed in
//! that time must be there, part by part and answer by answer, by its digest and on both sides of the gateway.

use std::collections::{BTreeMap, BTreeSet};

use hibiki_protocol::answer::SealedAnswer;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Reply, Request};
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::tlog::{DigestKind, EntryKind, Leaf};
use hibiki_protocol::trust::Member;
use serde_json::Value;

use crate::artefacts::{Artefacts, folder, ledger_key};
use crate::evidence::Evidence;
use crate::log;
use crate::strand::Strand;

/// Streams, one file for each direction, in a folder for every connection.
const DECRYPTED: &str = "traffic/decrypted";

/// Digests that were seen: between terminal and gateway, with the institution; between gateway and institution.
#[derive(Default)]
struct Seen {
    terminal: BTreeMap<[u8; 32], MemberId>,
    institution: BTreeSet<[u8; 32]>,
}

impl Seen {
    /// On both sides; what the gateway's own house is asked or answers does not travel on the second.
    fn both(&self, digest: &[u8; 32], gateway: &MemberId) -> bool {
        self.terminal.get(digest).is_some_and(|whose| whose == gateway || self.institution.contains(digest))
    }
}

/// Nothing that travelled in the clear of TLS is anybody's record, and all that was relayed is among it.
pub fn look(evidence: &Evidence, strand: &mut Strand) {
    if strand.need(evidence.search()).is_none() {
        return;
    }
    searched(evidence, "", strand);
    let story = strand.need(evidence.artefacts.json("traffic/traffic.json")).unwrap_or_default();
    for (figure, what) in [
        ("/found/not_decrypted", "packets not decrypted"),
        ("/found/lost", "bytes of streams not seen"),
        ("/dropped", "packets not captured"),
    ] {
        let count = story.pointer(figure).and_then(Value::as_u64);
        strand.wants(count.is_some(), || format!("traffic/traffic.json: {what}"));
        let Some(count) = count else { continue };
        strand.count(what, count);
        strand.must(count == 0, || format!("traffic/traffic.json: {count} {what}"));
    }
    let (parts, answers) = seen(&evidence.artefacts, strand);
    for gateway in evidence.gateways() {
        let relays = relayed_meanwhile(evidence, gateway, strand);
        for (kind, what, seen) in
            [(DigestKind::Query, "parts", &parts), (DigestKind::Answer, "answers", &answers)]
        {
            let digests = relays.iter().flat_map(|leaf| &leaf.digests);
            let relayed: BTreeSet<_> =
                digests.filter(|(own, _)| *own == kind).map(|(_, digest)| digest).collect();
            let found = relayed.iter().filter(|digest| seen.both(digest, &gateway.id)).count();
            let (all, unseen) = (relayed.len(), relayed.len() - found);
            strand.count(&format!("{what} relayed"), all as u64);
            strand.count(&format!("{what} relayed and seen"), found as u64);
            let place = folder(&gateway.id);
            strand.wants(all > 0, || format!("traffic/{place}/ledger: {what} that were relayed meanwhile"));
            strand.must(unseen == 0, || {
                let relayed = format!("{unseen} of {all} {what} that {} relayed", gateway.id);
                format!("{relayed} are not in the decrypted traffic: the search is void")
            });
        }
    }
}

/// What a gateway logged of relays since its ledger was gathered: the ledger must go on from there.
fn relayed_meanwhile(evidence: &Evidence, gateway: &Member, strand: &mut Strand) -> Vec<Leaf> {
    let place = format!("{}/ledger", folder(&gateway.id));
    let Some(key) = strand.need(ledger_key(gateway)) else { return Vec::new() };
    let earlier = strand.need(evidence.artefacts.read(&format!("{place}/checkpoint"))).unwrap_or_default();
    let later = evidence.artefacts.path(&format!("traffic/{place}"));
    let report = log::verify(&later, &key, &[], &[earlier]);
    strand.blame(&format!("traffic/{place}"), &report.strand);
    let before = evidence.ledgers.get(&gateway.id).map_or(0, Vec::len);
    report.leaves.into_iter().skip(before).filter(|leaf| leaf.kind == EntryKind::Relay).collect()
}

/// Searches what was decrypted below `place`: it is nobody's, so that every canary in it is a leak.
pub(crate) fn searched(evidence: &Evidence, place: &str, strand: &mut Strand) {
    let name = format!("{place}{DECRYPTED}");
    let there = evidence.artefacts.has(&name);
    strand.wants(there, || format!("{name}: what tshark decrypted"));
    if there {
        evidence.searched(&name, None, strand);
    }
}

/// Parts and answers that travelled.
fn seen(artefacts: &Artefacts, strand: &mut Strand) -> (Seen, Seen) {
    let (mut parts, mut answers) = (Seen::default(), Seen::default());
    let digest = |answer: &SealedAnswer| Digest::of(&[&cbor::encode(answer)]).0;
    for connection in artefacts.named(DECRYPTED, "") {
        for stream in artefacts.named(&connection, "") {
            let bytes = strand.need(artefacts.read(&stream)).unwrap_or_default();
            strand.count("streams", 1);
            for frame in frames(&bytes) {
                match cbor::decode(frame) {
                    Ok(Request::View(view)) => {
                        let asked = view.parts.into_iter().map(|part| (part.digest().0, part.audience));
                        parts.terminal.extend(asked);
                    }
                    Ok(Request::Ask(ask)) => parts.institution.extend([ask.part.digest().0]),
                    _ => {}
                }
                match cbor::decode(frame) {
                    Ok(Reply::PartAnswered(part)) => {
                        answers.terminal.insert(digest(&part.answer), part.audience);
                    }
                    Ok(Reply::Answered(whole)) => answers.institution.extend([digest(&whole.answer)]),
                    _ => {}
                }
            }
        }
    }
    (parts, answers)
}

/// The frames of a stream: four bytes of length before each; what is cut short is none.
fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((frame, rest)) = rest.split_at_checked(length) else { break };
        frames.push(frame);
        bytes = rest;
    }
    frames
}
