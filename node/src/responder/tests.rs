#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod acts;
mod ending;
mod receipts;
mod registration;

use hibiki_protocol::answer::is_answer_size;
use hibiki_protocol::cbor;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::policy::{Consent, Hold, Withheld};
use hibiki_protocol::query::{Part, Refusal};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::{Day, Timestamp};

use super::scene::{Asked, NOON, Scene, category, member, random};
use crate::services::Responder as _;

#[tokio::test]
async fn records_are_released_after_their_ledger_entry() {
    let scene = Scene::new();
    let before = scene.ledger.size();
    let answer = scene.answer(scene.asked()).await.unwrap();
    assert_eq!((answer.outcome, answer.records.len(), answer.simulated), (Outcome::Data, 2, true));
    let receipt = answer.receipt.unwrap();
    assert_eq!((receipt.index, scene.ledger.size()), (before, before + 1));
    let entry = &scene.ledger.read(before..before + 1).unwrap()[0];
    let details = entry.details::<crate::ledger::details::Release>().unwrap();
    assert_eq!(
        (details.records, details.categories),
        (2, vec!["growth".to_owned(), "immunization".to_owned()])
    );
}

#[tokio::test]
async fn every_reason_to_show_nothing_looks_the_same_and_is_logged_as_it_is() {
    let same_guardian = |scene: &Scene| Some(scene.audience_key.alias("mother"));
    type Bend = Box<dyn Fn(&Scene)>;
    let cases: Vec<(&str, Bend)> = vec![
        (
            "hold",
            Box::new(move |scene| {
                scene.books.0.lock().unwrap().holds.push(Hold { guardian: same_guardian(scene) });
            }),
        ),
        ("hold", Box::new(|scene| scene.books.0.lock().unwrap().holds.push(Hold { guardian: None }))),
        (
            "consent",
            Box::new(move |scene| {
                let guardian = same_guardian(scene);
                scene.books.0.lock().unwrap().consents.push(Consent {
                    guardian,
                    category: None,
                    permit: false,
                    made_by: None,
                });
            }),
        ),
        (
            "age",
            Box::new(|scene| {
                scene.books.0.lock().unwrap().birth_date = Day::new("2008-11-22").unwrap();
            }),
        ),
        ("not_linked", Box::new(|scene| scene.books.0.lock().unwrap().child = None)),
        (
            "quarantined",
            Box::new(|scene| {
                let pseudonym = scene.audience_key.pseudonym(super::scene::RESIDENT);
                scene.books.0.lock().unwrap().linked.insert(pseudonym, Withheld::Quarantined);
            }),
        ),
        ("empty", Box::new(|scene| scene.books.0.lock().unwrap().records.clear())),
    ];
    let mut sizes = Vec::new();
    for (reason, bend) in cases {
        let scene = Scene::new();
        bend(&scene);
        let mut asked = scene.asked();
        let (part, reply_to) = scene.seal(&mut asked);
        let began = tokio::time::Instant::now();
        let answered = scene.responder.ask(&member("maebashi/city-hall"), scene.ask(part)).await.unwrap();
        assert!(began.elapsed() >= scene.responder.base.policy.answer_floor, "{reason} came too soon");
        sizes.push(answered.answer.0.ciphertext.len());
        let own = member("maebashi/chuo-hospital");
        let key = scene.accepted.list().member(&own).unwrap().signing_key;
        let answer = answered.answer.open(&own, &key, &reply_to, &asked.secret).unwrap();
        assert_eq!((answer.outcome, answer.refusal), (Outcome::NothingToShow, None), "{reason}");
        assert_eq!(scene.logged_reason().as_deref(), Some(reason));
    }
    let scene = Scene::new();
    let mut asked = scene.asked();
    let (part, _) = scene.seal(&mut asked);
    let with_data = scene.responder.ask(&member("maebashi/city-hall"), scene.ask(part)).await.unwrap();
    sizes.push(with_data.answer.0.ciphertext.len());
    assert!(sizes.iter().all(|size| *size == sizes[0] && is_answer_size(*size)), "{sizes:?}");
}

