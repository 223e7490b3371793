//! What staff see of registrations and enter themselves. What guardians do is tested with the responder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_protocol::history::Event;
use serde_json::json;

use super::*;
use crate::admin::{AdminError, Request, Responder, Router};
use crate::institution::town::{House, Town};
use crate::ledger::{Logged, details};
use crate::school::office;
use crate::school::roster::Roster;

struct Office {
    town: Town,
    router: Router,
    roster: Arc<Roster>,
    registrations: Arc<Registrations>,
}

impl Office {
    /// A school of two classes.
    async fn new() -> Self {
        let town = Town::new(Vec::new());
        let (means, roster) = (town.means("school"), office::of_two_classes(&town).await);
        let outbox = Arc::new(Outbox::new(means.clone()));
        let registrations = Arc::new(Registrations::new(means, outbox, true, "もみじ小学校".to_owned()));
        let mut router = Router::new();
        commands::register(&mut router, &registrations, &roster);
        Self { town, router, roster, registrations }
    }

    async fn ask(
        &self,
        command: &str,
        arguments: serde_json::Value,
        staff: Option<&str>,
    ) -> Result<serde_json::Value, AdminError> {
        let (responder, _events, _cancel) = Responder::channel();
        self.router.dispatch(Request::local(command, arguments, staff), responder).await
    }

    fn house(&self) -> &House {
        self.town.house("school")
    }

    fn last(&self) -> Logged {
        self.house().logged().pop().unwrap()
    }
}

fn egg(removal: Removal) -> Registration {
    Registration::from([(Allergen::from_id("egg").unwrap(), removal)])
}

#[tokio::test]
async fn staff_enter_the_schools_own_list_and_see_all_of_them() {
    let office = Office::new().await;
    let mut changes = office.registrations.changes();
    let both = json!({ "pupil": "1", "allergens": [{ "id": "egg", "strict": true }, { "id": "milk" }] });
    let unsigned = office.ask(commands::SET, both.clone(), None).await.unwrap_err();
    assert_eq!(unsigned.next.as_deref(), Some("repeat it with --staff NAME"));
    assert!(office.registrations.all().unwrap().is_empty() && !changes.has_changed().unwrap());
    office.ask(commands::SET, both, Some("Tanaka")).await.unwrap();
    assert!(changes.has_changed().unwrap(), "whoever warns is told");
    changes.mark_unchanged();
    let entry = office.last();
    let said = entry.details::<details::Registration>().unwrap();
    assert_eq!((said.by.as_str(), said.guardian.as_str()), ("Tanaka", ""));
    let told = entry.told.unwrap().disclosed().unwrap();
    assert_eq!((told.event, told.alias), (Event::RegistrationChanged, None), "a guardian may be told");
    let first = office.roster.key("1").unwrap();
    let mother = GuardianAlias([1; 16]);
    office.registrations.enter(&first, mother, egg(Removal::Usual), Some("mother@mail.example")).await;
    let second = office.roster.key("2").unwrap();
    office.registrations.enter(&second, mother, egg(Removal::Usual), None).await;

    let all = office.ask(commands::LIST, json!({}), Some("Tanaka")).await.unwrap();
    assert_eq!(all["registrations"].as_array().unwrap().len(), 2);
    assert!(!all.to_string().contains("mail.example"), "an address is nothing staff need to see here");
    let listed = office.ask(commands::LIST, json!({ "class": "3-1" }), Some("Tanaka")).await.unwrap();
    let one = &listed["registrations"].as_array().unwrap()[..];
    assert_eq!(one.len(), 1);
    assert_eq!((&one[0]["pupil"], &one[0]["class"]), (&json!("1"), &json!("3-1")));
    assert_eq!((&one[0]["guardians"], &one[0]["addresses"]), (&json!(1), &json!(1)));
    let strict = |list: &serde_json::Value| -> Vec<(String, bool)> {
        let one =
            |it: &serde_json::Value| (it["id"].as_str().unwrap().to_owned(), it["strict"].as_bool().unwrap());
        list.as_array().unwrap().iter().map(one).collect()
    };
    let both = [("egg".to_owned(), true), ("milk".to_owned(), false)];
    assert_eq!(strict(&one[0]["allergens"]), both, "strict if anybody says strict");
    assert_eq!(strict(&one[0]["by_school"]), both);

    office.ask(commands::SET, json!({ "pupil": "1", "allergens": [] }), Some("Tanaka")).await.unwrap();
    let mut left = office.registrations.of(&first).unwrap();
    let left = left.pop().unwrap();
    assert!(left.allergens == egg(Removal::Usual), "what guardians registered stays");
    assert_eq!(left.address.as_deref(), Some("mother@mail.example"));
}

