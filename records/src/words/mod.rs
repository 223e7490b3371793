//! One line for a person to read, in Japanese and English, for every record.
//!
//! Owns the wording. The content may come from anybody: whatever cannot be read becomes the category's
//! label, and what is shown has no control characters, no direction overrides and a bounded length, so that
//! a terminal can print it. Must not know who reads it or where. Never panics, never allocates beyond the
//! content.

mod concept;
mod findings;
mod numbers;
mod school;
mod terms;

use std::fmt;

use serde_json::Value;

use crate::category::Category;
use crate::date::{CalendarDate, wareki};
use crate::fhir::element::HumanName;
use crate::fhir::{Standing, standing};
use crate::ingest::limits;
use concept::Concept;

/// Longest line in either language, in characters.
pub const LINE_MAX_CHARS: usize = 120;

/// One line in both languages. It is personal data: `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Summary {
    /// Japanese.
    pub ja: String,
    /// English, as far as the content is.
    pub en: String,
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Summary(***)")
    }
}

impl Summary {
    pub(crate) fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// Both lines made by one pattern each, `{}` standing for the line itself.
    fn map(self, ja: impl FnOnce(String) -> String, en: impl FnOnce(String) -> String) -> Self {
        Self { ja: ja(self.ja), en: en(self.en) }
    }
}

/// The line for a record of this category with this content.
///
/// A record that was entered in error, or that says something was not done, says so first.
pub fn summary(category: Category, content: &[u8]) -> Summary {
    let label = category.label();
    let found = describe(category, content).map(|line| line.map(|ja| tidy(&ja), |en| tidy(&en)));
    let mut line = found.unwrap_or_else(|| Summary::new("", ""));
    if line.ja.is_empty() {
        label.ja.clone_into(&mut line.ja);
    }
    if line.en.is_empty() {
        label.en.clone_into(&mut line.en);
    }
    match standing(content) {
        Standing::Valid => line,
        Standing::Negated => line.map(|ja| format!("【実施せず】{ja}"), |en| format!("(not done) {en}")),
        Standing::EnteredInError => line.map(|ja| format!("【取消】{ja}"), |en| format!("(withdrawn) {en}")),
    }
}

fn describe(category: Category, content: &[u8]) -> Option<Summary> {
    if content.len() > limits::RESOURCE_MAX_BYTES {
        return None;
    }
    if category == Category::SchoolEvent && content.starts_with(b"BEGIN:VCALENDAR") {
        return school::calendar(content);
    }
    // serde_json refuses more than 128 levels by itself.
    let resource: Value = serde_json::from_slice(content).ok()?;
    match category {
        Category::Patient => patient(&resource, content),
        Category::Immunization => immunization(&resource),
        Category::Growth => findings::measurement(&resource, content),
        Category::PrenatalCheckup | Category::InfantCheckup | Category::HealthExam => {
            findings::finding(&resource, content)
        }
        Category::Allergy => allergy(&resource),
        Category::Prescription => prescription(&resource),
        Category::SchoolNotice => school::notice(&resource),
        Category::SchoolEvent => school::event(&resource),
    }
}

/// Name and birth date.
fn patient(resource: &Value, content: &[u8]) -> Option<Summary> {
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Vec<HumanName<'a>>,
    }
    let named: Named<'_> = serde_json::from_slice(content).ok()?;
    let (name, _) = crate::person::choose_names(&named.name)?;
    let birth: Option<CalendarDate> = resource.get("birthDate").and_then(Value::as_str)?.parse().ok();
    Some(match birth {
        Some(day) => {
            Summary::new(format!("{name}({}生)", wareki::format_long(day)), format!("{name} (born {day})"))
        }
        None => Summary::new(name.clone(), name),
    })
}

