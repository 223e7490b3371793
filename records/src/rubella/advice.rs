//! What to do next, for a citizen and the clerk beside her.
//!
//! Advice about antibody tests, vaccination before and after pregnancy, and 風しん第5期 by the day it is given on.
//! Sources: 風しんに関する特定感染症予防指針; 予防接種法施行令 (第5期, to 2025-03-31, for those tested by then to 2027-03-31);
//! the guide of 日本産科婦人科学会・医会 (HI of 16 or less: vaccinate after delivery). It orders nothing and decides
//! nothing: what it says depends on the cohort, the day and what was found, and always ends with
//! [`NOT_A_DIAGNOSIS`]. Must not know institutions.

use super::cohort::Cohort;
use super::evidence::{Evidence, Immunity, Method};
use super::outcome::Outcome;
use crate::category::Label;
use crate::date::{CalendarDate, age};
use crate::person::Sex;

/// Stands under every answer.
pub(super) const NOT_A_DIAGNOSIS: Label = Label {
    ja: "この画面は診断ではありません。判断に迷うときは、医師または保健センターにご相談ください。",
    en: "This page is not a diagnosis. When in doubt, please ask a doctor or the health centre.",
};

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Whom it concerns.
    pub whom: Label,
    /// What to do.
    pub what: Label,
}

/// What the advice depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation<'a> {
    /// The person's cohort.
    pub(super) cohort: &'a Cohort,
    /// The person's birth date.
    pub(super) birth: CalendarDate,
    /// The person's sex as recorded.
    pub(super) sex: Sex,
    /// Outcome in sum.
    pub(super) outcome: Outcome,
    /// Everything that was found.
    pub(super) evidence: &'a [&'a Evidence],
    /// The day it is read on.
    pub(super) today: CalendarDate,
}

const FIFTH_TERM: (&str, &str, &str) = ("2019-02-01", "2025-03-31", "2027-03-31");
/// From this age on advice about pregnancy is given.
const GROWN_YEARS: u32 = 15;

const PREGNANT: Label = Label { ja: "妊娠中の方", en: "If you are pregnant" };
const HOPING: Label = Label { ja: "妊娠を希望する方", en: "If you hope to become pregnant" };
const PARTNER: Label = Label {
    ja: "妊婦さんのパートナー・同居のご家族",
    en: "Partners and families of pregnant women",
};
const EVERYBODY: Label = Label { ja: "みなさまへ", en: "For everybody" };
const MEN: Label = Label {
    ja: "昭和37年4月2日から昭和54年4月1日までに生まれた男性",
    en: "Men born 2 April 1962 to 1 April 1979",
};
const PARENTS: Label = Label { ja: "保護者の方", en: "Parents" };

