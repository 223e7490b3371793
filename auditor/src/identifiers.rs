//! No identifier is shared by two institutions: nothing in the store or the opened ledger of one could be used
//! to find the same person at another.
//!
//! Looked at are the values that the inspection of a store names as identifiers, and every long hexadecimal
//! value in opened ledger entries. The digests in public leaves are left out: they name one query, not a person,
//! and are how ledgers are reconciled.

use std::collections::{BTreeMap, BTreeSet};

use hibiki_protocol::trust::TrustList;
use serde_json::Value;

use crate::artefacts::{Artefacts, folder, responders};
use crate::ledgers::Ledgers;
use crate::strand::Strand;

/// Shorter values coincide by chance.
const SHORTEST: usize = 8;
/// Rows in which a registry keeps the proof of what it delivered to one institution: its values may stand at
/// that institution, too, but at no second one.
const DELIVERED: &str = "hold notice owed";

/// Looks for shared identifiers.
pub fn look(artefacts: &Artefacts, list: &TrustList, ledgers: &Ledgers) -> Strand {
    let mut strand = Strand::new(
        "identifiers",
        "二つの施設に共通する識別子（番号・仮名・鍵・識別値）はないか。",
        "Is there no identifier (number, pseudonym, key, digest) that two institutions share?",
    );
    let mut holders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut delivered: BTreeSet<String> = BTreeSet::new();
    for member in responders(list) {
        let id = member.id.as_str();
        let mut own = BTreeSet::new();
        let read = artefacts.inspected(&format!("{}/store.ndjson", folder(&member.id)), |row| {
            let values = row["identifiers"].as_array().into_iter().flatten();
            let values = values.filter_map(Value::as_str).filter(|value| value.len() >= SHORTEST);
            if row["class"] == DELIVERED {
                delivered.extend(values.map(str::to_owned));
            } else {
                own.extend(values.map(str::to_owned));
            }
        });
        strand.need(read);
        strand.count("identifiers in stores", own.len() as u64);
        let before = own.len();
        for entry in ledgers.get(&member.id).into_iter().flatten() {
            entry.full.iter().for_each(|full| long_hex(&full["details"], &mut own));
        }
        strand.count("identifiers in ledgers", (own.len() - before) as u64);
        for value in own {
            holders.entry(value).or_default().insert(id);
        }
    }
    for (value, members) in holders.iter().filter(|(_, members)| members.len() > 1) {
        let sample: String = value.chars().take(8).collect();
        strand.problem(format!("an identifier of {} characters ({sample}…) is at {members:?}", value.len()));
    }
    for value in delivered {
        strand.count("values of delivered notices", 1);
        if holders.get(&value).is_some_and(|members| members.len() > 1) {
            strand.problem("a value of a delivered notice is at more than one institution");
        }
    }
    strand.done()
}

/// Hexadecimal values of eight bytes and more.
fn long_hex(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| long_hex(value, found)),
        Value::Array(items) => items.iter().for_each(|value| long_hex(value, found)),
        Value::String(text) if text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            found.insert(text.clone());
        }
        _ => {}
    }
}
