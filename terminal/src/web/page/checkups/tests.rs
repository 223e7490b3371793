#![allow(clippy::unwrap_used, reason = "tests")]

//! The check-up page from records to sections.

use hibiki_protocol::answer::Record;
use hibiki_protocol::session::Relation;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::tests::{EVIL, body, record, seated, stays_in_its_place};
use super::*;

fn finding(name: &str, on: &str, value: &str) -> Value {
    json!({ "resourceType": "Observation", "status": "final", "effectiveDateTime": on,
        "code": { "text": name }, "valueString": value })
}

fn number(name: &str, on: &str, value: f64, unit: &str) -> Value {
    json!({ "resourceType": "Observation", "status": "final", "effectiveDateTime": on,
        "code": { "text": name }, "valueQuantity": { "value": value, "unit": unit } })
}

fn visit(name: &str, on: &str) -> Value {
    json!({ "resourceType": "Encounter", "status": "finished", "period": { "start": on }, "type": [{ "text": name }] })
}

fn report(name: &str, on: &str, conclusion: &str) -> Value {
    json!({ "resourceType": "DiagnosticReport", "status": "final", "effectiveDateTime": on,
        "code": { "text": name }, "conclusion": conclusion })
}

async fn html(records: &[(Category, Value)], relation: Relation, birth: &str) -> String {
    let records = records.iter().map(|(kind, content)| record(*kind, "2026-05-01", content)).collect();
    body(page(seated(records, relation, birth, Lang::Ja)).await).await
}

/// The sections of occasions.
fn sections(html: &str) -> Vec<&str> {
    let sections = html.split("<section class=\"occasion\"").skip(1);
    sections.map(|section| section.split("</section>").next().unwrap()).collect()
}

#[tokio::test]
async fn many_records_of_one_day_are_one_section() {
    let mut records: Vec<(Category, Value)> = (0..20)
        .map(|item| (Category::PrenatalCheckup, finding(&format!("項目{item:02}"), "2026-01-10", "正常")))
        .collect();
    records.push((Category::PrenatalCheckup, visit("妊婦健康診査 第13回", "2026-01-10")));
    records.push((Category::PrenatalCheckup, report("妊婦健康診査結果", "2026-01-10", "妊娠38週 順調")));
    let html = html(&records, Relation::Oneself, "1990-10-16").await;
    let sections = sections(&html);
    assert_eq!(sections.len(), 1);
    assert!((0..20).all(|item| sections[0].contains(&format!("項目{item:02}"))));
    assert!(sections[0].contains("順調") && sections[0].contains("妊婦健康診査 第13回"));
    assert!(!html.contains("乳幼児健診の時期"), "the card's holder is no child");
}

