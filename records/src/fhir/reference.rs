//! References to a Patient or a Group, and their resolution within one file.
//!
//! Owns the forms: `Patient/ID`, `https://host/fhir/Patient/ID` (with or without `/_history/V`),
//! `urn:uuid:…`, `Patient?identifier=SYSTEM|VALUE`, and a logical reference by `identifier` alone. The rule of
//! resolution is stated in [`crate::ingest`]. Must not know which element holds the reference.

use std::collections::BTreeMap;

use super::element::{Identifier, Reference};
use super::{Reason, codes};

/// A person or a class, by the institution's own number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Local number of a patient or pupil.
    Person(String),
    /// Id of a Group, such as a class.
    Group(String),
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(_) => f.write_str("Person(***)"),
            Self::Group(_) => f.write_str("Group(***)"),
        }
    }
}

/// Patients and Groups of one file, by everything that may refer to them.
#[derive(Default)]
pub(crate) struct Index {
    by_url: BTreeMap<String, Subject>,
    /// `None` where two people share the identifier: such a reference leads to nobody.
    by_identifier: BTreeMap<(String, String), Option<String>>,
    /// Entries that are neither; a `urn:uuid:` to one of them is a wrong subject, not an absent one.
    others: std::collections::BTreeSet<String>,
}

impl Index {
    pub(crate) fn add(&mut self, full_url: Option<&str>, subject: &Subject, identifiers: &[Identifier<'_>]) {
        if let Some(url) = full_url {
            self.by_url.insert(url.to_owned(), subject.clone());
            // `Patient/ID` within the bundle means the entry whose fullUrl ends so.
            if let Some((kind, id)) = relative(url) {
                self.by_url.insert(format!("{kind}/{id}"), subject.clone());
            }
        }
        if let Subject::Person(number) = subject {
            for identifier in identifiers {
                let Some(value) = identifier.value.as_deref() else { continue };
                let key = (identifier.system.as_deref().unwrap_or_default().to_owned(), value.to_owned());
                self.by_identifier
                    .entry(key)
                    .and_modify(|known| {
                        if known.as_ref() != Some(number) {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| Some(number.clone()));
            }
        }
    }

    pub(crate) fn add_other(&mut self, full_url: &str) {
        self.others.insert(full_url.to_owned());
    }

    pub(crate) fn identifiers(&self) -> usize {
        self.by_identifier.len()
    }

    /// Follows a reference.
    pub(crate) fn resolve(&self, reference: &Reference<'_>) -> Result<Subject, Reason> {
        let Some(text) = reference.reference.as_deref() else {
            let identifier = reference.identifier.as_ref().ok_or(Reason::UnresolvedSubject)?;
            let value = identifier.value.as_deref().ok_or(Reason::UnresolvedSubject)?;
            return self.identified(identifier.system.as_deref().unwrap_or_default(), value);
        };
        if let Some(known) = self.by_url.get(text) {
            return Ok(known.clone());
        }
        if self.others.contains(text) {
            return Err(Reason::WrongSubject);
        }
        if let Some(uuid) = text.strip_prefix("urn:uuid:").or_else(|| text.strip_prefix("urn:oid:")) {
            return valid_id(uuid).map(|id| Subject::Person(id.to_owned()));
        }
        if let Some(query) = text.strip_prefix("Patient?identifier=") {
            let query = percent_decoded(query).ok_or(Reason::UnresolvedSubject)?;
            let (system, value) = query.split_once('|').unwrap_or(("", &query));
            return self.identified(system, value);
        }
        let (kind, id) = relative(text).ok_or(Reason::UnresolvedSubject)?;
        if let Some(known) = self.by_url.get(&format!("{kind}/{id}")) {
            return Ok(known.clone());
        }
        match kind {
            "Patient" => valid_id(id).map(|id| Subject::Person(id.to_owned())),
            "Group" => valid_id(id).map(|id| Subject::Group(id.to_owned())),
            kind if codes::RESOURCE_TYPES.contains(&kind) => Err(Reason::WrongSubject),
            _ => Err(Reason::UnresolvedSubject),
        }
    }

    fn identified(&self, system: &str, value: &str) -> Result<Subject, Reason> {
        let key = (system.to_owned(), value.to_owned());
        let number = self.by_identifier.get(&key).cloned().flatten();
        number.map(Subject::Person).ok_or(Reason::UnresolvedSubject)
    }
}

/// Whether a reference names something that is certainly neither a Patient nor a Group, such as a
/// Practitioner among the participants.
pub(crate) fn is_of_another_type(reference: &Reference<'_>) -> bool {
    let kind = reference.reference.as_deref().and_then(relative).map(|(kind, _)| kind);
    kind.is_some_and(|kind| !matches!(kind, "Patient" | "Group") && codes::RESOURCE_TYPES.contains(&kind))
}

/// Type and id of a relative or absolute reference.
pub(crate) fn relative(text: &str) -> Option<(&str, &str)> {
    let path = text.split_once("/_history/").map_or(text, |(path, _)| path);
    let (rest, id) = path.rsplit_once('/')?;
    let (base, kind) = rest.rsplit_once('/').unwrap_or(("", rest));
    let rooted = base.is_empty() || base.starts_with("https://") || base.starts_with("http://");
    (rooted && !text.contains(['?', '#'])).then_some((kind, id))
}

/// An id as FHIR allows it, and `_`, which many systems write: 1 to 64 of letters, digits, `-`, `.`, `_`.
pub(crate) fn valid_id(id: &str) -> Result<&str, Reason> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
        Ok(id)
    } else {
        Err(Reason::UnresolvedSubject)
    }
}

pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
                high * 16 + low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(index: &Index, text: &str) -> Result<Subject, Reason> {
        index.resolve(&Reference { reference: Some(text.into()), identifier: None })
    }

