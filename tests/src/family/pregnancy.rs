//! The mother's pregnancy: fourteen check-ups (妊婦健康診査) at the hospital, their coupons at city hall.
//!
//! Dates count back from the birth at 39 weeks and 2 days. The weeks are those of the ministry's model
//! schedule: every four weeks to week 23, every two to week 35, then weekly; items and tests those of
//! 平成27年厚生労働省告示226号. Tests for HIV and syphilis are left out, as the standard electronic record leaves them out.

use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::codes;
use serde_json::{Value, json};

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

const WEEKS: [i32; 14] = [8, 12, 16, 20, 24, 26, 28, 30, 32, 34, 36, 37, 38, 39];
const DAYS_AT_BIRTH: i32 = 39 * 7 + 2;
/// Weeks 40 and 0 days: the day that is expected.
const DAYS_AT_TERM: i32 = 40 * 7;

/// A blood test: LOINC, Japanese and English name, decimals, unit, and value by week.
type Measured = (&'static str, &'static str, &'static str, usize, &'static str, &'static [(i32, f64)]);

const BLOOD: [Measured; 4] = [
    ("718-7", "ヘモグロビン", "Haemoglobin", 1, "g/dL", &[(8, 12.4), (26, 11.2), (36, 11.6)]),
    ("4544-3", "ヘマトクリット", "Haematocrit", 1, "%", &[(8, 36.8), (26, 33.5), (36, 34.7)]),
    ("777-3", "血小板", "Platelets", 0, "10*3/uL", &[(8, 248.0), (26, 231.0), (36, 219.0)]),
    ("2339-0", "血糖", "Blood glucose", 0, "mg/dL", &[(8, 86.0), (26, 94.0)]),
];

/// Tests with a result in words: week, LOINC, Japanese and English name, result.
const TESTS: [(i32, &str, &str, &str, &str); 7] = [
    (8, "883-9", "ABO血液型", "ABO blood group", "A型"),
    (8, "10331-7", "Rh血液型", "Rh blood group", "陽性"),
    (8, "890-4", "不規則抗体", "Irregular antibodies", "陰性"),
    (8, "5196-1", "B型肝炎抗原(HBs)", "Hepatitis B antigen", "陰性"),
    (8, "13955-0", "C型肝炎抗体", "Hepatitis C antibody", "陰性"),
    (30, "", "HTLV-1抗体", "HTLV-1 antibody", "陰性"),
    (36, "", "B群溶血性レンサ球菌(GBS)", "Group B streptococcus", "陰性"),
];

/// Ultrasound: week and what was seen.
const ULTRASOUND: [(i32, &str); 4] = [
    (8, "胎児心拍を確認。頭殿長 17 mm"),
    (20, "発育は週数相当。形態に異常を認めず"),
    (30, "推定体重 1,480 g、頭位"),
    (36, "推定体重 2,590 g、頭位、羊水量正常"),
];

impl Story {
    pub(super) fn pregnancy(&mut self, mother: &Resident, baby: &Resident) {
        for (place, weeks) in WEEKS.into_iter().enumerate() {
            let Some(day) = baby.birth.plus_days(weeks * 7 + 1 - DAYS_AT_BIRTH) else { continue };
            self.examination(mother, place + 1, weeks, day);
            self.tests(mother, weeks, day);
            if weeks == 8 {
                let expected = baby.birth.plus_days(DAYS_AT_TERM - DAYS_AT_BIRTH);
                self.first_visit(mother, day, expected);
            }
            let coupon = json!({
                "resourceType": "DiagnosticReport", "status": "final",
                "code": { "text": format!("妊婦健康診査受診票 第{}回", place + 1) },
                "effectiveDateTime": day.to_string(),
                "conclusion": format!("妊娠{weeks}週 受診券使用"),
            });
            self.record(House::CityHall, mother, coupon);
        }
    }

    /// What is looked at every time (基本的な健診項目).
    fn examination(&mut self, mother: &Resident, visit: usize, weeks: i32, day: CalendarDate) {
        let at = |code: &str, ja: &str, en: &str, value: f64, decimals: usize, unit: &str| {
            let code = fhir::concept(&[(codes::LOINC, code)], ja, en);
            fhir::quantity(code, day, &fhir::decimal(value, decimals), unit)
        };
        let since = f64::from(weeks - 8);
        let gained = 51.5 + since * 0.31 + self.chance.around_zero() * 0.4;
        let waist = 72.0 + since * 0.75 + self.chance.around_zero();
        let mut found = vec![
            at("18185-9", "妊娠週数", "Gestational age", f64::from(weeks), 0, "wk"),
            at("29463-7", "体重", "Weight", gained, 1, "kg"),
        ];
        if weeks >= 16 {
            let height = f64::from(weeks) - 1.0 + self.chance.around_zero();
            found.push(at("11881-0", "子宮底長", "Fundal height", height, 1, "cm"));
            found.push(at("8280-0", "腹囲", "Abdominal circumference", waist, 1, "cm"));
        }
        found.push(pressure(day, 108 + self.chance.below(16), 62 + self.chance.below(12)));
        let oedema = if weeks > 34 { &["(-)", "(±)", "(+)"][..] } else { &["(-)"] };
        let protein = if weeks > 30 { &["(-)", "(-)", "(±)"][..] } else { &["(-)"] };
        let by_strip: [(&str, &str, &str, &[&str]); 3] = [
            ("20454-5", "尿蛋白", "Urine protein", protein),
            ("25428-4", "尿糖", "Urine glucose", &["(-)"]),
            ("44966-0", "浮腫", "Oedema", oedema),
        ];
        for (code, ja, en, results) in by_strip {
            let result = *self.chance.of(results);
            found.push(fhir::finding(fhir::concept(&[(codes::LOINC, code)], ja, en), day, result));
        }
        for resource in found {
            self.prenatal(mother, resource);
        }
        let next = match weeks {
            ..24 => "次回は4週間後",
            24..36 => "次回は2週間後",
            _ => "次回は1週間後",
        };
        let report = json!({
            "resourceType": "DiagnosticReport", "status": "final",
            "code": { "text": format!("妊婦健康診査 第{visit}回") },
            "effectiveDateTime": day.to_string(),
            "conclusion": format!("妊娠{weeks}週1日 母児ともに順調。{next}"),
        });
        self.record(House::Hospital, mother, report);
    }

    fn tests(&mut self, mother: &Resident, weeks: i32, day: CalendarDate) {
        for (code, ja, en, decimals, unit, values) in BLOOD {
            for (_, value) in values.iter().filter(|(week, _)| *week == weeks) {
                let code = fhir::concept(&[(codes::LOINC, code)], ja, en);
                self.prenatal(mother, fhir::quantity(code, day, &fhir::decimal(*value, decimals), unit));
            }
        }
        for (_, code, ja, en, result) in TESTS.into_iter().filter(|test| test.0 == weeks) {
            let coded = [(codes::LOINC, code)];
            let codings = if code.is_empty() { &[][..] } else { &coded };
            self.prenatal(mother, fhir::finding(fhir::concept(codings, ja, en), day, result));
        }
        for (_, seen) in ULTRASOUND.iter().filter(|(week, _)| *week == weeks) {
            self.prenatal(mother, fhir::finding(fhir::concept(&[], "超音波検査", "Ultrasound"), day, seen));
        }
    }

    /// What is asked and tested once: height, the day that is expected, the rubella antibody.
    fn first_visit(&mut self, mother: &Resident, day: CalendarDate, expected: Option<CalendarDate>) {
        let code = fhir::concept(&[(codes::LOINC, "8302-2")], "身長", "Height");
        self.record(House::Hospital, mother, fhir::quantity(code, day, &fhir::decimal(158.4, 1), "cm"));
        if let Some(expected) = expected {
            let code = fhir::concept(&[(codes::LOINC, "11778-8")], "分娩予定日", "Expected date of delivery");
            let term = json!({
                "resourceType": "Observation", "status": "final", "code": code,
                "effectiveDateTime": day.to_string(), "valueDateTime": expected.to_string(),
            });
            self.prenatal(mother, term);
        }
        let code =
            fhir::concept(&[(codes::LOINC, "22497-2")], "風疹抗体価(HI)", "Rubella antibody titre (HI)");
        let mut titre = fhir::quantity(code, day, &json!(64), "倍");
        titre["valueQuantity"] = json!({ "value": 64, "unit": "倍" });
        titre["method"] = json!({ "text": "HI法" });
        titre["referenceRange"] = json!([{ "text": "32倍以上" }]);
        self.prenatal(mother, titre);
    }

    /// A result that belongs to the check-up, whatever its code alone would say; body measurements stay what
    /// they are.
    fn prenatal(&mut self, mother: &Resident, resource: Value) {
        let measured = resource["code"]["coding"][0]["code"] == "29463-7";
        if measured {
            self.record(House::Hospital, mother, resource);
        } else {
            self.record_as(Category::PrenatalCheckup, House::Hospital, mother, resource);
        }
    }
}

/// Blood pressure: one observation with two parts.
fn pressure(day: CalendarDate, systolic: u64, diastolic: u64) -> Value {
    let part = |code: &str, ja: &str, en: &str, value: u64| {
        json!({
            "code": fhir::concept(&[(codes::LOINC, code)], ja, en),
            "valueQuantity": {
                "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]",
            },
        })
    };
    json!({
        "resourceType": "Observation", "status": "final",
        "code": fhir::concept(&[(codes::LOINC, "85354-9")], "血圧", "Blood pressure"),
        "effectiveDateTime": day.to_string(),
        "component": [
            part("8480-6", "収縮期血圧", "Systolic blood pressure", systolic),
            part("8462-4", "拡張期血圧", "Diastolic blood pressure", diastolic),
        ],
    })
}
