//! Rubella antibody tests: method, value and what the value is held to mean.
//!
//! Thresholds: 風疹流行および先天性風疹症候群の発生抑制に関する緊急提言 (2004) and the guide of 日本産科婦人科学会・医会 for
//! pregnancy: HI of 16 or less is low (vaccinate after delivery), 256 or more may be a recent infection. Values
//! by EIA differ from kit to kit: only a low one (EIA価 below 8.0) is said to be low, nothing is said to be enough.
//! Must not know dates and places.

use super::{codings, has_word, names_rubella, plain, texts};
use crate::fhir::codes::{LOINC, SNOMED};
use crate::fhir::node::Node;
use crate::words::{Summary, tidy};

const JLAC10: &str = "urn:oid:1.2.392.200119.4.504";
/// 風疹ウイルス抗体; the digits behind it tell class, material and method.
const JLAC10_RUBELLA: &str = "5F395";

/// How it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// 赤血球凝集抑制反応, a titre in twofold dilutions.
    Hi,
    /// 酵素免疫測定法 (IgG).
    Eia,
    /// IgM: about an infection, not about immunity.
    Igm,
    /// The record does not say.
    Unstated,
}

/// A titre: the last dilution that still reacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Titre {
    /// Dilution, such as 32.
    pub dilution: u32,
    /// The reaction was absent already at this dilution (8倍未満).
    pub below: bool,
}

/// What a value is held to mean in view of a pregnancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Immunity {
    /// Low: vaccination is recommended, never in pregnancy.
    Low,
    /// Held to be enough.
    Enough,
    /// High; in pregnancy a doctor looks whether it is a recent infection.
    High,
    /// Not to be told from this value.
    NotJudged,
}

/// One antibody test.
#[derive(Clone, PartialEq, Eq)]
pub struct Antibody {
    /// Method.
    pub method: Method,
    /// The value with its unit as recorded, digit for digit; `None` where only the test is recorded.
    pub value: Option<String>,
    /// The value as a titre, for [`Method::Hi`].
    pub titre: Option<Titre>,
    /// What it is held to mean.
    pub immunity: Immunity,
}

impl Antibody {
    /// One line.
    pub fn words(&self) -> Summary {
        let (ja, en) = match self.method {
            Method::Hi => ("風しん抗体検査(HI法)", "Rubella antibody (HI)"),
            Method::Eia => ("風しん抗体検査(EIA法 IgG)", "Rubella antibody (EIA IgG)"),
            Method::Igm => ("風しん抗体検査(IgM)", "Rubella antibody (IgM)"),
            Method::Unstated => ("風しん抗体検査", "Rubella antibody test"),
        };
        match (&self.value, self.titre) {
            (_, Some(Titre { dilution, below: true })) => {
                Summary::new(format!("{ja} {dilution}倍未満"), format!("{en} below {dilution}"))
            }
            (_, Some(Titre { dilution, below: false })) => {
                Summary::new(format!("{ja} {dilution}倍"), format!("{en} {dilution}"))
            }
            (Some(value), None) => Summary::new(format!("{ja} {value}"), format!("{en} {value}")),
            (None, None) => {
                Summary::new(format!("{ja}(結果の値は記録にありません)"), format!("{en} (no value recorded)"))
            }
        }
    }
}

/// The antibody values of an Observation, its own and those of its components.
pub(super) fn read(resource: Node<'_>) -> Vec<Antibody> {
    let components = resource.get("component").map(Node::items).unwrap_or_default();
    let within: Vec<Antibody> = components.into_iter().filter_map(one).collect();
    match one(resource) {
        // The observation as a whole only names what its components measure.
        Some(own) if own.value.is_none() && !within.is_empty() => within,
        own => own.into_iter().chain(within).collect(),
    }
}

/// A Procedure that records the test without its value.
pub(super) fn screening(resource: Node<'_>) -> Option<Antibody> {
    let code = resource.get("code");
    let coded = codings(code).iter().any(|(system, code)| system == SNOMED && code == "169690007");
    let named = || texts(code).iter().any(|text| names_test(text));
    (coded || named()).then_some(Antibody {
        method: Method::Unstated,
        value: None,
        titre: None,
        immunity: Immunity::NotJudged,
    })
}

