//! The federation rehearsed in one process, in virtual time, from a seed.
//!
//! The nodes are the daemon's own parts, the terminals their own core; clock, network, randomness and disks are the
//! world's. A [`Plan`] says how large the city is and what goes wrong; a seed decides everything else. While things go
//! wrong every view must end in time with one outcome for each institution, nothing may be released that the ledger
//! does not know, nothing accepted twice, nothing kept by another house; once everything is mended every view must be
//! complete. docs/simulation.md says how to read and replay one.
//!
//! - [`plan`] — the plan, from a file or (`drawn`) from a seed; [`record`] — a rehearsal written down.
//! - [`outside`] — a machine's clock, sockets, tasks and cellar, as a node sees them.
//! - [`institution`], [`guardian`], [`federation`], [`prefecture`] — who takes part; [`area`] — where.
//! - `troubles`, [`orders`], `visits`, [`choices`] — what happens to them, and what they do.
//! - [`model`] — what should be true; [`judge`], `afterwards` — what must hold; [`picture`] — all of it for the eye.

mod afterwards;
pub mod area;
mod cards;
pub mod choices;
mod drawn;
pub mod federation;
pub mod guardian;
pub mod institution;
pub mod judge;
pub mod model;
pub mod orders;
pub mod outside;
mod panics;
mod people;
pub mod picture;
pub mod plan;
pub mod prefecture;
pub mod record;
mod troubles;
mod visits;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hibiki_simnet::{RunError, Trace, World};
use tokio::task::JoinSet;

pub use federation::Federation;
pub use judge::{Judge, Tally};
pub use orders::Change;
pub use picture::Mark;
pub use plan::Plan;
pub use prefecture::Prefecture;
pub use record::Record;

use crate::chance::Chance;

/// Something in the way of a rehearsal itself.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stumble(pub String);

impl From<crate::town::TownError> for Stumble {
    fn from(error: crate::town::TownError) -> Self {
        Self(error.to_string())
    }
}

impl From<RunError> for Stumble {
    fn from(error: RunError) -> Self {
        Self(error.to_string())
    }
}

/// What came of a rehearsal. Two of one seed and one plan are equal where [`Report::exact`] says so and each was the
/// first of its process.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The plan.
    pub plan: Plan,
    /// Whether everything random came from the seed.
    pub exact: bool,
    /// Every datagram, boiled down.
    pub trace: Trace,
    /// How much virtual time passed.
    pub lasted: Duration,
    /// How much happened.
    pub tally: Tally,
    /// What happened, line by line.
    pub chronicle: Vec<String>,
    /// What must not happen and did.
    pub broken: Vec<String>,
    /// The same for the eye.
    pub marks: Vec<Mark>,
    /// When everything was mended.
    pub mended: Option<Duration>,
}

impl Report {
    /// The command that lives through this again, where it came from the seed alone.
    pub fn replay(&self) -> String {
        format!("cargo run -p hibiki-tests --bin hibiki-simnet -- run --seed {}", self.seed)
    }

    /// The figures, in one line.
    pub fn summary(&self) -> String {
        let Tally { sessions, refused, views, complete, repeated, troubles, withheld, choices } = self.tally;
        let Plan { cities, houses, guardians, .. } = self.plan;
        format!(
            "{} institutions, {} guardians, {troubles} troubles, {:.1} s; {sessions} sessions, {views} views \
             ({complete} complete), {refused} refused, {repeated} sent twice, {choices} choices, {withheld} withheld; \
             {} datagrams, {:016x}",
            cities * houses,
            cities * guardians,
            self.lasted.as_secs_f64(),
            self.trace.sent,
            self.trace.exact,
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.summary())?;
        for broken in &self.broken {
            write!(f, "\n  BROKEN: {broken}")?;
        }
        Ok(())
    }
}

/// Lives through a plan once: troubles, then everything mended.
///
/// # Errors
/// The federation could not even be founded, or the scenario waits for something that never comes.
///
/// # Panics
/// On with any panic of the scenario itself; the seed is printed first.
pub fn rehearse(seed: u64, plan: &Plan) -> Result<Report, Stumble> {
    play_all(seed, plan, |all, judge| through(all, judge, plan.clone()))
}