#[tokio::test]
async fn results_stand_beside_the_last_ones_newest_first() {
    let records = [
        (Category::PrenatalCheckup, number("体重", "2026-01-03", 60.2, "kg")),
        (Category::PrenatalCheckup, number("体重", "2026-01-10", 61.1, "kg")),
        (Category::PrenatalCheckup, number("体重", "2026-01-17", 59.9, "kg")),
        (Category::PrenatalCheckup, number("腹囲", "2026-01-03", 94.4, "cm")),
        (Category::PrenatalCheckup, number("腹囲", "2026-01-10", 94.4, "cm")),
        (Category::PrenatalCheckup, finding("浮腫", "2026-01-03", "(-)")),
        (Category::PrenatalCheckup, finding("浮腫", "2026-01-10", "(-)")),
        (Category::PrenatalCheckup, finding("浮腫", "2026-01-17", "(+)")),
    ];
    let html = html(&records, Relation::Oneself, "1990-10-16").await;
    let sections = sections(&html);
    assert_eq!(sections.len(), 3);
    let plain = |section: &str| {
        let mut inside = false;
        let visible = |c: &char| {
            inside = (inside || *c == '<') && *c != '>';
            !inside && *c != '>'
        };
        section.chars().filter(visible).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let [newest, middle, oldest] = [0, 1, 2].map(|place| plain(sections[place]));
    assert!(newest.contains("▼ -1.2 kg") && newest.contains("2026年1月10日"), "{newest}");
    assert!(newest.contains("前回：(-)") && !newest.contains("同じ"));
    assert!(middle.contains("▲ +0.9 kg") && middle.contains("＝ 変化なし") && middle.contains("＝ 同じ"));
    assert!(!oldest.contains('▲') && !oldest.contains("前回："), "nothing stands before the first");
}

#[tokio::test]
async fn no_record_is_never_not_examined() {
    let records = [(Category::InfantCheckup, report("3〜4か月児健診", "2026-05-10", "問題なし"))];
    for records in [&records[..], &[]] {
        let html = html(records, Relation::Child, "2026-01-18").await;
        assert_eq!(html.matches("記録あり").count(), records.len());
        assert!(html.contains("これから") && html.contains("記録なし") && !html.contains("未受診"));
        assert!(html.contains("法律で定められた健診"));
    }
}

#[tokio::test]
async fn a_school_year_says_day_by_day_and_house_by_house() {
    let records = [
        (Category::HealthExam, finding("視力", "2026-04-22", "A")),
        (Category::HealthExam, finding("歯", "2026-05-20", "要観察歯1本")),
    ];
    let html = html(&records, Relation::Child, "2017-05-05").await;
    let sections = sections(&html);
    assert_eq!(sections.len(), 1);
    assert!(sections[0].contains("2026年4月22日（水） 〜 2026年5月20日（水）"));
    assert_eq!(sections[0].matches("2026年5月20日").count(), 2, "the range, and the day of the teeth");
    assert!(html.contains("id=\"due-lines\""), "what is long past is folded");
}

#[tokio::test]
async fn what_is_withdrawn_or_unreadable_is_listed_and_nothing_else_is_claimed() {
    let mut withdrawn = report("3歳児健診", "2026-05-10", "問題なし");
    withdrawn["status"] = json!("entered-in-error");
    let mut undated = finding("視力", "2026-05-10", "A");
    undated.as_object_mut().unwrap().remove("effectiveDateTime");
    let html = html(
        &[(Category::InfantCheckup, withdrawn), (Category::HealthExam, undated)],
        Relation::Child,
        "2022-01-18",
    )
    .await;
    assert!(sections(&html).is_empty());
    assert!(html.contains("【取消】") && html.contains("視力"));
    assert!(!html.contains("健診の記録がありません"), "there are records");
}

#[tokio::test]
async fn before_anything_landed_only_the_times_are_shown() {
    let mut empty = seated(Vec::new(), Relation::Child, "2026-01-18", Lang::Ja);
    empty.view.parts.clear();
    empty.view.ended = None;
    let html = body(page(empty).await).await;
    assert!(html.contains("届いたものから表示します") && html.contains("1歳6か月児健診"));
    assert!(!html.contains("健診の記録がありません"));
}

#[tokio::test]
async fn names_and_results_are_words_and_nothing_else() {
    let records = [
        (Category::PrenatalCheckup, visit(EVIL, "2026-01-10")),
        (Category::PrenatalCheckup, report(EVIL, "2026-01-10", EVIL)),
        (Category::InfantCheckup, finding(EVIL, "2026-01-10", EVIL)),
        (Category::InfantCheckup, finding(EVIL, "2026-02-10", EVIL)),
        (Category::HealthExam, visit(EVIL, "2026-01-10")),
    ];
    let html = html(&records, Relation::Child, "2020-01-18").await;
    stays_in_its_place("checkups", &html);
    assert!(html.matches("&#60;script&#62;").count() >= 8);
}

#[tokio::test]
async fn a_thousand_findings_are_a_page_in_no_time() {
    for category in CATEGORIES {
        for days in [1, 50, 1000] {
            let first: CalendarDate = "2020-01-18".parse().unwrap();
            let records: Vec<Record> = (0..1000)
                .map(|number| {
                    let day = first.plus_days(number % days * 2).unwrap().to_string();
                    let content = finding(&format!("項目{}", number % 20), &day, "異常なし");
                    record(category, &day, &content)
                })
                .collect();
            let made = seated(records, Relation::Child, "2012-06-01", Lang::Ja);
            let began = Instant::now();
            let html = body(page(made).await).await;
            let took = began.elapsed().as_secs_f64();
            let sections = sections(&html).len();
            println!("1,000 findings of {category} in {sections} sections: {:.0} ms", took * 1000.0);
            assert_eq!(html.matches("role=\"rowheader\"").count(), 1000);
            // Without optimisation, on a machine that does other things, too.
            assert!(took < 1.0, "{took} s");
        }
    }
}
