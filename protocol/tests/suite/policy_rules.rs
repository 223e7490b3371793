//! The decision, held to a second statement of the same rules.

use std::collections::BTreeSet;

use hibiki_protocol::act::{Act, ChangeConsent, ShowConsent};
use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::ids::{Category, GuardianAlias, Pseudonym};
use hibiki_protocol::policy::{
    AgeGate, Circumstances, Consent, Hold, ReadPermit, Withheld, admit, attained_years, decide,
};
use hibiki_protocol::query::{Query, VerifiedQuery};
use hibiki_protocol::registration::{ShowRegistration, WithdrawAddress};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::time::Day;
use proptest::prelude::*;

use crate::fixture::*;
use crate::samples::{change_consent, change_registration};

/// The categories of this little world; a query may name the first three.
const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const TODAY: &str = "2026-11-22";
const OWN: GuardianAlias = GuardianAlias([0x52; 16]);
const OTHER: GuardianAlias = GuardianAlias([0x99; 16]);

#[derive(Clone, Debug)]
struct Case {
    basis: Basis,
    history: bool,
    asked: Vec<usize>,
    granted: Vec<usize>,
    holds: Vec<Option<bool>>,
    consents: Vec<(Option<bool>, Option<usize>, bool)>,
    age: u16,
    sensitive: Vec<usize>,
}

fn cases() -> impl Strategy<Value = Case> {
    let some = || proptest::collection::vec(0_usize..3, 0..3);
    let whom = || proptest::option::of(any::<bool>());
    let consent = (whom(), proptest::option::of(0_usize..4), any::<bool>());
    (
        proptest::sample::select(Basis::ALL),
        proptest::bool::weighted(0.1),
        some(),
        some(),
        proptest::collection::vec(whom(), 0..2),
        proptest::collection::vec(consent, 0..4),
        13_u16..20,
        some(),
    )
        .prop_map(|(basis, history, asked, granted, holds, consents, age, sensitive)| Case {
            basis,
            history,
            asked,
            granted,
            holds,
            consents,
            age,
            sensitive,
        })
}

fn alias(own: bool) -> GuardianAlias {
    if own { OWN } else { OTHER }
}

fn names(indices: &[usize]) -> Vec<Category> {
    indices.iter().map(|index| category(NAMES[*index])).collect()
}

fn verified(case: &Case) -> VerifiedQuery {
    let purpose = match (case.history, case.basis) {
        (true, _) => Purpose::AccessHistory,
        (false, Basis::Oneself) => Purpose::OwnRequest,
        (false, _) => Purpose::FamilyRequest,
    };
    let grant = Grant { basis: case.basis, categories: names(&case.granted), ..grant() };
    let query = Query { purpose, categories: names(&case.asked), ..query_under(&grant) };
    verify(&query).unwrap()
}

fn decided(case: &Case) -> Result<ReadPermit, Withheld> {
    decided_for(&verified(case), case)
}

/// Staff made every choice.
fn decided_for(query: &VerifiedQuery, case: &Case) -> Result<ReadPermit, Withheld> {
    in_circumstances(case, &|_| None, |circumstances| decide(query, Pseudonym([3; 16]), circumstances))
}

