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
use hibiki_protocol::tlog::{DigestKind, EntryKind, leaf_hash};
use hibiki_protocol::trust::{Member, TrustList};
use serde_json::Value;

use crate::evidence::Evidence;
use crate::ledgers::{Entry, Ledgers, entries};
use crate::strand::Strand;

/// A digest, and the entries it stands in.
type Places<'l> = BTreeMap<&'l [u8; 32], Vec<(&'l MemberId, &'l Entry)>>;

/// What answers a query: it left the house, or it says why not.
const ANSWERS: [EntryKind; 4] =
    [EntryKind::Release, EntryKind::Refusal, EntryKind::Consent, EntryKind::Registration];

/// Lays them beside each other.
pub fn reconcile(evidence: &Evidence, strand: &mut Strand) {
    let ledgers = &evidence.ledgers;
    let relays = places(ledgers, &[EntryKind::Relay], DigestKind::Query);
    let answers = places(ledgers, &ANSWERS, DigestKind::Query);
    relayed(ledgers, &answers, strand);
    for (query, at) in &answers {
        let (name, whose) = (hex::encode(query), whose(at));
        strand.count("answers", 1);
        strand.must(at.len() == 1, || format!("the query {name} was answered more than once: {whose:?}"));
        let Some((gateway, relay)) = relays.get(query).and_then(|relays| relays.last()) else {
            strand.problem(format!("the query {name} was answered by {whose:?}, and nobody relayed it"));
            continue;
        };
        // One query has one time in both ledgers, as near as a query lives and clocks may differ: without that, no
        // bound on time shows anything.
        for (member, entry) in at {
            let (index, apart) = (entry.index, entry.leaf.time_ms.abs_diff(relay.leaf.time_ms));
            strand.must(apart <= REPLAY_MILLIS, || {
                let apart = apart / 1000;
                format!(
                    "{member}, entry {index}: {apart} s apart from the relay by {gateway}: a clock is wrong"
                )
            });
        }
    }
    let granted = places(ledgers, &[EntryKind::Grant], DigestKind::Grant);
    for (grant, at) in places(ledgers, &ANSWERS, DigestKind::Grant) {
        strand.count("answers under a grant", at.len() as u64);
        strand.must(granted.contains_key(grant), || {
            let (whose, grant) = (whose(&at), hex::encode(grant));
            format!("{whose:?} answered under the grant {grant}, which no registry logged")
        });
    }
    strand.count("grants", granted.len() as u64);
    receipts(evidence, strand);
}

fn places<'l>(ledgers: &'l Ledgers, kinds: &'l [EntryKind], digest: DigestKind) -> Places<'l> {
    let mut places = Places::new();
    for (member, entry) in entries(ledgers, kinds) {
        let digest = entry.digest(digest);
        digest.into_iter().for_each(|digest| places.entry(digest).or_default().push((member, entry)));
    }
    places
}

/// In whose ledger how often.
fn whose<'l>(at: &[(&'l MemberId, &Entry)]) -> BTreeMap<&'l str, u64> {
    let mut whose = BTreeMap::new();
    at.iter().for_each(|(member, _)| *whose.entry(member.as_str()).or_default() += 1);
    whose
}

/// Every answer that a gateway passed on is in the ledger of exactly the institution that gave it.
fn relayed(ledgers: &Ledgers, answers: &Places<'_>, strand: &mut Strand) {
    for (gateway, entry) in entries(ledgers, &[EntryKind::Relay]) {
        if entry.digest(DigestKind::Answer).is_none() {
            continue;
        }
        strand.count("answers relayed", 1);
        let institution = entry.says("institution");
        let said = format!("{gateway}, entry {}: relayed an answer of {institution} that", entry.index);
        let Some(at) = entry.digest(DigestKind::Query).and_then(|query| answers.get(query)) else {
            strand.problem(format!("{said} is in nobody's ledger"));
            continue;
        };
        let whose = whose(at);
        strand.must(entry.full.is_none() || whose.contains_key(institution), || {
            format!("{said} stands in the ledger of {whose:?}")
        });
    }
}

/// What guardians were promised is there. A promise is the institution's by its signature alone; what else stands in
/// a guardian's file accuses nobody.
fn receipts(evidence: &Evidence, strand: &mut Strand) {
    // The trust lists a guardian's terminal keeps beside them are no receipts.
    for name in evidence.artefacts.named("receipts", ".json") {
        let Some(file) = strand.need(evidence.artefacts.json(&name)) else { continue };
        strand.count("receipts", 1);
        let Some((member, receipt)) = promised(&file, &evidence.lists) else {
            strand.problem(format!("{name}: no promise that a member of any trust list signed"));
            continue;
        };
        let mut own = evidence.ledgers.get(&member).into_iter().flatten();
        let entry = own.find(|entry| entry.index == receipt.index);
        let kept = entry.is_some_and(|entry| leaf_hash(&entry.leaf.encode()).0 == receipt.leaf_hash.0);
        strand.must(kept, || format!("{name}: the entry it promises is not in {}", receipt.origin));
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
