//! The school: class 3-2, its health examination, notices, events and things to hand in.

use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, school};
use serde_json::{Value, json};

use super::{Story, fhir};
use crate::house::House;
use crate::population::Resident;

const CLASS: &str = "3-2";

/// Topic and body of a notice.
const NOTICES: [(&str, &str); 4] = [
    ("学校だより 11月号", "朝夕の冷え込みが強くなりました。上着の調節をお願いします。"),
    ("インフルエンザの流行について", "手洗いと換気に努めています。発熱時は登校を控えてください。"),
    ("持久走大会のお知らせ", "水筒と着替えを持たせてください。雨天の場合は翌週に延期します。"),
    ("個人面談の日程", "希望の時間帯を連絡帳でお知らせください。"),
];
/// Events: days from today, words.
const EVENTS: [(i32, &str); 3] = [(9, "3年生 社会科見学(県庁)"), (16, "個人面談"), (32, "終業式")];
/// Things to hand in: days from today, words.
const HAND_IN: [(i32, &str); 2] = [(4, "社会科見学 参加同意書"), (11, "個人面談 希望調査票")];
/// Examined items and their usual results.
const EXAMINED: [(&str, &str, &[&str]); 5] = [
    ("視力(右・左)", "Eyesight", &["A・A", "A・B", "B・B"]),
    ("聴力", "Hearing", &["異常なし"]),
    ("歯・口腔", "Teeth", &["異常なし", "要観察歯1本"]),
    ("尿(蛋白・糖)", "Urine", &["(-)・(-)"]),
    ("内科所見", "Physician's finding", &["異常なし", "アトピー性皮膚炎(軽度)"]),
];

impl Story {
    /// The class, and what the school sends to it; the family's child is examined like its classmates.
    pub(super) fn school_life(&mut self, child: &str, classmates: &[Resident]) {
        let Some(child) = self.population.resident(child).cloned() else { return };
        let pupils: Vec<Resident> = [child].into_iter().chain(classmates.iter().cloned()).collect();
        self.class(&pupils);
        for pupil in &pupils {
            self.health_exam(pupil);
        }
        let members: Vec<&str> = pupils.iter().map(|pupil| pupil.number.as_str()).collect();
        for (place, (topic, body)) in NOTICES.iter().enumerate() {
            let day = self.days_ago(3 + 9 * place as i32);
            self.send_to_class(notice(topic, body, day), &members);
        }
        for (days, text) in EVENTS {
            let day = self.days_ago(-days);
            self.send_to_class(event(text, day), &members);
        }
        for (days, text) in HAND_IN {
            let (asked, due) = (self.days_ago(2), self.days_ago(-days));
            self.send_to_class(hand_in(text, asked, due), &members);
        }
    }

    fn class(&mut self, pupils: &[Resident]) {
        let members: Vec<Value> = pupils
            .iter()
            .map(|pupil| json!({ "entity": { "reference": format!("Patient/{}", self.patient(House::School, pupil)) } }))
            .collect();
        let class = json!({
            "resourceType": "Group", "id": CLASS, "type": "person", "actual": true,
            "name": "3年2組", "member": members,
        });
        self.population.add(House::School, &class.to_string(), "", &[]);
    }

    fn send_to_class(&mut self, mut resource: Value, members: &[&str]) {
        let kind = resource["resourceType"].as_str().unwrap_or_default().to_owned();
        let id = self.chance.id();
        resource["id"] = json!(id);
        self.population.add(House::School, &resource.to_string(), &format!("{kind}/{id}"), members);
    }

    /// Every spring since the pupil entered (学校保健安全法 13条).
    fn health_exam(&mut self, pupil: &Resident) {
        let (Some(entered), now) = (school::entry_year(pupil.birth), school::school_year(self.today)) else {
            return;
        };
        for year in entered..=now {
            let Some(day) = CalendarDate::new(year, 4, 22).ok().filter(|day| *day < self.today) else {
                continue;
            };
            self.measure(House::School, pupil, day);
            for (item, english, results) in EXAMINED {
                let result = *self.chance.of(results);
                let finding = fhir::finding(fhir::concept(&[], item, english), day, result);
                self.record_as(Category::HealthExam, House::School, pupil, finding);
            }
        }
    }
}

fn class_reference() -> Value {
    json!({ "reference": format!("Group/{CLASS}") })
}

fn notice(topic: &str, body: &str, day: CalendarDate) -> Value {
    json!({
        "resourceType": "Communication", "status": "completed",
        "topic": { "text": topic }, "subject": class_reference(),
        "sent": format!("{day}T15:30:00+09:00"), "payload": [{ "contentString": body }],
    })
}

fn event(text: &str, day: CalendarDate) -> Value {
    json!({
        "resourceType": "Appointment", "status": "booked", "description": text,
        "start": format!("{day}T09:00:00+09:00"), "end": format!("{day}T11:30:00+09:00"),
        "participant": [{ "actor": class_reference(), "status": "accepted" }],
    })
}

fn hand_in(text: &str, asked: CalendarDate, due: CalendarDate) -> Value {
    json!({
        "resourceType": "Task", "status": "requested", "intent": "order", "description": text,
        "for": class_reference(), "authoredOn": asked.to_string(),
        "restriction": { "period": { "end": due.to_string() } },
    })
}
