//! The forms of row a table has, declared beside the table itself: what an inspection attributes rows by.
//!
//! A form says what each piece of a key is and which structure the sealed value is. A row of no form is unknown, so a
//! table that gets a new kind of row gets a form, or its rows will be asked about.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::store::Keyspace;

/// A piece of a key, after the form's prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// A keyed digest of sixteen bytes.
    Digest,
    /// The key of a person of this institution.
    Subject,
    /// A guardian's alias at this institution.
    Guardian,
    /// So many bytes that a clock or chance gave.
    Bytes(usize),
    /// A day, `yyyy-mm-dd`.
    Day,
    /// So many bytes that follow this prefix in the key of a row that is there.
    Of(Keyspace, &'static [u8], usize),
    /// A member's id after a slash, to the end of the key.
    Member,
}

/// What the value is.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// Nothing: the key says it all.
    Mark,
    /// Sealed; this says whether what was sealed is what the table writes.
    Sealed(fn(&[u8]) -> bool),
}

/// One form of row.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) class: &'static str,
    pub(crate) table: Keyspace,
    pub(crate) prefix: &'static [u8],
    pub(crate) parts: &'static [Part],
    pub(crate) body: Body,
}

/// A row whose value is a sealed `T`.
pub(crate) const fn sealed<T: Serialize + DeserializeOwned>(
    class: &'static str,
    table: Keyspace,
    prefix: &'static [u8],
    parts: &'static [Part],
) -> Form {
    Form { class, table, prefix, parts, body: Body::Sealed(is::<T>) }
}

/// A row without a value.
pub(crate) const fn mark(
    class: &'static str,
    table: Keyspace,
    prefix: &'static [u8],
    parts: &'static [Part],
) -> Form {
    Form { class, table, prefix, parts, body: Body::Mark }
}

/// Whether JSON is a `T` and nothing besides: every field of it, at any depth, is one that `T` has read.
fn is<T: Serialize + DeserializeOwned>(json: &[u8]) -> bool {
    let read: Option<T> = serde_json::from_slice(json).ok();
    let again = read.and_then(|read| serde_json::to_value(&read).ok());
    let said: Option<Value> = serde_json::from_slice(json).ok();
    again.zip(said).is_some_and(|(again, said)| within(&said, &again))
}

/// Whether everything in `said` stands in `read`, which may have more: fields that are newer than the row.
fn within(said: &Value, read: &Value) -> bool {
    match (said, read) {
        (Value::Object(said), Value::Object(read)) => said.iter().all(|(name, value)| match read.get(name) {
            Some(found) => within(value, found),
            // What is nothing may be left out when it is written again.
            None => value.is_null(),
        }),
        (Value::Array(said), Value::Array(read)) => {
            said.len() == read.len() && said.iter().zip(read).all(|(said, read)| within(said, read))
        }
        _ => said == read,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Inner {
        n: u8,
    }

    #[derive(Serialize, Deserialize)]
    struct Outer {
        name: String,
        inner: Vec<Inner>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newer: Option<u8>,
    }

    #[test]
    fn what_nobody_reads_makes_it_another_thing() {
        let fits = |json: &str| is::<Outer>(json.as_bytes());
        assert!(fits(r#"{"name":"a","inner":[{"n":1},{"n":2}]}"#));
        assert!(fits(r#"{"inner":[],"newer":null,"name":"a"}"#));
        for other in [
            "",
            "7",
            r#"{"name":"a"}"#,
            r#"{"name":7,"inner":[]}"#,
            r#"{"name":"a","inner":[],"parked":"x"}"#,
            r#"{"name":"a","inner":[{"n":1,"parked":{}}]}"#,
            r#"{"name":"a","inner":[]} {"parked":1}"#,
        ] {
            assert!(!fits(other), "{other}");
        }
    }
}