fn one(node: Node<'_>) -> Option<Antibody> {
    let code = node.get("code");
    let (codings, texts) = (codings(code), texts(code));
    let coded = codings.iter().find_map(|(system, code)| match (system.as_str(), code.as_str()) {
        (LOINC, "22497-2") => Some(Method::Hi),
        (LOINC, "8014-3") => Some(Method::Eia),
        (SNOMED, "169690007") => Some(Method::Unstated),
        (JLAC10, code) if code.starts_with(JLAC10_RUBELLA) => Some(Method::Unstated),
        _ => None,
    });
    if coded.is_none() && !texts.iter().any(|text| names_test(text)) {
        return None;
    }
    let said = node.get("method").map(|method| self::texts(Some(method))).unwrap_or_default();
    let value = value(node);
    let method = match coded {
        Some(method @ (Method::Hi | Method::Eia)) => method,
        _ => texts.iter().chain(&said).find_map(|text| method_of(text)).unwrap_or(match &value {
            Some(Value { titre_like: true, .. }) => Method::Hi,
            _ => Method::Unstated,
        }),
    };
    let titre = value.as_ref().filter(|_| method == Method::Hi).and_then(|value| titre(&value.written));
    let immunity = match (method, titre, &value) {
        (Method::Hi, Some(titre), _) => of_titre(titre),
        (Method::Eia, _, Some(value)) => of_eia(value),
        _ => Immunity::NotJudged,
    };
    let value = value.map(|value| tidy(&value.written)).filter(|text| !text.is_empty());
    Some(Antibody { method, value, titre, immunity })
}

/// Whether a prepared text names a rubella antibody test.
fn names_test(text: &str) -> bool {
    let test = ["抗体", "検査", "スクリーニング", "ANTIBOD", "IGG", "IGM", "EIA", "TITER", "TITRE", "SCREEN"];
    names_rubella(text)
        && (test.iter().any(|word| text.contains(word)) || has_word(text, "AB") || has_word(text, "HI"))
}

fn method_of(text: &str) -> Option<Method> {
    if text.contains("IGM") {
        return Some(Method::Igm);
    }
    if has_word(text, "HI") || has_word(text, "HAI") || text.contains("赤血球凝集") {
        return Some(Method::Hi);
    }
    let eia = ["EIA", "ELISA", "IGG", "酵素免疫"];
    eia.iter().any(|word| text.contains(word)).then_some(Method::Eia)
}

struct Value {
    /// With comparator and unit.
    written: String,
    number: Option<String>,
    unit: String,
    comparator: String,
    /// Its form is that of a titre: 32倍, 1:32, {titer}.
    titre_like: bool,
}

fn value(node: Node<'_>) -> Option<Value> {
    let text = |path: &[&str]| node.at(path).and_then(Node::text).map(std::borrow::Cow::into_owned);
    if let Some(number) = node.at(&["valueQuantity", "value"]).and_then(Node::number) {
        let unit =
            text(&["valueQuantity", "unit"]).or_else(|| text(&["valueQuantity", "code"])).unwrap_or_default();
        let comparator = text(&["valueQuantity", "comparator"]).unwrap_or_default();
        let bare = plain(&unit);
        let titre_like = bare.contains('倍') || bare.contains("TITER") || bare.contains("TITRE");
        let shown = match bare.as_str() {
            "" | "1" => String::new(),
            _ if titre_like => "倍".to_owned(),
            _ => format!(" {unit}"),
        };
        return Some(Value {
            written: format!("{comparator}{number}{shown}"),
            number: Some(number.to_owned()),
            unit: bare,
            comparator,
            titre_like,
        });
    }
    let part = |name| node.at(&["valueRatio", name, "value"]).and_then(Node::number);
    let written = match (part("numerator"), part("denominator")) {
        (Some("1"), Some(dilution)) => format!("1:{dilution}"),
        _ => node
            .get("valueInteger")
            .and_then(Node::number)
            .map(str::to_owned)
            .or_else(|| text(&["valueString"]))
            .or_else(|| text(&["valueCodeableConcept", "text"]))
            .or_else(|| text(&["valueCodeableConcept", "coding", "display"]))?,
    };
    let titre_like = written.contains('倍') || written.starts_with("1:");
    let number = node.get("valueInteger").and_then(Node::number).map(str::to_owned);
    Some(Value { written, number, unit: String::new(), comparator: String::new(), titre_like })
}

