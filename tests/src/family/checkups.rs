//! Check-ups of childhood (乳幼児健診): the 1-month one at the hospital of birth, those of infancy that are held one
//! by one at the clinic, the others at the health centre, the one before school by the school.
//!
//! Items are those of the 母子健康手帳 and of 母子保健法施行規則 2条; what is asked again has the same name each time.

use hibiki_records::date::{CalendarDate, school};
use hibiki_records::fhir::codes;
use serde_json::json;

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

/// What is looked at: name, English name, and what is usually found.
type Looked = (&'static str, &'static str, &'static [&'static str]);

/// A check-up: its code, usual age in months, where, and what is looked at.
struct CheckUp {
    code: &'static str,
    months: u32,
    at: House,
    items: &'static [Looked],
}

const FEEDING: Looked = ("栄養法", "Feeding", &["母乳", "混合", "人工乳"]);
const SKIN: Looked = ("皮膚", "Skin", &["異常なし", "異常なし", "乳児湿疹(軽度)"]);
const HEART: Looked = ("心音", "Heart sounds", &["異常なし"]);
const HIPS: Looked = ("股関節開排制限", "Hip abduction", &["なし", "なし", "要経過観察"]);
const LIMBS: Looked = ("脊柱・胸郭・四肢", "Spine, thorax and limbs", &["異常なし"]);
const TEETH: Looked = ("歯・口腔", "Teeth and mouth", &["う歯なし", "う歯なし", "う歯1本"]);
const MIND: Looked = ("精神発達", "Mental development", &["年齢相応"]);
const WORDS: Looked = ("有意語", "Words", &["5語以上", "3語"]);
const NUTRITION: Looked = ("栄養状態", "Nutrition", &["良好"]);
const VACCINATED: Looked = ("予防接種の実施状況", "Vaccinations", &["母子健康手帳で確認"]);
const EAR_NOSE_THROAT: Looked =
    ("耳鼻咽頭", "Ear, nose and throat", &["異常なし", "異常なし", "アレルギー性鼻炎"]);
const EYES: Looked = ("眼", "Eyes", &["異常なし"]);
const HEARING: Looked = ("聴力", "Hearing", &["異常なし"]);

const CHECK_UPS: [CheckUp; 7] = [
    CheckUp {
        code: "1m",
        months: 1,
        at: House::Hospital,
        items: &[
            FEEDING,
            ("ビタミンK2投与", "Vitamin K2", &["済"]),
            ("新生児マススクリーニング", "Newborn screening", &["異常なし"]),
            ("新生児聴覚検査", "Newborn hearing", &["両耳パス"]),
            HIPS,
            SKIN,
            HEART,
        ],
    },
    CheckUp {
        code: "3-4m",
        months: 4,
        at: House::HealthCentre,
        items: &[
            FEEDING,
            ("定頸(首すわり)", "Head control", &["可"]),
            ("追視", "Visual tracking", &["良好"]),
            ("音への反応", "Reaction to sound", &["良好"]),
            ("斜視", "Squint", &["なし"]),
            HIPS,
            SKIN,
            HEART,
        ],
    },
    CheckUp {
        code: "6-7m",
        months: 6,
        at: House::Clinic,
        items: &[
            FEEDING,
            ("離乳食", "Weaning food", &["1日1回", "1日2回"]),
            ("寝返り", "Rolling over", &["できる"]),
            ("お座り", "Sitting", &["支えればできる", "できる"]),
            ("顔にかけた布を取る", "Takes a cloth off the face", &["できる"]),
            SKIN,
            HEART,
        ],
    },
    CheckUp {
        code: "9-10m",
        months: 9,
        at: House::Clinic,
        items: &[
            FEEDING,
            ("離乳食", "Weaning food", &["1日3回"]),
            ("お座り", "Sitting", &["できる"]),
            ("はいはい", "Crawling", &["できる"]),
            ("つかまり立ち", "Pulling up to stand", &["できる", "もう少し"]),
            ("小さな物をつまむ", "Picks up small things", &["できる"]),
            ("パラシュート反射", "Parachute reflex", &["あり"]),
            SKIN,
            HEART,
        ],
    },
    CheckUp {
        code: "1y6m",
        months: 18,
        at: House::HealthCentre,
        items: &[
            NUTRITION,
            ("歩行", "Walking", &["一人歩き"]),
            WORDS,
            MIND,
            LIMBS,
            ("皮膚", "Skin", &["異常なし", "湿疹(軽度)"]),
            TEETH,
            VACCINATED,
        ],
    },
    CheckUp {
        code: "3y",
        months: 38,
        at: House::HealthCentre,
        items: &[
            NUTRITION,
            ("有意語", "Words", &["二語文を話す"]),
            MIND,
            LIMBS,
            ("皮膚", "Skin", &["異常なし"]),
            ("視力(右)", "Eyesight, right", &["0.5以上", "要再検査"]),
            ("視力(左)", "Eyesight, left", &["0.5以上"]),
            EYES,
            HEARING,
            EAR_NOSE_THROAT,
            TEETH,
            ("尿検査", "Urine", &["異常なし"]),
            VACCINATED,
        ],
    },
    CheckUp {
        code: "5y",
        months: 60,
        at: House::HealthCentre,
        items: &[
            NUTRITION,
            MIND,
            ("言語の発達", "Speech", &["年齢相応"]),
            ("生活習慣", "Daily habits", &["就寝21時", "就寝22時"]),
            ("集団での様子", "In a group", &["友だちと遊べる"]),
        ],
    },
];

