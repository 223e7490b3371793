//! The decision, held to a second statement of the same rules.

use std::collections::BTreeSet;

use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::ids::{Category, GuardianAlias, Pseudonym};
use hibiki_protocol::policy::{AgeGate, Consent, Hold, ReadPermit, Withheld, attained_years, decide};
use hibiki_protocol::query::{Query, VerifiedQuery};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::time::Day;
use proptest::prelude::*;

use crate::fixture::*;

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

fn decided_for(query: &VerifiedQuery, case: &Case) -> Result<ReadPermit, Withheld> {
    let holds: Vec<Hold> = case.holds.iter().map(|own| Hold { guardian: own.map(alias) }).collect();
    let consents: Vec<Consent> = case
        .consents
        .iter()
        .map(|(own, index, permit)| Consent {
            guardian: own.map(alias),
            category: index.map(|index| category(NAMES[index])),
            permit: *permit,
        })
        .collect();
    let ages = AgeGate { adult_years: 18, sensitive_years: 15, sensitive: names(&case.sensitive) };
    let birth = day(&format!("{}-06-01", 2026 - case.age));
    decide(query, Pseudonym([3; 16]), &birth, &day(TODAY), &holds, &consents, &ages)
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
