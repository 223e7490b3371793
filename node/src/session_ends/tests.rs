#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_protocol::session_end::SessionEnd;
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::tlog::EntryKind;

use super::*;
use crate::institution::town::{NOW, Town, id};
use crate::store::Store as _;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// The end of a session with the clinic, bent, and signed by `signer`.
fn bent(town: &Town, signer: &SigningKey, bend: impl FnOnce(&mut SessionEnd)) -> SealedSessionEnd {
    let (own, trust, now) = (id("clinic"), town.trust(), town.means("clinic").now());
    let to = trust.list().member(&own).unwrap().sealing_key_at(now).unwrap();
    let mut end = SessionEnd {
        version: 1,
        audience: own.clone(),
        session_key: signer.verifying_key(),
        not_after: now.plus(limits::SESSION_MILLIS_MAX),
    };
    bend(&mut end);
    SealedSessionEnd::seal_signed(&Signed::sign(&end, signer), &own, to).unwrap()
}

fn end(town: &Town, seed: u8) -> SealedSessionEnd {
    bent(town, &key(seed), |_| {})
}

fn open(town: &Town) -> EndedSessions {
    EndedSessions::open(town.means("clinic"), StatusBoard::new()).unwrap()
}

async fn take(ended: &EndedSessions, sealed: &SealedSessionEnd) -> Result<(), Refusal> {
    let taken = ended.take(&id("city-hall"), sealed).await;
    taken.map_err(|fault| Declined::from(fault).refusal)
}

fn has_ended(ended: &EndedSessions, seed: u8) -> bool {
    ended.has_ended(&key(seed).verifying_key())
}

#[tokio::test]
async fn an_end_counts_and_a_restart_forgets_nothing() {
    let town = Town::new(Vec::new());
    let ended = open(&town);
    let sealed = end(&town, 1);
    assert!(!has_ended(&ended, 1));
    assert_eq!(take(&ended, &sealed).await, Ok(()));
    assert!(has_ended(&ended, 1) && !has_ended(&ended, 2));
    let (logged, size) = (town.house("clinic").logged(), town.house("clinic").means.ledger.size());
    let last = logged.last().unwrap();
    let details = last.details::<details::SessionEnd>().unwrap();
    assert_eq!((last.leaf.kind, last.leaf.digests.len()), (EntryKind::SessionEnd, 0));
    assert_eq!(details.session, hex::encode(Digest::of(&[&key(1).verifying_key().0]).0));
    assert_eq!(details.via, id("city-hall").to_string());
    let again = open(&town);
    assert!(has_ended(&again, 1), "the tables are read at the start");
    for repeated in [&sealed, &end(&town, 1)] {
        assert_eq!(take(&again, repeated).await, Ok(()));
    }
    assert_eq!((town.house("clinic").means.ledger.size(), again.in_force()), (size, 1));
    assert_eq!(again.board.snapshot(0).session_ends.in_force, 1);
}

#[tokio::test]
async fn only_the_sessions_own_key_ends_it_here() {
    let town = Town::new(Vec::new());
    let ended = open(&town);
    let of_the_guardian = |end: &mut SessionEnd| end.session_key = key(1).verifying_key();
    let mut damaged = end(&town, 1);
    damaged.sealed.ciphertext[100] ^= 1;
    let mut other_key = end(&town, 1);
    other_key.key_id.0[0] ^= 1;
    let far = limits::SESSION_MILLIS_MAX + limits::CLOCK_SKEW_MILLIS + 1;
    let cases = [
        (bent(&town, &key(2), of_the_guardian), Refusal::Unauthorized),
        (bent(&town, &key(1), |end| end.audience = id("school")), Refusal::Malformed),
        (bent(&town, &key(1), |end| end.version = 2), Refusal::Malformed),
        (bent(&town, &key(1), |end| end.not_after = Timestamp(NOW + far)), Refusal::Malformed),
        (bent(&town, &key(1), |end| end.not_after = Timestamp(NOW)), Refusal::Expired),
        (damaged, Refusal::Malformed),
        (other_key, Refusal::Malformed),
    ];
    let size = town.house("clinic").means.ledger.size();
    for (sealed, refusal) in cases {
        assert_eq!(take(&ended, &sealed).await, Err(refusal));
    }
    assert_eq!((ended.in_force(), town.house("clinic").means.ledger.size()), (0, size));
    assert_eq!(take(&ended, &end(&town, 2)).await, Ok(()), "a stranger ends his own session");
    assert!(!has_ended(&ended, 1));
}

#[tokio::test]
async fn a_full_table_says_busy_until_the_past_is_forgotten() {
    let town = Town::new(Vec::new());
    let ended = EndedSessions::open_with(town.means("clinic"), StatusBoard::new(), 2).unwrap();
    for seed in [1, 2] {
        assert_eq!(take(&ended, &end(&town, seed)).await, Ok(()));
    }
    assert_eq!(take(&ended, &end(&town, 3)).await, Err(Refusal::Busy));
    assert_eq!(take(&ended, &end(&town, 1)).await, Ok(()), "known already");
    town.clock.advance(limits::SESSION_MILLIS_MAX + limits::CLOCK_SKEW_MILLIS);
    assert_eq!(take(&ended, &end(&town, 3)).await, Ok(()));
    assert_eq!((ended.in_force(), has_ended(&ended, 3)), (1, true));
}

#[tokio::test]
async fn what_no_grant_can_outlive_is_forgotten_also_on_disk() {
    let town = Town::new(Vec::new());
    let (ended, old) = (open(&town), end(&town, 1));
    // A short time in the end itself shortens nothing.
    let short = bent(&town, &key(2), |end| end.not_after = Timestamp(NOW + 1));
    for sealed in [&old, &short] {
        assert_eq!(take(&ended, sealed).await, Ok(()));
    }
    let rows = || town.house("clinic").store.verify().unwrap().rows.get(&TABLE).copied().unwrap_or(0);
    town.clock.advance(limits::SESSION_MILLIS_MAX + limits::CLOCK_SKEW_MILLIS - 1);
    ended.forget_the_past().await.unwrap();
    assert_eq!((ended.in_force(), rows()), (2, 2));
    assert!(has_ended(&ended, 1) && has_ended(&ended, 2));
    town.clock.advance(1);
    ended.forget_the_past().await.unwrap();
    assert_eq!((ended.in_force(), rows()), (0, 0));
    assert_eq!(take(&ended, &old).await, Err(Refusal::Expired), "replayed, it takes no room");
}

#[tokio::test]
async fn a_nearly_full_disk_still_takes_it() {
    let town = Town::new(Vec::new());
    let ended = open(&town);
    town.house("clinic").store.set_low_space(true);
    let vault = &town.house("clinic").means.vault;
    let mut ordinary = vault.change();
    ordinary.mark(TABLE, b"ordinary");
    assert!(ordinary.commit().await.is_err(), "nothing else is taken");
    assert_eq!(take(&ended, &end(&town, 1)).await, Ok(()));
    assert!(has_ended(&ended, 1) && has_ended(&open(&town), 1));
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_confirmed() {
    let town = Town::new(Vec::new());
    let ended = open(&town);
    town.house("clinic").means.ledger.close(NOW, "test").await.unwrap();
    assert_eq!(take(&ended, &end(&town, 1)).await, Err(Refusal::NotLogged));
    assert!(!has_ended(&ended, 1) && !has_ended(&open(&town), 1));
    assert!(ended.mirror().reserve(), "its room is given back");
}