/// Reads `32`, `32倍`, `×32`, `1:32`, `<8`, `8倍未満`, `8倍未満(陰性)`. A dilution is a whole number of two digits' doublings
/// of eight or ten; anything else is no titre.
fn titre(written: &str) -> Option<Titre> {
    let text = plain(written);
    let text = text.trim().trim_start_matches(['×', 'X']);
    let below = text.contains('<') || text.contains("未満");
    let text = text.trim_start_matches(['<', '>', '=', '≥', '≧', '≤', '≦', ' ']);
    let text = text.strip_prefix("1:").unwrap_or(text).trim_start();
    let digits = text.split(|c: char| !c.is_ascii_digit()).next().filter(|digits| !digits.is_empty())?;
    if text.get(digits.len()..).is_some_and(|rest| rest.starts_with(['.', ',', ':', '/']))
        && !whole(text, digits)
    {
        return None;
    }
    let dilution: u32 = digits.parse().ok()?;
    (1..=65_536).contains(&dilution).then_some(Titre { dilution, below })
}

/// Whether what follows the digits is only `.0…`.
fn whole(text: &str, digits: &str) -> bool {
    let rest = text.get(digits.len()..).and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| {
        let decimals = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        !decimals.is_empty() && decimals.bytes().all(|digit| digit == b'0')
    })
}

fn of_titre(titre: Titre) -> Immunity {
    match (titre.below, titre.dilution) {
        (true, ..=32) | (false, ..=16) => Immunity::Low,
        (false, 32..=255) => Immunity::Enough,
        (false, 256..) => Immunity::High,
        // Below something high; or between 16 and 32, where no dilution series has a step.
        (true, 33..) | (false, 17..=31) => Immunity::NotJudged,
    }
}

fn of_eia(value: &Value) -> Immunity {
    // 国際単位 has other thresholds than EIA価, kit by kit.
    if value.unit.contains("IU") || value.comparator.starts_with('>') {
        return Immunity::NotJudged;
    }
    let number: Option<f64> = value.number.as_deref().and_then(|number| number.parse().ok());
    match number {
        Some(number) if (0.0..8.0).contains(&number) => Immunity::Low,
        _ => Immunity::NotJudged,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titres_are_read_in_every_spelling() {
        for (text, dilution, below) in [
            ("32", 32, false),
            ("32倍", 32, false),
            ("３２倍", 32, false),
            ("×32", 32, false),
            ("1:32", 32, false),
            ("16.0倍", 16, false),
            ("<8", 8, true),
            ("< 8倍", 8, true),
            ("8倍未満", 8, true),
            ("8倍未満(陰性)", 8, true),
            ("512倍以上", 512, false),
        ] {
            assert_eq!(titre(text), Some(Titre { dilution, below }), "{text}");
        }
        for text in ["", "陰性", "(+)", "16.5", "0倍", "9999999999", "1:1:8", "8/16"] {
            assert_eq!(titre(text), None, "{text}");
        }
    }

    #[test]
    fn titres_are_judged_by_the_published_steps() {
        let of = |dilution, below| of_titre(Titre { dilution, below });
        assert_eq!(of(8, true), Immunity::Low);
        assert_eq!(of(8, false), Immunity::Low);
        assert_eq!(of(16, false), Immunity::Low);
        assert_eq!(of(32, true), Immunity::Low);
        assert_eq!(of(32, false), Immunity::Enough);
        assert_eq!(of(128, false), Immunity::Enough);
        assert_eq!(of(256, false), Immunity::High);
        assert_eq!(of(64, true), Immunity::NotJudged);
        assert_eq!(of(20, false), Immunity::NotJudged);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_survived(text in "\\PC{0,24}") {
            let _ = titre(&text);
        }
    }
}
