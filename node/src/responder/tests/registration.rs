//! What a guardian registers at a school: for her alone to change, for everybody's alert to count.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hibiki_protocol::act::Act;
use hibiki_protocol::answer::Answer;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::history::{Actor, Event};
use hibiki_protocol::ids::CommandKey;
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::policy::{Consent, Hold};
use hibiki_protocol::query::Refusal;
use hibiki_protocol::registration::*;
use hibiki_protocol::time::Day;
use hibiki_protocol::tlog::{Checkpoint, EntryKind};
use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Registration, Removal};

use super::acts::{ask, asked_by, bends, lock, told};
use crate::holds::Holds;
use crate::keyring::KeyId;
use crate::ledger::details;
use crate::mail::{Letter, LetterId, LetterKind, Outbox, Recipients as _};
use crate::responder::RegistrationKeeper;
use crate::responder::scene::{Scene, category, member, random, record};
use crate::school::hearing::Hearing;
use crate::school::registrations::{Party, Registrations};
use crate::services::Responder as _;
use crate::store::{Keyspace, Store as _};

const EGG: &str = "J9FB13000000";
const MILK: &str = "J9FB12000000";
const WHEAT: &str = "J9FA15000000";
const HOUR: u64 = 3600 * 1000;

/// A school that is quick to answer, with what it keeps.
struct School {
    scene: Scene,
    registrations: Arc<Registrations>,
    outbox: Arc<Outbox>,
}

impl School {
    fn new() -> Self {
        let mut scene = Scene::with_floor(Duration::from_millis(2));
        let (registrations, outbox) = books(&scene, true);
        scene.responder.base.registrations = Some(Arc::clone(&registrations) as Arc<dyn RegistrationKeeper>);
        Self { scene, registrations, outbox }
    }

    async fn state(&self, who: &str) -> RegistrationState {
        ask(&self.scene, who, Some(show())).await.registration.unwrap()
    }

    async fn change(&self, who: &str, change: impl Into<RegistrationChange>) -> RegistrationState {
        self.send(who, &command(change)).await.registration.unwrap()
    }

    async fn send(&self, who: &str, command: &ChangeRegistration) -> Answer {
        ask(&self.scene, who, Some(command.clone().into())).await
    }

    fn key(&self) -> [u8; 16] {
        lock(&self.scene).key
    }

    fn later(&self, millis: u64) {
        *self.scene.clock.0.lock().unwrap() += millis;
    }

    /// The codes mailed to an address, newest first.
    fn codes(&self, address: &str) -> Vec<String> {
        let letters = self.outbox.all().unwrap().into_iter().map(|queued| queued.letter);
        let mut codes = Vec::new();
        for letter in letters.filter(|letter| letter.to == address) {
            assert_eq!(letter.kind, LetterKind::Code);
            assert_eq!((letter.subject_key, letter.lunch), (Some(self.key()), None));
            let code: String =
                letter.text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).unwrap().into();
            assert!(letter.html.contains(&code) && !letter.title.contains(&code));
            codes.push(code);
        }
        codes
    }

    async fn confirmed(&self, who: &str, address: &str) {
        self.change(who, to(address)).await;
        let code = self.codes(address).remove(0);
        let state = self.change(who, confirm(&code)).await;
        assert_eq!((state.address.as_deref(), state.refused), (Some(address), None));
    }

    /// The address the school would write to.
    fn writes_to(&self, who: &str) -> Option<String> {
        let alias = self.scene.audience_key.alias(who);
        let all = self.registrations.all().unwrap();
        assert!(all == self.registrations.of(&self.key()).unwrap(), "there is one child");
        let hers = |party| matches!(party, Party::Guardian(other, _) if other == alias);
        all.into_iter().find(|one| hers(one.party)).and_then(|one| one.address)
    }
}

