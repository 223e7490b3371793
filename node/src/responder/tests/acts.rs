//! Who looked, and what a guardian chooses: told with proofs to whom a look would be told, and to nobody else.

use std::time::Duration;

use hibiki_protocol::act::{Act, AskHistory, ChangeConsent, ConsentState, Reach, ShowConsent};
use hibiki_protocol::answer::Answer;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::history::{Actor, Disclosed, Event, HistoryPage};
use hibiki_protocol::ids::{CommandKey, GuardianAlias};
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::policy::{Consent, Hold, Withheld};
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session::Purpose;
use hibiki_protocol::time::Day;
use hibiki_protocol::tlog::Checkpoint;

use crate::ledger::details;
use crate::responder::scene::{Asked, Scene, category, kept_since, member, random};
use crate::services::Responder as _;

/// Quick to answer.
fn scene() -> Scene {
    Scene::with_floor(Duration::from_millis(2))
}

fn history(before: Option<u64>) -> Act {
    AskHistory { before }.into()
}

fn show() -> Act {
    ShowConsent { version: 1 }.into()
}

fn growth(permit: bool) -> ChangeConsent {
    ChangeConsent {
        category: Some(category("growth")),
        permit,
        reach: Reach::EveryGuardian,
        key: CommandKey(random()),
    }
}

pub(super) fn asked_by(scene: &Scene, who: &str, basis: Basis, act: Option<Act>) -> Asked {
    let mut asked = scene.asked();
    asked.grant.guardian = scene.audience_key.alias(who);
    asked.grant.basis = basis;
    asked.query.purpose = match (&act, basis) {
        (Some(act), _) if act.is_about_accesses() => Purpose::AccessHistory,
        (_, Basis::Oneself) => Purpose::OwnRequest,
        _ => Purpose::FamilyRequest,
    };
    asked.query.act = act;
    asked
}

pub(super) async fn ask(scene: &Scene, who: &str, act: Option<Act>) -> Answer {
    scene.answer(asked_by(scene, who, Basis::ParentalJoint, act)).await.unwrap()
}

async fn change(scene: &Scene, who: &str, change: &ChangeConsent) -> Answer {
    ask(scene, who, Some(change.clone().into())).await
}

/// The categories that a look shows.
async fn seen(scene: &Scene, who: &str) -> Vec<String> {
    let answer = ask(scene, who, None).await;
    let mut seen: Vec<String> = answer.records.iter().map(|record| record.category.to_string()).collect();
    seen.sort();
    seen
}

/// What a page says, each entry proven.
fn proven(scene: &Scene, page: &HistoryPage) -> Vec<(u64, Disclosed)> {
    let own = member("maebashi/chuo-hospital");
    let key = scene.accepted.list().member(&own).unwrap().ledger_verifier().unwrap();
    let note = page.checkpoint.as_ref().expect("a checkpoint");
    let (checkpoint, _) = Checkpoint::open(note.as_bytes(), &key, &[]).unwrap();
    let open = |entry: &hibiki_protocol::history::HistoryEntry| {
        entry.prove(&checkpoint).unwrap();
        let (leaf, disclosed) = entry.open().unwrap();
        assert_eq!(leaf.kind, disclosed.event.kind());
        (entry.index, disclosed)
    };
    page.entries.iter().map(open).collect()
}

pub(super) async fn told(scene: &Scene, who: &str, basis: Basis, before: Option<u64>) -> Option<HistoryPage> {
    let answer = scene.answer(asked_by(scene, who, basis, Some(history(before)))).await.unwrap();
    assert_eq!(answer.outcome == Outcome::Data, answer.history.is_some());
    answer.history
}

fn events(entries: &[(u64, Disclosed)]) -> Vec<(Event, Actor)> {
    entries.iter().map(|(_, told)| (told.event, told.actor)).collect()
}

pub(super) fn lock(scene: &Scene) -> std::sync::MutexGuard<'_, crate::responder::scene::Books> {
    scene.books.0.lock().unwrap()
}