/// What to do next, the most urgent first.
pub(super) fn next_steps(situation: &Situation<'_>) -> Vec<Advice> {
    let mut steps = Vec::new();
    let mut say = |whom: Label, ja: &'static str, en: &'static str| {
        steps.push(Advice { whom, what: Label { ja, en } });
    };
    let grown = age::attained_age(situation.birth, situation.today).is_some_and(|years| years >= GROWN_YEARS);
    let may_bear = grown && situation.sex != Sex::Male;
    let latest = latest_immunity(situation.evidence);

    if may_bear {
        match latest {
            Some(Immunity::Low) => say(
                PREGNANT,
                "抗体価が低い記録があります。妊娠中は風しんの予防接種を受けられません。この用紙を産婦人科の主治医に見せて\
                 ご相談ください。人混みを避け、予防接種は出産後、早めに受けてください。",
                "A low antibody value is on record. You cannot be vaccinated against rubella while pregnant. Show this \
                 sheet to your obstetrician, avoid crowds, and be vaccinated soon after delivery.",
            ),
            Some(Immunity::High) => say(
                PREGNANT,
                "高い抗体価(HI法256倍以上)の記録があります。最近の感染かどうかは、この値だけでは分かりません。産婦人科の\
                 主治医にご相談ください。妊娠中は風しんの予防接種を受けられません。",
                "A high antibody value (HI 256 or more) is on record. Whether it comes from a recent infection cannot be \
                 told from it alone: please ask your obstetrician. You cannot be vaccinated against rubella while \
                 pregnant.",
            ),
            _ => say(
                PREGNANT,
                "妊娠中は風しんの予防接種を受けられません。この用紙を産婦人科の主治医に見せて、妊婦健診の風しん抗体検査の\
                 結果をご確認ください。HI法で16倍以下のときは、人混みを避け、予防接種は出産後、早めに受けてください。",
                "You cannot be vaccinated against rubella while pregnant. Show this sheet to your obstetrician and ask \
                 for the antibody result of your prenatal check-up. If it is 16 or less by HI, avoid crowds and be \
                 vaccinated soon after delivery.",
            ),
        }
        say(
            HOPING,
            "妊娠する前に、お住まいの市区町村の風しん抗体検査(無料または助成あり)を受けてください。抗体価が低いときは、妊娠前に\
             予防接種を受け、その後2か月間は妊娠を避けてください。",
            "Before a pregnancy, take the rubella antibody test that your municipality offers free or at reduced cost. \
             If the value is low, be vaccinated before pregnancy and avoid pregnancy for two months afterwards.",
        );
    }
    fifth_term(situation, &mut say);
    if grown {
        say(
            PARTNER,
            "市区町村の抗体検査を受けられることがあります。抗体価が低いときは、妊婦さんへの感染を防ぐために予防接種をご検討\
             ください。妊婦さんと同居している方も、予防接種を受けられます。",
            "Many municipalities test partners and family members, too. If the value is low, please consider being \
             vaccinated to protect the pregnant woman; people she lives with may be vaccinated.",
        );
    } else {
        say(
            PARENTS,
            "第1期(1歳)と第2期(小学校入学前の1年間)の対象期間中であれば、無料で受けられます。予防接種のページで時期をご確認\
             ください。",
            "Within the periods of the 1st term (at one year) and the 2nd (the year before school) vaccination is free; \
             see the page on vaccinations.",
        );
    }
    match situation.outcome {
        Outcome::DidNotAnswer => say(
            EVERYBODY,
            "応答のない機関があります。時間をおいてもう一度お試しいただくか、その機関に直接お問い合わせください。応答がないことは、\
             接種していないという意味ではありません。",
            "Some institutions did not answer. Please try again later or ask them directly. Silence does not mean that \
             there was no vaccination.",
        ),
        Outcome::NoLongerKept | Outcome::NoneThoughProgramme
            if situation.cohort.in_the_handbook(situation.birth) =>
        {
            say(
                EVERYBODY,
                "ご自身の母子健康手帳(ご実家などにある場合があります)に記録が残っていることがあります。見つからないときは、\
                 抗体検査で確かめられます。",
                "Your own mother-and-child handbook, perhaps at your parents' home, may have the record. If you cannot \
                 find it, an antibody test tells whether you are immune.",
            );
        }
        Outcome::NoLongerKept | Outcome::NoneThoughProgramme | Outcome::NoProgramme => say(
            EVERYBODY,
            "記録が見つからないときは、抗体検査で免疫の有無を確かめられます。",
            "Where no record can be found, an antibody test tells whether you are immune.",
        ),
        Outcome::RecordFound => say(
            EVERYBODY,
            "接種の記録があっても免疫が十分でないことがあります。妊娠の前後は、抗体検査の結果もあわせてご確認ください。",
            "Even with a vaccination on record immunity may be insufficient; around a pregnancy, please look at the \
             antibody test as well.",
        ),
    }
    steps
}

fn fifth_term(situation: &Situation<'_>, say: &mut impl FnMut(Label, &'static str, &'static str)) {
    let applies = situation.sex != Sex::Female
        && situation.cohort.programmes.iter().any(|programme| programme.id == "fifth_term");
    let [opened, closed, extended] =
        [FIFTH_TERM.0, FIFTH_TERM.1, FIFTH_TERM.2].map(|day| day.parse::<CalendarDate>().ok());
    let on = Some(situation.today);
    if !applies || on < opened {
        return;
    }
    if on <= closed {
        say(
            MEN,
            "風しん第5期の対象です。令和7年(2025年)3月31日まで、クーポン券で抗体検査を、抗体価が低いときは予防接種を無料で\
             受けられます。",
            "The 5th term applies to you: until 31 March 2025 an antibody test and, if the value is low, a vaccination \
             are free with the coupon.",
        );
    } else if on <= extended {
        say(
            MEN,
            "風しん第5期は令和7年(2025年)3月31日で終了しました。ただし、その日までに抗体検査を受けて抗体が不十分と分かった方は、\
             令和9年(2027年)3月31日まで予防接種を受けられます。お住まいの市区町村にお問い合わせください。",
            "The 5th term closed on 31 March 2025. Men who had been tested by then and found to have too few antibodies \
             may still be vaccinated until 31 March 2027; please ask your municipality.",
        );
    } else {
        say(
            MEN,
            "風しん第5期は終了しました。市区町村独自の抗体検査や予防接種の助成があることがありますので、お住まいの市区町村に\
             お問い合わせください。",
            "The 5th term is over. Your municipality may offer tests or vaccinations of its own; please ask there.",
        );
    }
}

