//! The gateway's account of what it relays: durable before anything is forwarded, settled at the end.
//!
//! Before a part leaves, the ledger says that it is going to be relayed (one group commit for the whole
//! view); afterwards it says what became of each. Settling happens also when the terminal goes away in
//! the middle. Must not know: what is inside parts and answers; it has their digests and sizes.

use std::collections::BTreeMap;
use std::sync::Arc;

use hibiki_protocol::cbor;
use hibiki_protocol::ids::{Digest, MemberId};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::env::Env;
use crate::ledger::details::Relay;
use crate::ledger::{DigestKind, Entry, Ledger, NotLogged};
use crate::services::Pending;

/// The word in the ledger for a part that is going to be sent.
const ASKED: &str = "asked";
/// The word in the ledger for a part nobody waits for any more.
const CANCELLED: &str = "cancelled";

/// One part's line in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// Milliseconds since the Unix epoch.
    pub at: u64,
    /// The institution.
    pub institution: MemberId,
    /// Digest of the part as it travels.
    pub part: Digest,
    /// Bytes of the sealed part.
    pub part_bytes: u64,
    /// `asked`, `answered`, `cancelled`, or the outcome the gateway observed.
    pub outcome: &'static str,
    /// Digest and bytes of the sealed answer, where one was forwarded.
    pub answer: Option<(Digest, u64)>,
    /// Milliseconds from sending to this outcome.
    pub elapsed_ms: u64,
}

/// Where relays are logged.
pub trait RelayLog: Send + Sync {
    /// Logs all lines together; durable when it returns without an error.
    fn log(&self, lines: Vec<Relayed>) -> Pending<'_, Result<(), NotLogged>>;
}

/// Logs relays in the institution's ledger.
pub struct LedgerAccount(pub Ledger);

impl RelayLog for LedgerAccount {
    fn log(&self, lines: Vec<Relayed>) -> Pending<'_, Result<(), NotLogged>> {
        Box::pin(async move {
            // Appended side by side, so that one flush carries them all.
            let mut appends = JoinSet::new();
            for line in lines {
                let (entry, ledger) = (entry(&line)?, self.0.clone());
                appends.spawn(async move { ledger.append(entry).await.map(|_| ()) });
            }
            while let Some(appended) = appends.join_next().await {
                appended.unwrap_or(Err(NotLogged::Closed))?;
            }
            Ok(())
        })
    }
}

fn entry(line: &Relayed) -> Result<Entry, NotLogged> {
    let details = Relay {
        institution: line.institution.to_string(),
        outcome: line.outcome.to_owned(),
        part_bytes: line.part_bytes,
        answer_bytes: line.answer.map_or(0, |(_, bytes)| bytes),
        elapsed_ms: line.elapsed_ms,
    };
    let entry = Entry::new(line.at, None, &details)?.with_digest(DigestKind::Query, line.part.0);
    Ok(match line.answer {
        Some((digest, _)) => entry.with_digest(DigestKind::Answer, digest.0),
        None => entry,
    })
}

/// The account of one view.
pub(super) struct Account {
    env: Env,
    log: Arc<dyn RelayLog>,
    /// Parts without an outcome.
    open: BTreeMap<MemberId, (Digest, u64)>,
    settled: Vec<Relayed>,
    started: Instant,
}

impl Account {
    /// Opens the account: when this returns, the ledger says durably what is going to be relayed.
    ///
    /// # Errors
    /// It cannot be logged: nothing must be relayed.
    pub(super) async fn open(
        env: &Env,
        log: &Arc<dyn RelayLog>,
        parts: &[(hibiki_protocol::query::Part, Digest)],
    ) -> Result<Self, NotLogged> {
        let at = env.now();
        let size = |part: &hibiki_protocol::query::Part| part.sealed.ciphertext.len() as u64;
        let line = |(part, digest): &(hibiki_protocol::query::Part, Digest)| Relayed {
            at,
            institution: part.audience.clone(),
            part: *digest,
            part_bytes: size(part),
            outcome: ASKED,
            answer: None,
            elapsed_ms: 0,
        };
        log.log(parts.iter().map(line).collect()).await?;
        let open = parts.iter().map(|(part, digest)| (part.audience.clone(), (*digest, size(part))));
        Ok(Self {
            env: env.clone(),
            log: log.clone(),
            open: open.collect(),
            settled: Vec::new(),
            started: Instant::now(),
        })
    }

    /// Notes what became of a part; the answer's digest is taken over its encoding as it travels.
    pub(super) fn note(
        &mut self,
        institution: &MemberId,
        outcome: &'static str,
        answer: Option<&hibiki_protocol::answer::SealedAnswer>,
    ) {
        let Some((part, part_bytes)) = self.open.remove(institution) else { return };
        let answer =
            answer.map(|answer| (Digest::of(&[&cbor::encode(answer)]), answer.0.ciphertext.len() as u64));
        self.settled.push(Relayed {
            at: self.env.now(),
            institution: institution.clone(),
            part,
            part_bytes,
            outcome,
            answer,
            elapsed_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }

    /// Time since the first part left.
    pub(super) fn elapsed(&self) -> std::time::Duration {
        self.started.elapsed()
    }

    /// Logs the outcomes; returns when they are durable.
    pub(super) async fn settle(mut self) {
        let lines = self.take();
        write(&self.log, lines).await;
    }

    fn take(&mut self) -> Vec<Relayed> {
        let open: Vec<MemberId> = self.open.keys().cloned().collect();
        for institution in open {
            self.note(&institution, CANCELLED, None);
        }
        std::mem::take(&mut self.settled)
    }
}

impl Drop for Account {
    /// The view was dropped in the middle: what happened so far is logged all the same.
    fn drop(&mut self) {
        let lines = self.take();
        if !lines.is_empty() {
            let log = self.log.clone();
            self.env.spawn(async move { write(&log, lines).await });
        }
    }
}

async fn write(log: &Arc<dyn RelayLog>, lines: Vec<Relayed>) {
    if let Err(error) = log.log(lines).await {
        // That the parts were relayed is logged; only what became of them is not.
        tracing::error!(%error, "the outcomes of a view could not be logged");
    }
}