#[tokio::test]
async fn a_guardian_is_told_of_her_own_looks_and_of_staff_with_proofs() {
    let scene = scene();
    let key = lock(&scene).key;
    let link = details::Link { event: "made".into(), by: "Ito Hanako".into(), mismatch: Vec::new() };
    scene.means.log_told(key, &link, Event::Linked, false).await.unwrap();
    scene.means.log_look_at(key, "Ito Hanako", "consents listed").await.unwrap();
    let look = ask(&scene, "mother", None).await;
    ask(&scene, "father", None).await;
    change(&scene, "father", &ChangeConsent { reach: Reach::OwnView, ..growth(false) }).await;
    lock(&scene).records.clear();
    assert_eq!(ask(&scene, "mother", None).await.outcome, Outcome::NothingToShow);
    lock(&scene).records.push(crate::responder::scene::record("growth", "2025-05-01"));
    let before = scene.ledger.size();
    let answer = ask(&scene, "mother", Some(history(None))).await;
    let page = answer.history.unwrap();
    let entries = proven(&scene, &page);
    assert_eq!(events(&entries), [(Event::RecordsShown, Actor::Guardian), (Event::Linked, Actor::Staff)]);
    let (index, shown) = &entries[0];
    assert_eq!(Some(*index), look.receipt.as_ref().map(|receipt| receipt.index));
    assert_eq!(page.entries[0].leaf_hash(), look.receipt.unwrap().leaf_hash);
    assert_eq!((shown.count, shown.alias), (Some(2), Some(scene.audience_key.alias("mother"))));
    assert_eq!(shown.categories, [category("growth"), category("immunization")]);
    assert_eq!(page.older, None);
    let sent = hibiki_protocol::cbor::encode(&page);
    let stays_here = |text: &[u8]| !sent.windows(text.len()).any(|bytes| bytes == text);
    assert!(stays_here(b"Ito") && stays_here(&key), "staff's names and our own keys stay in the house");
    let receipt = answer.receipt.unwrap();
    assert_eq!(receipt.index, before, "the look at the history is in the ledger before it leaves");
    let entry = &scene.ledger.read(before..before + 1).unwrap()[0];
    let release = entry.details::<details::Release>().unwrap();
    assert_eq!((release.act.as_str(), release.records), ("history", 2));
    let again = told(&scene, "mother", Basis::ParentalJoint, None).await.unwrap();
    assert_eq!(proven(&scene, &again)[0].1.event, Event::HistoryShown);
}

#[tokio::test]
async fn the_person_herself_is_told_everything() {
    let scene = scene();
    let key = lock(&scene).key;
    ask(&scene, "mother", None).await;
    ask(&scene, "father", None).await;
    scene.means.log_look_at(key, "Ito Hanako", "consents listed").await.unwrap();
    let page = told(&scene, "herself", Basis::Oneself, None).await.unwrap();
    let aliases: Vec<Option<GuardianAlias>> =
        proven(&scene, &page).into_iter().map(|(_, told)| told.alias).collect();
    let alias = |who| Some(scene.audience_key.alias(who));
    assert_eq!(aliases, [None, alias("father"), alias("mother")], "and that staff looked at choices");
    ask_oneself_and_guardian(&scene).await;
}

/// What she herself looked at is not told to her guardians.
async fn ask_oneself_and_guardian(scene: &Scene) {
    scene.answer(asked_by(scene, "herself", Basis::Oneself, None)).await.unwrap();
    let page = told(scene, "mother", Basis::ParentalJoint, None).await.unwrap();
    assert!(proven(scene, &page).iter().all(|(_, told)| told.actor == Actor::Guardian));
}

#[tokio::test]
async fn pages_follow_on_each_other_without_gap_or_repetition() {
    let scene = scene();
    let looks = limits::HISTORY_ENTRIES_MAX * 2 + 3;
    for _ in 0..looks {
        ask(&scene, "mother", None).await;
        ask(&scene, "father", None).await;
    }
    let (mut seen, mut before) = (Vec::new(), Some(scene.ledger.size()));
    while let Some(older) = before {
        let answer = ask(&scene, "mother", Some(history(Some(older)))).await;
        let page = answer.history.unwrap();
        assert!(page.entries.len() <= limits::HISTORY_ENTRIES_MAX);
        seen.extend(proven(&scene, &page).into_iter().map(|(index, _)| index));
        before = page.older;
    }
    assert_eq!(seen.len(), looks);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {seen:?}");
    assert_eq!(
        told(&scene, "mother", Basis::ParentalJoint, Some(0)).await,
        None,
        "nothing is older than the first"
    );
    assert_eq!(scene.logged_reason().as_deref(), Some("empty"));
}

