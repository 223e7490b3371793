//! What counts as a rubella record, found in verbatim FHIR content.
//!
//! Owns the recognition of vaccinations that contain rubella and of rubella antibody tests. Codes: CVX (03 MMR,
//! 04 MR, 06 rubella, 38 rubella-mumps, 94 MMRV), SNOMED CT 36653000 as target disease and 169690007 (rubella
//! screening), LOINC 22497-2 (HI titre) and 8014-3 (IgG), JLAC10 `5F395…` (風疹ウイルス抗体; the analyte code is from
//! memory, no public table was at hand), the local ids `mr`, `mmr`, `mmrv`, `rubella`, and the names used in
//! Japan. A record that says something was *not* done, or was entered in error, is no evidence of anything.
//! Must not know who sent the content.

mod antibody;
mod vaccine;

use std::fmt;

pub use antibody::{Antibody, Immunity, Method, Titre};
pub use vaccine::{Term, Vaccination, Vaccine};

use unicode_normalization::UnicodeNormalization;

use crate::date::{CalendarDate, FhirTime, Precision, wareki};
use crate::fhir::node::Node;
use crate::fhir::{Standing, standing};
use crate::words::{Summary, tidy};

/// One record about rubella. It is personal data: `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What it states.
    pub finding: Finding,
    /// When it was, as exactly as the record says.
    pub when: Option<When>,
    /// Where it was, in the record's words; not necessarily the institution that holds the record.
    pub place: Option<String>,
}

/// What a record states.
#[derive(Clone, PartialEq, Eq)]
pub enum Finding {
    /// A dose of a vaccine that contains rubella.
    Vaccination(Vaccination),
    /// An antibody test.
    Antibody(Antibody),
}

/// A point in time, no more exact than it was recorded.
#[derive(Clone, PartialEq, Eq)]
pub enum When {
    /// A day, a month or a year; of a month or a year the first day.
    Date {
        /// The day in Japan.
        day: CalendarDate,
        /// How much of it was recorded.
        precision: Precision,
    },
    /// The record's own words (昭和60年ごろ).
    Words(String),
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Evidence(***)")
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finding(***)")
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("When(***)")
    }
}

impl When {
    /// The first day it may mean.
    pub fn day(&self) -> Option<CalendarDate> {
        match self {
            Self::Date { day, .. } => Some(*day),
            Self::Words(_) => None,
        }
    }

    /// For a person to read; Japanese by era.
    pub fn words(&self) -> Summary {
        match self {
            Self::Date { day, precision } => {
                let era = wareki::format_long(*day);
                let until = |mark: char| era.split_inclusive(mark).next().unwrap_or(&era).to_owned();
                let (year, month) = (day.year(), day.month());
                match precision {
                    Precision::Year => Summary::new(until('年'), year.to_string()),
                    Precision::Month => Summary::new(until('月'), format!("{year}-{month:02}")),
                    _ => Summary::new(era, day.to_string()),
                }
            }
            Self::Words(text) => Summary::new(text, text),
        }
    }
}

impl Evidence {
    /// One line: what was given or tested, which dose, what came out.
    pub fn words(&self) -> Summary {
        match &self.finding {
            Finding::Vaccination(vaccination) => vaccination.words(),
            Finding::Antibody(antibody) => antibody.words(),
        }
    }

    /// The dose, if this is one.
    pub fn vaccination(&self) -> Option<&Vaccination> {
        match &self.finding {
            Finding::Vaccination(vaccination) => Some(vaccination),
            Finding::Antibody(_) => None,
        }
    }

    /// The antibody test, if this is one.
    pub fn antibody(&self) -> Option<&Antibody> {
        match &self.finding {
            Finding::Antibody(antibody) => Some(antibody),
            Finding::Vaccination(_) => None,
        }
    }
}

