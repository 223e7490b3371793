use super::*;

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

const MR: &[u8] = br#"{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"2001-06-10",
    "vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"04"}]}}"#;
const POLIO: &[u8] =
    br#"{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"2001-06-10",
    "vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"10"}]}}"#;

fn source(kind: HolderKind, reply: Reply) -> Source {
    Source { name: ("ある機関".into(), "Somewhere".into()), kind, reply }
}

fn sheet(birth: &str, sex: Sex, sources: Vec<Source>) -> Sheet {
    Sheet::new(Person { birth: day(birth), sex }, sources, 1_795_679_000_000, day("2026-11-26"))
}

fn nothing(kept_since: Option<&str>) -> Reply {
    Reply::answered([POLIO], kept_since.map(day))
}

/// Every cohort, kind, sex and reply: the row and the sum are one of the five, and the rules of silence and of
/// finding hold whatever else is true.
#[test]
fn one_institution_of_every_kind_asked_by_every_cohort() {
    let births =
        ["1955-05-05", "1970-05-05", "1983-05-05", "1988-05-05", "1992-05-05", "1998-05-05", "2010-05-05"];
    let replies = [
        Reply::Silent,
        nothing(None),
        nothing(Some("1975-01-01")),
        nothing(Some("1985-01-01")),
        nothing(Some("2028-01-01")),
        Reply::answered([POLIO, MR], Some(day("2028-01-01"))),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for birth in births {
        for sex in [Sex::Female, Sex::Male, Sex::Other, Sex::Unknown] {
            for kind in HolderKind::ALL {
                for reply in &replies {
                    let found = matches!(reply, Reply::Answered { evidence, .. } if !evidence.is_empty());
                    let silent = matches!(reply, Reply::Silent);
                    let sheet = sheet(birth, sex, vec![source(kind, reply.clone())]);
                    let row = &sheet.rows[0];
                    let programme = sheet.cohort.vaccinated_until(day(birth), kind).is_some();
                    let context = format!("{birth} {kind:?} {:?} {:?}", row.outcome, sheet.outcome);
                    assert_eq!(row.outcome == Outcome::RecordFound, found, "{context}");
                    assert_eq!(row.outcome == Outcome::DidNotAnswer, silent, "{context}");
                    assert_eq!(sheet.outcome == Outcome::RecordFound, found, "{context}");
                    if !found && !silent {
                        assert_eq!(row.outcome == Outcome::NoProgramme, !programme, "{context}");
                        assert_eq!(
                            row.outcome == Outcome::NoLongerKept,
                            matches!(row.kept, Kept::Nothing(_)),
                            "{context}"
                        );
                    }
                    if silent && (programme || kind.treats_anybody()) {
                        assert_eq!(sheet.outcome, Outcome::DidNotAnswer, "{context}");
                    }
                    if sheet.outcome == Outcome::NoProgramme {
                        assert_eq!(sheet.cohort.id, "R0", "{context}");
                    }
                    seen.insert((row.outcome, sheet.outcome));
                    assert!(!sheet.next.is_empty());
                }
            }
        }
    }
    for outcome in Outcome::ALL {
        assert!(seen.iter().any(|(row, _)| *row == outcome) && seen.iter().any(|(_, sum)| *sum == outcome));
    }
}

#[test]
fn a_woman_of_1970_asks_everybody() {
    use HolderKind::{CityHall, Clinic, Hospital, Pharmacy, School};
    let ask = |school: Reply, clinic: Reply| {
        sheet(
            "1970-05-05",
            Sex::Female,
            vec![
                source(CityHall, nothing(Some("2015-04-01"))),
                source(School, school),
                source(Clinic, clinic),
                source(Hospital, nothing(None)),
                source(Pharmacy, Reply::Silent),
            ],
        )
    };
    let outcomes = |sheet: &Sheet| sheet.rows.iter().map(|row| row.outcome).collect::<Vec<_>>();
    let sheet = ask(nothing(None), nothing(None));
    assert_eq!(
        outcomes(&sheet),
        [
            Outcome::NoLongerKept,
            Outcome::NoneThoughProgramme,
            Outcome::NoProgramme,
            Outcome::NoProgramme,
            Outcome::DidNotAnswer
        ]
    );
    assert_eq!(sheet.outcome, Outcome::NoLongerKept, "the silent pharmacy could not know");
    assert_eq!(sheet.places.first(), Some(&School));
    assert!(!sheet.handbook);
    assert_eq!(sheet.rows[0].kept, Kept::Nothing(day("2015-04-01")));
    assert_eq!(sheet.rows[0].kept_words().unwrap().ja, "保存されているのは平成27年4月1日以降の記録です");
    // A paid dose may lie at the clinic: its silence counts, although no programme was recorded there.
    assert_eq!(ask(nothing(None), Reply::Silent).outcome, Outcome::DidNotAnswer);
    assert_eq!(ask(Reply::Silent, nothing(None)).outcome, Outcome::DidNotAnswer);
    assert_eq!(ask(Reply::Silent, Reply::answered([MR], None)).outcome, Outcome::RecordFound);
}

#[test]
fn nobody_asked_who_could_know_is_no_answer() {
    assert_eq!(sheet("1970-05-05", Sex::Female, vec![]).outcome, Outcome::DidNotAnswer);
    let pharmacy = vec![source(HolderKind::Pharmacy, nothing(None))];
    assert_eq!(sheet("1992-05-05", Sex::Female, pharmacy).outcome, Outcome::DidNotAnswer);
    assert_eq!(sheet("1955-05-05", Sex::Female, vec![]).outcome, Outcome::NoProgramme);
}

#[test]
fn retention_counts_from_the_last_possible_day() {
    // 第2期 of a child of 2010: to 2017-03-31.
    let with = |since: &str| {
        let sheet = sheet("2010-05-05", Sex::Male, vec![source(HolderKind::CityHall, nothing(Some(since)))]);
        (sheet.rows[0].outcome, sheet.rows[0].kept)
    };
    assert_eq!(with("2017-04-01"), (Outcome::NoLongerKept, Kept::Nothing(day("2017-04-01"))));
    assert_eq!(with("2017-03-31"), (Outcome::NoneThoughProgramme, Kept::From(day("2017-03-31"))));
    assert_eq!(with("2011-05-04"), (Outcome::NoneThoughProgramme, Kept::All));
}

#[test]
fn evidence_is_listed_in_order_and_never_printed_by_debug() {
    let older: &[u8] = br#"{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"1995",
        "vaccineCode":{"text":"MMR"}}"#;
    let undated: &[u8] =
        br#"{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"MMR"}}"#;
    let sheet = sheet(
        "1992-05-05",
        Sex::Female,
        vec![source(HolderKind::Clinic, Reply::answered([undated, MR, older], None))],
    );
    let days: Vec<_> =
        sheet.rows[0].evidence.iter().map(|e| e.when.as_ref().and_then(evidence::When::day)).collect();
    assert_eq!(days, [Some(day("1995-01-01")), Some(day("2001-06-10")), None]);
    assert_eq!(format!("{sheet:?} {:?}", sheet.person), "Sheet(***) Person(***)");
}
