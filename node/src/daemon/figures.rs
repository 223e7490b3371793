//! Keeps the status board and the metrics true about store, ledger and trust list.

use std::time::Duration;

use super::foundations::Ground;
use super::grace_millis;
use crate::cli::run::Host;
use crate::ledger::Ledger;
use crate::observe::board::{LedgerStatus, StoreStatus};
use crate::observe::metrics;

/// How often figures are taken.
const PERIOD: Duration = Duration::from_secs(5);

/// Takes figures until the process drains.
pub(super) fn keep(host: &Host, ground: &Ground) {
    let (board, store, ledger) = (host.board.clone(), ground.store.clone(), ground.means.ledger.clone());
    let (membership, mut shutdown) = (ground.membership.clone(), host.shutdown.clone());
    let grace = grace_millis(host.config.federation.grace_days);
    let (env, mut signed) = (host.env.clone(), Signed::default());
    host.env.spawn(async move {
        loop {
            let stats = store.stats();
            board.set_store(StoreStatus {
                engine: stats.engine.to_owned(),
                size_bytes: stats.disk_bytes,
                free_bytes: stats.free_bytes,
                low_space: stats.low_space,
            });
            match &stats.fault {
                Some(fault) => board.raise("store", fault.clone()),
                None => board.clear("store"),
            }
            signed.look(&ledger, env.now());
            board.set_ledger(LedgerStatus {
                entries: ledger.size(),
                checkpoint_entries: signed.entries,
                checkpoint_time: signed.seen,
                halted: ledger.halted(),
            });
            metrics::set_count(metrics::LEDGER_ENTRIES, usize::try_from(ledger.size()).unwrap_or(usize::MAX));
            if let Some(free) = stats.free_bytes {
                metrics::set_count(metrics::STORE_FREE_BYTES, usize::try_from(free).unwrap_or(usize::MAX));
            }
            membership.report_standing(grace);
            tokio::select! { biased;
                () = shutdown.draining() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    });
}

/// What the newest checkpoint covers. A checkpoint carries no time of its own, so it counts from when
/// it was first seen.
#[derive(Default)]
struct Signed {
    entries: u64,
    seen: u64,
}

impl Signed {
    fn look(&mut self, ledger: &Ledger, now: u64) {
        // C2SP tlog-checkpoint: the second line is the size of the tree.
        let size = ledger.newest_checkpoint().and_then(|note| note.lines().nth(1)?.parse().ok());
        if let Some(entries) = size.filter(|entries| *entries != self.entries) {
            *self = Self { entries, seen: now };
        }
    }
}