/// Vaccine, series and dose.
fn immunization(resource: &Value) -> Option<Summary> {
    let vaccine = Concept::of(resource.get("vaccineCode")?);
    let known = vaccine.find(&terms::VACCINES);
    let name = vaccine.words(known)?;
    let protocol = resource.pointer("/protocolApplied/0");
    let series = protocol.and_then(|protocol| protocol.get("series")).and_then(Value::as_str);
    let dose = protocol.and_then(|protocol| {
        let number = protocol.get("doseNumberPositiveInt").and_then(Value::as_u64).map(|n| n.to_string());
        number.or_else(|| Some(protocol.get("doseNumberString")?.as_str()?.to_owned()))
    });
    let name = match series {
        Some(series) => name.map(|ja| format!("{ja} {series}"), |en| format!("{en}, {series}")),
        None => name,
    };
    Some(match dose {
        Some(dose) if dose.bytes().all(|b| b.is_ascii_digit()) => {
            name.map(|ja| format!("{ja} {dose}回目"), |en| format!("{en}, dose {dose}"))
        }
        Some(dose) => name.map(|ja| format!("{ja} {dose}"), |en| format!("{en}, {dose}")),
        None => name,
    })
}

/// Substance, and whether it is dangerous or past.
fn allergy(resource: &Value) -> Option<Summary> {
    let code = resource.get("code").or_else(|| resource.pointer("/reaction/0/substance"))?;
    let substance = Concept::of(code);
    let name = substance.words(substance.find(&terms::ALLERGIES))?;
    let name = match resource.get("criticality").and_then(Value::as_str) {
        Some("high") => name.map(|ja| format!("{ja}(重い反応のおそれ)"), |en| format!("{en} (high risk)")),
        _ => name,
    };
    let clinical = resource.pointer("/clinicalStatus/coding/0/code").and_then(Value::as_str);
    Some(match clinical {
        Some("resolved") => name.map(|ja| format!("{ja}(治癒)"), |en| format!("{en} (resolved)")),
        Some("inactive") => name.map(|ja| format!("{ja}(現在なし)"), |en| format!("{en} (inactive)")),
        _ => name,
    })
}

/// Medicine and how to take it.
fn prescription(resource: &Value) -> Option<Summary> {
    let medicine = match resource.get("medicationCodeableConcept") {
        Some(code) => Concept::of(code).words(None)?,
        None => referenced_medicine(resource)?,
    };
    let dosage = ["dosageInstruction", "dosage"]
        .into_iter()
        .find_map(|element| resource.get(element)?.get(0)?.get("text")?.as_str());
    Some(match dosage {
        Some(text) => medicine.map(|ja| format!("{ja}({text})"), |en| format!("{en} ({text})")),
        None => medicine,
    })
}

/// The medicine a reference leads to within the resource, or the words beside the reference.
fn referenced_medicine(resource: &Value) -> Option<Summary> {
    let reference = resource.get("medicationReference")?;
    let contained = || {
        let id = reference.get("reference")?.as_str()?.strip_prefix('#')?;
        let inside = resource.get("contained")?.as_array()?;
        let medicine = inside.iter().find(|it| it.get("id").and_then(Value::as_str) == Some(id))?;
        Concept::of(medicine.get("code")?).words(None)
    };
    contained().or_else(|| {
        let display = reference.get("display")?.as_str()?;
        Some(Summary::new(display, display))
    })
}

/// One line without anything that could steer a terminal or a reader's eye.
pub(crate) fn tidy(text: &str) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let visible = || word.chars().filter(|c| !steers(*c));
        let length = visible().count();
        if length == 0 {
            continue;
        }
        let gap = usize::from(!line.is_empty());
        if chars + gap + length > LINE_MAX_CHARS {
            let room = LINE_MAX_CHARS.saturating_sub(chars + gap + 1);
            if gap == 1 {
                line.push(' ');
            }
            line.extend(visible().take(room));
            line.push('…');
            return line;
        }
        if gap == 1 {
            line.push(' ');
        }
        line.extend(visible());
        chars += gap + length;
    }
    line
}

/// Characters that are not seen but change what is: direction marks and overrides, joiners, tags, fillers.
fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{061C}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests;