#[tokio::test]
async fn holds_and_consents_of_others_change_nothing() {
    let scene = Scene::new();
    let father = Some(scene.audience_key.alias("father"));
    {
        let mut books = scene.books.0.lock().unwrap();
        books.holds.push(Hold { guardian: father });
        books.consents.push(Consent { guardian: father, category: None, permit: false, made_by: None });
        books.consents.push(Consent {
            guardian: None,
            category: Some(category("growth")),
            permit: false,
            made_by: None,
        });
    }
    let answer = scene.answer(scene.asked()).await.unwrap();
    let seen: Vec<&str> = answer.records.iter().map(|record| record.category.as_str()).collect();
    assert_eq!(seen, ["immunization"]);
}

#[tokio::test]
async fn a_grown_child_sees_her_own_records_and_guardians_do_not() {
    let scene = Scene::new();
    scene.books.0.lock().unwrap().birth_date = Day::new("2008-11-22").unwrap();
    assert_eq!(scene.answer(scene.asked()).await.unwrap().outcome, Outcome::NothingToShow);
    let mut asked = scene.asked();
    asked.grant.basis = Basis::Oneself;
    asked.query.purpose = Purpose::OwnRequest;
    assert_eq!(scene.answer(asked).await.unwrap().outcome, Outcome::Data);
}

#[tokio::test]
async fn what_is_not_permitted_is_refused_and_logged() {
    type Bend = fn(&Scene, &mut Asked);
    let cases: [(&str, Outcome, Bend); 13] = [
        ("unauthorized", Outcome::InvalidAnswer, |_, asked| {
            asked.grant_signer = SigningKey::from_seed(&random());
        }),
        ("unauthorized", Outcome::InvalidAnswer, |_, asked| {
            asked.session_key = SigningKey::from_seed(&random());
        }),
        ("unauthorized", Outcome::InvalidAnswer, |_, asked| asked.grant.audience = member("maebashi/clinic")),
        ("unauthorized", Outcome::InvalidAnswer, |_, asked| asked.grant.registry = member("maebashi/clinic")),
        ("unauthorized", Outcome::InvalidAnswer, |_, asked| {
            asked.grant.registry = member("takasaki/city-hall");
        }),
        ("unauthorized", Outcome::InvalidAnswer, |_, asked| {
            asked.query.list_digest = hibiki_protocol::ids::Digest::ZERO;
        }),
        ("expired", Outcome::Expired, |_, asked| {
            asked.grant.issued = Timestamp(NOON - 900_000);
            asked.grant.expires = Timestamp(NOON - 300_000);
        }),
        ("expired", Outcome::Expired, |_, asked| asked.grant.expires = Timestamp(NOON + 3_600_000)),
        ("expired", Outcome::Expired, |_, asked| asked.grant.epoch = 3),
        ("expired", Outcome::Expired, |_, asked| {
            asked.query.issued = Timestamp(NOON - 3_600_000);
            asked.query.expires = Timestamp(NOON - 3_590_000);
        }),
        ("expired", Outcome::Expired, |_, asked| asked.query.expires = Timestamp(NOON + 3_600_000)),
        ("expired", Outcome::Expired, |_, asked| {
            asked.query.issued = Timestamp(NOON + 3_600_000);
            asked.query.expires = Timestamp(NOON + 3_610_000);
        }),
        ("expired", Outcome::Expired, |_, asked| asked.query.epoch = 9),
    ];
    for (number, (reason, outcome, bend)) in cases.into_iter().enumerate() {
        let scene = Scene::new();
        let mut asked = scene.asked();
        bend(&scene, &mut asked);
        let answer = scene.answer(asked).await.unwrap();
        assert_eq!((answer.outcome, answer.records.len()), (outcome, 0), "case {number}");
        assert_eq!(answer.refusal.map(Refusal::as_str), Some(reason), "case {number}");
        assert_eq!(scene.logged_reason().as_deref(), Some(reason), "case {number}");
    }
}