/// Runs a decision in the circumstances of a case; `made_by` says who made each choice, by its place.
fn in_circumstances<T>(
    case: &Case,
    made_by: &dyn Fn(usize) -> Option<GuardianAlias>,
    decision: impl FnOnce(Circumstances<'_>) -> T,
) -> T {
    let holds: Vec<Hold> = case.holds.iter().map(|own| Hold { guardian: own.map(alias) }).collect();
    let consents: Vec<Consent> = case
        .consents
        .iter()
        .enumerate()
        .map(|(place, (own, index, permit))| Consent {
            guardian: own.map(alias),
            category: index.map(|index| category(NAMES[index])),
            permit: *permit,
            made_by: made_by(place),
        })
        .collect();
    let ages = AgeGate { adult_years: 18, sensitive_years: 15, sensitive: names(&case.sensitive) };
    let birth = day(&format!("{}-06-01", 2026 - case.age));
    let (birth_date, today) = (&birth, &day(TODAY));
    decision(Circumstances { birth_date, today, holds: &holds, consents: &consents, ages: &ages })
}

/// The same rules once more, as sets of indices: what may be seen, or why nothing may.
fn reference(case: &Case) -> Result<BTreeSet<usize>, Withheld> {
    let set = |indices: &[usize]| indices.iter().copied().collect::<BTreeSet<usize>>();
    let everything: BTreeSet<usize> = (0..NAMES.len()).collect();
    let guardian = case.basis != Basis::Oneself;
    let meant = |own: &Option<bool>| *own != Some(false);
    let denials: Vec<Option<usize>> = case
        .consents
        .iter()
        .filter(|(own, _, permit)| guardian && meant(own) && !permit)
        .map(|(_, category, _)| *category)
        .collect();
    let wanted = match (case.asked.as_slice(), case.granted.as_slice()) {
        ([], []) => everything.clone(),
        ([], granted) => set(granted),
        (asked, []) => set(asked),
        (asked, granted) => set(asked).intersection(&set(granted)).copied().collect(),
    };
    let by_consent: BTreeSet<usize> = denials.iter().flatten().copied().collect();
    let by_age = if guardian && case.age >= 15 { set(&case.sensitive) } else { BTreeSet::new() };
    let left: BTreeSet<usize> = wanted.difference(&by_consent).copied().collect();
    let seen: BTreeSet<usize> = left.difference(&by_age).copied().collect();
    let unnamed = case.asked.is_empty() && case.granted.is_empty();
    if guardian && case.holds.iter().any(meant) {
        Err(Withheld::Hold)
    } else if denials.contains(&None) {
        Err(Withheld::Consent)
    } else if guardian && case.age >= 18 {
        Err(Withheld::Age)
    } else if case.history || wanted.is_empty() {
        Err(Withheld::NotGranted)
    } else if !unnamed && left.is_empty() {
        Err(Withheld::Consent)
    } else if !unnamed && seen.is_empty() {
        Err(Withheld::Age)
    } else {
        Ok(seen)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One question (its signatures cost the time), many situations.
    #[test]
    fn the_decision_is_the_references(
        question in cases(),
        situations in proptest::collection::vec(cases(), 32),
    ) {
        let query = verified(&question);
        for situation in situations {
            let Case { basis, history, ref asked, ref granted, .. } = question;
            let case = Case { basis, history, asked: asked.clone(), granted: granted.clone(), ..situation };
            let decided = decided_for(&query, &case).map(|permit| {
                let allowed = (0..NAMES.len()).filter(|index| permit.allows(&category(NAMES[*index])));
                allowed.collect::<BTreeSet<usize>>()
            });
            prop_assert_eq!(decided, reference(&case), "{:?}", case);
        }
    }
}

/// The query of a case with an act instead of records; the question's own categories must not matter.
fn acting(case: &Case, act: Act) -> VerifiedQuery {
    let history = matches!(act, Act::History(_));
    let Query { grant, purpose, categories, .. } =
        verified(&Case { history, ..case.clone() }).query().clone();
    verify(&Query { grant, purpose, categories, act: Some(act), ..query() }).unwrap()
}

fn show() -> Act {
    ShowConsent { version: 1 }.into()
}

fn change(category: Option<usize>) -> Act {
    let category = category.map(|index| crate::fixture::category(NAMES[index]));
    ChangeConsent { category, ..change_consent() }.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// An act is admitted exactly where a look at everything, her own withdrawals aside, would show
    /// something, and an act's query never reads records.
    #[test]
    fn an_act_tells_of_a_child_only_whom_a_look_would_tell(
        question in cases(),
        situations in proptest::collection::vec((cases(), any::<u8>()), 32),
    ) {
        let query = acting(&question, show());
        for (situation, hers) in situations {
            let Case { basis, ref granted, .. } = question;
            let case = Case { basis, granted: granted.clone(), asked: Vec::new(), history: false, ..situation };
            let own = |place: usize| (hers >> place & 1 == 1).then_some(OWN);
            let others: Vec<_> = case.consents.iter().enumerate()
                .filter(|(place, _)| own(*place).is_none()).map(|(_, consent)| *consent).collect();
            let admitted = in_circumstances(&case, &own, |circumstances| {
                admit(&query, Pseudonym([3; 16]), circumstances)
            });
            let admitted = admitted.map(|permit| {
                let allowed = (0..NAMES.len()).filter(|index| permit.allows(&category(NAMES[*index])));
                allowed.collect::<BTreeSet<usize>>()
            });
            prop_assert_eq!(admitted, reference(&Case { consents: others, ..case.clone() }), "{:?}", case);
            let read = in_circumstances(&case, &own, |circumstances| {
                decide(&query, Pseudonym([3; 16]), circumstances)
            });
            prop_assert!(read.is_err(), "{:?}", case);
        }
    }
}

#[test]
fn another_guardians_withdrawal_is_not_her_own() {
    let everything = Case { consents: vec![(None, None, false)], ..plain() };
    let query = acting(&everything, show());
    let admitted = |made_by: Option<GuardianAlias>| {
        in_circumstances(&everything, &|_| made_by, |circumstances| {
            admit(&query, Pseudonym([3; 16]), circumstances).map(|_| ())
        })
    };
    assert_eq!(admitted(Some(OWN)), Ok(()), "or she could never give it again");
    assert_eq!(admitted(Some(OTHER)), Err(Withheld::Consent));
    assert_eq!(admitted(None), Err(Withheld::Consent), "staff protect somebody");
}

#[test]
fn who_may_choose_and_about_what() {
    let admitted = |case: &Case, act: Act| {
        let query = acting(case, act);
        in_circumstances(case, &|_| None, |circumstances| {
            admit(&query, Pseudonym([3; 16]), circumstances).map(|_| ())
        })
    };
    for basis in Basis::ALL {
        let case = |age| Case { basis: *basis, age, ..plain() };
        assert_eq!(admitted(&case(15), change(None)), Ok(()), "{basis}");
        let young = if *basis == Basis::Oneself { Err(Withheld::Age) } else { Ok(()) };
        assert_eq!(admitted(&case(14), change(None)), young, "{basis}");
        assert_eq!(admitted(&case(14), show()), Ok(()), "{basis}");
        let registers =
            || Act::ChangeRegistration(change_registration(WithdrawAddress { version: 1 }.into()));
        assert_eq!(admitted(&case(15), registers()), Ok(()), "{basis}");
        assert_eq!(
            admitted(&case(14), registers()),
            young,
            "{basis}: a child's card is in her guardian's hand"
        );
        assert_eq!(admitted(&case(14), ShowRegistration { version: 1 }.into()), Ok(()), "{basis}");
    }
    let limited = Case { granted: vec![0, 1], ..plain() };
    assert_eq!(admitted(&limited, change(Some(0))), Ok(()));
    assert_eq!(admitted(&limited, change(Some(2))), Err(Withheld::NotGranted));
    assert_eq!(admitted(&limited, change(None)), Err(Withheld::NotGranted), "more than was granted");
}

fn plain() -> Case {
    Case {
        basis: Basis::ParentalJoint,
        history: false,
        asked: vec![0, 1],
        granted: Vec::new(),
        holds: Vec::new(),
        consents: Vec::new(),
        age: 14,
        sensitive: vec![1],
    }
}

#[test]
fn a_hold_says_no_before_consent_and_age_do() {
    let all = Case { holds: vec![None], consents: vec![(None, None, false)], age: 19, ..plain() };
    assert_eq!(decided(&all).unwrap_err(), Withheld::Hold);
    let unheld = Case { holds: Vec::new(), ..all.clone() };
    assert_eq!(decided(&unheld).unwrap_err(), Withheld::Consent);
    let unasked = Case { consents: Vec::new(), ..unheld };
    assert_eq!(decided(&unasked).unwrap_err(), Withheld::Age);
    let oneself = Case { basis: Basis::Oneself, ..all };
    assert!(decided(&oneself).is_ok(), "a guardian's hold never bars the subject herself");
    let others = Case { holds: vec![Some(false)], ..plain() };
    assert!(decided(&others).is_ok(), "the other guardian keeps access");
}

#[test]
fn a_denial_wins_over_any_number_of_permissions() {
    let consents = vec![(None, None, true), (Some(true), Some(0), true), (None, Some(0), false)];
    let permit = decided(&Case { consents, ..plain() }).unwrap();
    assert!(!permit.allows(&category("alpha")));
    assert!(permit.allows(&category("beta")));
}

/// The ledger must state the true reason: age is not consent.
#[test]
fn what_age_withholds_is_not_called_consent() {
    let only_sensitive = Case { asked: vec![1], age: 15, ..plain() };
    assert_eq!(decided(&only_sensitive).unwrap_err(), Withheld::Age);
    let both = Case { asked: vec![0, 1], consents: vec![(None, Some(0), false)], age: 15, ..plain() };
    assert_eq!(decided(&both).unwrap_err(), Withheld::Age);
    let younger = Case { asked: vec![1], age: 14, ..plain() };
    assert!(decided(&younger).is_ok());
}

#[test]
fn a_permit_is_no_wider_than_the_question() {
    let permit = decided(&plain()).unwrap();
    assert_eq!(permit.categories().unwrap(), names(&[0, 1]));
    assert!(!permit.allows(&category("gamma")));
    assert_eq!(permit.since(), Some(&day("2020-04-01")));
    assert_eq!(permit.pseudonym(), &Pseudonym([3; 16]));
    let everything = Case { asked: Vec::new(), ..plain() };
    assert!(decided(&everything).unwrap().categories().is_none());
}

#[test]
fn who_asks_for_the_history_gets_no_records() {
    for basis in Basis::ALL {
        let history = Case { history: true, basis: *basis, ..plain() };
        assert_eq!(decided(&history).unwrap_err(), Withheld::NotGranted, "{basis}");
    }
}

#[test]
fn years_are_attained_on_the_anniversary_and_not_the_day_before() {
    let years = |birth: &str, today: &str| attained_years(&day(birth), &day(today));
    assert_eq!(years("2008-11-22", "2026-11-21"), 17);
    assert_eq!(years("2008-11-22", "2026-11-22"), 18);
    assert_eq!(years("2008-11-22", "2026-11-23"), 18);
    assert_eq!(years("2008-02-29", "2026-02-28"), 17, "not on the last day of February");
    assert_eq!(years("2008-02-29", "2026-03-01"), 18, "on the first of March of a common year");
    assert_eq!(years("2008-02-29", "2028-02-28"), 19);
    assert_eq!(years("2008-02-29", "2028-02-29"), 20, "on the day itself in a leap year");
    assert_eq!(years("2008-12-31", "2026-01-01"), 17);
    assert_eq!(years("2026-11-22", "2026-11-22"), 0);
    assert_eq!(years("2026-11-23", "2026-11-22"), 0, "not yet born");
    assert_eq!(years("9999-01-01", "2026-11-22"), 0);
}

#[test]
fn days_are_days_that_exist() {
    for right in ["2024-02-29", "2000-02-29", "2026-12-31", "0000-01-01", "9999-12-31"] {
        assert_eq!(Day::new(right).unwrap().as_str(), right);
    }
    for wrong in [
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-04-31",
        "2026-01-00",
        "2026-1-01",
        "26-01-01",
        "2026/01/01",
        "2026-01-01 ",
        "+026-01-01",
        "２０２６-01-01",
        "",
        "20260101",
        "2026-01-0a",
    ] {
        assert!(Day::new(wrong).is_none(), "{wrong}");
    }
    assert_eq!(day("2026-11-05").parts(), (2026, 11, 5));
}
