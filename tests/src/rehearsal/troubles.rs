//! Makes go wrong what a plan says, and mends it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hibiki_simnet::LinkOptions;
use tokio::task::JoinSet;

use super::institution::Institution;
use super::judge::Judge;
use super::orders::{self, Change};
use super::outside::Cellar;
use super::picture::Kind;
use super::plan::{Plan, What};
use super::prefecture::Prefecture;

/// How long an institution that was asked to stop is waited for.
const LEAVE: Duration = Duration::from_secs(20);

/// Lives through the plan's time.
pub(super) async fn befall(all: &Prefecture, plan: &Plan, judge: &Arc<Judge>) -> JoinSet<()> {
    let mut orders = JoinSet::new();
    let began = all.world.elapsed();
    // Beginnings and ends in their order; what falls together goes by its place in the plan.
    let mut due: BTreeMap<(u64, usize, bool), &What> = BTreeMap::new();
    for (place, trouble) in plan.troubles.iter().enumerate() {
        due.insert((trouble.at_ms, place, false), &trouble.what);
        due.insert((trouble.at_ms.saturating_add(trouble.for_ms), place, true), &trouble.what);
    }
    for ((at, place, over), what) in due {
        if at >= plan.lasts_ms {
            break;
        }
        wait_until(all, began + Duration::from_millis(at)).await;
        if over {
            judge.note(format_args!("over: {what:?}"));
            end(all, plan, judge, what).await;
        } else {
            judge.note(format_args!("{what:?}"));
            judge.count(|tally| tally.troubles += 1);
            begin(all, judge, what).await;
            let until = plan.troubles.get(place).map_or(at, |one| at.saturating_add(one.for_ms));
            let until = began + Duration::from_millis(until.min(plan.lasts_ms));
            order(all, judge, what, until, &mut orders);
            for party in what.parties() {
                judge.mark(&party, Kind::Trouble, [all.world.elapsed(), until], format_args!("{what:?}"));
            }
        }
    }
    wait_until(all, began + Duration::from_millis(plan.lasts_ms)).await;
    orders
}

/// Gives the order that a trouble is, if it is one.
fn order(all: &Prefecture, judge: &Arc<Judge>, what: &What, until: Duration, orders: &mut JoinSet<()>) {
    let judge = Arc::clone(judge);
    match what {
        What::NewList { who } => {
            if let Some((city, at)) = all.institution(who) {
                orders.spawn(orders::renew(Arc::clone(city), at.clone(), Change::Name, judge));
            }
        }
        What::Remove { who } => {
            if let Some((city, at)) = all.institution(who) {
                orders.spawn(orders::remove(Arc::clone(city), at.clone(), judge, until));
            }
        }
        What::Hold { who } => {
            if let Some((city, guardian)) = all.guardians().find(|(_, guardian)| guardian.name == *who) {
                orders.spawn(orders::hold(Arc::clone(city), guardian.clone(), judge, until));
            }
        }
        _ => {}
    }
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
            if let Some((_, institution)) = all.institution(who) {
                judge.grown(institution);
                institution.crash();
            }
        }
        What::Restart { who } => {
            if let Some((_, institution)) = all.institution(who) {
                judge.grown(institution);
                let left = tokio::time::timeout(LEAVE, institution.stop()).await;
                if left.is_err() {
                    judge.broken(format_args!("{who} was asked to stop and did not within {LEAVE:?}"));
                    institution.crash();
                }
            }
        }
        What::Skew { who, by_ms } => host(who).set_skew(*by_ms),
        What::FullDisk { who } => disks(all, who, |cellar| cellar.set_full(true)),
        What::SlowDisk { who, by_ms } => disks(all, who, |cellar| cellar.set_slow(u64::from(*by_ms))),
        What::NewList { .. } | What::Remove { .. } | What::Hold { .. } => {}
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
            if let Some((_, institution)) = all.institution(who) {
                start(institution, judge).await;
            }
        }
        What::Skew { who, .. } => host(who).set_skew(0),
        What::FullDisk { who } => disks(all, who, |cellar| cellar.set_full(false)),
        What::SlowDisk { who, .. } => disks(all, who, |cellar| cellar.set_slow(0)),
        What::NewList { .. } | What::Remove { .. } | What::Hold { .. } => {}
    }
}

fn disks(all: &Prefecture, who: &str, change: impl Fn(&Cellar)) {
    if let Some((_, institution)) = all.institution(who) {
        change(&institution.cellar);
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
    world.calm(LinkOptions::default());
    for (_, institution) in all.institutions() {
        institution.cellar.set_full(false);
        institution.cellar.set_slow(0);
    }
    for party in &plan.parties() {
        all.host(party).set_skew(0);
    }
    for (_, institution) in all.institutions() {
        start(institution, judge).await;
    }
    judge.all_is_mended();
}
