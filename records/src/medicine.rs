//! Medicines (お薬手帳) as typed facts: what was prescribed, dispensed or taken, how, and for how long.
//!
//! Only what is stated: no dose is computed and no interaction judged. Must not know where records are kept.

use serde::Deserialize;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::category::Label;
use crate::date::{CalendarDate, FhirTime};
use crate::fhir::stored::Stored;
use crate::fhir::{Reason, Standing};
use crate::redacted::redacted;
use crate::words::numbers::{Quantities, Quantity};
use crate::words::text::{tidy, tidy_body};
use crate::words::{self, Summary};

/// Longest supply that is believed, in days: a year and a leap day.
const SUPPLY_MAX_DAYS: u32 = 366;

/// One entry of a medicine notebook.
#[derive(Clone, PartialEq, Eq)]
pub struct Medicine {
    /// Name of the medicine.
    pub name: Summary,
    /// What the entry records.
    pub act: Act,
    /// How to take it, in the words of the label; one line for each instruction.
    pub dosage: Option<String>,
    /// How much was handed over, as written.
    pub amount: Option<String>,
    /// For how many days it is, where that is stated.
    pub days: Option<u32>,
    /// The day it was handed over, prescribed, or taken from; in Japan.
    pub date: CalendarDate,
    /// The last day, where an end or a number of days is stated.
    pub until: Option<CalendarDate>,
    /// What the institution says of its state.
    pub status: Option<Status>,
    /// Whether the record still holds.
    pub standing: Standing,
}

redacted!(Medicine);

/// What an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// 処方: a doctor prescribed it.
    Prescribed,
    /// 調剤: a pharmacy handed it over.
    Dispensed,
    /// 服用: somebody says that it is or was taken.
    Taken,
}

impl Act {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Prescribed => Label { ja: "処方", en: "Prescribed" },
            Self::Dispensed => Label { ja: "調剤", en: "Dispensed" },
            Self::Taken => Label { ja: "服用", en: "Taken" },
        }
    }
}

/// State of a prescription, a dispensing or a statement (the codes of FHIR R4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being taken, or in preparation.
    Active,
    /// Done.
    Completed,
    /// Paused.
    OnHold,
    /// Stopped before its end.
    Stopped,
    /// Did not happen.
    Cancelled,
    /// Planned only.
    Planned,
    /// Entered in error.
    Withdrawn,
}

redacted!(Status);

impl Status {
    fn of(code: &str) -> Option<Self> {
        Some(match code {
            "active" | "in-progress" | "preparation" => Self::Active,
            "completed" => Self::Completed,
            "on-hold" => Self::OnHold,
            "stopped" => Self::Stopped,
            "cancelled" | "declined" | "not-taken" => Self::Cancelled,
            "draft" | "intended" => Self::Planned,
            "entered-in-error" => Self::Withdrawn,
            _ => return None,
        })
    }

    /// What a guardian reads of an entry of this kind.
    pub const fn label(self, act: Act) -> Label {
        match (self, act) {
            (Self::Active, Act::Dispensed) => Label { ja: "調剤中", en: "In preparation" },
            (Self::Active, Act::Prescribed) => Label { ja: "処方中", en: "Active" },
            (Self::Active, Act::Taken) => Label { ja: "服用中", en: "Being taken" },
            (Self::Completed, Act::Dispensed) => Label { ja: "お渡し済み", en: "Handed over" },
            (Self::Completed, _) => Label { ja: "終了", en: "Completed" },
            (Self::OnHold, _) => Label { ja: "休止中", en: "On hold" },
            (Self::Stopped, _) => Label { ja: "中止", en: "Stopped" },
            (Self::Cancelled, _) => Label { ja: "実施せず", en: "Not done" },
            (Self::Planned, _) => Label { ja: "予定", en: "Planned" },
            (Self::Withdrawn, _) => Label { ja: "取消", en: "Withdrawn" },
        }
    }
}

/// The FHIR durations of a supply.
#[derive(Deserialize)]
struct Supply<'a> {
    #[serde(borrow, default, rename = "daysSupply")]
    dispensed: Option<Quantity<'a>>,
    #[serde(borrow, default, rename = "dispenseRequest")]
    request: Option<DispenseRequest<'a>>,
}

#[derive(Deserialize)]
struct DispenseRequest<'a> {
    #[serde(borrow, default, rename = "expectedSupplyDuration")]
    duration: Option<Quantity<'a>>,
    #[serde(borrow, default)]
    quantity: Option<Quantity<'a>>,
}

