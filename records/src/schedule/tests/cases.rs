//! Single children, told in full.

use super::*;
use crate::immunization::Stage;

fn states(birth: &str, doses: &[Vaccination], today: &str, id: &str) -> Vec<String> {
    shown(&plan_of(birth, doses, today), id)
}

#[test]
fn a_newborn_has_everything_ahead() {
    let plan = plan_of("2026-04-01", &[], "2026-04-01");
    let ids: Vec<&str> = plan.series.iter().map(|series| series.id).collect();
    assert_eq!(ids, ["hbv", "rota", "pcv", "dpt_ipv_hib", "bcg", "mr", "varicella", "je", "dt", "hpv"]);
    assert_eq!(
        shown(&plan, "hbv"),
        [
            "1 possible best from 2026-05-31 until 2027-03-31",
            "2 not-yet from 2026-04-29 after previous",
            "3 not-yet from 2026-08-19 after previous"
        ]
    );
    assert_eq!(
        shown(&plan, "dpt_ipv_hib"),
        [
            "i1 not-yet from 2026-05-31",
            "i2 not-yet from 2026-06-21 after previous",
            "i3 not-yet from 2026-07-12 after previous",
            "b not-yet from 2027-01-12 after previous"
        ]
    );
    assert_eq!(shown(&plan, "mr"), ["1 not-yet from 2027-03-31", "2 not-yet from 2031-04-01"]);
    assert!(plan.other.is_empty() && plan.not_given.is_empty());
}

#[test]
fn dates_before_birth_are_survived() {
    let plan = plan_of("2026-04-01", &[dose("mr", "2025-01-01")], "2025-12-31");
    assert_eq!(shown(&plan, "bcg"), ["1 not-yet from 2026-04-01"]);
    assert_eq!(plan.other.len(), 1);
    assert_eq!((plan.other[0].why, plan.other[0].sources.as_slice()), (OtherWhy::BeforeBirth, &[0][..]));
}

#[test]
fn due_overdue_and_closed_follow_each_other() {
    for (today, expected) in [
        ("2025-03-31", "1 not-yet from 2025-04-01"),
        ("2025-04-01", "1 possible best from 2025-08-31 until 2026-03-31"),
        ("2025-08-30", "1 possible best from 2025-08-31 until 2026-03-31"),
        ("2025-08-31", "1 due until 2026-03-31"),
        ("2025-11-30", "1 due until 2026-03-31"),
        ("2025-12-01", "1 overdue until 2026-03-31"),
        ("2026-03-31", "1 overdue until 2026-03-31"),
        ("2026-04-01", "1 closed since 2026-03-31"),
    ] {
        assert_eq!(states("2025-04-01", &[], today, "bcg"), [expected], "{today}");
    }
}

#[test]
fn a_leap_day_child_is_measured_by_28_february() {
    let plan = plan_of("2024-02-29", &[], "2024-02-29");
    let legal =
        |id: &str| format!("{:?}", plan.series.iter().find(|series| series.id == id).unwrap().doses[0].legal);
    assert_eq!(legal("bcg"), "[2024-02-29..2025-02-28]");
    assert_eq!(legal("mr"), "[2025-02-28..2026-02-28]");
    assert_eq!(legal("varicella"), "[2025-02-28..2027-02-28]");
    assert_eq!(legal("pcv"), "[2024-04-28..2029-02-28]");
    assert_eq!(legal("rota"), "[2024-04-11..2024-10-10]");
    assert_eq!(legal("dpt_ipv_hib"), "[2024-04-28..2031-08-28]");
}

#[test]
fn gaps_make_the_next_dose_wait() {
    let doses = [dose("hbv", "2025-06-01"), dose("hbv", "2025-06-29")];
    let lines = states("2025-04-01", &doses, "2025-07-01", "hbv");
    assert_eq!(
        lines,
        ["1 received 2025-06-01 [0]", "2 received 2025-06-29 [1]", "3 not-yet from 2025-10-19"]
    );
    let early = [dose("hbv", "2025-06-01"), dose("hbv", "2025-06-28")];
    let lines = states("2025-04-01", &early, "2025-07-01", "hbv");
    assert_eq!(lines[1], "2 received 2025-06-28 [1] too-early(2025-06-29)");
}

