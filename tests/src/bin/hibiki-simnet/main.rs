//! The federation rehearsed in virtual time: one seed, or as many as there is time for.
#![forbid(unsafe_code)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

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
    #[command(after_help = "Example:\n  hibiki-simnet explore --minutes 10 --from 1000")]
    Explore {
        /// For how long.
        #[arg(long, value_name = "M")]
        minutes: u64,
        /// The first seed.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
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
        Command::Explore { minutes, from } => Ok(explore(Duration::from_secs(60 * minutes), from)),
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

fn explore(time: Duration, from: u64) -> bool {
    let (watch, mut seeds, mut failed) = (Stopwatch::start(), 0_u64, Vec::new());
    for seed in from.. {
        if watch.elapsed() >= time {
            break;
        }
        seeds += 1;
        match rehearse(seed, &Plan::from_seed(seed)) {
            Ok(report) if report.broken.is_empty() => {}
            Ok(report) => {
                failed.push(seed);
                say(&report.to_string());
            }
            Err(stumble) => {
                failed.push(seed);
                say(&format!("seed {seed}: {stumble}"));
            }
        }
    }
    let taken = watch.elapsed().as_secs();
    say(&format!(
        "{seeds} seeds from {from} in {taken} s, {} with something broken: {failed:?}",
        failed.len()
    ));
    failed.is_empty()
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