impl Medicine {
    /// Reads verbatim content of a record of category prescription.
    ///
    /// # Errors
    /// It is no MedicationRequest, MedicationDispense or MedicationStatement, names no medicine, or cannot be
    /// dated; the caller shows its one line ([`crate::words::summary`]) instead.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        let types = ["MedicationRequest", "MedicationDispense", "MedicationStatement"];
        let stored = Stored::of_types(content, &types)?;
        let date = stored.when?.day;
        let act = match stored.kind() {
            "MedicationRequest" => Act::Prescribed,
            "MedicationDispense" => Act::Dispensed,
            _ => Act::Taken,
        };
        let name = words::medicine(&stored.value).and_then(Summary::tidied);
        let name = name.ok_or(Reason::Missing("medicationCodeableConcept"))?;
        let dosage: Vec<String> =
            words::dosages(&stored.value).map(tidy).filter(|line| !line.is_empty()).collect();
        let dosage = tidy_body(&dosage.join("\n"));
        let supply: Option<Supply<'_>> = serde_json::from_slice(content).ok();
        let requested = supply.as_ref().and_then(|supply| supply.request.as_ref());
        let handed = Quantities::of(content).and_then(|quantities| quantities.quantity);
        let amount = handed.as_ref().or_else(|| requested?.quantity.as_ref()).and_then(amount);
        let coded = supply.as_ref().and_then(|supply| supply.dispensed.as_ref());
        let coded = coded.or_else(|| requested?.duration.as_ref()).and_then(in_days);
        let days = coded.or_else(|| bounds(&stored.value)).or_else(|| days_in(&dosage));
        let status = stored.text("/status").and_then(Status::of);
        Ok(Self {
            name,
            act,
            amount,
            days,
            date,
            until: end(&stored).or_else(|| last_day(date, days)).filter(|day| *day >= date),
            dosage: Some(dosage).filter(|dosage| !dosage.is_empty()),
            status,
            standing: stored.standing,
        })
    }

    /// Whether its stated days contain this day; `None` where no end is stated, or it never came to it.
    pub fn covers(&self, day: CalendarDate) -> Option<bool> {
        let ended = matches!(
            self.status,
            Some(Status::Stopped | Status::Cancelled | Status::Planned | Status::Withdrawn)
        );
        let until = self.until.filter(|_| self.standing == Standing::Valid && !ended)?;
        Some((self.date..=until).contains(&day))
    }
}

/// The entries, which may be in any order, newest first: their places in the list given.
pub fn newest_first(medicines: &[Medicine]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..medicines.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(medicines.get(*place).map(|it| it.date)));
    places
}

fn amount(quantity: &Quantity<'_>) -> Option<String> {
    // Some systems print number and unit into the unit alone.
    let shown = quantity.shown().or_else(|| quantity.unit().map(str::to_owned));
    shown.map(|text| tidy(&text)).filter(|text| !text.is_empty())
}

/// A duration in whole days.
fn in_days(quantity: &Quantity<'_>) -> Option<u32> {
    let unit = quantity.ucum().filter(|code| !code.is_empty()).or_else(|| quantity.unit());
    let factor = match unit {
        Some("d" | "日" | "日分" | "day" | "days") => 1.0,
        Some("wk" | "週" | "週間" | "week" | "weeks") => 7.0,
        _ => return None,
    };
    believed((quantity.number()? * factor).round())
}

fn believed(days: f64) -> Option<u32> {
    (1.0..=f64::from(SUPPLY_MAX_DAYS)).contains(&days).then_some(days as u32)
}

/// `timing.repeat.boundsDuration` of the first instruction.
fn bounds(resource: &Value) -> Option<u32> {
    let dosage =
        ["dosageInstruction", "dosage"].into_iter().find_map(|element| resource.get(element)?.get(0))?;
    let duration = dosage.pointer("/timing/repeat/boundsDuration")?;
    let factor = match duration.get("code").or_else(|| duration.get("unit"))?.as_str()? {
        "d" => 1.0,
        "wk" => 7.0,
        _ => return None,
    };
    believed((duration.get("value")?.as_f64()? * factor).round())
}

/// `14日分` in the words of the label; only where there is one such number.
fn days_in(dosage: &str) -> Option<u32> {
    let plain: String = dosage.nfkc().collect();
    let mut found = plain.match_indices("日分").filter_map(|(at, _)| {
        let before = plain.get(..at)?.trim_end();
        let start = before.char_indices().rev().take_while(|(_, c)| c.is_ascii_digit()).last()?.0;
        before.get(start..)?.parse::<u32>().ok()
    });
    let days = found.next().filter(|days| (1..=SUPPLY_MAX_DAYS).contains(days))?;
    found.all(|other| other == days).then_some(days)
}

/// The end of a stated period.
fn end(stored: &Stored<'_>) -> Option<CalendarDate> {
    let paths = [
        "/effectivePeriod/end",
        "/dosageInstruction/0/timing/repeat/boundsPeriod/end",
        "/dosage/0/timing/repeat/boundsPeriod/end",
    ];
    paths.iter().find_map(|path| stored.time(path)).map(|FhirTime { day, .. }| day)
}

