//! Vaccinations by the Japanese routine schedule (定期接種, 予防接種法施行令; intervals of the 定期接種実施要領).
//!
//! The table says at which age each dose is usually given, and for whom: the schedule changed with the birth
//! date (rotavirus from 2020-08, five-in-one from 2024-02, pneumococcal 13 → 15/20 valent in 2024).

use hibiki_records::date::{CalendarDate, age, school};
use hibiki_records::fhir::codes;
use serde_json::{Value, json};

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

/// Where a dose is recorded.
#[derive(Clone, Copy)]
enum At {
    /// Given individually at the clinic.
    Clinic,
    /// Given at the hospital.
    Hospital,
    /// Given to a group or elsewhere; the slip went to city hall (予防接種台帳).
    Ledger,
}

/// A dose: series (Japanese), CVX, Japanese and English name, number, label, usual age in months.
struct Dose {
    cvx: &'static str,
    ja: &'static str,
    en: &'static str,
    number: u64,
    label: &'static str,
    months: u32,
    at: At,
    /// Years of birth (year, month) for which it is routine.
    born: (Born, Born),
}

type Born = (i16, i8);
const ALWAYS: (Born, Born) = ((2016, 4), (9999, 12));
const ROTA: (Born, Born) = ((2020, 8), (9999, 12));
const FIVE: (Born, Born) = ((2024, 2), (9999, 12));
const FOUR: (Born, Born) = ((2012, 8), (2024, 1));
const PCV20: (Born, Born) = ((2024, 8), (9999, 12));
const PCV13: (Born, Born) = ((2013, 9), (2024, 7));

const HBV: (&str, &str, &str) = ("08", "B型肝炎", "Hepatitis B");
const ROTAVIRUS: (&str, &str, &str) = ("119", "ロタ(1価)", "Rotavirus monovalent");
const P20: (&str, &str, &str) = ("216", "小児用肺炎球菌(20価)", "Pneumococcal conjugate 20-valent");
const P13: (&str, &str, &str) = ("133", "小児用肺炎球菌(13価)", "Pneumococcal conjugate 13-valent");
const FIVE_IN_ONE: (&str, &str, &str) = ("120", "五種混合", "DTaP-IPV-Hib");
const FOUR_IN_ONE: (&str, &str, &str) = ("130", "四種混合", "DTaP-IPV");
const HIB: (&str, &str, &str) = ("48", "ヒブ", "Haemophilus influenzae type b");
const BCG: (&str, &str, &str) = ("19", "BCG", "BCG");
const MR: (&str, &str, &str) = ("04", "麻しん風しん混合(MR)", "Measles-rubella");
const VARICELLA: (&str, &str, &str) = ("21", "水痘", "Varicella");
const JE: (&str, &str, &str) = ("134", "日本脳炎", "Japanese encephalitis");

