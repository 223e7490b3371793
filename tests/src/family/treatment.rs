//! Allergies and medicines: what clinic and pharmacy know.

use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::codes;
use serde_json::{Value, json};

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

/// A medicine: name, how to take it, how much is handed over and its unit, for how many days.
type Medicine = (&'static str, &'static str, f64, &'static str, u32);

/// What small children are given for one illness each.
const INFANT: [&[Medicine]; 3] = [
    &[
        ("カルボシステインシロップ小児用5%", "1回2.5mL 1日3回 毎食後 5日分", 37.5, "mL", 5),
        ("アセトアミノフェン坐剤小児用100mg", "発熱時(38.5度以上) 1回1個 6時間以上あけて", 5.0, "個", 0),
    ],
    &[("ヘパリン類似物質油性クリーム0.3%", "1日2回 全身に塗布", 50.0, "g", 0)],
    &[("整腸剤(ビフィズス菌)散", "1回0.5g 1日3回 毎食後 5日分", 7.5, "g", 5)],
];
/// What school children are given.
const CHILD: [&[Medicine]; 4] = [
    &[
        ("フェキソフェナジン塩酸塩錠30mg", "1回1錠 1日2回 朝夕食後 28日分", 56.0, "錠", 28),
        ("モメタゾン点鼻液50μg", "1日1回 両方の鼻に1噴霧ずつ", 1.0, "本", 0),
    ],
    &[
        ("アモキシシリン細粒10%", "1回2.8g 1日3回 毎食後 7日分", 58.8, "g", 7),
        ("アセトアミノフェン錠200mg", "発熱時・痛む時 1回1錠 6時間以上あけて", 5.0, "錠", 0),
    ],
    &[("ヘパリン類似物質油性クリーム0.3%", "1日2回 乾燥する所に塗布", 50.0, "g", 0)],
    &[
        ("カルボシステイン錠250mg", "1回1錠 1日3回 毎食後 5日分", 15.0, "錠", 5),
        ("プランルカスト水和物DS10%", "1回1g 1日2回 朝夕食後 14日分", 28.0, "g", 14),
    ],
];
/// Age in years from which tablets are swallowed.
const CHILD_FROM: i32 = 6;
/// The last visit is so many days back, so that what was given then is still being taken.
const LAST_VISIT: i32 = 6;

impl Story {
    /// Allergic to eggs, no longer to milk, and to cedar pollen since school.
    pub(super) fn allergies(&mut self, child: &Resident) {
        let noticed = self.at_months(child.birth, 9, 20).unwrap_or(child.birth);
        let mut egg = allergy(
            &[(codes::JFAGY_FOOD, "J9FB13000000"), (codes::SNOMED, "91930004")],
            ("卵", "Egg"),
            "active",
            noticed,
        );
        egg["category"] = json!(["food"]);
        egg["criticality"] = json!("high");
        egg["reaction"] = json!([
            { "manifestation": [{ "text": "じんましん" }, { "text": "せき込み" }], "severity": "moderate" }
        ]);
        egg["note"] = json!([{ "text": "加熱した卵も除去。緊急時薬の処方なし" }]);
        self.record(House::Clinic, child, egg);
        let mut milk = allergy(
            &[(codes::JFAGY_FOOD, "J9FB12000000"), (codes::SNOMED, "425525006")],
            ("乳", "Milk"),
            "resolved",
            noticed,
        );
        milk["category"] = json!(["food"]);
        milk["reaction"] = json!([{ "manifestation": [{ "text": "口の周りの発赤" }], "severity": "mild" }]);
        self.record(House::Clinic, child, milk);
        if let Some(day) = self.at_months(child.birth, 84, 20) {
            let mut pollen =
                allergy(&[(codes::SNOMED, "419263009")], ("スギ花粉", "Cedar pollen"), "active", day);
            pollen["category"] = json!(["environment"]);
            pollen["criticality"] = json!("low");
            pollen["reaction"] = json!([{ "manifestation": [{ "text": "鼻水" }, { "text": "目のかゆみ" }], "severity": "mild" }]);
            self.record(House::Clinic, child, pollen);
        }
    }

    /// The last `count` visits: what the clinic prescribed and the pharmacy handed over, one illness after the
    /// other; the last one was for the illness of this number.
    pub(super) fn medicines(&mut self, child: &Resident, count: i32, last: usize) {
        for visit in 0..count {
            let varied = if visit == 0 { 0 } else { self.chance.below(9) as i32 };
            let day = self.days_ago(LAST_VISIT + visit * 61 + varied);
            if day < child.birth {
                break;
            }
            let small = day.days_since(child.birth) < CHILD_FROM * 365;
            let illnesses: &[&[Medicine]] = if small { &INFANT } else { &CHILD };
            let illness = illnesses.get((last + visit as usize) % illnesses.len()).copied();
            for medicine in illness.unwrap_or_default() {
                self.record(House::Clinic, child, prescribed(medicine, day));
                self.record(House::Pharmacy, child, dispensed(medicine, day));
            }
        }
    }
}

fn allergy(
    codings: &[(&str, &str)],
    (ja, en): (&str, &str),
    clinical: &str,
    recorded: CalendarDate,
) -> Value {
    let status = |system: &str, code: &str| {
        let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
        json!({ "coding": [{ "system": system, "code": code }] })
    };
    json!({
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": status("allergyintolerance-clinical", clinical),
        "verificationStatus": status("allergyintolerance-verification", "confirmed"),
        "type": "allergy",
        "code": fhir::concept(codings, ja, en),
        "recordedDate": recorded.to_string(),
    })
}

fn days(count: u32) -> Value {
    json!({ "value": count, "unit": "日", "system": "http://unitsofmeasure.org", "code": "d" })
}

fn prescribed(&(name, dosage, amount, unit, supply): &Medicine, day: CalendarDate) -> Value {
    let mut request =
        json!({ "quantity": { "value": fhir::decimal(amount, decimals(amount)), "unit": unit } });
    if supply > 0 {
        request["expectedSupplyDuration"] = days(supply);
    }
    json!({
        "resourceType": "MedicationRequest", "status": "completed", "intent": "order",
        "medicationCodeableConcept": { "text": name },
        "authoredOn": day.to_string(),
        "dosageInstruction": [{ "text": dosage }],
        "dispenseRequest": request,
    })
}

fn dispensed(&(name, dosage, amount, unit, supply): &Medicine, day: CalendarDate) -> Value {
    let mut dispense = json!({
        "resourceType": "MedicationDispense", "status": "completed",
        "medicationCodeableConcept": { "text": name },
        "whenHandedOver": day.to_string(),
        "quantity": { "value": fhir::decimal(amount, decimals(amount)), "unit": unit },
        "dosageInstruction": [{ "text": dosage }],
    });
    if supply > 0 {
        dispense["daysSupply"] = days(supply);
    }
    dispense
}

fn decimals(amount: f64) -> usize {
    usize::from(amount.fract() != 0.0)
}
