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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};

    use super::*;
    use crate::env::SystemEntropy;
    use crate::ledger::{EntrySealer, SealError, Setup, Sizes, SubjectKey};

    /// No cipher: these entries are about institutions, and only their number and digests matter here.
    struct Plain;

    impl EntrySealer for Plain {
        fn seal(&self, _: Option<SubjectKey>, _: &[u8], entry: &[u8]) -> Result<Vec<u8>, SealError> {
            Ok(entry.to_vec())
        }
        fn open(&self, _: Option<SubjectKey>, _: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
            Ok(sealed.to_vec())
        }
    }

    #[tokio::test]
    async fn a_view_becomes_entries_of_the_ledger_with_its_digests() {
        let signer = NoteSigner::from_seed("maebashi/city/ledger", KeyAlgorithm::Ed25519, &[7; 32]).unwrap();
        let setup = Setup {
            signer: Arc::new(signer),
            sealer: Arc::new(Plain),
            entropy: Arc::new(SystemEntropy),
            sizes: Sizes { segment_bytes: 64 * 1024, reserve_bytes: 2 * 1024 },
        };
        let ledger = Ledger::memory(setup, 1).unwrap();
        let before = ledger.size();
        let log: Arc<dyn RelayLog> = Arc::new(LedgerAccount(ledger.clone()));
        let part = crate::links::fixtures::part("clinic");
        let parts = [(part.clone(), part.digest())];
        let mut account = Account::open(&Env::system(), &log, &parts).await.unwrap();
        assert_eq!(ledger.size(), before + 1, "durable before anything is forwarded");
        let answer = crate::links::fixtures::sealed_answer(16 * 1024 + 16);
        account.note(&part.audience, "answered", Some(&answer));
        account.settle().await;
        assert_eq!(ledger.size(), before + 2);
        let lines = ledger.read(before..before + 2).unwrap();
        let query = (DigestKind::Query, part.digest().0);
        assert_eq!(lines[0].leaf.digests, [query]);
        let answered = Digest::of(&[&cbor::encode(&answer)]).0;
        assert_eq!(lines[1].leaf.digests, [query, (DigestKind::Answer, answered)]);
        // A view dropped in the middle is settled all the same.
        let account = Account::open(&Env::system(), &log, &parts).await.unwrap();
        drop(account);
        crate::links::fixtures::until("settled", || ledger.size() == before + 4).await;
    }
}
