#![allow(clippy::unwrap_used, reason = "tests")]

//! The growth page from records to words and points.

use hibiki_protocol::answer::Record;
use hibiki_protocol::session::Relation;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::tests::{body, record, seated, stays_in_its_place};
use super::*;

const LOINC: &str = "http://loinc.org";

fn measured(code: &str, on: &str, value: f64, unit: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "effectiveDateTime": on,
        "code": { "coding": [{ "system": LOINC, "code": code }] },
        "valueQuantity": { "value": value, "unit": unit },
    })
}

fn growth(content: &Value) -> Record {
    let date = content["effectiveDateTime"].as_str().filter(|date| date.len() == 10);
    record(Category::Growth, date.unwrap_or("2026-05-01"), content)
}

fn height(on: &str, cm: f64) -> Value {
    measured("8302-2", on, cm, "cm")
}

fn weight(on: &str, kg: f64) -> Value {
    measured("29463-7", on, kg, "kg")
}

async fn html(records: &[Value], relation: Relation, birth: &str, reference: Reference) -> String {
    let records = records.iter().map(growth).collect();
    body(over(seated(records, relation, birth, Lang::Ja), reference)).await
}

fn text_between<'a>(html: &'a str, from: &str, until: &str) -> &'a str {
    html.split(from).nth(1).unwrap().split(until).next().unwrap()
}

#[tokio::test]
async fn a_child_has_a_chart_with_every_point_in_a_table_newest_first() {
    let all = [height("2026-02-20", 55.0), height("2026-06-20", 64.5), weight("2026-06-20", 7.1)];
    for (reference, curves) in [(Reference::Japan2023, 7), (Reference::Who2006, 5)] {
        let html = html(&all, Relation::Child, "2026-01-18", reference).await;
        let section =
            text_between(&html, "<section class=\"kind\" aria-labelledby=\"height\">", "</section>");
        assert_eq!(section.matches("<circle class=\"child\"").count(), 2);
        assert_eq!(section.matches("<path class=\"curve").count(), curves);
        assert_eq!(section.matches("class=\"percentile").count(), curves);
        let rows = text_between(section, "<tbody role=\"rowgroup\">", "</tbody>");
        assert!(rows.find("64.5 cm").unwrap() < rows.find("55.0 cm").unwrap(), "newest first");
        assert!(rows.contains("5か月") && rows.contains("パーセンタイル"));
        assert!(html.contains(reference.attribution().ja) && html.contains("ただちに心配とは限りません"));
        assert!(!html.contains("style="));
    }
}

#[tokio::test]
async fn the_card_holder_sees_values_and_no_curves() {
    let all = [height("2025-05-01", 158.2), weight("2026-06-20", 54.0)];
    let html = html(&all, Relation::Oneself, "1990-10-16", Reference::Japan2023).await;
    assert!(html.contains("158.2 cm") && html.contains("54.0 kg"));
    assert!(!html.contains("<svg") && !html.contains("パーセンタイル") && !html.contains("肥満度"));
}

#[tokio::test]
async fn what_is_off_the_chart_says_why() {
    let mut withdrawn = height("2026-03-01", 57.0);
    withdrawn["status"] = json!("entered-in-error");
    let mut unit = height("2026-03-02", 58.0);
    unit["valueQuantity"] = json!({ "value": 58 });
    let all = [
        withdrawn,
        unit,
        height("2026-05", 60.0),
        height("2025-12-01", 50.0),
        height("2026-03-03", 999.0),
        height("2026-03-04", 119.0),
        height("2098-03-04", 61.0),
        height("2026-04-01", 59.0),
    ];
    let html = html(&all, Relation::Child, "2026-01-18", Reference::Japan2023).await;
    let section = text_between(&html, "<section class=\"kind\" aria-labelledby=\"height\">", "</section>");
    let rows = text_between(section, "<tbody role=\"rowgroup\">", "</tbody>");
    assert_eq!(rows.matches("<tr role=\"row\">").count(), all.len());
    let all_off = [OffChart::Withdrawn, OffChart::UnknownUnit, OffChart::InexactDay, OffChart::BeforeBirth];
    for off in all_off {
        assert!(rows.contains(off.label().ja), "{off:?}");
    }
    assert_eq!(rows.matches(Doubt::OutOfRange.label().ja).count(), 2, "999 cm, and 119 cm at six weeks");
    assert!(rows.contains("2026年5月ごろ") && !rows.contains("2026年5月1日"));
    // Neither a slip of the pen nor one of the year presses the sound point of April flat.
    assert_eq!(rows.matches("グラフの範囲の外です").count(), 2, "119 cm, and the year 2098");
    assert_eq!(section.matches("<circle").count(), 1);
    assert!(section.contains(">11か月</text>") && section.contains("2か月で 59.0 cm"));
}

#[tokio::test]
async fn before_anything_landed_nothing_is_claimed() {
    let mut empty = seated(Vec::new(), Relation::Child, "2026-01-18", Lang::Ja);
    empty.view.parts.clear();
    empty.view.ended = None;
    let html = body(page(empty).await).await;
    assert!(html.contains("届いたものから表示します") && !html.contains("記録がありません"));
    assert!(!html.contains("<svg"));
}

#[tokio::test]
async fn without_sex_there_are_points_without_curves() {
    let mut unsexed =
        seated(vec![growth(&height("2026-06-20", 64.5))], Relation::Child, "2026-01-18", Lang::Ja);
    let mut person = unsexed.person().clone();
    person.sex = "unknown".to_owned();
    std::sync::Arc::get_mut(&mut unsexed.seat).unwrap().persons = std::sync::Arc::from([person]);
    let html = body(page(unsexed).await).await;
    assert!(html.contains("<circle") && !html.contains("class=\"curve") && !html.contains("class=\"band"));
    assert!(html.contains("性別の登録がないため") && !html.contains(Reference::Japan2023.attribution().ja));
}

