//! Nothing is answered in a session that has ended, at whatever moment it ends.

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::answer::Answer;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::SigningKey;

use crate::ledger::details::{Release, SessionEnd};
use crate::responder::scene::{Asked, Scene, member, random};
use crate::services::Responder as _;
use crate::session_ends::EndedSessions;

async fn end(scene: &Scene, key: &SigningKey) {
    scene.responder.end_session(&member("maebashi/city-hall"), scene.end_of(key)).await.unwrap();
}

/// Another query in the same session: fresh, under the same grant and key.
fn again(scene: &Scene, asked: &Asked) -> Asked {
    let mut next = scene.asked();
    next.grant = asked.grant.clone();
    next.session_key = SigningKey::from_seed(&asked.session_key.seed());
    next
}

fn assert_refused(answer: &Answer) {
    assert_eq!((answer.outcome, answer.records.len()), (Outcome::Expired, 0));
    assert_eq!(answer.refusal, Some(Refusal::Expired), "the guardian reads: please touch the card again");
}

/// How many releases and ended sessions the ledger has.
fn logged(scene: &Scene) -> (usize, usize) {
    let entries = scene.ledger.read(0..scene.ledger.size()).unwrap();
    let releases = entries.iter().filter(|entry| entry.details::<Release>().is_some()).count();
    (releases, entries.iter().filter(|entry| entry.details::<SessionEnd>().is_some()).count())
}

/// What a task elsewhere in the node would do meanwhile.
fn end_now(ended: &Arc<EndedSessions>, sealed: SealedSessionEnd) {
    let ended = Arc::clone(ended);
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ended.take(&member("maebashi/city-hall"), &sealed)).unwrap();
    });
    other.join().unwrap();
}

#[tokio::test]
async fn a_query_after_the_end_is_refused_and_the_reason_is_in_the_ledger_only() {
    let scene = Scene::new();
    let first = scene.asked();
    let second = again(&scene, &first);
    let key = SigningKey::from_seed(&first.session_key.seed());
    assert_eq!(scene.answer(first).await.unwrap().outcome, Outcome::Data);
    end(&scene, &key).await;
    assert_refused(&scene.answer(second).await.unwrap());
    assert_eq!(scene.logged_reason().as_deref(), Some("session_ended"));
    assert_eq!(logged(&scene), (1, 1));
}

#[tokio::test]
async fn other_sessions_go_on() {
    let scene = Scene::new();
    end(&scene, &SigningKey::from_seed(&random())).await;
    assert_eq!(scene.answer(scene.asked()).await.unwrap().outcome, Outcome::Data);
}

#[tokio::test]
async fn the_same_end_again_changes_nothing() {
    let scene = Scene::new();
    let key = SigningKey::from_seed(&random());
    let (sealed, gateway) = (scene.end_of(&key), member("maebashi/city-hall"));
    for _ in 0..3 {
        scene.responder.end_session(&gateway, sealed.clone()).await.unwrap();
        end(&scene, &key).await;
    }
    assert_eq!(logged(&scene), (0, 1));
}

#[tokio::test]
async fn an_end_while_the_records_are_read_releases_nothing() {
    let scene = Scene::new();
    let asked = scene.asked();
    let (ended, sealed) = (Arc::clone(&scene.ended), scene.end_of(&asked.session_key));
    scene.books.0.lock().unwrap().on_read = Some(Box::new(move || end_now(&ended, sealed)));
    assert_refused(&scene.answer(asked).await.unwrap());
    assert_eq!(scene.logged_reason().as_deref(), Some("session_ended"));
    assert_eq!(logged(&scene), (0, 1));
}

/// Logged already, and waiting for the floor that makes all answers alike: it does not leave.
#[tokio::test]
async fn an_end_before_the_answer_leaves_holds_it_back() {
    let scene = Scene::with_floor(Duration::from_secs(1));
    let asked = scene.asked();
    let key = SigningKey::from_seed(&asked.session_key.seed());
    let before = scene.ledger.size();
    let ending = async {
        while scene.ledger.size() == before {
            tokio::task::yield_now().await;
        }
        assert_eq!(logged(&scene), (1, 0), "the release is logged, and has not left");
        end(&scene, &key).await;
    };
    let (answer, ()) = tokio::join!(scene.answer(asked), ending);
    assert_refused(&answer.unwrap());
    assert_eq!(scene.logged_reason().as_deref(), Some("session_ended"), "what was logged is corrected");
}
