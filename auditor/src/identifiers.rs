//! No identifier is shared by two institutions: nothing in the store or the opened ledger of one could be used
//! to find the same person at another.
//!
//! Looked at are the values that the inspection of a store names as identifiers, and every long hexadecimal
//! value in opened ledger entries. The digests in public leaves are left out: they name one query, not a person,
//! and are how ledgers are reconciled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::artefacts::folder;
use crate::evidence::Evidence;
use crate::strand::Strand;

/// Shorter values coincide by chance.
const SHORTEST: usize = 8;
/// Rows in which a registry keeps the proof of what it delivered to one institution: its values may stand at
/// that institution, too, but at no second one.
const DELIVERED: &str = "hold notice owed";

/// Looks for shared identifiers.
pub fn look(evidence: &Evidence, strand: &mut Strand) {
    let mut holders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut delivered = BTreeSet::new();
    for member in evidence.responders() {
        let mut own = BTreeSet::new();
        let read = evidence.artefacts.inspected(&format!("{}/store.ndjson", folder(&member.id)), |row| {
            let values = row["identifiers"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let values = values.filter(|value| value.len() >= SHORTEST).map(str::to_owned);
            if row["class"] == DELIVERED { &mut delivered } else { &mut own }.extend(values);
        });
        strand.need(read);
        let in_store = own.len();
        let entries = evidence.ledgers.get(&member.id).into_iter().flatten();
        entries.flat_map(|entry| &entry.full).for_each(|full| long_hex(&full["details"], &mut own));
        strand.count("identifiers in stores", in_store as u64);
        strand.count("identifiers in ledgers", (own.len() - in_store) as u64);
        for value in own {
            holders.entry(value).or_default().insert(member.id.as_str());
        }
    }
    holders.retain(|_, members| members.len() > 1);
    for (value, members) in &holders {
        let sample: String = value.chars().take(8).collect();
        strand.problem(format!("an identifier of {} characters ({sample}…) is at {members:?}", value.len()));
    }
    for value in delivered {
        strand.count("values of delivered notices", 1);
        strand.must(!holders.contains_key(&value), || {
            "a value of a delivered notice is at more than one institution".to_owned()
        });
    }
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
