//! The school: class 3-2, what is sent to it, what it does, and what is to be handed in.
//!
//! Days are as near to `today` as the story needs them, and the school is open on each.

use hibiki_records::date::CalendarDate;
use serde_json::{Value, json};

use super::{Story, school_days};
use crate::house::House;
use crate::population::Resident;

const CLASS: &str = "3-2";

/// What the school's newsletter of each month begins with, from January.
const OF_THE_MONTH: [&str; 12] = [
    "新しい年が始まりました。冬休みの生活リズムから、少しずつ学校のリズムに戻していきましょう。",
    "寒い日が続きます。外遊びのあとの手洗い・うがいを学校でも呼びかけています。",
    "一年のまとめの月です。持ち帰る荷物が増えますので、大きめの袋を持たせてください。",
    "ご進級おめでとうございます。新しい学級での生活が始まりました。",
    "新緑の季節です。運動会の練習が始まりますので、水筒を忘れずに持たせてください。",
    "雨の日が多くなります。登下校の傘の扱いについて、ご家庭でもお話しください。",
    "暑さが厳しくなります。帽子と水筒を持たせ、朝食をとってから登校させてください。",
    "夏休み中の生活について、しおりをご覧ください。学校は8月11日から15日まで閉庁します。",
    "二学期が始まりました。残暑が続きますので、体調に気をつけてお過ごしください。",
    "読書に親しむ月です。図書室の本を週に一冊は借りるように声をかけています。",
    "朝夕の冷え込みが強くなりました。上着の調節をお願いします。",
    "日が短くなりました。下校時刻を守り、明るい色の服を着せてください。",
];

/// Notices to the class: days before today, topic, body.
const NOTICES: [(i32, &str, &str); 7] = [
    (
        1,
        "社会科見学のお知らせ",
        "県庁と臨江閣を見学します。\n集合 8時30分 教室\n帰校 14時30分ごろ\n持ち物 弁当、水筒、敷物、雨具、しおり\n欠席するときは、当日8時までに電話でご連絡ください。",
    ),
    (
        5,
        "個人面談の日程",
        "希望調査票をもとに日時を決めました。お子さんに持ち帰らせた用紙をご確認ください。\n面談の期間は給食後に下校します。",
    ),
    (
        9,
        "学級通信「もみじっ子」",
        "算数は「かけ算の筆算」に入りました。九九の復習をお願いします。\nリコーダーの練習を始めました。",
    ),
    (
        13,
        "給食だより",
        "地場産物を使った献立の週です。\nアレルギー対応の献立表は個別にお渡ししています。変更のあるときは前日までにお知らせします。",
    ),
    (
        17,
        "保健だより",
        "せきの出る人が増えています。手洗いと換気に努めています。発熱したときは登校を控え、学校にご連絡ください。",
    ),
    (
        24,
        "授業参観・学級懇談会のお知らせ",
        "3年2組の授業は国語です。上履きと名札をお持ちください。駐車場はありませんので、徒歩か自転車でお越しください。",
    ),
    (33, "集金のお知らせ", "教材費とPTA会費を口座から引き落とします。前日までに残高をご確認ください。"),
];

/// Things for the class to hand in: days since it was asked for, days from today until it is due, words, whether
/// it is done.
const HAND_IN: [(i32, i32, &str, bool); 4] = [
    (6, 3, "社会科見学 参加同意書", false),
    (2, 10, "個人面談 希望調査票", false),
    (18, -4, "PTA総会 委任状", true),
    (15, -1, "図書室の本の返却", false),
];

/// Events of some hours: days from today, from, to, words, what to bring.
const HOURS: [(i32, &str, &str, &str, &str); 5] = [
    (-8, "10:30", "11:15", "避難訓練", ""),
    (7, "08:30", "14:30", "3年生 社会科見学(県庁・臨江閣)", "弁当、水筒、敷物、雨具、しおり"),
    (16, "13:30", "15:20", "授業参観・学級懇談会", "上履き、名札(保護者)"),
    (20, "08:45", "10:20", "体力テスト", "体育着、水筒"),
    (29, "10:00", "11:30", "地域の方と昔遊び", ""),
];

/// Whole days: days from today, how many school days in a row, words.
const WHOLE_DAYS: [(i32, usize, &str); 2] = [(12, 4, "個人面談週間(給食後下校)"), (23, 1, "振替休業日")];

