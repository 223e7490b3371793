#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use hibiki_protocol::answer::Record;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::session::Relation;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::held::Held;
use super::super::tests::{EVIL, body, record, seated, stays_in_its_place};
use super::*;
use crate::view::ViewPart;

const TODAY: &str = "2026-11-26";

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

/// A dose by its CVX code.
fn dose(cvx: &str, on: &str, lot: &str) -> Value {
    json!({
        "resourceType": "Immunization", "status": "completed", "occurrenceDateTime": on, "lotNumber": lot,
        "vaccineCode": { "coding": [{ "system": "http://hl7.org/fhir/sid/cvx", "code": cvx }] },
    })
}

fn stored(content: &Value) -> Record {
    record(Category::Immunization, "2026-05-01", content)
}

/// What the page tells of a girl, where each institution holds those records.
fn told(birth: &str, holders: &[&[Value]], lang: Lang) -> Content {
    let whole = seated(Vec::new(), Relation::Child, birth, lang);
    let model: &ViewPart = whole.view.parts.values().next().unwrap();
    let part = |(place, records): (usize, &&[Value])| ViewPart {
        institution: format!("maebashi/house-{place}").parse().unwrap(),
        name: (format!("施設{place}"), format!("House {place}")),
        records: records.iter().map(stored).collect(),
        ..model.clone()
    };
    let parts: Vec<ViewPart> = holders.iter().enumerate().map(part).collect();
    let held = parts.iter().flat_map(|part| part.records.iter().map(move |record| Held { part, record }));
    let landed = Landed::new(held, lang);
    Content::planned(&landed, Child { birth: day(birth), sex: Sex::Female, today: day(TODAY) }, lang)
}

fn planned(content: &Content) -> (&Next, &Picture, &[Series]) {
    match &content.outline {
        Outline::Planned { next, picture: Some(picture), series } => (next, picture.as_ref(), series),
        _ => panic!("no plan"),
    }
}

fn series<'a>(content: &'a Content, name: &str) -> &'a Series {
    planned(content).2.iter().find(|series| series.name == name).unwrap()
}

/// Every source on the page, of records in one place of the page each.
fn sources(content: &Content) -> Vec<&landed::Source> {
    let doses = match &content.outline {
        Outline::Planned { series, .. } => series.iter().flat_map(|series| &series.doses).collect(),
        Outline::NoBirth | Outline::Oneself => Vec::new(),
    };
    let entries = content.given.iter().chain(&content.not_given).chain(&content.withdrawn);
    let of_doses = doses.into_iter().flat_map(|dose| &dose.sources);
    of_doses.chain(entries.flat_map(|entry| &entry.sources)).collect()
}

/// Hostile, broken and odd records; none counts for two series.
fn odd_ones() -> Vec<Value> {
    let mut all = Vec::new();
    for (place, cvx) in ["08", "133", "119", "19", "03", "21", "141", "999", "<script>"].iter().enumerate() {
        for (turn, on) in
            ["2026-03-20", "2026-03", "2026", "1900-01-01", "2031-01-01", "x", ""].iter().enumerate()
        {
            for status in ["completed", "not-done", "entered-in-error", "<b>"] {
                let lot = format!("LOT{place}-{turn}-{}{EVIL}", status.len());
                let mut it = dose(cvx, on, &lot);
                it["status"] = json!(status);
                it["vaccineCode"]["text"] = json!(EVIL);
                it["location"] = json!({ "display": EVIL });
                it["performer"] = json!([{ "actor": { "display": EVIL } }]);
                it["statusReason"] = json!({ "text": EVIL });
                it["protocolApplied"] = json!([{ "doseNumberPositiveInt": turn, "series": EVIL }]);
                all.push(it);
            }
        }
    }
    all.extend([
        json!(null),
        json!([]),
        json!({}),
        json!({ "vaccineCode": 7, "occurrenceDateTime": [] }),
        json!("x"),
    ]);
    all
}

