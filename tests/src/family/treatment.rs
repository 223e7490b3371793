//! Allergy and medicines: what clinic and pharmacy know.

use hibiki_records::fhir::codes;
use serde_json::json;

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

/// Medicine, how to take it, how much.
const MEDICINES: [(&str, &str, &str); 6] = [
    ("カルボシステインシロップ小児用5%", "1日3回 毎食後 5日分", "30 mL"),
    ("アセトアミノフェン細粒20%", "発熱時 38.5度以上", "5 回分"),
    ("フェキソフェナジン塩酸塩錠30mg", "1日2回 朝夕食後 14日分", "28 錠"),
    ("ヘパリン類似物質油性クリーム0.3%", "1日2回 塗布", "50 g"),
    ("プランルカスト水和物DS10%", "1日2回 朝夕食後 14日分", "14 g"),
    ("アモキシシリン細粒10%", "1日3回 毎食後 7日分", "21 g"),
];

impl Story {
    pub(super) fn egg_allergy(&mut self, child: &Resident) {
        let noticed = self.at_months(child.birth, 9, 20).unwrap_or(child.birth);
        let status = |system: &str, code: &str| json!({ "coding": [{ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code }] });
        let egg = json!({
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": status("allergyintolerance-clinical", "active"),
            "verificationStatus": status("allergyintolerance-verification", "confirmed"),
            "type": "allergy", "category": ["food"], "criticality": "high",
            "code": fhir::concept(&[(codes::SNOMED, "91930004")], "卵", "Egg"),
            "recordedDate": noticed.to_string(),
            "reaction": [{ "manifestation": [{ "text": "じんましん" }], "severity": "moderate" }],
        });
        self.record(House::Clinic, child, egg);
    }

    /// The last `count` visits to the pharmacy.
    pub(super) fn medicines(&mut self, child: &Resident, count: i32) {
        for visit in 0..count {
            let varied = self.chance.below(9) as i32;
            let day = self.days_ago(21 + visit * 47 + varied);
            let (medicine, dosage, amount) = *self.chance.of(&MEDICINES);
            let dispensed = json!({
                "resourceType": "MedicationDispense", "status": "completed",
                "medicationCodeableConcept": { "text": medicine },
                "whenHandedOver": day.to_string(),
                "quantity": { "unit": amount },
                "dosageInstruction": [{ "text": dosage }],
            });
            self.record(House::Pharmacy, child, dispensed);
        }
    }
}