#[test]
fn a_gap_that_ends_after_the_period_closes_it() {
    let lines = states("2025-04-01", &[dose("rv1", "2025-09-01")], "2025-09-10", "rota");
    assert_eq!(lines, ["1 received 2025-09-01 [0]", "2 closed since 2025-09-16", "3 not-needed"]);
    let lines = states("2025-04-01", &[dose("rv5", "2025-09-01")], "2025-09-10", "rota");
    assert_eq!(lines[1..], ["2 not-yet from 2025-09-29", "3 not-yet from 2025-10-27 after previous"]);
}

#[test]
fn rotavirus_waits_for_the_vaccine_to_be_chosen() {
    let lines = states("2025-04-01", &[], "2025-06-05", "rota");
    assert_eq!(lines, ["1 due until 2025-11-11", "2 not-yet from 2025-07-03 after previous", "3 not-needed"]);
    let plan = plan_of("2025-04-01", &[], "2025-08-01");
    let rota = plan.series.iter().find(|series| series.id == "rota").unwrap();
    let State::Overdue { caution: Some(caution), .. } = rota.doses[0].state else {
        panic!("overdue expected")
    };
    assert!(caution.ja.contains("15週0日"));
}

#[test]
fn pneumococcal_courses_follow_the_age_at_the_start() {
    let birth = "2025-01-01";
    // 7 months are attained on 31 July 2025, 12 on 31 December 2025, 24 on 31 December 2026.
    let needed = |first: &str| {
        let plan = plan_of(birth, &[dose("pcv20", first)], first);
        let pcv = plan.series.iter().find(|series| series.id == "pcv").unwrap();
        pcv.doses.iter().filter(|dose| !matches!(dose.state, State::NotNeeded { .. })).count()
    };
    for (first, doses) in [
        ("2025-02-28", 4),
        ("2025-07-31", 4),
        ("2025-08-01", 3),
        ("2025-12-31", 3),
        ("2026-01-01", 2),
        ("2026-12-31", 2),
        ("2027-01-01", 1),
    ] {
        assert_eq!(needed(first), doses, "begun {first}");
    }
    let lines = states(birth, &[dose("pcv20", "2026-02-01")], "2026-02-01", "pcv");
    assert_eq!(
        lines,
        ["i1 received 2026-02-01 [0]", "i2 not-needed", "i3 not-needed", "b not-yet from 2026-04-03"]
    );
}

#[test]
fn a_late_second_pneumococcal_dose_makes_the_third_needless() {
    let birth = "2025-01-01";
    let two = |second: &str| [dose("pcv20", "2025-04-01"), dose("pcv20", second)];
    let lines = states(birth, &two("2025-12-31"), "2026-01-10", "pcv");
    assert_eq!(lines[2..], ["i3 not-yet from 2026-01-28", "b not-yet from 2026-03-30 after previous"]);
    let lines = states(birth, &two("2026-01-01"), "2026-01-10", "pcv");
    assert_eq!(lines[2..], ["i3 not-needed", "b not-yet from 2026-03-03"]);
    let mut three = two("2026-01-01").to_vec();
    three.push(dose("pcv20", "2026-03-03"));
    let lines = states(birth, &three, "2026-04-01", "pcv");
    assert_eq!(lines[2..], ["i3 not-needed", "b received 2026-03-03 [2]"]);
    // Beyond 24 months the first doses are not made up for; the booster is.
    let lines = states(birth, &[dose("pcv20", "2025-04-01")], "2027-01-01", "pcv");
    assert_eq!(lines[1..], ["i2 not-needed", "i3 not-needed", "b overdue until 2029-12-31"]);
}