pub(super) type Bend = (&'static str, Box<dyn Fn(&Scene)>);

/// Everything that withholds everything from the mother.
pub(super) fn bends() -> Vec<Bend> {
    let denial = |made_by: Option<&'static str>| -> Box<dyn Fn(&Scene)> {
        Box::new(move |scene| {
            let made_by = made_by.map(|who| scene.audience_key.alias(who));
            let denial = Consent { guardian: None, category: None, permit: false, made_by };
            lock(scene).consents.push(denial);
        })
    };
    vec![
        (
            "hold",
            Box::new(|scene| {
                let guardian = Some(scene.audience_key.alias("mother"));
                lock(scene).holds.push(Hold { guardian });
            }),
        ),
        ("consent", denial(None)),
        ("consent", denial(Some("father"))),
        ("age", Box::new(|scene| lock(scene).birth_date = Day::new("2008-11-22").unwrap())),
        ("not_linked", Box::new(|scene| lock(scene).child = None)),
        (
            "quarantined",
            Box::new(|scene| {
                let pseudonym = scene.audience_key.pseudonym(crate::responder::scene::RESIDENT);
                lock(scene).linked.insert(pseudonym, Withheld::Quarantined);
            }),
        ),
        ("empty", Box::new(|scene| lock(scene).records.clear())),
        (
            "empty",
            Box::new(|scene| {
                // All there is, is hers alone at her age.
                let mut books = lock(scene);
                books.birth_date = Day::new("2011-01-01").unwrap();
                books.records.retain(|record| record.category == category("growth"));
            }),
        ),
    ]
}

#[tokio::test]
async fn where_a_look_would_show_nothing_nothing_is_told_or_changed() {
    let mut sizes = Vec::new();
    for (reason, bend) in bends() {
        for act in [history(None), show(), growth(false).into(), growth(true).into()] {
            let scene = scene();
            ask(&scene, "mother", None).await;
            bend(&scene);
            let choices = scene.store.clone();
            let commits = crate::store::Store::stats(&choices).commits;
            let mut asked = asked_by(&scene, "mother", Basis::ParentalJoint, Some(act));
            let (part, reply_to) = scene.seal(&mut asked);
            let began = tokio::time::Instant::now();
            let answered = scene.responder.ask(&member("maebashi/city-hall"), scene.ask(part)).await.unwrap();
            let floor = scene.responder.base.policy.answer_floor * crate::responder::ACT_FLOORS;
            assert!(began.elapsed() >= floor, "{reason} came too soon");
            sizes.push(answered.answer.0.ciphertext.len());
            let own = member("maebashi/chuo-hospital");
            let key = scene.accepted.list().member(&own).unwrap().signing_key;
            let answer = answered.answer.open(&own, &key, &reply_to, &asked.secret).unwrap();
            assert_eq!((answer.outcome, answer.refusal), (Outcome::NothingToShow, None), "{reason}");
            assert_eq!((answer.history, answer.consent), (None, None), "{reason}");
            assert_eq!(scene.logged_reason().as_deref(), Some(reason));
            assert_eq!(
                crate::store::Store::stats(&choices).commits,
                commits,
                "{reason}: something was changed"
            );
        }
    }
    for act in [history(None), show(), growth(false).into()] {
        let scene = scene();
        ask(&scene, "mother", None).await;
        let mut asked = asked_by(&scene, "mother", Basis::ParentalJoint, Some(act));
        let (part, _) = scene.seal(&mut asked);
        let answered = scene.responder.ask(&member("maebashi/city-hall"), scene.ask(part)).await.unwrap();
        sizes.push(answered.answer.0.ciphertext.len());
    }
    assert!(sizes.iter().all(|size| *size == limits::ANSWER_PLAINTEXT_BYTES[0] + 16), "{sizes:?}");
}

