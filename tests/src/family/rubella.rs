//! What the guardians were vaccinated with when they were children themselves, as far as anybody kept it.
//!
//! Which programme was open to them follows from their birth dates by the law of the time. The clinic still has
//! the first dose of its own patient, the city's ledger the second; of everybody else nothing is left.

use hibiki_records::rubella::Cohort;
use serde_json::{Value, json};

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;
use hibiki_records::fhir::codes;

/// A dose against rubella: programme, who kept it, CVX, Japanese and English name, label, number, lot, and how
/// many days after the programme opened for the person it was given.
struct Kept {
    programme: &'static str,
    at: House,
    cvx: &'static str,
    ja: &'static str,
    en: &'static str,
    label: &'static str,
    number: u64,
    lot: &'static str,
    after: i32,
}

const KEPT: [Kept; 3] = [
    Kept {
        programme: "infant",
        at: House::Clinic,
        cvx: "06",
        ja: "風しん",
        en: "Rubella",
        label: "定期 1回",
        number: 1,
        lot: "R-0412",
        after: 57,
    },
    Kept {
        programme: "third_term",
        at: House::CityHall,
        cvx: "04",
        ja: "麻しん風しん混合(MR)",
        en: "Measles-rubella",
        label: "第3期",
        number: 2,
        lot: "MR071",
        after: 73,
    },
    Kept {
        programme: "fourth_term",
        at: House::CityHall,
        cvx: "04",
        ja: "麻しん風しん混合(MR)",
        en: "Measles-rubella",
        label: "第4期",
        number: 2,
        lot: "MR033",
        after: 73,
    },
];

impl Story {
    /// The doses that clinic and city still know of.
    pub(super) fn own_rubella_doses(&mut self, guardian: &Resident) {
        let cohort = Cohort::of(guardian.birth, guardian.sex);
        for kept in &KEPT {
            let programme = cohort.programmes.iter().find(|programme| programme.id == kept.programme);
            let window = programme.and_then(|programme| programme.window(guardian.birth));
            let given = window.and_then(|window| Some(window.first.plus_days(kept.after)?.min(window.last)));
            if let Some(day) = given.filter(|day| *day < self.today) {
                self.record(kept.at, guardian, kept.immunization(&day.to_string()));
            }
        }
    }
}

impl Kept {
    fn immunization(&self, day: &str) -> Value {
        json!({
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": fhir::concept(&[(codes::CVX, self.cvx)], self.ja, self.en),
            "occurrenceDateTime": day,
            "primarySource": self.at != House::CityHall,
            "lotNumber": self.lot,
            "performer": fhir::performer(self.at),
            "protocolApplied": [{ "series": self.label, "doseNumberPositiveInt": self.number }],
        })
    }
}
