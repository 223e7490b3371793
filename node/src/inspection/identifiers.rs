//! What in a row could identify somebody to another institution: numbers, pseudonyms, keys, digests.

use std::collections::BTreeSet;

use serde_json::Value;

/// Shortest run of hexadecimal digits that counts: eight bytes.
const HEX_MIN: usize = 16;
/// Fields that name a party or say something that is no one's in particular.
const PUBLIC: [&str; 8] =
    ["registry", "member", "by", "class", "classes", "kitchen", "sealed_to", "password"];
/// Fields whose text is an identifier, whatever it looks like.
const NAMING: [&str; 6] = ["number", "resident", "guardian", "child", "letter", "subject"];

/// The identifiers in a sealed row's JSON.
pub(super) fn in_json(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    look(value, None, &mut found);
    found
}

fn look(value: &Value, field: Option<&str>, found: &mut BTreeSet<String>) {
    if field.is_some_and(|field| PUBLIC.contains(&field)) {
        return;
    }
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| look(value, Some(name), found)),
        Value::Array(items) => {
            let bytes: Option<Vec<u8>> =
                items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            match bytes.filter(|bytes| bytes.len() >= HEX_MIN / 2) {
                Some(bytes) => drop(found.insert(hex::encode(bytes))),
                None => items.iter().for_each(|item| look(item, field, found)),
            }
        }
        Value::String(text) => {
            let hexadecimal = text.len() >= HEX_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hexadecimal || field.is_some_and(|field| NAMING.contains(&field) && !text.is_empty()) {
                found.insert(text.clone());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keys_and_digests_are_found_and_words_are_not() {
        let value = json!({
            "number": "1003", "name": "山田 花子", "at": 1_790_000_000_000_u64, "by": "sato",
            "token": "00112233445566778899aabbccddeeff", "registry": "maebashi/city-hall",
            "guardian": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], "categories": [1, 2], "note": "abc",
        });
        let found: Vec<_> = in_json(&value).into_iter().collect();
        assert_eq!(
            found,
            ["00112233445566778899aabbccddeeff", "0102030405060708090a0b0c0d0e0f10", "1003"]
                .map(str::to_owned)
        );
    }
}
