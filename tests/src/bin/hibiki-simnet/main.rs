//! The federation rehearsed in virtual time: one seed, or as many as there is time for.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

use clap::{Parser, Subcommand};
use hibiki_tests::clock::Stopwatch;
use hibiki_tests::rehearsal::{Plan, Stumble, rehearse};

/// 連合全体の動作を、一つのプロセスの仮想時間の中で、種の数から再現します。
/// Rehearses a whole federation in one process and virtual time, from a seed.
///
/// Exit status: 0 = everything held that must hold, 1 = something was broken, or a rehearsal could not begin.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-simnet",
    version,
    after_help = "Examples:\n  hibiki-simnet run --seed 7\n  hibiki-simnet plan --seed 7 > plan.toml\n  \
                  hibiki-simnet run --seed 7 --plan plan.toml\n  hibiki-simnet explore --minutes 10"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lives through one seed and tells everything that happened.
    #[command(after_help = "Example:\n  hibiki-simnet run --seed 7 --plan plan.toml")]
    Run {
        /// The seed.
        #[arg(long, value_name = "N")]
        seed: u64,
        /// What is rehearsed; without it, what the seed says.
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
    },
    /// Lives through one seed after the other and tells of those in which something was broken.
    #[command(after_help = "Example:\n  hibiki-simnet explore --minutes 10 --from 1000 --jobs 4")]
    Explore {
        /// For how long.
        #[arg(long, value_name = "M")]
        minutes: u64,
        /// The first seed.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
        /// How many at once.
        #[arg(long, value_name = "N", default_value_t = 1)]
        jobs: usize,
    },
    /// Prints the plan a seed stands for, to be changed and handed to `run`.
    #[command(after_help = "Example:\n  hibiki-simnet plan --seed 7 > plan.toml")]
    Plan {
        /// The seed.
        #[arg(long, value_name = "N")]
        seed: u64,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run { seed, plan } => run(seed, plan.as_deref()),
        Command::Explore { minutes, from, jobs } => explore(Duration::from_secs(60 * minutes), from, jobs),
        Command::Plan { seed } => {
            say(Plan::from_seed(seed).to_toml().trim_end());
            Ok(true)
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(stumble) => {
            say(&format!("hibiki-simnet: {stumble}"));
            ExitCode::FAILURE
        }
    }
}

fn run(seed: u64, file: Option<&Path>) -> Result<bool, Stumble> {
    let plan = match file {
        None => Plan::from_seed(seed),
        Some(file) => {
            let text = fs::read_to_string(file);
            Plan::parse(&text.map_err(|error| Stumble(format!("{}: {error}", file.display())))?)?
        }
    };
    let report = rehearse(seed, &plan)?;
    report.chronicle.iter().for_each(|line| say(line));
    say(&format!("\n{report}"));
    if !report.exact {
        say("on this platform not everything random comes from the seed: another run may differ");
    }
    Ok(report.broken.is_empty())
}

/// After so many seeds one hears how far it is.
const TOLD: u64 = 25;

/// Each seed has a process of its own, so that `run` lives through the very same.
fn explore(time: Duration, from: u64, jobs: usize) -> Result<bool, Stumble> {
    let program = env::current_exe().map_err(|error| Stumble(format!("this program: {error}")))?;
    let (watch, next) = (Stopwatch::start(), AtomicU64::new(from));
    let failed = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while watch.elapsed() < time {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if (seed - from) % TOLD == TOLD - 1 {
                        say(&format!("  seed {seed}, {} s", watch.elapsed().as_secs()));
                    }
                    if let Err(what) = alone(&program, seed) {
                        say(&what);
                        failed.lock().unwrap_or_else(PoisonError::into_inner).insert(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (seeds, taken) = (next.into_inner() - from, watch.elapsed().as_secs());
    say(&format!(
        "{seeds} seeds from {from} in {taken} s, {} with something broken: {failed:?}",
        failed.len()
    ));
    Ok(failed.is_empty())
}

/// The verdict on a seed where something was broken: what is told after the chronicle, or how the process ended.
fn alone(program: &Path, seed: u64) -> Result<(), String> {
    let output = process::Command::new(program).args(["run", "--seed", &seed.to_string()]).output();
    let output = output.map_err(|error| format!("seed {seed}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match told.rsplit_once("\n\n") {
        Some((_, verdict)) => Err(verdict.trim_end().to_owned()),
        None => Err(format!("seed {seed}: {}\n{told}{said}", output.status)),
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