const PRESCHOOL: CheckUp = CheckUp {
    code: "preschool",
    months: 0,
    at: House::School,
    items: &[
        NUTRITION,
        LIMBS,
        ("視力(右)", "Eyesight, right", &["A"]),
        ("視力(左)", "Eyesight, left", &["A"]),
        EYES,
        HEARING,
        EAR_NOSE_THROAT,
        ("皮膚", "Skin", &["異常なし"]),
        TEETH,
        VACCINATED,
    ],
};

impl Story {
    /// Every check-up whose age is past.
    pub(super) fn childhood_checkups(&mut self, child: &Resident) {
        for check_up in &CHECK_UPS {
            let Some(day) = self.at_months(child.birth, check_up.months, 14) else { continue };
            // The 5-year check-up is held since the budget of Reiwa 5.
            if check_up.code != "5y" || day.year() >= 2024 {
                self.check_up(child, check_up, day);
            }
        }
    }

    /// The check-up in the autumn before school (就学時健康診断).
    pub(super) fn preschool_checkup(&mut self, pupil: &Resident) {
        let autumn =
            school::entry_year(pupil.birth).and_then(|year| CalendarDate::new(year - 1, 11, 10).ok());
        if let Some(day) = autumn.filter(|day| *day < self.today) {
            self.check_up(pupil, &PRESCHOOL, day);
        }
    }

    fn check_up(&mut self, child: &Resident, check_up: &CheckUp, day: CalendarDate) {
        let known = codes::CHILD_CHECKUPS.iter().find(|(code, ..)| *code == check_up.code);
        let (_, ja, en) = known.copied().unwrap_or_default();
        let name = || fhir::concept(&[(codes::CHILD_CHECKUP, check_up.code)], ja, en);
        let months = Self::months_old(child, day);
        let age = if months < 24 {
            format!("{months}か月")
        } else {
            format!("{}歳{}か月", months / 12, months % 12)
        };
        self.record(
            check_up.at,
            child,
            json!({
                "resourceType": "DiagnosticReport", "status": "final", "code": name(),
                "effectiveDateTime": day.to_string(),
                "conclusion": format!("{age} 総合判定:問題なし"),
            }),
        );
        self.measure(check_up.at, child, day);
        for (item, english, values) in check_up.items {
            let value = *self.chance.of(values);
            let mut finding = fhir::finding(fhir::concept(&[], item, english), day, value);
            finding["category"] = json!([name()]);
            self.record(check_up.at, child, finding);
        }
    }
}
