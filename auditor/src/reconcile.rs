//! Laying the parties' ledgers beside each other: what one says was asked, relayed, granted or answered, the
//! other must say, too. Joined by the public digests in the leaves alone.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits::REPLAY_MILLIS;
use hibiki_protocol::receipt::{Promise, Receipt};
use hibiki_protocol::signing::Signed;
use hibiki_protocol::tlog::{DigestKind, EntryKind};
use hibiki_protocol::trust::{Member, TrustList};
use serde_json::Value;

use crate::artefacts::Artefacts;
use crate::ledgers::{Entry, Ledgers};
use crate::strand::Strand;

/// A digest, and in whose ledger it stands how often.
type Places = BTreeMap<[u8; 32], BTreeMap<String, u64>>;

/// What answers a query: it left the house, or it says why not.
const ANSWERS: [EntryKind; 4] =
    [EntryKind::Release, EntryKind::Refusal, EntryKind::Consent, EntryKind::Registration];

/// Lays them beside each other.
pub fn reconcile(artefacts: &Artefacts, ledgers: &Ledgers) -> Strand {
    let mut strand = Strand::new(
        "reconcile",
        "中継・回答・許可・受領証は、すべての台帳の間で一致しているか。",
        "Do relays, answers, grants and receipts agree between all ledgers?",
    );
    let places = |kinds: &[EntryKind], digest: DigestKind| {
        let mut places = Places::new();
        for (member, entries) in ledgers {
            for entry in entries.iter().filter(|entry| kinds.contains(&entry.leaf.kind)) {
                if let Some(digest) = entry.digest(digest) {
                    *places.entry(*digest).or_default().entry(member.to_string()).or_default() += 1;
                }
            }
        }
        places
    };
    let relays = places(&[EntryKind::Relay], DigestKind::Query);
    let answers = places(&ANSWERS, DigestKind::Query);
    let granted = places(&[EntryKind::Grant], DigestKind::Grant);
    relayed(ledgers, &answers, &mut strand);
    for (query, at) in &answers {
        strand.count("answers", 1);
        if at.len() != 1 || at.values().any(|count| *count != 1) {
            strand.problem(format!("the query {} was answered more than once: {at:?}", hex::encode(query)));
        }
        if !relays.contains_key(query) {
            strand.problem(format!(
                "the query {} was answered by {at:?}, and nobody relayed it",
                hex::encode(query)
            ));
        }
    }
    for (grant, at) in places(&ANSWERS, DigestKind::Grant) {
        strand.count("answers under a grant", at.values().sum());
        if !granted.contains_key(&grant) {
            strand.problem(format!(
                "{at:?} answered under the grant {}, which no registry logged",
                hex::encode(grant)
            ));
        }
    }
    strand.count("grants", granted.len() as u64);
    clocks(ledgers, &mut strand);
    receipts(artefacts, ledgers, &mut strand);
    strand.done()
}

/// Every answer that a gateway passed on is in the ledger of exactly the institution that gave it.
fn relayed(ledgers: &Ledgers, answers: &Places, strand: &mut Strand) {
    for (gateway, entries) in ledgers {
        let relays = entries.iter().filter(|entry| entry.leaf.kind == EntryKind::Relay);
        let passed = |entry: &&Entry| entry.digest(DigestKind::Answer).is_some();
        for entry in relays.filter(passed) {
            strand.count("answers relayed", 1);
            let institution = entry.says("institution");
            let found = entry.digest(DigestKind::Query).and_then(|query| answers.get(query));
            match found {
                None => strand.problem(format!(
                    "{gateway}, entry {}: relayed an answer of {institution} that is in nobody's ledger",
                    entry.index
                )),
                Some(at) if entry.full.is_some() && !at.contains_key(institution) => strand.problem(format!(
                    "{gateway}, entry {}: relayed an answer of {institution} that stands in the ledger of {at:?}",
                    entry.index
                )),
                Some(_) => {}
            }
        }
    }
}

/// One query has one time in both ledgers, as near as a query lives and clocks may differ: without that, no bound on
/// time shows anything.
fn clocks(ledgers: &Ledgers, strand: &mut Strand) {
    let all = |kinds: &'static [EntryKind]| {
        let entries =
            ledgers.iter().flat_map(|(member, entries)| entries.iter().map(move |entry| (member, entry)));
        entries.filter(move |(_, entry)| kinds.contains(&entry.leaf.kind))
    };
    let relayed: BTreeMap<_, _> = all(&[EntryKind::Relay])
        .filter_map(|(gateway, entry)| {
            Some((*entry.digest(DigestKind::Query)?, (gateway, entry.leaf.time_ms)))
        })
        .collect();
    for (member, entry) in all(&ANSWERS) {
        let relay = entry.digest(DigestKind::Query).and_then(|query| relayed.get(query));
        let Some((gateway, at)) = relay else { continue };
        let apart = entry.leaf.time_ms.abs_diff(*at);
        if apart > REPLAY_MILLIS {
            strand.problem(format!(
                "{member}, entry {}: {} s apart from the relay by {gateway}: a clock is wrong",
                entry.index,
                apart / 1000
            ));
        }
    }
}

/// What guardians were promised is there. A promise is the institution's by its signature alone; what else stands in
/// a guardian's file accuses nobody.
fn receipts(artefacts: &Artefacts, ledgers: &Ledgers, strand: &mut Strand) {
    let lists = strand.need(artefacts.lists()).unwrap_or_default();
    // The trust lists a guardian's terminal keeps beside them are no receipts.
    for name in artefacts.names("receipts").into_iter().filter(|name| name.ends_with(".json")) {
        let Some(file) = strand.need(artefacts.json(&format!("receipts/{name}"))) else { continue };
        strand.count("receipts", 1);
        let Some((member, receipt)) = promised(&file, &lists) else {
            strand.problem(format!("receipts/{name}: no promise that a member of any trust list signed"));
            continue;
        };
        let entries = ledgers.get(&member).map(Vec::as_slice).unwrap_or_default();
        let entry = entries.iter().find(|entry| entry.index == receipt.index);
        if entry.is_none_or(|entry| entry.hash != receipt.leaf_hash.hex()) {
            strand.problem(format!("receipts/{name}: the entry it promises is not in {}", receipt.origin));
        }
    }
}

/// Who promised what, by the keys of any time.
fn promised(file: &Value, lists: &[TrustList]) -> Option<(MemberId, Receipt)> {
    let signed = STANDARD.decode(file["promise"].as_str()?).ok()?;
    let signed: Signed<Promise> = cbor::decode(&signed).ok()?;
    let members = lists.iter().flat_map(|list| &list.members);
    members
        .filter_map(|member| Some((member, signed.verify(&member.signing_key).ok()?.receipt)))
        .find(|(member, receipt)| receipt.origin == Member::ledger_origin(&member.id))
        .map(|(member, receipt)| (member.id.clone(), receipt))
}
