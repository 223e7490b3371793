//! Measured values for display.
//!
//! The stored decimal is never touched; what is shown is shortened only where nobody measured that finely.
//! Must not know what is measured.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Digits behind the point that a scale or a tape may have shown: grams of a weight in kilograms.
const MEASURED_DECIMALS: usize = 3;

#[derive(Deserialize)]
struct Measured<'a> {
    #[serde(borrow, rename = "valueQuantity")]
    quantity: Quantity<'a>,
}

#[derive(Deserialize)]
struct Quantity<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    unit: Option<String>,
    code: Option<String>,
}

/// `valueQuantity` of a resource, such as `52.7 cm`: as written, or with one decimal where more were
/// written than anybody measures.
pub(super) fn quantity(content: &[u8]) -> Option<String> {
    let Measured { quantity } = serde_json::from_slice(content).ok()?;
    let value = shown(quantity.value.get())?;
    Some(match quantity.unit.or(quantity.code).as_deref().map(str::trim) {
        None | Some("" | "1") => value,
        Some("%") => format!("{value}%"),
        Some(unit) => format!("{value} {unit}"),
    })
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
        let content = br#"{"valueQuantity":{"value":9.80,"unit":"kg"}}"#;
        assert_eq!(quantity(content).as_deref(), Some("9.80 kg"));
        assert_eq!(quantity(br#"{"valueQuantity":{"value":12,"unit":"%"}}"#).as_deref(), Some("12%"));
        assert_eq!(quantity(br#"{"valueQuantity":{}}"#), None);
    }
}