fn last_day(first: CalendarDate, days: Option<u32>) -> Option<CalendarDate> {
    first.plus_days(i32::try_from(days?).ok()? - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::date::tests::day;

    fn dispensed(dosage: &str) -> Value {
        json!({
            "resourceType": "MedicationDispense", "status": "completed",
            "medicationCodeableConcept": { "text": "アモキシシリン細粒10%" },
            "whenHandedOver": "2026-11-01", "quantity": { "unit": "21 g" },
            "dosageInstruction": [{ "text": dosage }],
        })
    }

    fn read(resource: &Value) -> Medicine {
        Medicine::read(resource.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_a_pharmacy_writes_is_read() {
        let medicine = read(&dispensed("1日3回 毎食後 7日分"));
        assert_eq!((medicine.name.ja.as_str(), medicine.act), ("アモキシシリン細粒10%", Act::Dispensed));
        assert_eq!(medicine.dosage.as_deref(), Some("1日3回 毎食後 7日分"));
        assert_eq!((medicine.amount.as_deref(), medicine.days), (Some("21 g"), Some(7)));
        assert_eq!(medicine.until, Some(day("2026-11-07")));
        assert_eq!(medicine.covers(day("2026-11-07")), Some(true));
        assert_eq!(medicine.covers(day("2026-11-08")), Some(false));
        assert_eq!(medicine.status.unwrap().label(medicine.act).ja, "お渡し済み");
        let as_needed = read(&dispensed("発熱時 38.5度以上"));
        assert_eq!(
            (as_needed.days, as_needed.until, as_needed.covers(day("2026-11-01"))),
            (None, None, None)
        );
        assert_eq!(read(&dispensed("１４日分")).days, Some(14));
        assert_eq!(read(&dispensed("7日分と14日分")).days, None, "two numbers");
        assert_eq!(read(&dispensed("9999日分")).days, None);
    }

    #[test]
    fn coded_supplies_come_before_words() {
        let mut coded = dispensed("7日分");
        coded["daysSupply"] =
            json!({ "value": 2, "unit": "週間", "system": "http://unitsofmeasure.org", "code": "wk" });
        coded["quantity"] = json!({ "value": 42, "unit": "錠" });
        let medicine = read(&coded);
        assert_eq!((medicine.days, medicine.amount.as_deref()), (Some(14), Some("42 錠")));
        let request = json!({
            "resourceType": "MedicationRequest", "status": "stopped", "authoredOn": "2026-10-01",
            "medicationReference": { "display": "プランルカスト" },
            "dispenseRequest": { "expectedSupplyDuration": { "value": 10, "unit": "日" }, "quantity": { "value": 20, "unit": "包" } },
            "dosageInstruction": [{ "text": "朝" }, { "text": "夕\u{202E}" }],
        });
        let medicine = read(&request);
        assert_eq!((medicine.days, medicine.amount.as_deref()), (Some(10), Some("20 包")));
        assert_eq!(medicine.dosage.as_deref(), Some("朝\n夕"));
        assert_eq!((medicine.act, medicine.covers(day("2026-10-02"))), (Act::Prescribed, None), "stopped");
        let statement = json!({
            "resourceType": "MedicationStatement", "status": "active",
            "medicationCodeableConcept": { "text": "鉄剤" },
            "effectivePeriod": { "start": "2026-01-05", "end": "2026-02-01" },
        });
        let medicine = read(&statement);
        assert_eq!((medicine.act, medicine.until), (Act::Taken, Some(day("2026-02-01"))));
    }

    #[test]
    fn newest_come_first_and_junk_is_unreadable() {
        let on = |day: &str| {
            let mut resource = dispensed("x");
            resource["whenHandedOver"] = json!(day);
            read(&resource)
        };
        assert_eq!(newest_first(&[on("2026-01-01"), on("2026-03-01"), on("2026-02-01")]), [1, 2, 0]);
        for content in [
            "",
            "{}",
            "[]",
            r#"{"resourceType":"Patient"}"#,
            r#"{"resourceType":"MedicationDispense","whenHandedOver":"2026-01-01"}"#,
        ] {
            assert!(Medicine::read(content.as_bytes()).is_err(), "{content}");
        }
        let mut undated = dispensed("x");
        undated["whenHandedOver"] = json!("昨日");
        assert!(Medicine::read(undated.to_string().as_bytes()).is_err());
        assert_eq!(format!("{:?}", on("2026-01-01")), "Medicine(***)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_json_is_read_or_refused(resource in words::any_resource(), dosage in "\\PC{0,20}日分") {
            let _ = Medicine::read(&serde_json::to_vec(&resource).unwrap());
            let _ = Medicine::read(dispensed(&dosage).to_string().as_bytes());
        }
    }
}