#[test]
fn hib_goes_straight_to_the_booster_after_twelve_months() {
    let birth = "2023-01-01";
    let doses = [dose("hib", "2023-04-01"), dose("hib", "2023-12-20")];
    let lines = states(birth, &doses, "2024-01-01", "hib");
    assert_eq!(lines[2..], ["i3 not-needed", "b not-yet from 2024-01-17"]);
    let complete = [dose("hib", "2023-03-01"), dose("hib", "2023-03-29"), dose("hib", "2023-04-26")];
    let lines = states(birth, &complete, "2023-05-01", "hib");
    assert_eq!(lines[3], "b not-yet from 2023-11-26");
    let lines = states(birth, &[dose("hib", "2024-01-01")], "2024-05-01", "hib");
    assert_eq!(lines, ["i1 received 2024-01-01 [0]", "i2 not-needed", "i3 not-needed", "b not-needed"]);
    // Given as the second dose at 13 months, it is the booster.
    let doses = [dose("hib", "2023-04-01"), dose("hib", "2024-02-01")];
    let lines = states(birth, &doses, "2024-05-01", "hib");
    assert_eq!(lines[1..], ["i2 not-needed", "i3 not-needed", "b received 2024-02-01 [1]"]);
}

#[test]
fn combined_and_single_vaccines_are_told_apart_by_how_a_child_was_begun() {
    let ids = |birth: &str, doses: &[Vaccination]| -> Vec<&str> {
        let plan = plan_of(birth, doses, "2026-04-01");
        let group = ["dpt_ipv_hib", "dpt_ipv", "dpt", "ipv", "hib"];
        plan.series.iter().map(|series| series.id).filter(|id| group.contains(id)).collect()
    };
    assert_eq!(ids("2024-02-01", &[]), ["dpt_ipv_hib"]);
    assert_eq!(ids("2024-01-31", &[]), ["dpt_ipv", "hib"]);
    assert_eq!(ids("2012-07-31", &[]), ["dpt", "ipv", "hib"]);
    assert_eq!(ids("2024-02-01", &[dose("dpt_ipv", "2024-04-05")]), ["dpt_ipv", "hib"]);
    assert_eq!(ids("2024-02-01", &[dose("hib", "2024-04-05")]), ["dpt_ipv", "hib"]);
    assert_eq!(ids("2023-12-01", &[dose("dpt_ipv_hib", "2024-04-05")]), ["dpt_ipv_hib"]);
    assert_eq!(
        ids("2023-12-01", &[dose("dpt_ipv_hib", "2024-04-05"), dose("hib", "2024-03-01")]),
        ["dpt_ipv", "hib"]
    );
    let foreign = ["dpt", "ipv", "hib_omp"].map(|id| dose(id, "2024-05-05"));
    assert_eq!(ids("2024-03-01", &foreign), ["dpt", "ipv", "hib"]);
    // A fifth polio dose before school does not change what was begun; three-in-one with polio does.
    let begun = dose("dpt_ipv", "2019-05-05");
    assert_eq!(ids("2019-01-01", &[begun.clone(), dose("ipv", "2025-03-01")]), ["dpt_ipv", "hib"]);
    assert_eq!(
        ids("2019-01-01", &[begun, dose("ipv", "2025-03-01"), dose("dpt", "2025-03-01")]),
        ["dpt", "ipv", "hib"]
    );
}

#[test]
fn a_series_begun_as_four_in_one_is_finished_as_five_in_one() {
    let doses = [
        dose("dpt_ipv", "2024-01-05"),
        dose("hib", "2024-01-05"),
        dose("dpt_ipv", "2024-02-05"),
        dose("hib", "2024-02-05"),
        dose("dpt_ipv", "2024-03-05"),
        dose("hib", "2024-03-05"),
        dose("dpt_ipv_hib", "2025-04-01"),
    ];
    let plan = plan_of("2023-11-01", &doses, "2026-01-01");
    for id in ["dpt_ipv", "hib"] {
        let series = plan.series.iter().find(|series| series.id == id).unwrap();
        assert!(series.is_complete() && series.is_over());
        let booster = series.doses[3].state.received().unwrap();
        assert_eq!((booster.sources.as_slice(), booster.vaccine.ja.as_str()), (&[6][..], "五種混合"));
    }
    assert!(plan.other.is_empty());
}