/// Founds the plan's federation, lives through a scenario of one's own, and judges at its end.
///
/// # Errors
/// As [`rehearse`].
///
/// # Panics
/// As [`rehearse`].
pub fn play<S, F>(seed: u64, plan: &Plan, scenario: S) -> Result<Report, Stumble>
where
    S: FnOnce(Arc<Federation>, Arc<Judge>) -> F + Send,
    F: Future<Output = ()>,
{
    play_all(seed, plan, |all, judge| scenario(Arc::clone(&all.cities[0]), judge))
}

/// The same with every municipality of the plan.
///
/// # Errors
/// As [`rehearse`].
///
/// # Panics
/// As [`rehearse`].
pub fn play_all<S, F>(seed: u64, plan: &Plan, scenario: S) -> Result<Report, Stumble>
where
    S: FnOnce(Arc<Prefecture>, Arc<Judge>) -> F + Send,
    F: Future<Output = ()>,
{
    panics::count();
    // Its name is drawn outside of the world, so that no draw of the seed depends on what lies there already.
    let folder = tempfile::tempdir().map_err(|error| Stumble(format!("a folder for keys: {error}")))?;
    let world = World::new(seed, plan.road.road());
    let (judge, lasted) = world.run(|world| live(world, folder.path(), plan, scenario))??;
    let (plan, exact, trace) = (plan.clone(), world.is_exact(), world.trace());
    let (tally, chronicle, broken, marks) = (Tally::default(), Vec::new(), Vec::new(), Vec::new());
    let report = Report { seed, plan, exact, trace, lasted, tally, chronicle, broken, marks, mended: None };
    Ok(judge.verdict(report))
}

async fn live<S, F>(
    world: World,
    folder: &Path,
    plan: &Plan,
    scenario: S,
) -> Result<(Arc<Judge>, Duration), Stumble>
where
    S: FnOnce(Arc<Prefecture>, Arc<Judge>) -> F,
    F: Future<Output = ()>,
{
    let judge = Arc::new(Judge::new(&world, plan));
    let all = Arc::new(Prefecture::found(&world, folder, plan).await?);
    judge.note("the federation is founded");
    scenario(Arc::clone(&all), Arc::clone(&judge)).await;
    judge.close(&all);
    match panics::counted() {
        0 => {}
        many => judge.broken(format_args!("{many} tasks panicked")),
    }
    let lasted = world.elapsed();
    for (_, institution) in all.institutions() {
        institution.stop().await;
    }
    Ok((judge, lasted))
}

/// What a plan says.
async fn through(all: Arc<Prefecture>, judge: Arc<Judge>, plan: Plan) {
    let world = &all.world;
    let until = world.elapsed() + Duration::from_millis(plan.lasts_ms);
    let mut visits = JoinSet::new();
    for (place, (city, guardian)) in all.guardians().enumerate() {
        let chance = Chance::new(world.seed() ^ ((place as u64 + 1) << 32));
        let (city, guardian, judge) = (Arc::clone(city), guardian.clone(), Arc::clone(&judge));
        visits.spawn(visits::through_troubles(city, guardian, judge, chance, until));
    }
    let orders = troubles::befall(&all, &plan, &judge).await;
    // Nobody is left waiting by the troubles: what was begun ends by itself.
    visits.join_all().await;
    troubles::mend(&all, &plan, &judge).await;
    if tokio::time::timeout(visits::RECOVERY, orders.join_all()).await.is_err() {
        let open = judge.model().in_force();
        judge.broken(format_args!(
            "{:?} after mending not everybody has acknowledged: {open:?}",
            visits::RECOVERY
        ));
    }
    // The last list travels as long as somebody it was refused by, whose clock was wrong, is told of it again.
    let patience = world.elapsed() + visits::RECOVERY;
    while !all.has_last_lists() && world.elapsed() < patience {
        world.sleep(Duration::from_secs(1)).await;
    }
    let mut visits = JoinSet::new();
    for (city, guardian) in all.guardians() {
        let (city, guardian, judge) = (Arc::clone(city), guardian.clone(), Arc::clone(&judge));
        visits.spawn(visits::when_mended(city, guardian, judge));
    }
    visits.join_all().await;
}
