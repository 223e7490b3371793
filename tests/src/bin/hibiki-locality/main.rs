//! `make locality`: the proof of data locality, from founding to verdict.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hibiki_tests::clock::Stopwatch;
use hibiki_tests::locality::run::{VOLUME, clear};
use hibiki_tests::locality::{Order, run};

/// データが各施設の外に残らないことを、八つの施設を動かして証明します。
/// Proves on eight running institutions that no record is kept anywhere but at home.
///
/// Needs the rights of root, to read the memory of running nodes. Exit status: 0 = passed, 1 = not passed or
/// broken off.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-locality",
    version,
    after_help = "Examples:\n  hibiki-locality\n  hibiki-locality --views 200 --canaries 100 --out /tmp/short"
)]
struct Arguments {
    /// Views that must come together.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    views: u64,
    /// Canaries of every institution.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    canaries: usize,
    /// Families with two children each.
    #[arg(long, value_name = "N", default_value_t = 20)]
    families: usize,
    /// The seed of people and faults.
    #[arg(long, value_name = "N", default_value_t = 20_261_126)]
    seed: u64,
    /// Leave the leaking gateways out; the report then says that they are missing.
    #[arg(long)]
    no_mutants: bool,
    /// Folder for town, artefacts and report; emptied first if an earlier run made it.
    #[arg(long, value_name = "DIR", default_value = "target/locality")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let watch = Stopwatch::start();
    let mut told = |what: &str| say(&format!("{:>5} s  {what}", watch.elapsed().as_secs()));
    // The nodes take a path that is not whole from their own folder.
    let out = std::path::absolute(&arguments.out).unwrap_or_else(|_| arguments.out.clone());
    let order = Order {
        out,
        views: arguments.views,
        canaries: arguments.canaries,
        families: arguments.families,
        seed: arguments.seed,
        volume: Some(VOLUME),
        mutants: !arguments.no_mutants,
    };
    told(&format!("seed {}", order.seed));
    match clear(&order.out).and_then(|()| run(&order, &mut told)) {
        Ok(verdict) => {
            let tally = verdict.happened.tally;
            say(&format!(
                "\n{} views, {} of them complete, {} sessions and views refused or lost; faults:",
                tally.views, tally.complete, tally.refused
            ));
            for (fault, count) in &verdict.happened.faults {
                say(&format!("  {count:>4}  {fault}"));
            }
            say(&format!("\n{}", verdict.said.trim_end()));
            say(&format!("\nreport: {}", order.out.join("report.html").display()));
            say(&format!("took {} s", watch.elapsed().as_secs()));
            if verdict.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(trouble) => {
            say(&format!("broken off: {trouble}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