#[test]
fn as_many_records_are_shown_as_have_landed() {
    let odd = odd_ones();
    let (some, others) = odd.split_at(odd.len() / 3);
    for birth in ["2026-01-18", "2017-06-01", "1990-05-05", "2027-06-01"] {
        let content = told(birth, &[some, &[], others], Lang::Ja);
        assert_eq!((content.records, sources(&content).len()), (odd.len(), odd.len()), "{birth}");
        let shares: Vec<(&str, usize)> =
            content.shares.iter().map(|share| (share.holder.as_str(), share.records)).collect();
        assert_eq!(shares, [("施設0", some.len()), ("施設2", others.len())]);
    }
    assert!(odd.len() > 250);
}

#[tokio::test]
async fn every_record_is_on_the_page_and_in_its_place_as_words() {
    let odd = odd_ones();
    let records = || odd.iter().map(stored).collect::<Vec<Record>>();
    for lang in [Lang::Ja, Lang::En] {
        for (relation, birth) in [
            (Relation::Child, "2026-01-18"),
            (Relation::Child, "2017-06-01"),
            (Relation::Child, "0000-01-01"),
            (Relation::Oneself, "1990-05-05"),
        ] {
            let html = body(page(seated(records(), relation, birth, lang)).await).await;
            stays_in_its_place("vaccinations", &html);
            assert_eq!(html.matches("class=\"record\"").count(), odd.len(), "{birth}");
            for content in &odd {
                let lot = content.get("lotNumber").and_then(Value::as_str);
                let lot = lot.and_then(|lot| lot.split('<').next()).unwrap_or_default();
                assert!(html.contains(lot), "{birth}: {lot} is lost");
            }
        }
    }
}

#[test]
fn one_dose_of_several_institutions_names_them_all() {
    let (here, there) = (dose("08", "2026-03-19", "VZ1"), dose("08", "2026-03-19", "VZ1"));
    let content = told("2026-01-18", &[&[here], &[there], &[dose("08", "2026-03", "")]], Lang::Ja);
    let first = &series(&content, "B型肝炎").doses[0];
    let holders: Vec<&str> = first.sources.iter().map(|source| source.holder.as_str()).collect();
    assert_eq!(holders, ["施設0", "施設1", "施設2"]);
    assert_eq!(first.sources[0].details, [("製造番号", "VZ1".to_owned())]);
    assert_eq!(first.said, "2026年3月19日に受けました(B型肝炎)。");
    assert_eq!(series(&content, "B型肝炎").count, "3回のうち1回の記録があります");
}

#[test]
fn a_vaccine_against_more_stands_in_every_series_it_counts_for() {
    let content = told("2023-05-05", &[&[dose("94", "2024-06-01", "MV1")]], Lang::Ja);
    for name in ["麻しん風しん(MR)", "水痘(みずぼうそう)"] {
        assert_eq!(
            series(&content, name).doses[0].sources[0].details,
            [("製造番号", "MV1".to_owned())],
            "{name}"
        );
    }
    assert_eq!((content.records, content.given.len()), (1, 0));
}

#[test]
fn what_is_next_says_dose_days_and_periods() {
    let content =
        told("2026-01-18", &[&[dose("08", "2026-03-19", ""), dose("08", "2026-04-19", "")]], Lang::Ja);
    let (next, picture, _) = planned(&content);
    let names: Vec<(&str, &str)> = next.steps.iter().map(|step| (step.name.as_str(), step.class)).collect();
    let late = next.steps.iter().find(|step| step.name == "B型肝炎 3回目").unwrap();
    assert_eq!((late.class, late.tag, late.left.as_str()), ("overdue", "まだ間に合います", "あと52日です"));
    assert!(late.said.contains("2027年1月17日まで、まだ公費で受けられます"), "{}", late.said);
    let periods: Vec<(&str, String)> =
        late.periods.iter().map(|period| (period.name, period.days.concat())).collect();
    assert_eq!(
        periods,
        [
            ("標準の時期", "2026年8月17日から2026年10月17日まで".to_owned()),
            ("公費で受けられる期間", "2026年1月18日から2027年1月17日まで".to_owned()),
        ]
    );
    let order: Vec<usize> = names
        .iter()
        .map(|(_, class)| ["overdue", "due", "later"].iter().position(|it| it == class).unwrap())
        .collect();
    assert!(order.is_sorted() && names.len() > 5, "{names:?}");
    // The picture has the same marks as the table.
    let row = picture.rows.iter().find(|row| row.name == "B型肝炎").unwrap();
    assert_eq!(row.marks.iter().map(|mark| mark.class).collect::<Vec<_>>(), ["done", "done", "overdue"]);
    assert!((row.marks[2].x - picture.today).abs() < 0.1 && row.bars.iter().any(|bar| bar.class == "legal"));
    assert!(picture.said.contains("B型肝炎は接種済み2回、まだ間に合います1回。"), "{}", picture.said);
    assert!(picture.beyond.contains(&"二種混合(ジフテリア・破傷風)"));
}

