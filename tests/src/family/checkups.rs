//! Check-ups of childhood (乳幼児健診): the 1-month one at the hospital of birth, the others at the health centre.

use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::codes;
use serde_json::json;

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

/// A check-up: its code, usual age in months, where, and findings in words.
struct CheckUp {
    code: &'static str,
    months: u32,
    at: House,
    findings: &'static [(&'static str, &'static str, &'static [&'static str])],
}

const CHECK_UPS: [CheckUp; 4] = [
    CheckUp {
        code: "1m",
        months: 1,
        at: House::Hospital,
        findings: &[
            ("栄養法", "Feeding", &["母乳", "混合", "人工乳"]),
            ("ビタミンK2投与", "Vitamin K2", &["済"]),
            ("新生児聴覚検査", "Newborn hearing", &["異常なし"]),
        ],
    },
    CheckUp {
        code: "3-4m",
        months: 4,
        at: House::HealthCentre,
        findings: &[
            ("定頸(首すわり)", "Head control", &["可"]),
            ("追視", "Visual tracking", &["良好"]),
            ("股関節開排制限", "Hip abduction", &["なし", "なし", "要経過観察"]),
        ],
    },
    CheckUp {
        code: "1y6m",
        months: 18,
        at: House::HealthCentre,
        findings: &[
            ("歩行", "Walking", &["一人歩き"]),
            ("有意語", "Words", &["5語以上", "3語"]),
            ("う歯", "Caries", &["なし"]),
        ],
    },
    CheckUp {
        code: "3y",
        months: 38,
        at: House::HealthCentre,
        findings: &[
            ("視力検査", "Eyesight", &["異常なし", "要再検査"]),
            ("聴力検査", "Hearing", &["異常なし"]),
            ("尿検査", "Urine", &["異常なし"]),
            ("う歯", "Caries", &["なし", "1本"]),
        ],
    },
];

impl Story {
    /// Every check-up whose age is past.
    pub(super) fn childhood_checkups(&mut self, child: &Resident) {
        for check_up in &CHECK_UPS {
            if let Some(day) = self.at_months(child.birth, check_up.months, 14) {
                self.check_up(child, check_up, day);
            }
        }
    }

    fn check_up(&mut self, child: &Resident, check_up: &CheckUp, day: CalendarDate) {
        let known = codes::CHILD_CHECKUPS.iter().find(|(code, ..)| *code == check_up.code);
        let (_, ja, en) = known.copied().unwrap_or_default();
        let name = || fhir::concept(&[(codes::CHILD_CHECKUP, check_up.code)], ja, en);
        let months = Self::months_old(child, day);
        self.record(
            check_up.at,
            child,
            json!({
                "resourceType": "DiagnosticReport", "status": "final", "code": name(),
                "effectiveDateTime": day.to_string(),
                "conclusion": format!("{ja}({months}か月) 総合判定:問題なし"),
            }),
        );
        self.measure(check_up.at, child, day);
        for (item, english, values) in check_up.findings {
            let value = *self.chance.of(values);
            let mut finding = fhir::finding(fhir::concept(&[], item, english), day, value);
            finding["category"] = json!([name()]);
            self.record(check_up.at, child, finding);
        }
    }
}