#[test]
fn two_oral_polio_doses_complete_polio() {
    let doses = [dose("opv", "2011-10-01"), dose("opv", "2012-04-01")];
    let lines = states("2011-06-01", &doses, "2026-01-01", "ipv");
    assert_eq!(
        lines,
        ["i1 received 2011-10-01 [0]", "i2 received 2012-04-01 [1]", "i3 not-needed", "b not-needed"]
    );
    let lines = states("2011-06-01", &doses[..1], "2013-01-01", "ipv");
    assert_eq!(lines[1], "i2 overdue until 2018-11-30");
}

#[test]
fn mmr_counts_for_mr_from_the_first_birthday_on() {
    let birth = "2023-05-10";
    let plan = plan_of(birth, &[dose("mmr", "2024-03-08"), dose("mmr", "2024-05-09")], "2024-06-01");
    assert_eq!(shown(&plan, "mr")[0], "1 received 2024-05-09 [1]");
    assert_eq!((plan.other[0].why, plan.other[0].sources.as_slice()), (OtherWhy::NotCounted, &[0][..]));
    let plan = plan_of(birth, &[dose("mmrv", "2024-05-20")], "2024-06-01");
    assert_eq!(shown(&plan, "mr")[0], "1 received 2024-05-20 [0]");
    assert_eq!(shown(&plan, "varicella")[0], "1 received 2024-05-20 [0]");
}

#[test]
fn measles_and_rubella_are_shown_apart_where_they_were_given_apart() {
    let doses = [dose("measles", "2020-06-01"), dose("rubella", "2020-08-01"), dose("mr", "2025-05-01")];
    let plan = plan_of("2019-05-10", &doses, "2026-01-01");
    assert_eq!(shown(&plan, "measles"), ["1 received 2020-06-01 [0]", "2 received 2025-05-01 [2]"]);
    assert_eq!(shown(&plan, "rubella"), ["1 received 2020-08-01 [1]", "2 received 2025-05-01 [2]"]);
    assert!(shown(&plan, "mr").is_empty());
}

#[test]
fn a_single_dose_of_the_second_period_is_not_taken_for_the_first() {
    let lines = states("2019-05-10", &[dose("mr", "2025-05-01")], "2026-01-01", "mr");
    assert_eq!(lines, ["1 closed since 2021-05-09", "2 received 2025-05-01 [0]"]);
    // Abroad the second comes earlier: it is the second all the same, and says that the law set another time.
    let lines =
        states("2019-05-10", &[dose("mmr", "2020-05-20"), dose("mmr", "2023-06-01")], "2026-01-01", "mr");
    assert_eq!(lines, ["1 received 2020-05-20 [0]", "2 received 2023-06-01 [1] outside"]);
}

#[test]
fn injected_live_vaccines_wait_for_each_other() {
    let birth = "2025-01-10";
    let plan = plan_of(birth, &[dose("mr", "2026-01-20")], "2026-02-01");
    assert_eq!(shown(&plan, "varicella")[0], "1 not-yet from 2026-02-17");
    // Mumps is outside the programme and counts here; oral and not live vaccines do not.
    let plan = plan_of(birth, &[dose("mumps", "2026-01-25"), dose("je", "2026-01-30")], "2026-02-01");
    assert_eq!(shown(&plan, "varicella")[0], "1 not-yet from 2026-02-22");
    let plan = plan_of(birth, &[dose("mr", "2026-01-20"), dose("varicella", "2026-02-16")], "2026-03-01");
    assert_eq!(shown(&plan, "varicella")[0], "1 received 2026-02-16 [1] live-gap(2026-01-20)");
    let same = plan_of(birth, &[dose("mr", "2026-01-20"), dose("varicella", "2026-01-20")], "2026-03-01");
    assert_eq!(shown(&same, "varicella")[0], "1 received 2026-01-20 [1]");
    let steps = next(&plan_of(birth, &[], "2026-02-01"), day("2026-02-01"));
    let words = live_gap_words(&steps).unwrap();
    assert!(words.ja.contains("27日") && words.ja.contains("水痘"), "{}", words.ja);
    assert!(live_gap_words(&steps[..1]).is_none());
}