#[test]
fn live_vaccines_that_are_open_together_are_kept_apart() {
    let content = told("2025-10-01", &[&[]], Lang::Ja);
    let next = planned(&content).0;
    assert!(
        next.live_gap.contains("麻しん風しん") && next.live_gap.contains("27日以上"),
        "{}",
        next.live_gap
    );
}

#[test]
fn a_dose_that_nobody_told_of_is_never_called_missed() {
    let content = told("2017-06-01", &[&[dose("08", "2017-08-04", "")]], Lang::Ja);
    let hepatitis = series(&content, "B型肝炎");
    assert!(hepatitis.doses[1].missing && hepatitis.doses[1].class == "closed" && !hepatitis.complete);
    assert!(hepatitis.advice.contains("母子健康手帳"));
    assert!(planned(&content).0.missing);
    let baby = told("2026-01-18", &[&[]], Lang::Ja);
    let early = &series(&baby, "日本脳炎").doses[1];
    assert!(!early.missing && early.sources.is_empty());
}

#[test]
fn what_is_to_be_known_of_a_dose_stands_beside_it() {
    let given = [dose("08", "2026-03-19", ""), dose("08", "2026-03-25", "")];
    let content = told("2026-01-18", &[&given], Lang::Ja);
    let second = &series(&content, "B型肝炎").doses[1];
    assert_eq!(second.remarks, ["決められた間隔では2026年4月16日からでした。医師にご確認ください。"]);
    assert!(!second.rule.is_empty() && !series(&content, "B型肝炎").source.is_empty());
}

#[test]
fn whoever_has_done_everything_reads_so_warmly() {
    let bcg = hibiki_records::immunization::read(&serde_json::to_vec(&dose("19", "2017-11-05", "")).unwrap());
    let plan = schedule::plan(day("2017-06-01"), Sex::Female, &[bcg], day(TODAY));
    let of = |keep: fn(&schedule::SeriesPlan) -> bool| {
        let series = plan.series.iter().filter(|series| keep(series)).cloned().collect();
        Next::new(&Plan { series, ..plan.clone() }, day(TODAY), Lang::Ja)
    };
    let done = of(schedule::SeriesPlan::is_complete);
    assert!(
        done.said.contains("すべて済んでいます") && done.steps.is_empty() && !done.missing,
        "{}",
        done.said
    );
    let over = of(schedule::SeriesPlan::is_over);
    assert!(over.missing && over.steps.is_empty() && !over.said.contains("済んで"), "{}", over.said);
    let later = of(|series| series.id == "dt");
    assert!(later.said.contains("いますぐ受けるものはありません") && later.steps.len() == 1);
    let now = of(|series| series.id == "je");
    assert!(now.said.is_empty() && now.steps.len() == 1);
    assert!(of(|_| false).said.contains("対象になる定期接種はありません"));
}