    fn person(number: &str) -> Result<Subject, Reason> {
        Ok(Subject::Person(number.into()))
    }

    #[test]
    fn absent_people_are_known_by_the_id_itself() {
        let index = Index::default();
        for text in
            ["Patient/12", "https://h.example/fhir/Patient/12", "Patient/12/_history/3", "urn:uuid:12"]
        {
            assert_eq!(resolve(&index, text), person("12"), "{text}");
        }
        assert_eq!(resolve(&index, "Group/3-2"), Ok(Subject::Group("3-2".into())));
        assert_eq!(resolve(&index, "Practitioner/12"), Err(Reason::WrongSubject));
        for text in [
            "#p",
            "12",
            "",
            "Patient/",
            "Patient/a b",
            "x/y/Patient/12",
            "Patient?identifier=a|b",
            "Patient?name=x",
        ] {
            assert_eq!(resolve(&index, text), Err(Reason::UnresolvedSubject), "{text}");
        }
    }

    #[test]
    fn present_people_are_known_by_url_and_identifier() {
        let mut index = Index::default();
        let identifier = |value: &'static str| Identifier {
            system: Some("urn:x".into()),
            value: Some(value.into()),
            kind: None,
        };
        index.add(
            Some("urn:uuid:aa"),
            &Subject::Person("12".into()),
            &[identifier("0001"), identifier("same")],
        );
        index.add(Some("http://h/fhir/Patient/zz"), &Subject::Person("13".into()), &[identifier("same")]);
        index.add_other("urn:uuid:bb");
        assert_eq!(resolve(&index, "urn:uuid:aa"), person("12"));
        assert_eq!(resolve(&index, "Patient/zz"), person("13"));
        assert_eq!(resolve(&index, "Patient?identifier=urn:x|0001"), person("12"));
        assert_eq!(resolve(&index, "Patient?identifier=urn%3Ax%7C0001"), person("12"));
        assert_eq!(resolve(&index, "Patient?identifier=urn:x|same"), Err(Reason::UnresolvedSubject));
        assert_eq!(resolve(&index, "Patient?identifier=urn:x|%zz"), Err(Reason::UnresolvedSubject));
        assert_eq!(resolve(&index, "urn:uuid:bb"), Err(Reason::WrongSubject));
        let logical = Reference { reference: None, identifier: Some(identifier("0001")) };
        assert_eq!(index.resolve(&logical), person("12"));
    }

    #[test]
    fn debug_shows_nobody() {
        assert_eq!(format!("{:?}", Subject::Person("12".into())), "Person(***)");
    }
}