/// What an answer says about choices, its receipt proven.
fn state(scene: &Scene, answer: &Answer, event: Event) -> ConsentState {
    assert_eq!((answer.outcome, answer.refusal), (Outcome::Data, None));
    let state = answer.consent.clone().unwrap();
    let changed = state.changed.clone().expect("a receipt");
    let (entries, checkpoint) = (vec![changed.entry], changed.checkpoint);
    let entries = proven(scene, &HistoryPage { entries, older: None, checkpoint });
    assert_eq!((entries[0].0, entries[0].1.event), (changed.receipt.index, event));
    assert_eq!(entries[0].1.categories, [category("growth")]);
    state
}

#[tokio::test]
async fn what_she_withdraws_is_shown_to_no_guardian_until_she_gives_it_again() {
    let scene = scene();
    let before = scene.ledger.size();
    let withdrawn = state(&scene, &change(&scene, "mother", &growth(false)).await, Event::ConsentWithdrawn);
    assert_eq!(scene.ledger.size(), before + 1, "one entry: the choice itself");
    assert_eq!(withdrawn.withdrawn.len(), 1);
    assert_eq!(
        (&withdrawn.withdrawn[0].category, withdrawn.withdrawn[0].reach),
        (&Some(category("growth")), Reach::EveryGuardian)
    );
    assert_eq!(seen(&scene, "mother").await, ["immunization"]);
    assert_eq!(seen(&scene, "father").await, ["immunization"]);
    let own = scene.answer(asked_by(&scene, "herself", Basis::Oneself, None)).await.unwrap();
    assert_eq!(own.records.len(), 2, "her own records are the person's own");
    // The father neither sees whose choice it is nor undoes it.
    let fathers = ask(&scene, "father", Some(show())).await.consent.unwrap();
    assert!(fathers.withdrawn.is_empty());
    let fathers = state(&scene, &change(&scene, "father", &growth(true)).await, Event::ConsentGiven);
    assert!(fathers.withdrawn.is_empty());
    assert_eq!(seen(&scene, "mother").await, ["immunization"]);
    let given = state(&scene, &change(&scene, "mother", &growth(true)).await, Event::ConsentGiven);
    assert!(given.withdrawn.is_empty());
    assert_eq!(seen(&scene, "father").await, ["growth", "immunization"]);
    // What staff denied she cannot give again.
    lock(&scene).consents.push(Consent {
        guardian: None,
        category: Some(category("growth")),
        permit: false,
        made_by: None,
    });
    change(&scene, "mother", &growth(true)).await;
    assert_eq!(seen(&scene, "mother").await, ["immunization"]);
}

#[tokio::test]
async fn a_choice_for_her_own_view_leaves_the_other_guardians_alone() {
    let scene = scene();
    let everything = |permit| ChangeConsent { category: None, reach: Reach::OwnView, ..growth(permit) };
    let answer = change(&scene, "mother", &everything(false)).await;
    assert_eq!(answer.consent.unwrap().withdrawn.len(), 1);
    assert_eq!(ask(&scene, "mother", None).await.outcome, Outcome::NothingToShow);
    assert_eq!(scene.logged_reason().as_deref(), Some("consent"));
    assert_eq!(seen(&scene, "father").await.len(), 2);
    assert_eq!(
        change(&scene, "mother", &everything(true)).await.outcome,
        Outcome::Data,
        "she can still come back"
    );
    assert_eq!(seen(&scene, "mother").await.len(), 2);
}

#[tokio::test]
async fn a_command_counts_once_also_over_a_restart_for_a_day() {
    let mut scene = scene();
    let command = growth(false);
    let first = state(&scene, &change(&scene, "mother", &command).await, Event::ConsentWithdrawn);
    change(&scene, "mother", &growth(true)).await;
    let size = scene.ledger.size();
    let again = change(&scene, "mother", &command).await;
    assert_eq!(
        state(&scene, &again, Event::ConsentWithdrawn).changed.unwrap().receipt,
        first.changed.as_ref().unwrap().receipt
    );
    assert_eq!(scene.ledger.size(), size + 1, "the answer is logged, the choice is not");
    assert_eq!(seen(&scene, "mother").await.len(), 2, "and changes nothing");
    let other = ChangeConsent { category: None, ..command.clone() };
    let refused = change(&scene, "mother", &other).await;
    assert_eq!((refused.outcome, refused.refusal), (Outcome::InvalidAnswer, Some(Refusal::Malformed)));
    // Another guardian's command of the same name is another command.
    change(&scene, "father", &command).await;
    assert_eq!(seen(&scene, "mother").await.len(), 1);
    change(&scene, "father", &growth(true)).await;
    // The table is all there is: whatever reads it anew knows.
    scene.restart_choices();
    let again = change(&scene, "mother", &command).await;
    assert_eq!(
        state(&scene, &again, Event::ConsentWithdrawn).changed.unwrap().receipt,
        first.changed.unwrap().receipt
    );
    *scene.clock.0.lock().unwrap() += limits::COMMAND_MILLIS + 1;
    let later = change(&scene, "mother", &command).await;
    assert_eq!(later.consent.unwrap().withdrawn.len(), 1, "a day later it is a new command");
}

