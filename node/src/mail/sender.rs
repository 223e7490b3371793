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

/// How often old letters are looked for.
const SWEEP_MS: u64 = 3600 * 1000;

/// The board's key for a relay that cannot be reached.
const RELAY_BOARD: &str = "mail-relay";
/// The board's key for tables that cannot be used.
const OUTBOX_BOARD: &str = "mail-outbox";

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
        match self.send_due().await {
            Ok(()) => {
                self.board.clear(OUTBOX_BOARD);
                let next = self.outbox.next_due().ok().flatten();
                let wait = next.map(|next| Duration::from_millis(next.saturating_sub(self.means.env.now())));
                wait.unwrap_or(PULSE).min(PULSE)
            }
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be used");
                self.board.raise(OUTBOX_BOARD, format!("mails are not sent: {error}; trying again"));
                PULSE
            }
        }
    }

    /// Sends what is due at this moment, a few letters at once; a slow one holds up none but its own place.
    ///
    /// # Errors
    /// The tables cannot be read or written.
    pub async fn send_due(self: &Arc<Self>) -> Result<(), VaultError> {
        let at_once = self.at_once.max(1);
        // Letters that come to be due meanwhile are the next turn's.
        let due = self.outbox.due(self.means.env.now(), 1_024).await?;
        gauge!(names::MAILS_WAITING).set(due.len() as f64);
        let mut under_way: JoinSet<Result<Option<Fault>, VaultError>> = JoinSet::new();
        let (mut sent, mut relays) = (0_usize, None);
        let mut queue = due.into_iter();
        loop {
            while under_way.len() < at_once {
                let Some(queued) = queue.next() else { break };
                if !self.recipients.may_have(&queued.letter)? {
                    self.outbox.discard(queued.letter.id).await?;
                    continue;
                }
                let sender = Arc::clone(self);
                under_way.spawn(async move { sender.send(queued).await });
            }
            let Some(done) = under_way.join_next().await else { break };
            match done {
                Ok(outcome) => match outcome? {
                    None => sent += 1,
                    Some(fault) if fault.is_the_relays() => relays = Some(fault),
                    Some(_) => {}
                },
                Err(error) => tracing::error!(%error, "a letter was dropped half-way; it is tried again"),
            }
        }
        if sent > 0 {
            self.board.clear(RELAY_BOARD);
        } else if let Some(fault) = relays {
            tracing::warn!(fault = fault.as_str(), "the mail relay cannot be used");
            let text = format!(
                "メールのリレーが使えません / the mail relay cannot be used ({}); see [mail] and `hibiki-node mail test`",
                fault.as_str()
            );
            self.board.raise(RELAY_BOARD, text);
        }
        Ok(())
    }

    /// One attempt; what was wrong, if something was.
    async fn send(&self, queued: Queued) -> Result<Option<Fault>, VaultError> {
        let id = queued.letter.id;
        let outcome = self.attempt(&queued).await;
        let state = self.outbox.settle(id, outcome).await?;
        let kind = queued.letter.kind.as_str();
        match state {
            Some(State::Sent { .. }) => counter!(names::MAILS_SENT, "kind" => kind).increment(1),
            Some(State::Failed { .. }) => {
                counter!(names::MAILS_FAILED, "kind" => kind).increment(1);
                tracing::error!(kind, fault = outcome.err().map(Fault::as_str), "a mail was given up");
            }
            _ => counter!(names::MAILS_DELAYED, "kind" => kind).increment(1),
        }
        Ok(outcome.err())
    }

    async fn attempt(&self, queued: &Queued) -> Result<(), Fault> {
        let now = self.means.env.now();
        if queued.letter.send_by.is_some_and(|by| now >= by) {
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
