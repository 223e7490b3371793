//! A second reading of CBOR, through cbor4ii's own value type: the oracle that the strict check is
//! measured against. It shares no code with `cbor::canonical`.

use cbor4ii::core::Value;
use cbor4ii::core::dec::{Decode as _, Read as _};
use cbor4ii::core::enc::Encode as _;
use cbor4ii::core::utils::{BufWriter, SliceReader};

/// Deepest nesting the profile allows.
const DEPTH: usize = hibiki_protocol::limits::CBOR_DEPTH_MAX;

/// Encodes with shortest lengths, maps in the order they have.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut writer = BufWriter::new(Vec::new());
    value.encode(&mut writer).unwrap();
    writer.into_inner()
}

/// Reads one item that fills `bytes`, as laxly as cbor4ii does.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = SliceReader::new(bytes);
    let value = Value::decode(&mut reader).ok()?;
    reader.fill(1).ok()?.as_ref().is_empty().then_some(value)
}

/// Whether `bytes` are what the profile's encoder would write, by reading, sorting and writing anew.
pub(crate) fn is_deterministic(bytes: &[u8]) -> bool {
    let Some(value) = read(bytes) else { return false };
    in_profile(&value, 0) && sorted(&value).is_some_and(|sorted| encode(&sorted) == bytes)
}

fn in_profile(value: &Value, depth: usize) -> bool {
    depth < DEPTH
        && match value {
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Bytes(_) | Value::Text(_) => true,
            Value::Array(items) => items.iter().all(|item| in_profile(item, depth + 1)),
            Value::Map(pairs) => {
                pairs.iter().all(|(key, value)| in_profile(key, depth + 1) && in_profile(value, depth + 1))
            }
            _ => false,
        }
}

/// The value with every map in ascending order of its encoded keys; `None` if a key stands twice.
pub(crate) fn sorted(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect::<Option<_>>()?),
        Value::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| Some((sorted(key)?, sorted(value)?)));
            let mut pairs: Vec<_> = pairs.collect::<Option<_>>()?;
            pairs.sort_by_key(|(key, _)| encode(key));
            let twice = pairs.windows(2).any(|pair| encode(&pair[0].0) == encode(&pair[1].0));
            if twice {
                return None;
            }
            Value::Map(pairs)
        }
        other => other.clone(),
    })
}

/// Whether `kept` is `whole` with nothing but entries under even keys left out of its maps.
pub(crate) fn only_even_keys_left_out(whole: &Value, kept: &Value) -> bool {
    match (whole, kept) {
        (Value::Map(whole), Value::Map(kept)) => {
            let found = |key: &Value| whole.iter().find(|(other, _)| other == key);
            let stays = |key: &Value| kept.iter().any(|(other, _)| other == key);
            let even = |key: &Value| matches!(key, Value::Integer(key) if key % 2 == 0);
            kept.iter().all(|(key, value)| {
                found(key).is_some_and(|(_, other)| only_even_keys_left_out(other, value))
            }) && whole.iter().all(|(key, _)| stays(key) || even(key))
        }
        (Value::Array(whole), Value::Array(kept)) => {
            whole.len() == kept.len()
                && whole.iter().zip(kept).all(|(whole, kept)| only_even_keys_left_out(whole, kept))
        }
        (whole, kept) => whole == kept,
    }
}
