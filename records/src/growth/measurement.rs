//! A stored record of category growth as a typed measurement.
//!
//! Owns the conversion of units. A value whose unit is unknown, missing or contradicted is kept as it was
//! written and never plotted; one that no child has is flagged, not dropped. Must not know whose it is.

use unicode_normalization::UnicodeNormalization;

use super::Kind;
use crate::category::Label;
use crate::date::{CalendarDate, Precision};
use crate::fhir::stored::Stored;
use crate::fhir::{Reason, Standing, codes};
use crate::redacted::redacted;
use crate::words::Summary;
use crate::words::concept::Concept;
use crate::words::findings;
use crate::words::numbers::{Quantities, Quantity};

/// One measurement of one child.
#[derive(Clone, PartialEq)]
pub struct Measurement {
    /// What was measured.
    pub kind: Kind,
    /// What the record calls it.
    pub name: Summary,
    /// The value in [`Kind::unit`]; `None` when its unit is not known for sure, or there is no number.
    pub value: Option<f64>,
    /// The value with its unit as it was written.
    pub written: Option<Summary>,
    /// The day it was taken, in Japan.
    pub date: CalendarDate,
    /// Whether the day was really written, and not only a month or a year.
    pub exact_day: bool,
    /// Whether it is the weight at birth, whenever it was written down.
    pub at_birth: bool,
    /// Whether the record says that the child was lying (仰臥位).
    pub lying: bool,
    /// Why the value should be checked with the institution.
    pub doubt: Option<Doubt>,
    /// Whether the record still holds.
    pub standing: Standing,
}

redacted!(Measurement);

/// Why a value is probably a slip of the pen or of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody up to 18 years has such a value.
    OutOfRange,
    /// Further from WHO's median for the age than WHO accepts without checking.
    FarFromReference,
}

impl Doubt {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::OutOfRange | Self::FarFromReference => Label {
                ja: "値の誤りかもしれません。記録した機関にお確かめください",
                en: "This value may be a mistake; please ask the institution that recorded it",
            },
        }
    }
}

impl Measurement {
    /// Reads verbatim content of a record of category growth.
    ///
    /// # Errors
    /// It is no Observation, has no name, or cannot be dated; the caller shows its one line
    /// ([`crate::words::summary`]) instead.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        let stored = Stored::of_types(content, &["Observation"])?;
        let when = stored.when?;
        let code = stored.value.get("code").ok_or(Reason::Missing("code"))?;
        let concept = Concept::of(code);
        let known: Vec<&codes::Measurement> =
            concept.codings().filter_map(|(system, code)| codes::measurement(system, code)).collect();
        let kind = kind_of(&known);
        let name = match known.first() {
            Some(known) => Some(Summary::new(known.ja, known.en)),
            None => concept.words(None),
        };
        let name = name.and_then(Summary::tidied).ok_or(Reason::Missing("code"))?;
        let quantity = Quantities::of(content).and_then(|quantities| quantities.value);
        let value = quantity.as_ref().and_then(|quantity| canonical(kind, quantity, &known));
        let has = |code: &str| known.iter().any(|known| known.code == code);
        Ok(Self {
            kind,
            name,
            value,
            written: findings::value_of(&stored.value, quantity.as_ref()).and_then(Summary::tidied),
            date: when.day,
            exact_day: when.precision == Precision::Day,
            at_birth: has("8339-4") || has("31002900"),
            lying: has("8306-3"),
            doubt: value.filter(|value| !plausible(kind, *value)).map(|_| Doubt::OutOfRange),
            standing: stored.standing,
        })
    }
}

/// The one kind all codings agree on.
fn kind_of(known: &[&codes::Measurement]) -> Kind {
    let mut kinds = known.iter().map(|known| match known.code {
        "8302-2" | "8306-3" | "31000298" => Kind::Height,
        "29463-7" | "8339-4" | "31000296" | "31000297" | "31002900" => Kind::Weight,
        "9843-4" | "8287-5" | "31006116" => Kind::HeadCircumference,
        "8279-2" | "31000299" => Kind::ChestCircumference,
        "39156-5" | "31003020" => Kind::Bmi,
        "31003601" => Kind::DegreeOfObesity,
        "31003602" => Kind::RohrerIndex,
        _ => Kind::Other,
    });
    let first = kinds.next().unwrap_or(Kind::Other);
    if kinds.all(|kind| kind == first) { first } else { Kind::Other }
}

/// A quantity in the unit of its kind. The coded unit and the printed one must not contradict each other.
fn canonical(kind: Kind, quantity: &Quantity<'_>, known: &[&codes::Measurement]) -> Option<f64> {
    let factor = |unit: &str| factor(kind, unit);
    let coded = quantity.ucum().filter(|code| !code.is_empty());
    let printed = quantity.printed_unit().filter(|unit| !unit.is_empty());
    let factor = match (coded, printed) {
        (Some(coded), printed) => {
            let coded = factor(coded)?;
            match printed.and_then(factor) {
                Some(other) if other != coded => return None,
                _ => coded,
            }
        }
        (None, Some(printed)) => factor(printed)?,
        // MEDIS has one code for kilograms and one for grams.
        (None, None) => {
            let unit = known.iter().find_map(|known| match known.code {
                "31000296" => Some("kg"),
                "31000297" => Some("g"),
                "31003602" => Some("1"),
                _ => None,
            });
            factor(unit?)?
        }
    };
    let value = quantity.number()? * factor;
    value.is_finite().then_some(value)
}

/// By what a number in this unit (UCUM, or as printed in Japan) is multiplied to be in the unit of the kind.
fn factor(kind: Kind, unit: &str) -> Option<f64> {
    let unit: String = unit.nfkc().filter(|c| !c.is_whitespace()).take(16).collect();
    let known: &[(&str, f64)] = match kind {
        Kind::Height | Kind::HeadCircumference | Kind::ChestCircumference => &[
            ("cm", 1.0),
            ("センチ", 1.0),
            ("センチメートル", 1.0),
            ("m", 100.0),
            ("mm", 0.1),
            ("[in_i]", 2.54),
            ("in", 2.54),
            ("[ft_i]", 30.48),
        ],
        Kind::Weight => &[
            ("kg", 1.0),
            ("キロ", 1.0),
            ("キログラム", 1.0),
            ("g", 0.001),
            ("グラム", 0.001),
            ("[lb_av]", 0.453_592_37),
            ("lb", 0.453_592_37),
            ("lbs", 0.453_592_37),
            ("[oz_av]", 0.028_349_523_125),
        ],
        Kind::Bmi => &[("kg/m2", 1.0), ("kg/m^2", 1.0)],
        Kind::DegreeOfObesity => &[("%", 1.0)],
        Kind::RohrerIndex => &[("1", 1.0)],
        Kind::Other => &[],
    };
    known.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

/// Whether anybody from the smallest premature child to the tallest youth may have such a value.
fn plausible(kind: Kind, value: f64) -> bool {
    let range = match kind {
        Kind::Height => 20.0..=230.0,
        Kind::Weight => 0.2..=250.0,
        Kind::HeadCircumference => 15.0..=70.0,
        Kind::ChestCircumference => 15.0..=160.0,
        Kind::Bmi => 5.0..=80.0,
        Kind::DegreeOfObesity => -60.0..=300.0,
        Kind::RohrerIndex => 50.0..=400.0,
        Kind::Other => return true,
    };
    range.contains(&value)
}