#[tokio::test]
async fn another_childs_token_shows_nothing_of_this_one() {
    let scene = Scene::new();
    let mut asked = scene.asked();
    let own = member("maebashi/chuo-hospital");
    let public = scene.accepted.list().member(&own).unwrap().sealing_keys[0].public;
    let other = scene.audience_key.token(
        &member("maebashi/city-hall"),
        &own,
        &public,
        "child-2",
        &super::scene::facts(),
    );
    asked.grant.token = other.unwrap();
    assert_eq!(scene.answer(asked).await.unwrap().outcome, Outcome::NothingToShow);
    assert_eq!(scene.logged_reason().as_deref(), Some("not_linked"));
}

#[tokio::test]
async fn the_same_query_is_answered_once() {
    let scene = Scene::new();
    let mut asked = scene.asked();
    let (part, reply_to) = scene.seal(&mut asked);
    let first = scene.answer_to(part.clone(), &reply_to, &asked.secret).await.unwrap();
    assert_eq!(first.outcome, Outcome::Data);
    let second = scene.answer_to(part, &reply_to, &asked.secret).await.unwrap();
    assert_eq!((second.outcome, second.refusal), (Outcome::Expired, Some(Refusal::Replayed)));
    // Sealed anew under the same id it is the same query still.
    let (again, reply_to) = scene.seal(&mut asked);
    let third = scene.answer_to(again, &reply_to, &asked.secret).await.unwrap();
    assert_eq!(third.refusal, Some(Refusal::Replayed));
}

#[tokio::test]
async fn a_recorded_query_is_stale_after_a_restart() {
    let before = Scene::new();
    let token = before.responder.freshness(&member("maebashi/city-hall")).token;
    let after = Scene::new();
    let mut asked = after.asked();
    let (part, _) = after.seal(&mut asked);
    let mut ask = after.ask(part);
    ask.freshness = token;
    let declined = after.responder.ask(&member("maebashi/city-hall"), ask).await.unwrap_err();
    assert_eq!(declined.refusal, Refusal::Stale);
}

#[tokio::test]
async fn a_token_of_one_gateway_serves_no_other() {
    let scene = Scene::new();
    let mut asked = scene.asked();
    let (part, _) = scene.seal(&mut asked);
    let ask = scene.ask(part);
    let declined = scene.responder.ask(&member("maebashi/clinic"), ask).await.unwrap_err();
    assert_eq!(declined.refusal, Refusal::Stale);
}

#[tokio::test]
async fn damaged_parts_are_declined_without_an_entry() {
    let scene = Scene::new();
    let gateway = member("maebashi/city-hall");
    let mut asked = scene.asked();
    let (part, _) = scene.seal(&mut asked);
    let size = scene.ledger.size();
    let mut damaged: Vec<Part> = Vec::new();
    for at in [0, 7, 2000, limits::PART_PLAINTEXT_BYTES + 15] {
        let mut flipped = part.clone();
        flipped.sealed.ciphertext[at] ^= 1;
        damaged.push(flipped);
    }
    for length in [0, 15, 16, 4000, limits::PART_PLAINTEXT_BYTES + 15] {
        let mut cut = part.clone();
        cut.sealed.ciphertext.truncate(length);
        damaged.push(cut);
    }
    let mut oversized = part.clone();
    oversized.sealed.ciphertext.extend_from_slice(&[0; 4096]);
    let mut other_key = part.clone();
    other_key.key_id.0[0] ^= 1;
    let mut other_enc = part.clone();
    other_enc.sealed.encapsulated = [0; 32];
    damaged.extend([oversized, other_key, other_enc]);
    for (number, part) in damaged.into_iter().enumerate() {
        let declined = scene.responder.ask(&gateway, scene.ask(part)).await.unwrap_err();
        assert_eq!(declined.refusal, Refusal::Malformed, "case {number}");
    }
    let mut elsewhere = scene.ask(part.clone());
    elsewhere.part.audience = member("maebashi/clinic");
    let mut far = scene.ask(part);
    far.hops = 2;
    for ask in [elsewhere, far] {
        assert_eq!(scene.responder.ask(&gateway, ask).await.unwrap_err().refusal, Refusal::Malformed);
    }
    assert_eq!(scene.ledger.size(), size);
}