fn books(scene: &Scene, mails: bool) -> (Arc<Registrations>, Arc<Outbox>) {
    let outbox = Arc::new(Outbox::new(scene.means.clone()));
    let school = "もみじ小学校".to_owned();
    let registrations = Registrations::new(scene.means.clone(), Arc::clone(&outbox), mails, school);
    link(scene);
    (Arc::new(registrations), outbox)
}

/// The child is linked under the name she is asked for by.
fn link(scene: &Scene) {
    let place = link_place(scene);
    let mut batch = crate::store::Batch::new();
    batch.put(Keyspace::Links, place, Vec::new());
    scene.store.commit(&batch).unwrap();
}

fn unlink(scene: &Scene) {
    let place = link_place(scene);
    let mut batch = crate::store::Batch::new();
    batch.delete(Keyspace::Links, place);
    scene.store.commit(&batch).unwrap();
}

fn link_place(scene: &Scene) -> Vec<u8> {
    let pseudonym = scene.audience_key.pseudonym(crate::responder::scene::RESIDENT);
    let index = crate::linkage::index(&scene.means, &pseudonym);
    [b"s", lock(scene).key.as_slice(), &index].concat()
}

fn show() -> Act {
    ShowRegistration { version: 1 }.into()
}

fn command(change: impl Into<RegistrationChange>) -> ChangeRegistration {
    ChangeRegistration { key: CommandKey(random()), change: change.into() }
}

fn list(allergens: &[(&str, bool)]) -> Vec<RegisteredAllergen> {
    allergens
        .iter()
        .map(|(code, strict)| RegisteredAllergen { code: (*code).into(), strict: *strict })
        .collect()
}

fn eats_no(allergens: &[(&str, bool)]) -> RegisterAllergens {
    RegisterAllergens { allergens: list(allergens) }
}

fn to(address: &str) -> RegisterAddress {
    RegisterAddress { address: address.to_owned() }
}

fn confirm(code: &str) -> ConfirmAddress {
    ConfirmAddress { code: code.to_owned() }
}

fn withdraw() -> WithdrawAddress {
    WithdrawAddress { version: 1 }
}