impl Story {
    /// The class, and what the school sends to it; the family's child is examined like its classmates.
    pub(super) fn school_life(&mut self, child: &str, classmates: &[Resident]) {
        let Some(child) = self.population.resident(child).cloned() else { return };
        let pupils: Vec<Resident> = [child.clone()].into_iter().chain(classmates.iter().cloned()).collect();
        self.class(&pupils);
        for pupil in &pupils {
            self.preschool_checkup(pupil);
            self.health_exams(pupil);
        }
        let members: Vec<&str> = pupils.iter().map(|pupil| pupil.number.as_str()).collect();
        self.notices(&members);
        self.calendar(&members);
        for (asked, due, text, done) in HAND_IN {
            let (asked, due) = (self.days_ago(asked), school_days::from(self.days_ago(-due)));
            let mut task = hand_in(text, asked, due, done);
            task["for"] = class_reference();
            self.send_to_class(task, &members);
        }
        // Only for the child with the allergy.
        let (asked, due) = (self.days_ago(2), school_days::from(self.days_ago(-6)));
        self.record(
            House::School,
            &child,
            hand_in("学校生活管理指導表(アレルギー疾患用)", asked, due, false),
        );
    }

    fn notices(&mut self, members: &[&str]) {
        let first = CalendarDate::new(self.today.year(), self.today.month(), 1).unwrap_or(self.today);
        let sent = school_days::from(first).min(self.today);
        let month = sent.month();
        let body = OF_THE_MONTH[usize::try_from(month - 1).unwrap_or(0).min(11)];
        self.send_to_class(notice(&format!("学校だより {month}月号"), body, sent), members);
        for (days, topic, body) in NOTICES {
            let day = school_days::until(self.days_ago(days));
            self.send_to_class(notice(topic, body, day), members);
        }
    }

    fn calendar(&mut self, members: &[&str]) {
        for (days, from, to, text, bring) in HOURS {
            let day = school_days::from(self.days_ago(-days));
            let mut held = event(text, &format!("{day}T{from}"), &format!("{day}T{to}"));
            if !bring.is_empty() {
                held["comment"] = json!(format!("持ち物: {bring}"));
            }
            self.send_to_class(held, members);
        }
        for (days, count, text) in WHOLE_DAYS {
            let first = school_days::from(self.days_ago(-days));
            let following = |day: CalendarDate| day.plus_days(1).and_then(school_days::following_in_term);
            let last = (1..count).fold(first, |day, _| following(day).unwrap_or(day));
            self.send_to_class(whole_days(text, first, last), members);
        }
        if let Some((ends, begins, name)) = school_days::next_holidays(self.today) {
            let (ceremony, opening) = (format!("{ends}T08:45"), format!("{begins}T08:45"));
            let (ends_at, opens_until) = (format!("{ends}T11:30"), format!("{begins}T11:30"));
            let closing = if name == "春休み" { "修了式" } else { "終業式" };
            self.send_to_class(event(closing, &ceremony, &ends_at), members);
            if let (Some(first), Some(last)) = (ends.plus_days(1), begins.plus_days(-1)) {
                self.send_to_class(whole_days(name, first, last), members);
            }
            self.send_to_class(event("始業式", &opening, &opens_until), members);
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

fn event(text: &str, start: &str, end: &str) -> Value {
    json!({
        "resourceType": "Appointment", "status": "booked", "description": text,
        "start": format!("{start}:00+09:00"), "end": format!("{end}:00+09:00"),
        "participant": [{ "actor": class_reference(), "status": "accepted" }],
    })
}

/// From midnight of the first day to midnight after the last: FHIR has no other way to write whole days.
fn whole_days(text: &str, first: CalendarDate, last: CalendarDate) -> Value {
    let after = last.plus_days(1).unwrap_or(last);
    event(text, &format!("{first}T00:00"), &format!("{after}T00:00"))
}

fn hand_in(text: &str, asked: CalendarDate, due: CalendarDate, done: bool) -> Value {
    json!({
        "resourceType": "Task", "status": if done { "completed" } else { "requested" },
        "intent": "order", "description": text,
        "authoredOn": asked.to_string(),
        "restriction": { "period": { "end": due.to_string() } },
    })
}
