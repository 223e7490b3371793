//! Letters against relays that misbehave and nodes that are killed at any instant.
#![allow(clippy::unwrap_used, reason = "tests")]

mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hibiki_protocol::ids::GuardianAlias;
use hibiki_protocol::registration::DeliveryState;
use lettre::Message;
use proptest::prelude::*;

use super::compose::Writer;
use super::retry::Fault;
use super::{Letter, LetterId, LetterKind, Outbox, Recipients, Relay, Sender, State};
use crate::institution::Means;
use crate::institution::town::Town;
use crate::keyring::KeyId;
use crate::observe::board::StatusBoard;
use crate::services::Pending;
use crate::vault::VaultError;

/// What a relay does with the next message.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Takes,
    Fails(Fault),
    /// Takes it, and the node dies before it hears so.
    TakesAndDies,
    /// The node dies with the message under way.
    Dies,
}

/// A relay with a script, and everything it has taken.
#[derive(Default)]
struct Scripted {
    moods: Mutex<Vec<Mood>>,
    /// How often something was handed over.
    tried: Mutex<usize>,
    /// What it says when the script has come to its end, if it does not take everything.
    at_last: Mutex<Option<Fault>>,
    taken: Mutex<Vec<String>>,
    died: tokio::sync::Notify,
}

impl Scripted {
    /// The node dies here: nothing comes after it.
    async fn die(&self) -> Result<(), Fault> {
        self.died.notify_one();
        std::future::pending().await
    }

    fn take(&self, message: &Message) {
        let head = String::from_utf8(message.formatted()).unwrap();
        let id = head.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
        self.taken.lock().unwrap().push(id);
    }
}

/// Everybody may have everything, but for the sixty-sixth.
struct Anybody;

impl Recipients for Anybody {
    fn may_have(&self, letter: &Letter) -> Result<bool, VaultError> {
        Ok(letter.to != "g66@example.jp")
    }
}

impl Relay for Scripted {
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move {
            *self.tried.lock().unwrap() += 1;
            let at_last = self.at_last.lock().unwrap().map_or(Mood::Takes, Mood::Fails);
            let mood = self.moods.lock().unwrap().pop().unwrap_or(at_last);
            match mood {
                Mood::Takes => {
                    self.take(&message);
                    Ok(())
                }
                Mood::Fails(fault) => Err(fault),
                Mood::TakesAndDies => {
                    self.take(&message);
                    self.die().await
                }
                Mood::Dies => self.die().await,
            }
        })
    }

    fn try_out<'a>(&'a self, _: Message) -> Pending<'a, Result<String, String>> {
        Box::pin(async { Ok("250".to_owned()) })
    }
}

struct Desk {
    town: Town,
    relay: Arc<Scripted>,
    board: StatusBoard,
}

impl Desk {
    fn new() -> Self {
        Self { town: Town::new(Vec::new()), relay: Arc::default(), board: StatusBoard::new() }
    }

    fn means(&self) -> Means {
        self.town.means("school")
    }

    /// As after a start: nothing is remembered but what is on the disk.
    fn sender(&self) -> Arc<Sender> {
        let means = self.means();
        Arc::new(Sender {
            outbox: Arc::new(Outbox::new(means.clone())),
            means,
            recipients: Arc::new(Anybody),
            relay: Arc::clone(&self.relay) as Arc<dyn Relay>,
            writer: Writer { from: "school@momiji.example".parse().unwrap(), reply_to: None },
            at_once: 2,
            board: self.board.clone(),
        })
    }

    fn letter(&self, n: u8, subject: Option<KeyId>, send_by: Option<u64>) -> Letter {
        Letter {
            id: LetterId::new(&self.means().vault, "test", &[n]),
            subject_key: subject.map(|key| *key.as_bytes()),
            guardian: subject.map(|_| GuardianAlias([7; 16])),
            kind: LetterKind::Allergy,
            lunch: Some("2026-11-27".parse().unwrap()),
            to: format!("g{n}@example.jp"),
            title: "明日の給食".to_owned(),
            text: "卵".to_owned(),
            html: "<p>卵</p>".to_owned(),
            send_by,
        }
    }