#[tokio::test]
async fn a_birth_date_that_is_no_day_hides_no_record() {
    let unborn = seated(vec![growth(&height("2026-06-20", 64.5))], Relation::Child, "2026-01-18", Lang::Ja);
    let (measured, others) = sorted(&unborn, false);
    assert_eq!((measured.measurements.len(), others.len()), (0, 1));
    let page = Growth {
        coverage: unborn.coverage(),
        compared: None,
        without_birth: true,
        kinds: Vec::new(),
        build: None,
        others: Plain::newest_first(others, Lang::Ja),
        f: Frame {
            lang: Lang::Ja,
            token: String::new(),
            scene: 1,
            change: 1,
            here: String::new(),
            session: None,
        },
    };
    let html = page.render().unwrap();
    assert!(html.contains("生年月日を読み取れない") && html.contains("64.5 cm"));
    assert!(!html.contains("記録がありません"));
}

#[tokio::test]
async fn height_and_weight_of_a_day_make_a_degree_of_obesity() {
    let all = [
        height("2026-04-24", 129.0),
        weight("2026-04-24", 27.5),
        height("2025-04-24", 123.0),
        weight("2025-05-24", 24.0),
    ];
    let html = html(&all, Relation::Child, "2017-06-01", Reference::Japan2023).await;
    let section = text_between(&html, "<section class=\"kind\" aria-labelledby=\"build\">", "</section>");
    assert_eq!(
        text_between(section, "<tbody role=\"rowgroup\">", "</tbody>").matches("<tr role=\"row\">").count(),
        1
    );
    assert!(section.contains("ふつう") && section.contains("129.0 cm") && section.contains("27.5 kg"));
    assert!(html.contains("曲線は、基準のある年齢までです"), "at nine there are points, and no curves");
}

#[tokio::test]
async fn a_thousand_measurements_are_a_page_in_no_time() {
    let all: Vec<Record> = (0..1000)
        .map(|number| {
            let day = format!("20{:02}-{:02}-{:02}", 17 + number % 9, 1 + number % 12, 1 + number % 28);
            let value = f64::from(number % 90);
            growth(&if number % 2 == 0 {
                height(&day, 50.0 + value)
            } else {
                weight(&day, 3.0 + value / 4.0)
            })
        })
        .collect();
    for reference in Reference::ALL {
        let made = seated(all.clone(), Relation::Child, "2017-01-01", Lang::Ja);
        let began = Instant::now();
        let html = body(over(made, reference)).await;
        let took = began.elapsed().as_secs_f64();
        println!("1,000 measurements over {reference:?}: {:.0} ms", took * 1000.0);
        assert!(html.matches(" scope=\"row\"").count() >= 1000);
        // Without optimisation, on a machine that does other things, too.
        assert!(took < 1.0, "{took} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever was measured whenever: every record is a row or a line, and every point lies within the picture.
    #[test]
    fn every_measurement_is_listed_and_points_stay_inside(
        readings in prop::collection::vec((0usize..8, 0i32..9_000, -50.0f64..400.0, any::<bool>()), 1..25),
        who in any::<bool>(),
    ) {
        let codes = ["8302-2", "8306-3", "29463-7", "8339-4", "9843-4", "8279-2", "39156-5", "0-0"];
        let birth: CalendarDate = "2008-01-18".parse().unwrap();
        let records = readings.iter().enumerate().map(|(number, (code, days, value, unit))| {
            let on = birth.plus_days(days - 300).unwrap().to_string();
            let mut content = measured(codes[*code], &on, *value, if *unit { "cm" } else { "kg" });
            content["code"]["text"] = json!(format!("MARK{number}-"));
            content["valueQuantity"]["value"] = json!(format!("{value:.1}").parse::<f64>().unwrap());
            growth(&content)
        });
        let reference = if who { Reference::Who2006 } else { Reference::Japan2023 };
        let made = seated(records.collect(), Relation::Child, "2008-01-18", Lang::Ja);
        let (measured, others) = sorted(&made, true);
        let child = Child { birth, sex: made.sex(), ages: Ages::FromBirth };
        let kinds = measured.kinds(&child, reference, true, Lang::Ja);
        prop_assert_eq!(kinds.iter().map(|kind| kind.rows.len()).sum::<usize>() + others.len(), readings.len());
        for chart in kinds.iter().filter_map(|kind| kind.chart.as_ref()) {
            for point in &chart.points {
                prop_assert!((chart.left..=chart.right).contains(&point.x));
                prop_assert!((chart.top..=chart.bottom).contains(&point.y));
            }
        }
        for (kind, (chart, rows)) in kinds.iter().filter_map(|it| Some((it.name, (it.chart.as_ref()?, &it.rows)))) {
            let remarked = rows.iter().filter(|row| !row.remarks.is_empty()).count();
            prop_assert!(chart.points.len() + remarked >= rows.len(), "{}: a point or a reason", kind);
        }
    }

    #[test]
    fn hostile_words_stay_words(words in "[<>\"'&a-z{}%\u{202e}]{1,20}") {
        let mut content = measured("8302-2", "2026-05-01", 60.0, &words);
        content["code"]["text"] = json!(words);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let html = runtime.block_on(html(&[content], Relation::Child, "2026-01-18", Reference::Japan2023));
        stays_in_its_place("growth", &html);
    }
}
