//! What the words say, and never say.

use super::super::rules::rules;
use super::*;
use crate::category::Label;

#[test]
fn every_dose_is_explained_by_its_rule() {
    let plan = plan_of("2025-04-02", &[], "2026-11-01");
    let rule = |id: &str, key: &str| {
        let series = plan.series.iter().find(|series| series.id == id).unwrap();
        let dose = series.doses.iter().find(|dose| dose.key == key).unwrap();
        (dose.rule.ja.clone(), dose.rule.en.clone())
    };
    let (ja, en) = rule("dpt_ipv_hib", "i2");
    assert_eq!(ja, "生後2月から生後90月に至るまで。第1期初回1回目から20日以上の間隔をおく。");
    assert_eq!(en, "From 2 months to 90 months; at least 20 days between period 1, dose 1 and this dose.");
    let (ja, _) = rule("hbv", "1");
    assert_eq!(ja, "生まれた日から1歳に至るまで。標準的には生後2月から生後9月に至るまで。");
    let (ja, _) = rule("rota", "1");
    assert_eq!(ja, "出生6週0日後から出生32週0日後まで。標準的には生後2月から出生14週6日後まで。");
    let (ja, _) = rule("mr", "2");
    assert!(
        ja.starts_with("小学校入学前の1年間(4月1日から3月31日まで)。第1期から27日以上の間隔をおく。"),
        "{ja}"
    );
    let (ja, _) = rule("je", "i1");
    assert_eq!(ja, "生後6月から生後90月に至るまで。標準的には3歳から4歳に至るまで。");
    let (ja, en) = rule("hpv", "1");
    assert!(
        ja.contains("12歳になる年度の4月1日から16歳になる年度の3月31日まで。標準的には13歳になる年度"),
        "{ja}"
    );
    assert!(en.starts_with("From 1 April of the school year of turning 12"), "{en}");
    let changed = plan_of("2021-05-05", &[], "2026-11-01");
    let four = changed.series.iter().find(|series| series.id == "dpt_ipv").unwrap();
    assert!(
        four.doses[0]
            .rule
            .ja
            .starts_with("2023年3月31日までは生後3月から生後90月に至るまで。2023年4月1日からは生後2月から")
    );
    let special = plan_of("2022-05-05", &[], "2026-11-01");
    let mr = special.series.iter().find(|series| series.id == "mr").unwrap();
    assert!(mr.doses[0].rule.ja.contains("特例(供給不足による延長): 2025年4月1日から2027年3月31日まで"));
    assert!(!mr.source.ja.is_empty());
}

#[test]
fn states_are_told_in_plain_sentences() {
    let plan = plan_of("2025-04-01", &[dose("bcg", "2025-09-10")], "2026-11-01");
    let sentence = |id: &str, place: usize| {
        let series = plan.series.iter().find(|series| series.id == id).unwrap();
        series.doses[place].sentence().ja
    };
    assert_eq!(sentence("bcg", 0), "2025年9月10日に受けました(BCG)。");
    assert_eq!(sentence("mr", 0), "接種の時期です。2027年3月31日まで公費で受けられます。");
    assert_eq!(sentence("hbv", 0), "記録は見つかっていません。定期接種の期間は2026年3月31日まででした。");
    let advice = |id: &str| plan.series.iter().find(|series| series.id == id).unwrap().advice();
    assert!(
        advice("hbv").unwrap().ja.contains("市の窓口")
            && advice("rota").unwrap().ja.contains("この週数を過ぎると")
    );
    assert_eq!(advice("mr"), None);
    assert_eq!(
        sentence("varicella", 0),
        "記録は見つかっていません。標準の時期は過ぎましたが、2028年3月31日まで、まだ公費で受けられます。"
    );
    assert_eq!(sentence("dt", 0), "2036年3月31日から受けられます。");
    assert_eq!(sentence("hpv", 0), "2036年4月1日から受けられます。標準の時期は2037年4月1日からです。");
    assert_eq!(sentence("varicella", 1), "前の回のあとになります。早ければ2027年2月1日からです。");
    assert_eq!(sentence("je", 0), "もう公費で受けられます。標準の時期は2028年3月31日からです。");
}

#[test]
fn no_day_is_told_that_was_not_recorded() {
    let plan = plan_of("2025-04-01", &[dose("bcg", "2025-09"), dose("mr", "2026")], "2026-11-01");
    let received = |id: &str| {
        let series = plan.series.iter().find(|series| series.id == id).unwrap();
        series.doses[0].state.received().unwrap().clone()
    };
    assert_eq!(received("bcg").sentence().ja, "2025年9月に受けました(BCG)。日付は年または月までの記録です。");
    assert_eq!(
        received("mr").sentence().en,
        "Received in 2026 (Measles-rubella). Only the year or month is recorded."
    );
    assert_eq!(received("mr").what().ja, "2026年に受けました(麻しん風しん混合(MR))。");
}

#[test]
fn a_period_is_told_from_its_first_day_to_its_last() {
    let words = |first: &str, last: &str| Window::new(day(first), day(last)).unwrap().words();
    let window = words("2026-03-18", "2027-01-17");
    assert_eq!(
        (window.ja.as_str(), window.en.as_str()),
        ("2026年3月18日から2027年1月17日まで", "2026-03-18 to 2027-01-17")
    );
    assert_eq!(words("2013-04-01", "2013-04-01").ja, "2013年4月1日のみ");
}

#[test]
fn nobody_is_called_not_vaccinated() {
    let forbidden =
        ["未接種", "接種していません", "受けていません", "not vaccinated", "unvaccinated", "Not received"];
    let check = |text: &str| assert!(forbidden.iter().all(|word| !text.contains(word)), "{text}");
    let mut sentences = 0;
    for birth in ["1996-05-05", "2008-06-01", "2015-05-05", "2022-08-08", "2024-02-29", "2026-10-01"] {
        for today in ["2024-04-01", "2026-11-01", "2040-01-01"] {
            let plan = plan_of(birth, &[numbered("dpt_ipv_hib", "2026-12-01", 3)], today);
            for dose in plan.series.iter().flat_map(|series| &series.doses) {
                let (label, words) = (dose.state.label(), dose.sentence());
                for text in [label.ja, label.en, &words.ja, &words.en, &dose.rule.ja, &dose.rule.en] {
                    check(text);
                    assert!(!text.is_empty());
                    sentences += 1;
                }
            }
            for step in next(&plan, day(today)) {
                check(&step.sentence().ja);
                check(&step.sentence().en);
            }
        }
    }
    assert!(sentences > 500);
    let labels = |label: Option<Label>| label.into_iter().flat_map(|label| [label.ja, label.en]);
    for series in &rules().series {
        let own = labels(series.note).chain(labels(series.closed)).chain(labels(Some(rules().closed)));
        let courses = series.courses.iter().flat_map(|course| labels(course.why));
        let doses = series.courses.iter().flat_map(|course| &course.doses);
        own.chain(courses).chain(doses.flat_map(|dose| labels(dose.late))).for_each(check);
    }
}

#[test]
fn nothing_personal_is_in_debug() {
    let plan = plan_of("2025-04-01", &[dose("bcg", "2025-09-10")], "2026-03-01");
    let bcg = plan.series.iter().find(|series| series.id == "bcg").unwrap();
    let text = format!(
        "{plan:?} {bcg:?} {:?} {:?} {:?}",
        bcg.doses[0],
        bcg.doses[0].state,
        next(&plan, day("2026-03-01"))
    );
    assert!(!text.contains("2025") && !text.contains("bcg") && !text.contains("BCG"), "{text}");
}