#[test]
fn the_others_say_why_they_stand_apart() {
    let unreadable = json!("no record");
    let refused = json!({
        "resourceType": "Immunization", "status": "not-done", "statusReason": { "text": "発熱のため" },
        "vaccineCode": { "text": "BCG" }, "occurrenceDateTime": "2026-06-01",
    });
    let given = [dose("150", "2026-10-20", "FL1"), unreadable, refused];
    let content = told("2026-01-18", &[&given], Lang::Ja);
    let whys: Vec<(&str, &str)> = content.given.iter().map(|it| (it.why, it.day.as_str())).collect();
    assert_eq!(
        whys,
        [
            ("内容を読み取れない記録", "接種日の記載なし（施設での日付：2026年5月1日）"),
            ("定期接種以外のワクチン", "2026年10月20日"),
        ]
    );
    assert_eq!(content.not_given[0].sources[0].details, [("理由", "発熱のため".to_owned())]);
}

#[tokio::test]
async fn the_holder_sees_a_list_without_a_childhood() {
    let given = vec![stored(&dose("06", "1995-05-28", "R-1")), stored(&dose("06", "1995-05-28", "R-2"))];
    let html = body(page(seated(given, Relation::Oneself, "1990-05-05", Lang::Ja)).await).await;
    assert!(html.contains("href=\"/person/1/rubella\"") && html.contains("1995年5月28日"));
    assert!(!html.contains("次にすること") && !html.contains("<svg"));
    assert_eq!(html.matches("1995年5月28日").count(), 1, "two records of one dose are one dose");
    assert!(html.contains("R-1") && html.contains("R-2"));
}

#[tokio::test]
async fn a_birth_date_that_is_no_day_is_said_and_records_are_listed() {
    let given = vec![stored(&dose("08", "2026-03-19", "VZ1"))];
    let html = body(page(seated(given, Relation::Child, "0000-01-01", Lang::Ja)).await).await;
    assert!(
        html.contains("生年月日を読み取れない") && html.contains("VZ1") && !html.contains("次にすること")
    );
}

#[tokio::test]
async fn nothing_is_told_to_be_open_before_anybody_has_answered() {
    let asked = |landed: bool, ended: bool| {
        let mut seated = seated(Vec::new(), Relation::Child, "2026-01-18", Lang::Ja);
        seated.view.parts.retain(|_, part| landed && part.outcome == Outcome::Data);
        seated.view.ended = ended.then_some(Ok(()));
        seated
    };
    let waiting = body(page(asked(false, false)).await).await;
    assert!(waiting.contains("施設に問い合わせています") && !waiting.contains("まだ間に合います"));
    let silent = body(page(asked(false, true)).await).await;
    assert!(silent.contains("接種していないという意味ではありません") && !silent.contains("次にすること"));
    let begun = body(page(asked(true, false)).await).await;
    assert!(begun.contains("次にすること") && begun.contains("まだ届いていない記録があります"));
    let ended = body(page(asked(true, true)).await).await;
    assert!(ended.contains("応答のない施設があります") && ended.contains("/person/1/export"));
}

#[tokio::test]
async fn a_thousand_vaccinations_are_a_page_in_no_time() {
    let routine = ["08", "133", "119", "120", "19", "03", "21", "134", "62", "141"];
    let records = |kinds: &[&str]| -> Vec<Record> {
        let one = |number: usize| {
            let on = day("2017-06-02").plus_days(i32::try_from(number * 3).unwrap()).unwrap();
            stored(&dose(kinds[number % kinds.len()], &on.to_string(), &format!("LOT{number:04}")))
        };
        (0..1000).map(one).collect()
    };
    for kinds in [&routine[..], &["08"], &["141"]] {
        let seated = seated(records(kinds), Relation::Child, "2017-06-01", Lang::Ja);
        let began = Instant::now();
        let response = page(seated).await;
        let took = began.elapsed().as_secs_f64();
        let html = body(response).await;
        println!(
            "1,000 vaccinations of {} kinds in {:.0} ms, {} bytes",
            kinds.len(),
            took * 1000.0,
            html.len()
        );
        assert_eq!(html.matches("class=\"record\"").count(), 1000);
        // Without optimisation, on a machine that does other things, too.
        assert!(took < 1.0, "{took} s");
    }
}