#[tokio::test]
async fn sealed_nonsense_is_declined() {
    let scene = Scene::new();
    let own = member("maebashi/chuo-hospital");
    let to = scene.accepted.list().member(&own).unwrap().sealing_keys[0].clone();
    let info = hibiki_protocol::sealing::info("hibiki/1/part", &[own.as_str().as_bytes(), &to.public.id().0]);
    let mut asked = scene.asked();
    asked.query.grant = hibiki_protocol::signing::Signed::sign(&asked.grant, &asked.grant_signer);
    let good = cbor::encode(&hibiki_protocol::signing::Signed::sign(&asked.query, &asked.session_key));
    let mut trailing = good.clone();
    trailing.push(0);
    // The map's count as an 8-bit argument instead of the shortest form.
    let lax = [&[0xb8, good[0] & 0x1f], &good[1..]].concat();
    let deep = [vec![0x81; 3000], vec![0x00]].concat();
    let claims = vec![0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for plaintext in [trailing, lax, deep, claims, Vec::new(), good[..good.len() - 1].to_vec()] {
        let padded = hibiki_protocol::sealing::pad(&plaintext, limits::PART_PLAINTEXT_BYTES).unwrap();
        let sealed = to.public.seal(&info, &[], &padded).unwrap();
        let part = Part { audience: own.clone(), key_id: to.public.id(), sealed };
        let declined = scene.responder.ask(&member("maebashi/city-hall"), scene.ask(part)).await.unwrap_err();
        assert_eq!(declined.refusal, Refusal::Malformed);
    }
}

#[tokio::test]
async fn without_a_ledger_nothing_is_released() {
    let scene = Scene::new();
    scene.ledger.close(NOON, "test").await.unwrap();
    let answer = scene.answer(scene.asked()).await.unwrap();
    assert_eq!((answer.outcome, answer.records.len()), (Outcome::NotLogged, 0));
    assert_eq!(answer.receipt, None);
}

#[tokio::test]
async fn on_a_nearly_full_disk_nothing_is_released() {
    let scene = Scene::new();
    let before = scene.ledger.size();
    scene.low_space.store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = scene.answer(scene.asked()).await.unwrap();
    assert_eq!((answer.outcome, answer.records.len(), answer.receipt), (Outcome::NotLogged, 0, None));
    assert_eq!(scene.ledger.size(), before);
    scene.low_space.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(scene.answer(scene.asked()).await.unwrap().outcome, Outcome::Data);
}

#[tokio::test]
async fn unreadable_books_are_a_fault_and_never_nothing_to_show() {
    let scene = Scene::new();
    scene.books.0.lock().unwrap().broken = true;
    let answer = scene.answer(scene.asked()).await.unwrap();
    assert_eq!((answer.outcome, answer.refusal), (Outcome::InvalidAnswer, Some(Refusal::Fault)));
}

#[tokio::test]
async fn too_many_queries_at_once_are_told_to_come_back() {
    let scene = Scene::new();
    let gateway = member("maebashi/city-hall");
    let asks: Vec<_> = (0..3)
        .map(|_| {
            let (part, _) = scene.seal(&mut scene.asked());
            scene.ask(part)
        })
        .collect();
    let [a, b, c] = <[_; 3]>::try_from(asks).unwrap();
    let (a, b, c) = tokio::join!(
        scene.responder.ask(&gateway, a),
        scene.responder.ask(&gateway, b),
        scene.responder.ask(&gateway, c)
    );
    assert!(a.is_ok() && b.is_ok());
    let declined = c.unwrap_err();
    assert_eq!((declined.refusal, declined.retry_after_millis), (Refusal::Busy, Some(1000)));
}

#[tokio::test]
async fn only_granted_categories_leave() {
    let scene = Scene::new();
    let mut asked = scene.asked();
    asked.grant.categories = vec![category("growth")];
    let answer = scene.answer(asked).await.unwrap();
    assert_eq!(answer.records.len(), 1);
    assert_eq!(answer.records[0].category, category("growth"));
    let mut asked = scene.asked();
    asked.grant.categories = vec![category("growth")];
    asked.query.categories = vec![category("immunization")];
    assert_eq!(scene.answer(asked).await.unwrap().outcome, Outcome::NothingToShow);
    assert_eq!(scene.logged_reason().as_deref(), Some("not_granted"));
}
