//! What the gateway writes and keeps when records are small, and when they are a thousand times larger.
//!
//! A gateway that hoards what it relays, in whatever disguise, writes or keeps more for larger records. Both
//! measurements last equally long and relay equally many views, so that what a node writes by the clock
//! (checkpoints, cosignatures) is the same in both.

use std::fs;
use std::time::Duration;

use serde::Serialize;

use super::Trouble;
use super::guardian::{Guardian, Tally};
use crate::clock;
use crate::house::House;
use crate::town::Town;

/// One measurement of the gateway.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measured {
    /// Bytes of record content that the guardians were shown through it.
    pub payload: u64,
    /// Bytes it caused to be written to disk meanwhile (`write_bytes` of `/proc/PID/io`).
    pub written: u64,
    /// Memory of its own it held at the end (`RssAnon`), in bytes.
    pub memory: u64,
}

/// Both.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Volume {
    /// With small records.
    pub small: Measured,
    /// With large ones.
    pub large: Measured,
}

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Views of each kind.
    pub views: u64,
    /// Time from one view to the next, in both: long enough for a large one.
    pub pace: Duration,
}

/// Measures both. A first round of each, unmeasured, warms up what is made once.
///
/// # Errors
/// Views do not come together, take longer than the measurement lasts, or the gateway's figures cannot be read.
pub fn measure(town: &Town, small: &Guardian, large: &Guardian, effort: Effort) -> Result<Volume, Trouble> {
    views(small, Effort { views: 2, ..effort })?;
    views(large, Effort { views: 2, ..effort })?;
    Ok(Volume { small: one(town, small, effort)?, large: one(town, large, effort)? })
}

fn one(town: &Town, guardian: &Guardian, effort: Effort) -> Result<Measured, Trouble> {
    let ((before, _), watch) = (now(town)?, clock::Stopwatch::start());
    let tally = views(guardian, effort)?;
    if tally.views < effort.views || tally.complete < tally.views {
        let Tally { views, complete, .. } = tally;
        return Err(Trouble::View(format!(
            "of {} views for the measurement of volume {views} came together, {complete} of them complete",
            effort.views
        )));
    }
    let (took, lasts) = (watch.elapsed(), effort.pace * u32::try_from(effort.views).unwrap_or(u32::MAX));
    if took > lasts {
        return Err(Trouble::Machine(format!(
            "{} views took {} s where the measurement of volume lasts {} s: this machine is too busy for it",
            effort.views,
            took.as_secs(),
            lasts.as_secs()
        )));
    }
    clock::pause(lasts - took);
    let (written, memory) = now(town)?;
    Ok(Measured { payload: tally.shown_bytes, written: written - before, memory })
}

/// What the gateway has written since it started, and what it holds in memory.
///
/// # Errors
/// It is not running, or not ours to look at.
pub fn now(town: &Town) -> Result<(u64, u64), Trouble> {
    let pid = town.node(House::CityHall).pid();
    let pid = pid.ok_or_else(|| Trouble::Machine("the gateway is not running".into()))?;
    let pid = pid.as_raw_nonzero().get();
    let written = figure(&format!("/proc/{pid}/io"), "write_bytes:")?;
    Ok((written, figure(&format!("/proc/{pid}/status"), "RssAnon:")? * 1024))
}

/// Views in sessions of at most 40, one after the other.
fn views(guardian: &Guardian, effort: Effort) -> Result<Tally, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::Machine(error.to_string()))?;
    let (mut tally, mut left) = (Tally::default(), effort.views);
    while left > 0 {
        let visited = runtime.block_on(guardian.visit(left.min(40), effort.pace))?;
        if visited.views == 0 {
            break;
        }
        left = left.saturating_sub(visited.views);
        tally = tally.with(visited);
    }
    Ok(tally)
}

fn figure(file: &str, name: &str) -> Result<u64, Trouble> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| Trouble::Machine(format!("{file}: {error} (run as root)")))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| Trouble::Machine(format!("{file} has no {name}")))
}
