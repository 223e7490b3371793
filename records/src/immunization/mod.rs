//! Vaccinations as recorded: one FHIR Immunization, read for what a schedule and a page need.
//!
//! [`read`] never fails: whatever the bytes are, they remain one vaccination that can be shown. Unreadable
//! elements are absent, an unknown vaccine is unknown; nothing is dropped and nothing guessed. The tables of
//! vaccines and diseases are data (`vaccines.json`). Must not know series or dates of the law
//! ([`crate::schedule`]), nor where the record came from.

mod recognise;
mod stated;
mod vaccine;

pub use recognise::RecognisedBy;
pub use stated::{Stage, Stated};
pub(crate) use vaccine::coded;
pub use vaccine::{Disease, Kind, Vaccine, diseases, vaccine, vaccines};

use std::fmt;

use serde_json::Value;

use crate::category::Category;
use crate::date::{CalendarDate, FhirTime, Precision};
use crate::fhir::{Standing, standing};
use crate::ingest::limits;
use crate::words::Summary;
use crate::words::concept::Concept;
use crate::words::text::tidy;
use recognise::{Evidence, recognise};

/// What became of the vaccination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was given.
    Given,
    /// It was not given on this occasion.
    NotGiven,
    /// The record was a mistake and is withdrawn.
    Withdrawn,
}

/// The day of a vaccination in Japan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The day; the first day of a partial date.
    pub day: CalendarDate,
    /// How much of it was written.
    pub precision: Precision,
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Day(***)")
    }
}

impl Day {
    /// Whether the very day is known.
    pub fn is_exact(self) -> bool {
        self.precision == Precision::Day
    }

    /// As much of it as is known: `2024年4月1日`, `2024年4月`, `2024年`.
    pub fn words(self) -> Summary {
        let (year, month) = (self.day.year(), self.day.month());
        match self.precision {
            Precision::Day => {
                Summary::new(format!("{year}年{month}月{}日", self.day.day()), self.day.to_string())
            }
            Precision::Month => Summary::new(format!("{year}年{month}月"), format!("{year:04}-{month:02}")),
            Precision::Year => Summary::new(format!("{year}年"), format!("{year:04}")),
        }
    }
}

/// One vaccination as one institution recorded it. Personal data: `Debug` shows the vaccine's kind of
/// recognition only.
#[derive(Clone)]
pub struct Vaccination {
    /// Given, not given, or withdrawn.
    pub status: Status,
    /// The day, where one can be read.
    pub day: Option<Day>,
    /// The vaccine, if it is one we know.
    pub vaccine: Option<&'static Vaccine>,
    /// How it was recognised.
    pub recognised_by: Option<RecognisedBy>,
    /// The vaccine in the words of the record, else in ours.
    pub name: Summary,
    /// Place in its series, as stated.
    pub stated: Stated,
    /// 製造番号.
    pub lot: Option<String>,
    /// Who gave it, in words.
    pub performer: Option<String>,
    /// Where it was given, in words.
    pub place: Option<String>,
    /// Why it was not given, in words.
    pub reason: Option<String>,
}

impl fmt::Debug for Vaccination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vaccination").field("recognised_by", &self.recognised_by).finish_non_exhaustive()
    }
}

/// Reads the content of a stored record of category `immunization`.
pub fn read(content: &[u8]) -> Vaccination {
    let status = match standing(content) {
        Standing::Valid => Status::Given,
        Standing::Negated => Status::NotGiven,
        Standing::EnteredInError => Status::Withdrawn,
    };
    let resource: Value = match content.len() {
        ..=limits::RESOURCE_MAX_BYTES => serde_json::from_slice(content).unwrap_or(Value::Null),
        _ => Value::Null,
    };
    let protocol = resource.pointer("/protocolApplied/0");
    let protocol_text = |element: &str| protocol.and_then(|protocol| protocol.get(element)?.as_str());
    let words = [protocol_text("doseNumberString"), protocol_text("series")];
    let number = protocol.and_then(|protocol| protocol.get("doseNumberPositiveInt")?.as_u64());

    let concept = resource.get("vaccineCode").map(Concept::of);
    let found = recognise(&evidence(&resource, concept.as_ref(), protocol_text("series")));
    let vaccine = found.map(|(vaccine, _)| vaccine);
    let label = vaccine.map_or(Category::Immunization.label(), |vaccine| vaccine.label);
    let own = concept.as_ref().and_then(|concept| concept.words(vaccine.map(|vaccine| vaccine.label)));
    let own = own.map(|words| words.map(|ja| tidy(&ja), |en| tidy(&en)));
    let name = own.filter(|words| !words.ja.is_empty() && !words.en.is_empty());

    Vaccination {
        status,
        day: day(&resource),
        vaccine,
        recognised_by: found.map(|(_, how)| how),
        name: name.unwrap_or_else(|| Summary::new(label.ja, label.en)),
        stated: Stated::read(words.into_iter().flatten(), number),
        lot: text(resource.get("lotNumber")),
        performer: text(resource.pointer("/performer/0/actor/display")),
        place: text(resource.pointer("/location/display")),
        reason: resource
            .get("statusReason")
            .and_then(|reason| shown(Concept::of(reason).words(None)?.ja.as_str())),
    }
}

