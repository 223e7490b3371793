//! Measured values for display.
//!
//! The stored decimal is never touched; what is shown is shortened only where nobody measured that finely.
//! Must not know what is measured.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Digits behind the point that a scale or a tape may have shown: grams of a weight in kilograms.
const MEASURED_DECIMALS: usize = 3;

/// The Unified Code for Units of Measure.
const UCUM: &str = "http://unitsofmeasure.org";

/// The Quantity elements of a resource that are shown.
#[derive(Deserialize)]
pub(crate) struct Quantities<'a> {
    /// Value of an Observation.
    #[serde(borrow, default, rename = "valueQuantity")]
    pub(crate) value: Option<Quantity<'a>>,
    /// Components of an Observation, in their order.
    #[serde(borrow, default)]
    pub(crate) component: Vec<Component<'a>>,
    /// Amount of a medicine.
    #[serde(borrow, default)]
    pub(crate) quantity: Option<Quantity<'a>>,
}

/// A part of an Observation that has a value of its own.
#[derive(Deserialize)]
pub(crate) struct Component<'a> {
    #[serde(borrow, default, rename = "valueQuantity")]
    pub(crate) value: Option<Quantity<'a>>,
}

/// A FHIR Quantity whose decimal is kept as it was written.
#[derive(Deserialize)]
pub(crate) struct Quantity<'a> {
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    comparator: Option<String>,
    unit: Option<String>,
    system: Option<String>,
    code: Option<String>,
}

impl<'a> Quantities<'a> {
    /// Those of verbatim content; `None` where any has a shape that FHIR does not allow.
    pub(crate) fn of(content: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(content).ok()
    }
}

impl Quantity<'_> {
    /// The quantity such as `52.7 cm` or `<8`: the number as written, or with one decimal where more were
    /// written than anybody measures.
    pub(crate) fn shown(&self) -> Option<String> {
        let comparator = match self.comparator.as_deref() {
            None => "",
            Some(known @ ("<" | "<=" | ">=" | ">")) => known,
            Some(_) => return None,
        };
        let value = shown(self.value?.get())?;
        Some(match self.unit() {
            None | Some("" | "1") => format!("{comparator}{value}"),
            Some("%") => format!("{comparator}{value}%"),
            Some(unit) => format!("{comparator}{value} {unit}"),
        })
    }

    /// The number, unless it is only a bound.
    pub(crate) fn number(&self) -> Option<f64> {
        let value: f64 = self.value?.get().parse().ok()?;
        (value.is_finite() && self.comparator.is_none()).then_some(value)
    }

    /// The number as it is shown, unless it is only a bound.
    pub(crate) fn shown_number(&self) -> Option<String> {
        self.number()?;
        shown(self.value?.get())
    }

    /// The unit as it is shown.
    pub(crate) fn unit(&self) -> Option<&str> {
        self.unit.as_deref().or(self.code.as_deref()).map(str::trim)
    }

    /// The unit as printed for people, where it is.
    pub(crate) fn printed_unit(&self) -> Option<&str> {
        self.unit.as_deref().map(str::trim)
    }

    /// The unit of the Unified Code for Units of Measure, where one is coded.
    pub(crate) fn ucum(&self) -> Option<&str> {
        let ucum = self.system.as_deref().is_none_or(|system| system == UCUM);
        self.code.as_deref().filter(|_| ucum).map(str::trim)
    }
}

fn shown(number: &str) -> Option<String> {
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let value: f64 = number.parse().ok()?;
    if !value.is_finite() || value.abs() >= 1e12 {
        return None;
    }
    Some(if plain && decimals <= MEASURED_DECIMALS { number.to_owned() } else { format!("{value:.1}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_number_is_shown_as_written() {
        for (number, expected) in [
            ("52.692030001960916", Some("52.7")),
            ("3.250", Some("3.250")),
            ("100", Some("100")),
            ("-1.5", Some("-1.5")),
            ("1e2", Some("100.0")),
            ("1e300", None),
            ("\"52\"", None),
            ("null", None),
        ] {
            assert_eq!(shown(number).as_deref(), expected, "{number}");
        }
        let quantity = |text: &str| {
            let content = format!(r#"{{"valueQuantity":{text}}}"#);
            Quantities::of(content.as_bytes())?.value?.shown()
        };
        assert_eq!(quantity(r#"{"value":9.80,"unit":"kg"}"#).as_deref(), Some("9.80 kg"));
        assert_eq!(quantity(r#"{"value":12,"unit":"%"}"#).as_deref(), Some("12%"));
        assert_eq!(quantity(r#"{"value":8,"comparator":"<","code":"1"}"#).as_deref(), Some("<8"));
        assert_eq!(quantity(r#"{"value":8,"comparator":"about"}"#), None);
        assert_eq!(quantity("{}"), None);
    }
}
