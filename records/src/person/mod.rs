//! The facts by which an institution recognises its own patient or pupil.
//!
//! Owns [`PatientFacts`] and how they are read from a FHIR Patient (JP Core or plain). Must not know of
//! residents, pseudonyms or links: those compare what is produced here.

mod kana;
mod sex;

pub use kana::normalise_name;
pub use sex::Sex;

use std::fmt;

use serde_json::value::RawValue;

use crate::date::{CalendarDate, FhirTime, Precision};
use crate::fhir::Reason;
use crate::fhir::element::{self, HumanName};

/// Longest name that is accepted, in characters.
pub const NAME_MAX_CHARS: usize = 200;

/// Who a local number stands for. `Debug` prints only `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientFacts {
    /// The institution's own number; see [`crate::ingest`] for the rule.
    pub local_number: String,
    /// Name as written officially (in kanji where there are kanji), family name first for Japanese names.
    pub name: String,
    /// Name in kana as recorded, if the source has it.
    pub kana: Option<String>,
    /// The name prepared for comparison by [`normalise_name`]: of the kana where there are kana, otherwise
    /// of the official name. An institution that keeps no kana can only be matched with a registry entry
    /// normalised from the same official spelling.
    pub matching_name: String,
    /// Birth date; always exact to the day.
    pub birth_date: CalendarDate,
    /// Sex as recorded.
    pub sex: Sex,
}

impl fmt::Debug for PatientFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientFacts(***)")
    }
}

/// The raw elements of a Patient that the facts are made of.
pub(crate) struct PatientElements<'a> {
    pub(crate) name: Option<&'a RawValue>,
    pub(crate) birth_date: Option<&'a RawValue>,
    pub(crate) gender: Option<&'a RawValue>,
}

impl PatientFacts {
    /// Reads the facts. Name and exact birth date are required; a missing gender is [`Sex::Unknown`].
    pub(crate) fn read(local_number: String, elements: &PatientElements<'_>) -> Result<Self, Reason> {
        let birth = element::text(elements.birth_date, "birthDate")?.ok_or(Reason::Missing("birthDate"))?;
        let birth = FhirTime::parse(&birth).map_err(|_| Reason::BadDate("birthDate"))?;
        if birth.precision != Precision::Day {
            return Err(Reason::PartialBirthDate);
        }
        let sex = match element::text(elements.gender, "gender")? {
            None => Sex::Unknown,
            Some(code) => Sex::from_fhir(&code).ok_or(Reason::Malformed("gender"))?,
        };
        let names: Vec<HumanName<'_>> = element::list(elements.name, "name")?;
        let (name, kana) = choose_names(&names).ok_or(Reason::Missing("name"))?;
        if name.chars().count() > NAME_MAX_CHARS
            || kana.as_ref().is_some_and(|k| k.chars().count() > NAME_MAX_CHARS)
        {
            return Err(Reason::Malformed("name"));
        }
        let matching_name = normalise_name(kana.as_deref().unwrap_or(&name));
        if matching_name.is_empty() {
            return Err(Reason::Missing("name"));
        }
        Ok(Self { local_number, name, kana, matching_name, birth_date: birth.day, sex })
    }
}

/// The official name and the kana name among the names of a Patient.
///
/// JP Core marks them by the extension `iso21090-EN-representation` (IDE, SYL). Without the mark, a name
/// all in kana beside one that is not is the kana name. Old and maiden names are passed over as long as
/// there is another; `official` comes first, then `usual`, then the order of the file.
pub(crate) fn choose_names(names: &[HumanName<'_>]) -> Option<(String, Option<String>)> {
    let mut candidates: Vec<(u8, &HumanName<'_>, String)> = names
        .iter()
        .filter_map(|name| {
            let rank = match name.r#use.as_deref() {
                Some("official") => 0,
                Some("usual") => 1,
                Some("old" | "maiden") => 4,
                Some("nickname" | "anonymous" | "temp") => 3,
                _ => 2,
            };
            Some((rank, name, written(name)?))
        })
        .collect();
    candidates.sort_by_key(|(rank, ..)| *rank);

    let is_kana = |name: &HumanName<'_>, text: &str| match name.representation() {
        Some("SYL") => true,
        Some(_) => false,
        None => kana::is_kana(text),
    };
    let kana = candidates.iter().find(|(_, name, text)| is_kana(name, text));
    let official = candidates
        .iter()
        .find(|(_, name, _)| name.representation() == Some("IDE"))
        .or_else(|| candidates.iter().find(|(_, name, text)| !is_kana(name, text)))
        .or(kana)?;
    Some((official.2.clone(), kana.map(|(_, _, text)| text.clone())))
}

