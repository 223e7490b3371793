//! One line for a person to read, in Japanese and English, for every record.
//!
//! Owns the wording. The content may come from anybody: whatever cannot be read becomes the category's
//! label, and what is shown has no control characters, no direction overrides and a bounded length, so that
//! a terminal can print it. Must not know who reads it or where. Never panics, never allocates beyond the
//! content.

pub(crate) mod concept;
pub(crate) mod findings;
pub(crate) mod numbers;
pub(crate) mod school;
pub(crate) mod terms;
pub(crate) mod text;

use std::fmt;

use serde_json::Value;

use crate::calendar;
use crate::category::Category;
use crate::date::{CalendarDate, wareki};
use crate::fhir::element::HumanName;
use crate::fhir::{Standing, standing};
use crate::immunization;
use crate::ingest::limits;
use concept::Concept;
use text::tidy_body;
pub use text::{BODY_MAX_CHARS, LINE_MAX_CHARS, tidy};

/// Words in both languages, one line unless said otherwise. They are personal data: `Debug` prints `***`.
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

    /// The line in both languages, fit to be shown; `None` when nothing is left of it.
    pub(crate) fn tidied(self) -> Option<Self> {
        let (ja, en) = (tidy(&self.ja), tidy(&self.en));
        let both = !ja.is_empty() && !en.is_empty();
        both.then_some(Self { ja, en })
    }

    /// Text of several lines in both languages, fit to be shown; `None` when nothing is left of it.
    pub(crate) fn tidied_body(self) -> Option<Self> {
        let (ja, en) = (tidy_body(&self.ja), tidy_body(&self.en));
        let both = !ja.is_empty() && !en.is_empty();
        both.then_some(Self { ja, en })
    }

    /// Both lines made by one pattern each, `{}` standing for the line itself.
    pub(crate) fn map(self, ja: impl FnOnce(String) -> String, en: impl FnOnce(String) -> String) -> Self {
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
    if category == Category::SchoolEvent && calendar::is_calendar(content) {
        return school::calendar(content);
    }
    match category {
        Category::SchoolEvent if school::is_cbor(content) => return school::timetable(content),
        Category::SchoolMenu => return school::menu(content),
        Category::SchoolGate => return school::gate(content),
        _ => {}
    }
    // serde_json refuses more than 128 levels by itself.
    let resource: Value = serde_json::from_slice(content).ok()?;
    match category {
        Category::Patient => patient(&resource, content),
        Category::Immunization => vaccination(&resource),
        Category::Growth => findings::measurement(&resource, content),
        Category::PrenatalCheckup | Category::InfantCheckup | Category::HealthExam => {
            findings::finding(&resource, content)
        }
        Category::Allergy => allergy(&resource),
        Category::Prescription => prescription(&resource),
        Category::SchoolNotice => school::notice(&resource),
        Category::SchoolEvent => school::event_name(&resource),
        Category::SchoolMenu | Category::SchoolGate => None,
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
fn vaccination(resource: &Value) -> Option<Summary> {
    let vaccine = Concept::of(resource.get("vaccineCode")?);
    let known = vaccine.codings().find_map(|(system, code)| immunization::coded(system, code));
    let name = vaccine.words(known.map(|vaccine| vaccine.label))?;
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
    let substance = substance(resource)?;
    let name = {
        let known = substance.find(&terms::JFAGY_FOODS).or_else(|| substance.find(&terms::ALLERGIES));
        substance.words(known.map(terms::Term::label))?
    };
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

/// What somebody is allergic to.
pub(crate) fn substance(resource: &Value) -> Option<Concept<'_>> {
    resource.get("code").or_else(|| resource.pointer("/reaction/0/substance")).map(Concept::of)
}

/// Medicine and how to take it.
fn prescription(resource: &Value) -> Option<Summary> {
    let medicine = medicine(resource)?;
    Some(match dosages(resource).next() {
        Some(text) => medicine.map(|ja| format!("{ja}({text})"), |en| format!("{en} ({text})")),
        None => medicine,
    })
}

/// The name of a medicine prescribed, dispensed or taken.
pub(crate) fn medicine(resource: &Value) -> Option<Summary> {
    match resource.get("medicationCodeableConcept") {
        Some(code) => Concept::of(code).words(None),
        None => referenced_medicine(resource),
    }
}

/// How to take it, in the words of each instruction.
pub(crate) fn dosages(resource: &Value) -> impl Iterator<Item = &str> {
    let lists = ["dosageInstruction", "dosage"].into_iter().filter_map(|element| resource.get(element));
    lists.filter_map(Value::as_array).flatten().filter_map(|dosage| dosage.get("text")?.as_str())
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

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::any_resource;
