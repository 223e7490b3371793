//! Makes go wrong what a plan says, and mends it.

use std::collections::BTreeMap;
use std::time::Duration;

use hibiki_simnet::LinkOptions;

use super::institution::Institution;
use super::judge::Judge;
use super::plan::{Plan, What};
use super::prefecture::Prefecture;

/// How long an institution that was asked to stop is waited for.
const LEAVE: Duration = Duration::from_secs(20);

/// Lives through the plan's time.
pub(super) async fn befall(all: &Prefecture, plan: &Plan, judge: &Judge) {
    let began = all.world.elapsed();
    // Beginnings and ends in their order; what falls together goes by its place in the plan.
    let mut due: BTreeMap<(u64, usize, bool), &What> = BTreeMap::new();
    for (place, trouble) in plan.troubles.iter().enumerate() {
        due.insert((trouble.at_ms, place, false), &trouble.what);
        due.insert((trouble.at_ms.saturating_add(trouble.for_ms), place, true), &trouble.what);
    }
    for ((at, _, over), what) in due {
        if at >= plan.lasts_ms {
            break;
        }
        wait_until(all, began + Duration::from_millis(at)).await;
        if over {
            judge.note(format_args!("over: {what:?}"));
            end(all, plan, judge, what).await;
        } else {
            judge.note(format_args!("{what:?}"));
            begin(all, judge, what).await;
        }
    }
    wait_until(all, began + Duration::from_millis(plan.lasts_ms)).await;
}

async fn wait_until(all: &Prefecture, moment: Duration) {
    all.world.sleep(moment.saturating_sub(all.world.elapsed())).await;
}

async fn begin(all: &Prefecture, judge: &Judge, what: &What) {
    let (world, host) = (&all.world, |party: &String| all.host(party));
    match what {
        What::Cut { between: [a, b] } => world.cut(&host(a), &host(b)),
        What::CutOneWay { from, to } => world.cut_one_way(&host(from), &host(to)),
        What::Isolate { who } => world.isolate(&host(who)),
        What::BadRoad { between: [a, b], quality } => {
            world.set_link(&host(a), &host(b), quality.road());
            world.set_link(&host(b), &host(a), quality.road());
        }
        What::Crash { who } => {
            if let Some(institution) = all.institution(who) {
                judge.grown(institution);
                institution.crash();
            }
        }
        What::Restart { who } => {
            if let Some(institution) = all.institution(who) {
                judge.grown(institution);
                let left = tokio::time::timeout(LEAVE, institution.stop()).await;
                if left.is_err() {
                    judge.broken(format_args!("{who} was asked to stop and did not within {LEAVE:?}"));
                    institution.crash();
                }
            }
        }
        What::Skew { who, by_ms } => host(who).set_skew(*by_ms),
    }
}

async fn end(all: &Prefecture, plan: &Plan, judge: &Judge, what: &What) {
    let (world, host) = (&all.world, |party: &String| all.host(party));
    match what {
        What::Cut { between: [a, b] } => world.heal(&host(a), &host(b)),
        What::CutOneWay { from, to } => world.heal(&host(from), &host(to)),
        What::Isolate { who } => world.rejoin(&host(who)),
        What::BadRoad { between: [a, b], .. } => {
            world.set_link(&host(a), &host(b), plan.road.road());
            world.set_link(&host(b), &host(a), plan.road.road());
        }
        What::Crash { who } | What::Restart { who } => {
            if let Some(institution) = all.institution(who) {
                start(institution, judge).await;
            }
        }
        What::Skew { who, .. } => host(who).set_skew(0),
    }
}

async fn start(institution: &Institution, judge: &Judge) {
    if institution.is_running() {
        return;
    }
    // I10: a crash anywhere leaves a node that starts.
    if let Err(why) = institution.start().await {
        judge.broken(why);
    }
    judge.grown(institution);
}

/// Everything is as it should be again: roads calm, clocks right, every institution started.
pub(super) async fn mend(all: &Prefecture, plan: &Plan, judge: &Judge) {
    let world = &all.world;
    world.heal_all();
    world.calm(LinkOptions::default());
    for party in &plan.parties() {
        all.host(party).set_skew(0);
    }
    for institution in all.institutions() {
        start(institution, judge).await;
    }
    judge.note("everything is mended");
}