/// Reads the rubella evidence of one record's verbatim content: usually none, or one; several where one
/// observation has several components.
pub fn find(content: &[u8]) -> Vec<Evidence> {
    let Some(resource) = Node::object(content) else { return Vec::new() };
    if standing(content) != Standing::Valid {
        return Vec::new();
    }
    let kind = resource.get("resourceType").and_then(Node::text);
    let findings: Vec<Finding> = match kind.as_deref() {
        Some("Immunization") => vaccine::read(resource).map(Finding::Vaccination).into_iter().collect(),
        Some("Observation") => antibody::read(resource).into_iter().map(Finding::Antibody).collect(),
        Some("Procedure") => antibody::screening(resource).map(Finding::Antibody).into_iter().collect(),
        _ => Vec::new(),
    };
    findings
        .into_iter()
        .map(|finding| Evidence { finding, when: when(resource), place: place(resource) })
        .collect()
}

fn when(resource: Node<'_>) -> Option<When> {
    const TIMES: [&[&str]; 8] = [
        &["occurrenceDateTime"],
        &["effectiveDateTime"],
        &["effectivePeriod", "start"],
        &["effectiveInstant"],
        &["performedDateTime"],
        &["performedPeriod", "start"],
        &["issued"],
        &["recorded"],
    ];
    let words = || {
        let text = resource.get("occurrenceString")?.text()?;
        Some(match CalendarDate::parse_japanese(&text) {
            Ok(day) => When::Date { day, precision: Precision::Day },
            Err(_) => When::Words(tidy(&text)),
        })
    };
    let time = |path: &&[&str]| {
        let time = FhirTime::parse(&resource.at(path)?.text()?).ok()?;
        Some(When::Date { day: time.day, precision: time.precision })
    };
    let (given, written) = TIMES.split_at(TIMES.len() - 2);
    given.iter().find_map(time).or_else(words).or_else(|| written.iter().find_map(time))
}

fn place(resource: Node<'_>) -> Option<String> {
    const PLACES: [&[&str]; 4] = [
        &["location", "display"],
        &["performer", "actor", "display"],
        &["performer", "display"],
        &["reportOrigin", "text"],
    ];
    let text = PLACES.into_iter().find_map(|path| resource.at(path)?.text())?;
    let text = tidy(&text);
    (!text.is_empty()).then_some(text)
}

/// A text prepared for looking words up in it: one width, one case.
fn plain(text: &str) -> String {
    text.nfkc().flat_map(char::to_uppercase).collect()
}

/// Whether a prepared text names rubella.
fn names_rubella(text: &str) -> bool {
    ["風しん", "風疹", "風シン", "フウシン", "RUBELLA", "三日はしか", "三日ばしか"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a prepared text contains this word of Latin letters by itself: `MR` is in `MR1期` and not in `MRNA`.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|part| part == word)
}

/// System and code of every coding of a concept, or of a list of concepts.
fn codings(concept: Option<Node<'_>>) -> Vec<(String, String)> {
    let concepts = concept.map(Node::each).unwrap_or_default();
    let codings = concepts.into_iter().filter_map(|concept| concept.get("coding")).flat_map(Node::items);
    codings
        .filter_map(|coding| {
            let system = coding.get("system").and_then(Node::text).unwrap_or_default();
            Some((system.into_owned(), coding.get("code")?.text()?.into_owned()))
        })
        .collect()
}

/// Every prepared text of a concept, or of a list of concepts.
fn texts(concept: Option<Node<'_>>) -> Vec<String> {
    let concepts = concept.map(Node::each).unwrap_or_default();
    concepts
        .into_iter()
        .flat_map(|concept| {
            let displays = concept.get("coding").map(Node::items).unwrap_or_default();
            let displays = displays.into_iter().filter_map(|coding| coding.get("display"));
            concept.get("text").into_iter().chain(displays).collect::<Vec<_>>()
        })
        .filter_map(Node::text)
        .map(|text| plain(&text))
        .collect()
}

#[cfg(test)]
mod tests;