    async fn put(&self, outbox: &Outbox, letter: &Letter) {
        let means = self.means();
        let mut change = means.vault.change();
        outbox.put(&mut change, letter).unwrap();
        change.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_letter_goes_out_once_and_its_entry_stands_before_it() {
    let desk = Desk::new();
    let sender = desk.sender();
    let child = desk.means().vault.keys().create().unwrap();
    let letter = desk.letter(1, Some(child), None);
    for _ in 0..3 {
        desk.put(&sender.outbox, &letter).await;
        sender.send_due().await.unwrap();
    }
    assert_eq!(desk.relay.taken.lock().unwrap().len(), 1);
    let told = sender.outbox.of_guardian(child.as_bytes(), &GuardianAlias([7; 16])).unwrap();
    assert_eq!(told.iter().map(|it| it.state).collect::<Vec<_>>(), [DeliveryState::Sent]);
    let told = desk.means().ledger.tell(child.as_bytes(), None, 10, |_| true).unwrap();
    assert_eq!(told.entries.len(), 1);
    assert_eq!(sender.outbox.not_sent("2026-11-27".parse().unwrap(), true).unwrap(), 0);
}

#[tokio::test]
async fn a_relay_that_is_down_is_an_alarm_and_the_letter_waits() {
    let desk = Desk::new();
    let sender = desk.sender();
    let child = desk.means().vault.keys().create().unwrap();
    *desk.relay.moods.lock().unwrap() = vec![Mood::Fails(Fault::Connection)];
    desk.put(&sender.outbox, &desk.letter(1, Some(child), None)).await;
    sender.send_due().await.unwrap();
    assert!(desk.board.snapshot(0).problems.contains_key("mail-relay"));
    let day = "2026-11-27".parse().unwrap();
    assert_eq!(
        (sender.outbox.not_sent(day, false).unwrap(), sender.outbox.not_sent(day, true).unwrap()),
        (0, 1)
    );
    desk.town.clock.advance(60_000);
    sender.send_due().await.unwrap();
    assert_eq!(desk.relay.taken.lock().unwrap().len(), 1);
    assert!(!desk.board.snapshot(0).problems.contains_key("mail-relay"));
}

#[tokio::test]
async fn one_address_that_is_refused_holds_up_nobody() {
    let desk = Desk::new();
    let sender = desk.sender();
    let child = desk.means().vault.keys().create().unwrap();
    *desk.relay.moods.lock().unwrap() = vec![Mood::Takes, Mood::Fails(Fault::Rejected), Mood::Takes];
    for n in 0..3 {
        desk.put(&sender.outbox, &desk.letter(n, Some(child), None)).await;
    }
    sender.send_due().await.unwrap();
    let counts = sender.outbox.counts().unwrap();
    assert_eq!((counts.waiting, counts.sent, counts.failed), (0, 2, 1));
    assert_eq!(sender.outbox.not_sent("2026-11-27".parse().unwrap(), false).unwrap(), 1);
    let failed = sender.outbox.all().unwrap();
    let failed = failed.iter().find(|it| matches!(it.state, State::Failed { .. })).unwrap();
    assert!(sender.outbox.retry(failed.letter.id).await.unwrap());
    sender.send_due().await.unwrap();
    assert_eq!(sender.outbox.counts().unwrap().sent, 3);
}

#[tokio::test]
async fn a_letter_nobody_may_have_any_more_leaves_no_trace() {
    let desk = Desk::new();
    let sender = desk.sender();
    let child = desk.means().vault.keys().create().unwrap();
    *desk.relay.moods.lock().unwrap() = vec![Mood::Fails(Fault::Connection)];
    for n in [66, 1] {
        desk.put(&sender.outbox, &desk.letter(n, Some(child), None)).await;
    }
    desk.town.house("school").store.set_low_space(true);
    sender.send_due().await.unwrap();
    desk.town.house("school").store.set_low_space(false);
    assert!(desk.board.snapshot(0).problems.contains_key("mail-relay"), "that one is gone is no success");
    desk.town.clock.advance(60_000);
    sender.send_due().await.unwrap();
    assert_eq!(desk.relay.taken.lock().unwrap().len(), 1, "it held up nobody");
    let counts = sender.outbox.counts().unwrap();
    assert_eq!((counts.waiting, counts.sent, counts.failed), (0, 1, 0));
    assert_eq!(sender.outbox.of_guardian(child.as_bytes(), &GuardianAlias([7; 16])).unwrap().len(), 1);
    assert_eq!(sender.outbox.not_sent("2026-11-27".parse().unwrap(), true).unwrap(), 0);
    assert_eq!(desk.means().ledger.tell(child.as_bytes(), None, 10, |_| true).unwrap().entries.len(), 1);
}

#[tokio::test]
async fn an_erased_child_gets_no_letter() {
    let desk = Desk::new();
    let sender = desk.sender();
    let child = desk.means().vault.keys().create().unwrap();
    desk.put(&sender.outbox, &desk.letter(1, Some(child), None)).await;
    desk.means().vault.keys().destroy(child).unwrap();
    sender.send_due().await.unwrap();
    assert!(desk.relay.taken.lock().unwrap().is_empty());
    assert_eq!(sender.outbox.counts().unwrap().waiting, 0, "the mark is taken away");
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten() {
    let desk = Desk::new();
    let sender = desk.sender();
    let child = desk.means().vault.keys().create().unwrap();
    desk.put(&sender.outbox, &desk.letter(1, Some(child), None)).await;
    sender.send_due().await.unwrap();
    assert_eq!(sender.outbox.sweep().await.unwrap(), 0);
    desk.town.clock.advance(61 * 24 * 3600 * 1000);
    assert_eq!(sender.outbox.sweep().await.unwrap(), 1);
    assert!(sender.outbox.all().unwrap().is_empty());
    assert!(sender.outbox.of_guardian(child.as_bytes(), &GuardianAlias([7; 16])).unwrap().is_empty());
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        2 => Just(Mood::Takes),
        1 => Just(Mood::Fails(Fault::Connection)),
        1 => Just(Mood::Fails(Fault::Deferred)),
        1 => Just(Mood::Fails(Fault::Timeout)),
        1 => Just(Mood::Fails(Fault::Rejected)),
        2 => Just(Mood::TakesAndDies),
        2 => Just(Mood::Dies),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever relay and crashes do: every letter ends, what is called sent was taken, under one name each, and
    /// nothing is sent again after it was called sent.
    #[test]
    fn every_letter_comes_to_its_end(
        moods in proptest::collection::vec(mood(), 0..40),
        letters in 1..5_u8,
        minutes in 1..200_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new();
            let child = desk.means().vault.keys().create().unwrap();
            let by = desk.means().env.now() + minutes * 60_000;
            *desk.relay.moods.lock().unwrap() = moods;
            let written: Vec<Letter> = (0..letters).map(|n| desk.letter(n, Some(child), Some(by))).collect();
            let mut sent: BTreeMap<LetterId, usize> = BTreeMap::new();
            for _ in 0..500 {
                let sender = desk.sender();
                for letter in &written {
                    desk.put(&sender.outbox, letter).await;
                }
                // A node that dies is one whose work is dropped.
                tokio::select! {
                    biased;
                    () = desk.relay.died.notified() => {}
                    done = sender.send_due() => done.unwrap(),
                }
                for queued in sender.outbox.all().unwrap() {
                    if matches!(queued.state, State::Sent { .. }) {
                        let name = format!("<{}@momiji.example>", queued.letter.id.hex());
                        let taken = desk.relay.taken.lock().unwrap().iter().filter(|id| **id == name).count();
                        let before = sent.insert(queued.letter.id, taken).unwrap_or(taken);
                        assert!(taken >= 1, "called sent and never taken");
                        assert_eq!(taken, before, "sent again after it was called sent");
                    }
                }
                if sender.outbox.counts().unwrap().waiting == 0 {
                    break;
                }
                desk.town.clock.advance(45_000);
            }
            let sender = desk.sender();
            let all = sender.outbox.all().unwrap();
            assert_eq!(all.len(), usize::from(letters));
            for queued in all {
                match queued.state {
                    State::Sent { .. } => {}
                    State::Failed { fault: Fault::Rejected, .. } => {}
                    State::Failed { at, fault, .. } => {
                        assert_eq!(fault, Fault::TooLate);
                        assert!(at + 60_000 >= by, "given up at {at}, with time until {by}");
                    }
                    State::Waiting { .. } => panic!("it never ended"),
                }
            }
        });
    }
}