/// A name as one string: `text` if given, otherwise family name and given names. `None` if it is empty.
fn written(name: &HumanName<'_>) -> Option<String> {
    let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<&str> =
        name.family.iter().map(AsRef::as_ref).chain(name.given.iter().flatten().map(AsRef::as_ref)).collect();
    let from_parts = tidy(&parts.join(" "));
    let text =
        if from_parts.is_empty() { tidy(name.text.as_deref().unwrap_or_default()) } else { from_parts };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, birth: &str) -> Result<PatientFacts, Reason> {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let (name, birth, gender) = (raw(name), raw(birth), raw("\"female\""));
        let elements = PatientElements { name: Some(&name), birth_date: Some(&birth), gender: Some(&gender) };
        PatientFacts::read("12".into(), &elements)
    }

    const JP_CORE: &str = r#"[
        {"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"IDE"}],
         "use":"official","text":"前橋 花子","family":"前橋","given":["花子"]},
        {"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"SYL"}],
         "use":"official","text":"マエバシ ハナコ","family":"マエバシ","given":["ハナコ"]}]"#;

    #[test]
    fn jp_core_names_are_told_apart_by_their_mark() {
        let facts = facts(JP_CORE, "\"2020-05-06\"").unwrap();
        assert_eq!(facts.name, "前橋 花子");
        assert_eq!(facts.kana.as_deref(), Some("マエバシ ハナコ"));
        assert_eq!(facts.matching_name, normalise_name("まえばし　はなこ"));
        assert_eq!(facts.sex, Sex::Female);
        assert_eq!(format!("{facts:?}"), "PatientFacts(***)");
    }

    #[test]
    fn without_a_mark_the_name_all_in_kana_is_the_kana() {
        let facts =
            facts(r#"[{"text":"ﾏｴﾊﾞｼ ﾊﾅｺ"},{"family":"前橋","given":["花子"]}]"#, "\"2020-05-06\"").unwrap();
        assert_eq!((facts.name.as_str(), facts.kana.as_deref()), ("前橋 花子", Some("ﾏｴﾊﾞｼ ﾊﾅｺ")));
    }

    #[test]
    fn the_official_name_stands_in_for_missing_kana() {
        let facts = facts(
            r#"[{"use":"maiden","family":"Old"},{"use":"official","family":"Wiegand","given":["Luigi"]}]"#,
            "\"2020-05-06\"",
        )
        .unwrap();
        assert_eq!((facts.name.as_str(), facts.kana), ("Wiegand Luigi", None));
        assert_eq!(facts.matching_name, "WIEGANDLUIGI");
    }

    #[test]
    fn a_child_known_only_in_kana_has_that_name() {
        let facts = facts(r#"[{"text":"みらい"}]"#, "\"2020-05-06\"").unwrap();
        assert_eq!((facts.name.as_str(), facts.kana.as_deref()), ("みらい", Some("みらい")));
    }

    #[test]
    fn name_and_exact_birth_date_are_required() {
        assert_eq!(facts("[]", "\"2020-05-06\"").unwrap_err(), Reason::Missing("name"));
        assert_eq!(facts(r#"[{"family":"・"}]"#, "\"2020-05-06\"").unwrap_err(), Reason::Missing("name"));
        assert_eq!(facts(JP_CORE, "\"2020-05\"").unwrap_err(), Reason::PartialBirthDate);
        assert_eq!(facts(JP_CORE, "\"6 May 2020\"").unwrap_err(), Reason::BadDate("birthDate"));
        assert_eq!(facts(r#"[{"family":7}]"#, "\"2020-05-06\"").unwrap_err(), Reason::Malformed("name"));
    }
}
