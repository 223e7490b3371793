//! Any JSON value, walked without re-printing a number.
//!
//! For what reads, or copies, more of a resource than decisions rest on. Every step looks at the bytes that came;
//! what has another shape than asked for is absent. Must not know FHIR.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lexical;
use crate::ingest::limits;

/// A JSON value as it is written.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(&'a str);

impl<'a> Node<'a> {
    /// The object that verbatim content consists of; `None` where it is too long, too deep or no JSON object.
    pub(crate) fn object(content: &'a [u8]) -> Option<Self> {
        if content.len() > limits::RESOURCE_MAX_BYTES {
            return None;
        }
        let text = std::str::from_utf8(content).ok()?;
        if !lexical::nests_within(text, limits::DEPTH_MAX) {
            return None;
        }
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        raw.get().starts_with('{').then(|| Self(raw.get()))
    }

    /// The value itself, as it is written.
    pub(crate) fn written(self) -> &'a str {
        self.0
    }

    /// The members of an object in their order, doubles included; `None` for anything else.
    pub(crate) fn members(self) -> Option<Vec<(String, Self)>> {
        if !self.0.starts_with('{') {
            return None;
        }
        serde_json::from_str::<Members<'a>>(self.0).ok().map(|Members(members)| members)
    }

    /// The first member of that name.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        self.members()?.into_iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The value that a path of names leads to, through the first item of every list on the way.
    pub(crate) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, name| node.items().first().copied().unwrap_or(node).get(name))
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(self) -> Vec<Self> {
        if !self.0.starts_with('[') {
            return Vec::new();
        }
        let items: Vec<&'a RawValue> = serde_json::from_str(self.0).unwrap_or_default();
        items.into_iter().map(|raw| Self(raw.get())).collect()
    }

    /// The items of a list, or the value itself.
    pub(crate) fn each(self) -> Vec<Self> {
        if self.0.starts_with('[') { self.items() } else { vec![self] }
    }

    /// A string that is not blank.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        let Text(text) = serde_json::from_str(self.0).ok()?;
        (!text.trim().is_empty()).then_some(text)
    }

    /// A number, as it is written.
    pub(crate) fn number(self) -> Option<&'a str> {
        self.0.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(self.0)
    }
}

struct Members<'a>(Vec<(String, Node<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((key, Node(value.get())));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_numbers_keep_their_digits() {
        let node =
            Node::object(br#" {"a":[{"b":{"c":52.690000}}],"t":"x\u0079","t":"second","n":" "} "#).unwrap();
        assert_eq!(node.at(&["a", "b", "c"]).and_then(Node::number), Some("52.690000"));
        assert_eq!(node.get("t").and_then(Node::text).as_deref(), Some("xy"));
        assert!(node.get("n").and_then(Node::text).is_none());
        assert!(node.get("a").and_then(Node::number).is_none());
        assert_eq!(node.members().unwrap().len(), 4, "doubles are seen");
        assert_eq!(node.get("a").unwrap().each().len(), 1);
        assert_eq!(node.each().len(), 1);
    }

    #[test]
    fn what_is_no_object_of_moderate_size_is_not_walked() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(64), "]".repeat(64));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::RESOURCE_MAX_BYTES));
        for content in [&b"[]"[..], b"7", b"{", b"\xff", b"{} {}", deep.as_bytes(), long.as_bytes()] {
            assert!(Node::object(content).is_none());
        }
    }
}