const fn dose(
    vaccine: (&'static str, &'static str, &'static str),
    number: u64,
    label: &'static str,
    months: u32,
    at: At,
    born: (Born, Born),
) -> Dose {
    let (cvx, ja, en) = vaccine;
    Dose { cvx, ja, en, number, label, months, at, born }
}

const SCHEDULE: [Dose; 31] = [
    dose(HBV, 1, "1回目", 2, At::Hospital, ALWAYS),
    dose(HBV, 2, "2回目", 3, At::Clinic, ALWAYS),
    dose(HBV, 3, "3回目", 7, At::Clinic, ALWAYS),
    dose(ROTAVIRUS, 1, "1回目", 2, At::Hospital, ROTA),
    dose(ROTAVIRUS, 2, "2回目", 3, At::Clinic, ROTA),
    dose(P20, 1, "初回1回目", 2, At::Hospital, PCV20),
    dose(P20, 2, "初回2回目", 3, At::Clinic, PCV20),
    dose(P20, 3, "初回3回目", 4, At::Clinic, PCV20),
    dose(P20, 4, "追加", 12, At::Clinic, PCV20),
    dose(P13, 1, "初回1回目", 2, At::Hospital, PCV13),
    dose(P13, 2, "初回2回目", 3, At::Clinic, PCV13),
    dose(P13, 3, "初回3回目", 4, At::Clinic, PCV13),
    dose(P13, 4, "追加", 12, At::Clinic, PCV13),
    dose(FIVE_IN_ONE, 1, "第1期初回1回目", 2, At::Hospital, FIVE),
    dose(FIVE_IN_ONE, 2, "第1期初回2回目", 3, At::Clinic, FIVE),
    dose(FIVE_IN_ONE, 3, "第1期初回3回目", 4, At::Clinic, FIVE),
    dose(FIVE_IN_ONE, 4, "第1期追加", 12, At::Clinic, FIVE),
    dose(FOUR_IN_ONE, 1, "第1期初回1回目", 3, At::Clinic, FOUR),
    dose(FOUR_IN_ONE, 2, "第1期初回2回目", 4, At::Clinic, FOUR),
    dose(FOUR_IN_ONE, 3, "第1期初回3回目", 5, At::Clinic, FOUR),
    dose(FOUR_IN_ONE, 4, "第1期追加", 18, At::Clinic, FOUR),
    dose(HIB, 1, "初回1回目", 2, At::Hospital, FOUR),
    dose(HIB, 2, "初回2回目", 3, At::Clinic, FOUR),
    dose(HIB, 3, "追加", 12, At::Clinic, FOUR),
    dose(BCG, 1, "1回", 5, At::Ledger, ALWAYS),
    dose(MR, 1, "第1期", 12, At::Ledger, ALWAYS),
    dose(VARICELLA, 1, "1回目", 13, At::Clinic, ALWAYS),
    dose(VARICELLA, 2, "2回目", 19, At::Clinic, ALWAYS),
    dose(JE, 1, "第1期初回1回目", 37, At::Ledger, ALWAYS),
    dose(JE, 2, "第1期初回2回目", 38, At::Ledger, ALWAYS),
    dose(JE, 3, "第1期追加", 50, At::Ledger, ALWAYS),
];

/// A dose that somebody forgot: CVX and number.
pub(super) type Forgotten = (&'static str, u64);

/// The third dose against hepatitis B: its usual time ends with nine months, its legal one with twelve.
pub(super) const THIRD_HBV: Forgotten = (HBV.0, 3);
/// The second period of Japanese encephalitis, which nobody comes to the clinic for.
pub(super) const SECOND_JE: Forgotten = (JE.0, 4);

impl Story {
    /// Every dose whose age is past, each so many days late as all of this child's, so that no gap is too short;
    /// but for those forgotten.
    pub(super) fn vaccinations(&mut self, child: &Resident, late: i32, forgotten: &[Forgotten]) {
        let born = (child.birth.year(), child.birth.month());
        let given = |dose: &Dose| !forgotten.contains(&(dose.cvx, dose.number));
        let ours = |dose: &&Dose| dose.born.0 <= born && born <= dose.born.1 && given(dose);
        for dose in SCHEDULE.iter().filter(ours) {
            let day =
                age::months_attained_on(child.birth, dose.months).and_then(|day| day.plus_days(1 + late));
            if let Some(day) = day.filter(|day| *day < self.today) {
                self.vaccination(child, dose, day);
            }
        }
        // MR, second dose: the year before school (第2期).
        let spring =
            school::entry_year(child.birth).and_then(|entry| CalendarDate::new(entry - 1, 6, 10).ok());
        if let Some(day) = spring.filter(|day| *day < self.today) {
            self.vaccination(child, &dose(MR, 2, "第2期", 0, At::Ledger, ALWAYS), day);
        }
        // Japanese encephalitis, second period: from nine years.
        let second = dose(JE, 4, "第2期", 0, At::Ledger, ALWAYS);
        let nine = age::years_attained_on(child.birth, 9).and_then(|day| day.plus_days(20));
        if let Some(day) = nine.filter(|day| *day < self.today && given(&second)) {
            self.vaccination(child, &second, day);
        }
    }

    fn vaccination(&mut self, child: &Resident, dose: &Dose, day: CalendarDate) {
        // The letter at the end keeps every house's lots its own: they are looked for where they must not be.
        let (house, letter) = match dose.at {
            At::Clinic => (House::Clinic, 'C'),
            At::Hospital => (House::Hospital, 'H'),
            At::Ledger => (House::CityHall, 'L'),
        };
        let maker = *self.chance.of(&["HK", "AS", "VZ", "MJ"]);
        let lot = format!("{maker}{:04}{letter}", self.chance.below(10_000));
        self.record(house, child, immunization(house, dose, day, &lot));
    }
}

fn immunization(house: House, dose: &Dose, day: CalendarDate, lot: &str) -> Value {
    let oral = dose.cvx == "119";
    json!({
        "resourceType": "Immunization",
        "meta": { "profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Immunization"] },
        "status": "completed",
        "vaccineCode": fhir::concept(&[(codes::CVX, dose.cvx)], dose.ja, dose.en),
        "occurrenceDateTime": day.to_string(),
        "primarySource": house != House::CityHall,
        "lotNumber": lot,
        "route": { "text": if oral { "経口" } else { "皮下" } },
        "performer": fhir::performer(house),
        "protocolApplied": [{ "series": dose.label, "doseNumberPositiveInt": dose.number }],
    })
}
