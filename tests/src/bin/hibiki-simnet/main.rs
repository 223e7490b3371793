//! The federation rehearsed in virtual time: one seed, or as many as there is time for.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

use clap::{Parser, Subcommand};
use hibiki_tests::clock::Stopwatch;
use hibiki_tests::rehearsal::{Plan, Record, Report, Stumble, picture, rehearse};

/// 連合全体の動作を、一つのプロセスの仮想時間の中で、種の数から再現します。
/// Rehearses a whole federation in one process and virtual time, from a seed.
///
/// Exit status: 0 = everything held that must hold, 1 = something was broken, a replay was another story, or a
/// rehearsal could not begin.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-simnet",
    version,
    after_help = "Examples:\n  hibiki-simnet run --seed 7\n  hibiki-simnet plan --seed 7 > plan.toml\n  \
                  hibiki-simnet run --seed 7 --plan plan.toml\n  hibiki-simnet run --seed 7 --picture run.html\n  hibiki-simnet explore --minutes 10\n  \
                  hibiki-simnet replay target/simnet/seed-1234.toml"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lives through one seed and tells everything that happened.
    #[command(after_help = "Example:\n  hibiki-simnet run --seed 7 --plan plan.toml --picture run.html")]
    Run {
        /// The seed.
        #[arg(long, value_name = "N")]
        seed: u64,
        /// What is rehearsed; without it, what the seed says.
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Draws it into this file: a page (.html), or its lanes alone (.svg).
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
        /// Prints figures and plan instead of the story, as a record that `replay` takes.
        #[arg(long)]
        record: bool,
    },
    /// Lives again through what `explore` wrote down, and tells whether it is the same to the last byte.
    #[command(
        after_help = "Example:\n  hibiki-simnet replay target/simnet/seed-1234.toml --picture again.html"
    )]
    Replay {
        /// The record.
        #[arg(value_name = "FILE")]
        record: PathBuf,
        /// Draws it into this file: a page (.html), or its lanes alone (.svg).
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
    },
    /// Lives through one seed after the other and tells of those in which something was broken; each is written
    /// down in `target/simnet`, for `replay`.
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
        Command::Run { seed, plan, picture, record } => {
            run(seed, plan.as_deref(), picture.as_deref(), record)
        }
        Command::Replay { record, picture } => replay(&record, picture.as_deref()),
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

fn run(seed: u64, file: Option<&Path>, picture: Option<&Path>, record: bool) -> Result<bool, Stumble> {
    let plan = match file {
        None => Plan::from_seed(seed),
        Some(file) => Plan::parse(&read(file)?)?,
    };
    let report = rehearse(seed, &plan)?;
    draw(&report, picture)?;
    if record {
        say(&Record::of(&report).to_toml());
        return Ok(report.broken.is_empty());
    }
    tell(&report);
    if !report.broken.is_empty() {
        let Record { commit, lock, .. } = Record::of(&report);
        let plan = file.map(|file| format!(" --plan {}", file.display())).unwrap_or_default();
        say(&format!("  again: {}{plan}   (code {commit}, Cargo.lock {lock})", report.replay()));
    }
    Ok(report.broken.is_empty())
}

fn replay(file: &Path, picture: Option<&Path>) -> Result<bool, Stumble> {
    let record = Record::parse(&read(file)?)?;
    let report = rehearse(record.seed, &record.plan)?;
    draw(&report, picture)?;
    tell(&report);
    let differs = Record::of(&report).differs(&record);
    say(differs.as_deref().unwrap_or("the same story to the last byte"));
    Ok(report.broken.is_empty() && differs.is_none())
}

fn tell(report: &Report) {
    report.chronicle.iter().for_each(|line| say(line));
    say(&format!("\n{report}"));
    if !report.exact {
        say("on this platform not everything random comes from the seed: another run may differ");
    }
}

fn draw(report: &Report, picture: Option<&Path>) -> Result<(), Stumble> {
    let Some(file) = picture else { return Ok(()) };
    let svg = file.extension().is_some_and(|extension| extension == "svg");
    write(file, &if svg { picture::svg(report) } else { picture::page(report) })
}

fn read(file: &Path) -> Result<String, Stumble> {
    fs::read_to_string(file).map_err(|error| Stumble(format!("{}: {error}", file.display())))
}

fn write(file: &Path, text: &str) -> Result<(), Stumble> {
    fs::write(file, text).map_err(|error| Stumble(format!("{}: {error}", file.display())))
}

/// After so many seeds one hears how far it is.
const TOLD: u64 = 25;
/// Where broken seeds are written down.
const RECORDS: &str = "target/simnet";

/// What exploring came to.
#[derive(Default)]
struct Explored {
    figures: BTreeMap<String, u64>,
    failed: Vec<u64>,
}

/// Each seed has a process of its own, so that `run` lives through the very same.
fn explore(time: Duration, from: u64, jobs: usize) -> Result<bool, Stumble> {
    let program = env::current_exe().map_err(|error| Stumble(format!("this program: {error}")))?;
    let (watch, next) = (Stopwatch::start(), AtomicU64::new(from));
    let explored = Mutex::new(Explored::default());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while watch.elapsed() < time {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if (seed - from) % TOLD == TOLD - 1 {
                        say(&format!("  seed {seed}, {} s", watch.elapsed().as_secs()));
                    }
                    let record = alone(&program, seed);
                    let mut explored = explored.lock().unwrap_or_else(PoisonError::into_inner);
                    match record {
                        Ok(record) => {
                            for (name, figure) in &record.figures {
                                *explored.figures.entry(name.clone()).or_default() += figure;
                            }
                            if !record.broken.is_empty() {
                                explored.failed.push(seed);
                                keep(&record);
                            }
                        }
                        Err(what) => {
                            explored.failed.push(seed);
                            say(&what);
                        }
                    }
                }
            });
        }
    });
    let Explored { figures, failed } = explored.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (seeds, taken) = (next.into_inner() - from, watch.elapsed().as_secs());
    say(&format!(
        "{seeds} seeds from {from} in {taken} s, {} with something broken: {failed:?}",
        failed.len()
    ));
    for (name, figure) in figures {
        match name.as_str() {
            "virtual-ms" => say(&format!("  virtual time     {:>12.1} h", figure as f64 / 3_600_000.0)),
            _ => say(&format!("  {name:<24} {figure:>12}")),
        }
    }
    Ok(failed.is_empty())
}

/// Lives through a seed in a process of its own.
fn alone(program: &Path, seed: u64) -> Result<Record, String> {
    let output =
        process::Command::new(program).args(["run", "--record", "--seed", &seed.to_string()]).output();
    let output = output.map_err(|error| format!("seed {seed}: {error}"))?;
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Record::parse(&told).map_err(|_| format!("seed {seed}: {}\n{told}{said}", output.status))
}

/// Writes a broken seed down and tells how to live through it again.
fn keep(record: &Record) {
    let file = Path::new(RECORDS).join(format!("seed-{}.toml", record.seed));
    say(&format!(
        "seed {}: {} (code {}, Cargo.lock {})",
        record.seed, record.trace, record.commit, record.lock
    ));
    record.broken.iter().for_each(|what| say(&format!("  BROKEN: {what}")));
    let kept = fs::create_dir_all(RECORDS).and_then(|()| fs::write(&file, record.to_toml()));
    match kept {
        Ok(()) => say(&format!("  again: hibiki-simnet replay {}", file.display())),
        Err(error) => say(&format!("  not written down: {}: {error}", file.display())),
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
