//! The sender: takes due letters out of the outbox, hands them to the relay, notes what became of them.
//!
//! At least once: a letter is noted as sent after the relay has taken it. Whoever is killed in between sends it again
//! under the same Message-ID. The ledger has a letter's entry before the relay has the letter.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::task::JoinSet;

use super::Letter;
use super::compose::{self, Writer};
use super::outbox::{Outbox, Queued, State};
use super::relay::Relay;
use super::retry::Fault;
use crate::institution::Means;
use crate::ledger::{Entry, details, telling};
use crate::observe::board::StatusBoard;
use crate::observe::metrics as names;
use crate::shutdown::Shutdown;
use crate::vault::VaultError;

/// How long the sender sleeps at most: so late a jump of the clock is noticed.
const PULSE: Duration = Duration::from_secs(30);

/// How long it sleeps at least.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long the sender leaves a relay alone that takes nothing.
const PAUSE: Duration = Duration::from_secs(15);

/// Letters taken out of the outbox at once: so many a letter that has become urgent meanwhile waits for at most.
const ROUND: usize = 256;

/// So many letters in a row that fail by the relay's fault are enough to know that it takes none.
const IN_VAIN: usize = 3;

/// So many letters none of which is taken are no accident, even if each is refused for a reason of its own.
const NONE_TAKEN: usize = 8;

/// How often old letters are looked for.
const SWEEP_MS: u64 = 3600 * 1000;

/// The board's key for a relay that cannot be reached.
const RELAY_BOARD: &str = "mail-relay";
/// The board's key for tables that cannot be used.
const OUTBOX_BOARD: &str = "mail-outbox";
/// The board's key for letters that cannot be read.
const DAMAGED_BOARD: &str = "mail-damaged";

/// Who may have a letter.
pub trait Recipients: Send + Sync {
    /// Whether whom the letter is for may still have it, and wants it. If not, it is thrown away.
    ///
    /// # Errors
    /// The books cannot be read; then nothing is sent.
    fn may_have(&self, letter: &Letter) -> Result<bool, VaultError>;
}

/// What the sender works with.
pub struct Sender {
    /// Clock, ledger, tables.
    pub means: Means,
    /// Where letters wait.
    pub outbox: Arc<Outbox>,
    /// Who may have them.
    pub recipients: Arc<dyn Recipients>,
    /// Who takes them.
    pub relay: Arc<dyn Relay>,
    /// In whose name.
    pub writer: Writer,
    /// Letters under way at once, at most.
    pub at_once: usize,
    /// Where trouble is shown.
    pub board: StatusBoard,
}

