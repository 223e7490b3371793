//! The school's health examinations (定期健康診断): every spring since the pupil entered, by the items of
//! 学校保健安全法施行規則 6条, on several days up to 30 June.

use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, school};
use serde_json::json;

use super::{Story, fhir, school_days};
use crate::house::House;
use crate::population::Resident;

/// What is looked at: month and day, name, English name, grades (all if empty), and what is usually found.
type Looked = (i8, i8, &'static str, &'static str, &'static [i16], &'static [&'static str]);

const EXAMINED: [Looked; 12] = [
    (4, 24, "聴力(右)", "Hearing, right", &[1, 2, 3, 5], &["異常なし"]),
    (4, 24, "聴力(左)", "Hearing, left", &[1, 2, 3, 5], &["異常なし"]),
    (5, 8, "心臓(心電図)", "Heart (ECG)", &[1], &["異常なし"]),
    (5, 14, "尿蛋白", "Urine protein", &[], &["(-)"]),
    (5, 14, "尿糖", "Urine glucose", &[], &["(-)"]),
    (5, 20, "栄養状態", "Nutrition", &[], &["良好"]),
    (5, 20, "脊柱・胸郭・四肢", "Spine, thorax and limbs", &[], &["異常なし"]),
    (5, 20, "皮膚", "Skin", &[], &["異常なし", "異常なし", "アトピー性皮膚炎(軽度)"]),
    (5, 20, "結核", "Tuberculosis", &[], &["異常なし"]),
    (5, 28, "眼", "Eyes", &[], &["異常なし", "異常なし", "アレルギー性結膜炎"]),
    (5, 28, "耳鼻咽頭", "Ear, nose and throat", &[], &["異常なし", "アレルギー性鼻炎"]),
    (6, 11, "歯・口腔", "Teeth and mouth", &[], &["異常なし", "要観察歯1本", "う歯1本(要受診)"]),
];
/// Eyesight by the 370 method: A 1.0 and better, B 0.7 to 0.9, C 0.3 to 0.6, D below.
const EYESIGHT: [&str; 4] = ["A", "B", "C", "D"];

impl Story {
    /// Every year's examination, and what the school wrote home about it.
    pub(super) fn health_exams(&mut self, pupil: &Resident) {
        let (Some(entered), now) = (school::entry_year(pupil.birth), school::school_year(self.today)) else {
            return;
        };
        // Eyes get no better: how many years until each is a grade worse.
        let worse = [1 + self.chance.below(3) as i16, 2 + self.chance.below(3) as i16];
        for year in entered..=now {
            let grade = year - entered + 1;
            self.measured_at_school(pupil, year);
            let eyes = worse.map(|years| usize::try_from((grade - 1) / years.max(1)).unwrap_or(0).min(2));
            for (item, english, eye) in
                [("視力(右)", "Eyesight, right", eyes[0]), ("視力(左)", "Eyesight, left", eyes[1])]
            {
                self.examined(pupil, year, (4, 24), (item, english), EYESIGHT[eye]);
            }
            for (month, day, item, english, grades, results) in EXAMINED {
                if grades.is_empty() || grades.contains(&grade) {
                    let result = *self.chance.of(results);
                    self.examined(pupil, year, (month, day), (item, english), result);
                }
            }
            self.written_home(pupil, year, eyes.iter().any(|eye| *eye > 0));
        }
    }

    fn day_of(&self, year: i16, (month, day): (i8, i8)) -> Option<CalendarDate> {
        let day = CalendarDate::new(year, month, day).ok().map(school_days::from)?;
        (day < self.today).then_some(day)
    }

    fn measured_at_school(&mut self, pupil: &Resident, year: i16) {
        if let Some(day) = self.day_of(year, (4, 24)) {
            self.measure(House::School, pupil, day);
        }
    }

    fn examined(
        &mut self,
        pupil: &Resident,
        year: i16,
        day: (i8, i8),
        (item, english): (&str, &str),
        result: &str,
    ) {
        let Some(day) = self.day_of(year, day) else { return };
        let finding = fhir::finding(fhir::concept(&[], item, english), day, result);
        self.record_as(Category::HealthExam, House::School, pupil, finding);
    }

    /// The sheet with the doctor's word, and where the eyes have become worse, a letter (施行規則 9条: within 21 days).
    fn written_home(&mut self, pupil: &Resident, year: i16, eyes: bool) {
        let Some(day) = self.day_of(year, (6, 25)) else { return };
        let word = if eyes {
            "視力について眼科の受診をおすすめします"
        } else {
            "特記事項なし"
        };
        let sheet = json!({
            "resourceType": "DiagnosticReport", "status": "final", "code": { "text": "児童生徒健康診断票" },
            "effectiveDateTime": day.to_string(), "conclusion": word,
        });
        self.record_as(Category::HealthExam, House::School, pupil, sheet);
        if eyes && year == school::school_year(self.today) {
            let letter = json!({
                "resourceType": "Communication", "status": "completed",
                "topic": { "text": "健康診断結果のお知らせ(視力)" },
                "sent": format!("{day}T15:30:00+09:00"),
                "payload": [{ "contentString":
                    "定期健康診断の視力検査で、B以下の結果がありました。眼科を受診し、結果を受診報告書でお知らせください。" }],
            });
            self.record(House::School, pupil, letter);
        }
    }
}