/// What the latest test that says something about immunity is held to mean.
fn latest_immunity(evidence: &[&Evidence]) -> Option<Immunity> {
    evidence
        .iter()
        .filter_map(|evidence| {
            Some((evidence.when.as_ref().and_then(super::When::day), evidence.antibody()?))
        })
        .filter(|(_, antibody)| antibody.method != Method::Igm && antibody.immunity != Immunity::NotJudged)
        .max_by_key(|(day, _)| *day)
        .map(|(_, antibody)| antibody.immunity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubella::find;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn steps(birth: &str, sex: Sex, outcome: Outcome, evidence: &[&Evidence], today: &str) -> Vec<Advice> {
        let birth = day(birth);
        next_steps(&Situation {
            cohort: Cohort::of(birth, sex),
            birth,
            sex,
            outcome,
            evidence,
            today: day(today),
        })
    }

    fn japanese(steps: &[Advice]) -> String {
        steps.iter().map(|step| format!("{}:{}", step.whom.ja, step.what.ja)).collect()
    }

    #[test]
    fn the_fifth_term_depends_on_the_day() {
        let of =
            |today: &str| japanese(&steps("1970-05-05", Sex::Male, Outcome::NoneThoughProgramme, &[], today));
        assert!(!of("2019-01-31").contains("第5期"));
        assert!(of("2019-02-01").contains("第5期の対象です") && of("2025-03-31").contains("第5期の対象です"));
        for today in ["2025-04-01", "2026-11-26", "2027-03-31"] {
            assert!(of(today).contains("令和9年(2027年)3月31日まで"), "{today}");
        }
        assert!(of("2027-04-01").contains("第5期は終了しました") && !of("2027-04-01").contains("令和9年"));
        let woman =
            japanese(&steps("1970-05-05", Sex::Female, Outcome::NoneThoughProgramme, &[], "2026-01-01"));
        let older = japanese(&steps("1962-04-01", Sex::Male, Outcome::NoProgramme, &[], "2026-01-01"));
        assert!(!woman.contains("第5期") && !older.contains("第5期"));
        let unrecorded =
            japanese(&steps("1970-05-05", Sex::Unknown, Outcome::DidNotAnswer, &[], "2026-01-01"));
        assert!(unrecorded.contains("第5期") && unrecorded.contains("妊娠中の方"));
    }

    #[test]
    fn nobody_who_may_be_pregnant_is_sent_to_be_vaccinated_now() {
        for outcome in Outcome::ALL {
            for birth in ["1961-01-01", "1970-01-01", "1985-01-01", "1993-01-01", "2005-01-01"] {
                let steps = steps(birth, Sex::Female, outcome, &[], "2026-11-26");
                let pregnant = steps.iter().find(|step| step.whom == PREGNANT).unwrap();
                assert!(pregnant.what.ja.contains("妊娠中は風しんの予防接種を受けられません"));
                assert!(pregnant.what.ja.contains("主治医") && pregnant.what.en.contains("obstetrician"));
                assert!(steps.iter().any(|step| step.whom == HOPING));
            }
        }
        let man = steps("1985-01-01", Sex::Male, Outcome::NoProgramme, &[], "2026-11-26");
        assert!(man.iter().all(|step| step.whom != PREGNANT) && man.iter().any(|step| step.whom == PARTNER));
        let child = steps("2022-05-05", Sex::Female, Outcome::NoneThoughProgramme, &[], "2026-11-26");
        assert!(
            child.iter().all(|step| step.whom != PREGNANT) && child.iter().any(|step| step.whom == PARENTS)
        );
    }

    #[test]
    fn the_latest_titre_counts() {
        let titre = |date: &str, value: u32| {
            let content = format!(
                r#"{{"resourceType":"Observation","status":"final","effectiveDateTime":"{date}","valueInteger":{value},
                    "code":{{"coding":[{{"system":"http://loinc.org","code":"22497-2"}}]}}}}"#
            );
            find(content.as_bytes()).remove(0)
        };
        let (old, new) = (titre("2015-01-01", 8), titre("2020-01-01", 64));
        assert_eq!(latest_immunity(&[&old, &new]), Some(Immunity::Enough));
        assert_eq!(latest_immunity(&[&new, &old]), Some(Immunity::Enough));
        let low = japanese(&steps("1990-01-01", Sex::Female, Outcome::RecordFound, &[&old], "2026-01-01"));
        assert!(low.contains("抗体価が低い記録があります"));
        let high = titre("2026-01-01", 512);
        let high =
            japanese(&steps("1990-01-01", Sex::Female, Outcome::RecordFound, &[&high, &old], "2026-01-01"));
        assert!(high.contains("256倍以上") && high.contains("妊娠中は風しんの予防接種を受けられません"));
    }

    #[test]
    fn every_step_is_there_in_both_languages() {
        for outcome in Outcome::ALL {
            for sex in [Sex::Female, Sex::Male, Sex::Unknown] {
                for step in steps("1970-05-05", sex, outcome, &[], "2026-01-01") {
                    for label in [step.whom, step.what] {
                        assert!(!label.ja.is_ascii() && label.en.is_ascii());
                        assert!(!label.ja.contains(' ') && !label.en.contains("  "), "{}", label.ja);
                    }
                }
            }
        }
        assert!(NOT_A_DIAGNOSIS.ja.starts_with("この画面は診断ではありません"));
    }
}
