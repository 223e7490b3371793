//! All guardians at once, and what is broken meanwhile.
//!
//! Guardians run on threads of their own and are told nothing of the faults; the faults go on until enough
//! views came together. A fault that cannot be mended is an error: nothing after it would be a proof.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Trouble;
use super::guardian::{self, Guardian, Tally};
use crate::chance::Chance;
use crate::clock;
use crate::house::House;
use crate::town::Town;

/// Views asked for in one session: about what a family looks at in one sitting.
const VIEWS_A_SESSION: u64 = 12;
/// Guardians at their terminals at the same time.
const AT_ONCE: usize = 4;

/// How a workload is to be.
pub struct Wanted {
    /// Views that must come together.
    pub views: u64,
    /// The seed of the faults.
    pub seed: u64,
    /// Whether something is broken meanwhile.
    pub faults: bool,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Happened {
    /// What guardians saw.
    pub tally: Tally,
    /// What was broken, and how often.
    pub faults: BTreeMap<&'static str, u64>,
}

/// Runs guardians until enough views came together; `told` hears how many there are, now and then.
///
/// # Errors
/// A view was wrong, a fault could not be mended, or views stopped coming together.
pub fn work(
    town: &mut Town,
    guardians: &[Guardian],
    wanted: &Wanted,
    told: &mut dyn FnMut(u64),
) -> Result<Happened, Trouble> {
    let (asked, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let shared = Mutex::new((Tally::default(), None::<Trouble>));
    let mut faults = BTreeMap::new();
    let broke = std::thread::scope(|threads| {
        for lane in 0..AT_ONCE.min(guardians.len()) {
            let (asked, over, shared) = (&asked, &over, &shared);
            threads.spawn(move || {
                let mine: Vec<&Guardian> = guardians.iter().skip(lane).step_by(AT_ONCE).collect();
                sit(&mine, wanted.views, asked, over, shared);
            });
        }
        let broke = break_things(town, wanted, &asked, &over, &mut faults, told);
        over.store(true, Ordering::Relaxed);
        broke
    });
    let (tally, wrong) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    broke?;
    wrong.map_or(Ok(Happened { tally, faults }), Err)
}

/// A lane of guardians, one after the other, for as long as views are wanted.
fn sit(
    guardians: &[&Guardian],
    wanted: u64,
    done: &AtomicU64,
    over: &AtomicBool,
    shared: &Mutex<(Tally, Option<Trouble>)>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return over.store(true, Ordering::Relaxed) };
    for guardian in guardians.iter().cycle() {
        if over.load(Ordering::Relaxed) || done.load(Ordering::Relaxed) >= wanted {
            return;
        }
        let visited = runtime.block_on(guardian.visit(VIEWS_A_SESSION, guardian::AT_ONCE));
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match visited {
            Ok(tally) => {
                done.fetch_add(tally.views, Ordering::Relaxed);
                shared.0 = shared.0.with(tally);
                drop(shared);
                if tally.views == 0 {
                    // The gateway is away: a person would wait a moment, too.
                    clock::pause(Duration::from_millis(200));
                }
            }
            Err(wrong) => {
                shared.1.get_or_insert(wrong);
                over.store(true, Ordering::Relaxed);
                return;
            }
        }
    }
}

/// Breaks and mends until the views are done.
fn break_things(
    town: &mut Town,
    wanted: &Wanted,
    done: &AtomicU64,
    over: &AtomicBool,
    faults: &mut BTreeMap<&'static str, u64>,
    told: &mut dyn FnMut(u64),
) -> Result<(), Trouble> {
    let mut chance = Chance::new(wanted.seed);
    let (mut last, mut watch) = (0, clock::Stopwatch::start());
    loop {
        let now = done.load(Ordering::Relaxed);
        if over.load(Ordering::Relaxed) || now >= wanted.views {
            return Ok(());
        }
        told(now);
        if now > last {
            (last, watch) = (now, clock::Stopwatch::start());
        } else if watch.elapsed() > Duration::from_secs(90) {
            return Err(Trouble::View(format!("no view has come together for 90 s, after {now}")));
        }
        clock::pause(Duration::from_millis(1_500 + chance.below(3_000)));
        if wanted.faults && !over.load(Ordering::Relaxed) {
            *faults.entry(break_one(town, &mut chance)?).or_default() += 1;
        }
    }
}

fn break_one(town: &mut Town, chance: &mut Chance) -> Result<&'static str, Trouble> {
    let house = *chance.of(&town.others());
    Ok(match chance.below(5) {
        0 => {
            town.node_mut(house).kill();
            town.start(house)?;
            "institution killed (SIGKILL) and started"
        }
        1 => {
            town.node_mut(house).stop()?;
            clock::pause(Duration::from_millis(500));
            town.start(house)?;
            "institution stopped and started"
        }
        2 => {
            town.node(house).freeze();
            clock::pause(Duration::from_millis(1_500));
            town.node(house).thaw();
            "institution frozen (SIGSTOP) for 1.5 s"
        }
        3 => {
            town.node_mut(House::CityHall).kill();
            town.start(House::CityHall)?;
            "gateway killed (SIGKILL) and started"
        }
        _ => {
            town.node(House::CityHall).freeze();
            clock::pause(Duration::from_millis(800));
            town.node(House::CityHall).thaw();
            "gateway frozen (SIGSTOP) for 0.8 s"
        }
    })
}
