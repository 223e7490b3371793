//! What must not cost anybody a letter: a dead relay, a wrong clock, a damaged row, a store that cannot be written.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::store::{Batch, Committer, Intercepted, Keyspace, Store, StoreError};
use crate::vault::Vault;

/// A relay that takes every message, and breaks the store with it.
struct Breaks {
    relay: Arc<Scripted>,
    refuses: Arc<AtomicBool>,
}

impl Relay for Breaks {
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>> {
        self.refuses.store(true, Ordering::SeqCst);
        self.relay.send(message)
    }

    fn try_out<'a>(&'a self, message: Message) -> Pending<'a, Result<String, String>> {
        self.relay.try_out(message)
    }
}

impl Desk {
    fn child(&self) -> KeyId {
        self.means().vault.keys().create().unwrap()
    }

    fn tried(&self) -> usize {
        *self.relay.tried.lock().unwrap()
    }

    fn rows(&self) -> u64 {
        let rows = self.town.house("school").store.verify().unwrap().rows;
        rows.get(&Keyspace::Outbox).copied().unwrap_or(0)
    }

    fn is_raised(&self, key: &str) -> bool {
        self.board.snapshot(0).problems.contains_key(key)
    }

    /// So many letters of a kind, all to be sent within so many minutes.
    async fn put_many(&self, outbox: &Outbox, count: u16, kind: LetterKind, minutes: Option<u64>) {
        let child = self.child();
        let by = minutes.map(|minutes| self.means().env.now() + minutes * 60_000);
        let means = self.means();
        let mut change = means.vault.change();
        for n in 0..count {
            let name = [kind.as_str().as_bytes(), &n.to_be_bytes()].concat();
            let id = LetterId::new(&means.vault, "many", &name);
            outbox.put(&mut change, &Letter { id, kind, ..self.letter(1, Some(child), by) }).unwrap();
        }
        change.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_dead_relay_is_left_alone_and_whom_it_is_too_late_for_staff_hear_of() {
    let desk = Desk::new();
    let sender = desk.sender();
    *desk.relay.at_last.lock().unwrap() = Some(Fault::Timeout);
    desk.put_many(&sender.outbox, 600, LetterKind::Allergy, Some(60)).await;
    sender.send_due().await.unwrap();
    assert!(desk.tried() <= 4, "a few letters are enough to know: {}", desk.tried());
    assert!(desk.is_raised("mail-relay"));
    assert_eq!(sender.outbox.counts().unwrap().waiting, 600);

    let tried = desk.tried();
    desk.town.clock.advance(61 * 60_000);
    sender.send_due().await.unwrap();
    let day = "2026-11-27".parse().unwrap();
    assert_eq!((sender.outbox.not_sent(day, false).unwrap(), desk.tried()), (600, tried));

    desk.put_many(&sender.outbox, 500, LetterKind::Notice, None).await;
    *desk.relay.at_last.lock().unwrap() = None;
    sender.send_due().await.unwrap();
    assert_eq!(sender.outbox.counts().unwrap().sent, 500, "once it is back, in one go");
    assert!(!desk.is_raised("mail-relay"));
}

#[tokio::test]
async fn a_letter_the_relay_chokes_on_stops_nobody() {
    let desk = Desk::new();
    let sender = desk.sender();
    *desk.relay.moods.lock().unwrap() = vec![Mood::Takes, Mood::Fails(Fault::Connection)];
    desk.put_many(&sender.outbox, 20, LetterKind::Allergy, None).await;
    sender.send_due().await.unwrap();
    assert_eq!((sender.outbox.counts().unwrap().sent, desk.is_raised("mail-relay")), (19, false));
}

#[tokio::test]
async fn a_relay_that_refuses_everybody_is_an_alarm_too() {
    let desk = Desk::new();
    let sender = desk.sender();
    *desk.relay.at_last.lock().unwrap() = Some(Fault::Deferred);
    desk.put_many(&sender.outbox, 20, LetterKind::Allergy, None).await;
    sender.send_due().await.unwrap();
    assert!(desk.is_raised("mail-relay"));
    assert_eq!(desk.tried(), 20, "each for a reason of its own, so each was tried");
}

#[tokio::test]
async fn an_alert_does_not_queue_behind_notices() {
    let desk = Desk::new();
    let sender = desk.sender();
    desk.put_many(&sender.outbox, 300, LetterKind::Notice, None).await;
    desk.town.clock.advance(1);
    desk.put_many(&sender.outbox, 3, LetterKind::Allergy, None).await;
    let due = sender.outbox.due(desk.means().env.now(), 10).await.unwrap();
    let kinds: Vec<LetterKind> = due.letters.iter().map(|queued| queued.letter.kind).collect();
    assert_eq!(
        kinds[..4],
        [LetterKind::Allergy, LetterKind::Allergy, LetterKind::Allergy, LetterKind::Notice]
    );
    sender.send_due().await.unwrap();
    assert_eq!(sender.outbox.counts().unwrap().sent, 303);
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_put_a_letter_off() {
    let desk = Desk::new();
    let sender = desk.sender();
    let day = 24 * 3600 * 1000_u64;
    *desk.relay.at_last.lock().unwrap() = Some(Fault::Deferred);
    desk.town.clock.advance(day);
    desk.put_many(&sender.outbox, 1, LetterKind::Allergy, None).await;
    desk.put_many(&sender.outbox, 1, LetterKind::Notice, None).await;
    sender.send_due().await.unwrap();
    // Somebody sets it right.
    desk.town.clock.advance(day.wrapping_neg());
    *desk.relay.at_last.lock().unwrap() = None;
    sender.send_due().await.unwrap();
    assert_eq!(sender.outbox.counts().unwrap().sent, 2);
}

#[tokio::test]
async fn a_damaged_row_holds_up_nobody() {
    let desk = Desk::new();
    let sender = desk.sender();
    desk.put_many(&sender.outbox, 1, LetterKind::Allergy, None).await;
    let store = &desk.town.house("school").store;
    let (key, mut value) = {
        let snapshot = store.snapshot().unwrap();
        snapshot.scan(Keyspace::Outbox, b"M", None, 1).unwrap().remove(0)
    };
    *value.last_mut().unwrap() ^= 1;
    let mut batch = Batch::new();
    batch.put(Keyspace::Outbox, key, value);
    store.commit(&batch).unwrap();
    desk.put_many(&sender.outbox, 5, LetterKind::Notice, None).await;
    sender.send_due().await.unwrap();
    assert_eq!(desk.relay.taken.lock().unwrap().len(), 5);
    assert!(desk.is_raised("mail-damaged"));
}

#[tokio::test]
async fn what_was_taken_and_could_not_be_noted_is_not_sent_again_and_again() {
    let desk = Desk::new();
    let refuses = Arc::new(AtomicBool::new(false));
    let inner = desk.town.house("school").store.clone();
    let told = Arc::clone(&refuses);
    let store: Arc<dyn Store> = Arc::new(Intercepted::new(inner, move |inner, batch| {
        if told.load(Ordering::SeqCst) { Err(StoreError::Closed) } else { inner.commit(batch) }
    }));
    let ring = Arc::clone(&desk.town.house("school").ring);
    let means =
        Means { vault: Vault::new(Arc::clone(&store), Committer::inline(store), ring), ..desk.means() };
    let relay = Arc::new(Breaks { relay: Arc::clone(&desk.relay), refuses: Arc::clone(&refuses) });
    let first = desk.sender();
    let sender = Arc::new(Sender {
        outbox: Arc::new(Outbox::new(means.clone())),
        means,
        recipients: Arc::new(Anybody),
        relay,
        writer: first.writer.clone(),
        at_once: 1,
        board: desk.board.clone(),
    });
    desk.put(&sender.outbox, &desk.letter(1, Some(desk.child()), None)).await;
    for _ in 0..5 {
        assert!(sender.send_due().await.is_err(), "nothing can be noted");
        desk.town.clock.advance(60_000);
    }
    assert_eq!(desk.tried(), 1);
    refuses.store(false, Ordering::SeqCst);
    sender.send_due().await.unwrap();
    let counts = sender.outbox.counts().unwrap();
    assert_eq!((counts.sent, counts.waiting, desk.tried()), (1, 0, 1));
}

#[tokio::test]
async fn nothing_of_an_erased_child_is_left() {
    let desk = Desk::new();
    let sender = desk.sender();
    // One child is erased while her letter waits, the other after hers was refused.
    let (waiting, refused) = (desk.child(), desk.child());
    *desk.relay.moods.lock().unwrap() = vec![Mood::Fails(Fault::Rejected)];
    desk.put(&sender.outbox, &desk.letter(1, Some(refused), None)).await;
    sender.send_due().await.unwrap();
    desk.put(&sender.outbox, &desk.letter(2, Some(waiting), None)).await;
    for child in [waiting, refused] {
        desk.means().vault.keys().destroy(child).unwrap();
    }
    sender.send_due().await.unwrap();
    desk.town.clock.advance(61 * 24 * 3600 * 1000);
    assert_eq!(sender.outbox.sweep().await.unwrap(), 1);
    assert_eq!(desk.rows(), 0);
}

#[tokio::test]
async fn what_comes_too_late_is_not_tried_again_for_the_asking() {
    let desk = Desk::new();
    let sender = desk.sender();
    let by = desk.means().env.now() + 60_000;
    let letter = desk.letter(1, Some(desk.child()), Some(by));
    desk.put(&sender.outbox, &letter).await;
    desk.town.clock.advance(60_000);
    sender.send_due().await.unwrap();
    assert!(!sender.outbox.retry(letter.id).await.unwrap());
    assert_eq!((desk.tried(), sender.outbox.counts().unwrap().failed), (0, 1));
}

#[tokio::test]
async fn a_letter_waits_in_one_place_alone() {
    let desk = Desk::new();
    let sender = desk.sender();
    let letter = desk.letter(1, Some(desk.child()), None);
    *desk.relay.at_last.lock().unwrap() = Some(Fault::Deferred);
    desk.put(&sender.outbox, &letter).await;
    // A second mark, as of a version that knew no urgent letters.
    let means = desk.means();
    let mut change = means.vault.change();
    let stray = [b"W".as_slice(), &means.env.now().to_be_bytes(), letter.id.as_bytes()].concat();
    change.mark(Keyspace::Outbox, &stray);
    change.commit().await.unwrap();
    for _ in 0..5 {
        sender.send_due().await.unwrap();
    }
    assert_eq!((desk.tried(), sender.outbox.waiting().unwrap().count), (1, 1));
    *desk.relay.at_last.lock().unwrap() = None;
    desk.town.clock.advance(60_000);
    sender.send_due().await.unwrap();
    assert_eq!(sender.outbox.counts().unwrap().sent, 1);
}
