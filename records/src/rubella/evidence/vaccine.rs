//! Vaccinations that contain rubella.
//!
//! Must not know dates and places.

use super::{codings, has_word, names_rubella, plain, texts};
use crate::fhir::codes::{CVX, SNOMED};
use crate::fhir::node::Node;
use crate::words::{Summary, tidy};

/// A vaccine that contains rubella.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vaccine {
    /// Rubella alone (風しん単抗原).
    Rubella,
    /// MR, measles and rubella.
    MeaslesRubella,
    /// MMR, measles, mumps and rubella.
    MeaslesMumpsRubella,
    /// MMRV, with varicella.
    MeaslesMumpsRubellaVaricella,
    /// A vaccine recorded as given against rubella; which one the record does not say.
    AgainstRubella,
}

/// The terms (期) of the routine programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// 第1期.
    First,
    /// 第2期.
    Second,
    /// 第3期.
    Third,
    /// 第4期.
    Fourth,
    /// 第5期.
    Fifth,
}

/// One dose.
#[derive(Clone, PartialEq, Eq)]
pub struct Vaccination {
    /// What was given.
    pub vaccine: Vaccine,
    /// In which term of the programme, where the record says so.
    pub term: Option<Term>,
    /// The number of the dose, where the record says so.
    pub dose: Option<u32>,
    /// Lot number.
    pub lot: Option<String>,
}

impl Vaccine {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Rubella => ("風しん(単抗原)ワクチン", "Rubella vaccine"),
            Self::MeaslesRubella => ("麻しん風しん混合(MR)ワクチン", "Measles-rubella (MR) vaccine"),
            Self::MeaslesMumpsRubella => ("MMRワクチン", "Measles-mumps-rubella (MMR) vaccine"),
            Self::MeaslesMumpsRubellaVaricella => {
                ("MMRVワクチン", "Measles-mumps-rubella-varicella (MMRV) vaccine")
            }
            Self::AgainstRubella => ("風しんを含むワクチン", "Vaccine against rubella"),
        }
    }
}

impl Term {
    /// 1 to 5.
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
            Self::Fourth => 4,
            Self::Fifth => 5,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (before, _) = text.split_once('期')?;
        // Roman numerals came apart into letters when the text was prepared.
        let before = before.trim_end();
        let stem = before.trim_end_matches(['I', 'V']);
        let roman = before.get(stem.len()..).filter(|numeral| !numeral.is_empty());
        let digits = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let last = || before.get(digits.len()..).filter(|run| !run.is_empty()).map(str::to_owned);
        let numeral =
            roman.map(str::to_owned).or_else(last).or_else(|| before.chars().next_back().map(String::from));
        Some(match numeral?.as_str() {
            "1" | "一" | "I" => Self::First,
            "2" | "二" | "II" => Self::Second,
            "3" | "三" | "III" => Self::Third,
            "4" | "四" | "IV" => Self::Fourth,
            "5" | "五" | "V" => Self::Fifth,
            _ => return None,
        })
    }
}

impl Vaccination {
    /// One line.
    pub fn words(&self) -> Summary {
        let (ja, en) = self.vaccine.words();
        match (self.term, self.dose) {
            (Some(term), _) => {
                let number = term.number();
                Summary::new(format!("{ja} 第{number}期"), format!("{en}, term {number}"))
            }
            (None, Some(dose)) => Summary::new(format!("{ja} {dose}回目"), format!("{en}, dose {dose}")),
            (None, None) => Summary::new(ja, en),
        }
    }
}

/// The dose an Immunization states, if its vaccine contains rubella.
pub(super) fn read(resource: Node<'_>) -> Option<Vaccination> {
    let code = resource.get("vaccineCode");
    let protocols = resource.get("protocolApplied").map(Node::each).unwrap_or_default();
    let target = || {
        protocols.iter().any(|protocol| {
            let diseases = protocol.get("targetDisease");
            codings(diseases).iter().any(|(system, code)| system == SNOMED && code == "36653000")
                || texts(diseases).iter().any(|text| names_rubella(text))
        })
    };
    let by_code = codings(code).iter().find_map(|(system, code)| coded(system, code));
    let by_name = || texts(code).iter().find_map(|text| named(text));
    let vaccine = by_code.or_else(by_name).or_else(|| target().then_some(Vaccine::AgainstRubella))?;

    let stated = |name: &str| -> Vec<String> {
        let found = protocols.iter().filter_map(|protocol| protocol.get(name)?.text());
        found.map(|text| plain(&text)).collect()
    };
    let in_words: Vec<String> =
        [stated("series"), stated("doseNumberString"), texts(code)].into_iter().flatten().collect();
    let number =
        protocols.iter().find_map(|protocol| protocol.get("doseNumberPositiveInt")?.number()?.parse().ok());
    let lot = resource.get("lotNumber").and_then(Node::text).map(|lot| tidy(&lot));
    Some(Vaccination {
        vaccine,
        term: in_words.iter().find_map(|text| Term::read(text)),
        dose: number.filter(|number| (1..=20).contains(number)),
        lot: lot.filter(|lot| !lot.is_empty()),
    })
}

fn coded(system: &str, code: &str) -> Option<Vaccine> {
    let code = code.to_ascii_lowercase();
    let padded = if code.len() == 1 { format!("0{code}") } else { code };
    Some(match (system == CVX, padded.as_str()) {
        (true, "06") | (false, "rubella") => Vaccine::Rubella,
        (true, "04") | (false, "mr") => Vaccine::MeaslesRubella,
        (true, "03") | (false, "mmr") => Vaccine::MeaslesMumpsRubella,
        (true, "94") | (false, "mmrv") => Vaccine::MeaslesMumpsRubellaVaricella,
        (true, "38") => Vaccine::AgainstRubella,
        _ => return None,
    })
}

/// The vaccine that a prepared text names.
fn named(text: &str) -> Option<Vaccine> {
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has_word(text, "MMRV") {
        return Some(Vaccine::MeaslesMumpsRubellaVaricella);
    }
    if has_word(text, "MMR") || any(&["M-M-R", "M/M/R"]) {
        return Some(Vaccine::MeaslesMumpsRubella);
    }
    if has_word(text, "MR") || any(&["M/R", "M-R", "ミールビック"]) {
        return Some(Vaccine::MeaslesRubella);
    }
    if !names_rubella(text) {
        return None;
    }
    let measles = any(&["麻しん", "麻疹", "はしか風", "はしか・風", "MEASLES"]);
    let mumps = any(&["おたふく", "ムンプス", "耳下腺炎", "MUMPS"]);
    let varicella = any(&["水痘", "水ぼうそう", "VARICELLA"]);
    Some(match (measles, mumps, varicella) {
        (true, true, true) => Vaccine::MeaslesMumpsRubellaVaricella,
        (true, true, false) => Vaccine::MeaslesMumpsRubella,
        (true, false, false) => Vaccine::MeaslesRubella,
        (false, false, false) => Vaccine::Rubella,
        _ => Vaccine::AgainstRubella,
    })
}
