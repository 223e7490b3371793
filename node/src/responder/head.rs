//! The ledger's head, signed when somebody asks for proofs: so that a guardian need not wait a minute for the
//! proof of what she just did, and yet cannot keep the ledger signing all day.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ledger::Ledger;

/// When the head was last signed on demand.
pub(super) struct Head {
    period: Duration,
    signed: Mutex<Option<Instant>>,
}

impl Head {
    /// A head that is signed on demand once in `period`, at most.
    pub(super) fn new(period: Duration) -> Self {
        Self { period, signed: Mutex::default() }
    }

    /// Sees to it that a checkpoint covers every entry there is now. If that fails, proofs wait for the next
    /// one in turn.
    pub(super) async fn renew(&self, ledger: &Ledger) {
        let size = ledger.size();
        let mut signed = self.signed.lock().await;
        // Whoever had the turn before may have signed for both.
        if ledger.signed_size() >= size {
            return;
        }
        if let Some(last) = *signed {
            tokio::time::sleep_until(last + self.period).await;
        }
        if let Err(error) = ledger.checkpoint().await {
            tracing::warn!(%error, "the ledger's head could not be signed for a proof");
        }
        *signed = Some(Instant::now());
    }
}