#[tokio::test]
async fn what_was_logged_and_not_stored_is_not_in_force_and_can_be_sent_again() {
    let scene = scene();
    change(&scene, "mother", &growth(false)).await;
    let command = growth(true);
    // The store fails between the two, as it would in a crash.
    scene.store.set_low_space(true);
    let failed = change(&scene, "mother", &command).await;
    assert_eq!((failed.outcome, failed.refusal), (Outcome::InvalidAnswer, Some(Refusal::Fault)));
    scene.store.set_low_space(false);
    assert_eq!(seen(&scene, "mother").await, ["immunization"], "no receipt, no change");
    let done = state(&scene, &change(&scene, "mother", &command).await, Event::ConsentGiven);
    assert!(done.withdrawn.is_empty());
    assert_eq!(seen(&scene, "mother").await.len(), 2);
}

#[tokio::test]
async fn on_a_full_disk_withdrawing_goes_on_and_giving_again_waits() {
    let scene = scene();
    let full = |full| {
        scene.low_space.store(full, std::sync::atomic::Ordering::Relaxed);
        scene.store.set_low_space(full);
    };
    full(true);
    state(&scene, &change(&scene, "mother", &growth(false)).await, Event::ConsentWithdrawn);
    for refused in [change(&scene, "mother", &growth(true)).await, ask(&scene, "mother", Some(show())).await]
    {
        assert_eq!((refused.outcome, refused.receipt), (Outcome::NotLogged, None));
    }
    full(false);
    assert_eq!(seen(&scene, "mother").await, ["immunization"]);
    // Who is held is told what everybody is told who asks for anything else on a full disk.
    lock(&scene).holds.push(Hold { guardian: None });
    full(true);
    assert_eq!(change(&scene, "mother", &growth(false)).await.outcome, Outcome::NotLogged);
}

#[tokio::test]
async fn what_nobody_can_choose_is_refused_whoever_the_child_is() {
    let unknown = ChangeConsent { category: Some(category("horoscope")), ..growth(false) };
    for known in [true, false] {
        let scene = scene();
        if !known {
            lock(&scene).child = None;
        }
        let refused = change(&scene, "mother", &unknown).await;
        assert_eq!((refused.outcome, refused.refusal), (Outcome::InvalidAnswer, Some(Refusal::Malformed)));
        let own_view = ChangeConsent { reach: Reach::OwnView, ..growth(false) };
        let asked = asked_by(&scene, "herself", Basis::Oneself, Some(own_view.into()));
        assert_eq!(scene.answer(asked).await.unwrap().refusal, Some(Refusal::Malformed));
    }
}

#[tokio::test]
async fn since_when_records_are_kept_is_told_to_everybody_alike() {
    let scene = scene();
    let mut answers =
        vec![ask(&scene, "mother", None).await, ask(&scene, "mother", Some(history(None))).await];
    lock(&scene).child = None;
    answers.push(ask(&scene, "mother", None).await);
    answers.push(ask(&scene, "mother", Some(show())).await);
    assert!(answers.iter().all(|answer| answer.kept_since == Some(vec![kept_since()])));
    let mut forged = scene.asked();
    forged.query.list_digest = hibiki_protocol::ids::Digest::of(&[b"another list"]);
    let refused = scene.answer(forged).await.unwrap();
    assert_eq!((refused.refusal, refused.kept_since), (Some(Refusal::Unauthorized), None));
}
