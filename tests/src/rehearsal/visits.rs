//! What guardians do: while things go wrong, and when everything is mended.

use std::sync::Arc;
use std::time::Duration;

use super::choices;
use super::federation::Federation;
use super::guardian::{Guardian, Visit};
use super::judge::Judge;
use crate::chance::Chance;

/// A session must be open by then, or the person told why: every step of it has a patience of its own.
const OPENING: Duration = Duration::from_secs(45);

/// After everything was mended, a view must be complete by then. The longest anybody rests before dialling again
/// (30 s), the longest a dead link is believed (15 s), and as much again.
pub(super) const RECOVERY: Duration = Duration::from_secs(90);

/// Views after the first complete one that must be complete as well.
const STEADY: usize = 2;

const HOUR_MILLIS: u64 = 60 * 60 * 1_000;

/// The deadline of views when everything is mended.
const DEADLINE_MILLIS: u64 = 8_000;

/// Asks for views again and again until `until`, whatever goes wrong.
pub(super) async fn through_troubles(
    federation: Arc<Federation>,
    guardian: Guardian,
    judge: Arc<Judge>,
    mut chance: Chance,
    until: Duration,
) {
    let world = &federation.world;
    let ms = Duration::from_millis;
    while world.elapsed() < until {
        let Some(visit) = open(&guardian, &judge).await else {
            world.sleep(ms(300 + chance.below(1_500))).await;
            continue;
        };
        for _ in 0..=chance.below(4) {
            if world.elapsed() >= until {
                break;
            }
            let going_on = if chance.below(6) == 0 {
                choices::choose(&federation, &guardian, &judge, &visit, &mut chance).await;
                true
            } else if chance.below(5) == 0 {
                let pause = ms(chance.below(3_000));
                let answers = guardian.ask_twice(&visit, pause).await;
                answers.map(|answers| judge.repeated(&guardian, &answers)).is_ok()
            } else {
                look(
                    &federation,
                    &guardian,
                    &judge,
                    &visit,
                    (chance.next() as usize, 500 + chance.below(7_500)),
                )
                .await
                .is_some()
            };
            if !going_on {
                break;
            }
            world.sleep(ms(chance.below(2_500))).await;
        }
        // Every third terminal just dies.
        if chance.below(3) > 0 {
            _ = visit.session.close().await;
        } else {
            drop(visit);
        }
        let hour = (guardian.now().0 / HOUR_MILLIS + 9) % 24;
        let rest = judge.pace().rest(hour).as_millis() as u64;
        world.sleep(ms(chance.below(2 * rest + 1)).min(until.saturating_sub(world.elapsed()))).await;
    }
}

/// When everything is mended: soon a view is complete, and from then on every one.
pub(super) async fn when_mended(federation: Arc<Federation>, guardian: Guardian, judge: Arc<Judge>) {
    let (world, name) = (&federation.world, &guardian.name);
    let (patience, mut complete) = (world.elapsed() + RECOVERY, 0);
    let mut child = 0;
    while complete <= STEADY {
        if world.elapsed() > patience {
            return judge.broken(format_args!("{name}: no complete view within {RECOVERY:?} of mending"));
        }
        let Some(visit) = open(&guardian, &judge).await else {
            world.sleep(Duration::from_secs(1)).await;
            continue;
        };
        // What she withdrew while things went wrong she gives back first.
        if !choices::settle_all(&federation, &guardian, &judge, &visit).await {
            _ = visit.session.close().await;
            world.sleep(Duration::from_secs(1)).await;
            continue;
        }
        while complete <= STEADY {
            child += 1;
            match look(&federation, &guardian, &judge, &visit, (child, DEADLINE_MILLIS)).await {
                Some(true) => complete += 1,
                Some(false) | None if complete > 0 => {
                    return judge.broken(format_args!("{name}: after a complete view one was not"));
                }
                Some(false) | None => break,
            }
        }
        _ = visit.session.close().await;
        world.sleep(Duration::from_millis(500)).await;
    }
}

async fn open(guardian: &Guardian, judge: &Judge) -> Option<Visit> {
    match tokio::time::timeout(OPENING, guardian.open()).await {
        Err(_) => {
            judge.broken(format_args!("{}: no session and no word within {OPENING:?}", guardian.name));
            None
        }
        Ok(Err(trouble)) => {
            judge.refused(guardian, "no session", trouble);
            None
        }
        Ok(Ok(visit)) => {
            judge.count(|tally| tally.sessions += 1);
            Some(visit)
        }
    }
}

/// One view: whether it is complete; `None` where the session is good for nothing more.
async fn look(
    federation: &Federation,
    guardian: &Guardian,
    judge: &Judge,
    visit: &Visit,
    (child, deadline_millis): (usize, u64),
) -> Option<bool> {
    match guardian.look(visit, child, deadline_millis).await {
        Ok(seen) => {
            let complete = judge.view(federation, guardian, deadline_millis, &seen);
            (!seen.view.gateway_lost).then_some(complete)
        }
        Err(trouble) => {
            judge.refused(guardian, "no view", trouble);
            None
        }
    }
}