/// A code that was not mailed.
fn not(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// The entry of what was just changed: proven, and saying so.
fn proven(school: &School, answer: &Answer) -> u64 {
    assert_eq!((answer.outcome, answer.refusal), (Outcome::Data, None));
    let changed = answer.registration.clone().unwrap().changed.expect("a receipt");
    let own = member("maebashi/chuo-hospital");
    let key = school.scene.accepted.list().member(&own).unwrap().ledger_verifier().unwrap();
    let (checkpoint, _) = Checkpoint::open(changed.checkpoint.unwrap().as_bytes(), &key, &[]).unwrap();
    changed.entry.prove(&checkpoint).unwrap();
    let (leaf, told) = changed.entry.open().unwrap();
    assert_eq!((leaf.kind, told.event), (EntryKind::Registration, Event::RegistrationChanged));
    assert_eq!(
        (changed.receipt.index, changed.receipt.leaf_hash),
        (changed.entry.index, changed.entry.leaf_hash())
    );
    changed.receipt.index
}

#[tokio::test]
async fn what_one_guardian_registers_the_other_cannot_undo() {
    let school = School::new();
    assert!(school.state("mother").await.allergens.is_empty());
    let size = school.scene.ledger.size();
    let answer = school.send("mother", &command(eats_no(&[(EGG, true), (MILK, false)]))).await;
    assert_eq!(proven(&school, &answer), size);
    assert_eq!(school.scene.ledger.size(), size + 1, "one entry: the change itself");
    let entry = &school.scene.ledger.read(size..size + 1).unwrap()[0];
    let details = entry.details::<details::Registration>().unwrap();
    assert_eq!((details.what.as_str(), details.by.as_str()), ("allergens", ""));
    assert_eq!(details.allergens.len(), 2);
    // He is told what, and not by whom; his empty list takes nothing away.
    assert_eq!(school.state("father").await.others, list(&[(EGG, true), (MILK, false)]));
    let fathers = school.change("father", eats_no(&[(MILK, true)])).await;
    assert_eq!(
        (fathers.allergens, fathers.others),
        (list(&[(MILK, true)]), list(&[(EGG, true), (MILK, false)]))
    );
    school.change("father", eats_no(&[])).await;
    let mothers = school.state("mother").await;
    assert_eq!((mothers.allergens, mothers.others), (list(&[(EGG, true), (MILK, false)]), Vec::new()));
    // The school's own list stands beside theirs.
    let wheat = Registration::from([(Allergen::from_id("wheat").unwrap(), Removal::Usual)]);
    school.registrations.set_by_school(&school.key(), wheat, "Tanaka").await.unwrap();
    assert_eq!(school.state("mother").await.others, list(&[(WHEAT, false)]));
    let all = school.registrations.all().unwrap();
    let parties = all.iter().filter(|one| !one.allergens.is_empty()).count();
    assert_eq!((all.len(), parties), (3, 2));
    school.registrations.set_by_school(&school.key(), Registration::new(), "Tanaka").await.unwrap();
    assert!(school.state("mother").await.others.is_empty());
}

#[tokio::test]
async fn others_allergens_are_told_where_her_allergies_are() {
    let school = School::new();
    school.change("mother", eats_no(&[(EGG, false)])).await;
    let guardian = Some(school.scene.audience_key.alias("father"));
    lock(&school.scene).consents.push(Consent {
        guardian,
        category: Some(category("allergy")),
        permit: false,
        made_by: None,
    });
    assert!(school.state("father").await.others.is_empty());
    let changed = school.change("father", eats_no(&[(MILK, false)])).await;
    assert_eq!((changed.allergens, changed.others), (list(&[(MILK, false)]), Vec::new()), "his own he may");
    assert_eq!(school.state("mother").await.others, list(&[(MILK, false)]));
}

#[tokio::test]
async fn every_look_and_change_is_in_the_ledger_and_told_to_whom_it_concerns() {
    let school = School::new();
    school.state("mother").await;
    school.change("mother", eats_no(&[(EGG, false)])).await;
    school.change("father", eats_no(&[(EGG, false)])).await;
    school.registrations.set_by_school(&school.key(), Registration::new(), "Tanaka").await.unwrap();
    let page = told(&school.scene, "mother", Basis::ParentalJoint, None).await.unwrap();
    let said: Vec<(Event, Actor)> = page
        .entries
        .iter()
        .map(|entry| entry.open().unwrap().1)
        .map(|told| (told.event, told.actor))
        .collect();
    assert_eq!(
        said,
        [
            (Event::RegistrationChanged, Actor::Staff),
            (Event::RegistrationChanged, Actor::Guardian),
            (Event::RegistrationShown, Actor::Guardian),
        ]
    );
    let own = told(&school.scene, "herself", Basis::Oneself, None).await.unwrap();
    assert_eq!(own.entries.len(), 5, "and the look at the history");
}

#[tokio::test]
async fn where_a_look_would_show_nothing_nothing_is_registered() {
    for (reason, bend) in bends() {
        let acts: [Act; 4] = [
            show(),
            command(eats_no(&[(EGG, false)])).into(),
            command(to("mother@mail.example")).into(),
            command(withdraw()).into(),
        ];
        for act in acts {
            let school = School::new();
            school.confirmed("mother", "mother@before.example").await;
            let letters = school.outbox.all().unwrap().len();
            bend(&school.scene);
            let commits = school.scene.store.stats().commits;
            let mut asked = asked_by(&school.scene, "mother", Basis::ParentalJoint, Some(act));
            let (part, reply_to) = school.scene.seal(&mut asked);
            let began = tokio::time::Instant::now();
            let gateway = member("maebashi/city-hall");
            let answered = school.scene.responder.ask(&gateway, school.scene.ask(part)).await.unwrap();
            let floor = school.scene.responder.base.policy.answer_floor * crate::responder::ACT_FLOORS;
            assert!(began.elapsed() >= floor, "{reason} came too soon");
            assert_eq!(answered.answer.0.ciphertext.len(), limits::ANSWER_PLAINTEXT_BYTES[0] + 16);
            let own = member("maebashi/chuo-hospital");
            let key = school.scene.accepted.list().member(&own).unwrap().signing_key;
            let answer = answered.answer.open(&own, &key, &reply_to, &asked.secret).unwrap();
            assert_eq!((answer.outcome, answer.refusal), (Outcome::NothingToShow, None), "{reason}");
            assert_eq!(answer.registration, None, "{reason}");
            assert_eq!(school.scene.logged_reason().as_deref(), Some(reason));
            assert_eq!(school.scene.store.stats().commits, commits, "{reason}: something was changed");
            assert_eq!(school.outbox.all().unwrap().len(), letters);
        }
    }
}

#[tokio::test]
async fn an_institution_without_a_school_has_nothing_to_show() {
    let scene = Scene::with_floor(Duration::from_millis(2));
    for act in [show(), command(eats_no(&[(EGG, false)])).into()] {
        let answer = ask(&scene, "mother", Some(act)).await;
        assert_eq!((answer.outcome, answer.refusal), (Outcome::NothingToShow, None));
        assert_eq!(scene.logged_reason().as_deref(), Some("empty"));
    }
}

#[tokio::test]
async fn a_young_childs_card_registers_nothing_and_a_grown_ones_does() {
    let school = School::new();
    let oneself = |act| asked_by(&school.scene, "herself", Basis::Oneself, Some(act));
    let mails: Act = command(to("father@mail.example")).into();
    let young = school.scene.answer(oneself(mails.clone())).await.unwrap();
    assert_eq!(young.outcome, Outcome::NothingToShow, "or a hold would not keep mails from him");
    assert_eq!(school.scene.logged_reason().as_deref(), Some("age"));
    assert!(school.outbox.all().unwrap().is_empty());
    lock(&school.scene).birth_date = Day::new("2008-11-01").unwrap();
    let grown = school.scene.answer(oneself(mails)).await.unwrap();
    assert!(grown.registration.unwrap().changed.is_some());
    let guardian = ask(&school.scene, "mother", Some(show())).await;
    assert_eq!(guardian.outcome, Outcome::NothingToShow, "she is of age");
}

#[tokio::test]
async fn a_command_counts_once() {
    let school = School::new();
    let egg = command(eats_no(&[(EGG, false)]));
    let first = proven(&school, &school.send("mother", &egg).await);
    school.change("mother", eats_no(&[])).await;
    let size = school.scene.ledger.size();
    assert_eq!(proven(&school, &school.send("mother", &egg).await), first);
    assert_eq!(school.scene.ledger.size(), size + 1, "the answer is logged, the change is not");
    assert!(school.state("mother").await.allergens.is_empty(), "and changes nothing");
    let other = ChangeRegistration { change: eats_no(&[(MILK, false)]).into(), ..egg.clone() };
    assert_eq!(school.send("mother", &other).await.refusal, Some(Refusal::Malformed));
    assert!(school.send("father", &egg).await.registration.unwrap().changed.is_some(), "his is another one");
    // Asking for a code twice mails one.
    let address = command(to("mother@mail.example"));
    proven(&school, &school.send("mother", &address).await);
    proven(&school, &school.send("mother", &address).await);
    assert_eq!(school.codes("mother@mail.example").len(), 1);
    // A wrong code sent twice is one try; four more are left.
    let wrong = command(confirm(&not(&school.codes("mother@mail.example")[0])));
    for _ in 0..6 {
        let state = school.send("mother", &wrong).await.registration.unwrap();
        assert_eq!(state.refused, Some(RegistrationRefusal::WrongCode));
    }
    let code = school.codes("mother@mail.example").remove(0);
    assert!(school.change("mother", confirm(&code)).await.changed.is_some());
    school.later(limits::COMMAND_MILLIS + 1);
    assert_ne!(proven(&school, &school.send("mother", &egg).await), first, "a day later it is a new command");
}

#[tokio::test]
async fn an_address_is_used_once_its_code_came_back() {
    let school = School::new();
    let mut changes = school.registrations.changes();
    let state = school.change("mother", to(" mother@mail.example ")).await;
    assert_eq!(state.address, None);
    let waiting = state.waiting.unwrap();
    assert_eq!(waiting.address, "mother@mail.example");
    assert_eq!(waiting.until.0, *school.scene.clock.0.lock().unwrap() + 24 * HOUR);
    assert_eq!(school.writes_to("mother"), None);
    assert_eq!(state.deliveries.len(), 1);
    assert_eq!(
        (state.deliveries[0].kind, state.deliveries[0].state),
        (MailKind::Code, DeliveryState::Waiting)
    );
    let code = school.codes("mother@mail.example").remove(0);
    // Her code is of no use to anybody else.
    let fathers = school.change("father", confirm(&code)).await;
    assert_eq!((fathers.refused, fathers.address), (Some(RegistrationRefusal::NoCode), None));
    changes.mark_unchanged();
    assert!(school.change("mother", confirm(&code)).await.changed.is_some());
    assert!(changes.has_changed().unwrap(), "whoever warns is told");
    assert_eq!(school.writes_to("mother").as_deref(), Some("mother@mail.example"));
    assert_eq!(school.writes_to("father"), None);
    let again = school.change("mother", confirm(&code)).await;
    assert_eq!(again.refused, Some(RegistrationRefusal::NoCode), "a code counts once");
    // The old one stays until the new one is confirmed.
    let moved = school.change("mother", to("mother@new.example")).await;
    assert_eq!(moved.address.as_deref(), Some("mother@mail.example"));
    assert_eq!(school.writes_to("mother").as_deref(), Some("mother@mail.example"));
    let code = school.codes("mother@new.example").remove(0);
    let moved = school.change("mother", confirm(&code)).await;
    assert_eq!((moved.address.as_deref(), moved.waiting), (Some("mother@new.example"), None));
    assert_eq!(school.writes_to("mother").as_deref(), Some("mother@new.example"));
    let gone = school.change("mother", withdraw()).await;
    assert_eq!((gone.address, gone.waiting), (None, None));
    assert_eq!(school.writes_to("mother"), None);
}

#[tokio::test]
async fn a_code_is_void_after_a_day_or_five_wrong_ones() {
    let school = School::new();
    let address = "mother@mail.example";
    school.change("mother", to(address)).await;
    let code = school.codes(address).remove(0);
    school.later(24 * HOUR);
    let late = school.change("mother", confirm(&code)).await;
    assert_eq!((late.refused, late.address, late.waiting), (Some(RegistrationRefusal::NoCode), None, None));
    school.change("mother", to(address)).await;
    let code = school.codes(address).remove(0);
    for _ in 0..4 {
        let state = school.change("mother", confirm(&not(&code))).await;
        assert_eq!(state.refused, Some(RegistrationRefusal::WrongCode));
        assert!(state.waiting.is_some());
    }
    let fifth = school.change("mother", confirm(&not(&code))).await;
    assert_eq!((fifth.refused, fifth.waiting), (Some(RegistrationRefusal::TooManyTries), None));
    let right = school.change("mother", confirm(&code)).await;
    assert_eq!((right.refused, right.address), (Some(RegistrationRefusal::TooManyTries), None));
    // A new code starts anew; the one before no longer counts.
    school.later(HOUR);
    school.change("mother", to(address)).await;
    let newest = school.codes(address).remove(0);
    if newest != code {
        let state = school.change("mother", confirm(&code)).await;
        assert_eq!(state.refused, Some(RegistrationRefusal::WrongCode));
    }
    assert!(school.change("mother", confirm(&newest)).await.changed.is_some());
}

#[tokio::test]
async fn three_codes_a_day_are_mailed() {
    let school = School::new();
    for number in 0..3 {
        school.later(HOUR);
        let state = school.change("mother", to(&format!("mother{number}@mail.example"))).await;
        assert!(state.changed.is_some());
    }
    let refused = school.change("mother", to("mother3@mail.example")).await;
    assert_eq!(refused.refused, Some(RegistrationRefusal::TooManyCodes));
    assert_eq!(refused.waiting.unwrap().address, "mother2@mail.example", "what waited still waits");
    assert_eq!(school.outbox.all().unwrap().len(), 3);
    assert!(school.change("father", to("father@mail.example")).await.changed.is_some(), "his are his own");
    school.later(22 * HOUR);
    assert!(school.change("mother", to("mother4@mail.example")).await.changed.is_some());
    let refused = school.change("mother", to("mother5@mail.example")).await;
    assert_eq!(refused.refused, Some(RegistrationRefusal::TooManyCodes));
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_said_and_nothing_of_it_in_force() {
    let school = School::new();
    school.change("mother", eats_no(&[(EGG, true)])).await;
    let unknown = school.change("mother", eats_no(&[(MILK, false), ("J9XX00000000", false)])).await;
    assert_eq!(unknown.refused, Some(RegistrationRefusal::UnknownAllergen));
    assert_eq!(unknown.allergens, list(&[(EGG, true)]));
    let wrong = [
        "",
        "mother",
        "@mail.example",
        "mother@",
        "mother@mail.example\r\nBcc: all@mail.example",
        "a@b.example, c@d.example",
        "Mother <mother@mail.example>",
    ];
    for address in wrong {
        let state = school.change("mother", to(address)).await;
        assert_eq!(
            (state.refused, state.waiting),
            (Some(RegistrationRefusal::NotAnAddress), None),
            "{address:?}"
        );
    }
    assert!(school.outbox.all().unwrap().is_empty());
    assert_eq!(school.change("mother", confirm("123456")).await.refused, Some(RegistrationRefusal::NoCode));
    // What no list could be is refused whoever the child is.
    let many = vec![(EGG, false); limits::REGISTERED_ALLERGENS_MAX + 1];
    let long = format!("{}@mail.example", "a".repeat(limits::ADDRESS_BYTES_MAX));
    for known in [true, false] {
        if !known {
            lock(&school.scene).child = None;
        }
        for change in [command(eats_no(&many)), command(to(&long)), command(confirm(&"1".repeat(17)))] {
            let refused = school.send("mother", &change).await;
            assert_eq!(
                (refused.outcome, refused.refusal),
                (Outcome::InvalidAnswer, Some(Refusal::Malformed))
            );
        }
    }
}

#[tokio::test]
async fn a_school_without_mails_takes_allergens_and_no_address() {
    let mut school = School::new();
    let (registrations, _) = books(&school.scene, false);
    school.scene.responder.base.registrations = Some(registrations);
    assert!(school.change("mother", eats_no(&[(EGG, false)])).await.changed.is_some());
    let refused = school.change("mother", to("mother@mail.example")).await;
    assert_eq!(refused.refused, Some(RegistrationRefusal::NoMail));
}

#[tokio::test]
async fn she_chooses_her_mails() {
    let school = School::new();
    let kinds = vec![MailKind::Gate, MailKind::Notice, MailKind::Gate, MailKind::Code];
    let state = school.change("mother", WantedMails { kinds }).await;
    assert_eq!(state.mails, [MailKind::Notice, MailKind::Gate]);
    assert!(school.change("mother", WantedMails { kinds: Vec::new() }).await.mails.is_empty());
}

#[tokio::test]
async fn nobody_writes_to_her_once_the_link_is_undone() {
    let school = School::new();
    school.change("mother", eats_no(&[(EGG, false)])).await;
    school.confirmed("mother", "mother@mail.example").await;
    assert!(school.writes_to("mother").is_some());
    unlink(&school.scene);
    assert_eq!(school.writes_to("mother"), None);
    let all = school.registrations.all().unwrap();
    assert_eq!(all[0].allergens.len(), 1, "what must not be eaten still counts");
    link(&school.scene);
    assert!(school.writes_to("mother").is_some());
}

#[tokio::test]
async fn a_letter_that_waited_goes_to_nobody_who_may_not_have_it_any_more() {
    let school = School::new();
    let holds = Arc::new(Holds::new(school.scene.means.clone()));
    let hearing = Hearing::new(school.scene.means.clone(), Arc::clone(&holds));
    let letter = |kind, address: &str| Letter {
        id: LetterId::from_bytes(random()),
        subject_key: Some(school.key()),
        guardian: Some(school.scene.audience_key.alias("mother")),
        kind,
        lunch: None,
        to: address.to_owned(),
        title: String::new(),
        text: String::new(),
        html: String::new(),
        send_by: None,
    };
    let alert = letter(LetterKind::Allergy, "mother@mail.example");
    let code = letter(LetterKind::Code, "mother@mail.example");
    let may = |letter: &Letter| hearing.may_have(letter).unwrap();
    assert!(!may(&alert) && !may(&code), "she has registered nothing");
    school.change("mother", to("mother@mail.example")).await;
    assert!(!may(&alert) && may(&code), "not confirmed yet");
    let mailed = school.codes("mother@mail.example").remove(0);
    school.change("mother", confirm(&mailed)).await;
    assert!(may(&alert) && !may(&code));
    school.change("mother", to("mother@new.example")).await;
    assert!(may(&alert) && !may(&code) && may(&letter(LetterKind::Code, "mother@new.example")));
    unlink(&school.scene);
    assert!(!may(&alert));
    link(&school.scene);
    let pseudonym = school.scene.audience_key.pseudonym(crate::responder::scene::RESIDENT);
    holds.enter(&pseudonym, Some(school.scene.audience_key.alias("father"))).await;
    assert!(may(&alert), "another guardian's hold is not hers");
    school.change("mother", withdraw()).await;
    assert!(!may(&alert) && !may(&letter(LetterKind::Code, "mother@new.example")));
    school.confirmed("mother", "mother@mail.example").await;
    assert!(may(&alert));
    holds.enter(&pseudonym, Some(school.scene.audience_key.alias("mother"))).await;
    assert!(!may(&alert));
    let staff =
        Letter { subject_key: None, guardian: None, ..letter(LetterKind::Staff, "office@mail.example") };
    assert!(may(&staff));
}

#[tokio::test]
async fn on_a_full_disk_what_protects_goes_on_and_the_rest_waits() {
    let school = School::new();
    school.confirmed("mother", "mother@mail.example").await;
    let full = |full| {
        school.scene.low_space.store(full, Ordering::Relaxed);
        school.scene.store.set_low_space(full);
    };
    full(true);
    proven(&school, &school.send("mother", &command(eats_no(&[(EGG, false)]))).await);
    for waits in [
        command(to("mother@new.example")).change,
        command(confirm("123456")).change,
        WantedMails { kinds: vec![MailKind::Gate] }.into(),
    ] {
        let refused = school.send("mother", &command(waits)).await;
        assert_eq!((refused.outcome, refused.receipt), (Outcome::NotLogged, None));
    }
    proven(&school, &school.send("mother", &command(withdraw())).await);
    full(false);
    let state = school.state("mother").await;
    assert_eq!((state.allergens, state.address, state.mails), (list(&[(EGG, false)]), None, Vec::new()));
}

#[tokio::test]
async fn what_was_logged_and_not_stored_is_not_in_force_and_can_be_sent_again() {
    let school = School::new();
    let address = command(to("mother@mail.example"));
    // The store fails between the two, as it would in a crash.
    school.scene.store.set_low_space(true);
    let failed = school.send("mother", &address).await;
    assert_eq!((failed.outcome, failed.refusal), (Outcome::InvalidAnswer, Some(Refusal::Fault)));
    school.scene.store.set_low_space(false);
    assert_eq!(school.state("mother").await.waiting, None, "no receipt, no change");
    assert!(school.outbox.all().unwrap().is_empty(), "and no mail");
    proven(&school, &school.send("mother", &address).await);
    assert_eq!(school.codes("mother@mail.example").len(), 1);
}

#[tokio::test]
async fn garbage_in_a_row_is_a_fault_and_not_an_empty_list() {
    let school = School::new();
    school.change("mother", eats_no(&[(EGG, false)])).await;
    let place = [b"r".as_slice(), &school.key(), &school.scene.audience_key.alias("mother").0].concat();
    let mut garbage = crate::store::Batch::new();
    garbage.put(Keyspace::Registrations, place, [0x5a; 60]);
    school.scene.store.commit(&garbage).unwrap();
    // Of an unknown key: as if erased. Cut short: nothing there can be read.
    let answer = ask(&school.scene, "mother", Some(show())).await;
    assert_eq!(answer.registration.unwrap().allergens, []);
    for raw in [vec![1; 3], Vec::new(), [school.key().as_slice(), &[7; 40]].concat()] {
        let place = [b"r".as_slice(), &school.key(), &school.scene.audience_key.alias("mother").0].concat();
        let mut garbage = crate::store::Batch::new();
        garbage.put(Keyspace::Registrations, place, raw);
        school.scene.store.commit(&garbage).unwrap();
        for act in [show(), command(eats_no(&[])).into()] {
            let answer = ask(&school.scene, "mother", Some(act)).await;
            assert_eq!((answer.outcome, answer.refusal), (Outcome::InvalidAnswer, Some(Refusal::Fault)));
        }
        assert!(school.registrations.all().is_err(), "whoever warns must not think there is nothing");
    }
}

#[tokio::test]
async fn an_erased_child_has_no_registration() {
    let school = School::new();
    school.change("mother", eats_no(&[(EGG, false)])).await;
    school.confirmed("mother", "mother@mail.example").await;
    let egg = Registration::from([(Allergen::from_id("egg").unwrap(), Removal::Strict)]);
    school.registrations.set_by_school(&school.key(), egg, "Tanaka").await.unwrap();
    assert_eq!(school.registrations.all().unwrap().len(), 2);
    school.scene.means.vault.keys().destroy(KeyId::from_bytes(school.key())).unwrap();
    assert!(school.registrations.all().unwrap().is_empty());
    assert!(school.outbox.all().unwrap().is_empty());
}

#[tokio::test]
async fn nothing_personal_lies_in_the_clear() {
    let school = School::new();
    lock(&school.scene).records.push(record("allergy", "2025-06-01"));
    school.change("mother", eats_no(&[(EGG, false)])).await;
    school.confirmed("mother", "mother@mail.example").await;
    lock(&school.scene).holds.push(Hold { guardian: None });
    let snapshot = school.scene.store.snapshot().unwrap();
    for table in Keyspace::ALL {
        for (key, value) in snapshot.scan(*table, b"", None, 1000).unwrap() {
            for clear in [&b"mother@mail"[..], EGG.as_bytes(), b"egg"] {
                let shows = |bytes: &[u8]| bytes.windows(clear.len()).any(|window| window == clear);
                assert!(!shows(&key) && !shows(&value), "{table}");
            }
        }
    }
}
