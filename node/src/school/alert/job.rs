//! The loop: a round whenever something has changed, an hour has come, or ten minutes have passed.

use std::sync::Arc;
use std::time::Duration;

use hibiki_records::date::CalendarDate;

use tokio::sync::watch;

use super::hours::in_japan;
use super::{AlertError, Alerts, Round};
use crate::shutdown::Shutdown;
use crate::store::Keyspace;

/// How long the loop sleeps at most: so late a jump of the clock is noticed.
const PULSE: Duration = Duration::from_secs(30);

/// A round at least this often, whatever happens.
const ROUND_MS: u64 = 10 * 60 * 1000;

/// Days for which it is kept what was told.
const KEPT_DAYS: i32 = 60;

/// The board's key.
const BOARD: &str = "school-alert";

/// What a round depends on besides the books: in which of the day's parts it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Part {
    day: Option<CalendarDate>,
    /// Warned, told, eaten.
    past: [bool; 3],
    ten_minutes: u64,
}

/// What a round depends on, as it changes.
struct Changes([watch::Receiver<u64>; 4]);

impl Changes {
    /// Returns when one of them has changed.
    async fn any(&mut self) {
        let [menus, registrations, days, roster] = &mut self.0;
        tokio::select! {
            biased;
            _ = menus.changed() => {}
            _ = registrations.changed() => {}
            _ = days.changed() => {}
            _ = roster.changed() => {}
        }
    }
}

impl Alerts {
    /// Does rounds until the node stops.
    pub async fn run(self: Arc<Self>, mut shutdown: Shutdown) {
        let mut done: Option<Part> = None;
        let mut swept: Option<CalendarDate> = None;
        let mut changes = self.changes();
        loop {
            let part = self.part(self.means.env.now());
            if done != Some(part) {
                done = self.round().await.ok().map(|_| part);
            }
            if done.is_some() && swept != part.day {
                match self.sweep(part.day).await {
                    Ok(()) => swept = part.day,
                    Err(error) => tracing::debug!(%error, "old notes of alerts cannot be swept yet"),
                }
            }
            tokio::select! {
                biased;
                () = shutdown.draining() => return,
                () = changes.any() => done = None,
                () = tokio::time::sleep(PULSE) => {}
            }
        }
    }

    fn changes(&self) -> Changes {
        Changes([
            self.menus.changes(),
            self.registrations.changes(),
            self.days.changes(),
            self.roster.changes(),
        ])
    }

    /// One round: guardians, then staff, then what is long past.
    ///
    /// # Errors
    /// The books cannot be read or written. The board says so, and the loop tries again.
    pub async fn round(&self) -> Result<Round, AlertError> {
        let _turn = self.turn.lock().await;
        let now = self.means.env.now();
        let began = crate::env::monotonic();
        let round = self.round_at(now).await;
        match &round {
            Ok(round) => {
                self.board.clear(BOARD);
                let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::debug!(children = round.children, letters = round.letters, millis, "lunch alerts");
            }
            Err(error) => {
                tracing::error!(%error, "lunch alerts could not be worked out");
                let text = format!("lunch alerts could not be worked out: {error}; trying again");
                self.board.raise(BOARD, text);
            }
        }
        round
    }

    async fn round_at(&self, now: u64) -> Result<Round, AlertError> {
        let round = self.tell(now).await?;
        let concerns = self.concerns(now, &round)?;
        self.tell_staff(now, &concerns).await?;
        Ok(round)
    }

    fn part(&self, now: u64) -> Part {
        let day = CalendarDate::in_japan(now);
        let past = |minute| day.is_some_and(|day| now >= in_japan(day, minute));
        let hours = self.hours;
        Part {
            day,
            past: [past(hours.warn), past(hours.alert), past(hours.lunch)],
            ten_minutes: now / ROUND_MS,
        }
    }

    /// Forgets what was told of lunches long eaten.
    async fn sweep(&self, today: Option<CalendarDate>) -> Result<(), AlertError> {
        let Some(oldest) = today.and_then(|today| today.plus_days(-KEPT_DAYS)) else {
            return Ok(());
        };
        let oldest = oldest.to_string();
        let mut change = self.means.vault.change();
        for table in [b"t".as_slice(), b"u"] {
            for rest in self.means.vault.marks(Keyspace::School, table)? {
                if change.len() < 4_096 && rest.get(..10).is_some_and(|day| day < oldest.as_bytes()) {
                    change.delete(Keyspace::School, &[table, &rest].concat());
                }
            }
        }
        if !change.is_empty() {
            change.commit().await?;
        }
        Ok(())
    }
}