#[test]
fn japanese_encephalitis_knows_its_special_cohorts() {
    let lines = |birth: &str, today: &str| states(birth, &[], today, "je");
    assert_eq!(lines("2009-10-02", "2019-01-01")[0], "i1 closed since 2017-04-01");
    assert_eq!(lines("2009-10-01", "2019-01-01")[0], "i1 overdue until 2022-09-30");
    assert_eq!(lines("2009-10-01", "2018-01-01")[0], "i1 not-yet from 2018-09-30");
    assert_eq!(lines("2007-04-01", "2026-11-01")[0], "i1 overdue until 2027-03-31");
    assert_eq!(lines("2007-04-02", "2026-11-01")[0], "i1 closed since 2020-04-01");
    assert_eq!(lines("2020-04-02", "2024-01-01")[0], "i1 due until 2027-10-01");
    let three = ["2023-05-01", "2023-05-08", "2024-05-08"].map(|on| dose("je", on));
    let lines = states("2020-04-02", &three, "2026-01-01", "je");
    assert_eq!(lines[2..], ["b received 2024-05-08 [2]", "2 not-yet from 2029-04-01"]);
    let early = ["2023-05-01", "2023-05-07"].map(|on| dose("je", on));
    assert_eq!(
        states("2020-04-02", &early, "2026-01-01", "je")[1],
        "i2 received 2023-05-07 [1] too-early(2023-05-08)"
    );
}

#[test]
fn hpv_takes_two_doses_or_three() {
    let birth = "2012-05-10";
    // Fifteen is attained on 9 May 2027.
    let lines = states(birth, &[dose("hpv9", "2027-05-09")], "2027-06-01", "hpv");
    assert_eq!(lines[1..], ["2 not-yet from 2027-10-09", "3 not-needed"]);
    let lines = states(birth, &[dose("hpv9", "2027-05-10")], "2027-06-01", "hpv");
    assert_eq!(lines[1..], ["2 not-yet from 2027-06-10", "3 not-yet from 2027-09-10 after previous"]);
    let lines = states(birth, &[dose("hpv4", "2025-06-01")], "2025-06-02", "hpv");
    assert_eq!(lines[1], "2 not-yet from 2025-07-01");
    let two = |second: &str| [dose("hpv9", "2025-06-01"), dose("hpv9", second)];
    assert_eq!(states(birth, &two("2025-11-01"), "2026-01-01", "hpv")[2], "3 not-needed");
    assert_eq!(states(birth, &two("2025-10-31"), "2026-01-01", "hpv")[2], "3 not-yet from 2026-01-31");
    let boy = plan(day(birth), Sex::Male, &two("2025-11-01"), day("2026-01-01"));
    assert_eq!(
        shown(&boy, "hpv"),
        ["1 received 2025-06-01 [0] not-routine", "2 received 2025-11-01 [1] not-routine"]
    );
    assert!(!boy.series.iter().find(|series| series.id == "hpv").unwrap().routine);
    let unknown = plan(day(birth), Sex::Unknown, &[], day("2026-01-01"));
    assert!(unknown.series.iter().any(|series| series.id == "hpv"));
}

#[test]
fn one_dose_told_by_two_institutions_is_one() {
    let doses = [
        dose("bcg", "2025-09-10"),
        dose("dpt_ipv_hib", "2025-06-10"),
        dose("bcg", "2025-09-10"),
        dose("dpt_ipv_hib", "2025-06"),
        dose("dpt_ipv_hib", "2025-07-10"),
        dose("dpt_ipv_hib", "2025"),
    ];
    let plan = plan_of("2025-04-01", &doses, "2025-10-01");
    assert_eq!(shown(&plan, "bcg"), ["1 received 2025-09-10 [0, 2]"]);
    assert_eq!(
        shown(&plan, "dpt_ipv_hib"),
        [
            "i1 received 2025-06-10 [1, 3]",
            "i2 received 2025-07-10 [4, 5]",
            "i3 overdue until 2032-09-30",
            "b not-yet from 2026-04-01 after previous"
        ]
    );
}

