//! The mother's pregnancy: fourteen check-ups (妊婦健康診査) at the hospital, their coupons at city hall.
//!
//! Dates count back from the birth at 39 weeks and 2 days. The weeks are those of the ministry's model
//! schedule: every four weeks to week 23, every two to week 35, then weekly.

use hibiki_records::category::Category;
use hibiki_records::fhir::codes;
use serde_json::json;

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

const WEEKS: [i32; 14] = [8, 12, 16, 20, 24, 26, 28, 30, 32, 34, 36, 37, 38, 39];
const DAYS_AT_BIRTH: i32 = 39 * 7 + 2;
const KG: &str = "kg";

impl Story {
    pub(super) fn pregnancy(&mut self, mother: &Resident, baby: &Resident) {
        for (place, weeks) in WEEKS.iter().enumerate() {
            let Some(day) = baby.birth.plus_days(weeks * 7 + 1 - DAYS_AT_BIRTH) else { continue };
            let at = |code: (&str, &str), ja: &str, en: &str, value: f64, decimals: usize, unit: &str| {
                let code = fhir::concept(&[code], ja, en);
                fhir::quantity(code, day, &fhir::decimal(value, decimals), unit)
            };
            let weeks = f64::from(*weeks);
            let gained = 51.5 + (weeks - 8.0) * 0.31 + self.chance.around_zero() * 0.4;
            let mut found = vec![
                at((codes::LOINC, "18185-9"), "妊娠週数", "Gestational age", weeks, 0, "wk"),
                at((codes::LOINC, "29463-7"), "体重", "Weight", gained, 1, KG),
            ];
            if weeks >= 16.0 {
                let height = weeks - 1.0 + self.chance.around_zero();
                found.push(at((codes::LOINC, "11881-0"), "子宮底長", "Fundal height", height, 1, "cm"));
            }
            for resource in found {
                self.record(House::Hospital, mother, resource);
            }
            let systolic = 112 + self.chance.below(12);
            let pressure = format!("{systolic}/{} mmHg、尿蛋白(-)、尿糖(-)", 64 + self.chance.below(10));
            let pressure =
                fhir::finding(fhir::concept(&[], "血圧・尿", "Blood pressure, urine"), day, &pressure);
            self.record_as(Category::PrenatalCheckup, House::Hospital, mother, pressure);
            let coupon = json!({
                "resourceType": "DiagnosticReport", "status": "final",
                "code": { "text": format!("妊婦健康診査受診票 第{}回", place + 1) },
                "effectiveDateTime": day.to_string(),
                "conclusion": format!("妊娠{weeks:.0}週 受診券使用"),
            });
            self.record(House::CityHall, mother, coupon);
        }
        self.birth(baby);
    }

    fn birth(&mut self, baby: &Resident) {
        let code = fhir::concept(
            &[(codes::LOINC, "8339-4"), (codes::JP_BODY_MEASUREMENT, "31002900")],
            "出生体重",
            "Birth weight",
        );
        let weight = fhir::quantity(code, baby.birth, &fhir::decimal(3.12, 2), KG);
        self.record(House::Hospital, baby, weight);
    }
}
