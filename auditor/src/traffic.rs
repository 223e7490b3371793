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
use hibiki_protocol::trust::{Role, TrustList};

use crate::artefacts::{Artefacts, folder, ledger_key};
use crate::ledgers::Ledgers;
use crate::log;
use crate::scan::Scanner;
use crate::search;
use crate::strand::Strand;

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
pub fn look(
    artefacts: &Artefacts,
    list: &TrustList,
    ledgers: &Ledgers,
    search: &Result<Scanner, String>,
) -> Strand {
    let mut strand = Strand::new(
        "traffic",
        "通信を復号しても、中継装置が読める形の記録は流れていないか。復号できた証拠に、台帳にある中継がすべて見えるか。",
        "Decrypted, does traffic hold nothing a gateway could read? And is all that its ledger says it relayed seen in it?",
    );
    let Some(scanner) = strand.need(search.as_ref().map_err(Clone::clone)) else { return strand.done() };
    searched(artefacts, "", scanner, &mut strand);
    let story = strand.need(artefacts.json("traffic/traffic.json")).unwrap_or_default();
    for (figure, what) in [
        ("/found/not_decrypted", "packets not decrypted"),
        ("/found/lost", "bytes of streams not seen"),
        ("/dropped", "packets not captured"),
    ] {
        match story.pointer(figure).and_then(serde_json::Value::as_u64) {
            Some(0) => strand.count(what, 0),
            Some(count) => {
                strand.count(what, count);
                strand.problem(format!("traffic/traffic.json: {count} {what}"));
            }
            None => strand.missing(format!("traffic/traffic.json: {what}")),
        }
    }
    let (parts, answers) = seen(artefacts, &mut strand);
    for gateway in list.members.iter().filter(|member| member.has_role(Role::Gateway)) {
        let place = folder(&gateway.id);
        let Some(key) = strand.need(ledger_key(gateway)) else { continue };
        // What it logged since its ledger was gathered: the ledger must go on from there.
        let earlier = strand.need(artefacts.read(&format!("{place}/ledger/checkpoint"))).unwrap_or_default();
        let before = ledgers.get(&gateway.id).map_or(0, Vec::len);
        let (report, leaves) =
            log::verify_and_read(&artefacts.path(&format!("traffic/{place}/ledger")), &key, &[], &[earlier]);
        for problem in report.problems {
            strand.problem(format!("traffic/{place}/ledger: {problem}"));
        }
        let since: Vec<Leaf> = leaves.into_iter().skip(before).collect();
        for (kind, what, seen) in
            [(DigestKind::Query, "parts", &parts), (DigestKind::Answer, "answers", &answers)]
        {
            let relays = since.iter().filter(|leaf| leaf.kind == EntryKind::Relay);
            let relayed: BTreeSet<&[u8; 32]> = relays
                .flat_map(|leaf| {
                    leaf.digests.iter().filter(|(own, _)| *own == kind).map(|(_, digest)| digest)
                })
                .collect();
            let found = relayed.iter().filter(|digest| seen.both(digest, &gateway.id)).count();
            strand.count(&format!("{what} relayed"), relayed.len() as u64);
            strand.count(&format!("{what} relayed and seen"), found as u64);
            if relayed.is_empty() {
                strand.missing(format!("traffic/{place}/ledger: {what} that were relayed meanwhile"));
            } else if found != relayed.len() {
                strand.problem(format!(
                    "{} of {} {what} that {} relayed are not in the decrypted traffic: the search is void",
                    relayed.len() - found,
                    relayed.len(),
                    gateway.id
                ));
            }
        }
    }
    strand.done()
}

/// Searches what was decrypted below `place`: it is nobody's, so that every canary in it is a leak.
pub(crate) fn searched(artefacts: &Artefacts, place: &str, scanner: &Scanner, strand: &mut Strand) {
    let name = if place.is_empty() { DECRYPTED.to_owned() } else { format!("{place}/{DECRYPTED}") };
    if artefacts.has(&name) {
        search::place(scanner, &artefacts.path(""), &artefacts.path(&name), None, strand);
    } else {
        strand.missing(format!("{name}: what tshark decrypted"));
    }
}

/// Streams, one file for each direction, in a folder for every connection.
const DECRYPTED: &str = "traffic/decrypted";

/// Parts and answers that travelled.
fn seen(artefacts: &Artefacts, strand: &mut Strand) -> (Seen, Seen) {
    let (mut parts, mut answers) = (Seen::default(), Seen::default());
    let digest = |answer: &SealedAnswer| Digest::of(&[&cbor::encode(answer)]).0;
    for connection in artefacts.names(DECRYPTED) {
        for stream in artefacts.names(&format!("{DECRYPTED}/{connection}")) {
            let read = strand.need(artefacts.read(&format!("{DECRYPTED}/{connection}/{stream}")));
            strand.count("streams", 1);
            for frame in frames(&read.unwrap_or_default()) {
                match (cbor::decode(frame), cbor::decode(frame)) {
                    (Ok(Request::View(view)), _) => {
                        parts
                            .terminal
                            .extend(view.parts.into_iter().map(|part| (part.digest().0, part.audience)));
                    }
                    (Ok(Request::Ask(ask)), _) => drop(parts.institution.insert(ask.part.digest().0)),
                    (_, Ok(Reply::PartAnswered(part))) => {
                        answers.terminal.insert(digest(&part.answer), part.audience);
                    }
                    (_, Ok(Reply::Answered(it))) => drop(answers.institution.insert(digest(&it.answer))),
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