#[test]
fn months_are_shown_as_recorded_and_judge_nothing() {
    let plan = plan_of("2015-04-01", &[dose("dpt_ipv", "2015-05"), dose("dpt_ipv", "2015-05")], "2026-10-01");
    assert_eq!(
        shown(&plan, "dpt_ipv")[..2],
        ["i1 received 2015-05-01 [0] inexact", "i2 received 2015-05-01 [1] inexact"]
    );
}

#[test]
fn statements_are_believed_while_they_agree_with_the_days() {
    let birth = "2024-04-02";
    let lines = states(birth, &[numbered("dpt_ipv_hib", "2024-08-01", 2)], "2024-09-01", "dpt_ipv_hib");
    assert_eq!(lines[..3], ["i1 unrecorded", "i2 received 2024-08-01 [0]", "i3 due until 2031-10-01"]);
    let booster = Vaccination {
        stated: Stated { period: Some(1), stage: Some(Stage::Booster), number: Some(4) },
        ..dose("pcv20", "2025-06-01")
    };
    let lines = states(birth, &[booster], "2025-07-01", "pcv");
    assert_eq!(lines, ["i1 unrecorded", "i2 unrecorded", "i3 unrecorded", "b received 2025-06-01 [0]"]);
    // Two firsts: the second institution began to count anew.
    let doses = [numbered("dpt_ipv_hib", "2024-06-05", 1), numbered("dpt_ipv_hib", "2024-07-05", 1)];
    let lines = states(birth, &doses, "2024-09-01", "dpt_ipv_hib");
    assert_eq!(lines[..2], ["i1 received 2024-06-05 [0]", "i2 received 2024-07-05 [1]"]);
    let period = Stated { period: Some(2), stage: None, number: Some(1) };
    let doses = [Vaccination { stated: period, ..dose("je", "2033-05-01") }];
    assert_eq!(states(birth, &doses, "2033-06-01", "je")[3], "2 received 2033-05-01 [0]");
    let beyond = [numbered("mr", "2025-05-01", 9)];
    assert_eq!(states(birth, &beyond, "2026-01-01", "mr")[0], "1 received 2025-05-01 [0]");
}

#[test]
fn ten_doses_of_one_series_are_all_there() {
    let doses: Vec<Vaccination> = (1..=10).map(|month| dose("mr", &format!("2025-{month:02}-15"))).collect();
    let plan = plan_of("2023-05-01", &doses, "2026-01-01");
    let mr = plan.series.iter().find(|series| series.id == "mr").unwrap();
    assert_eq!((mr.received().count(), mr.extra.len()), (10, 8));
}

#[test]
fn what_counts_for_nothing_is_listed_with_the_reason() {
    let withdrawn = Vaccination { status: Status::Withdrawn, ..dose("bcg", "2024-09-01") };
    let refused = Vaccination { status: Status::NotGiven, ..dose("mr", "2025-05-01") };
    let undated = Vaccination { day: None, ..dose("mr", "2025-05-01") };
    let doses = [
        dose("influenza", "2024-11-01"),
        dose("rabies", "2024-10-01"),
        withdrawn,
        refused,
        dose("influenza", "2024-11-01"),
        undated,
        dose("covid19", "2024-12-01"),
    ];
    let plan = plan_of("2024-04-01", &doses, "2025-06-01");
    let others: Vec<_> = plan.other.iter().map(|other| (other.sources.clone(), other.why)).collect();
    assert_eq!(
        others,
        [
            (vec![5], OtherWhy::NoDay),
            (vec![1], OtherWhy::Unknown),
            (vec![0, 4], OtherWhy::NotRoutine),
            (vec![6], OtherWhy::NotRoutine)
        ]
    );
    assert_eq!(plan.not_given, [3]);
    assert_eq!(shown(&plan, "bcg"), ["1 closed since 2025-03-31"]);
}