/// What the record says about its vaccine, in any of the places where files say it.
fn evidence<'a>(resource: &'a Value, concept: Option<&Concept<'a>>, series: Option<&'a str>) -> Evidence<'a> {
    let targets = || {
        let protocols = resource.get("protocolApplied").and_then(Value::as_array).into_iter().flatten();
        protocols.filter_map(|protocol| protocol.get("targetDisease")?.as_array()).flatten().map(Concept::of)
    };
    Evidence {
        codes: concept.iter().flat_map(|concept| concept.codings()).collect(),
        names: concept.iter().flat_map(|concept| concept.own_words()).chain(series).collect(),
        disease_codes: targets().flat_map(|target| target.codings().collect::<Vec<_>>()).collect(),
        disease_names: targets().flat_map(|target| target.own_words().collect::<Vec<_>>()).collect(),
    }
}

fn day(resource: &Value) -> Option<Day> {
    let element = |name: &str| resource.get(name).and_then(Value::as_str);
    let time = element("occurrenceDateTime").and_then(|text| FhirTime::parse(text).ok());
    let written = || CalendarDate::parse_japanese(element("occurrenceString")?).ok();
    match time {
        Some(FhirTime { day, precision, .. }) => Some(Day { day, precision }),
        None => written().map(|day| Day { day, precision: Precision::Day }),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    shown(value?.as_str()?)
}

fn shown(text: &str) -> Option<String> {
    Some(tidy(text)).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn vaccination(resource: &Value) -> Vaccination {
        read(&serde_json::to_vec(resource).unwrap())
    }

    #[test]
    fn a_japanese_record_is_read_whole() {
        let it = vaccination(&json!({
            "resourceType": "Immunization", "status": "completed",
            "vaccineCode": { "coding": [{ "system": "http://hl7.org/fhir/sid/cvx", "code": "120" }], "text": "五種混合" },
            "occurrenceDateTime": "2024-10-23T23:59:46+00:00",
            "lotNumber": "HK0042", "location": { "display": "集団接種会場" },
            "performer": [{ "actor": { "display": "みどり小児科" } }],
            "protocolApplied": [{ "series": "第1期初回2回目", "doseNumberPositiveInt": 2 }],
        }));
        assert_eq!(it.status, Status::Given);
        assert_eq!(it.day.unwrap().day.to_string(), "2024-10-24");
        assert_eq!((it.vaccine.unwrap().id, it.recognised_by), ("dpt_ipv_hib", Some(RecognisedBy::Code)));
        assert_eq!((it.name.ja.as_str(), it.name.en.as_str()), ("五種混合", "DTaP-IPV-Hib"));
        assert_eq!(it.stated, Stated { period: Some(1), stage: Some(Stage::Initial), number: Some(2) });
        assert_eq!(it.lot.as_deref(), Some("HK0042"));
        assert_eq!(
            (it.performer.as_deref(), it.place.as_deref()),
            (Some("みどり小児科"), Some("集団接種会場"))
        );
        assert_eq!(format!("{it:?}"), "Vaccination { recognised_by: Some(Code), .. }");
    }

    #[test]
    fn what_was_not_given_says_why_and_a_mistake_is_withdrawn() {
        let refused = json!({
            "resourceType": "Immunization", "status": "not-done", "statusReason": { "text": "発熱のため" },
            "vaccineCode": { "text": "BCG" }, "occurrenceString": "令和6年4月1日",
        });
        let it = vaccination(&refused);
        assert_eq!((it.status, it.reason.as_deref()), (Status::NotGiven, Some("発熱のため")));
        assert_eq!(it.day.unwrap().day.to_string(), "2024-04-01");
        let mistake = json!({ "resourceType": "Immunization", "status": "entered-in-error" });
        assert_eq!(vaccination(&mistake).status, Status::Withdrawn);
    }

    #[test]
    fn target_diseases_tell_the_vaccine_of_a_record_that_names_none() {
        let target = |code: &str| json!({ "coding": [{ "system": "http://snomed.info/sct", "code": code }] });
        let it = vaccination(&json!({
            "resourceType": "Immunization", "status": "completed", "vaccineCode": { "text": "混合ワクチン" },
            "occurrenceDateTime": "2019-10",
            "protocolApplied": [{ "targetDisease": [target("14189004"), { "text": "風疹" }] }],
        }));
        assert_eq!((it.vaccine.unwrap().id, it.recognised_by), ("mr", Some(RecognisedBy::Diseases)));
        assert_eq!(it.name.ja, "混合ワクチン");
        let day = it.day.unwrap();
        assert!(!day.is_exact());
        assert_eq!((day.words().ja.as_str(), day.words().en.as_str()), ("2019年10月", "2019-10"));
    }

    #[test]
    fn the_unknown_and_the_unreadable_keep_a_name() {
        let rabies = vaccination(
            &json!({ "resourceType": "Immunization", "vaccineCode": { "text": "狂犬病\u{202E}\n" } }),
        );
        assert_eq!((rabies.vaccine.is_none(), rabies.name.ja.as_str()), (true, "狂犬病"));
        for content in
            ["", "[]", "null", "\u{0}", r#"{"vaccineCode":7,"protocolApplied":[7],"performer":{}}"#]
        {
            let it = read(content.as_bytes());
            assert_eq!((it.name.ja.as_str(), it.day.is_none(), it.status), ("予防接種", true, Status::Given));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_a_vaccination(content in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!read(&content).name.ja.is_empty());
        }

        #[test]
        fn any_words_are_a_vaccination(name in "\\PC{0,20}", dose in "\\PC{0,10}", day in "[0-9T:Z年月日-]{0,20}") {
            let it = vaccination(&json!({
                "vaccineCode": { "text": name, "coding": [{ "display": dose }] }, "occurrenceDateTime": day,
                "protocolApplied": [{ "series": name, "doseNumberString": dose, "targetDisease": [{ "text": name }] }],
            }));
            prop_assert!(!it.name.ja.is_empty() && !it.name.en.is_empty());
        }
    }
}