#[tokio::test]
async fn a_look_at_one_pupil_is_logged_with_her() {
    let office = Office::new().await;
    office.ask(commands::LIST, json!({ "pupil": "2" }), Some("Tanaka")).await.unwrap();
    let entry = office.last();
    assert_eq!(entry.details::<details::Staff>().unwrap().by, "Tanaka");
    assert_eq!(entry.told.unwrap().disclosed().unwrap().event, Event::StaffLook);
    office.ask(commands::LIST, json!({}), Some("Tanaka")).await.unwrap();
    assert!(office.last().told.is_none(), "a look at everybody is about nobody");
    let size = office.house().means.ledger.size();
    let nobody = office.ask(commands::LIST, json!({ "pupil": "99" }), Some("Tanaka")).await.unwrap_err();
    assert!(nobody.what.contains("nobody has this number"), "{nobody}");
    assert_eq!(office.house().means.ledger.size(), size);
}

#[tokio::test]
async fn what_cannot_be_entered_is_refused_and_changes_nothing() {
    let office = Office::new().await;
    let egg = json!([{ "id": "egg" }]);
    let size = office.house().means.ledger.size();
    for (arguments, says) in [
        (json!({ "pupil": "99", "allergens": egg }), "nobody has this number"),
        (json!({ "pupil": "1", "allergens": [{ "id": "eggs" }] }), "standard list"),
        (json!({ "pupil": "1", "allergens": [{ "id": "egg", "strictly": true }] }), ""),
        (json!({ "pupil": "1" }), ""),
    ] {
        let refused = office.ask(commands::SET, arguments, Some("Tanaka")).await.unwrap_err();
        assert!(refused.what.contains(says), "{refused}");
    }
    assert_eq!(office.house().means.ledger.size(), size);
    assert!(office.registrations.all().unwrap().is_empty());
    office.house().store.set_low_space(true);
    let list = json!({ "pupil": "1", "allergens": egg });
    office.ask(commands::SET, list, Some("Tanaka")).await.expect("a full disk is no reason");
}

/// One scan, whoever many they are: the alert asks for all of them each evening.
#[tokio::test]
async fn twenty_thousand_children_are_read_at_once() {
    let town = Town::new(Vec::new());
    let means = town.means("school");
    let outbox = Arc::new(Outbox::new(means.clone()));
    let registrations = Registrations::new(means.clone(), outbox, true, String::new());
    let row = GuardianRow {
        pseudonym: [9; 16],
        allergens: egg(Removal::Usual),
        address: Some("guardian@mail.example".to_owned()),
        ..GuardianRow::default()
    };
    let index = linkage::index(&means, &Pseudonym([9; 16]));
    let read = |count: usize| {
        let began = tokio::time::Instant::now();
        let all = registrations.all().unwrap();
        let took = began.elapsed();
        assert_eq!(all.iter().filter(|one| one.address.is_some()).count(), count);
        took
    };
    let mut of_a_tenth = std::time::Duration::ZERO;
    let children: Vec<u32> = (0..20_000).collect();
    for some in children.chunks(1000) {
        let mut change = means.vault.change();
        for number in some {
            let subject: [u8; 16] = [&[7; 12][..], &number.to_be_bytes()].concat().try_into().unwrap();
            change.put(TABLE, &place(&subject, &GuardianAlias([1; 16])), &row).unwrap();
            change.mark(Keyspace::Links, &[b"s", subject.as_slice(), &index].concat());
        }
        change.commit().await.unwrap();
        if some.last() == Some(&1_999) {
            of_a_tenth = read(2_000);
        }
    }
    let took = read(20_000);
    eprintln!("registrations read: 2,000 in {of_a_tenth:?}, 20,000 in {took:?}");
    // A scan for each of them would take a hundred times as long; the machine may be busy with something else.
    assert!(took < 40 * of_a_tenth, "2,000 in {of_a_tenth:?}, 20,000 in {took:?}");
}

/// Codes are six digits, and no leading digit is rarer than another.
#[test]
fn codes_are_six_digits_each_as_likely_as_any_other() {
    let town = Town::new(Vec::new());
    let means = town.means("school");
    let mut leading = [0_u32; 10];
    for _ in 0..10_000 {
        let whom = (&[1; 16], &GuardianAlias([2; 16]));
        let (waiting, letter) = code::issue(&means, "もみじ小学校", whom, "mother@mail.example");
        let mut runs = letter.text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= 6);
        let code = runs.next().unwrap();
        assert_eq!(code.len(), 6);
        leading[usize::from(code.as_bytes()[0] - b'0')] += 1;
        let kept = serde_json::to_string(&waiting).unwrap().replace(&waiting.until.to_string(), "");
        assert!(!kept.contains(code), "the code itself is kept nowhere but in the letter");
    }
    // Twelve standard deviations.
    assert!(leading.iter().all(|count| (640..1360).contains(count)), "{leading:?}");
}