#[test]
fn somebody_born_in_1950_has_no_series_but_keeps_every_dose() {
    let plan = plan_of("1950-05-05", &[dose("je_mb", "1958-06-01"), dose("mr", "2020-01-01")], "2026-01-01");
    assert!(plan.series.iter().all(|series| !series.routine));
    assert_eq!(shown(&plan, "je"), ["i1 received 1958-06-01 [0] not-routine"]);
    assert!(next(&plan, day("2026-01-01")).is_empty());
}

#[test]
fn a_day_ahead_is_kept_and_marked() {
    let lines = states("2025-04-01", &[dose("bcg", "2025-10-01")], "2025-09-30", "bcg");
    assert_eq!(lines, ["1 received 2025-10-01 [0] ahead"]);
}

#[test]
fn next_steps_come_in_the_order_of_urgency() {
    let today = day("2026-03-10");
    let plan = plan_of("2025-03-20", &[dose("rv1", "2025-05-20"), dose("rv1", "2025-06-20")], "2026-03-10");
    let steps: Vec<String> = next(&plan, today)
        .iter()
        .map(|step| format!("{:?} {} {} {}..{}", step.timing, step.series, step.dose, step.from, step.until))
        .collect();
    assert_eq!(
        steps,
        [
            "Late hbv 1 2026-03-10..2026-03-19",
            "Late bcg 1 2026-03-10..2026-03-19",
            "Late pcv i1 2026-03-10..2030-03-19",
            "Late dpt_ipv_hib i1 2026-03-10..2032-09-19",
            "Early je i1 2026-03-10..2032-09-19",
            "Later mr 1 2026-03-19..2027-03-19",
            "Later varicella 1 2026-03-19..2028-03-19",
            "Later dt 2 2036-03-19..2038-03-19",
            "Later hpv 1 2036-04-01..2041-03-31",
        ]
    );
    let words = next(&plan, today)[0].sentence();
    assert_eq!(words.ja, "B型肝炎 1回目: 2026年3月19日までに");
    assert_eq!(words.en, "Hepatitis B, dose 1: by 2026-03-19");
}

#[test]
fn a_dose_that_cannot_be_reached_any_more_opens_none_behind_it() {
    // The school year of turning 16 ends on 31 March 2041.
    let lines = states("2024-07-25", &[], "2041-03-05", "hpv");
    assert_eq!(
        lines,
        ["1 overdue until 2041-03-31", "2 closed since 2041-03-31", "3 closed since 2041-03-31"]
    );
}

#[test]
fn records_as_institutions_write_them_fill_the_schedule() {
    let record = |cvx: &str, on: &str, series: &str, number: u8| {
        crate::immunization::read(
            serde_json::json!({
                "resourceType": "Immunization", "status": "completed",
                "vaccineCode": { "coding": [{ "system": "http://hl7.org/fhir/sid/cvx", "code": cvx }] },
                "occurrenceDateTime": on, "protocolApplied": [{ "series": series, "doseNumberPositiveInt": number }],
            })
            .to_string()
            .as_bytes(),
        )
    };
    let records = [
        record("48", "2016-08-10", "初回1回目", 1),
        record("48", "2016-09-10", "初回2回目", 2),
        record("48", "2017-06-10", "追加", 3),
        record("134", "2025-07-01", "第2期", 4),
        record("134", "2019-07-10", "第1期初回1回目", 1),
        record("04", "2022-06-10", "第2期", 2),
        record("04", "2017-06-10", "第1期", 1),
    ];
    let plan = plan_of("2016-06-05", &records, "2026-11-22");
    assert_eq!(
        shown(&plan, "hib"),
        [
            "i1 received 2016-08-10 [0]",
            "i2 received 2016-09-10 [1]",
            "i3 not-needed",
            "b received 2017-06-10 [2]"
        ]
    );
    assert_eq!(shown(&plan, "mr"), ["1 received 2017-06-10 [6]", "2 received 2022-06-10 [5]"]);
    assert_eq!(
        shown(&plan, "je"),
        [
            "i1 received 2019-07-10 [4]",
            "i2 closed since 2023-12-04",
            "b closed since 2023-12-04",
            "2 received 2025-07-01 [3]"
        ]
    );
}