impl Sender {
    /// Sends until the node stops. Letters under way are given up then; they are sent again.
    pub async fn run(self: Arc<Self>, mut shutdown: Shutdown) {
        let mut swept = 0;
        loop {
            let wait = tokio::select! {
                biased;
                () = shutdown.draining() => return,
                wait = self.turn(&mut swept) => wait,
            };
            tokio::select! {
                biased;
                () = shutdown.draining() => return,
                () = self.outbox.woken() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends everything that is due; how long nothing will be.
    async fn turn(self: &Arc<Self>, swept: &mut u64) -> Duration {
        let now = self.means.env.now();
        if now.abs_diff(*swept) >= SWEEP_MS {
            *swept = now;
            if let Err(error) = self.outbox.sweep().await {
                tracing::debug!(%error, "old letters cannot be swept yet");
            }
        }
        let outcome = self.send_due_until_stuck().await;
        self.relay.rest().await;
        self.show_waiting();
        match outcome {
            Ok(Round::Stuck) => PAUSE,
            Ok(_) => {
                self.board.clear(OUTBOX_BOARD);
                let next = self.outbox.next_due().ok().flatten();
                let wait = next.map(|next| Duration::from_millis(next.saturating_sub(self.means.env.now())));
                // Never at once: what has come to be due meanwhile was woken for, or cannot be read.
                wait.unwrap_or(PULSE).clamp(SHORTEST, PULSE)
            }
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be used");
                self.board.raise(OUTBOX_BOARD, format!("mails are not sent: {error}; trying again"));
                PULSE
            }
        }
    }

    /// Sends what is due, a few letters at once; a slow one holds up none but its own place.
    ///
    /// # Errors
    /// The tables cannot be read or written.
    pub async fn send_due(self: &Arc<Self>) -> Result<(), VaultError> {
        self.send_due_until_stuck().await.map(drop)
    }

    async fn send_due_until_stuck(self: &Arc<Self>) -> Result<Round, VaultError> {
        loop {
            let round = self.round().await?;
            if round != Round::More {
                return Ok(round);
            }
        }
    }

    /// Sends the first of what is due. A relay that takes nothing is left alone soon: each letter would wait for it
    /// in vain. Only those for which it is too late are given up nevertheless, so that staff hear of them.
    async fn round(self: &Arc<Self>) -> Result<Round, VaultError> {
        let at_once = self.at_once.max(1);
        let due = self.outbox.due(self.means.env.now(), ROUND).await?;
        self.show_damaged(due.damaged);
        let mut under_way: JoinSet<Result<Option<Fault>, VaultError>> = JoinSet::new();
        let (mut tally, mut broken) = (Tally::default(), None);
        let mut queue = due.letters.into_iter();
        loop {
            while under_way.len() < at_once && broken.is_none() {
                let Some(queued) = queue.next() else { break };
                if tally.in_vain >= at_once.max(IN_VAIN) && !self.is_late(&queued.letter) {
                    tally.left += 1;
                    continue;
                }
                match self.may_go(&queued.letter).await {
                    Ok(true) => {}
                    Ok(false) => {
                        tally.settled += 1;
                        continue;
                    }
                    Err(VaultError::Row { .. } | VaultError::Key(_)) => {
                        tracing::error!(
                            "whether somebody may have a mail cannot be read; the mail is put off"
                        );
                        tally.settled += 1;
                        broken = self.note(&queued, Err(Fault::Books)).await.err();
                        continue;
                    }
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                }
                let sender = Arc::clone(self);
                under_way.spawn(async move { sender.send(queued).await });
            }
            // Letters under way are waited for in any case: dropped half-way, they would go out again.
            let Some(done) = under_way.join_next().await else { break };
            match done {
                Ok(Ok(outcome)) => tally.count(outcome),
                Ok(Err(error)) => broken = Some(error),
                Err(error) => {
                    tracing::error!(%error, "a letter was dropped half-way; it is tried again");
                }
            }
            self.show_relay(&tally, at_once);
        }
        if let Some(error) = broken {
            return Err(error);
        }
        self.show_relay_after(&tally);
        Ok(if tally.left > 0 {
            Round::Stuck
        } else if due.more && tally.settled > 0 {
            Round::More
        } else {
            Round::Done
        })
    }

    fn is_late(&self, letter: &Letter) -> bool {
        letter.send_by.is_some_and(|by| self.means.env.now() >= by)
    }

    /// Whether the letter may go out; if not, it is gone.
    async fn may_go(&self, letter: &Letter) -> Result<bool, VaultError> {
        let may = self.recipients.may_have(letter)?;
        if !may {
            self.outbox.discard(letter.id).await?;
        }
        Ok(may)
    }

    /// Shows at once what is known of the relay, while letters are under way.
    fn show_relay(&self, tally: &Tally, at_once: usize) {
        if tally.in_vain == 0 && tally.sent > 0 {
            self.board.clear(RELAY_BOARD);
        } else if tally.in_vain >= at_once.max(IN_VAIN) {
            self.raise_relay(tally);
        }
    }

    /// Shows what a whole round taught about the relay.
    fn show_relay_after(&self, tally: &Tally) {
        let none = tally.sent == 0 && (tally.relays.is_some() || tally.refused >= NONE_TAKEN);
        if none {
            self.raise_relay(tally);
        }
    }

    fn raise_relay(&self, tally: &Tally) {
        let text = match tally.relays {
            Some(fault) => {
                tracing::warn!(fault = fault.as_str(), "the mail relay cannot be used");
                format!(
                    "メールのリレーが使えません / the mail relay cannot be used ({}); see [mail] and `hibiki-node mail test`",
                    fault.as_str()
                )
            }
            None => {
                tracing::warn!("the mail relay takes none of the mails");
                "メールのリレーがどのメールも受け取りません / the mail relay takes none of the mails; see `hibiki-node mail test`"
                    .to_owned()
            }
        };
        self.board.raise(RELAY_BOARD, text);
    }

    fn show_damaged(&self, damaged: usize) {
        if damaged == 0 {
            self.board.clear(DAMAGED_BOARD);
            return;
        }
        let text = format!(
            "読めないメールが {damaged} 通あります / {damaged} mails cannot be read and are not sent; restore the store from its backup"
        );
        self.board.raise(DAMAGED_BOARD, text);
    }

    fn show_waiting(&self) {
        let Ok(waiting) = self.outbox.waiting() else { return };
        names::set_count(names::MAILS_WAITING, waiting.count);
        let age = waiting.oldest.map_or(0, |oldest| self.means.env.now().saturating_sub(oldest));
        gauge!(names::MAILS_OLDEST).set(names::seconds(age));
    }

    /// One attempt; what was wrong, if something was.
    async fn send(&self, queued: Queued) -> Result<Option<Fault>, VaultError> {
        let outcome = self.attempt(&queued).await;
        self.note(&queued, outcome).await?;
        Ok(outcome.err())
    }

    /// Notes what an attempt came to.
    async fn note(&self, queued: &Queued, outcome: Result<(), Fault>) -> Result<(), VaultError> {
        let state = self.outbox.settle(queued.letter.id, outcome).await?;
        let kind = queued.letter.kind.as_str();
        match state {
            Some(State::Sent { .. }) => counter!(names::MAILS_SENT, "kind" => kind).increment(1),
            Some(State::Failed { .. }) => {
                counter!(names::MAILS_FAILED, "kind" => kind).increment(1);
                tracing::error!(kind, fault = outcome.err().map(Fault::as_str), "a mail was given up");
            }
            _ => counter!(names::MAILS_DELAYED, "kind" => kind).increment(1),
        }
        Ok(())
    }

    async fn attempt(&self, queued: &Queued) -> Result<(), Fault> {
        if self.outbox.is_taken(queued.letter.id) {
            return Ok(());
        }
        let now = self.means.env.now();
        if self.is_late(&queued.letter) {
            return Err(Fault::TooLate);
        }
        let message = compose::message(&self.writer, &queued.letter, now).map_err(|_| Fault::Unsendable)?;
        if !matches!(queued.state, State::Waiting { logged: true, .. }) {
            self.log(&queued.letter).await?;
        }
        self.relay.send(message).await
    }

    /// No letter goes out without its entry.
    async fn log(&self, letter: &Letter) -> Result<(), Fault> {
        let entry = details::Mail {
            mail: letter.kind.as_str().to_owned(),
            guardian: letter.guardian.map_or_else(String::new, |guardian| hex::encode(guardian.0)),
            letter: letter.id.hex(),
            lunch: letter.lunch.map(|day| day.to_string()).unwrap_or_default(),
        };
        let entry =
            Entry::new(self.means.env.now(), letter.subject_key, &entry).map_err(|_| Fault::NotLogged)?;
        let entry = match letter.guardian {
            Some(guardian) => entry.telling(&telling::mailed(guardian)),
            None => entry,
        };
        self.means.ledger.append_reserved(entry).await.map_err(|_| Fault::NotLogged)?;
        self.outbox.logged(letter.id).await.map_err(|_| Fault::NotLogged)
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Nothing is due any more.
    Done,
    /// Some was done, and more is due.
    More,
    /// The relay takes nothing.
    Stuck,
}

/// What became of the letters of a round.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Taken by the relay.
    sent: usize,
    /// Failed, one after the other, by the relay's fault; since it last took one.
    in_vain: usize,
    /// Refused or put off, each for a reason of its own.
    refused: usize,
    /// Whose state has changed.
    settled: usize,
    /// Not tried, as the relay takes nothing.
    left: usize,
    /// What was the matter with the relay.
    relays: Option<Fault>,
}

impl Tally {
    fn count(&mut self, outcome: Option<Fault>) {
        self.settled += 1;
        match outcome {
            None => {
                self.sent += 1;
                self.in_vain = 0;
            }
            Some(fault) if fault.is_the_relays() => {
                self.in_vain += 1;
                self.relays = Some(fault);
            }
            Some(Fault::Deferred | Fault::Rejected) => self.refused += 1,
            Some(_) => {}
        }
    }
}
